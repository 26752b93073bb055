//! What both formats share on the way from a row to a person.

use std::collections::HashMap;

use narthex_core::model::{
    Birthdate, Contact, LoginId, Membership, OrganizationId, OrganizationKind,
    roster::{Place, RosterChange, RosterOrganization, RosterPerson},
};

use crate::{
    LeftOut, NUMBER_WIDTH_MAX, ReadOptions,
    date::{Date, DateOrder, OrderVotes, RawDate},
    error::ReadError,
    findings::{Code, Findings, Shown, whole_file},
    table::{Column, Row},
    text,
};

/// Longest id of a row, in characters: OneRoster's GUID is shorter than 256.
const SOURCE_ID_CHARS_MAX: usize = 255;

/// A person whose number is not judged yet.
pub(crate) struct Draft {
    pub(crate) source_id: String,
    /// As written in the chosen column.
    pub(crate) number: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) preferred_given_name: Option<String>,
    pub(crate) preferred_family_name: Option<String>,
    pub(crate) birthdate: Option<Birthdate>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) default_organization: OrganizationId,
    pub(crate) enabled: bool,
    pub(crate) place: Place,
}

/// What a whole input becomes.
#[derive(Default)]
pub(crate) struct Roster {
    /// The source's own name for itself.
    pub(crate) source: Option<String>,
    pub(crate) organizations: Vec<RosterOrganization>,
    pub(crate) people: Vec<RosterPerson>,
    /// Whether only what changed is listed.
    pub(crate) delta: bool,
    /// What a delta says.
    pub(crate) changes: Vec<RosterChange>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Roster {
    /// Takes the people whose number is fit to log in with.
    pub(crate) fn take(
        &mut self,
        drafts: impl IntoIterator<Item = Draft>,
        column: &str,
        options: &ReadOptions,
        findings: &mut Findings,
    ) {
        for draft in drafts {
            match number(&draft.number, &draft.place, column, options, findings) {
                Some(login_id) => self.people.push(draft.with_number(login_id)),
                None => self.leave_out(Some(&draft.source_id), draft.place),
            }
        }
    }

    /// Remembers a row that did not become a person.
    pub(crate) fn leave_out(&mut self, source_id: Option<&str>, place: Place) {
        self.left_out.push(LeftOut {
            source_id: source_id.map(str::to_owned),
            place,
        });
    }

    /// Tells of two people with one number. Both stay: which of them is right is not for a reader.
    pub(crate) fn tell_duplicates(&self, columns: &[(&str, &str)], findings: &mut Findings) {
        let mut first: HashMap<&LoginId, &RosterPerson> = HashMap::new();
        for person in &self.people {
            let Some(earlier) = first.get(&person.login_id) else {
                first.insert(&person.login_id, person);
                continue;
            };
            let column = columns.iter().find(|(file, _)| *file == person.place.file);
            let place = Place {
                column: column.map(|(_, column)| (*column).to_owned()),
                ..person.place.clone()
            };
            let message = format!(
                "the number of another person, {} line {}; neither can claim until one changes",
                earlier.place.file, earlier.place.line
            );
            let value = Shown::Text(person.login_id.as_str());
            findings.tell(Code::number_duplicate, place, value, message);
        }
    }
}

impl Draft {
    fn with_number(self, login_id: LoginId) -> RosterPerson {
        RosterPerson {
            source_id: self.source_id,
            login_id,
            given_name: self.given_name,
            family_name: self.family_name,
            preferred_given_name: self.preferred_given_name,
            preferred_family_name: self.preferred_family_name,
            birthdate: self.birthdate,
            memberships: self.memberships,
            default_organization: self.default_organization,
            enabled: self.enabled,
            place: self.place,
        }
    }
}

/// The number a person logs in with, or a finding. Zeros that a spreadsheet ate come back where a
/// width is asked for.
pub(crate) fn number(
    written: &str,
    place: &Place,
    column: &str,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Option<LoginId> {
    let place = || Place {
        column: Some(column.to_owned()),
        ..place.clone()
    };
    if written.is_empty() {
        let message = "no number to log in with; the person was left out".to_owned();
        findings.tell(Code::number_missing, place(), Shown::Nothing, message);
        return None;
    }
    let width = options.number_width.unwrap_or(0).min(NUMBER_WIDTH_MAX);
    let short = written.len() < width && written.bytes().all(|byte| byte.is_ascii_digit());
    let padded = format!("{written:0>width$}");
    let number = if short {
        let message = "shorter than the width asked for; zeros were put in front, here and below";
        findings.tell_once(Code::number_padded, place(), Shown::Text(written), message);
        &padded
    } else {
        written
    };
    match LoginId::parse(number) {
        Ok(login_id) => Some(login_id),
        Err(why) => {
            let message = format!("{why}; the person was left out");
            findings.tell(Code::number_invalid, place(), Shown::Text(number), message);
            None
        }
    }
}

/// The id of a row, or a finding.
pub(crate) fn source_id<'t>(
    row: &Row<'t>,
    column: Column,
    findings: &mut Findings,
) -> Option<&'t str> {
    let id = row.get(column);
    if id.is_empty() {
        let message = "nothing in the column that says which person it is; the row was left out";
        row.tell(findings, Code::source_id_missing, column, message);
        return None;
    }
    if id.chars().any(text::is_hidden) || id.chars().nth(SOURCE_ID_CHARS_MAX).is_some() {
        let message = "an id has at most 255 characters, all of them visible; the row was left out";
        row.tell(findings, Code::source_id_invalid, column, message);
        return None;
    }
    Some(id)
}

