//! Who is logged in, read afresh for every use.

use super::{Asker, CONTENTION_MAX, Portal, VerifiedSession, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{
    AccountId, EntryDetails, EntryKey, OrganizationId, Person, Profile, RosterEntry,
};
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
    /// [`Refusal::NotPermitted`] if the person does not belong to it; the session is no longer live; or
    /// the store did not answer.
    pub async fn set_default_organization(
        &self,
        session: &VerifiedSession,
        organization: &OrganizationId,
        asker: &Asker,
    ) -> Result<()> {
        let account = session.account();
        for _ in 0..CONTENTION_MAX {
            let (_, entry) = self.own_entry(session).await?;
            if !entry
                .memberships
                .iter()
                .any(|m| &m.organization == organization)
            {
                return Err(Refusal::NotPermitted.into());
            }
            let Some(person) = self.read::<Person>(&person_key(account)).await? else {
                return Err(Refusal::NotLoggedIn.into());
            };
            let judged = self.judge_again(session).await?;
            let chosen = Person {
                default_organization: Some(organization.clone()),
                ..person.value
            };
            let mut changes = ChangeSet::new();
            changes.expect(gate_key(account), judged.gate.version);
            changes.expect(family_key(session.selector()), judged.family.version);
            put(
                &mut changes,
                person_key(account),
                &chosen,
                Some(person.version),
            );
            let detail = "default_organization";
            let now = self.now();
            self.audit(
                &mut changes,
                now,
                EventKind::DetailsChanged,
                Some(account),
                asker,
                detail,
            )?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    pub(super) async fn profile_from(
        &self,
        account: AccountId,
        key: &EntryKey,
        entry: &RosterEntry,
    ) -> Result<Profile> {
        let details = self.open_details(key, entry)?;
        let person = self.read::<Person>(&person_key(account)).await?;
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
