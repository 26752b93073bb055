//! roles.csv: who is what, where, and since when.

use std::collections::HashMap;

use narthex_core::model::{Role, roster::Place};

use super::{BulkColumns, Edition, Listed, orgs::Organizations, word};
use crate::{
    ReadOptions,
    catalog::Input,
    date::{Date, DateOrder, OrderVotes, RawDate},
    error::ReadError,
    findings::{Code, Findings, Shown},
    people,
    table::{Column, Row, Schema, Table},
};

static SCHEMA: Schema = Schema {
    file: "roles.csv",
    required: &[
        "sourcedId",
        "userSourcedId",
        "roleType",
        "role",
        "orgSourcedId",
    ],
    optional: &[
        "status",
        "dateLastModified",
        "beginDate",
        "endDate",
        "userProfileSourcedId",
    ],
    aliases: &[],
};

/// What a role means here: a membership, and perhaps a human to write to.
#[derive(Clone, Copy)]
pub(super) struct Meaning {
    pub(super) role: fn() -> Role,
    /// What a contact with this role is called.
    pub(super) contact: Option<&'static str>,
}

impl Meaning {
    /// Up to 1.1 whoever runs a school is an administrator and nothing else.
    pub(super) fn contact_up_to_1_1(self) -> Option<&'static str> {
        let runs_it = (self.role)() == Role::Administrator;
        self.contact.or(runs_it.then_some("Administrator"))
    }
}

const fn plain(role: fn() -> Role) -> Meaning {
    Meaning {
        role,
        contact: None,
    }
}

const fn contact(title: &'static str) -> Meaning {
    Meaning {
        role: || Role::Administrator,
        contact: Some(title),
    }
}

const ROLES: [(&str, Meaning); 13] = [
    ("student", plain(|| Role::Student)),
    ("teacher", plain(|| Role::Teacher)),
    ("principal", contact("Principal")),
    ("siteAdministrator", contact("Site administrator")),
    ("districtAdministrator", contact("District administrator")),
    ("systemAdministrator", plain(|| Role::Administrator)),
    ("administrator", plain(|| Role::Administrator)),
    ("guardian", plain(|| Role::Guardian)),
    ("parent", plain(|| Role::Guardian)),
    ("relative", plain(|| Role::Guardian)),
    ("aide", plain(|| Role::Other)),
    ("counselor", plain(|| Role::Other)),
    ("proctor", plain(|| Role::Other)),
];

const TYPES: [(&str, bool); 2] = [("primary", true), ("secondary", false)];

/// One current role of a person.
pub(super) struct HeldRole {
    /// Position in the list of organizations.
    pub(super) organization: usize,
    pub(super) role: Role,
    pub(super) contact: Option<&'static str>,
    pub(super) primary: bool,
    /// A delta says that it is over.
    pub(super) ended: bool,
}

/// All roles by the person's id.
#[derive(Default)]
pub(super) struct Roles {
    by_person: HashMap<String, (u64, Vec<HeldRole>)>,
    file: String,
    user_label: Option<String>,
}

impl Roles {
    pub(super) fn take(&mut self, source_id: &str) -> Vec<HeldRole> {
        self.by_person
            .remove(source_id)
            .map(|(_, roles)| roles)
            .unwrap_or_default()
    }

    /// Who is left.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.by_person.keys()
    }

    /// Where a person's first role stands.
    pub(super) fn place(&self, source_id: &str) -> Option<Place> {
        let (line, _) = self.by_person.get(source_id)?;
        Some(Place {
            file: self.file.clone(),
            line: *line,
            column: None,
        })
    }

    /// Tells of the people who were not read.
    pub(super) fn tell_left(self, findings: &mut Findings) {
        let mut left: Vec<_> = self
            .by_person
            .into_iter()
            .map(|(id, (line, _))| (line, id))
            .collect();
        left.sort();
        for (line, id) in left {
            let place = Place {
                file: self.file.clone(),
                line,
                column: self.user_label.clone(),
            };
            let message =
                "no such person was read from users.csv; the role was left out".to_owned();
            findings.tell(Code::role_unknown_user, place, Shown::Text(&id), message);
        }
    }
}

#[derive(Clone, Copy)]
struct Columns {
    bulk: BulkColumns,
    user: Column,
    kind: Column,
    role: Column,
    organization: Column,
    begin: Column,
    end: Column,
}

impl Columns {
    fn of(table: &mut Table<'_>, edition: Edition) -> Self {
        Self {
            bulk: BulkColumns::of(table, edition),
            user: table.column("userSourcedId"),
            kind: table.column("roleType"),
            role: table.column("role"),
            organization: table.column("orgSourcedId"),
            begin: table.column("beginDate"),
            end: table.column("endDate"),
        }
    }
}

/// A role whose dates wait for the order of the file.
struct Dated {
    user: String,
    held: HeldRole,
    begin: Option<RawDate>,
    end: Option<RawDate>,
    line: u64,
}