/// A name that must be there; `None` after a finding that left the person out.
pub(crate) fn name(row: &Row<'_>, column: Column, findings: &mut Findings) -> Option<String> {
    match optional_name(row, column, "the person was left out", findings) {
        Ok(Some(name)) => Some(name),
        Ok(None) => {
            let message = "a person without this name; the person was left out";
            row.tell(findings, Code::name_missing, column, message);
            None
        }
        Err(TooLong) => None,
    }
}

/// A preferred name; an over-long one is left out.
pub(crate) fn preferred_name(
    row: &Row<'_>,
    column: Column,
    findings: &mut Findings,
) -> Option<String> {
    optional_name(row, column, "this name was left out", findings).unwrap_or_default()
}

struct TooLong;

fn optional_name(
    row: &Row<'_>,
    column: Column,
    done: &str,
    findings: &mut Findings,
) -> Result<Option<String>, TooLong> {
    let tidied = text::tidy(row.get(column));
    if tidied.stripped {
        let message = "control, bidirectional or invisible characters were taken out";
        row.tell(findings, Code::name_characters, column, message);
    }
    if tidied.text.chars().nth(text::NAME_CHARS_MAX).is_some() {
        let message = format!("more than {} characters; {done}", text::NAME_CHARS_MAX);
        row.tell(findings, Code::name_too_long, column, &message);
        return Err(TooLong);
    }
    Ok((!tidied.text.is_empty()).then_some(tidied.text))
}

/// A birthdate as written, `None` if there is none or after a finding. It is never shown.
pub(crate) fn raw_birthdate(
    row: &Row<'_>,
    column: Column,
    votes: &mut OrderVotes,
    findings: &mut Findings,
) -> Option<RawDate> {
    let text = row.get(column);
    if text.is_empty() {
        return None;
    }
    let raw = RawDate::parse(text);
    match raw {
        Some(date) => votes.observe(date, row.line),
        None => tell_impossible(row.place_of(column), findings),
    }
    raw
}

/// The birthdate a raw date means, or a finding.
pub(crate) fn birthdate(
    raw: RawDate,
    order: DateOrder,
    today: Date,
    place: impl FnOnce() -> Place,
    findings: &mut Findings,
) -> Option<Birthdate> {
    let date = raw.resolve(order).and_then(|date| date.as_birthdate(today));
    if date.is_none() {
        tell_impossible(place(), findings);
    }
    date
}

fn tell_impossible(place: Place, findings: &mut Findings) {
    let message =
        "not a birthdate (a day in the calendar, from 1900 to today, with four digits for \
                   the year); the person is kept without one"
            .to_owned();
    findings.tell(Code::birthdate_impossible, place, Shown::Secret, message);
}

