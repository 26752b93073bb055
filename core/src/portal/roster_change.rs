//! The rows of a delta: what they do not mention is taken from what is kept.

use std::borrow::Cow;

use super::Portal;
use super::roster::ImportProgress;
use super::roster_import::{Import, Pending, Row, own_memberships};
use crate::error::Result;
use crate::model::roster::{
    BirthdateChange, Finding, MembershipChange, RosterChange, RosterFacts, RosterPerson,
};
use crate::model::{EntryDetails, Listing, LoginId, Membership, OrganizationId, RosterEntry};
use crate::rules::roster_findings as findings;
use crate::store::Key;
use crate::store::records::{SourceRow, entry_key};

/// A change together with what it leaves as it is.
enum Resolved {
    Person {
        person: RosterPerson,
        birthdate_kept: bool,
    },
    LeftOut(Finding),
}

impl Portal {
    /// Brings in what a delta changes; returns the rows of people it marks as deleted.
    pub(super) async fn import_changes(
        &self,
        import: &mut Import<'_>,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<Vec<Key>> {
        let batch = import.batch;
        let mut gone = Vec::new();
        let mut pending = Pending::default();
        for (done, change) in batch.changes.iter().enumerate() {
            let row_key = self.source_key(&batch.source, &change.source_id)?;
            if change.gone {
                gone.push(row_key);
            } else {
                self.take_change(import, &mut pending, change, row_key)
                    .await?;
            }
            let of = batch.changes.len();
            progress(ImportProgress { done: done + 1, of });
        }
        self.flush(import, &mut pending).await?;
        Ok(gone)
    }

    async fn take_change(
        &self,
        import: &mut Import<'_>,
        pending: &mut Pending<'_>,
        change: &RosterChange,
        row_key: Key,
    ) -> Result<()> {
        let mut row = self.read::<SourceRow>(&row_key).await?;
        let read: Vec<Key> = row.iter().map(|row| entry_key(&row.value.entry)).collect();
        if pending.touches(&read) || pending.touches(std::slice::from_ref(&row_key)) {
            self.flush(import, pending).await?;
            row = self.read::<SourceRow>(&row_key).await?;
        }
        let row = row.map(|row| row.value);
        if !self.may_change(import, row.as_ref()).await? {
            // Before anything of what is kept of them is looked at.
            import.report.left_out += 1;
            import.tell(findings::person_out_of_reach(change.place.clone()));
            return Ok(());
        }
        match self.resolve(change, row.as_ref(), &row_key).await? {
            Resolved::LeftOut(finding) => {
                import.report.left_out += 1;
                import.tell(finding);
            }
            Resolved::Person {
                person,
                birthdate_kept,
            } => {
                if let Some(person) = own_memberships(import, Cow::Owned(person)) {
                    let row = Row {
                        person,
                        birthdate_kept,
                        of_delta: true,
                    };
                    self.take_row(import, pending, row).await?;
                }
            }
        }
        Ok(())
    }

    async fn may_change(&self, import: &Import<'_>, row: Option<&SourceRow>) -> Result<bool> {
        let Some(row) = row.filter(|_| import.scope.is_some()) else {
            return Ok(true);
        };
        let entry = self.read::<RosterEntry>(&entry_key(&row.entry)).await?;
        Ok(import.reaches(&row.organization)
            && entry.is_none_or(|entry| import.reaches_all(&entry.value.memberships)))
    }

    async fn resolve(
        &self,
        change: &RosterChange,
        row: Option<&SourceRow>,
        row_key: &Key,
    ) -> Result<Resolved> {
        let left_out = |finding: fn(&str, _) -> Finding| {
            Resolved::LeftOut(finding(&change.source_id, change.place.clone()))
        };
        let kept = match row {
            Some(row) => self.kept(row, row_key).await?,
            None => None,
        };
        let Some(facts) = facts(change, kept.as_ref()) else {
            return Ok(left_out(findings::change_unknown_person));
        };
        let before = kept.as_ref().map(|(entry, _)| entry);
        let memberships = memberships(&change.memberships, before);
        let Some(first) = memberships.first() else {
            return Ok(left_out(findings::change_without_membership));
        };
        let wished = change
            .default_organization
            .as_ref()
            .or(before.map(|entry| &entry.default_organization));
        let is_member = |id: &OrganizationId| memberships.iter().any(|m| m.organization == *id);
        let default_organization = wished
            .filter(|id| is_member(id))
            .unwrap_or(&first.organization)
            .clone();
        let (birthdate, birthdate_kept) = match &change.birthdate {
            BirthdateChange::Is(birthdate) => (*birthdate, false),
            BirthdateChange::Kept => (None, before.is_some()),
        };
        Ok(Resolved::Person {
            person: RosterPerson {
                source_id: change.source_id.clone(),
                login_id: facts.login_id,
                given_name: facts.given_name,
                family_name: facts.family_name,
                preferred_given_name: facts.preferred_given_name,
                preferred_family_name: facts.preferred_family_name,
                birthdate,
                memberships,
                default_organization,
                enabled: facts.enabled,
                place: change.place.clone(),
            },
            birthdate_kept,
        })
    }

    /// The entry of a row, if it still describes the same person.
    async fn kept(
        &self,
        row: &SourceRow,
        row_key: &Key,
    ) -> Result<Option<(RosterEntry, EntryDetails)>> {
        let Some(entry) = self.read::<RosterEntry>(&entry_key(&row.entry)).await? else {
            return Ok(None);
        };
        if !self.is_owned_by(&row.entry, &entry.value, row_key)? {
            return Ok(None);
        }
        let details = self.open_details(&row.entry, &entry.value)?;
        Ok(Some((entry.value, details)))
    }
}

/// Number, names and access: told, or as they are. `None` for a person nobody has told of.
fn facts(change: &RosterChange, kept: Option<&(RosterEntry, EntryDetails)>) -> Option<RosterFacts> {
    if let Some(told) = &change.facts {
        return Some(told.clone());
    }
    let (entry, details) = kept?;
    Some(RosterFacts {
        login_id: LoginId::parse(&details.login_id).ok()?,
        given_name: details.given_name.clone(),
        family_name: details.family_name.clone(),
        preferred_given_name: details.preferred_given_name.clone(),
        preferred_family_name: details.preferred_family_name.clone(),
        enabled: entry.listing != Listing::Inactive,
    })
}

/// What a person is where, after the change.
fn memberships(change: &MembershipChange, before: Option<&RosterEntry>) -> Vec<Membership> {
    let (joined, left) = match change {
        MembershipChange::Are(all) => return all.clone(),
        MembershipChange::Adjust { joined, left } => (joined, left),
    };
    let before = before.map_or(&[][..], |entry| &entry.memberships);
    let mut now: Vec<Membership> = before.iter().chain(joined).cloned().collect();
    now.retain(|membership| joined.contains(membership) || !left.contains(membership));
    now.sort_unstable();
    now.dedup();
    now
}
