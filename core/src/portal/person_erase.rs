//! Erasing a person: everything that tells of them leaves the store. What stays is a keyed digest of
//! the number and of the source's row, with the moment, so that the next import does not bring them back.

use super::person_traces::{Identity, Traces};
use super::roster_row::Plan;
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::{AccountId, EntryKey, LoginId, RosterEntry, Selector, Timestamp};
use crate::store::records::{
    Erased, account_family_key, entry_key, erased_key, family_key, gate_key, person_key, seen_cell,
};
use crate::store::{ChangeSet, Commit, Key};

/// Records or events that go in one commit.
const CHUNK: usize = 256;

/// What erasing a person came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasedPerson {
    /// The roster has no such number.
    Unknown,
    /// Whoever had the number was erased before.
    Before(Timestamp),
    /// Everything is gone.
    Erased {
        /// Records removed.
        records: usize,
        /// Audit events about the person removed.
        events: usize,
    },
}

impl Portal {
    /// Removes everything that tells of the person with this number: entries under this and former
    /// numbers, account, password, questions, details, sessions, codes, claims and recoveries under way,
    /// tries, messages, rows of sources, audit events about the account. Backups made before still
    /// have it. Where it breaks off, the person is disabled already, and the same again goes on.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn erase_person(&self, login_id: &LoginId, asker: &Asker) -> Result<ErasedPerson> {
        let key = self.entry_key(login_id)?;
        // First nobody can go in any more: what is removed below is not made anew meanwhile.
        self.disable_person(login_id, asker).await?;
        for _ in 0..CONTENTION_MAX {
            let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
                let erased = self.read::<Erased>(&erased_key(&key.0)).await?;
                return Ok(erased.map_or(ErasedPerson::Unknown, |erased| {
                    ErasedPerson::Before(erased.value.at)
                }));
            };
            let identity = self.identity(&key, &entry.value).await?;
            let traces = self.traces(&identity).await?;
            let (mut records, mut events) = self.remove(&traces).await?;
            let Some(last) = self.remove_identity(&identity, asker).await? else {
                continue;
            };
            records += last;
            // Tries that were under way when the entry went.
            let late = self.remove(&self.traces(&identity).await?).await?;
            records += late.0;
            events += late.1;
            return Ok(ErasedPerson::Erased { records, events });
        }
        contended()
    }

    /// Lets a number name somebody again that was an erased person's: the next import brings who it
    /// lists, [`Portal::create_person`] takes it. `false`: nobody who had it was erased.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn readmit_number(&self, login_id: &LoginId, asker: &Asker) -> Result<bool> {
        let key = self.entry_key(login_id)?;
        for _ in 0..CONTENTION_MAX {
            let Some(erased) = self.read::<Erased>(&erased_key(&key.0)).await? else {
                return Ok(false);
            };
            let mut changes = ChangeSet::new();
            for digest in &erased.value.with {
                let other = erased_key(digest);
                if let Some(left) = self.read::<Erased>(&other).await? {
                    changes.delete(other, left.version);
                }
            }
            let (now, kind) = (self.now(), EventKind::NumberReadmitted);
            self.audit(&mut changes, now, kind, None, asker, "")?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(true);
            }
        }
        contended()
    }

    /// Whether a row of a roster is that of somebody who was erased: by its number, where nobody has it
    /// now, or by its id in the source, where it is not known.
    pub(super) async fn is_erased(
        &self,
        number: Option<&EntryKey>,
        row_key: Option<&Key>,
    ) -> Result<bool> {
        let digests = [number.map(|key| key.0), row_key.and_then(row_digest_of)];
        for digest in digests.into_iter().flatten() {
            if self.read::<Erased>(&erased_key(&digest)).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes traces, many in one commit. Says how many records and events.
    async fn remove(&self, traces: &Traces) -> Result<(usize, usize)> {
        let mut records = 0;
        for keys in traces.records().chunks(CHUNK) {
            records += self.remove_records(keys).await?;
        }
        for families in traces.families.chunks(CHUNK) {
            records += self.remove_families(families).await?;
        }
        for events in traces.events.chunks(CHUNK) {
            let mut changes = ChangeSet::new();
            for key in events {
                changes.drop_event(key.clone());
            }
            self.commit(changes).await?;
        }
        Ok((records, traces.events.len()))
    }

    /// Each with its last activity: a cell that is left alone is found by nobody.
    async fn remove_families(&self, families: &[(AccountId, Selector)]) -> Result<usize> {
        for _ in 0..CONTENTION_MAX {
            let mut changes = ChangeSet::new();
            let mut removed = 0;
            for (account, selector) in families {
                let listing = account_family_key(*account, *selector);
                for key in [family_key(*selector), listing] {
                    if let Some((_, version)) = self.store().get(&key).await? {
                        changes.delete(key, version);
                        removed += 1;
                    }
                }
                changes.drop_cell(seen_cell(*selector));
            }
            if self.commit(changes).await? == Commit::Committed {
                return Ok(removed);
            }
        }
        contended()
    }

    async fn remove_records(&self, keys: &[Key]) -> Result<usize> {
        for _ in 0..CONTENTION_MAX {
            let mut changes = ChangeSet::new();
            for key in keys {
                if let Some((_, version)) = self.store().get(key).await? {
                    changes.delete(key.clone(), version);
                }
            }
            let removed = changes.changes().len();
            if removed == 0 || self.commit(changes).await? == Commit::Committed {
                return Ok(removed);
            }
        }
        contended()
    }

    /// Entries, persons and gates go in one commit, with the counts, what is left in their place and
    /// the event. Says how many records went; `None`: somebody else committed first.
    async fn remove_identity(&self, identity: &Identity, asker: &Asker) -> Result<Option<usize>> {
        let now = self.now();
        let mut plan = Plan::default();
        for key in &identity.entries {
            if let Some(entry) = self.read::<RosterEntry>(&entry_key(key)).await? {
                plan.count(&entry.value, -1);
                plan.changes.delete(entry_key(key), entry.version);
            }
        }
        for account in &identity.accounts {
            for key in [person_key(*account), gate_key(*account)] {
                if let Some((_, version)) = self.store().get(&key).await? {
                    plan.changes.delete(key, version);
                }
            }
        }
        let removed = plan.changes.changes().len();
        let (mut changes, _) = Plan::merged(vec![plan]);
        let numbers = identity.entries.iter().map(|key| key.0);
        let row = identity.own_row.as_ref().and_then(row_digest_of);
        let left = Erased {
            at: now.latest,
            with: numbers.chain(row).collect(),
        };
        for digest in &left.with {
            let key = erased_key(digest);
            let before = self.read::<Erased>(&key).await?;
            put(
                &mut changes,
                key,
                &left,
                before.map(|before| before.version),
            );
        }
        // Of nobody: who it was is what must not stay.
        let kind = EventKind::PersonErased;
        self.audit(&mut changes, now, kind, None, asker, "")?;
        let committed = self.commit(changes).await? == Commit::Committed;
        Ok(committed.then_some(removed))
    }
}

/// The digest that names a row in its key.
fn row_digest_of(key: &Key) -> Option<[u8; 32]> {
    let (_, last) = key.path().rsplit_once('/')?;
    EntryKey::from_hex(last).map(|digest| digest.0)
}
