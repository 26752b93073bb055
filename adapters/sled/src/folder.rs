//! The folder of a store: made for its owner alone, and left alone when something else is in it.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sled::Db;

use crate::layout::{FORMAT, FORMAT_KNOWN, number};
use narthex_core::store::OpenError;

/// How long a handle that was let go may take to give its lock back.
const LOCK_WAIT: Duration = Duration::from_millis(20);
const LOCK_WAITS_MAX: u32 = 50;

/// Where a store lives, and how it is opened there.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    place: String,
    cache_bytes: u64,
}

impl Folder {
    pub(crate) fn new(path: &Path, cache_bytes: u64) -> Self {
        Self {
            path: path.to_owned(),
            place: path.display().to_string(),
            cache_bytes,
        }
    }

    /// The name for messages.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Opens it. `again`: it was open before, so it must be there.
    pub(crate) fn open(&self, again: bool) -> Result<Db, OpenError> {
        let failed = |source| crate::error::from_io(&self.place, source);
        if again {
            fs::metadata(self.path.join("db")).map_err(failed)?;
        } else {
            make(&self.path).map_err(failed)?;
            self.refuse_others().map_err(failed)??;
        }
        let database = self.open_unlocked()?;
        self.prepare(&database, again)?;
        Ok(database)
    }

    /// sled writes into any folder it is given: only an empty one, or one of its own, is.
    fn refuse_others(&self) -> io::Result<Result<(), OpenError>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.push(entry?.file_name());
        }
        if names.is_empty() || names.iter().any(|name| name == "conf") {
            return Ok(Ok(()));
        }
        let place = self.place.clone();
        Ok(Err(OpenError::NotAStore { place }))
    }

    /// A handle that was closed gives its lock back when the last of its threads lets it go.
    fn open_unlocked(&self) -> Result<Db, OpenError> {
        let mut waits = 0;
        loop {
            match self.open_engine() {
                Err(OpenError::InUse { .. }) if waits < LOCK_WAITS_MAX => {
                    waits += 1;
                    std::thread::sleep(LOCK_WAIT);
                }
                other => return other,
            }
        }
    }

    /// sled panics over some damage that it does not expect.
    fn open_engine(&self) -> Result<Db, OpenError> {
        let config = sled::Config::new()
            .path(&self.path)
            .cache_capacity(self.cache_bytes)
            // The writer flushes, once per group.
            .flush_every_ms(None);
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        let opened = opened.map_err(|_| OpenError::Damaged {
            place: self.place.clone(),
            message: "reading it broke off".to_owned(),
        })?;
        opened.map_err(|error| crate::error::from_sled(&self.place, error))
    }

    /// Marks a new store; refuses one that somebody else wrote, or a later narthex.
    fn prepare(&self, database: &Db, again: bool) -> Result<(), OpenError> {
        let failed = |error| crate::error::from_sled(&self.place, error);
        let place = || self.place.clone();
        let format = database.get(FORMAT).map_err(failed)?;
        match format.map(|found| number(&found)).transpose() {
            Ok(Some(FORMAT_KNOWN)) => Ok(()),
            Ok(Some(found)) => Err(OpenError::NewerFormat {
                place: place(),
                found,
                known: FORMAT_KNOWN,
            }),
            Ok(None) if again => Err(OpenError::Damaged {
                place: place(),
                message: "it is empty".to_owned(),
            }),
            Ok(None) if database.is_empty() && database.tree_names().len() == 1 => {
                let marked = database.insert(FORMAT, &FORMAT_KNOWN.to_le_bytes());
                marked.and_then(|_| database.flush()).map_err(failed)?;
                Ok(())
            }
            Ok(None) | Err(_) => Err(OpenError::NotAStore { place: place() }),
        }
    }
}

/// Makes the folder, but not the one it is in: a wrong path is told, not made.
fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    // The store has names and hashes: nobody else on the machine has business in it.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(_) if path.is_dir() => Ok(()),
        other => other,
    }
}
