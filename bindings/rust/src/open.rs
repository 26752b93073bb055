//! From a URL to a portal.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_core::Portal;
use narthex_core::host::{Clock, Entropy, KeyRing, PasswordHasher};
use narthex_core::policy::{InvalidPolicy, Policy};
use narthex_core::portal::Doors;
use narthex_core::store::snapshot::Snapshots;
use narthex_core::store::{MemoryStore, Store};

use crate::keys::{KeyFile, KeyFileError, folder_of, make_folder};
use crate::store_url::StoreUrl;
use crate::{SystemClock, SystemEntropy};

/// What is opened, and under which rules.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Where records are kept.
    pub url: StoreUrl,
    /// Where the keys are kept. Absent: [`Self::default_keys`] for a store on disk, and keys that
    /// are forgotten with it for `memory:`.
    pub keys: Option<PathBuf>,
    /// Whether other processes may have the same `redb:` store open at the same time, all of them
    /// opened so. Every answer is then asked of the store, none of memory. Other stores are open in
    /// one process, whatever is said here.
    pub shared: bool,
    /// The rules an operator set.
    pub policy: Policy,
    /// What a password hash costs.
    #[cfg(feature = "argon2")]
    pub hashing: narthex_argon2::HashSettings,
}

/// The doors that a host may bring itself: its clock, its randomness, its password hasher.
#[derive(Clone, Debug)]
pub struct Host {
    /// Reads the clocks.
    pub clock: Arc<dyn Clock>,
    /// Draws randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
}

/// Why a portal was not opened. Nothing is left half open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The hash settings were not taken.
    #[cfg(feature = "argon2")]
    #[error(transparent)]
    Hashing(#[from] narthex_argon2::HashSettingsError),
    /// The key file was not taken.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// There is a store, but not its keys: a new key file would make everything in it unreadable.
    #[error(
        "the store {store} is there, but its key file {keys} is not: put the key file back, or say \
         where it is"
    )]
    KeysMissing {
        /// The store's file.
        store: PathBuf,
        /// Where the keys were looked for.
        keys: PathBuf,
    },
    /// Another process has the store.
    #[error(
        "the store {store} is held by another process, probably a running `narthex` server: stop \
         it first, then try again"
    )]
    Locked {
        /// The store's file.
        store: PathBuf,
    },
    /// This build has no such store.
    #[error("this build has no {0} stores: build `narthex` with that feature")]
    NotBuiltIn(&'static str),
    /// The rules cannot be kept.
    #[error(transparent)]
    Policy(#[from] InvalidPolicy),
    /// The store was not opened.
    #[error("the store {store} could not be opened: {message}")]
    Store {
        /// The store's file.
        store: PathBuf,
        /// What happened.
        message: String,
    },
    /// The store was opened and did not answer.
    #[error(transparent)]
    Portal(#[from] narthex_core::Error),
}

impl OpenOptions {
    /// The defaults, for the store at `url`.
    pub fn new(url: StoreUrl) -> Self {
        Self {
            url,
            keys: None,
            shared: false,
            policy: Policy::default(),
            #[cfg(feature = "argon2")]
            hashing: narthex_argon2::HashSettings::default(),
        }
    }

    /// Whether the store is opened to be shared: asked for, and a store that can be.
    fn is_shared(&self) -> bool {
        self.shared && matches!(self.url, StoreUrl::Redb(_))
    }

    /// Where the keys are kept: as said, or [`Self::default_keys`]; nowhere for `memory:` that was
    /// given none.
    ///
    /// # Errors
    /// The current directory is not known, and the path is relative.
    pub fn keys_path(&self) -> Result<Option<PathBuf>, OpenError> {
        let (None, Some(store)) = (&self.keys, self.url.path()) else {
            return Ok(self.keys.clone());
        };
        match Self::default_keys(store) {
            Ok(keys) => Ok(Some(keys)),
            Err(error) => Err(OpenError::Store {
                store: store.to_owned(),
                message: error.to_string(),
            }),
        }
    }

    /// Where the keys of a store on disk are by default: in a folder of their own beside the
    /// store's folder (`/var/lib/school/portal.redb` has `/var/lib/school-keys/portal.keys`), so
    /// that who copies the store's folder does not copy the keys with it.
    ///
    /// # Errors
    /// The current directory is not known, and the path is relative.
    pub fn default_keys(store: &Path) -> io::Result<PathBuf> {
        let store = std::path::absolute(store)?;
        let folder = store.parent().unwrap_or(Path::new("/"));
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push("-keys");
        let file = Path::new(store.file_stem().unwrap_or_default()).with_added_extension("keys");
        Ok(folder.with_file_name(name).join(file))
    }
}

/// A portal, and beside it what its operator needs: backups, checks.
#[derive(Clone, Debug)]
pub struct House {
    /// The portal.
    pub portal: Portal,
    /// Its store, as something that snapshots can be taken of.
    pub snapshots: Arc<dyn Snapshots>,
    /// Where its keys are kept; absent when they are forgotten with the store.
    pub keys: Option<PathBuf>,
}

/// Opens the portal on this machine's clocks and randomness, with Argon2id.
///
/// # Errors
/// Says what is wrong and what to do; see [`OpenError`].
#[cfg(feature = "argon2")]
pub async fn open(options: OpenOptions) -> Result<Portal, OpenError> {
    Ok(open_house(options).await?.portal)
}

/// As [`open`], for who also runs the store.
///
/// # Errors
/// As [`open`].
#[cfg(feature = "argon2")]
pub async fn open_house(options: OpenOptions) -> Result<House, OpenError> {
    let hasher = narthex_argon2::Argon2Hasher::new(options.hashing)?;
    let host = Host {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        hasher: Arc::new(hasher),
    };
    open_house_with(options, host).await
}

impl Host {
    /// This machine's clocks and randomness, with a hasher of one's own.
    pub fn system(hasher: Arc<dyn PasswordHasher>) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            hasher,
        }
    }
}

