//! Who is logged in, read afresh for every use.

use super::{Asker, CONTENTION_MAX, Portal, VerifiedSession, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{
    AccountId, EntryDetails, EntryKey, OrganizationId, Person, PersonDetails, Profile, RosterEntry,
};
use crate::rules::details::{DetailsChange, reaches_elsewhere};
use crate::store::records::{Stored, family_key, gate_key, person_key};
use crate::store::{ChangeSet, Commit, Record};

impl Portal {
    /// Names, number and memberships of who is logged in.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] if the person is gone, or the store did not answer.
    pub async fn profile(&self, session: &VerifiedSession) -> Result<Profile> {
        let (key, entry) = self.own_entry(session).await?;
        self.profile_from(session.account(), &key, &entry).await
    }

    /// Chooses the organization that `/` leads to.
    ///
    /// # Errors
    /// As [`Self::change_details`].
    pub async fn set_default_organization(
        &self,
        session: &VerifiedSession,
        organization: &OrganizationId,
        asker: &Asker,
    ) -> Result<()> {
        let change = DetailsChange::default_organization(organization.clone());
        self.change_details(session, &change, asker).await
    }

    /// Changes what the roster does not own (S17).
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`] if the person does not belong to the organization;
    /// [`Refusal::ReauthenticationNeeded`] for another mail address or phone number without a fresh
    /// log-in; the session is no longer live; or the store did not answer.
    pub async fn change_details(
        &self,
        session: &VerifiedSession,
        change: &DetailsChange,
        asker: &Asker,
    ) -> Result<()> {
        let account = session.account();
        for _ in 0..CONTENTION_MAX {
            let (_, entry) = self.own_entry(session).await?;
            let belongs =
                |id: &OrganizationId| entry.memberships.iter().any(|m| &m.organization == id);
            if !change.default_organization.iter().all(belongs) {
                return Err(Refusal::NotPermitted.into());
            }
            let Some(person) = self.read::<Person>(&person_key(account)).await? else {
                return Err(Refusal::NotLoggedIn.into());
            };
            let before = self.open_person_details(account, &person.value)?;
            let after = change.applied_to(before.clone());
            if reaches_elsewhere(&before, &after) {
                self.fresh(session)?;
            }
            let judged = self.judge_again(session).await?;
            let lands_at = &person.value.default_organization;
            let chosen = change.default_organization.as_ref().or(lands_at.as_ref());
            let what = match (before != after, chosen != lands_at.as_ref()) {
                (true, _) => "details",
                (false, true) => "default_organization",
                (false, false) => return Ok(()),
            };
            let changed = Person {
                default_organization: chosen.cloned(),
                details: self.seal_person_details(account, &after)?,
                ..person.value
            };
            let mut changes = ChangeSet::new();
            changes.expect(gate_key(account), judged.gate.version);
            changes.expect(family_key(session.selector()), judged.family.version);
            let version = Some(person.version);
            put(&mut changes, person_key(account), &changed, version);
            let (kind, now) = (EventKind::DetailsChanged, self.now());
            self.audit(&mut changes, now, kind, Some(account), asker, what)?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    /// Bound to the account: what is sealed for one does not open for another.
    pub(super) fn open_person_details(
        &self,
        account: AccountId,
        person: &Person,
    ) -> Result<PersonDetails> {
        if person.details.is_empty() {
            return Ok(PersonDetails::default());
        }
        let context = [b"person".as_slice(), account.as_bytes()];
        let opened = self
            .keys()
            .open(KeyPurpose::Details, &context, &person.details)?;
        Ok(PersonDetails::decode(&Record(opened.to_vec()))?)
    }

    pub(super) fn seal_person_details(
        &self,
        account: AccountId,
        details: &PersonDetails,
    ) -> Result<Vec<u8>> {
        if *details == PersonDetails::default() {
            return Ok(Vec::new());
        }
        let context = [b"person".as_slice(), account.as_bytes()];
        let bytes = details.encode();
        Ok(self
            .keys()
            .seal(KeyPurpose::Details, &context, &bytes.0, self.entropy())?)
    }

    pub(super) async fn profile_from(
        &self,
        account: AccountId,
        key: &EntryKey,
        entry: &RosterEntry,
    ) -> Result<Profile> {
        let details = self.open_details(key, entry)?;
        let person = self.read::<Person>(&person_key(account)).await?;
        let own = match &person {
            Some(person) => self.open_person_details(account, &person.value)?,
            None => PersonDetails::default(),
        };
        let chosen = person.and_then(|person| person.value.default_organization);
        let belongs = |id: &OrganizationId| entry.memberships.iter().any(|m| &m.organization == id);
        let default_organization = [chosen, Some(entry.default_organization.clone())]
            .into_iter()
            .flatten()
            .find(belongs)
            .or_else(|| entry.memberships.first().map(|m| m.organization.clone()));
        Ok(Profile {
            account,
            login_id: details.login_id,
            given_name: details.preferred_given_name.unwrap_or(details.given_name),
            family_name: details.preferred_family_name.unwrap_or(details.family_name),
            memberships: entry.memberships.clone(),
            default_organization,
            details: own,
        })
    }

    /// Bound to the entry's own key: what is sealed for one entry does not open for another.
    pub(super) fn open_details(&self, key: &EntryKey, entry: &RosterEntry) -> Result<EntryDetails> {
        let context = [b"entry".as_slice(), &key.0];
        let opened = self
            .keys()
            .open(KeyPurpose::Details, &context, &entry.details)?;
        Ok(EntryDetails::decode(&Record(opened.to_vec()))?)
    }

    pub(super) fn seal_details(&self, key: &EntryKey, details: &EntryDetails) -> Result<Vec<u8>> {
        let context = [b"entry".as_slice(), &key.0];
        let bytes = details.encode();
        Ok(self
            .keys()
            .seal(KeyPurpose::Details, &context, &bytes.0, self.entropy())?)
    }
}
