//! What an operator does with a store: back it up, restore it, move it, accept the machine's clock.
//!
//! A store that is restored or moved begins another *incarnation*: its key file gets a new key for token
//! digests, so that sessions, tickets and codes of the older one are void. A session that was ended after
//! the backup was made does not come back with it (P1).

mod keys;

use std::fs::{self, File, OpenOptions as FileOptions};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use narthex_core::Timestamp;
use narthex_core::host::{Clock, Entropy, KeyError};
use narthex_core::portal::KeyChangeRefused;
use narthex_core::store::backup::{self, BackupError, Counts, Header};
use narthex_core::store::load::Load;
use narthex_core::store::records::time_floor_cell;
use narthex_core::store::snapshot::Snapshot;
use narthex_core::store::{ChangeSet, StoreError};

use crate::keys::{KeyFile, KeyFileError, folder_of, make_folder, sync_folder};
use crate::open::{House, OpenError, OpenOptions, store_on_disk};
use crate::store_url::StoreUrl;

pub use keys::{export_keys, prune_keys, rotate_keys};

/// Hears how many items are done, of how many where that is known.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, Option<u64>) + Send);

/// Why a store was not backed up, restored or moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepingError {
    /// The backup was not made or not taken.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The store was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The key file was not taken.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is something already.
    #[error("{0} is there already, and was left as it is: move it away, or say another name")]
    There(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys are being changed already, or have changed too often.
    #[error(transparent)]
    KeyChange(#[from] KeyChangeRefused),
    /// The portal was opened with other keys than those that are in the file now.
    #[error(
        "the key file {0} has changed since the portal was opened: put back the one it was opened \
         with, or restart it with this one"
    )]
    OtherKeys(PathBuf),
    /// The portal did not answer.
    #[error(transparent)]
    Portal(#[from] narthex_core::Error),
    /// The keys are nowhere but in memory.
    #[error("these keys are forgotten with their process: there is no key file")]
    KeysInMemory,
    /// `memory:` is nowhere.
    #[error("a store in memory is forgotten with its process: say redb:///path or sled:///path")]
    Memory,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeepingError {
    let path = path.to_owned();
    move |source| KeepingError::File { path, source }
}

/// Where a store is to be made.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which store.
    pub url: StoreUrl,
    /// Its key file; absent: [`OpenOptions::default_keys`].
    pub keys: Option<PathBuf>,
}

impl Target {
    /// The paths of the store and of its keys. Nothing is under the store's path yet.
    fn paths(&self) -> Result<(PathBuf, PathBuf), KeepingError> {
        let path = self.url.path().ok_or(KeepingError::Memory)?.to_owned();
        if path.exists() {
            return Err(KeepingError::There(path));
        }
        let mut options = OpenOptions::new(self.url.clone());
        options.keys.clone_from(&self.keys);
        let keys = options.keys_path()?.ok_or(KeepingError::Memory)?;
        Ok((path, keys))
    }
}

/// What was put into a new store.
#[derive(Clone, Debug)]
pub struct Kept {
    /// How much.
    pub counts: Counts,
    /// The key file that the new store is opened with from now on.
    pub keys: PathBuf,
}

/// Writes a consistent backup of `house` to a new file at `path`, readable by its owner alone: under
/// its name only once it is whole and on the disk. Blocks the thread.
///
/// # Errors
/// There is such a file, or the store or the disk failed.
pub fn back_up(house: &House, path: &Path, progress: Progress<'_>) -> Result<Counts, KeepingError> {
    if path.exists() {
        return Err(KeepingError::There(path.to_owned()));
    }
    let unfinished = unfinished(path);
    let written = write_backup(house, &unfinished, progress);
    let named = written.and_then(|counts| {
        // A link, not a rename: it fails where a rename would replace.
        let linked = fs::hard_link(&unfinished, path);
        linked.map_err(at(path))?;
        sync_folder(folder_of(path)).map_err(at(path))?;
        Ok(counts)
    });
    let _ = fs::remove_file(&unfinished);
    named
}

fn write_backup(
    house: &House,
    path: &Path,
    progress: Progress<'_>,
) -> Result<Counts, KeepingError> {
    let _ = fs::remove_file(path);
    let mut options = FileOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(at(path))?;
    let mut out = BufWriter::new(file);
    let mut snapshot = house.snapshots.snapshot()?;
    let items = snapshot.items();
    let mut told = |done| progress(done, items);
    let written = house.portal.back_up(&mut *snapshot, &mut out, &mut told);
    let counts = written.map_err(|error| match error {
        BackupError::Io(source) => at(path)(source),
        other => other.into(),
    })?;
    let file = out.into_inner().map_err(|e| at(path)(e.into_error()))?;
    file.sync_all().map_err(at(path))?;
    Ok(counts)
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_added_extension("unfinished")
}

