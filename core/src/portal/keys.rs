//! Keys that change while the portal is open: which ring is in use, what each key is still needed for,
//! and sealing anew under the current one (CR-01, PW-18).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::log_in::credential_context;
use super::recovery_codes::codes_of;
use super::{Asker, CONTENTION_MAX, Portal, contended};
use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::host::{KeyPurpose, KeyRing, sealed_with};
use crate::model::{
    AccountId, ClaimCodeRecord, EntryKey, Family, Gate, Person, Recovery, RecoveryStep,
    RosterEntry, SecurityAnswersRecord, Ticket, TicketStep, Timestamp,
};
use crate::rules::claim::expires_at;
use crate::rules::recovery::code_is_current;
use crate::store::records::Stored;
use crate::store::{ChangeSet, Commit, Expected, Key, Record};

/// So often the keys of an open portal may change; then it has to be opened anew.
pub const KEY_CHANGES_MAX: usize = 64;

/// Why the keys cannot be changed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyChangeRefused {
    /// They have changed too often since the portal was opened.
    #[error(
        "the keys have changed {KEY_CHANGES_MAX} times since the portal was opened: restart it first"
    )]
    TooMany,
    /// Another change is under way.
    #[error("the keys are being changed already: wait for that to end, then try again")]
    UnderWay,
}

/// The ring in use, and those before it. Readers share no lock: a ring is put in its place once, and
/// then a number says that it is the one.
pub(super) struct Rings {
    first: KeyRing,
    later: Box<[OnceLock<KeyRing>]>,
    changes: AtomicUsize,
    changing: AtomicBool,
}

impl fmt::Debug for Rings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.current().fmt(f)
    }
}

impl Rings {
    pub(super) fn new(first: KeyRing) -> Self {
        Self {
            first,
            later: (0..KEY_CHANGES_MAX).map(|_| OnceLock::new()).collect(),
            changes: AtomicUsize::new(0),
            changing: AtomicBool::new(false),
        }
    }

    pub(super) fn current(&self) -> &KeyRing {
        let changes = self.changes.load(Ordering::Acquire);
        let later = changes.checked_sub(1).and_then(|last| self.later.get(last));
        later.and_then(OnceLock::get).unwrap_or(&self.first)
    }

    fn take_up(&self, ring: KeyRing) -> std::result::Result<(), KeyChangeRefused> {
        let changes = self.changes.load(Ordering::Acquire);
        let place = self.later.get(changes);
        place
            .and_then(|place| place.set(ring).ok())
            .ok_or(KeyChangeRefused::TooMany)?;
        self.changes.store(changes + 1, Ordering::Release);
        Ok(())
    }
}

/// A change of the keys under way: one at a time.
#[derive(Debug)]
pub struct KeyChange<'p>(&'p Portal);

impl KeyChange<'_> {
    /// From now on `ring` is in use, in this process. It must be kept durably before, and have every key
    /// that [`Portal::key_report`] finds in use.
    ///
    /// # Errors
    /// [`KeyChangeRefused::TooMany`], which [`Portal::begin_key_change`] has looked at already.
    pub fn take_up(self, ring: KeyRing) -> std::result::Result<(), KeyChangeRefused> {
        self.0.0.keys.take_up(ring)
    }
}

impl Drop for KeyChange<'_> {
    fn drop(&mut self) {
        self.0.0.keys.changing.store(false, Ordering::Release);
    }
}

/// One key, and what is still made with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReport {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Its id.
    pub id: u32,
    /// Whether new values are made with it.
    pub current: bool,
    /// When it was made, where that is known.
    pub made_at: Option<Timestamp>,
    /// What in the store needs it.
    pub uses: Vec<KeyUse>,
}

/// Things in the store that need a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// What they are: a stable word.
    pub what: &'static str,
    /// How many.
    pub count: u64,
}

/// How much was sealed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Records looked at.
    pub looked_at: usize,
    /// Of these, sealed anew.
    pub resealed: usize,
}

type Uses = BTreeMap<(KeyPurpose, u32), BTreeMap<&'static str, u64>>;

impl Portal {
    /// The keys in use: for who keeps them.
    pub fn key_ring(&self) -> KeyRing {
        self.keys().clone()
    }

