//! School Data Sync v1: School.csv, Student.csv and Teacher.csv. Sections and enrolments are not
//! read.
//!
//! The number people log in with is `Student Number` and `Teacher Number`, as written: it is what
//! stands on their cards, and what a OneRoster export of the same system calls `identifier`. A
//! prefix for teachers would be a number nobody was ever told. Where the two ranges overlap, both
//! people are given on and `number_duplicate` names their lines; `number_column = "SIS ID"` (or
//! `Username`) then takes one column of both files instead.

use std::{
    collections::{HashMap, HashSet},
    mem,
};

use narthex_core::model::{
    Contact, Membership, OrganizationId, OrganizationKind, Role,
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

static SCHOOL: Schema = Schema {
    file: "School.csv",
    required: &["SIS ID", "Name"],
    optional: &[
        "School Number",
        "School NCES_ID",
        "State ID",
        "Grade Low",
        "Grade High",
        "Principal SIS ID",
        "Principal Name",
        "Principal Secondary Email",
        "Address",
        "City",
        "State",
        "Country",
        "Zip",
        "Phone",
        "Zone",
    ],
    aliases: &[],
};

static STUDENT: Schema = Schema {
    file: "Student.csv",
    required: &["SIS ID", "School SIS ID", "First Name", "Last Name"],
    optional: &[
        "Username",
        "Password",
        "State ID",
        "Secondary Email",
        "Student Number",
        "Middle Name",
        "Grade",
        "Mailing Address",
        "Mailing City",
        "Mailing State",
        "Mailing Zip",
        "Mailing Latitude",
        "Mailing Longitude",
        "Mailing Country",
        "Residence Address",
        "Residence City",
        "Residence State",
        "Residence Zip",
        "Residence Latitude",
        "Residence Longitude",
        "Residence Country",
        "Gender",
        "Birthdate",
        "ELL Status",
        "FederalRace",
        "Graduation Year",
        "Status",
    ],
    aliases: &[("Date of Birth", "Birthdate")],
};

static TEACHER: Schema = Schema {
    file: "Teacher.csv",
    required: &["SIS ID", "School SIS ID", "First Name", "Last Name"],
    optional: &[
        "Username",
        "Password",
        "State ID",
        "Teacher Number",
        "Status",
        "Middle Name",
        "Secondary Email",
        "Title",
        "Qualification",
    ],
    aliases: &[],
};

/// Reads everything. After an Error finding the roster is not to be used.
pub(crate) fn read(
    input: &mut Input<'_>,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Result<Roster, ReadError> {
    let mut roster = Roster::default();
    for file in ["School.csv", "Student.csv", "Teacher.csv"] {
        if !input.has(file) {
            let message = "a roster cannot be read without this file, and without it all its \
                           people would become inactive; export it too (its header alone says: nobody)";
            people::tell_file_missing(file, message, findings);
        }
    }
    if findings.stopped() {
        return Ok(roster);
    }
    let schools = read_schools(input, findings)?;
    if findings.stopped() {
        return Ok(roster);
    }
    let mut people = People {
        schools: &schools,
        options,
        drafts: Vec::new(),
        by_id: HashMap::new(),
    };
    let student = people.read(input, &STUDENT, &mut roster, findings)?;
    if findings.stopped() {
        return Ok(roster);
    }
    let teacher = people.read(input, &TEACHER, &mut roster, findings)?;
    if findings.stopped() {
        return Ok(roster);
    }
    let drafts = mem::take(&mut people.drafts);
    number(drafts, [student, teacher], options, &mut roster, findings)?;
    roster.organizations = schools.list;
    Ok(roster)
}

#[derive(Default)]
struct Schools {
    list: Vec<RosterOrganization>,
    by_source_id: HashMap<String, usize>,
}

fn read_schools(input: &mut Input<'_>, findings: &mut Findings) -> Result<Schools, ReadError> {
    let mut schools = Schools::default();
    let Some(mut table) = input.table(&SCHOOL, findings)? else {
        return Ok(schools);
    };
    let (id_column, name) = (table.column("SIS ID"), table.column("Name"));
    let principal = table.column("Principal Name");
    let email = table.column("Principal Secondary Email");
    let mut ids = HashSet::new();
    while let Some(row) = table.next(findings)? {
        let Some(source_id) = people::source_id(&row, id_column, findings) else {
            continue;
        };
        let id = OrganizationId::from_source_id(source_id);
        if !ids.insert(id.clone()) {
            let message = "a second row with this id; the first one counts";
            row.tell(findings, Code::source_id_duplicate, id_column, message);
            continue;
        }
        let contact = people::preferred_name(&row, principal, findings).map(|name| Contact {
            name,
            role: "Principal".to_owned(),
            email: people::mail_address(&row, email, findings),
        });
        schools
            .by_source_id
            .insert(source_id.to_owned(), schools.list.len());
        schools.list.push(RosterOrganization {
            name: people::organization_name(&row, name, &id, findings),
            id,
            kind: OrganizationKind::School,
            parent: None,
            contacts: contact.into_iter().collect(),
        });
    }
    if table.rows() == 0 {
        people::tell_without_rows(table.file(), true, findings);
    }
    Ok(schools)
}

/// One file of people, after reading.
struct PeopleFile {
    file: String,
    /// The column of numbers, as called there.
    number: String,
    /// Whether any row has one.
    has_numbers: bool,
}

struct People<'s> {
    schools: &'s Schools,
    options: &'s ReadOptions,
    drafts: Vec<(Draft, Option<RawDate>)>,
    by_id: HashMap<String, usize>,
}

