//! users.csv: the people, joined with their birthdates and roles.

use std::collections::HashSet;

use narthex_core::model::{Birthdate, Contact, Membership, OrganizationId, roster::Place};

use super::{
    BulkColumns, Edition, Listed, Version,
    delta::{self, NamedFacts},
    demographics::{Birthdates, Born},
    orgs::Organizations,
    roles::{self, HeldRole, Roles},
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

static SCHEMA_1_0: Schema = Schema {
    file: "users.csv",
    required: &[
        "sourcedId",
        "orgSourcedIds",
        "role",
        "givenName",
        "familyName",
    ],
    optional: &[
        "status",
        "dateLastModified",
        "enabledUser",
        "username",
        "userIds",
        "middleName",
        "identifier",
        "email",
        "sms",
        "phone",
        "agentSourcedIds",
        "grades",
        "password",
    ],
    aliases: &[("userId", "userIds"), ("agents", "agentSourcedIds")],
};

static SCHEMA_1_1: Schema = Schema {
    file: "users.csv",
    required: &[
        "sourcedId",
        "enabledUser",
        "orgSourcedIds",
        "role",
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
    ],
    aliases: &[],
};

static SCHEMA_1_2: Schema = Schema {
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
    role: Column,
    organizations: Column,
}

impl Columns {
    fn of(table: &mut Table<'_>, edition: Edition) -> Self {
        Self {
            bulk: BulkColumns::of(table, edition),
            id: table.column("sourcedId"),
            enabled: table.column("enabledUser"),
            given: table.column("givenName"),
            family: table.column("familyName"),
            preferred_given: table.column("preferredGivenName"),
            preferred_family: table.column("preferredFamilyName"),
            email: table.column("email"),
            primary_org: table.column("primaryOrgSourcedId"),
            role: table.column("role"),
            organizations: table.column("orgSourcedIds"),
        }
    }
}

/// Reads the people into the roster, and the humans to write to into the organizations.
pub(super) fn read(
    input: &mut Input<'_>,
    options: &ReadOptions,
    edition: Edition,
    known: Known,
    (organizations, roster): (&mut Organizations, &mut Roster),
    findings: &mut Findings,
) -> Result<(), ReadError> {
    let schema = match edition.version {
        Version::V1_0 => &SCHEMA_1_0,
        Version::V1_1 => &SCHEMA_1_1,
        Version::V1_2 => &SCHEMA_1_2,
    };
    let table = input.table(schema, findings)?;
    if edition.delta {
        let to = (organizations, roster);
        return delta::read(table, options, edition, known, to, findings);
    }
    let Some(mut table) = table else {
        return Ok(());
    };
    let mut reader = Reader::new(&mut table, edition, known, organizations);
    let asked = options.number_column.as_deref();
    let Some(mut choice) = NumberChoice::new(&mut table, asked, findings) else {
        return Ok(());
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
    leave_out(&mut reader.left_out, &mut table, roster);
    let Known { birthdates, roles } = reader.known;
    roles.tell_left(findings);
    birthdates.tell_left(findings);
    finish(drafts, choice, options, &file, roster, findings)
}

/// Remembers the rows that did not become people.
pub(super) fn leave_out(
    rows: &mut Vec<(Option<String>, Place)>,
    table: &mut Table<'_>,
    roster: &mut Roster,
) {
    for (source_id, place) in std::mem::take(rows) {
        roster.leave_out(source_id.as_deref(), place);
    }
    let file = table.file().to_owned();
    for line in std::mem::take(&mut table.lost) {
        let place = Place {
            line,
            ..whole_file(&file)
        };
        roster.leave_out(None, place);
    }
}

/// Gives the people their numbers.
fn finish(
    drafts: Vec<(Draft, Offer)>,
    choice: NumberChoice,
    options: &ReadOptions,
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
    roster.take(drafts, &chosen.label, options, findings);
    roster.tell_duplicates(&[(file, &chosen.label)], findings);
    Ok(())
}

/// Reads the rows of users.csv.
pub(super) struct Reader<'o> {
    columns: Columns,
    edition: Edition,
    pub(super) known: Known,
    pub(super) organizations: &'o mut Organizations,
    seen: HashSet<String>,
    pub(super) left_out: Vec<(Option<String>, Place)>,
}

impl<'o> Reader<'o> {
    pub(super) fn new(
        table: &mut Table<'_>,
        edition: Edition,
        known: Known,
        organizations: &'o mut Organizations,
    ) -> Self {
        Self {
            columns: Columns::of(table, edition),
            edition,
            known,
            organizations,
            seen: HashSet::new(),
            left_out: Vec::new(),
        }
    }

    /// The id of a row that counts, and what it says about itself.
    pub(super) fn begin(
        &mut self,
        row: &Row<'_>,
        findings: &mut Findings,
    ) -> Option<(String, Listed)> {
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
        let listed = self.columns.bulk.judge(row, findings);
        Some((source_id.to_owned(), listed))
    }

    fn person(&mut self, row: &Row<'_>, findings: &mut Findings) -> Option<Draft> {
        let (source_id, listed) = self.begin(row, findings)?;
        let born = self.known.birthdates.take(&source_id);
        let roles = self.roles(row, &source_id, findings);
        if listed == Listed::Deleted {
            return None;
        }
        let draft = self.draft(row, &source_id, listed, born, &roles, findings);
        if draft.is_none() {
            self.left_out.push((Some(source_id), row.place()));
        }
        draft
    }

    /// What the person is where: up to 1.1 one role in each organization of the row.
    pub(super) fn roles(
        &mut self,
        row: &Row<'_>,
        source_id: &str,
        findings: &mut Findings,
    ) -> Vec<HeldRole> {
        if self.has_roles_file() {
            return self.known.roles.take(source_id);
        }
        let meaning = roles::meaning(row, self.columns.role, findings);
        let mut held = Vec::new();
        let all = row
            .get(self.columns.organizations)
            .split(',')
            .map(str::trim);
        for named in all.filter(|named| !named.is_empty()) {
            match self.organizations.find_or_kept(named, self.edition) {
                Some(organization) => held.push(HeldRole {
                    organization,
                    role: (meaning.role)(),
                    contact: meaning.contact_up_to_1_1(),
                    primary: held.is_empty(),
                    ended: false,
                }),
                None => {
                    let message = "an organization that was not read; the role was left out";
                    let column = self.columns.organizations;
                    row.tell(findings, Code::role_unknown_org, column, message);
                }
            }
        }
        held
    }

    /// Whether roles stand in a file of their own.
    pub(super) fn has_roles_file(&self) -> bool {
        self.edition.version == Version::V1_2
    }

    /// Names and access; `None` after a finding.
    pub(super) fn names(
        &self,
        row: &Row<'_>,
        listed: Listed,
        findings: &mut Findings,
    ) -> Option<NamedFacts> {
        let given_name = people::name(row, self.columns.given, findings);
        let family_name = people::name(row, self.columns.family, findings);
        Some(NamedFacts {
            given_name: given_name?,
            family_name: family_name?,
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
            enabled: self.enabled(row, findings) && listed == Listed::Active,
        })
    }

    /// The primary organization, if the row names one.
    pub(super) fn primary(&mut self, row: &Row<'_>) -> Option<OrganizationId> {
        let named = row.get(self.columns.primary_org);
        let found = self.organizations.find_or_kept(named, self.edition)?;
        Some(self.organizations.list.get(found)?.id.clone())
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
        let names = self.names(row, listed, findings)?;
        if names.enabled {
            let name = format!("{} {}", names.given_name, names.family_name);
            self.add_contacts(row, &name, roles, findings);
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
            given_name: names.given_name,
            family_name: names.family_name,
            preferred_given_name: names.preferred_given_name,
            preferred_family_name: names.preferred_family_name,
            birthdate: birthdate(row, born, findings),
            memberships: self.memberships(roles),
            default_organization,
            enabled: names.enabled,
            place: row.place(),
        })
    }

    /// Whoever is not plainly enabled is not.
    fn enabled(&self, row: &Row<'_>, findings: &mut Findings) -> bool {
        if !self.columns.enabled.is_present() {
            return true;
        }
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
        Some(Born::Unreadable | Born::Nowhere) => None,
        None => {
            people::tell_no_birthdate(row.place(), findings);
            None
        }
    }
}