/// Makes the store of `target` from the backup at `path`. The key file that was in use when the backup
/// was made must be there, and begins another incarnation. Under its name only once it is whole.
///
/// # Errors
/// The backup is damaged or was made with other keys, there is a store already, or the disk failed.
pub async fn restore(
    path: &Path,
    target: &Target,
    entropy: &dyn Entropy,
    progress: Progress<'_>,
) -> Result<(Header, Kept), KeepingError> {
    let (store, keys) = target.paths()?;
    let ring = KeyFile::load(&keys)?.ring;
    let open = || File::open(path).map(BufReader::new).map_err(at(path));
    // All of it is known to be good before any of it is taken.
    let (header, counts) = backup::verify(open()?, &ring)?;
    let unfinished = begin(&store)?;
    let filled = async {
        let new = store_on_disk(&target.url, &unfinished)?;
        let mut load = Load::into(&*new).await?;
        let mut reader = backup::Reader::new(open()?)?;
        while let Some(item) = reader.next_item()? {
            load.put(item).await?;
            told(reader.counts(), Some(counts.all()), progress);
        }
        Ok::<_, KeepingError>(load.finish().await?)
    };
    let counts = filled.await?;
    KeyFile::begin_incarnation(&keys, &keys, entropy)?;
    finish(&unfinished, &store)?;
    Ok((header, Kept { counts, keys }))
}

/// Makes the store of `target` as a copy of `house` at this moment, in another incarnation. The keys go
/// with it: to a key file of its own, or, where that is the same file, in place of the old ones.
///
/// # Errors
/// There is a store already, or another key file; or a disk failed.
pub async fn copy(
    house: &House,
    target: &Target,
    entropy: &dyn Entropy,
    progress: Progress<'_>,
) -> Result<Kept, KeepingError> {
    let (store, keys) = target.paths()?;
    let from = house.keys.as_ref().ok_or(KeepingError::Memory)?;
    let unfinished = begin(&store)?;
    let mut snapshot: Box<dyn Snapshot> = house.snapshots.snapshot()?;
    let items = snapshot.items();
    let filled = async {
        let new = store_on_disk(&target.url, &unfinished)?;
        let mut load = Load::into(&*new).await?;
        let mut counts = Counts::default();
        loop {
            let page = snapshot.next_page()?;
            if page.is_empty() {
                break;
            }
            for item in page {
                counts.count(&item);
                load.put(item).await?;
            }
            progress(counts.all(), items);
        }
        Ok::<_, KeepingError>(load.finish().await?)
    };
    let counts = filled.await?;
    KeyFile::begin_incarnation(from, &keys, entropy)?;
    finish(&unfinished, &store)?;
    Ok(Kept { counts, keys })
}

fn told(done: Counts, of: Option<u64>, progress: Progress<'_>) {
    const EVERY: u64 = 512;
    if done.all().is_multiple_of(EVERY) {
        progress(done.all(), of);
    }
}

/// A place for what is not a store yet, cleared of what an earlier try left there.
fn begin(store: &Path) -> Result<PathBuf, KeepingError> {
    make_folder(folder_of(store)).map_err(at(store))?;
    let unfinished = unfinished(store);
    let cleared = match fs::metadata(&unfinished) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(&unfinished),
        Ok(_) => fs::remove_file(&unfinished),
        Err(_) => Ok(()),
    };
    cleared.map_err(at(&unfinished))?;
    Ok(unfinished)
}

fn finish(unfinished: &Path, store: &Path) -> Result<(), KeepingError> {
    fs::rename(unfinished, store).map_err(at(store))?;
    sync_folder(folder_of(store)).map_err(at(store))
}

/// What became of the store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedClock {
    /// What the machine's wall clock says: the store's time from now on.
    pub now: Timestamp,
    /// What the store's time was before.
    pub before: Timestamp,
    /// Whether that was later, so that everybody is logged out.
    pub all_out: bool,
}

/// Sets the store's time to the machine's wall clock. If that is earlier than the store's time, sessions,
/// tickets and codes are void first: no time may revive what has ended (P9). The store must not be open.
///
/// # Errors
/// The store or its key file could not be opened.
pub async fn accept_clock(
    options: &OpenOptions,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<AcceptedClock, KeepingError> {
    let path = options.url.path().ok_or(KeepingError::Memory)?;
    let keys = options.keys_path()?.ok_or(KeepingError::Memory)?;
    KeyFile::load(&keys)?;
    let store = store_on_disk(&options.url, path)?;
    let before = Timestamp::from_millis(store.read_cell(&time_floor_cell()).await?);
    let now = clock.read().wall;
    let all_out = now < before;
    if all_out {
        KeyFile::begin_incarnation(&keys, &keys, entropy)?;
        let mut changes = ChangeSet::new();
        changes.drop_cell(time_floor_cell());
        store.commit(changes).await?;
    }
    let mut changes = ChangeSet::new();
    changes.raise(time_floor_cell(), now.as_millis());
    store.commit(changes).await?;
    Ok(AcceptedClock {
        now,
        before,
        all_out,
    })
}
