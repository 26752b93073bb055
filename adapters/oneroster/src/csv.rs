//! One plain CSV file with a row for each person, as spreadsheets and school systems export it.
//!
//! Columns are found by their names, of which several spellings are known, English ones first. The
//! number and the two names must be there; the rest may be missing.

use std::collections::{HashMap, HashSet};

use narthex_core::model::{
    Membership, OrganizationId, OrganizationKind, Role,
    roster::{Place, RosterOrganization},
};

use crate::{
    ReadOptions,
    catalog::Input,
    date::{OrderVotes, RawDate},
    error::ReadError,
    findings::{Code, Findings, Shown, whole_file},
    people::{self, Draft, Roster},
    table::{Column, Row, Schema, Table},
    text,
};

/// The names of the columns are found here, not in the schema.
pub(crate) static SCHEMA: Schema = Schema {
    file: "people.csv",
    required: &[],
    optional: &[],
    aliases: &[],
};

/// What a column can be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Number,
    Given,
    Family,
    Birthdate,
    School,
    SchoolName,
    Role,
    Id,
    PreferredGiven,
    PreferredFamily,
    Status,
}

/// Spellings of each column, the likeliest first; compared without case, spaces and punctuation.
const SPELLINGS: [(Field, &[&str]); 11] = [
    (
        Field::Number,
        &[
            "Student Number",
            "Student ID",
            "Student No",
            "Pupil Number",
            "Employee Number",
            "Employee ID",
            "Staff Number",
            "Staff ID",
            "Person Number",
            "ID Number",
            "Local ID",
            "identifier",
            "Number",
            "Número de estudiante",
            "Matrícula",
            "Schülernummer",
            "Matrikelnummer",
            "Personalnummer",
            "Numéro d'élève",
            "Numéro étudiant",
        ],
    ),
    (
        Field::Given,
        &[
            "First Name",
            "Given Name",
            "Legal First Name",
            "Forename",
            "Student First Name",
            "Nombre",
            "Vorname",
            "Prénom",
        ],
    ),
    (
        Field::Family,
        &[
            "Last Name",
            "Family Name",
            "Legal Last Name",
            "Surname",
            "Student Last Name",
            "Apellido",
            "Apellidos",
            "Nachname",
            "Familienname",
            "Nom de famille",
            "Nom",
        ],
    ),
    (
        Field::Birthdate,
        &[
            "Birthdate",
            "Birth Date",
            "Date of Birth",
            "DOB",
            "Birthday",
            "Fecha de nacimiento",
            "Geburtsdatum",
            "Date de naissance",
        ],
    ),
    (
        Field::School,
        &[
            "School ID",
            "School SIS ID",
            "School Number",
            "School Code",
            "Organization ID",
            "Org ID",
            "School",
            "Organization",
            "Organisation",
            "Campus",
            "Building",
            "Company",
            "Escuela",
            "Schule",
            "École",
        ],
    ),
    (
        Field::SchoolName,
        &[
            "School Name",
            "Organization Name",
            "Campus Name",
            "Building Name",
        ],
    ),
    (
        Field::Role,
        &[
            "Role",
            "User Role",
            "User Type",
            "Person Type",
            "Rol",
            "Rolle",
            "Rôle",
        ],
    ),
    (
        Field::Id,
        &[
            "SIS ID",
            "sourcedId",
            "Source ID",
            "Person ID",
            "Record ID",
            "UUID",
            "GUID",
        ],
    ),
    (
        Field::PreferredGiven,
        &[
            "Preferred First Name",
            "Preferred Given Name",
            "Preferred Name",
            "Nickname",
            "Known As",
        ],
    ),
    (
        Field::PreferredFamily,
        &["Preferred Last Name", "Preferred Family Name"],
    ),
    (
        Field::Status,
        &["Status", "Active", "Enabled", "enabledUser"],
    ),
];

const ROLES: [(&str, Role); 16] = [
    ("student", Role::Student),
    ("pupil", Role::Student),
    ("learner", Role::Student),
    ("estudiante", Role::Student),
    ("schüler", Role::Student),
    ("élève", Role::Student),
    ("teacher", Role::Teacher),
    ("instructor", Role::Teacher),
    ("faculty", Role::Teacher),
    ("administrator", Role::Administrator),
    ("admin", Role::Administrator),
    ("principal", Role::Administrator),
    ("guardian", Role::Guardian),
    ("parent", Role::Guardian),
    ("staff", Role::Other),
    ("employee", Role::Other),
];