    /// Begins to change the keys; nobody else does until it is dropped.
    ///
    /// # Errors
    /// [`KeyChangeRefused`].
    pub fn begin_key_change(&self) -> std::result::Result<KeyChange<'_>, KeyChangeRefused> {
        let rings = &self.0.keys;
        if rings.changes.load(Ordering::Acquire) >= KEY_CHANGES_MAX {
            return Err(KeyChangeRefused::TooMany);
        }
        match rings.changing.swap(true, Ordering::AcqRel) {
            true => Err(KeyChangeRefused::UnderWay),
            false => Ok(KeyChange(self)),
        }
    }

    /// Tells the audit what was done with the keys.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn tell_of_keys(&self, what: &str, asker: &Asker) -> Result<()> {
        let mut changes = ChangeSet::new();
        let kind = EventKind::KeysChanged;
        self.audit(&mut changes, self.now(), kind, None, asker, what)?;
        match self.commit(changes).await? {
            Commit::Committed => Ok(()),
            _ => contended(),
        }
    }

    /// Every key, and what in the store needs it. Reads the whole store: for a command.
    ///
    /// # Errors
    /// The store did not answer, or a record is not understood.
    pub async fn key_report(&self) -> Result<Vec<KeyReport>> {
        let mut uses = Uses::new();
        self.uses_of_seals(&mut uses).await?;
        self.uses_of_digests(&mut uses).await?;
        self.uses_of_tickets(&mut uses).await?;
        let ring = self.keys();
        let mut report = Vec::new();
        for purpose in KeyPurpose::ALL {
            for id in ring.ids(purpose) {
                let found = uses.remove(&(purpose, id)).unwrap_or_default();
                let found = found.into_iter();
                report.push(KeyReport {
                    purpose,
                    id,
                    current: id == ring.current(purpose),
                    made_at: ring.made_at(purpose, id),
                    uses: found.map(|(what, count)| KeyUse { what, count }).collect(),
                });
            }
        }
        Ok(report)
    }

    async fn uses_of_seals(&self, uses: &mut Uses) -> Result<()> {
        use KeyPurpose::{Details, Evidence, Pepper};
        self.each::<RosterEntry>("entry/", |_, entry| {
            add(uses, Evidence, Some(entry.evidence_key), "claim facts");
            add(uses, Details, sealed_with(&entry.details), "names");
        })
        .await?;
        self.each::<Person>("person/", |_, person| {
            add(uses, Details, sealed_with(&person.details), "details");
        })
        .await?;
        self.each::<SecurityAnswersRecord>("answers/", |_, answers| {
            add(uses, Pepper, sealed_with(&answers.sealed_hash), "answers");
        })
        .await
    }

    async fn uses_of_digests(&self, uses: &mut Uses) -> Result<()> {
        use KeyPurpose::{Pepper, TokenDigest};
        let (policy, now) = (self.policy(), self.now());
        self.each::<Gate>("gate/", |_, gate| {
            add(
                uses,
                Pepper,
                sealed_with(&gate.sealed_credential),
                "passwords",
            );
            for code in codes_of(&gate) {
                if code_is_current(&code, &policy.recovery, now) {
                    add(uses, TokenDigest, Some(code.key), "recovery codes");
                }
            }
        })
        .await?;
        self.each::<ClaimCodeRecord>("claim-code/", |_, code| {
            if now.latest < code.issued_at.plus(policy.claim.code_lifetime) {
                add(uses, TokenDigest, Some(code.code_key), "claim codes");
            }
        })
        .await?;
        self.each::<Family>("family/", |_, family| {
            let until = family.started_at.plus(policy.session.absolute_timeout);
            if family.ended.is_none() && now.latest < until {
                add(uses, TokenDigest, Some(family.token_key), "sessions");
            }
        })
        .await
    }

    /// The name of a ticket is a digest that does not say of which key: of the one that was current when
    /// it was opened, or of one that came since.
    async fn uses_of_tickets(&self, uses: &mut Uses) -> Result<()> {
        use KeyPurpose::{Pepper, Tags, TokenDigest};
        let (policy, now) = (self.policy(), self.now());
        let current_at = |purpose, at: Timestamp| {
            let ring = self.keys();
            let mut ids = ring.ids(purpose);
            ids.find(|id| ring.made_at(purpose, *id).is_none_or(|made| made < at))
        };
        self.each::<Ticket>("ticket/", |_, ticket| {
            if ticket.step != TicketStep::Spent && now.latest < expires_at(&ticket, &policy.claim) {
                let what = "claims under way";
                add(uses, Pepper, sealed_with(&ticket.sealed_hash), what);
                for purpose in [TokenDigest, Tags] {
                    add(uses, purpose, current_at(purpose, ticket.opened_at), what);
                }
            }
        })
        .await?;
        self.each::<Recovery>("recovery/", |_, ticket| {
            let until = crate::rules::recovery::expires_at(&ticket, &policy.recovery);
            if ticket.step != RecoveryStep::Spent && now.latest < until {
                for purpose in [TokenDigest, Tags] {
                    let id = current_at(purpose, ticket.opened_at);
                    add(uses, purpose, id, "recoveries under way");
                }
            }
        })
        .await
    }

    async fn each<T: Stored>(
        &self,
        prefix: &str,
        mut with: impl FnMut(&Key, T) + Send,
    ) -> Result<()> {
        for key in self.keys_with_prefix(prefix).await? {
            if let Some((record, _)) = self.store().get(&key).await? {
                with(&key, T::decode(&record)?);
            }
        }
        Ok(())
    }

    /// Seals passwords, answers, names and details anew that are sealed with an older key, while the
    /// portal goes on. `progress` hears how many records are done, of how many.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first; the same again goes on.
    pub async fn reseal(&self, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Resealed> {
        let mut keys = Vec::new();
        for prefix in ["entry/", "person/", "gate/", "answers/"] {
            keys.extend(self.keys_with_prefix(prefix).await?);
        }
        let mut done = Resealed::default();
        for key in &keys {
            done.resealed += usize::from(self.reseal_record(key).await?);
            done.looked_at += 1;
            progress(done.looked_at, keys.len());
        }
        Ok(done)
    }

    async fn reseal_record(&self, key: &Key) -> Result<bool> {
        for _ in 0..CONTENTION_MAX {
            let Some((record, version)) = self.store().get(key).await? else {
                return Ok(false);
            };
            let Some(record) = self.resealed(key, &record)? else {
                return Ok(false);
            };
            let mut changes = ChangeSet::new();
            changes.put(key.clone(), record, Expected::At(version));
            if self.commit(changes).await? == Commit::Committed {
                return Ok(true);
            }
        }
        contended()
    }

    /// The record with its seal anew; `None`: it has none, or it is of the current key.
    fn resealed(&self, key: &Key, record: &Record) -> Result<Option<Record>> {
        let (kind, name) = key.path().split_once('/').unwrap_or_default();
        let account = AccountId::from_hex(name);
        match (kind, account, EntryKey::from_hex(name)) {
            ("entry", _, Some(entry_key)) => {
                let mut entry = RosterEntry::decode(record)?;
                let context = [b"entry".as_slice(), &entry_key.0];
                self.reseal_in(KeyPurpose::Details, &context, &mut entry.details)
                    .map(|changed| changed.then(|| entry.encode()))
            }
            ("person", Some(account), _) => {
                let mut person = Person::decode(record)?;
                let context = [b"person".as_slice(), account.as_bytes()];
                self.reseal_in(KeyPurpose::Details, &context, &mut person.details)
                    .map(|changed| changed.then(|| person.encode()))
            }
            ("gate", Some(account), _) => {
                let mut gate = Gate::decode(record)?;
                let context = credential_context(account, gate.credential_generation);
                let sealed = &mut gate.sealed_credential;
                self.reseal_in(KeyPurpose::Pepper, &context.parts(), sealed)
                    .map(|changed| changed.then(|| gate.encode()))
            }
            ("answers", Some(account), _) => {
                let mut answers = SecurityAnswersRecord::decode(record)?;
                let bound = answers.generation.to_le_bytes();
                let context = [b"answers".as_slice(), account.as_bytes(), &bound];
                self.reseal_in(KeyPurpose::Pepper, &context, &mut answers.sealed_hash)
                    .map(|changed| changed.then(|| answers.encode()))
            }
            _ => Ok(None),
        }
    }

    fn reseal_in(
        &self,
        purpose: KeyPurpose,
        context: &[&[u8]],
        sealed: &mut Vec<u8>,
    ) -> Result<bool> {
        if sealed.is_empty() {
            return Ok(false);
        }
        let anew = self
            .keys()
            .reseal(purpose, context, sealed, self.entropy())
            .map_err(Error::from)?;
        let changed = anew.is_some();
        if let Some(anew) = anew {
            *sealed = anew;
        }
        Ok(changed)
    }
}

fn add(uses: &mut Uses, purpose: KeyPurpose, id: Option<u32>, what: &'static str) {
    if let Some(id) = id {
        *uses
            .entry((purpose, id))
            .or_default()
            .entry(what)
            .or_default() += 1;
    }
}
