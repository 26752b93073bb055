//! A person whom no roster lists: prepared by hand, and claimed with a code like everybody else.

use std::borrow::Cow;

use super::roster_import::Row;
use super::roster_row::Plan;
use super::{Asker, CONTENTION_MAX, IssuedClaimCode, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::roster::{Place, RosterPerson};
use crate::model::{
    Birthdate, InvalidInput, LoginId, Membership, Organization, OrganizationId, OrganizationKind,
    Role, RosterEntry, Timestamp,
};
use crate::rules::claim::parse_name;
use crate::rules::text::tidy;
use crate::store::records::{Erased, RowState, SourceRow, entry_key, erased_key, organization_key};
use crate::store::{ChangeSet, Commit};

/// The source of who was prepared by hand: imports of other sources leave them alone.
pub const BY_HAND: &str = "by hand";

/// A person to prepare.
#[derive(Debug)]
pub struct NewPerson {
    /// The student number.
    pub login_id: LoginId,
    given_name: String,
    family_name: String,
    /// Absent: claims with the code alone.
    pub birthdate: Option<Birthdate>,
    /// Where the person belongs, and lands.
    pub organization: OrganizationId,
    /// What the organization is called, where it is to be made if it is not there.
    pub organization_name: Option<String>,
    /// As what the person belongs there.
    pub role: Role,
}

impl NewPerson {
    /// A person of an organization that is there, without a birthdate.
    ///
    /// # Errors
    /// A name that is none, with what to do.
    pub fn new(
        login_id: LoginId,
        given_name: &str,
        family_name: &str,
        organization: OrganizationId,
        role: Role,
    ) -> Result<Self, InvalidInput> {
        Ok(Self {
            login_id,
            given_name: parse_name(given_name, InvalidInput("a first name is needed"))?,
            family_name: parse_name(family_name, InvalidInput("a last name is needed"))?,
            birthdate: None,
            organization,
            organization_name: None,
            role,
        })
    }
}

/// What preparing a person came to.
#[derive(Debug)]
pub enum CreatedPerson {
    /// The person can claim: with this code at once.
    Created {
        /// For the person, shown once.
        code: IssuedClaimCode,
        /// Whether the organization was made with it.
        organization_made: bool,
    },
    /// The number is somebody's already.
    Taken,
    /// The number was somebody's who was erased then: [`Portal::readmit_number`] comes first.
    Erased(Timestamp),
    /// There is no such organization, and no name to make it with.
    NoOrganization,
}

impl Portal {
    /// Prepares a person by hand, with the code to claim by, in one commit.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn create_person(&self, new: &NewPerson, asker: &Asker) -> Result<CreatedPerson> {
        let key = self.entry_key(&new.login_id)?;
        let person = roster_person(new);
        let row_key = self.source_key(BY_HAND, &person.source_id)?;
        let row = Row {
            person: Cow::Borrowed(&person),
            birthdate_kept: false,
            of_delta: false,
        };
        for _ in 0..CONTENTION_MAX {
            let before = self.read::<RosterEntry>(&entry_key(&key)).await?;
            if before.is_some() {
                return Ok(CreatedPerson::Taken);
            }
            if let Some(erased) = self.read::<Erased>(&erased_key(&key.0)).await? {
                return Ok(CreatedPerson::Erased(erased.value.at));
            }
            let mut changes = ChangeSet::new();
            let place = organization_key(&new.organization);
            let there = self.read::<Organization>(&place).await?;
            match (&there, &new.organization_name) {
                (Some(there), _) => {
                    changes.expect(place, there.version);
                }
                (None, Some(name)) => put(&mut changes, place, &organization(new, name), None),
                (None, None) => return Ok(CreatedPerson::NoOrganization),
            }
            let entry = self.entry_of(BY_HAND, &row, &key, None)?;
            let mut plan = Plan::default();
            self.write_entry(&mut plan, &key, None, entry.clone())
                .await?;
            let (of_entry, _) = Plan::merged(vec![plan]);
            changes.extend(of_entry);
            let kept = SourceRow {
                entry: key,
                row_digest: self.row_digest(&row, false, false)?,
                organization: new.organization.clone(),
                state: RowState::Listed,
            };
            let row_before = self.read::<SourceRow>(&row_key).await?;
            let version = row_before.map(|row| row.version);
            put(&mut changes, row_key.clone(), &kept, version);
            let now = self.now();
            let code = self.put_claim_code(&mut changes, &key, &entry, now).await?;
            let detail = format!("role={}", new.role.code());
            let kind = EventKind::PersonCreated;
            self.audit(&mut changes, now, kind, None, asker, &detail)?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(CreatedPerson::Created {
                    code,
                    organization_made: there.is_none(),
                });
            }
        }
        contended()
    }
}

fn roster_person(new: &NewPerson) -> RosterPerson {
    RosterPerson {
        source_id: new.login_id.as_str().to_owned(),
        login_id: new.login_id.clone(),
        given_name: new.given_name.clone(),
        family_name: new.family_name.clone(),
        preferred_given_name: None,
        preferred_family_name: None,
        birthdate: new.birthdate,
        memberships: vec![Membership {
            organization: new.organization.clone(),
            role: new.role.clone(),
        }],
        default_organization: new.organization.clone(),
        enabled: true,
        place: Place::default(),
    }
}

/// Bound to no source: the first roster that lists it has it.
fn organization(new: &NewPerson, name: &str) -> Organization {
    Organization {
        id: new.organization.clone(),
        name: tidy(name),
        kind: OrganizationKind::School,
        parent: None,
        contacts: Vec::new(),
    }
}
