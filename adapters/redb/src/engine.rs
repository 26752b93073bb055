//! The open database, swapped for a fresh handle after a failure: redb refuses a handle that saw an
//! I/O error.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use narthex_core::store::StoreError;
use redb::Database;

use crate::medium::Medium;
use crate::tables;
use narthex_core::store::OpenError;

/// The database, open or waiting to be opened again.
#[derive(Debug)]
pub(crate) struct Engine {
    medium: Box<dyn Medium>,
    slot: RwLock<Slot>,
    /// A forked child has the parent's memory, but neither its writer nor its view of the file.
    process: u32,
}

struct Slot {
    database: Option<Database>,
    /// Counts the handles, so that a late failure does not discard a newer one.
    generation: u64,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.database.is_some();
        let mut slot = f.debug_struct("Slot");
        slot.field("open", &open)
            .field("generation", &self.generation)
            .finish()
    }
}

/// Why some work on the database was not done.
pub(crate) enum Trouble<E> {
    /// There is no database to work on; the work was not begun.
    NotOpen(StoreError),
    /// The work failed, and the handle with it.
    Failed(E),
}

impl Engine {
    pub(crate) fn open(medium: Box<dyn Medium>) -> Result<Self, OpenError> {
        let database = open_checked(&*medium, false)?;
        Ok(Self {
            medium,
            slot: RwLock::new(Slot {
                database: Some(database),
                generation: 0,
            }),
            process: std::process::id(),
        })
    }

    /// Reads; once more on a fresh handle if the first try failed.
    pub(crate) fn read<T>(
        &self,
        work: impl Fn(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let outcome = match self.work(&work) {
            Err(Trouble::Failed(_)) => self.work(&work),
            first => first,
        };
        outcome.map_err(|trouble| match trouble {
            Trouble::NotOpen(error) => error,
            Trouble::Failed(error) => {
                let place = self.medium.place();
                StoreError::not_applied(format!("{place} could not be read: {error}"))
            }
        })
    }

    /// Does `work` on the open database, which is opened again first if it has to be. A handle on
    /// which `work` fails is discarded.
    pub(crate) fn work<T, E>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, E>,
    ) -> Result<T, Trouble<E>> {
        let slot = self.open_slot().map_err(Trouble::NotOpen)?;
        let Some(database) = &slot.database else {
            let message = "the store failed and is being opened again: try again";
            return Err(Trouble::NotOpen(StoreError::not_applied(message)));
        };
        let (generation, result) = (slot.generation, work(database));
        drop(slot);
        result.map_err(|error| {
            self.discard(generation);
            Trouble::Failed(error)
        })
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
            let opened = open_checked(&*self.medium, true);
            slot.database = Some(opened.map_err(|error| {
                let message = format!("the store failed and does not open again: {error}");
                StoreError::not_applied(message)
            })?);
            slot.generation += 1;
        }
        drop(slot);
        Ok(self.shared())
    }

    /// Closes the handle, so that the next call opens another.
    fn discard(&self, generation: u64) {
        let mut slot = self.exclusive();
        if slot.generation == generation {
            let database = slot.database.take();
            // Closing what has failed may fail in turn; its locks on the file go either way.
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

/// A fork would read what the parent's pages said once, and wait for a writer that it does not
/// have.
pub(crate) fn forked() -> StoreError {
    StoreError::not_applied(
        "this process was forked after the store was opened: open the store after the fork",
    )
}

fn open_checked(medium: &dyn Medium, again: bool) -> Result<Database, OpenError> {
    let database = medium.open(again)?;
    tables::prepare(&database, medium.place())?;
    Ok(database)
}

#[cfg(test)]
mod tests {
    use redb::ReadableDatabase;

    use super::*;

    const ALONE: redb::ConcurrencyMode = redb::ConcurrencyMode::ExclusiveWriter;
    use crate::medium::FileMedium;
    use crate::store::CACHE_BYTES;

    fn read(engine: &Engine) -> Result<bool, StoreError> {
        engine.read(|database| Ok(database.begin_read()?.list_tables()?.next().is_some()))
    }

    fn fail(engine: &Engine) {
        let failed: Result<(), _> = engine.work(|_| Err("told to fail"));
        assert!(matches!(failed, Err(Trouble::Failed("told to fail"))));
    }

    #[test]
    fn a_failed_handle_is_replaced_by_a_fresh_one_on_the_same_file() {
        let directory = tempfile::tempdir().unwrap();
        let medium = FileMedium::new(&directory.path().join("a.redb"), CACHE_BYTES, ALONE);
        let engine = Engine::open(Box::new(medium)).unwrap();
        for generation in 0..3 {
            assert_eq!(engine.shared().generation, generation);
            assert!(read(&engine).unwrap());
            fail(&engine);
            assert!(engine.shared().database.is_none());
            assert!(read(&engine).unwrap());
        }
    }

    #[test]
    fn a_file_that_is_gone_is_missed_and_not_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.redb");
        let medium = FileMedium::new(&path, CACHE_BYTES, ALONE);
        let engine = Engine::open(Box::new(medium)).unwrap();
        fail(&engine);
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let error = read(&engine).unwrap_err();
        assert!(error.message.contains("is not there"), "{error}");
        assert!(!path.exists());
        std::fs::write(&path, b"").unwrap();
        let error = read(&engine).unwrap_err();
        assert!(error.message.contains("is damaged"), "{error}");
        std::fs::write(&path, kept).unwrap();
        assert!(read(&engine).unwrap());
    }

    #[test]
    fn a_late_failure_of_an_old_handle_leaves_the_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let medium = FileMedium::new(&directory.path().join("a.redb"), CACHE_BYTES, ALONE);
        let engine = Engine::open(Box::new(medium)).unwrap();
        fail(&engine);
        assert!(read(&engine).unwrap());
        engine.discard(0);
        assert!(engine.shared().database.is_some());
    }

    #[test]
    fn a_fork_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let medium = FileMedium::new(&directory.path().join("a.redb"), CACHE_BYTES, ALONE);
        let mut engine = Engine::open(Box::new(medium)).unwrap();
        engine.process += 1;
        let error = read(&engine).unwrap_err();
        assert!(
            error.message.contains("open the store after the fork"),
            "{error}"
        );
    }
}
