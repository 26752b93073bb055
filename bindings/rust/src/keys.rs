//! The key file: made once, never overwritten, readable by its owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use narthex_core::host::{Clock, Entropy, KeyError, KeyRing};
use zeroize::Zeroizing;

use crate::SystemClock;

/// The longest key file read, in bytes.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// The keys of a portal, as kept in a file of mode 0600 outside the store and outside its backups.
#[derive(Debug)]
pub struct KeyFile {
    /// The keys.
    pub ring: KeyRing,
    /// Whether the file was made just now.
    pub created: bool,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// Others may read it.
    #[error(
        "others may read the key file {path} (mode {mode:04o}): run `chmod 600 {path}`, and if \
         somebody may have read it already, treat the store's secrets as known"
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It cannot be read or written.
    #[error("the key file {path} could not be {doing}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried: "read", "written".
        doing: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// Its content is not that of a key file.
    #[error("the key file {path} was not taken: {source}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
}

impl KeyFile {
    /// Reads the key file at `path`.
    ///
    /// # Errors
    /// It is not there, others may read it, or it is not a key file.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let file = File::open(path).map_err(|e| failed(path, "read", e))?;
        refuse_exposed(path, &file)?;
        let mut text = Zeroizing::new(String::new());
        file.take(KEY_FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|e| failed(path, "read", e))?;
        let ring = KeyRing::from_text(&text).map_err(|e| content(path, e))?;
        Ok(Self {
            ring,
            created: false,
        })
    }

    /// Reads the key file at `path`, or makes one with fresh keys if there is none: written
    /// beside it, flushed to the disk, and only then given its name. An existing file is never
    /// overwritten; of two that begin at once, one makes it and both read it.
    ///
    /// # Errors
    /// As [`Self::load`], and when it cannot be written.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            other => return other,
        }
        let mut ring = KeyRing::generate(entropy).map_err(|e| content(path, e))?;
        ring.stamp(SystemClock.read().wall);
        match write_new(path, ring.to_text().as_bytes()) {
            Ok(()) => Ok(Self {
                ring,
                created: true,
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(failed(path, "written", error)),
        }
    }
}

impl KeyFile {
    /// Puts `ring` in the place of the key file at `path`, whole and on the disk, or not at all. It
    /// stays its owner's.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn replace(path: &Path, ring: &KeyRing) -> Result<(), KeyFileError> {
        replace(path, ring.to_text().as_bytes()).map_err(|e| failed(path, "written", e))
    }

    /// Begins another incarnation of the store: the ring of the key file at `from`, with a new key
    /// for token digests in place of the old, is put on the disk at `to` (which may be the same).
    /// From then on sessions, tickets and codes made before are void.
    ///
    /// # Errors
    /// As [`Self::load`]; or `to` is there, is not `from`, and was left as it is.
    pub fn begin_incarnation(
        from: &Path,
        to: &Path,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyFileError> {
        let mut ring = Self::load(from)?.ring;
        ring.begin_incarnation(entropy)
            .map_err(|e| content(from, e))?;
        let text = ring.to_text();
        let written = match same_file(from, to) {
            true => replace(to, text.as_bytes()),
            false => write_new(to, text.as_bytes()),
        };
        written.map_err(|e| failed(to, "written", e))?;
        Ok(Self {
            ring,
            created: false,
        })
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn failed(path: &Path, doing: &'static str, source: io::Error) -> KeyFileError {
    let path = path.to_owned();
    KeyFileError::Io {
        path,
        doing,
        source,
    }
}

fn content(path: &Path, source: KeyError) -> KeyFileError {
    let path = path.to_owned();
    KeyFileError::Content { path, source }
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(|e| failed(path, "read", e))?;
    let mode = mode.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.to_owned();
    Err(KeyFileError::Exposed { path, mode })
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path, _file: &File) -> Result<(), KeyFileError> {
    Ok(())
}

/// Makes `path` with `bytes`, whole and on the disk, or not at all. Fails if it exists.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    make_folder(folder)?;
    let unfinished = beside(path);
    let written = write_and_sync(&unfinished, bytes);
    // A link, not a rename: it fails where a rename would replace.
    let linked = written.and_then(|()| fs::hard_link(&unfinished, path));
    let _ = fs::remove_file(&unfinished);
    linked.or_else(|error| match error.kind() {
        // A file system without hard links.
        ErrorKind::PermissionDenied | ErrorKind::Unsupported => write_and_sync(path, bytes),
        _ => Err(error),
    })?;
    sync_folder(folder)
}

/// Puts `bytes` in the place of what `path` is, whole and on the disk, or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = beside(path);
    write_and_sync(&unfinished, bytes)?;
    keep_owner(path, &unfinished)?;
    fs::rename(&unfinished, path)?;
    sync_folder(folder_of(path))
}

/// What root writes in the place of a file stays the file of who owned it: a service reads it then.
#[cfg(unix)]
fn keep_owner(of: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (old, new) = (fs::metadata(of)?, fs::metadata(to)?);
    if (old.uid(), old.gid()) == (new.uid(), new.gid()) {
        return Ok(());
    }
    std::os::unix::fs::chown(to, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_of: &Path, _to: &Path) -> io::Result<()> {
    Ok(())
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name for what is not finished.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let unfinished = folder_of(path).join(name);
    // What a process that died left behind under this name was never anybody's key file.
    let _ = fs::remove_file(&unfinished);
    unfinished
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the folder, for its owner alone, if it is not there.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => sync_folder(above),
        _ => Ok(()),
    }
}

/// A new name is on the disk only when its folder is.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use narthex_core::host::KeyPurpose;

    use super::*;
    use crate::SystemEntropy;

    fn ids(ring: &KeyRing) -> Vec<u32> {
        KeyPurpose::ALL
            .map(|purpose| ring.current(purpose))
            .to_vec()
    }

    #[test]
    fn a_key_file_is_made_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("portal.keys");
        let made = KeyFile::load_or_create(&path, &SystemEntropy).unwrap();
        let text = fs::read(&path).unwrap();
        let read = KeyFile::load_or_create(&path, &SystemEntropy).unwrap();
        assert!(made.created && !read.created);
        assert_eq!(ids(&made.ring), ids(&read.ring));
        assert_eq!(fs::read(&path).unwrap(), text);
        let others = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(others, 1, "nothing is left lying about");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it_and_another_mode_is_refused_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.keys");
        KeyFile::load_or_create(&path, &SystemEntropy).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for exposed in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).unwrap();
            let error = KeyFile::load_or_create(&path, &SystemEntropy).unwrap_err();
            let told = format!("chmod 600 {}", path.display());
            assert!(error.to_string().contains(&told), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_a_key_file_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.keys");
        write_new(&path, b"hello\n").unwrap();
        let error = KeyFile::load_or_create(&path, &SystemEntropy).unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"hello\n");
    }

    #[test]
    fn of_many_that_begin_at_once_one_makes_it_and_all_have_the_same_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.keys");
        write_new(&folder.path().join("other"), b"x").unwrap();
        let first = KeyFile::load_or_create(&path, &SystemEntropy).unwrap();
        // A latecomer that saw no file yet finds one when it gives its own a name.
        let error = write_new(&path, b"mine").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(ids(&KeyFile::load(&path).unwrap().ring), ids(&first.ring));
    }
}
