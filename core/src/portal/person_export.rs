//! Everything that is stored about a person, for the person: without secrets, and without what nobody
//! can read (digests, hashes, seals).

use super::recovery_codes::codes_of;
use super::{Asker, CONTENTION_MAX, Portal, contended};
use crate::error::Result;
use crate::event::{AuditEvent, EventKind};
use crate::model::{
    AccountId, ClaimCodeRecord, Ended, EntryDetails, EntryKey, Family, Gate, GateStatus, Lane,
    Listing, LoginId, Membership, Message, OrganizationId, Person, PersonDetails, Recovery,
    RecoveryCodeKind, RosterEntry, SecurityAnswersRecord, Selector, Ticket, Timestamp,
};
use crate::rules::attempts::failures;
use crate::store::records::{
    RowState, SourceRow, Stored, answers_key, entry_key, family_key, gate_key, person_key,
    seen_cell,
};
use crate::store::{ChangeSet, Commit, Key};

/// Everything that is stored about a person.
#[derive(Debug)]
pub struct PersonExport {
    /// The number they have, and those they had.
    pub entries: Vec<ExportedEntry>,
    /// Their account; more than one only after a store was mended by hand.
    pub accounts: Vec<ExportedAccount>,
    /// What imports remember of the rows that list them.
    pub rows: Vec<ExportedRow>,
    /// Failed tries that are counted: of what, how many, the last of them.
    pub tries: Vec<(&'static str, u32, Timestamp)>,
    /// Browsers that know them: when each was used for a try last.
    pub known_browsers: Vec<Timestamp>,
    /// When claim codes were issued that were not used.
    pub claim_codes: Vec<Timestamp>,
    /// When claims began that are under way or were a short while ago.
    pub claims: Vec<Timestamp>,
    /// When recoveries began that are under way or were a short while ago.
    pub recoveries: Vec<Timestamp>,
    /// What they were or will be told.
    pub messages: Vec<Message>,
    /// What the audit tells of the account, in order.
    pub events: Vec<AuditEvent>,
}

/// A roster entry.
#[derive(Debug)]
pub struct ExportedEntry {
    /// Number, names, and the source with its id of the person.
    pub details: EntryDetails,
    /// Whether the roster lists it.
    pub listing: Listing,
    /// Whether it has been claimed.
    pub claimed: bool,
    /// When the office disabled the person.
    pub disabled_at: Option<Timestamp>,
    /// Whether a digest of the birthdate is kept.
    pub has_birthdate: bool,
    /// One per (organization, role).
    pub memberships: Vec<Membership>,
    /// Where the person lands.
    pub default_organization: OrganizationId,
}

/// An account.
#[derive(Debug)]
pub struct ExportedAccount {
    /// Names it.
    pub account: AccountId,
    /// Whether it can be used.
    pub status: Option<GateStatus>,
    /// Whether there is a password.
    pub has_password: bool,
    /// When it was claimed.
    pub claimed_at: Option<Timestamp>,
    /// The organization the person chose.
    pub default_organization: Option<OrganizationId>,
    /// What the person says of themselves.
    pub details: PersonDetails,
    /// The questions that were chosen; never the answers.
    pub questions: Vec<String>,
    /// Recovery codes that were not used: from whom, and when.
    pub recovery_codes: Vec<(RecoveryCodeKind, Timestamp)>,
    /// Sessions, ended ones that are still on record included.
    pub sessions: Vec<ExportedSession>,
}

/// A session.
#[derive(Debug)]
pub struct ExportedSession {
    /// Names it, as in the list of browsers.
    pub handle: String,
    /// What the browser says of itself.
    pub client_label: String,
    /// When the person logged in.
    pub started_at: Timestamp,
    /// When the person was last active there.
    pub last_seen: Timestamp,
    /// How and when it ended by itself; those that ended together are behind the account.
    pub ended: Option<Ended>,
}

/// What an import remembers of a row.
#[derive(Debug)]
pub struct ExportedRow {
    /// The organization the person counts in.
    pub organization: OrganizationId,
    /// Whether the source lists the person.
    pub state: RowState,
}

impl Portal {
    /// Everything that is stored about the person with this number, with no secret in it. The audit
    /// tells of it first. `None`: the roster has no such number.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn export_person(
        &self,
        login_id: &LoginId,
        asker: &Asker,
    ) -> Result<Option<PersonExport>> {
        let key = self.entry_key(login_id)?;
        for _ in 0..CONTENTION_MAX {
            let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
                return Ok(None);
            };
            let mut changes = ChangeSet::new();
            changes.expect(entry_key(&key), entry.version);
            let (now, kind) = (self.now(), EventKind::PersonExported);
            self.audit(&mut changes, now, kind, entry.value.account, asker, "")?;
            if self.commit(changes).await? == Commit::Committed {
                return self.gather(&key, &entry.value).await.map(Some);
            }
        }
        contended()
    }

    async fn gather(&self, key: &EntryKey, entry: &RosterEntry) -> Result<PersonExport> {
        let identity = self.identity(key, entry).await?;
        let traces = self.traces(&identity).await?;
        let mut entries = Vec::new();
        for key in &identity.entries {
            if let Some(entry) = self.read::<RosterEntry>(&entry_key(key)).await? {
                entries.push(self.exported_entry(key, entry.value)?);
            }
        }
        let mut accounts = Vec::new();
        for account in &identity.accounts {
            let families = traces.families.iter().filter(|(of, _)| of == account);
            let selectors: Vec<Selector> = families.map(|(_, selector)| *selector).collect();
            accounts.push(self.exported_account(*account, &selectors).await?);
        }
        let mut tries = Vec::new();
        for (kind, key) in &traces.lanes {
            if let Some(lane) = self.read::<Lane>(key).await? {
                tries.push((*kind, failures(&lane.value), lane.value.last_failure_at));
            }
        }
        let rows: Vec<SourceRow> = self.values(&traces.rows).await?;
        let known: Vec<Lane> = self.values(&traces.known).await?;
        let codes: Vec<ClaimCodeRecord> = self.values(&traces.claim_codes).await?;
        let tickets: Vec<Ticket> = self.values(&traces.tickets).await?;
        let recoveries: Vec<Recovery> = self.values(&traces.recoveries).await?;
        let mut events = Vec::new();
        for key in &traces.events {
            if let Some((record, _)) = self.store().get(key).await? {
                events.push(AuditEvent::decode(&record)?);
            }
        }
        Ok(PersonExport {
            entries,
            accounts,
            rows: rows.into_iter().map(ExportedRow::from).collect(),
            tries,
            known_browsers: known.iter().map(|lane| lane.last_failure_at).collect(),
            claim_codes: codes.iter().map(|code| code.issued_at).collect(),
            claims: tickets.iter().map(|ticket| ticket.opened_at).collect(),
            recoveries: recoveries.iter().map(|one| one.opened_at).collect(),
            messages: self.values(&traces.messages).await?,
            events,
        })
    }

    fn exported_entry(&self, key: &EntryKey, entry: RosterEntry) -> Result<ExportedEntry> {
        Ok(ExportedEntry {
            details: self.open_details(key, &entry)?,
            listing: entry.listing,
            claimed: entry.claimed,
            disabled_at: entry.disabled_at,
            has_birthdate: entry.birthdate.is_some(),
            memberships: entry.memberships,
            default_organization: entry.default_organization,
        })
    }

    async fn exported_account(
        &self,
        account: AccountId,
        selectors: &[Selector],
    ) -> Result<ExportedAccount> {
        let gate = self.read::<Gate>(&gate_key(account)).await?;
        let gate = gate.map(|gate| gate.value);
        let person = self.read::<Person>(&person_key(account)).await?;
        let person = person.map(|person| person.value);
        let answers = self
            .read::<SecurityAnswersRecord>(&answers_key(account))
            .await?;
        let codes = gate.as_ref().map(codes_of).unwrap_or_default();
        let mut sessions = Vec::new();
        for selector in selectors {
            if let Some(family) = self.read::<Family>(&family_key(*selector)).await? {
                let seen = self.store().read_cell(&seen_cell(*selector)).await?;
                let started_at = family.value.started_at;
                sessions.push(ExportedSession {
                    handle: self.family_tag(*selector)?,
                    client_label: family.value.client_label,
                    started_at,
                    last_seen: Timestamp::from_millis(seen).max(started_at),
                    ended: family.value.ended,
                });
            }
        }
        sessions.sort_by_key(|session| session.started_at);
        let details = match &person {
            Some(person) => self.open_person_details(account, person)?,
            None => PersonDetails::default(),
        };
        Ok(ExportedAccount {
            account,
            status: gate.as_ref().map(|gate| gate.status),
            has_password: gate.is_some_and(|gate| !gate.sealed_credential.is_empty()),
            claimed_at: person.as_ref().map(|person| person.claimed_at),
            default_organization: person.and_then(|person| person.default_organization),
            details,
            questions: answers.map_or_else(Vec::new, |answers| answers.value.questions),
            recovery_codes: codes
                .iter()
                .map(|code| (code.kind, code.issued_at))
                .collect(),
            sessions,
        })
    }

    async fn values<T: Stored>(&self, keys: &[Key]) -> Result<Vec<T>> {
        let mut values = Vec::new();
        for key in keys {
            values.extend(self.read::<T>(key).await?.map(|read| read.value));
        }
        Ok(values)
    }
}

impl From<SourceRow> for ExportedRow {
    fn from(row: SourceRow) -> Self {
        Self {
            organization: row.organization,
            state: row.state,
        }
    }
}
