//! What an import tells of people and organizations. A code never changes its meaning.
//!
//! The codes of what files look like are those of the adapter that reads them.

use crate::model::OrganizationId;
use crate::model::roster::{Finding, Place, RosterPerson, Severity};

/// Findings of one code that a report lists; the others are only counted.
pub const FINDINGS_PER_CODE_MAX: usize = 1_000;

/// Every code with its severity and meaning.
pub const CODES: &[(&str, Severity, &str)] = &[
    (
        "birthdate_let_go",
        Severity::Note,
        "a delta gives a new number without the birthdate: the person claims with a code",
    ),
    (
        "change_unknown_person",
        Severity::Warning,
        "a delta changes somebody this source has never listed: left out",
    ),
    (
        "change_without_membership",
        Severity::Warning,
        "a delta ends the last membership of a person: the person stays as they are",
    ),
    (
        "deactivation_held",
        Severity::Warning,
        "too many people of an organization are missing: they stay until a human confirms",
    ),
    (
        "findings_more",
        Severity::Note,
        "how many more findings of one code there were",
    ),
    (
        "membership_of_another_source",
        Severity::Warning,
        "a membership in an organization of another source: the person is kept without it",
    ),
    (
        "number_of_another_source",
        Severity::Warning,
        "another source lists this number: the row was left out",
    ),
    (
        "number_reused",
        Severity::Warning,
        "the number once named somebody else's account: the row was left out",
    ),
    (
        "number_shared",
        Severity::Warning,
        "different people have one number: none of them can claim",
    ),
    (
        "organization_of_another_source",
        Severity::Warning,
        "an organization belongs to another source: it and its people were left as they are",
    ),
    (
        "organization_out_of_reach",
        Severity::Warning,
        "an organization in which who brings the file is not staff: it and its people stay as they are",
    ),
    (
        "organization_unknown",
        Severity::Warning,
        "an organization that no file has listed: memberships in it were left out",
    ),
    (
        "person_erased",
        Severity::Warning,
        "the person was erased: the row was left out",
    ),
    (
        "person_of_another_source",
        Severity::Warning,
        "a person of no organization of this source: the row was left out",
    ),
    (
        "person_out_of_reach",
        Severity::Warning,
        "a person of an organization in which who brings the file is not staff: the row was left out",
    ),
    (
        "person_replaced",
        Severity::Warning,
        "an id of the source is given to another human: the row was left out",
    ),
    (
        "roster_unrelated",
        Severity::Error,
        "a complete file that lists nobody its source listed before: nothing was changed",
    ),
    (
        "source_needed",
        Severity::Error,
        "another source is known, and the import does not say whose file it is: nothing was changed",
    ),
    (
        "staff_added",
        Severity::Note,
        "the file makes somebody staff of an organization: they can help and reset people there",
    ),
];

/// A finding of [`CODES`].
fn told(code: &'static str, place: Place, value: Option<String>, message: String) -> Finding {
    let known = CODES.iter().find(|(known, ..)| *known == code);
    Finding {
        severity: known.map_or(Severity::Error, |(_, severity, _)| *severity),
        code,
        place,
        value,
        message,
    }
}

fn of_row(code: &'static str, person: &RosterPerson, message: &str) -> Finding {
    let number = person.login_id.as_str().to_owned();
    told(code, person.place.clone(), Some(number), message.to_owned())
}

fn of_organization(code: &'static str, id: &OrganizationId, message: String) -> Finding {
    told(code, Place::default(), Some(id.to_string()), message)
}

/// Different people share a number.
pub fn shared(people: &[&RosterPerson]) -> Option<Finding> {
    let lines: Vec<String> = people
        .iter()
        .map(|person| person.place.line.to_string())
        .collect();
    let message = format!(
        "different people share this number (lines {}): none of them can claim until it is put right",
        lines.join(", ")
    );
    Some(of_row("number_shared", people.first()?, &message))
}

/// A delta gives a person the number of somebody it does not mention.
pub fn shared_with_unmentioned(person: &RosterPerson) -> Finding {
    let message = "somebody else whom this delta does not mention has this number: neither can claim \
                   until a complete file puts it right";
    of_row("number_shared", person, message)
}

/// A number that once named an account is given to somebody else.
pub fn reused(person: &RosterPerson) -> Finding {
    let message = "this number once named somebody else's account: the row was left out";
    of_row("number_reused", person, message)
}

/// Whoever had the number, or the id in the source, was erased.
pub fn erased(person: &RosterPerson) -> Finding {
    let message = "the person with this number or id was erased: the row was left out; to let the \
                   number name somebody again: `narthex person readmit NUMBER`";
    of_row("person_erased", person, message)
}

/// An id of the source is given to another human.
pub fn replaced(person: &RosterPerson) -> Finding {
    let message = "the source gives this person the number or id of somebody else who has an account: \
                   the row was left out. If it is the same human, import once with the names that \
                   `person show` has, then with the new ones; if not, give another number";
    of_row("person_replaced", person, message)
}

/// Another source lists the number.
pub fn number_of_another_source(person: &RosterPerson, owner: &str) -> Finding {
    let message = format!(
        "the source {owner:?} lists this number: the row was left out; only one of them may"
    );
    of_row("number_of_another_source", person, &message)
}

