//! From what `Portal.open` was told to an open portal.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use futures_executor::ThreadPool;
use narthex::core::Portal;
use narthex::{Host, OpenError, OpenOptions, StoreUrl};

use super::Live;
use crate::errors::Failure;

/// Threads that poll awaited operations. Hashes and commits have threads of their own; these only
/// carry results along, and read.
const POLLING_THREADS: usize = 2;

/// How often [`Portal::maintain`] is called.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// How a portal is opened, as often as needed.
pub(crate) enum Recipe {
    /// On this machine's clock, with Argon2id.
    Real(OpenOptions),
    /// On doors that tests bring.
    Testing(OpenOptions, Host),
    /// It is open already.
    Given(Portal),
}

impl Recipe {
    pub(super) fn open(&self, forks: u64) -> Result<Live, Failure> {
        let (portal, keeps_house) = match self {
            Self::Real(options) => (pollster::block_on(narthex::open(options.clone())), true),
            Self::Testing(options, host) => {
                let opened = narthex::open_with(options.clone(), host.clone());
                (pollster::block_on(opened), false)
            }
            Self::Given(portal) => (Ok(portal.clone()), false),
        };
        let portal = portal.map_err(|error| cannot_open(&error))?;
        let pool = ThreadPool::builder()
            .pool_size(POLLING_THREADS)
            .name_prefix("narthex-await-")
            .create()
            .map_err(|error| Failure::Unusable(format!("no thread for the portal: {error}")))?;
        let housekeeping = keeps_house.then(|| Housekeeping::begin(portal.clone()));
        Ok(Live {
            forks,
            portal,
            pool: Arc::new(pool),
            services: [OnceLock::new(), OnceLock::new()],
            _housekeeping: housekeeping.transpose()?,
        })
    }

    pub(super) fn open_after_fork(&self, forks: u64) -> Result<Live, Failure> {
        let options = match self {
            Self::Real(options) | Self::Testing(options, _) => options,
            Self::Given(_) => return Err(not_across_a_fork()),
        };
        if options.url == StoreUrl::Memory {
            return Err(not_across_a_fork());
        }
        self.open(forks)
    }
}

fn not_across_a_fork() -> Failure {
    Failure::Unusable(
        "this process is a fork, and a memory: store stays in the process that opened it: \
         use redb:///path, which processes share, or open the portal after the fork"
            .to_owned(),
    )
}

fn cannot_open(error: &OpenError) -> Failure {
    let hint = match error {
        OpenError::Locked { .. } => {
            " (processes that open it with shared=True, the default, share it)"
        }
        _ => "",
    };
    Failure::Unusable(format!("{error}{hint}"))
}

/// Calls `maintain` once a minute until dropped.
pub(crate) struct Housekeeping {
    _until_dropped: Sender<()>,
}

impl Housekeeping {
    fn begin(portal: Portal) -> Result<Self, Failure> {
        let (until_dropped, dropped) = channel::<()>();
        let keep = move || {
            while dropped.recv_timeout(MAINTENANCE_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                // What was not done now is done in a minute.
                let _later = pollster::block_on(portal.maintain());
            }
        };
        thread::Builder::new()
            .name("narthex-maintain".to_owned())
            .spawn(keep)
            .map_err(|error| Failure::Unusable(format!("no thread for the portal: {error}")))?;
        Ok(Self {
            _until_dropped: until_dropped,
        })
    }
}