#[derive(Clone, Copy)]
struct Columns {
    id: Column,
    school: Column,
    given: Column,
    family: Column,
    status: Column,
    born: Column,
    number: Column,
}

impl People<'_> {
    fn read(
        &mut self,
        input: &mut Input<'_>,
        schema: &'static Schema,
        roster: &mut Roster,
        findings: &mut Findings,
    ) -> Result<PeopleFile, ReadError> {
        let is_student = schema.file == STUDENT.file;
        let mut of_file = PeopleFile {
            file: input.spelled(schema.file),
            number: String::new(),
            has_numbers: false,
        };
        let Some(mut table) = input.table(schema, findings)? else {
            return Ok(of_file);
        };
        let number = number_column(&mut table, self.options, is_student, findings);
        let columns = Columns {
            id: table.column("SIS ID"),
            school: table.column("School SIS ID"),
            given: table.column("First Name"),
            family: table.column("Last Name"),
            status: table.column("Status"),
            born: table.column("Birthdate"),
            number,
        };
        of_file.number = table
            .label(number)
            .unwrap_or_else(|| default_number(is_student).into());
        let role = if is_student {
            Role::Student
        } else {
            Role::Teacher
        };
        let mut votes = OrderVotes::default();
        let first = self.drafts.len();
        while let Some(row) = table.next(findings)? {
            of_file.has_numbers |= !row.get(number).is_empty();
            if !self.take(&row, columns, &role, &mut votes, findings) {
                let id = Some(row.get(columns.id)).filter(|id| !id.is_empty());
                roster.leave_out(id, row.place());
            }
        }
        for line in mem::take(&mut table.lost) {
            let place = Place {
                line,
                ..whole_file(&of_file.file)
            };
            roster.leave_out(None, place);
        }
        if table.rows() == 0 {
            people::tell_without_rows(&of_file.file, is_student, findings);
        }
        let label = table.label(columns.born);
        self.give_birthdates(first, &votes, &of_file.file, label, findings)?;
        Ok(of_file)
    }

    /// Returns whether the row became a person, or part of one.
    fn take(
        &mut self,
        row: &Row<'_>,
        columns: Columns,
        role: &Role,
        votes: &mut OrderVotes,
        findings: &mut Findings,
    ) -> bool {
        let Some(source_id) = people::source_id(row, columns.id, findings) else {
            return false;
        };
        let given_name = people::name(row, columns.given, findings);
        let family_name = people::name(row, columns.family, findings);
        let (Some(given_name), Some(family_name)) = (given_name, family_name) else {
            return false;
        };
        let school = self.schools.by_source_id.get(row.get(columns.school));
        let Some(school) = school.and_then(|index| self.schools.list.get(*index)) else {
            let message = "a school that was not read; the row was left out";
            row.tell(findings, Code::role_unknown_org, columns.school, message);
            return false;
        };
        let membership = Membership {
            organization: school.id.clone(),
            role: role.clone(),
        };
        let raw = people::raw_birthdate(row, columns.born, votes, findings);
        let draft = Draft {
            source_id: source_id.to_owned(),
            number: row.get(columns.number).to_owned(),
            given_name,
            family_name,
            preferred_given_name: None,
            preferred_family_name: None,
            birthdate: None,
            default_organization: membership.organization.clone(),
            memberships: vec![membership],
            enabled: is_active(row, columns.status, findings),
            place: row.place(),
        };
        if let Some(index) = self.by_id.get(source_id) {
            return self.merge(*index, draft, raw, row, columns.id, findings);
        }
        if row.get(columns.born).is_empty() {
            people::tell_no_birthdate(row.place(), findings);
        }
        self.by_id.insert(source_id.to_owned(), self.drafts.len());
        self.drafts.push((draft, raw));
        true
    }

    /// A person at two schools has two rows that differ in the school alone. Anything else is
    /// another person under the same id.
    fn merge(
        &mut self,
        index: usize,
        draft: Draft,
        raw: Option<RawDate>,
        row: &Row<'_>,
        id: Column,
        findings: &mut Findings,
    ) -> bool {
        let Some((first, first_raw)) = self.drafts.get_mut(index) else {
            return false;
        };
        let same = first.given_name == draft.given_name
            && first.family_name == draft.family_name
            && first.number == draft.number
            && (*first_raw == raw || raw.is_none());
        if !same {
            let message = "a second row with this id and other facts; the first one counts";
            row.tell(findings, Code::source_id_duplicate, id, message);
            return false;
        }
        let message = format!(
            "the person of {} line {}; the school and role of this row were added",
            first.place.file, first.place.line
        );
        row.tell(findings, Code::person_merged, id, &message);
        first.enabled &= draft.enabled;
        for membership in draft.memberships {
            if !first.memberships.contains(&membership) {
                first.memberships.push(membership);
            }
        }
        true
    }

    fn give_birthdates(
        &mut self,
        first: usize,
        votes: &OrderVotes,
        file: &str,
        label: Option<String>,
        findings: &mut Findings,
    ) -> Result<(), ReadError> {
        let asked = self.options.date_order;
        let order = people::date_order(votes, asked, file, label.clone(), findings)?;
        for (draft, raw) in self.drafts.iter_mut().skip(first) {
            let Some(raw) = *raw else { continue };
            let place = || Place {
                column: label.clone(),
                ..draft.place.clone()
            };
            draft.birthdate = people::birthdate(raw, order, self.options.today, place, findings);
        }
        Ok(())
    }
}