const LISTED: [&str; 6] = ["active", "enabled", "true", "yes", "y", "1"];

/// Reads everything. After an Error finding the roster is not to be used.
pub(crate) fn read(
    input: &mut Input<'_>,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Result<Roster, ReadError> {
    let mut roster = Roster::default();
    let Some(mut table) = input.table(&SCHEMA, findings)? else {
        return Ok(roster);
    };
    let file = table.file().to_owned();
    let Some(columns) = Columns::find(&mut table, options, findings)? else {
        return Ok(roster);
    };
    let mut reader = Reader {
        columns,
        options,
        schools: Schools::default(),
        ids: HashSet::new(),
        drafts: Vec::new(),
        votes: OrderVotes::default(),
    };
    while let Some(row) = table.next(findings)? {
        if !reader.take(&row, findings) {
            let id = Some(row.get(reader.columns.id_or_number()));
            roster.leave_out(id.filter(|id| !id.is_empty()), row.place());
        }
    }
    for line in std::mem::take(&mut table.lost) {
        let place = Place {
            line,
            ..whole_file(&file)
        };
        roster.leave_out(None, place);
    }
    if table.rows() == 0 {
        people::tell_without_rows(&file, true, findings);
        return Ok(roster);
    }
    let born = table.label(reader.columns.born);
    let number = table.label(reader.columns.number).unwrap_or_default();
    let Reader {
        schools,
        drafts,
        votes,
        ..
    } = reader;
    let drafts = with_birthdates(drafts, &votes, options, &file, born, findings)?;
    let with = drafts.iter().filter(|d| !d.number.is_empty()).count();
    let place = Place {
        column: Some(number.clone()),
        ..whole_file(&file)
    };
    let all = drafts.len();
    let message = format!("people log in with the number of this column; {with} of {all} have one");
    findings.tell(Code::number_chosen, place, Shown::Nothing, message);
    roster.take(drafts, &number, options, findings);
    roster.tell_duplicates(&[(&file, &number)], findings);
    roster.organizations = schools.list;
    if let Some(organization) = &options.organization {
        let id = OrganizationId::from_source_id(organization);
        roster.source = Some(format!("csv-{id}"));
    }
    Ok(roster)
}

#[derive(Clone, Copy)]
struct Columns {
    id: Column,
    number: Column,
    given: Column,
    family: Column,
    preferred_given: Column,
    preferred_family: Column,
    born: Column,
    school: Column,
    school_name: Column,
    role: Column,
    status: Column,
}

impl Columns {
    /// `None` after an Error finding.
    fn find(
        table: &mut Table<'_>,
        options: &ReadOptions,
        findings: &mut Findings,
    ) -> Result<Option<Self>, ReadError> {
        let labels = table.labels();
        if is_part_of_oneroster(&labels) {
            let message = "this is one file of a OneRoster export: give the folder or zip it is a \
                           part of";
            let place = whole_file(table.file());
            findings.tell(Code::roster_part, place, Shown::Nothing, message.to_owned());
            return Ok(None);
        }
        let mut found = Found {
            by_field: HashMap::new(),
            labels: &labels,
        };
        found.look(table.file(), findings);
        let number = match &options.number_column {
            Some(asked) => match asked_number(table, asked, findings) {
                Some(column) => column,
                None => return Ok(None),
            },
            None => match found.number(table.file())? {
                Some(index) => table.column_at(index),
                None => {
                    tell_missing(table.file(), "Student Number", findings);
                    return Ok(None);
                }
            },
        };
        let mut column = |field| match found.by_field.get(&(field as u8)) {
            Some(index) => table.column_at(*index),
            None => Column::absent(),
        };
        let columns = Self {
            id: column(Field::Id),
            number,
            given: column(Field::Given),
            family: column(Field::Family),
            preferred_given: column(Field::PreferredGiven),
            preferred_family: column(Field::PreferredFamily),
            born: column(Field::Birthdate),
            school: column(Field::School),
            school_name: column(Field::SchoolName),
            role: column(Field::Role),
            status: column(Field::Status),
        };
        let has_school = columns.school.is_present() || columns.school_name.is_present();
        for (there, name) in [
            (columns.given.is_present(), "First Name"),
            (columns.family.is_present(), "Last Name"),
            (has_school || options.organization.is_some(), "School"),
        ] {
            if !there {
                tell_missing(table.file(), name, findings);
            }
        }
        table.tell_unused(findings);
        Ok((!findings.stopped()).then_some(columns))
    }

