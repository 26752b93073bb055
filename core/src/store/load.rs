//! Fills an empty store, from a backup or from another store.

use super::backup::{BackupError, Counts};
use super::snapshot::{Item, Kept};
use super::{Cell, ChangeSet, Commit, Expected, Key, OPERATIONS_MAX, Space, Store, StoreError};

/// A change set that has reached so many bytes is committed.
const SET_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Puts items into a store that was empty. The store must not be used before [`Load::finish`].
#[derive(Debug)]
pub struct Load<'a> {
    store: &'a dyn Store,
    changes: ChangeSet,
    bytes: usize,
    counts: Counts,
}

impl<'a> Load<'a> {
    /// Begins to fill `store`.
    ///
    /// # Errors
    /// It is not empty.
    pub async fn into(store: &'a dyn Store) -> Result<Self, BackupError> {
        for space in [Space::Records, Space::Cells, Space::Events] {
            if !store.scan(space, "", None, 1).await?.is_empty() {
                return Err(BackupError::NotEmpty);
            }
        }
        Ok(Self {
            store,
            changes: ChangeSet::new(),
            bytes: 0,
            counts: Counts::default(),
        })
    }

    /// Puts one item in.
    ///
    /// # Errors
    /// The store did not take it.
    pub async fn put(&mut self, item: Item) -> Result<(), BackupError> {
        self.counts.count(&item);
        self.bytes += item.path.len();
        let Item { path, kept } = item;
        match kept {
            Kept::Record(record) => {
                self.bytes += record.0.len();
                self.changes
                    .put(Key::record(path), record, Expected::Absent);
            }
            Kept::Event(event) => {
                self.bytes += event.0.len();
                self.changes.append(Key::event(path), event);
            }
            Kept::Cell(value) => {
                self.changes.raise(Cell::new(path), value);
            }
        }
        if self.bytes >= SET_BYTES_MAX || self.changes.changes().len() >= OPERATIONS_MAX {
            self.commit().await?;
        }
        Ok(())
    }

    /// Commits what is left.
    ///
    /// # Errors
    /// The store did not take it.
    pub async fn finish(mut self) -> Result<Counts, BackupError> {
        self.commit().await?;
        Ok(self.counts)
    }

    async fn commit(&mut self) -> Result<(), BackupError> {
        self.bytes = 0;
        match self.store.commit(std::mem::take(&mut self.changes)).await? {
            Commit::Committed => Ok(()),
            Commit::Conflict | Commit::CapReached(_) => {
                let message = "somebody else writes to the store that is being filled";
                Err(StoreError::not_applied(message).into())
            }
        }
    }
}
