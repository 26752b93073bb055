//! What is asked of a store in one commit.

use std::collections::BTreeSet;

use super::{Cell, Key, RECORD_BYTES_MAX, Record, Space, Version};

/// The most operations in one change set.
pub const OPERATIONS_MAX: usize = 1024;

/// What a record must be for a `put` to go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Not there.
    Absent,
    /// There, at this version.
    At(Version),
}

/// One operation of a change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write a record.
    Put {
        /// Which.
        key: Key,
        /// Its new value.
        record: Record,
        /// What it must be now.
        expected: Expected,
    },
    /// Remove a record.
    Delete {
        /// Which.
        key: Key,
        /// The version it must have now.
        version: Version,
    },
    /// Leave a record, but only commit if it still has this version.
    Expect {
        /// Which.
        key: Key,
        /// The version it must have now.
        version: Version,
    },
    /// Add to a cell; the result stops at 0 and at `u64::MAX`.
    Add {
        /// Which.
        cell: Cell,
        /// How much; negative to give back.
        n: i64,
        /// With a positive `n`: the commit is refused if the result would be above this.
        cap: Option<u64>,
    },
    /// Set a cell to the greater of itself and `value`.
    Raise {
        /// Which.
        cell: Cell,
        /// The least it shall be.
        value: u64,
    },
    /// Forget a cell: it reads 0 again.
    DropCell {
        /// Which.
        cell: Cell,
    },
    /// Write an event that is not there yet (a key that is there is a conflict).
    Append {
        /// Its key: time, then random.
        key: Key,
        /// What happened.
        event: Record,
    },
    /// Forget an event after its retention; one that is not there is no conflict.
    DropEvent {
        /// Which.
        key: Key,
    },
}

/// What became of a commit that the store could decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// All of it is durable.
    Committed,
    /// A record was not at its expected version; nothing was changed.
    Conflict,
    /// This cell would have gone above its cap; nothing was changed.
    CapReached(Cell),
}

/// A change set that no store may be asked to commit: an error in the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChangeSet {
    /// The same key or cell twice.
    #[error("{0} occurs twice in one change set")]
    Repeated(String),
    /// A key in the wrong space, empty, over-long or not printable ASCII.
    #[error("{0:?} is not a valid key here")]
    Key(String),
    /// A value longer than [`RECORD_BYTES_MAX`].
    #[error("the record {0} is too long")]
    TooLong(String),
    /// More than [`OPERATIONS_MAX`] operations.
    #[error("too many operations in one change set")]
    TooMany,
}

/// Everything one decision changes: committed whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    changes: Vec<Change>,
}

impl ChangeSet {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Write `record` under `key` if it is as `expected`.
    pub fn put(&mut self, key: Key, record: Record, expected: Expected) -> &mut Self {
        self.push(Change::Put {
            key,
            record,
            expected,
        })
    }

    /// Remove `key` if it is at `version`.
    pub fn delete(&mut self, key: Key, version: Version) -> &mut Self {
        self.push(Change::Delete { key, version })
    }

    /// Only commit if `key` is at `version`.
    pub fn expect(&mut self, key: Key, version: Version) -> &mut Self {
        self.push(Change::Expect { key, version })
    }

    /// Add `n` to `cell`, never above `cap`.
    pub fn add(&mut self, cell: Cell, n: i64, cap: Option<u64>) -> &mut Self {
        self.push(Change::Add { cell, n, cap })
    }

    /// `cell` becomes at least `value`.
    pub fn raise(&mut self, cell: Cell, value: u64) -> &mut Self {
        self.push(Change::Raise { cell, value })
    }

    /// `cell` reads 0 again.
    pub fn drop_cell(&mut self, cell: Cell) -> &mut Self {
        self.push(Change::DropCell { cell })
    }

    /// Keep `event` under `key`.
    pub fn append(&mut self, key: Key, event: Record) -> &mut Self {
        self.push(Change::Append { key, event })
    }

    /// Forget the event `key`.
    pub fn drop_event(&mut self, key: Key) -> &mut Self {
        self.push(Change::DropEvent { key })
    }

    /// Add one operation.
    pub fn push(&mut self, change: Change) -> &mut Self {
        self.changes.push(change);
        self
    }

    /// Add all operations of another set.
    pub fn extend(&mut self, other: Self) -> &mut Self {
        self.changes.extend(other.changes);
        self
    }

    /// The operations in the order they were added.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Every store calls this first; a set that breaks a limit is never applied.
    ///
    /// # Errors
    /// What is wrong with the set.
    pub fn validate(&self) -> Result<(), InvalidChangeSet> {
        if self.changes.len() > OPERATIONS_MAX {
            return Err(InvalidChangeSet::TooMany);
        }
        let mut seen = BTreeSet::new();
        for change in &self.changes {
            let (space, path, valid, length) = match change {
                Change::Put { key, record, .. } => (
                    Space::Records,
                    key.path(),
                    on(key, Space::Records),
                    record.0.len(),
                ),
                Change::Delete { key, .. } | Change::Expect { key, .. } => {
                    (Space::Records, key.path(), on(key, Space::Records), 0)
                }
                Change::Append { key, event } => (
                    Space::Events,
                    key.path(),
                    on(key, Space::Events),
                    event.0.len(),
                ),
                Change::DropEvent { key } => (Space::Events, key.path(), on(key, Space::Events), 0),
                Change::Add { cell, .. }
                | Change::Raise { cell, .. }
                | Change::DropCell { cell } => (Space::Cells, cell.path(), cell.is_valid(), 0),
            };
            if !valid {
                return Err(InvalidChangeSet::Key(path.to_owned()));
            }
            if length > RECORD_BYTES_MAX {
                return Err(InvalidChangeSet::TooLong(path.to_owned()));
            }
            if !seen.insert((space, path)) {
                return Err(InvalidChangeSet::Repeated(path.to_owned()));
            }
        }
        Ok(())
    }
}

fn on(key: &Key, space: Space) -> bool {
    key.space() == space && key.is_valid()
}
