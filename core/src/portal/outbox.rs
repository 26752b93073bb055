//! What people are told: committed with the change it tells of, delivered at least once by whoever
//! empties the outbox, and shown at the next log-in where there is no other way.

use std::time::Duration;

use super::{Asker, CONTENTION_MAX, Portal, VerifiedSession, contended, put};
use crate::error::{Error, Result};
use crate::model::{
    AccountId, EntryKey, Message, MessageKind, Now, OrganizationId, Person, RosterEntry,
};
use crate::rules::attempts::window_start;
use crate::store::records::{
    Stored, budget_cell, entry_key, family_key, gate_key, message_key, message_prefix, outbox_key,
    person_key,
};
use crate::store::{ChangeSet, Commit, Key, Space};

/// Messages handed out in one call, and shown to one person at once.
pub const MESSAGES_MAX: u32 = 64;
/// Messages of one account that leave in an hour. What is beyond is shown at the next log-in: who logs in
/// again and again fills nobody's mailbox.
const SENT_IN_AN_HOUR_MAX: u64 = 6;
/// Of these, those of new browsers.
const NEW_BROWSERS_IN_AN_HOUR_MAX: u64 = 1;
const HOUR: Duration = Duration::from_secs(3600);
/// The longest description of a browser in a message, in characters.
const BROWSER_CHARS_MAX: usize = 80;

/// One message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Names the message: the same for every delivery of it.
    pub id: String,
    /// What to tell.
    pub message: Message,
    /// First Name, as the roster has it: what somebody typed as their name is not for our letters.
    pub given_name: String,
    /// Where the person can be reached, if that is known.
    pub address: Option<String>,
    /// The language the person chose, a tag as in HTML's `lang`.
    pub language: Option<String>,
    /// The organizations of the person.
    pub organizations: Vec<OrganizationId>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Somebody took it.
    Delivered,
    /// Nobody can be reached: it is shown at the next log-in instead, where its kind is.
    ShowAtLogIn,
}

impl Portal {
    /// Adds a message to the change set it tells of: to the outbox, or for the next log-in where there
    /// is no channel, or too much has gone through it.
    pub(super) async fn tell(
        &self,
        changes: &mut ChangeSet,
        account: AccountId,
        kind: MessageKind,
        asker: &Asker,
        now: Now,
    ) -> Result<()> {
        let message = Message {
            account,
            kind,
            at: now.latest,
            browser: asker.client_label.chars().take(BROWSER_CHARS_MAX).collect(),
        };
        let random = self.random()?;
        if self.policy().messages.deliver && self.may_send(changes, account, kind, now).await? {
            put(changes, outbox_key(now.latest, random), &message, None);
        } else if kind.is_told_at_log_in() {
            put(
                changes,
                message_key(account, now.latest, random),
                &message,
                None,
            );
        }
        Ok(())
    }

    /// Whether one more may leave in this hour, which is then counted. Two that fall together may both.
    async fn may_send(
        &self,
        changes: &mut ChangeSet,
        account: AccountId,
        kind: MessageKind,
        now: Now,
    ) -> Result<bool> {
        let window = window_start(now, HOUR);
        let whose = data_encoding::HEXLOWER.encode(&self.tag(&[b"told", account.as_bytes()])?);
        let mut cells = vec![(budget_cell(window, "told", &whose), SENT_IN_AN_HOUR_MAX)];
        if kind == MessageKind::NewBrowser {
            let cell = budget_cell(window, "told-new-browser", &whose);
            cells.push((cell, NEW_BROWSERS_IN_AN_HOUR_MAX));
        }
        for (cell, max) in &cells {
            if self.store().read_cell(cell).await? >= *max {
                return Ok(false);
            }
        }
        for (cell, _) in cells {
            changes.add(cell, 1, None);
        }
        Ok(true)
    }