/// Nobody of the organizations of this source.
pub fn person_of_another_source(person: &RosterPerson) -> Finding {
    let message = "this person belongs to no organization of this source: the row was left out";
    of_row("person_of_another_source", person, message)
}

/// A person whom who brings the file may not change.
pub fn person_out_of_reach(place: Place) -> Finding {
    let message = "this person belongs, or would belong, to an organization in which you are not staff: \
                   the row was left out";
    told("person_out_of_reach", place, None, message.to_owned())
}

/// An organization whose people who brings the file may not change.
pub fn organization_out_of_reach(id: &OrganizationId) -> Finding {
    let message = "you are not staff of this organization: it and its people were left as they are";
    of_organization("organization_out_of_reach", id, message.to_owned())
}

/// A membership in an organization of another source.
pub fn membership_of_another_source(person: &RosterPerson, id: &OrganizationId) -> Finding {
    let message = format!("{id} is not this source's: the person was kept without this membership");
    of_row("membership_of_another_source", person, &message)
}

/// An organization of another source.
pub fn organization_of_another_source(id: &OrganizationId, owner: &str) -> Finding {
    let message = format!(
        "this organization belongs to the source {owner:?}: it and its people were left as they are. \
         If this file comes from there, import it under that source (`--source`, in programs `source`)"
    );
    of_organization("organization_of_another_source", id, message)
}

/// An organization that no file has listed.
pub fn organization_unknown(id: &OrganizationId) -> Finding {
    let message =
        "no file has listed this organization: memberships in it were left out".to_owned();
    of_organization("organization_unknown", id, message)
}

/// Too many people are missing to believe it.
pub fn held(id: &OrganizationId, missing: usize, listed_before: usize) -> Finding {
    let message = format!(
        "{missing} of {listed_before} people of this organization are missing from the file: nobody of \
         it was made inactive. If they have really left, confirm it (`narthex roster \
         confirm`, in programs `settle_holds`)"
    );
    of_organization("deactivation_held", id, message)
}

/// A complete file that lists nobody its source listed before.
pub fn unrelated(source: &str, known: usize) -> Finding {
    let message = format!(
        "none of the {known} people that the source {source:?} listed before is in this file: nothing \
         was changed. Is it the right file? If it comes from elsewhere, import it under another \
         source (`--source`, in programs `source`); if the source has given everybody a new id, accept them \
         (`--accept-new-ids`, in programs \
         `accept_new_ids`)"
    );
    told("roster_unrelated", Place::default(), None, message)
}

/// The file says whose it is, and nobody else does.
pub fn source_needed<'s>(claimed: &str, known: impl Iterator<Item = &'s String>) -> Finding {
    let known: Vec<String> = known.map(|source| format!("{source:?}")).collect();
    let message = format!(
        "the file says that it comes from {claimed:?}; known are {}: nothing was changed. Say whose it is \
         (`--source`, in programs `source`)",
        known.join(", ")
    );
    told("source_needed", Place::default(), None, message)
}

/// Somebody who was not staff of an organization is.
pub fn staff_added(person: &RosterPerson) -> Finding {
    let message =
        "this person becomes staff of an organization, and can help people there: is that meant?";
    of_row("staff_added", person, message)
}

/// A delta changes somebody the source has never listed.
pub fn change_unknown_person(source_id: &str, place: Place) -> Finding {
    let message = "this source has not listed such a person: the change was left out; import a \
                   complete file";
    let value = Some(source_id.chars().take(80).collect());
    told("change_unknown_person", place, value, message.to_owned())
}

/// A delta ends the last membership of a person.
pub fn change_without_membership(source_id: &str, place: Place) -> Finding {
    let message = "the change ends the last membership of this person: they stay as they are; mark \
                   the person as deleted, or import a complete file";
    let value = Some(source_id.chars().take(80).collect());
    told(
        "change_without_membership",
        place,
        value,
        message.to_owned(),
    )
}

/// A delta gives a new number without the birthdate.
pub fn birthdate_let_go(person: &RosterPerson) -> Finding {
    let message = "a new number without the birthdate, which is kept only together with the number: \
                   this person claims with a code until a file tells the birthdate";
    of_row("birthdate_let_go", person, message)
}

/// Findings of one code beyond those that are listed.
pub fn more(code: &str, count: usize) -> Finding {
    let message = format!("{count} more findings `{code}` are not listed");
    told("findings_more", Place::default(), None, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_is_told_is_in_the_table_and_the_table_has_no_other() {
        let source = include_str!("roster_findings.rs");
        let (code, _) = source.split_once("#[cfg(test)]").unwrap();
        for (word, _, meaning) in CODES {
            let quoted = format!("\"{word}\"");
            assert!(code.matches(&quoted).count() >= 2, "{word} is never told");
            assert!(meaning.len() > 20);
        }
        let calls = code
            .match_indices("of_row(\"")
            .chain(code.match_indices("told(\""));
        for (at, call) in calls.chain(code.match_indices("of_organization(\"")) {
            let word = code[at + call.len()..].split('"').next().unwrap();
            assert!(CODES.iter().any(|(known, ..)| *known == word), "{word}");
        }
        assert!(CODES.is_sorted_by_key(|(word, ..)| *word));
    }
}
