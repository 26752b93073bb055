//! Delta files: only what is listed changes. A row marked `tobedeleted` ends what it names.
//!
//! A user, their roles and their birthdate come in files of their own, and any of them may say
//! nothing: such a change leaves the rest as it is kept.

use std::collections::{BTreeSet, HashSet};

use narthex_core::model::{
    LoginId, Membership, OrganizationId,
    roster::{BirthdateChange, MembershipChange, Place, RosterChange, RosterFacts},
};

use super::{
    Edition, Listed,
    demographics::{Birthdates, Born},
    orgs::Organizations,
    roles::{HeldRole, Roles},
    users::{Known, Reader, leave_out},
};
use crate::{
    ReadOptions,
    error::ReadError,
    findings::{Code, Findings, Shown, whole_file},
    number::NumberChoice,
    people::{self, Roster},
    table::{Row, Table},
};

/// A row of users.csv whose number is not judged yet.
struct UserRow {
    source_id: String,
    number: String,
    /// `None`: marked as deleted.
    facts: Option<NamedFacts>,
    memberships: MembershipChange,
    birthdate: BirthdateChange,
    default_organization: Option<OrganizationId>,
    place: Place,
}

/// Names and access.
pub(super) struct NamedFacts {
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) preferred_given_name: Option<String>,
    pub(super) preferred_family_name: Option<String>,
    pub(super) enabled: bool,
}

/// Reads the people of a delta, or what the other files say of people it does not list.
pub(super) fn read(
    table: Option<Table<'_>>,
    options: &ReadOptions,
    edition: Edition,
    known: Known,
    (organizations, roster): (&mut Organizations, &mut Roster),
    findings: &mut Findings,
) -> Result<(), ReadError> {
    let known = match table {
        Some(mut table) => {
            let reader = Reader::new(&mut table, edition, known, organizations);
            read_users(table, options, reader, roster, findings)?
        }
        None => known,
    };
    if !findings.stopped() {
        let Known { birthdates, roles } = known;
        others(birthdates, roles, organizations, roster);
    }
    Ok(())
}

fn read_users(
    mut table: Table<'_>,
    options: &ReadOptions,
    mut reader: Reader<'_>,
    roster: &mut Roster,
    findings: &mut Findings,
) -> Result<Known, ReadError> {
    // Few rows must not choose another column than the complete file did.
    let asked = options.number_column.as_deref().or(Some("identifier"));
    let Some(mut choice) = NumberChoice::new(&mut table, asked, findings) else {
        return Ok(reader.known);
    };
    let mut rows = Vec::new();
    while let Some(row) = table.next(findings)? {
        if let Some(user) = take(&mut reader, &mut choice, &row, findings) {
            rows.push(user);
        }
    }
    leave_out(&mut reader.left_out, &mut table, roster);
    let label = choice.label();
    for row in rows {
        keep(row, &label, options, roster, findings);
    }
    Ok(reader.known)
}

fn take(
    reader: &mut Reader<'_>,
    choice: &mut NumberChoice,
    row: &Row<'_>,
    findings: &mut Findings,
) -> Option<UserRow> {
    let (source_id, listed) = reader.begin(row, findings)?;
    let born = reader.known.birthdates.take(&source_id);
    let roles = reader.roles(row, &source_id, findings);
    let deleted = listed == Listed::Deleted;
    let facts = if deleted {
        None
    } else {
        let Some(names) = reader.names(row, listed, findings) else {
            reader.left_out.push((Some(source_id), row.place()));
            return None;
        };
        Some(names)
    };
    Some(UserRow {
        number: choice.offer(row).first,
        facts,
        memberships: memberships(&roles, reader.organizations, !reader.has_roles_file()),
        birthdate: birthdate(born),
        default_organization: reader.primary(row),
        place: row.place(),
        source_id,
    })
}

fn keep(
    row: UserRow,
    label: &str,
    options: &ReadOptions,
    roster: &mut Roster,
    findings: &mut Findings,
) {
    let facts = match row.facts {
        None => None,
        Some(names) => {
            let login_id = people::number(&row.number, &row.place, label, options, findings);
            let Some(login_id) = login_id else {
                roster.leave_out(Some(&row.source_id), row.place);
                return;
            };
            Some(facts(names, login_id))
        }
    };
    roster.changes.push(RosterChange {
        gone: facts.is_none(),
        source_id: row.source_id,
        facts,
        birthdate: row.birthdate,
        memberships: row.memberships,
        default_organization: row.default_organization,
        place: row.place,
    });
}

fn facts(names: NamedFacts, login_id: LoginId) -> RosterFacts {
    RosterFacts {
        login_id,
        given_name: names.given_name,
        family_name: names.family_name,
        preferred_given_name: names.preferred_given_name,
        preferred_family_name: names.preferred_family_name,
        enabled: names.enabled,
    }
}

/// Changes of people whom users.csv does not list.
fn others(
    mut birthdates: Birthdates,
    mut roles: Roles,
    organizations: &Organizations,
    roster: &mut Roster,
) {
    let listed: HashSet<String> = roster.changes.iter().map(|c| c.source_id.clone()).collect();
    let left: HashSet<&str> = roster
        .left_out
        .iter()
        .filter_map(|left| left.source_id.as_deref())
        .collect();
    let ids: BTreeSet<String> = birthdates.ids().chain(roles.ids()).cloned().collect();
    let mut changes = Vec::new();
    for source_id in ids {
        if listed.contains(&source_id) || left.contains(source_id.as_str()) {
            continue;
        }
        let place = roles
            .place(&source_id)
            .unwrap_or_else(|| birthdates.place(&source_id));
        changes.push(RosterChange {
            gone: false,
            facts: None,
            birthdate: birthdate(birthdates.take(&source_id)),
            memberships: memberships(&roles.take(&source_id), organizations, false),
            default_organization: None,
            place,
            source_id,
        });
    }
    roster.changes.extend(changes);
}

fn birthdate(born: Option<Born>) -> BirthdateChange {
    match born {
        None => BirthdateChange::Kept,
        Some(Born::On(date)) => BirthdateChange::Is(Some(date)),
        Some(Born::Unreadable | Born::Nowhere) => BirthdateChange::Is(None),
    }
}

/// `all`: the row lists every role of the person, as in OneRoster 1.1.
fn memberships(roles: &[HeldRole], organizations: &Organizations, all: bool) -> MembershipChange {
    let of = |ended: bool| -> Vec<Membership> {
        let roles = roles.iter().filter(|held| held.ended == ended);
        roles
            .filter_map(|held| {
                Some(Membership {
                    organization: organizations.list.get(held.organization)?.id.clone(),
                    role: held.role.clone(),
                })
            })
            .collect()
    };
    if all {
        return MembershipChange::Are(of(false));
    }
    MembershipChange::Adjust {
        joined: of(false),
        left: of(true),
    }
}

/// Tells of a manifest in which some of our files are bulk and others delta.
pub(super) fn tell_mixed(file: &str, findings: &mut Findings) {
    let message = "bulk beside delta files: read as a delta, and nobody missing becomes inactive";
    let place = whole_file(file);
    findings.tell(Code::delta_mixed, place, Shown::Nothing, message.to_owned());
}
