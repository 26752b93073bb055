//! Sources and their organizations: what one source has listed, no other one touches.

use std::collections::{BTreeMap, BTreeSet};

use super::roster_import::Import;
use super::{CONTENTION_MAX, Portal, contended, put};
use crate::error::Result;
use crate::model::roster::{MembershipChange, RosterOrganization};
use crate::model::{Membership, Organization, OrganizationId};
use crate::rules::roster_findings as findings;
use crate::rules::staff::ORGANIZATIONS_ABOVE_MAX;
use crate::store::records::{OrganizationSource, organization_key, organization_source_key};
use crate::store::{ChangeSet, Commit};

impl Portal {
    /// Keeps the organizations of the batch, binds new ones to its source, and notes those that are
    /// another source's.
    pub(super) async fn bind_organizations(&self, import: &mut Import<'_>) -> Result<()> {
        let batch = import.batch;
        let listed: BTreeMap<&OrganizationId, &RosterOrganization> =
            batch.organizations.iter().map(|o| (&o.id, o)).collect();
        let of_people = batch.people.iter().flat_map(|person| &person.memberships);
        let of_changes = batch
            .changes
            .iter()
            .flat_map(|change| match &change.memberships {
                MembershipChange::Are(all) => all,
                MembershipChange::Adjust { joined, .. } => joined,
            });
        let named = of_people
            .chain(of_changes)
            .map(|Membership { organization, .. }| organization);
        let named: BTreeSet<&OrganizationId> = named.collect();
        self.reach_new_organizations(import, &listed).await?;
        let all: BTreeSet<&OrganizationId> = listed.keys().chain(&named).copied().collect();
        for id in all {
            if !import.reaches(id) {
                if named.contains(id) {
                    import.tell(findings::organization_out_of_reach(id));
                }
                import.foreign.insert(id.clone());
                continue;
            }
            self.bind(import, id, listed.get(id).copied()).await?;
        }
        Ok(())
    }

    /// Who tends a district may add organizations below it that nobody knows yet.
    async fn reach_new_organizations(
        &self,
        import: &mut Import<'_>,
        listed: &BTreeMap<&OrganizationId, &RosterOrganization>,
    ) -> Result<()> {
        let Some(mut scope) = import.scope.take() else {
            return Ok(());
        };
        for _ in 0..ORGANIZATIONS_ABOVE_MAX {
            let before = scope.tended.len();
            for organization in listed.values() {
                let parent = organization.parent.as_ref();
                let below = parent.is_some_and(|parent| scope.tended.contains(parent));
                if !below || scope.served.contains(&organization.id) {
                    continue;
                }
                if self.organization(&organization.id).await?.is_none() {
                    scope.tended.insert(organization.id.clone());
                    scope.served.insert(organization.id.clone());
                }
            }
            if scope.tended.len() == before {
                break;
            }
        }
        import.scope = Some(scope);
        Ok(())
    }

    async fn bind(
        &self,
        import: &mut Import<'_>,
        id: &OrganizationId,
        listed: Option<&RosterOrganization>,
    ) -> Result<()> {
        for _ in 0..CONTENTION_MAX {
            let source = self
                .read::<OrganizationSource>(&organization_source_key(id))
                .await?;
            let before = self.read::<Organization>(&organization_key(id)).await?;
            if let Some(owner) = source.as_ref().map(|source| &source.value.source)
                && *owner != import.batch.source
            {
                import.tell(findings::organization_of_another_source(id, owner));
                import.foreign.insert(id.clone());
                return Ok(());
            }
            let mut changes = ChangeSet::new();
            match (listed, &before) {
                (None, None) => {
                    import.tell(findings::organization_unknown(id));
                    import.foreign.insert(id.clone());
                    return Ok(());
                }
                (None, Some(_)) => {}
                (Some(listed), before) => {
                    let now = organization(listed, before.as_ref().map(|b| &b.value), import);
                    if before.as_ref().is_none_or(|before| before.value != now) {
                        let version = before.as_ref().map(|before| before.version);
                        put(&mut changes, organization_key(id), &now, version);
                    }
                }
            }
            if source.is_none() {
                let bound = OrganizationSource {
                    source: import.batch.source.clone(),
                    bound_at: self.now().latest,
                };
                put(&mut changes, organization_source_key(id), &bound, None);
            }
            let nothing = changes.is_empty() || import.options.dry_run;
            if nothing || import.commit(self, changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    /// The sources that have listed organizations, and how many are theirs.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn roster_sources(&self) -> Result<BTreeMap<String, usize>> {
        let mut sources = BTreeMap::new();
        for key in self.keys_with_prefix("organization-source/").await? {
            if let Some(bound) = self.read::<OrganizationSource>(&key).await? {
                *sources.entry(bound.value.source).or_default() += 1;
            }
        }
        Ok(sources)
    }
}

/// An organization as it will be kept. A delta names the humans to write to only where they changed.
fn organization(
    listed: &RosterOrganization,
    before: Option<&Organization>,
    import: &Import<'_>,
) -> Organization {
    let silent = !import.batch.complete && listed.contacts.is_empty();
    let contacts = match before {
        Some(before) if silent => &before.contacts,
        _ => &listed.contacts,
    };
    Organization {
        id: listed.id.clone(),
        name: listed.name.clone(),
        kind: listed.kind,
        parent: listed.parent.clone(),
        contacts: contacts.clone(),
    }
}
