//! users.csv: the people, joined with their birthdates and roles.

use std::collections::HashSet;

use narthex_core::model::{Birthdate, Contact, Membership, OrganizationId, roster::Place};

use super::{
    BulkColumns, Listed,
    demographics::{Birthdates, Born},
    orgs::Organizations,
    roles::{HeldRole, Roles},
    word,
};
use crate::{
    ReadOptions,
    catalog::Input,
    error::ReadError,
    findings::{Code, Findings, Shown, whole_file},
    number::{NumberChoice, Offer},
    people::{self, Draft, Roster},
    table::{Column, Row, Schema, Table},
};

static SCHEMA: Schema = Schema {
    file: "users.csv",
    required: &[
        "sourcedId",
        "enabledUser",
        "username",
        "givenName",
        "familyName",
    ],
    optional: &[
        "status",
        "dateLastModified",
        "userIds",
        "middleName",
        "identifier",
        "email",
        "sms",
        "phone",
        "agentSourcedIds",
        "grades",
        "password",
        "userMasterIdentifier",
        // In 1.2 (2022), no longer in 1.2.1 (2023).
        "resourceSourcedIds",
        "preferredGivenName",
        "preferredMiddleName",
        "preferredFamilyName",
        "primaryOrgSourcedId",
        "pronouns",
    ],
    aliases: &[],
};

/// What the other files said about people.
pub(super) struct Known {
    pub(super) birthdates: Birthdates,
    pub(super) roles: Roles,
}

#[derive(Clone, Copy)]
struct Columns {
    bulk: BulkColumns,
    id: Column,
    enabled: Column,
    given: Column,
    family: Column,
    preferred_given: Column,
    preferred_family: Column,
    email: Column,
    primary_org: Column,
}

impl Columns {
    fn of(table: &mut Table<'_>) -> Self {
        Self {
            bulk: BulkColumns::of(table),
            id: table.column("sourcedId"),
            enabled: table.column("enabledUser"),
            given: table.column("givenName"),
            family: table.column("familyName"),
            preferred_given: table.column("preferredGivenName"),
            preferred_family: table.column("preferredFamilyName"),
            email: table.column("email"),
            primary_org: table.column("primaryOrgSourcedId"),
        }
    }
}

/// Reads the people into `roster`, and the humans to write to into `organizations`.
pub(super) fn read(
    input: &mut Input<'_>,
    options: &ReadOptions,
    known: Known,
    organizations: &mut Organizations,
    roster: &mut Roster,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    let Some(mut table) = input.table(&SCHEMA, findings)? else {
        return Ok(());
    };
    let columns = Columns::of(&mut table);
    let asked = options.number_column.as_deref();
    let Some(mut choice) = NumberChoice::new(&mut table, asked, findings) else {
        return Ok(());
    };
    let mut reader = Reader {
        columns,
        known,
        organizations,
        seen: HashSet::new(),
        left_out: Vec::new(),
    };
    let mut drafts: Vec<(Draft, Offer)> = Vec::new();
    while let Some(row) = table.next(findings)? {
        if let Some(draft) = reader.person(&row, findings) {
            drafts.push((draft, choice.offer(&row)));
        }
    }
    let file = table.file().to_owned();
    if table.rows() == 0 {
        people::tell_without_rows(&file, true, findings);
        return Ok(());
    }
    for (source_id, place) in std::mem::take(&mut reader.left_out) {
        roster.leave_out(source_id.as_deref(), place);
    }
    for line in std::mem::take(&mut table.lost) {
        let place = Place {
            line,
            ..whole_file(&file)
        };
        roster.leave_out(None, place);
    }
    let Known { birthdates, roles } = reader.known;
    roles.tell_left(findings);
    birthdates.tell_left(findings);
    finish(drafts, choice, &file, roster, findings)
}

/// Gives the people their numbers.
fn finish(
    drafts: Vec<(Draft, Offer)>,
    choice: NumberChoice,
    file: &str,
    roster: &mut Roster,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    let chosen = choice.settle(file)?;
    let all = drafts.len();
    let drafts: Vec<Draft> = drafts
        .into_iter()
        .map(|(draft, offer)| Draft {
            number: if chosen.use_user_id {
                offer.user_id.unwrap_or_default()
            } else {
                offer.first
            },
            ..draft
        })
        .collect();
    let with = drafts
        .iter()
        .filter(|draft| !draft.number.is_empty())
        .count();
    let place = Place {
        column: Some(chosen.label.clone()),
        ..whole_file(file)
    };
    let message = format!("people log in with the number of this column; {with} of {all} have one");
    findings.tell(Code::number_chosen, place, Shown::Nothing, message);
    roster.take(drafts, &chosen.label, findings);
    roster.tell_duplicates(&[(file, &chosen.label)], findings);
    Ok(())
}

struct Reader<'o> {
    columns: Columns,
    known: Known,
    organizations: &'o mut Organizations,
    seen: HashSet<String>,
    left_out: Vec<(Option<String>, Place)>,
}