    /// What a person is known by when the file comes again.
    fn id_or_number(&self) -> Column {
        if self.id.is_present() {
            self.id
        } else {
            self.number
        }
    }
}

/// Which column is which.
struct Found<'l> {
    by_field: HashMap<u8, usize>,
    labels: &'l [String],
}

impl Found<'_> {
    /// All columns that some spelling of `field` names, the likeliest first.
    fn candidates(&self, spellings: &[&str]) -> Vec<usize> {
        let place = |wanted: &str| {
            let wanted = text::folded(wanted);
            let same = |label: &String| text::folded(label) == wanted;
            self.labels.iter().position(same)
        };
        let mut found: Vec<usize> = spellings.iter().filter_map(|s| place(s)).collect();
        found.dedup();
        found
    }

    fn look(&mut self, file: &str, findings: &mut Findings) {
        for (field, spellings) in SPELLINGS {
            let candidates = self.candidates(spellings);
            let Some(first) = candidates.first() else {
                continue;
            };
            self.by_field.insert(field as u8, *first);
            let told_apart = matches!(field, Field::Number | Field::School);
            for other in candidates.iter().skip(1).filter(|_| !told_apart) {
                let label = self.labels.get(*other).cloned().unwrap_or_default();
                let message = format!(
                    "{} was taken instead of this column",
                    self.labels.get(*first).cloned().unwrap_or_default()
                );
                let place = Place {
                    file: file.to_owned(),
                    line: 1,
                    column: Some(label.clone()),
                };
                findings.tell(Code::column_duplicate, place, Shown::Text(&label), message);
            }
        }
    }

    /// The one column of numbers.
    fn number(&self, file: &str) -> Result<Option<usize>, ReadError> {
        let spellings = SPELLINGS.iter().find(|(field, _)| *field == Field::Number);
        let candidates = self.candidates(spellings.map_or(&[][..], |(_, spellings)| spellings));
        match candidates.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            several => Err(ReadError::NumberUndecided {
                file: file.to_owned(),
                candidates: several
                    .iter()
                    .filter_map(|index| self.labels.get(*index).cloned())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }
}

fn is_part_of_oneroster(labels: &[String]) -> bool {
    let has = |name: &str| labels.iter().any(|label| label == name);
    has("sourcedId") && (has("enabledUser") || has("userSourcedId") || has("status"))
}

fn asked_number(table: &mut Table<'_>, asked: &str, findings: &mut Findings) -> Option<Column> {
    let column = table.column_asked(asked);
    let label = table.label(column);
    if people::is_secret_column(asked) || label.as_deref().is_some_and(people::is_secret_column) {
        people::refuse_number_column(table.file(), asked, findings);
        return None;
    }
    if label.is_none() {
        people::tell_number_column_missing(table.file(), asked, findings);
        return None;
    }
    Some(column)
}

fn tell_missing(file: &str, name: &str, findings: &mut Findings) {
    let hint = match name {
        "Student Number" => "name it so, or say --number-column",
        "School" => "name one so, or say --organization",
        _ => "name it so",
    };
    let message = format!("no column is plainly the {name}; {hint}");
    let place = Place {
        file: file.to_owned(),
        line: 1,
        column: Some(name.to_owned()),
    };
    findings.tell(Code::column_missing, place, Shown::Nothing, message);
}

/// Organizations in the order they are met.
#[derive(Default)]
struct Schools {
    list: Vec<RosterOrganization>,
    by_source_id: HashMap<String, usize>,
}

impl Schools {
    fn of(&mut self, source_id: &str, name: &str) -> OrganizationId {
        let index = *self
            .by_source_id
            .entry(source_id.to_owned())
            .or_insert_with(|| {
                self.list.push(RosterOrganization {
                    id: OrganizationId::from_source_id(source_id),
                    name: name.to_owned(),
                    kind: OrganizationKind::School,
                    parent: None,
                    contacts: Vec::new(),
                });
                self.list.len() - 1
            });
        match self.list.get(index) {
            Some(school) => school.id.clone(),
            None => OrganizationId::from_source_id(source_id),
        }
    }
}

struct Reader<'o> {
    columns: Columns,
    options: &'o ReadOptions,
    schools: Schools,
    ids: HashSet<String>,
    drafts: Vec<(Draft, Option<RawDate>)>,
    votes: OrderVotes,
}