/// The order of the dates of a file, with a finding if a row decided it.
pub(crate) fn date_order(
    votes: &OrderVotes,
    asked: Option<DateOrder>,
    file: &str,
    column: Option<String>,
    findings: &mut Findings,
) -> Result<DateOrder, ReadError> {
    let decided = votes.decide(asked, file)?;
    if let Some(line) = decided.line {
        let place = Place {
            line,
            column,
            ..whole_file(file)
        };
        let message = format!(
            "all dates of this file were read as {}: this one can only be read so",
            decided.order.word()
        );
        findings.tell(Code::date_order_chosen, place, Shown::Secret, message);
    }
    Ok(decided.order)
}

/// Tells that a person cannot claim by birthdate.
pub(crate) fn tell_no_birthdate(place: Place, findings: &mut Findings) {
    let message = "no birthdate: this person claims with a code".to_owned();
    findings.tell(Code::birthdate_missing, place, Shown::Nothing, message);
}

/// Adds a human to write to, once.
pub(crate) fn add_contact(organization: &mut RosterOrganization, contact: Contact) {
    if !organization.contacts.contains(&contact) {
        organization.contacts.push(contact);
    }
}

/// A contact's mail address, or a finding.
pub(crate) fn mail_address(
    row: &Row<'_>,
    column: Column,
    findings: &mut Findings,
) -> Option<String> {
    let address = row.get(column);
    if address.is_empty() {
        return None;
    }
    if !text::is_mail_address(address) {
        let message = "not a mail address; the contact is kept without one";
        row.tell(findings, Code::email_invalid, column, message);
        return None;
    }
    Some(address.to_owned())
}

/// The name of an organization; its id where it has none.
pub(crate) fn organization_name(
    row: &Row<'_>,
    column: Column,
    id: &OrganizationId,
    findings: &mut Findings,
) -> String {
    match preferred_name(row, column, findings) {
        Some(name) => name,
        None => {
            let message = "an organization without a usable name; it is called by its id";
            row.tell(findings, Code::org_name_missing, column, message);
            id.to_string()
        }
    }
}

/// Rank of an organization as the place to land in: a school before a district.
pub(crate) fn landing_rank(kind: OrganizationKind) -> u8 {
    match kind {
        OrganizationKind::School => 0,
        OrganizationKind::Other => 1,
        OrganizationKind::District => 2,
    }
}

/// Whether a column may be the number people log in with; its name is enough to refuse it.
pub(crate) fn is_secret_column(asked: &str) -> bool {
    let folded = text::folded(asked);
    folded.contains("password") || folded.contains("birth")
}

/// Refuses a column of secrets as the number.
pub(crate) fn refuse_number_column(file: &str, asked: &str, findings: &mut Findings) {
    let place = Place {
        column: Some(text::shown(asked)),
        ..whole_file(file)
    };
    let message = "passwords and birthdates are never a log-in number; choose another column";
    findings.tell(
        Code::number_column_refused,
        place,
        Shown::Nothing,
        message.to_owned(),
    );
}

/// Tells that the column asked for is not there.
pub(crate) fn tell_number_column_missing(file: &str, asked: &str, findings: &mut Findings) {
    let place = Place {
        file: file.to_owned(),
        line: 1,
        column: Some(text::shown(asked)),
    };
    let message = "the column asked for as the log-in number is missing; choose another one";
    findings.tell(
        Code::column_missing,
        place,
        Shown::Nothing,
        message.to_owned(),
    );
}

/// Tells of a file without rows.
pub(crate) fn tell_without_rows(file: &str, needed: bool, findings: &mut Findings) {
    let (code, message) = if needed {
        (
            Code::rows_missing,
            "a header and nothing else: a bulk import of it would make everybody inactive",
        )
    } else {
        (Code::file_without_rows, "a header and nothing else")
    };
    findings.tell(code, whole_file(file), Shown::Nothing, message.to_owned());
}

/// Tells of a file that is not there.
pub(crate) fn tell_file_missing(file: &str, message: &str, findings: &mut Findings) {
    findings.tell(
        Code::file_missing,
        whole_file(file),
        Shown::Nothing,
        message.to_owned(),
    );
}