impl Reader<'_> {
    fn person(&mut self, row: &Row<'_>, findings: &mut Findings) -> Option<Draft> {
        let Some(source_id) = people::source_id(row, self.columns.id, findings) else {
            self.left_out.push((None, row.place()));
            return None;
        };
        if !self.seen.insert(source_id.to_owned()) {
            let message = "a second row with this id; the first one counts";
            row.tell(
                findings,
                Code::source_id_duplicate,
                self.columns.id,
                message,
            );
            return None;
        }
        let born = self.known.birthdates.take(source_id);
        let roles = self.known.roles.take(source_id);
        let listed = self.columns.bulk.judge(row, findings);
        if listed == Listed::Deleted {
            return None;
        }
        let draft = self.draft(row, source_id, listed, born, &roles, findings);
        if draft.is_none() {
            self.left_out
                .push((Some(source_id.to_owned()), row.place()));
        }
        draft
    }

    fn draft(
        &mut self,
        row: &Row<'_>,
        source_id: &str,
        listed: Listed,
        born: Option<Born>,
        roles: &[HeldRole],
        findings: &mut Findings,
    ) -> Option<Draft> {
        let given_name = people::name(row, self.columns.given, findings);
        let family_name = people::name(row, self.columns.family, findings);
        let (given_name, family_name) = (given_name?, family_name?);
        let enabled = self.enabled(row, findings) && listed == Listed::Active;
        if enabled {
            self.add_contacts(row, &format!("{given_name} {family_name}"), roles, findings);
        }
        let Some(default_organization) = self.default_organization(row, roles, findings) else {
            let message = "no current role in a known organization; the person was left out";
            findings.tell(
                Code::person_without_role,
                row.place_of(self.columns.id),
                row.shown(self.columns.id),
                message.to_owned(),
            );
            return None;
        };
        Some(Draft {
            source_id: source_id.to_owned(),
            number: String::new(),
            given_name,
            family_name,
            preferred_given_name: people::preferred_name(
                row,
                self.columns.preferred_given,
                findings,
            ),
            preferred_family_name: people::preferred_name(
                row,
                self.columns.preferred_family,
                findings,
            ),
            birthdate: birthdate(row, born, findings),
            memberships: self.memberships(roles),
            default_organization,
            enabled,
            place: row.place(),
        })
    }

    /// Whoever is not plainly enabled is not.
    fn enabled(&self, row: &Row<'_>, findings: &mut Findings) -> bool {
        let words = [("true", true), ("false", false)];
        word(row, self.columns.enabled, &words, findings).unwrap_or_else(|| {
            let message = "neither true nor false; the person is read as not enabled";
            row.tell(
                findings,
                Code::enabled_unknown,
                self.columns.enabled,
                message,
            );
            false
        })
    }

    fn add_contacts(
        &mut self,
        row: &Row<'_>,
        name: &str,
        roles: &[HeldRole],
        findings: &mut Findings,
    ) {
        if !roles.iter().any(|held| held.contact.is_some()) {
            return;
        }
        let email = people::mail_address(row, self.columns.email, findings);
        for held in roles {
            let organization = self.organizations.list.get_mut(held.organization);
            if let (Some(title), Some(organization)) = (held.contact, organization) {
                let contact = Contact {
                    name: name.to_owned(),
                    role: title.to_owned(),
                    email: email.clone(),
                };
                people::add_contact(organization, contact);
            }
        }
    }

    /// The primary organization of users.csv; else a school before a district, then a primary role
    /// before a secondary one, then the first.
    fn default_organization(
        &self,
        row: &Row<'_>,
        roles: &[HeldRole],
        findings: &mut Findings,
    ) -> Option<OrganizationId> {
        let organization = |held: &HeldRole| self.organizations.list.get(held.organization);
        let best = roles
            .iter()
            .filter_map(|held| Some((organization(held)?, !held.primary)))
            .min_by_key(|(organization, secondary)| {
                (people::landing_rank(organization.kind), *secondary)
            })?;
        let primary = row.get(self.columns.primary_org);
        if primary.is_empty() {
            return Some(best.0.id.clone());
        }
        let primary = self.organizations.find(primary);
        let held = roles.iter().find(|held| Some(held.organization) == primary);
        if let Some(held) = held.and_then(organization) {
            return Some(held.id.clone());
        }
        let message = "the person has no current role there; another organization was chosen";
        row.tell(
            findings,
            Code::primary_org_not_member,
            self.columns.primary_org,
            message,
        );
        Some(best.0.id.clone())
    }

    fn memberships(&self, roles: &[HeldRole]) -> Vec<Membership> {
        let mut memberships = Vec::with_capacity(roles.len());
        for held in roles {
            let Some(organization) = self.organizations.list.get(held.organization) else {
                continue;
            };
            let membership = Membership {
                organization: organization.id.clone(),
                role: held.role.clone(),
            };
            if !memberships.contains(&membership) {
                memberships.push(membership);
            }
        }
        memberships
    }
}

fn birthdate(row: &Row<'_>, born: Option<Born>, findings: &mut Findings) -> Option<Birthdate> {
    match born {
        Some(Born::On(date)) => Some(date),
        Some(Born::Unreadable) => None,
        None => {
            people::tell_no_birthdate(row.place(), findings);
            None
        }
    }
}
