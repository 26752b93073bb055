//! The open database with the notes for its readers; swapped for a fresh handle after a failure: sled
//! refuses a handle that saw an I/O error.

use std::collections::btree_map::Entry;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use narthex_core::store::StoreError;
use sled::{Db, Tree};

use crate::folder::Folder;
use crate::shown::Notes;
use crate::snapshot::{Pending, Shared, locked};
use narthex_core::store::OpenError;

/// The database, open or waiting to be opened again.
#[derive(Debug)]
pub(crate) struct Engine {
    folder: Folder,
    slot: RwLock<Slot>,
    /// A forked child has the parent's memory, but neither its threads nor its lock.
    process: u32,
}

struct Slot {
    database: Option<Db>,
    /// What keys were before the group that is being written.
    notes: Notes,
    /// The snapshots that are being read.
    snapshots: Vec<Weak<Mutex<Pending>>>,
    /// Counts the handles, so that a late failure does not discard a newer one.
    generation: u64,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.database.is_some();
        let mut slot = f.debug_struct("Slot");
        slot.field("open", &open)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// A handle for the writer.
pub(crate) struct Handle {
    pub(crate) database: Db,
    generation: u64,
}

impl Engine {
    pub(crate) fn open(folder: Folder) -> Result<Self, OpenError> {
        let database = folder.open(false)?;
        Ok(Self {
            folder,
            slot: RwLock::new(Slot {
                database: Some(database),
                notes: Notes::new(),
                snapshots: Vec::new(),
                generation: 0,
            }),
            process: std::process::id(),
        })
    }

    /// Reads what is durable; once more on a fresh handle if the first try failed.
    pub(crate) fn read<T>(
        &self,
        work: impl Fn(&Tree, &Notes) -> Result<T, sled::Error>,
    ) -> Result<T, StoreError> {
        let mut outcome = self.try_read(&work)?;
        if outcome.is_err() {
            outcome = self.try_read(&work)?;
        }
        outcome.map_err(|error| {
            let place = self.folder.place();
            StoreError::not_applied(format!("{place} could not be read: {error}"))
        })
    }

    fn try_read<T>(
        &self,
        work: impl Fn(&Tree, &Notes) -> Result<T, sled::Error>,
    ) -> Result<Result<T, sled::Error>, StoreError> {
        let slot = self.open_slot()?;
        let Some(database) = &slot.database else {
            return Err(StoreError::not_applied(
                "the store failed and is being opened again: try again",
            ));
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(database, &slot.notes)));
        let outcome = outcome.unwrap_or_else(|_| {
            let told = "reading it broke off".to_owned();
            Err(sled::Error::ReportableBug(told))
        });
        let generation = slot.generation;
        drop(slot);
        if outcome.is_err() {
            self.discard(generation);
        }
        Ok(outcome)
    }

    /// The handle to write with, opened again first if it has to be.
    pub(crate) fn handle(&self) -> Result<Handle, StoreError> {
        let slot = self.open_slot()?;
        let database = slot.database.clone().ok_or_else(|| {
            StoreError::not_applied("the store failed and is being opened again: try again")
        })?;
        Ok(Handle {
            database,
            generation: slot.generation,
        })
    }

    /// From now on readers are shown what `keys` are now, whatever is written.
    pub(crate) fn note(
        &self,
        handle: &Handle,
        keys: impl Iterator<Item = Vec<u8>>,
    ) -> Result<(), sled::Error> {
        let mut slot = self.exclusive();
        let Slot {
            notes, snapshots, ..
        } = &mut *slot;
        let snapshots: Vec<_> = snapshots.iter().filter_map(Weak::upgrade).collect();
        for key in keys {
            if let Entry::Vacant(note) = notes.entry(key) {
                let was = handle.database.get(note.key())?;
                for snapshot in &snapshots {
                    locked(snapshot).note(note.key(), was.as_ref());
                }
                note.insert(was);
            }
        }
        Ok(())
    }

    /// A snapshot of what readers are shown now.
    pub(crate) fn begin_snapshot(&self) -> Result<Shared, StoreError> {
        drop(self.open_slot()?);
        let mut slot = self.exclusive();
        let shared = Pending::new(slot.notes.clone());
        slot.snapshots
            .retain(|snapshot| snapshot.strong_count() > 0);
        slot.snapshots.push(Arc::downgrade(&shared));
        Ok(shared)
    }

    /// Everything written is durable: readers are shown it.
    pub(crate) fn show(&self) {
        self.exclusive().notes.clear();
    }

    /// Closes the handle, so that the next call opens another and sees what is there.
    pub(crate) fn give_up(&self, handle: Handle) {
        let Handle {
            database,
            generation,
        } = handle;
        let _panicked = catch_unwind(AssertUnwindSafe(|| drop(database)));
        self.discard(generation);
    }