impl Reader<'_> {
    /// Returns whether the row became a person.
    fn take(&mut self, row: &Row<'_>, findings: &mut Findings) -> bool {
        let columns = self.columns;
        let Some(id) = people::source_id(row, columns.id_or_number(), findings) else {
            return false;
        };
        let is_new = self.ids.insert(id.to_owned());
        if !is_new && columns.id.is_present() {
            let message = "a second row with this id; the first one counts";
            row.tell(findings, Code::source_id_duplicate, columns.id, message);
            return true;
        }
        let given_name = people::name(row, columns.given, findings);
        let family_name = people::name(row, columns.family, findings);
        let (Some(given_name), Some(family_name)) = (given_name, family_name) else {
            return false;
        };
        let Some(organization) = self.school(row, findings) else {
            return false;
        };
        let raw = people::raw_birthdate(row, columns.born, &mut self.votes, findings);
        if row.get(columns.born).is_empty() {
            people::tell_no_birthdate(row.place(), findings);
        }
        let draft = Draft {
            // Without a column of ids a person is known by the number. A second row with that number
            // is somebody else, whom the line tells apart.
            source_id: if is_new {
                id.to_owned()
            } else {
                format!("{id} (line {})", row.line)
            },
            number: row.get(columns.number).to_owned(),
            given_name,
            family_name,
            preferred_given_name: people::preferred_name(row, columns.preferred_given, findings),
            preferred_family_name: people::preferred_name(row, columns.preferred_family, findings),
            birthdate: None,
            memberships: vec![Membership {
                organization: organization.clone(),
                role: self.role(row, findings),
            }],
            default_organization: organization,
            enabled: self.is_listed(row, findings),
            place: row.place(),
        };
        self.drafts.push((draft, raw));
        true
    }

    fn school(&mut self, row: &Row<'_>, findings: &mut Findings) -> Option<OrganizationId> {
        if let Some(organization) = &self.options.organization {
            return Some(self.schools.of(organization, organization));
        }
        let columns = self.columns;
        let name = text::tidy(row.get(columns.school_name)).text;
        let id = text::tidy(row.get(columns.school)).text;
        let (id, name) = match (id.is_empty(), name.is_empty()) {
            (false, false) => (id, name),
            (false, true) => (id.clone(), id),
            (true, false) => (name.clone(), name),
            (true, true) => {
                let column = if columns.school.is_present() {
                    columns.school
                } else {
                    columns.school_name
                };
                let message = "a person without a school; the person was left out";
                row.tell(findings, Code::role_unknown_org, column, message);
                return None;
            }
        };
        if id.chars().count() > text::NAME_CHARS_MAX || name.chars().count() > text::NAME_CHARS_MAX
        {
            let message = "more than 200 characters; the person was left out";
            row.tell(findings, Code::name_too_long, columns.school, message);
            return None;
        }
        Some(self.schools.of(&id, &name))
    }

    fn role(&self, row: &Row<'_>, findings: &mut Findings) -> Role {
        let written = row.get(self.columns.role);
        if written.is_empty() {
            return Role::Student;
        }
        let folded = text::folded(written);
        let known = ROLES.iter().find(|(word, _)| {
            folded == *word
                || folded.strip_suffix('s') == Some(word)
                || folded == format!("{word}in")
        });
        match known {
            Some((_, role)) => role.clone(),
            None => {
                let message = "not a role that is known; read as another role";
                row.tell(findings, Code::role_unknown, self.columns.role, message);
                Role::Other
            }
        }
    }

    fn is_listed(&self, row: &Row<'_>, findings: &mut Findings) -> bool {
        let status = row.get(self.columns.status);
        if status.is_empty() || LISTED.iter().any(|word| status.eq_ignore_ascii_case(word)) {
            return true;
        }
        let message = "not active; the person is read as not enabled";
        row.tell(
            findings,
            Code::status_not_active,
            self.columns.status,
            message,
        );
        false
    }
}

fn with_birthdates(
    drafts: Vec<(Draft, Option<RawDate>)>,
    votes: &OrderVotes,
    options: &ReadOptions,
    file: &str,
    label: Option<String>,
    findings: &mut Findings,
) -> Result<Vec<Draft>, ReadError> {
    let order = people::date_order(votes, options.date_order, file, label.clone(), findings)?;
    let mut done = Vec::with_capacity(drafts.len());
    for (mut draft, raw) in drafts {
        if let Some(raw) = raw {
            let place = || Place {
                column: label.clone(),
                ..draft.place.clone()
            };
            draft.birthdate = people::birthdate(raw, order, options.today, place, findings);
        }
        done.push(draft);
    }
    Ok(done)
}
