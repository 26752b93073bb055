//! Where a database lives, and how it is opened there: the first time, and again after a failure.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, ConcurrencyMode, Database, DatabaseError};

use narthex_core::store::OpenError;

/// Opens a database that is not open.
pub(crate) trait Medium: fmt::Debug + Send + Sync {
    /// The name for messages.
    fn place(&self) -> &str;

    /// Opens it. `again`: it was open before, so it must be there.
    fn open(&self, again: bool) -> Result<Database, OpenError>;
}

/// A file on this machine.
#[derive(Debug)]
pub(crate) struct FileMedium {
    path: PathBuf,
    place: String,
    cache_bytes: usize,
    sharing: ConcurrencyMode,
}

impl FileMedium {
    pub(crate) fn new(path: &Path, cache_bytes: usize, sharing: ConcurrencyMode) -> Self {
        Self {
            path: path.to_owned(),
            place: path.display().to_string(),
            cache_bytes,
            sharing,
        }
    }

    fn file(&self, create: bool) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create);
        // The store has names and hashes: nobody else on the machine has business in it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)
    }

    fn open_file(&self, again: bool) -> Result<Database, OpenError> {
        let failed = |source| crate::error::from_io(&self.place, source);
        let file = self.file(!again).map_err(failed)?;
        if again {
            forget_what_was_not_written(&file).map_err(failed)?;
        }
        let is_new = file.metadata().map_err(failed)?.len() == 0;
        if again && is_new {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        let database = self.open_database(file);
        let database = database.map_err(|error| crate::error::from_redb(&self.place, error))?;
        if is_new {
            make_entry_durable(&self.path).map_err(failed)?;
        }
        Ok(database)
    }

    fn open_database(&self, file: File) -> Result<Database, DatabaseError> {
        let mut builder = Builder::new();
        builder.set_cache_size(self.cache_bytes);
        builder.set_concurrency_mode(self.sharing);
        builder.create_with_backend(FileBackend::new(file)?)
    }
}

impl Medium for FileMedium {
    fn place(&self) -> &str {
        &self.place
    }

    fn open(&self, again: bool) -> Result<Database, OpenError> {
        no_panic(&self.place, || self.open_file(again))
    }
}

/// Any storage that redb can use.
pub(crate) struct OtherMedium<F>(pub(crate) F);

impl<F> fmt::Debug for OtherMedium<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtherMedium")
    }
}

impl<F> Medium for OtherMedium<F>
where
    F: Fn() -> Result<Database, DatabaseError> + Send + Sync,
{
    fn place(&self) -> &str {
        "the storage"
    }

    fn open(&self, _again: bool) -> Result<Database, OpenError> {
        let open = || (self.0)().map_err(|error| crate::error::from_redb(self.place(), error));
        no_panic(self.place(), open)
    }
}

/// redb trusts a file that was closed in order, and may panic if it was changed since.
fn no_panic<T>(place: &str, open: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| {
        Err(OpenError::Damaged {
            place: place.to_owned(),
            message: "reading it broke off".to_owned(),
        })
    })
}

/// After a failed flush the kernel may keep pages in memory as if they were on the disk. Whatever
/// can still be written is written now, and the rest is dropped, so that what is read is what is
/// kept.
fn forget_what_was_not_written(file: &File) -> io::Result<()> {
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

/// A new file survives a power cut only once its directory is flushed too.
#[cfg(unix)]
fn make_entry_durable(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match File::open(directory)?.sync_all() {
        // Some file systems cannot flush a directory, and need not.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

#[cfg(not(unix))]
fn make_entry_durable(_path: &Path) -> io::Result<()> {
    Ok(())
}
