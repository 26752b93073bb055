//! The only async code of the core: read, decide, commit, and start over (bounded) on conflict.

mod admission;
mod attempts;
mod audit;
mod check;
mod claim;
mod claim_codes;
mod families;
mod hooks;
mod keys;
mod log_in;
mod maintenance;
mod new_browser;
mod notices;
mod organizations;
mod outbox;
mod password;
mod person_create;
mod person_erase;
mod person_export;
mod person_status;
mod person_traces;
mod profile;
mod questions;
mod reauthenticate;
mod recovery;
mod recovery_codes;
mod renew;
mod resume;
mod roster;
mod roster_change;
mod roster_hold;
mod roster_import;
mod roster_row;
mod roster_source;
mod season;
mod sessions;
mod staff;
mod staff_desk;
mod staff_roster;
mod staff_statistics;
mod table;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::error::{Error, Result};
use crate::event::{AuditEvent, EventKind};
use crate::hook::Hooks;
use crate::host::{Clock, Entropy, KeyPurpose, KeyRing, PasswordHasher};
use crate::model::{AccountId, EntryKey, LoginId, Now, RequestId, Timestamp};
use crate::policy::Policy;
use crate::rules::time::ProcessTime;
use crate::secret::KnownBrowser;
use crate::store::records::{Stored, time_floor_cell};
use crate::store::{Applied, ChangeSet, Commit, Expected, Key, Store, Version, Versioned};

pub use admission::HASH_PLACES_PER_IDENTITY_MAX;
pub use attempts::NAMED_ATTEMPTS_PER_PERSON;
pub use audit::{AuditLine, AuditReport};
pub use check::{CheckFinding, CheckReport, FINDINGS_MAX};
pub use claim::{ClaimTicket, Claimed};
pub use claim_codes::{IssueClaimCode, IssuedClaimCode};
pub use families::FamilySummary;
pub use keys::{KEY_CHANGES_MAX, KeyChange, KeyChangeRefused, KeyReport, KeyUse, Resealed};
pub use log_in::{LogIn, LoggedIn};
pub use notices::{Notice, Notices};
pub use organizations::{COUNT_TOLD_MIN, Count, RoleCount, Statistics};
pub use outbox::{Delivery, MESSAGES_MAX, Outgoing};
pub use person_create::{BY_HAND, CreatedPerson, NewPerson};
pub use person_erase::ErasedPerson;
pub use person_export::{
    ExportedAccount, ExportedEntry, ExportedRow, ExportedSession, PersonExport,
};
pub use person_status::PersonStatusChange;
pub use reauthenticate::Reauthenticated;
pub use recovery::{Recovered, RecoveryTicket};
pub use recovery_codes::IssuedRecoveryCode;
pub use roster::{ImportOptions, ImportProgress, ImportReport, OrganizationReport, RosterStatus};
pub use roster_hold::{HoldDecision, HoldScope, SettledHold};
pub use sessions::{Check, VerifiedSession};
pub use staff::{EvidenceReport, PersonReport, ResetClaim};
pub use staff_desk::{DeskReport, Once, StaffDesk};
pub use staff_statistics::{StaffRoleCount, StaffStatistics};

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

/// The doors but for the keys, which may change while the portal is open.
#[derive(Debug)]
struct Outside {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    hasher: Arc<dyn PasswordHasher>,
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
    /// What the browser keeps of the accounts that were logged in to in it: a lane, never an identity.
    pub known_browser: Option<KnownBrowser>,
}

/// The portal: claim, credential, security questions, session families, inactivity. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Portal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    outside: Outside,
    keys: keys::Rings,
    policy: Policy,
    time: Mutex<ProcessTime>,
    sessions: table::SessionTable,
    /// Whether other processes commit to the same store.
    shared: bool,
    notices: notices::NoticeBoard,
    places: admission::HashPlaces,
    sweep: Mutex<maintenance::SweepCursors>,
    hooks: RwLock<Arc<Hooks>>,
}

impl Portal {
    /// Opens the doors: reads the store's time floor, so that a restart does not go back in time.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn open(doors: Doors, policy: Policy) -> Result<Self> {
        Self::open_as(doors, policy, false).await
    }

    /// As [`Self::open`], on a store that other processes have open too: [`Self::check`] then
    /// answers nothing from memory, so that what another process has acknowledged counts here at
    /// once. Notices tell of this process's own doings only.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_shared(doors: Doors, policy: Policy) -> Result<Self> {
        Self::open_as(doors, policy, true).await
    }

    async fn open_as(doors: Doors, policy: Policy, shared: bool) -> Result<Self> {
        let floor = Timestamp::from_millis(doors.store.read_cell(&time_floor_cell()).await?);
        let time = ProcessTime::start(doors.clock.read(), floor);
        let outside = Outside {
            store: doors.store,
            clock: doors.clock,
            entropy: doors.entropy,
            hasher: doors.hasher,
        };
        Ok(Self(Arc::new(Inner {
            outside,
            keys: keys::Rings::new(doors.keys),
            policy,
            time: Mutex::new(time),
            sessions: table::SessionTable::new(),
            shared,
            notices: notices::NoticeBoard::default(),
            places: admission::HashPlaces::default(),
            sweep: Mutex::default(),
            hooks: RwLock::default(),
        })))
    }

    /// Whether other processes have the same store open.
    pub fn is_shared(&self) -> bool {
        self.0.shared
    }

    /// The rules an operator set.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// The present: never goes back.
    pub fn now(&self) -> Now {
        let reading = self.0.outside.clock.read();
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

    /// A keyed digest under the key of this incarnation of the store: what was named by an older one is
    /// not found.
    fn incarnation_digest(&self, parts: &[&[u8]]) -> Result<[u8; 32]> {
        let keys = self.keys();
        let id = keys.current(KeyPurpose::TokenDigest);
        Ok(keys.mac(KeyPurpose::TokenDigest, id, parts)?)
    }

    /// As [`Self::incarnation_digest`], under the key that the record at `key` was named with: a ticket
    /// that was made before the keys were rotated goes on.
    async fn kept_digest(&self, parts: &[&[u8]], key: fn(&[u8; 32]) -> Key) -> Result<[u8; 32]> {
        let keys = self.keys();
        let current = self.incarnation_digest(parts)?;
        for id in keys.ids(KeyPurpose::TokenDigest).skip(1) {
            if self.store().get(&key(&current)).await?.is_some() {
                break;
            }
            let older = keys.mac(KeyPurpose::TokenDigest, id, parts)?;
            if self.store().get(&key(&older)).await?.is_some() {
                return Ok(older);
            }
        }
        Ok(current)
    }

    fn keys(&self) -> &KeyRing {
        self.0.keys.current()
    }

    fn entropy(&self) -> &dyn Entropy {
        &*self.0.outside.entropy
    }

    fn hasher(&self) -> &dyn PasswordHasher {
        &*self.0.outside.hasher
    }

    fn store(&self) -> &dyn Store {
        &*self.0.outside.store
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
        let events = self.events_to_tell(&changes);
        let outcome = self.store().commit(changes).await;
        match &outcome {
            Err(error) if error.applied == Applied::Unknown => drop(attempt),
            _ => attempt.settle(),
        }
        if matches!(outcome, Ok(Commit::Committed)) {
            self.tell_sinks(&events);
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
