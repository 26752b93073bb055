//! What an import may do to people: nothing is deleted, no account is handed on, half a file puts nobody
//! out.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::roster::RosterPerson;
use crate::model::{EntryDetails, LoginId};
use crate::policy::RosterPolicy;
use crate::rules::text::canonical_name;

/// Whether the entry of an account describes another human than `person`: neither name is the same, nor
/// the birthdate. A source that gives its ids anew must not hand accounts on with them. Of who comes back
/// after the source had stopped listing them, two of the three must be the same: numbers and ids of those
/// who left are given out again.
pub fn is_another_human(
    person: &RosterPerson,
    known: &EntryDetails,
    same_birthdate: bool,
    comes_back: bool,
) -> bool {
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
    let same = [given, family, same_birthdate];
    let agreeing = same.into_iter().filter(|same| *same).count();
    agreeing < if comes_back { 2 } else { 1 }
}

/// Whether so many missing people of an organization are too many to be believed. A file that lists
/// nobody at all is never believed.
pub fn holds_deactivation(
    missing: usize,
    listed_before: usize,
    file_is_empty: bool,
    policy: &RosterPolicy,
) -> bool {
    let many = missing >= policy.deactivation_count_min as usize;
    file_is_empty
        || many && missing * 100 > listed_before * policy.deactivation_percent_max as usize
}

/// Whether a complete file that names nobody whom its source listed has nothing to do with it: `gone`
/// people were listed before, `listed` other ones are now.
pub fn is_unrelated(gone: usize, listed: usize, policy: &RosterPolicy) -> bool {
    gone >= policy.deactivation_count_min as usize && listed > 0
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
                holds_deactivation(missing, total, false, &policy),
                holds,
                "{missing} of {total}"
            );
        }
    }

    #[test]
    fn an_empty_file_is_never_believed_however_small_the_organization() {
        let policy = RosterPolicy::default();
        assert!(holds_deactivation(1, 1, true, &policy));
        assert!(!holds_deactivation(1, 1, false, &policy));
    }

    #[test]
    fn other_people_in_the_place_of_five_or_more_are_another_roster() {
        let policy = RosterPolicy::default();
        for (gone, listed, unrelated) in [(0, 9, false), (4, 9, false), (5, 1, true), (5, 0, false)]
        {
            assert_eq!(is_unrelated(gone, listed, &policy), unrelated);
        }
    }
}
