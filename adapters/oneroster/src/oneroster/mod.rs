//! OneRoster 1.0, 1.1 and 1.2, bulk and delta: manifest, orgs, demographics, roles, users; in this
//! order, so that one pass over each file is enough. Up to 1.1 roles are columns of users.csv.

mod delta;
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
    let manifest = manifest::read(input, options.delta, findings)?;
    let mut roster = Roster {
        source: manifest.source,
        delta: manifest.edition.delta,
        ..Roster::default()
    };
    let edition = manifest.edition;
    if findings.stopped() {
        return Ok(roster);
    }
    let mut organizations = orgs::read(input, edition, findings)?;
    if findings.stopped() {
        return Ok(roster);
    }
    let birthdates = demographics::read(input, options, edition, findings)?;
    if findings.stopped() {
        return Ok(roster);
    }
    let roles = match edition.version {
        Version::V1_2 => roles::read(input, options, edition, &mut organizations, findings)?,
        Version::V1_1 | Version::V1_0 => roles::Roles::default(),
    };
    if findings.stopped() {
        return Ok(roster);
    }
    let known = users::Known { birthdates, roles };
    let to = (&mut organizations, &mut roster);
    users::read(input, options, edition, known, to, findings)?;
    roster.organizations = organizations.into_listed();
    Ok(roster)
}

/// Which OneRoster the files are.
#[derive(Clone, Copy)]
struct Edition {
    version: Version,
    /// Only what changed is listed.
    delta: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Without a manifest; roles are columns of users.csv, and nobody is curtailed.
    V1_0,
    /// Roles are columns of users.csv.
    V1_1,
    /// Roles have a file of their own.
    V1_2,
}

/// The columns every file has.
#[derive(Clone, Copy)]
struct BulkColumns {
    status: Column,
    changed: Column,
    delta: bool,
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
    fn of(table: &mut Table<'_>, edition: Edition) -> Self {
        Self {
            status: table.column("status"),
            changed: table.column("dateLastModified"),
            delta: edition.delta,
        }
    }

    fn judge(self, row: &Row<'_>, findings: &mut Findings) -> Listed {
        if self.delta {
            self.judge_delta(row, findings)
        } else {
            self.judge_bulk(row, findings)
        }
    }

    /// Both are required in delta files.
    fn judge_delta(self, row: &Row<'_>, findings: &mut Findings) -> Listed {
        for column in [self.status, self.changed] {
            if row.get(column).is_empty() {
                let message = "empty in a delta, where it is required; read as active";
                row.tell_once(findings, Code::delta_fields_missing, column, message);
            }
        }
        match text::folded(row.get(self.status)).as_str() {
            "" | "active" => Listed::Active,
            "tobedeleted" => Listed::Deleted,
            _ => {
                let message = "not active; a person is read as not enabled, a role as ended";
                row.tell(findings, Code::status_not_active, self.status, message);
                Listed::NotActive
            }
        }
    }

    /// Both are prescribed blank in bulk files, and filled in many.
    fn judge_bulk(self, row: &Row<'_>, findings: &mut Findings) -> Listed {
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
