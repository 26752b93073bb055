//! What an import may do to people: nothing is deleted, no account is handed on, half a file puts nobody
//! out.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::roster::{Finding, Place, RosterPerson, Severity};
use crate::model::{EntryDetails, LoginId, OrganizationId};
use crate::policy::RosterPolicy;
use crate::rules::text::canonical_name;

/// Whether the entry of an account describes another human than `person`: neither name is the same, nor
/// the birthdate. A source that gives its ids anew must not hand accounts on with them.
pub fn is_another_human(person: &RosterPerson, known: &EntryDetails, same_birthdate: bool) -> bool {
    let shared = |mine: [Option<&String>; 2], theirs: [Option<&String>; 2]| {
        let mut theirs = theirs
            .into_iter()
            .flatten()
            .map(|name| canonical_name(name));
        theirs.any(|name| {
            mine.into_iter()
                .flatten()
                .any(|m| canonical_name(m) == name)
        })
    };
    let given = shared(
        [
            Some(&person.given_name),
            person.preferred_given_name.as_ref(),
        ],
        [Some(&known.given_name), known.preferred_given_name.as_ref()],
    );
    let family = shared(
        [
            Some(&person.family_name),
            person.preferred_family_name.as_ref(),
        ],
        [
            Some(&known.family_name),
            known.preferred_family_name.as_ref(),
        ],
    );
    !given && !family && !same_birthdate
}

/// Whether so many missing people of an organization are too many to be believed.
pub fn holds_deactivation(missing: usize, total: usize, policy: &RosterPolicy) -> bool {
    let many = missing >= policy.deactivation_count_min as usize;
    many && missing * 100 > total * policy.deactivation_percent_max as usize
}

/// Numbers that rows of different people share.
pub fn shared_numbers(people: &[RosterPerson]) -> BTreeSet<LoginId> {
    let mut first: BTreeMap<&LoginId, &str> = BTreeMap::new();
    let mut shared = BTreeSet::new();
    for person in people {
        let owner = first.entry(&person.login_id).or_insert(&person.source_id);
        if *owner != person.source_id {
            shared.insert(person.login_id.clone());
        }
    }
    shared
}

/// Different people share a number.
pub fn shared_finding(number: &LoginId, people: &[RosterPerson]) -> Finding {
    let lines: Vec<String> = people
        .iter()
        .filter(|person| &person.login_id == number)
        .map(|person| person.place.line.to_string())
        .collect();
    let place = people
        .iter()
        .find(|person| &person.login_id == number)
        .map(|person| person.place.clone())
        .unwrap_or_default();
    Finding {
        severity: Severity::Warning,
        code: "number_shared",
        place,
        value: Some(number.as_str().to_owned()),
        message: format!(
            "different people share this number (lines {}): none of them can claim until it is put right",
            lines.join(", ")
        ),
    }
}

/// A number that once named an account is given to somebody else.
pub fn reused_finding(person: &RosterPerson) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "number_reused",
        place: person.place.clone(),
        value: Some(person.login_id.as_str().to_owned()),
        message: "this number once named somebody else's account: the row was left out".into(),
    }
}

/// An id of the source is given to another human.
pub fn replaced_finding(person: &RosterPerson) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "person_replaced",
        place: person.place.clone(),
        value: Some(person.login_id.as_str().to_owned()),
        message:
            "the source gives this person the id of somebody else who has an account (neither \
                  name nor birthdate is the same): the row was left out"
                .into(),
    }
}

/// Two sources list a number.
pub fn two_sources_finding(person: &RosterPerson) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "number_in_two_sources",
        place: person.place.clone(),
        value: Some(person.login_id.as_str().to_owned()),
        message: "another source lists this number too: nobody can claim it until only one does"
            .into(),
    }
}

/// Too many people are missing to believe it.
pub fn held_finding(organization: &OrganizationId, missing: usize, total: usize) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "deactivation_held",
        place: Place::default(),
        value: Some(organization.to_string()),
        message: format!(
            "{missing} of {total} people of this organization are missing from the file: nobody was \
             made inactive. Is the file whole?"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_is_believed_and_one_more_is_not_from_five_people_on() {
        let policy = RosterPolicy::default();
        for (missing, total, holds) in [
            (4, 4, false),
            (5, 25, false),
            (5, 24, true),
            (20, 100, false),
            (21, 100, true),
        ] {
            assert_eq!(
                holds_deactivation(missing, total, &policy),
                holds,
                "{missing} of {total}"
            );
        }
    }
}
