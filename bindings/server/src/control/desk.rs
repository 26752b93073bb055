//! What an operation works on, and who asked for it.

use std::path::PathBuf;
use std::sync::Arc;

use narthex::argon2::{Argon2Hasher, HashSettings};
use narthex::core::Portal;
use narthex::core::model::RequestId;
use narthex::core::portal::{Asker, Doors};
use narthex::core::store::Store;
use narthex::{Host, House, OpenError, OpenOptions, StoreUrl};
use tokio::sync::mpsc;

use super::Progress;
use crate::failure::Failure;
use crate::meters::Meters;
use crate::plugins::Plugins;

/// An open portal, in the process that has its store.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) portal: Portal,
    /// What the portal keeps its records in.
    pub(crate) store: Arc<dyn Store>,
    /// What the portal hashes with.
    pub(crate) hasher: Arc<Argon2Hasher>,
    /// Where the keys are; none for a store that forgets them with itself.
    pub(crate) keys: Option<PathBuf>,
    /// For what is done with the store as a whole.
    pub(crate) house: House,
    pub(crate) url: StoreUrl,
    pub(crate) hashing: HashSettings,
    /// What refuses more than the portal does.
    pub(crate) plugins: Plugins,
}

impl Desk {
    /// Opens the portal.
    pub(crate) async fn open(options: OpenOptions) -> Result<Self, OpenError> {
        Self::open_with(options, Plugins::default(), |doors| doors).await
    }

    /// Opens the portal with meters at its doors.
    pub(crate) async fn metered(
        options: OpenOptions,
        meters: &Arc<Meters>,
    ) -> Result<Self, OpenError> {
        let plugins = meters.plugins.clone();
        Self::open_with(options, plugins, |doors| meters.around(doors)).await
    }

    async fn open_with(
        options: OpenOptions,
        plugins: Plugins,
        around: impl FnOnce(Doors) -> Doors,
    ) -> Result<Self, OpenError> {
        let hasher = Arc::new(Argon2Hasher::new(options.hashing)?);
        let host = Host::system(Arc::clone(&hasher) as _);
        let (doors, snapshots) = narthex::doors_and_snapshots(&options, host)?;
        let doors = around(doors);
        let store = Arc::clone(&doors.store);
        let portal = Portal::open(doors, options.policy.clone()).await?;
        let keys = options.keys_path()?;
        Ok(Self {
            portal: portal.clone(),
            store,
            hasher,
            keys: keys.clone(),
            house: House {
                portal,
                snapshots,
                keys,
            },
            url: options.url,
            hashing: options.hashing,
            plugins,
        })
    }
}

/// One operation under way.
#[derive(Debug)]
pub(crate) struct Call {
    /// Who asks, for the audit.
    pub(crate) asker: Asker,
    progress: mpsc::Sender<Progress>,
}

impl Call {
    /// A new one. Progress arrives at the receiver; what it has not taken yet is replaced, not
    /// queued.
    pub(crate) fn begin(desk: &Desk) -> Result<(Self, mpsc::Receiver<Progress>), Failure> {
        let id = desk.portal.random::<8>()?;
        let (progress, told) = mpsc::channel(1);
        let asker = Asker {
            request_id: RequestId::new(&format!("{:016x}", u64::from_le_bytes(id))),
            ..Asker::default()
        };
        Ok((Self { asker, progress }, told))
    }

    /// Tells how far it is. Never waits: a reader that is slow sees fewer steps.
    pub(crate) fn progress(&self, what: &str, done: usize, of: usize) {
        let what = what.to_owned();
        let _ = self.progress.try_send(Progress { what, done, of });
    }
}
