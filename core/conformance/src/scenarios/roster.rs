//! The people a scenario starts from: plain data, changed by its imports.

use std::collections::BTreeMap;

use narthex_core::model::roster::{
    Place, RosterBatch, RosterChange, RosterOrganization, RosterPerson,
};
use narthex_core::model::{Contact, Membership, OrganizationId, OrganizationKind, Role};
use narthex_core::{Birthdate, LoginId};
use serde::Deserialize;
use serde_json::{Map, Value};

const TWO_SCHOOLS: &str = include_str!("../../scenarios/rosters/two-schools.json");

/// A fixture as it stands after the imports so far.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    organizations: Vec<Organization>,
    people: BTreeMap<String, Map<String, Value>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Organization {
    id: String,
    name: String,
    contacts: Vec<Human>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Human {
    name: String,
    role: String,
}

/// A person of a fixture, and what they type.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixturePerson {
    /// The source's own key of this person.
    pub source_id: String,
    /// The student number.
    pub login_id: String,
    /// First Name.
    pub given_name: String,
    /// Last Name.
    pub family_name: String,
    /// Another first name the person goes by.
    pub preferred_given_name: Option<String>,
    /// `YYYY-MM-DD`; absent: not in the roster.
    pub birthdate: Option<String>,
    /// `[organization, role]`.
    pub memberships: Vec<(String, String)>,
    /// Where the first log-in leads.
    pub default_organization: String,
    /// Whether access is curtailed in the source.
    #[serde(default)]
    pub disabled: bool,
    /// The password they choose where a step names none.
    #[serde(default)]
    pub password: String,
    /// The answers they give where a step names none.
    #[serde(default)]
    pub answers: Vec<(String, String)>,
}

impl Roster {
    /// A fixture by its name.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn named(name: &str) -> Result<Self, String> {
        let text = match name {
            "two-schools" => TWO_SCHOOLS,
            other => return Err(format!("there is no roster {other:?}")),
        };
        serde_json::from_str(text).map_err(|error| format!("roster {name}: {error}"))
    }

    /// A person by the short name scenarios use.
    ///
    /// # Errors
    /// Nobody has it, or the data about them cannot be read.
    pub fn person(&self, who: &str) -> Result<FixturePerson, String> {
        let person = self
            .people
            .get(who)
            .ok_or_else(|| format!("nobody is called {who:?}"))?;
        serde_json::from_value(Value::Object(person.clone()))
            .map_err(|error| format!("{who}: {error}"))
    }

    /// Changes facts of people, and adds who is new.
    pub fn change(&mut self, people: &BTreeMap<String, Map<String, Value>>) {
        for (who, facts) in people {
            let person = self.people.entry(who.clone()).or_default();
            person.extend(facts.clone());
        }
    }

    /// A complete reading of the fixture, without who is `missing` from it.
    ///
    /// # Errors
    /// The fixture cannot be read.
    pub fn batch(&self, missing: &[String]) -> Result<RosterBatch, String> {
        let mut batch = RosterBatch {
            source: "fixture".to_owned(),
            complete: true,
            ..RosterBatch::default()
        };
        for organization in &self.organizations {
            batch.organizations.push(organization.listed()?);
        }
        for (line, who) in (2_u64..).zip(self.people.keys()) {
            if !missing.contains(who) {
                let person = self.person(who)?;
                let listed = person
                    .listed(line)
                    .map_err(|error| format!("{who}: {error}"))?;
                batch.people.push(listed);
            }
        }
        Ok(batch)
    }

    /// A delta that lists only `changed`, and marks who is `gone` as deleted.
    ///
    /// # Errors
    /// The fixture cannot be read.
    pub fn delta<'n>(
        &self,
        changed: impl Iterator<Item = &'n String>,
        gone: &[String],
    ) -> Result<RosterBatch, String> {
        let mut batch = RosterBatch {
            source: "fixture".to_owned(),
            ..RosterBatch::default()
        };
        let gone = gone.iter().map(|who| (who, true));
        for (line, (who, gone)) in (2_u64..).zip(changed.map(|who| (who, false)).chain(gone)) {
            let person = self.person(who)?;
            let listed = person
                .listed(line)
                .map_err(|error| format!("{who}: {error}"))?;
            batch.changes.push(RosterChange {
                gone,
                ..RosterChange::from(listed)
            });
        }
        Ok(batch)
    }
}

impl Organization {
    fn listed(&self) -> Result<RosterOrganization, String> {
        let contacts = self.contacts.iter().map(|human| Contact {
            name: human.name.clone(),
            role: human.role.clone(),
            email: None,
        });
        Ok(RosterOrganization {
            id: organization(&self.id)?,
            name: self.name.clone(),
            kind: OrganizationKind::School,
            parent: None,
            contacts: contacts.collect(),
        })
    }
}

impl FixturePerson {
    fn listed(&self, line: u64) -> Result<RosterPerson, String> {
        let mut memberships = Vec::new();
        for (id, role) in &self.memberships {
            memberships.push(Membership {
                organization: organization(id)?,
                role: Role::from_code(role).ok_or("not a role")?,
            });
        }
        let birthdate = self.birthdate.as_deref().map(Birthdate::parse).transpose();
        Ok(RosterPerson {
            source_id: self.source_id.clone(),
            login_id: LoginId::parse(&self.login_id).map_err(|error| error.to_string())?,
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            preferred_given_name: self.preferred_given_name.clone(),
            preferred_family_name: None,
            birthdate: birthdate.map_err(|error| error.to_string())?,
            memberships,
            default_organization: organization(&self.default_organization)?,
            enabled: !self.disabled,
            place: Place {
                file: "fixture".to_owned(),
                line,
                column: None,
            },
        })
    }
}

fn organization(id: &str) -> Result<OrganizationId, String> {
    OrganizationId::parse(id).map_err(|error| format!("organization {id:?}: {error}"))
}