/// Opens the portal on doors that the host brings.
///
/// # Errors
/// As [`open`].
pub async fn open_with(options: OpenOptions, host: Host) -> Result<Portal, OpenError> {
    Ok(open_house_with(options, host).await?.portal)
}

/// As [`open_with`], for who also runs the store.
///
/// # Errors
/// As [`open`].
pub async fn open_house_with(options: OpenOptions, host: Host) -> Result<House, OpenError> {
    options.policy.judge()?;
    let (doors, snapshots) = doors_and_snapshots(&options, host)?;
    let keys = options.keys_path()?;
    let portal = match options.is_shared() {
        true => Portal::open_shared(doors, options.policy).await?,
        false => Portal::open(doors, options.policy).await?,
    };
    Ok(House {
        portal,
        snapshots,
        keys,
    })
}

/// The doors of the portal, for a host that keeps a hold of the store or puts something of its own
/// around one of them before it calls [`Portal::open`].
///
/// # Errors
/// As [`open`].
pub fn doors(options: &OpenOptions, host: Host) -> Result<Doors, OpenError> {
    Ok(doors_and_snapshots(options, host)?.0)
}

/// As [`doors`], and the store as something that snapshots can be taken of.
///
/// # Errors
/// As [`open`].
pub fn doors_and_snapshots(
    options: &OpenOptions,
    host: Host,
) -> Result<(Doors, Arc<dyn Snapshots>), OpenError> {
    let keys = options.keys_path()?;
    let (snapshots, ring) = match options.url.path() {
        None => {
            let ring = memory_keys(keys.as_deref(), &*host.entropy)?;
            let store: Arc<dyn Snapshots> = Arc::new(MemoryStore::new());
            (store, ring)
        }
        Some(path) => {
            let keys = keys.unwrap_or_default();
            if path.exists() && !keys.exists() {
                let store = path.to_owned();
                return Err(OpenError::KeysMissing { store, keys });
            }
            // The keys first: a store is never made before the keys that its records are sealed
            // with are safe on the disk.
            make_folder(folder_of(path)).map_err(|error| not_opened(path, false, &error))?;
            let ring = KeyFile::load_or_create(&keys, &*host.entropy)?.ring;
            let store = match options.is_shared() {
                true => shared_store(path)?,
                false => store_on_disk(&options.url, path)?,
            };
            (store, ring)
        }
    };
    let doors = Doors {
        store: Arc::clone(&snapshots) as Arc<dyn Store>,
        clock: host.clock,
        entropy: host.entropy,
        hasher: host.hasher,
        keys: ring,
    };
    Ok((doors, snapshots))
}

fn memory_keys(path: Option<&Path>, entropy: &dyn Entropy) -> Result<KeyRing, OpenError> {
    match path {
        Some(path) => Ok(KeyFile::load_or_create(path, entropy)?.ring),
        None => KeyRing::generate(entropy).map_err(|e| narthex_core::Error::from(e).into()),
    }
}

/// Opens, or makes, the store of `url` at `path`.
pub(crate) fn store_on_disk(url: &StoreUrl, path: &Path) -> Result<Arc<dyn Snapshots>, OpenError> {
    match url {
        StoreUrl::Sled(_) => sled_store(path),
        StoreUrl::Redb(_) | StoreUrl::Memory => redb_store(path),
    }
}

#[cfg(feature = "redb")]
fn redb_store(path: &Path) -> Result<Arc<dyn Snapshots>, OpenError> {
    use narthex_redb::OpenError::InUse;
    let store = narthex_redb::RedbStore::open(path);
    let store = store.map_err(|error| not_opened(path, matches!(error, InUse { .. }), &error))?;
    Ok(Arc::new(store))
}

/// The embedded store, beside other processes that have it open too.
#[cfg(feature = "redb")]
fn shared_store(path: &Path) -> Result<Arc<dyn Snapshots>, OpenError> {
    use narthex_redb::OpenError::InUse;
    let store = narthex_redb::RedbStore::open_shared(path);
    let store = store.map_err(|error| not_opened(path, matches!(error, InUse { .. }), &error))?;
    Ok(Arc::new(store))
}

#[cfg(not(feature = "redb"))]
fn shared_store(_path: &Path) -> Result<Arc<dyn Snapshots>, OpenError> {
    Err(OpenError::NotBuiltIn("redb"))
}

#[cfg(not(feature = "redb"))]
fn redb_store(_path: &Path) -> Result<Arc<dyn Snapshots>, OpenError> {
    Err(OpenError::NotBuiltIn("redb"))
}

#[cfg(feature = "sled")]
fn sled_store(path: &Path) -> Result<Arc<dyn Snapshots>, OpenError> {
    use narthex_sled::OpenError::InUse;
    let store = narthex_sled::SledStore::open(path);
    let store = store.map_err(|error| not_opened(path, matches!(error, InUse { .. }), &error))?;
    Ok(Arc::new(store))
}

#[cfg(not(feature = "sled"))]
fn sled_store(_path: &Path) -> Result<Arc<dyn Snapshots>, OpenError> {
    Err(OpenError::NotBuiltIn("sled"))
}

fn not_opened(path: &Path, in_use: bool, error: &dyn std::fmt::Display) -> OpenError {
    let store = path.to_owned();
    if in_use {
        return OpenError::Locked { store };
    }
    let message = error.to_string();
    OpenError::Store { store, message }
}