fn default_number(is_student: bool) -> &'static str {
    if is_student {
        "Student Number"
    } else {
        "Teacher Number"
    }
}

fn number_column(
    table: &mut Table<'_>,
    options: &ReadOptions,
    is_student: bool,
    findings: &mut Findings,
) -> Column {
    let default = default_number(is_student);
    let pair = [
        text::folded("Student Number"),
        text::folded("Teacher Number"),
    ];
    let asked = options.number_column.as_deref();
    let Some(asked) = asked.filter(|asked| !pair.contains(&text::folded(asked))) else {
        return table.column(default);
    };
    let column = table.column_asked(asked);
    if people::is_secret_column(asked) {
        people::refuse_number_column(table.file(), asked, findings);
    } else if !column.is_present() {
        people::tell_number_column_missing(table.file(), asked, findings);
    }
    column
}

fn is_active(row: &Row<'_>, column: Column, findings: &mut Findings) -> bool {
    let status = row.get(column);
    if status.is_empty() || status.eq_ignore_ascii_case("active") {
        return true;
    }
    let message = "not active; the person is read as not enabled";
    row.tell(findings, Code::status_not_active, column, message);
    false
}

/// Gives the people their numbers.
fn number(
    drafts: Vec<(Draft, Option<RawDate>)>,
    [student, teacher]: [PeopleFile; 2],
    options: &ReadOptions,
    roster: &mut Roster,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    if !student.has_numbers && options.number_column.is_none() {
        return Err(ReadError::NumberUndecided {
            file: student.file,
            candidates: "SIS ID, Username".to_owned(),
        });
    }
    let drafts: Vec<Draft> = drafts.into_iter().map(|(draft, _)| draft).collect();
    for of_file in [&student, &teacher] {
        let rows = || {
            drafts
                .iter()
                .filter(|draft| draft.place.file == of_file.file)
        };
        let with = rows().filter(|draft| !draft.number.is_empty()).count();
        let place = Place {
            column: Some(of_file.number.clone()),
            ..whole_file(&of_file.file)
        };
        let message = format!(
            "people log in with the number of this column; {with} of {} have one",
            rows().count()
        );
        findings.tell(Code::number_chosen, place, Shown::Nothing, message);
    }
    let (teachers, students): (Vec<Draft>, Vec<Draft>) = drafts
        .into_iter()
        .partition(|draft| draft.place.file == teacher.file);
    roster.take(students, &student.number, options, findings);
    roster.take(teachers, &teacher.number, options, findings);
    let columns = [
        (&*student.file, &*student.number),
        (&*teacher.file, &*teacher.number),
    ];
    roster.tell_duplicates(&columns, findings);
    Ok(())
}