    /// The oldest messages on their way out, after the one named `after`. Deliver each, then settle it:
    /// a crash in between delivers it again.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn outbox(&self, after: Option<&str>) -> Result<Vec<Outgoing>> {
        let mut after = after.map(str::to_owned);
        let mut outgoing = Vec::new();
        loop {
            let keys = self
                .store()
                .scan(Space::Records, "outbox/", after.as_deref(), MESSAGES_MAX)
                .await?;
            let Some(last) = keys.last() else {
                return Ok(outgoing);
            };
            after = Some(last.path().to_owned());
            for key in &keys {
                match self.outgoing(key).await {
                    Ok(message) => outgoing.extend(message),
                    // What is not understood is left alone, and keeps nothing else from leaving.
                    Err(Error::Record(_) | Error::Key(_)) => {}
                    Err(error) => return Err(error),
                }
                if outgoing.len() == MESSAGES_MAX as usize {
                    return Ok(outgoing);
                }
            }
        }
    }

    async fn outgoing(&self, key: &Key) -> Result<Option<Outgoing>> {
        let Some(message) = self.read::<Message>(key).await? else {
            return Ok(None);
        };
        let message = message.value;
        let mut outgoing = Outgoing {
            id: key.path().to_owned(),
            given_name: String::new(),
            address: None,
            language: None,
            organizations: Vec::new(),
            message,
        };
        let account = outgoing.message.account;
        let Some(person) = self.read::<Person>(&person_key(account)).await? else {
            return Ok(Some(outgoing));
        };
        let entry: EntryKey = person.value.entry;
        if let Some(listed) = self.read::<RosterEntry>(&entry_key(&entry)).await? {
            let profile = self.profile_from(account, &entry, &listed.value).await?;
            outgoing.given_name = profile.given_name;
            outgoing.address = profile.details.email;
            outgoing.language = profile.details.language;
            let organizations = profile.memberships.into_iter().map(|m| m.organization);
            outgoing.organizations = organizations.collect();
            outgoing.organizations.dedup();
        }
        Ok(Some(outgoing))
    }

    /// Takes a message out of the outbox.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn settle_message(&self, id: &str, delivery: Delivery) -> Result<()> {
        let key = Key::record(id);
        for _ in 0..CONTENTION_MAX {
            let message = match id.starts_with("outbox/") {
                true => self.read::<Message>(&key).await?,
                false => None,
            };
            let Some(message) = message else {
                return Ok(());
            };
            let told = message.value;
            let mut changes = ChangeSet::new();
            changes.delete(key.clone(), message.version);
            if delivery == Delivery::ShowAtLogIn && told.kind.is_told_at_log_in() {
                let kept = message_key(told.account, told.at, self.random()?);
                put(&mut changes, kept, &told, None);
            }
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    /// What happened to the account since the person last put it away, oldest first.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn messages(&self, session: &VerifiedSession) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for key in self.message_keys(session.account()).await? {
            if let Some(message) = self.read::<Message>(&key).await? {
                messages.push(message.value);
            }
        }
        Ok(messages)
    }

    /// The person has seen the messages: they are put away.
    ///
    /// # Errors
    /// The session is no longer live, or the store did not answer.
    pub async fn put_messages_away(&self, session: &VerifiedSession) -> Result<()> {
        let account = session.account();
        for _ in 0..CONTENTION_MAX {
            let judged = self.judge_again(session).await?;
            let mut changes = ChangeSet::new();
            changes.expect(gate_key(account), judged.gate.version);
            changes.expect(family_key(session.selector()), judged.family.version);
            for key in self.message_keys(account).await? {
                if let Some((_, version)) = self.store().get(&key).await? {
                    changes.delete(key, version);
                }
            }
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    async fn message_keys(&self, account: AccountId) -> Result<Vec<Key>> {
        let prefix = message_prefix(account);
        Ok(self
            .store()
            .scan(Space::Records, &prefix, None, MESSAGES_MAX)
            .await?)
    }

    /// Drops messages that nobody took, or nobody looked at, for `retention.messages`.
    pub(super) async fn sweep_messages(&self) -> Result<()> {
        let oldest = self.now().latest.minus(self.policy().retention.messages);
        let limit = outbox_key(oldest, [0; 8]);
        let keys = self.page("outbox/", None).await?;
        let mut changes = ChangeSet::new();
        for key in keys.into_iter().filter(|key| key.path() < limit.path()) {
            if let Some((_, version)) = self.store().get(&key).await? {
                changes.delete(key, version);
            }
        }
        let cursor = self.cursor(|cursors| cursors.messages.clone());
        let keys = self.page("message/", cursor.as_deref()).await?;
        let next = super::maintenance::next_cursor(&keys);
        self.cursor(|cursors| cursors.messages = next);
        for key in keys {
            if let Some((record, version)) = self.store().get(&key).await?
                && Message::decode(&record).is_ok_and(|message| message.at < oldest)
            {
                changes.delete(key, version);
            }
        }
        // A conflict leaves them to a later sweep.
        self.commit(changes).await?;
        Ok(())
    }
}
