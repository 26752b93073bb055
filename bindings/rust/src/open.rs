//! From a URL to a portal.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_core::Portal;
use narthex_core::host::{Clock, Entropy, KeyRing, PasswordHasher};
use narthex_core::policy::Policy;
use narthex_core::portal::Doors;
use narthex_core::store::{MemoryStore, Store};

use crate::keys::{KeyFile, KeyFileError, make_folder};
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
            policy: Policy::default(),
            #[cfg(feature = "argon2")]
            hashing: narthex_argon2::HashSettings::default(),
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

/// Opens the portal on this machine's clocks and randomness, with Argon2id.
///
/// # Errors
/// Says what is wrong and what to do; see [`OpenError`].
#[cfg(feature = "argon2")]
pub async fn open(options: OpenOptions) -> Result<Portal, OpenError> {
    let hasher = narthex_argon2::Argon2Hasher::new(options.hashing)?;
    let host = Host {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        hasher: Arc::new(hasher),
    };
    open_with(options, host).await
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
    let (store, keys) = match &options.url {
        StoreUrl::Memory => {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            (store, memory_keys(options.keys.as_deref(), &*host.entropy)?)
        }
        StoreUrl::Redb(path) => on_disk(path, options.keys.as_deref(), &*host.entropy)?,
    };
    let doors = Doors {
        store,
        clock: host.clock,
        entropy: host.entropy,
        hasher: host.hasher,
        keys,
    };
    Ok(Portal::open(doors, options.policy).await?)
}

fn memory_keys(path: Option<&Path>, entropy: &dyn Entropy) -> Result<KeyRing, OpenError> {
    match path {
        Some(path) => Ok(KeyFile::load_or_create(path, entropy)?.ring),
        None => KeyRing::generate(entropy).map_err(|e| narthex_core::Error::from(e).into()),
    }
}

/// The keys first: a store is never made before the keys that its records are sealed with are
/// safe on the disk.
fn on_disk(
    store: &Path,
    keys: Option<&Path>,
    entropy: &dyn Entropy,
) -> Result<(Arc<dyn Store>, KeyRing), OpenError> {
    let failed = |error: io::Error| OpenError::Store {
        store: store.to_owned(),
        message: error.to_string(),
    };
    let keys = match keys {
        Some(path) => path.to_owned(),
        None => OpenOptions::default_keys(store).map_err(failed)?,
    };
    if store.exists() && !keys.exists() {
        let store = store.to_owned();
        return Err(OpenError::KeysMissing { store, keys });
    }
    if let Some(folder) = store.parent().filter(|f| !f.as_os_str().is_empty()) {
        make_folder(folder).map_err(failed)?;
    }
    let ring = KeyFile::load_or_create(&keys, entropy)?.ring;
    Ok((redb_store(store)?, ring))
}

#[cfg(feature = "redb")]
fn redb_store(path: &Path) -> Result<Arc<dyn Store>, OpenError> {
    let place = || path.to_owned();
    let store = narthex_redb::RedbStore::open(path).map_err(|error| match error {
        narthex_redb::OpenError::InUse { .. } => OpenError::Locked { store: place() },
        error => OpenError::Store {
            store: place(),
            message: error.to_string(),
        },
    })?;
    Ok(Arc::new(store))
}

#[cfg(not(feature = "redb"))]
fn redb_store(_path: &Path) -> Result<Arc<dyn Store>, OpenError> {
    Err(OpenError::NotBuiltIn("redb"))
}