pub(super) fn read(
    input: &mut Input<'_>,
    options: &ReadOptions,
    edition: Edition,
    organizations: &mut Organizations,
    findings: &mut Findings,
) -> Result<Roles, ReadError> {
    let Some(mut table) = input.table(&SCHEMA, findings)? else {
        return Ok(Roles::default());
    };
    let columns = Columns::of(&mut table, edition);
    let mut votes = OrderVotes::default();
    let mut dated = Vec::new();
    while let Some(row) = table.next(findings)? {
        dated.extend(take(
            &row,
            columns,
            edition,
            organizations,
            &mut votes,
            findings,
        ));
    }
    if table.rows() == 0 {
        people::tell_without_rows(table.file(), !edition.delta, findings);
    }
    let file = table.file().to_owned();
    let begin_label = table.label(columns.begin);
    let order = people::date_order(&votes, options.date_order, &file, begin_label, findings)?;
    let mut roles = Roles {
        by_person: HashMap::with_capacity(dated.len()),
        user_label: table.label(columns.user),
        file,
    };
    let labels = [table.label(columns.begin), table.label(columns.end)];
    for role in dated {
        roles.add(role, order, options.today, &labels, edition, findings);
    }
    Ok(roles)
}

fn take(
    row: &Row<'_>,
    columns: Columns,
    edition: Edition,
    organizations: &mut Organizations,
    votes: &mut OrderVotes,
    findings: &mut Findings,
) -> Option<Dated> {
    let user = people::source_id(row, columns.user, findings)?;
    let ended = columns.bulk.judge(row, findings) != Listed::Active;
    if ended && !edition.delta {
        return None;
    }
    let named = row.get(columns.organization);
    let Some(organization) = organizations.find_or_kept(named, edition) else {
        let message = "an organization that was not read; the role was left out";
        row.tell(
            findings,
            Code::role_unknown_org,
            columns.organization,
            message,
        );
        return None;
    };
    let meaning = meaning(row, columns.role, findings);
    let begin = date(row, columns.begin, votes, findings).ok()?;
    let end = date(row, columns.end, votes, findings).ok()?;
    Some(Dated {
        user: user.to_owned(),
        held: HeldRole {
            organization,
            role: (meaning.role)(),
            contact: meaning.contact,
            primary: word(row, columns.kind, &TYPES, findings).unwrap_or(false),
            ended,
        },
        begin,
        end,
        line: row.line,
    })
}

/// The meaning of a role's word.
pub(super) fn meaning(row: &Row<'_>, column: Column, findings: &mut Findings) -> Meaning {
    word(row, column, &ROLES, findings).unwrap_or_else(|| {
        if !row.get(column).starts_with("ext:") {
            let message = "not a role of this format; read as another role";
            row.tell(findings, Code::role_unknown, column, message);
        }
        plain(|| Role::Other)
    })
}

struct NoDate;

fn date(
    row: &Row<'_>,
    column: Column,
    votes: &mut OrderVotes,
    findings: &mut Findings,
) -> Result<Option<RawDate>, NoDate> {
    let text = row.get(column);
    if text.is_empty() {
        return Ok(None);
    }
    let Some(date) = RawDate::parse(text) else {
        tell_no_date(row.place_of(column), findings);
        return Err(NoDate);
    };
    if !date.is_prescribed() {
        let message = "not written YYYY-MM-DD, as OneRoster prescribes; read, here and below";
        let place = row.place_of(column);
        findings.tell_once(Code::date_not_prescribed, place, Shown::Secret, message);
    }
    votes.observe(date, row.line);
    Ok(Some(date))
}

/// OneRoster CSV Binding 1.2, roles.csv: the beginning is inclusive, the end exclusive.
fn is_current(date: Date, is_begin: bool, today: Date) -> bool {
    if is_begin {
        date <= today
    } else {
        today < date
    }
}

/// A role that may have ended is not given: a wrong yes would open a door.
fn tell_no_date(place: Place, findings: &mut Findings) {
    let message = "not a date; the role was left out".to_owned();
    findings.tell(Code::role_date_invalid, place, Shown::Secret, message);
}

impl Roles {
    fn add(
        &mut self,
        mut dated: Dated,
        order: DateOrder,
        today: Date,
        labels: &[Option<String>; 2],
        edition: Edition,
        findings: &mut Findings,
    ) {
        let [begin_label, end_label] = labels;
        let sides = [
            (dated.begin, begin_label, true),
            (dated.end, end_label, false),
        ];
        let person = self
            .by_person
            .entry(std::mem::take(&mut dated.user))
            .or_insert_with(|| (dated.line, Vec::new()));
        for (raw, label, is_begin) in sides {
            let Some(raw) = raw else { continue };
            let place = Place {
                file: self.file.clone(),
                line: dated.line,
                column: label.clone(),
            };
            match raw.resolve(order) {
                None => return tell_no_date(place, findings),
                Some(date) if !is_current(date, is_begin, today) && edition.delta => {
                    dated.held.ended = true;
                }
                Some(date) if !is_current(date, is_begin, today) => {
                    let message = "a role that has not begun or has ended; it was left out";
                    let value = Shown::Secret;
                    findings.tell(Code::role_not_current, place, value, message.to_owned());
                    return;
                }
                Some(_) => {}
            }
        }
        person.1.push(dated.held);
    }
}