    /// Whether this is the process that opened the store, and not a fork of it.
    pub(crate) fn is_own_process(&self) -> bool {
        self.process == std::process::id()
    }

    fn open_slot(&self) -> Result<RwLockReadGuard<'_, Slot>, StoreError> {
        if !self.is_own_process() {
            return Err(forked());
        }
        let slot = self.shared();
        if slot.database.is_some() {
            return Ok(slot);
        }
        drop(slot);
        let mut slot = self.exclusive();
        if slot.database.is_none() {
            let opened = self.folder.open(true);
            slot.database = Some(opened.map_err(|error| {
                let message = format!("the store failed and does not open again: {error}");
                StoreError::not_applied(message)
            })?);
            slot.generation += 1;
        }
        drop(slot);
        Ok(self.shared())
    }

    fn discard(&self, generation: u64) {
        let mut slot = self.exclusive();
        if slot.generation == generation {
            let database = slot.database.take();
            // What is there now is seen when it is opened again.
            slot.notes.clear();
            for snapshot in slot.snapshots.drain(..).filter_map(|it| it.upgrade()) {
                locked(&snapshot).fail("the store failed while it was read: begin again");
            }
            // Closing what has failed may fail in turn.
            let _panicked = catch_unwind(AssertUnwindSafe(|| drop(database)));
        }
    }

    fn shared(&self) -> RwLockReadGuard<'_, Slot> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, Slot> {
        self.slot.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fork would wait for a writer that it does not have.
pub(crate) fn forked() -> StoreError {
    StoreError::not_applied(
        "this process was forked after the store was opened: open the store after the fork",
    )
}

#[cfg(test)]
mod tests {
    use narthex_core::store::{Cell, ChangeSet, Expected, Key, Record, Space};

    use super::*;
    use crate::{layout, shown};

    fn shown_paths(engine: &Engine) -> Vec<String> {
        let prefix = layout::key(Space::Records, "");
        let found = engine.read(|tree, notes| {
            shown::range(tree, notes, &prefix, None)
                .map(|found| Ok(layout::path(&found?.0)?.to_owned()))
                .collect::<Result<Vec<_>, sled::Error>>()
        });
        found.unwrap()
    }

    fn cell(engine: &Engine, path: &str) -> u64 {
        let key = layout::key(Space::Cells, path);
        let found = engine.read(|tree, notes| shown::get(tree, notes, &key));
        found
            .unwrap()
            .map_or(0, |value| layout::number(&value).unwrap())
    }

    fn set(put: &str, delete: Option<(&str, u64)>) -> ChangeSet {
        let mut changes = ChangeSet::new();
        changes.put(Key::record(put), Record(vec![1]), Expected::Absent);
        changes.add(Cell::new("count"), 1, None);
        if let Some((path, version)) = delete {
            let version = narthex_core::store::Version(version);
            changes.delete(Key::record(path), version);
        }
        changes
    }

    #[test]
    fn what_is_applied_and_not_flushed_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::new(&folder.path().join("store"), 1 << 20);
        let engine = Engine::open(folder).unwrap();
        let handle = engine.handle().unwrap();
        let first = set("b", None);
        layout::decide(&handle.database, &first).unwrap();
        assert_eq!(shown_paths(&engine), ["b"]);

        let second = set("a", Some(("b", 1)));
        engine.note(&handle, layout::written(&second)).unwrap();
        layout::decide(&handle.database, &second).unwrap();
        assert_eq!(shown_paths(&engine), ["b"], "as before the group");
        assert_eq!(cell(&engine, "count"), 1);
        handle.database.flush().unwrap();
        engine.show();
        assert_eq!(shown_paths(&engine), ["a"]);
        assert_eq!(cell(&engine, "count"), 2);
    }

    #[test]
    fn a_failed_handle_is_replaced_by_a_fresh_one_on_the_same_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::new(&folder.path().join("store"), 1 << 20);
        let engine = Engine::open(folder).unwrap();
        for generation in 0..3 {
            let handle = engine.handle().unwrap();
            assert_eq!(engine.shared().generation, generation);
            let changes = set(&format!("{generation}"), None);
            layout::decide(&handle.database, &changes).unwrap();
            handle.database.flush().unwrap();
            engine.give_up(handle);
            assert!(engine.shared().database.is_none());
            assert_eq!(shown_paths(&engine).len() as u64, generation + 1);
        }
    }

    #[test]
    fn a_fork_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::new(&folder.path().join("store"), 1 << 20);
        let mut engine = Engine::open(folder).unwrap();
        engine.process += 1;
        let error = engine.handle().err().unwrap();
        assert!(error.message.contains("after the fork"), "{error}");
    }
}
