//! Every place that tells of one person. What `person export` shows and what `person erase` removes is
//! found by the same search, so that neither knows of a place that the other has forgotten.

use std::collections::BTreeSet;

use super::Portal;
use super::attempts::AttemptKind;
use crate::error::Result;
use crate::event::AuditEvent;
use crate::model::{AccountId, EntryKey, Message, Recovery, RosterEntry, Selector, Ticket};
use crate::store::records::{
    SourceRow, Stored, account_families, answers_key, claim_code_key, known_lanes_of,
    message_prefix,
};
use crate::store::{Key, Space};

/// Events read at a time.
const PAGE: u32 = 512;

/// Who a person is in the store: the numbers they have and had, and their accounts.
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) entries: BTreeSet<EntryKey>,
    pub(super) accounts: BTreeSet<AccountId>,
    /// The row of the source that lists the person.
    pub(super) own_row: Option<Key>,
}

/// Where records, cells and events tell of a person, besides who they are.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// Families, ended ones included.
    pub(super) families: Vec<(AccountId, Selector)>,
    /// Lanes that are there, by kind.
    pub(super) lanes: Vec<(&'static str, Key)>,
    /// Lanes of browsers that know the person.
    pub(super) known: Vec<Key>,
    pub(super) claim_codes: Vec<Key>,
    pub(super) tickets: Vec<Key>,
    pub(super) recoveries: Vec<Key>,
    /// Messages for the next log-in, and those on their way out.
    pub(super) messages: Vec<Key>,
    pub(super) answers: Vec<Key>,
    /// Rows of sources that point at an entry.
    pub(super) rows: Vec<Key>,
    /// What the audit tells of the accounts.
    pub(super) events: Vec<Key>,
}

impl Traces {
    /// Every record among them but the families.
    pub(super) fn records(&self) -> Vec<Key> {
        let lanes = self.lanes.iter().map(|(_, key)| key);
        let others = [
            &self.known,
            &self.claim_codes,
            &self.tickets,
            &self.recoveries,
            &self.messages,
            &self.answers,
            &self.rows,
        ];
        lanes.chain(others.into_iter().flatten()).cloned().collect()
    }
}

impl Portal {
    /// Who the person of `entry` is: the entries of the same account or the same row of a source, under
    /// whatever number.
    pub(super) async fn identity(&self, key: &EntryKey, entry: &RosterEntry) -> Result<Identity> {
        let own = self.open_details(key, entry)?;
        let mut all = Vec::new();
        for path in self.keys_with_prefix("entry/").await? {
            let (Some(other), Some(found)) = (
                path.path()
                    .strip_prefix("entry/")
                    .and_then(EntryKey::from_hex),
                self.read::<RosterEntry>(&path).await?,
            ) else {
                continue;
            };
            let details = self.open_details(&other, &found.value)?;
            let same_row = details.source == own.source && details.source_id == own.source_id;
            all.push((other, found.value.account, same_row || other == *key));
        }
        let accounts: BTreeSet<AccountId> = all
            .iter()
            .filter(|(_, _, same)| *same)
            .filter_map(|(_, account, _)| *account)
            .collect();
        let entries = all.into_iter().filter(|(_, account, same)| {
            *same || account.is_some_and(|account| accounts.contains(&account))
        });
        Ok(Identity {
            entries: entries.map(|(key, _, _)| key).collect(),
            own_row: Some(self.source_key(&own.source, &own.source_id)?),
            accounts,
        })
    }

    /// Everything that tells of who `identity` is. Reads the whole store: for a command.
    pub(super) async fn traces(&self, identity: &Identity) -> Result<Traces> {
        let Identity {
            entries, accounts, ..
        } = identity;
        let mut traces = Traces::default();
        for entry in entries {
            let mut lanes = BTreeSet::new();
            for kind in AttemptKind::ALL {
                let lane = self.lane_key(kind, entry, true)?;
                if lanes.insert(lane.clone()) && self.store().get(&lane).await?.is_some() {
                    traces.lanes.push((kind.lane(), lane));
                }
            }
            let known = known_lanes_of(entry);
            traces.known.extend(self.keys_with_prefix(&known).await?);
            let code = claim_code_key(entry);
            if self.store().get(&code).await?.is_some() {
                traces.claim_codes.push(code);
            }
        }
        for account in accounts {
            traces
                .families
                .extend(self.families_on_record(*account).await?);
            let answers = answers_key(*account);
            if self.store().get(&answers).await?.is_some() {
                traces.answers.push(answers);
            }
            let messages = self.keys_with_prefix(&message_prefix(*account)).await?;
            traces.messages.extend(messages);
        }
        let outbox = self.among("outbox/", |message: &Message| {
            accounts.contains(&message.account)
        });
        traces.messages.extend(outbox.await?);
        let tickets = self.among("ticket/", |ticket: &Ticket| entries.contains(&ticket.entry));
        traces.tickets = tickets.await?;
        let recoveries = self.among("recovery/", |recovery: &Recovery| {
            accounts.contains(&recovery.account) || entries.contains(&recovery.entry)
        });
        traces.recoveries = recoveries.await?;
        let rows = self.among("source/", |row: &SourceRow| entries.contains(&row.entry));
        traces.rows = rows.await?;
        traces.events = self.events_of(accounts).await?;
        Ok(traces)
    }

    async fn families_on_record(&self, account: AccountId) -> Result<Vec<(AccountId, Selector)>> {
        let prefix = account_families(account);
        let keys = self.keys_with_prefix(&prefix).await?;
        let hex = keys
            .iter()
            .filter_map(|key| key.path().strip_prefix(&prefix));
        Ok(hex
            .filter_map(Selector::from_hex)
            .map(|selector| (account, selector))
            .collect())
    }

    /// The records under `prefix` that are of the person. One that is not understood is nobody's.
    async fn among<T: Stored>(
        &self,
        prefix: &str,
        is_of: impl Fn(&T) -> bool + Send,
    ) -> Result<Vec<Key>> {
        let mut found = Vec::new();
        for key in self.keys_with_prefix(prefix).await? {
            let record = self.store().get(&key).await?;
            let value = record.and_then(|(record, _)| T::decode(&record).ok());
            if value.is_some_and(|value| is_of(&value)) {
                found.push(key);
            }
        }
        Ok(found)
    }

    async fn events_of(&self, accounts: &BTreeSet<AccountId>) -> Result<Vec<Key>> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let keys = self
                .store()
                .scan(Space::Events, "", cursor.as_deref(), PAGE)
                .await?;
            let Some(last) = keys.last() else {
                return Ok(found);
            };
            cursor = Some(last.path().to_owned());
            for key in keys {
                let record = self.store().get(&key).await?;
                let event = record.and_then(|(record, _)| AuditEvent::decode(&record).ok());
                let account = event.and_then(|event| event.account);
                if account.is_some_and(|account| accounts.contains(&account)) {
                    found.push(key);
                }
            }
        }
    }
}
