//! OneRoster 1.2 bulk: manifest, orgs, demographics, roles, users; in this order, so that one pass
//! over each file is enough.

mod demographics;
mod manifest;
mod orgs;
mod roles;
mod users;

use crate::{
    ReadOptions,
    catalog::Input,
    error::ReadError,
    findings::{Code, Findings},
    people::Roster,
    table::{Column, Row, Table},
    text,
};

/// Reads everything. After an Error finding the roster is not to be used.
pub(crate) fn read(
    input: &mut Input<'_>,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Result<Roster, ReadError> {
    let mut roster = Roster {
        source: manifest::read(input, findings)?,
        ..Roster::default()
    };
    if findings.stopped() {
        return Ok(roster);
    }
    let mut organizations = orgs::read(input, findings)?;
    if findings.stopped() {
        return Ok(roster);
    }
    let birthdates = demographics::read(input, options, findings)?;
    if findings.stopped() {
        return Ok(roster);
    }
    let roles = roles::read(input, options, &organizations, findings)?;
    if findings.stopped() {
        return Ok(roster);
    }
    let known = users::Known { birthdates, roles };
    users::read(
        input,
        options,
        known,
        &mut organizations,
        &mut roster,
        findings,
    )?;
    roster.organizations = organizations.list;
    Ok(roster)
}

/// The columns every file has.
#[derive(Clone, Copy)]
struct BulkColumns {
    status: Column,
    changed: Column,
}

/// What a row says about itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Active,
    NotActive,
    /// As if the row were not there.
    Deleted,
}

impl BulkColumns {
    fn of(table: &mut Table<'_>) -> Self {
        Self {
            status: table.column("status"),
            changed: table.column("dateLastModified"),
        }
    }

    /// Both are prescribed blank in bulk files, and filled in many.
    fn judge(self, row: &Row<'_>, findings: &mut Findings) -> Listed {
        if !row.get(self.changed).is_empty() {
            let message = "filled in a bulk file, where it is prescribed blank; it was ignored";
            row.tell_once(findings, Code::bulk_fields_filled, self.changed, message);
        }
        let status = row.get(self.status);
        if status.is_empty() {
            return Listed::Active;
        }
        match text::folded(status).as_str() {
            "active" => {
                let message = "filled in a bulk file, where it is prescribed blank; it was read";
                row.tell_once(findings, Code::bulk_fields_filled, self.status, message);
                Listed::Active
            }
            "tobedeleted" => {
                let message = "marked as deleted; the row was left out, as if it were not listed";
                row.tell(findings, Code::status_deleted, self.status, message);
                Listed::Deleted
            }
            _ => {
                let message = "not active; a person is read as not enabled, a role is left out";
                row.tell(findings, Code::status_not_active, self.status, message);
                Listed::NotActive
            }
        }
    }
}

/// A word of a closed list, in whatever capitals.
fn word<T: Copy>(
    row: &Row<'_>,
    column: Column,
    words: &[(&str, T)],
    findings: &mut Findings,
) -> Option<T> {
    let value = row.get(column);
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == value) {
        return Some(*meaning);
    }
    let (_, meaning) = words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(value))?;
    let message = "in other capitals than prescribed; it was understood, here and below";
    row.tell_once(findings, Code::value_case, column, message);
    Some(*meaning)
}
