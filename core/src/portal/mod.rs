//! The only async code of the core: read, decide, commit, and start over (bounded) on conflict.

mod admission;
mod attempts;
mod claim;
mod log_in;
mod maintenance;
mod notices;
mod organizations;
mod password;
mod profile;
mod resume;
mod roster;
mod roster_row;
mod sessions;
mod staff;
mod table;

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::event::{AuditEvent, EventKind};
use crate::host::{Clock, Entropy, KeyPurpose, KeyRing, PasswordHasher};
use crate::model::{AccountId, EntryKey, LoginId, Now, RequestId, Timestamp};
use crate::policy::Policy;
use crate::rules::time::ProcessTime;
use crate::store::records::{Stored, time_floor_cell};
use crate::store::{Applied, ChangeSet, Commit, Expected, Key, Store, Version, Versioned};

pub use admission::HASH_PLACES_PER_IDENTITY_MAX;
pub use claim::{ClaimTicket, Claimed};
pub use log_in::{LogIn, LoggedIn};
pub use notices::{Notice, Notices};
pub use organizations::{COUNT_TOLD_MIN, Count, RoleCount, Statistics};
pub use roster::{ImportOptions, ImportProgress, ImportReport, RosterStatus};
pub use sessions::{Check, VerifiedSession};
pub use staff::{EvidenceReport, PersonReport, ResetClaim};

/// How often an operation starts over when others keep committing first.
pub const CONTENTION_MAX: u32 = 64;

/// The doors to the outside and the place for records.
#[derive(Debug)]
pub struct Doors {
    /// Where records are kept.
    pub store: Arc<dyn Store>,
    /// Reads the clocks.
    pub clock: Arc<dyn Clock>,
    /// Draws randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Holds the keys.
    pub keys: KeyRing,
}

/// Who asks: what budgets and the audit need to know of a request.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The network the request came from, in canonical text: an IPv4 address, an IPv6 /64, or empty for
    /// the command line.
    pub source: String,
    /// Ties events, log lines and refusal pages together.
    pub request_id: RequestId,
    /// A short description of the browser.
    pub client_label: String,
}

/// The portal: claim, credential, security questions, session families, inactivity. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Portal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    doors: Doors,
    policy: Policy,
    time: Mutex<ProcessTime>,
    sessions: table::SessionTable,
    notices: notices::NoticeBoard,
    places: admission::HashPlaces,
    sweep: Mutex<maintenance::SweepCursors>,
}

impl Portal {
    /// Opens the doors: reads the store's time floor, so that a restart does not go back in time.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn open(doors: Doors, policy: Policy) -> Result<Self> {
        let floor = Timestamp::from_millis(doors.store.read_cell(&time_floor_cell()).await?);
        let time = ProcessTime::start(doors.clock.read(), floor);
        Ok(Self(Arc::new(Inner {
            doors,
            policy,
            time: Mutex::new(time),
            sessions: table::SessionTable::new(),
            notices: notices::NoticeBoard::default(),
            places: admission::HashPlaces::default(),
            sweep: Mutex::default(),
        })))
    }

    /// The rules an operator set.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// The present: never goes back.
    pub fn now(&self) -> Now {
        let reading = self.0.doors.clock.read();
        self.0
            .time
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .advance(reading)
    }

    /// Random bytes, for adapters.
    ///
    /// # Errors
    /// No random bytes.
    pub fn random<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.entropy().fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A public keyed tag over length-prefixed parts: proves that this portal wrote them.
    ///
    /// # Errors
    /// The key ring has no key for tags.
    pub fn tag(&self, parts: &[&[u8]]) -> Result<[u8; 32]> {
        let keys = self.keys();
        Ok(keys.mac(KeyPurpose::Tags, keys.current(KeyPurpose::Tags), parts)?)
    }

    fn keys(&self) -> &KeyRing {
        &self.0.doors.keys
    }

    fn entropy(&self) -> &dyn Entropy {
        &*self.0.doors.entropy
    }

    fn hasher(&self) -> &dyn PasswordHasher {
        &*self.0.doors.hasher
    }

    fn store(&self) -> &dyn Store {
        &*self.0.doors.store
    }

    /// The name of an entry: the login id under the key that is never rotated online.
    fn entry_key(&self, login_id: &LoginId) -> Result<EntryKey> {
        let keys = self.keys();
        let id = keys.current(KeyPurpose::Names);
        let parts = [b"entry".as_slice(), login_id.as_str().as_bytes()];
        Ok(EntryKey(keys.mac(KeyPurpose::Names, id, &parts)?))
    }

    async fn read<T: Stored>(&self, key: &Key) -> Result<Option<Versioned<T>>> {
        match self.store().get(key).await? {
            None => Ok(None),
            Some((record, version)) => Ok(Some(Versioned {
                value: T::decode(&record)?,
                version,
            })),
        }
    }

    /// Commits, and tells the warm table: slots are emptied before, and stay empty while the outcome is
    /// not known.
    async fn commit(&self, changes: ChangeSet) -> Result<Commit> {
        let attempt = self.0.sessions.begin(&changes);
        let outcome = self.store().commit(changes).await;
        match &outcome {
            Err(error) if error.applied == Applied::Unknown => drop(attempt),
            _ => attempt.settle(),
        }
        Ok(outcome?)
    }

    /// Adds an audit event to the change set it tells of.
    fn audit(
        &self,
        changes: &mut ChangeSet,
        now: Now,
        kind: EventKind,
        account: Option<AccountId>,
        asker: &Asker,
        detail: &str,
    ) -> Result<()> {
        let event = AuditEvent {
            at: now.latest,
            kind,
            account,
            source: asker.source.clone(),
            request_id: asker.request_id.as_str().to_owned(),
            detail: detail.to_owned(),
        };
        changes.append(AuditEvent::key(now.latest, self.random()?), event.encode());
        Ok(())
    }
}

/// `put` of a value that was read at `version`, or that was not there.
fn put<T: Stored>(changes: &mut ChangeSet, key: Key, value: &T, version: Option<Version>) {
    let expected = version.map_or(Expected::Absent, Expected::At);
    changes.put(key, value.encode(), expected);
}

fn contended<T>() -> Result<T> {
    Err(Error::Contended {
        attempts: CONTENTION_MAX,
    })
}
