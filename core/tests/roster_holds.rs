//! Imports that wait for a human, sources that keep to their own, deltas, and how little a re-import
//! touches.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use futures_executor::block_on;
use narthex_core::Portal;
use narthex_core::model::roster::{
    BirthdateChange, MembershipChange, RosterBatch, RosterChange, RosterFacts, RosterPerson,
};
use narthex_core::model::{Listing, Membership, Role};
use narthex_core::portal::{HoldDecision, HoldScope, ImportOptions, ImportReport, SettledHold};
use narthex_core::store::Space;
use support::*;

fn portal() -> (House, Portal) {
    let house = House::in_memory();
    let portal = block_on(house.open());
    (house, portal)
}

/// The first `n` people of the north, and twenty of the south.
fn people(n: usize) -> Vec<RosterPerson> {
    let south = (1_000..1_020).map(|n| person(n, "south"));
    (0..n).map(|n| person(n, "north")).chain(south).collect()
}

fn bring(portal: &Portal, batch: RosterBatch) -> ImportReport {
    block_on(portal.import_roster(batch, ImportOptions::default(), &|_| {})).unwrap()
}

fn bring_all(portal: &Portal, people: Vec<RosterPerson>) -> ImportReport {
    bring(portal, batch(people))
}

fn from(source: &str, people: Vec<RosterPerson>) -> RosterBatch {
    RosterBatch {
        source: source.into(),
        ..batch(people)
    }
}

fn delta(changes: Vec<RosterChange>) -> RosterBatch {
    RosterBatch {
        complete: false,
        organizations: Vec::new(),
        changes,
        ..batch(Vec::new())
    }
}

/// A change that says nothing yet.
fn change(n: usize) -> RosterChange {
    let person = person(n, "north");
    RosterChange {
        source_id: person.source_id,
        gone: false,
        facts: None,
        birthdate: BirthdateChange::Kept,
        memberships: MembershipChange::Adjust {
            joined: Vec::new(),
            left: Vec::new(),
        },
        default_organization: None,
        place: person.place,
    }
}

fn facts(n: usize) -> RosterFacts {
    let person = person(n, "north");
    RosterFacts {
        login_id: person.login_id,
        given_name: person.given_name,
        family_name: person.family_name,
        preferred_given_name: None,
        preferred_family_name: None,
        enabled: true,
    }
}

fn settle(portal: &Portal, decision: HoldDecision) -> Vec<SettledHold> {
    block_on(portal.settle_holds(decision, &HoldScope::default(), &|_| {})).unwrap()
}

fn codes(report: &ImportReport) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

fn listing(portal: &Portal, n: usize) -> Listing {
    block_on(portal.person(&number(n)))
        .unwrap()
        .unwrap()
        .listing
}

fn holds(portal: &Portal) -> Vec<(String, u64, u64)> {
    let holds = block_on(portal.roster_holds()).unwrap();
    let told = |hold: narthex_core::store::records::RosterHold| {
        (hold.organization.to_string(), hold.missing, hold.listed)
    };
    holds.into_iter().map(told).collect()
}

fn versions(house: &House) -> Vec<(String, u64)> {
    let keys = block_on(house.store.scan(Space::Records, "", None, 10_000)).unwrap();
    let version = |key| block_on(house.store.get(key)).unwrap().unwrap().1.0;
    keys.iter()
        .map(|key| (key.path().to_owned(), version(key)))
        .collect()
}

#[test]
fn too_many_missing_hold_their_own_organization_and_the_rest_of_the_file_counts() {
    let (_house, portal) = portal();
    bring_all(&portal, people(20));
    let mut rows = people(10);
    rows.pop();
    rows.push(person(500, "south"));
    let report = bring_all(&portal, rows);
    assert_eq!((report.held, report.deactivated, report.added), (10, 1, 1));
    assert_eq!(codes(&report), ["deactivation_held"]);
    assert_eq!(listing(&portal, 15), Listing::Active);
    assert_eq!(listing(&portal, 1_019), Listing::Inactive);
    assert_eq!(holds(&portal), [("north".to_owned(), 10, 20)]);
    let north = report.organizations[&organization("north")];
    assert_eq!(
        (north.unchanged, north.held, north.deactivated),
        (10, 10, 0)
    );
}

#[test]
fn a_confirmed_hold_puts_out_who_is_still_missing_and_nobody_who_came_back() {
    let (_house, portal) = portal();
    bring_all(&portal, people(20));
    block_on(claim(&portal, 12, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 12, PASSWORD)).unwrap();
    bring_all(&portal, people(10));
    assert!(
        block_on(is_live(&portal, &session.token)),
        "held is not out"
    );
    // Person 15 is listed again by a delta while the office thinks it over.
    bring(&portal, delta(vec![change(15)]));
    let settled = settle(&portal, HoldDecision::Confirm);
    assert_eq!(settled.len(), 1);
    assert_eq!((settled[0].deactivated, settled[0].stayed), (9, 1));
    assert_eq!(listing(&portal, 15), Listing::Active);
    assert_eq!(listing(&portal, 14), Listing::Inactive);
    assert!(!block_on(is_live(&portal, &session.token)));
    assert!(holds(&portal).is_empty());
    assert!(
        settle(&portal, HoldDecision::Confirm).is_empty(),
        "once is enough"
    );
}

#[test]
fn a_discarded_hold_changes_nobody_and_the_same_file_is_held_again() {
    let (_house, portal) = portal();
    bring_all(&portal, people(20));
    bring_all(&portal, people(10));
    let settled = settle(&portal, HoldDecision::Discard);
    assert_eq!((settled[0].deactivated, settled[0].stayed), (0, 10));
    assert!(holds(&portal).is_empty());
    assert_eq!(listing(&portal, 15), Listing::Active);
    assert_eq!(settle(&portal, HoldDecision::Confirm), []);
    assert_eq!(bring_all(&portal, people(10)).held, 10);
}

#[test]
fn the_whole_file_again_takes_a_hold_back_by_itself() {
    let (_house, portal) = portal();
    bring_all(&portal, people(20));
    bring_all(&portal, people(10));
    let report = bring_all(&portal, people(19));
    assert_eq!((report.held, report.deactivated), (0, 1));
    assert!(holds(&portal).is_empty());
    assert!(settle(&portal, HoldDecision::Confirm).is_empty());
    assert_eq!(listing(&portal, 18), Listing::Active);
}

#[test]
fn holds_are_settled_by_organization_and_by_source() {
    let (_house, portal) = portal();
    bring_all(&portal, people(20));
    let rows: Vec<_> = people(20).into_iter().step_by(2).collect();
    assert_eq!(bring_all(&portal, rows).held, 20);
    let scope = |source: Option<&str>, of: Option<&str>| HoldScope {
        source: source.map(str::to_owned),
        organization: of.map(organization),
    };
    let settle = |scope: HoldScope| {
        let settled = portal.settle_holds(HoldDecision::Confirm, &scope, &|_| {});
        block_on(settled).unwrap().len()
    };
    assert_eq!(settle(scope(Some("other"), None)), 0);
    assert_eq!(settle(scope(None, Some("south"))), 1);
    assert_eq!(holds(&portal), [("north".to_owned(), 10, 20)]);
    assert_eq!(settle(scope(Some("test"), Some("north"))), 1);
}

#[test]
fn an_empty_file_holds_even_a_school_of_one() {
    let (_house, portal) = portal();
    bring_all(&portal, vec![person(1, "north")]);
    let report = bring_all(&portal, Vec::new());
    assert_eq!((report.held, report.deactivated), (1, 0));
    assert_eq!(listing(&portal, 1), Listing::Active);
}

#[test]
fn a_file_of_other_people_stops_before_anything_is_changed() {
    let (house, portal) = portal();
    bring_all(&portal, people(20));
    let before = versions(&house);
    let strangers = || (100..140).map(|n| person(n, "north")).collect::<Vec<_>>();
    let report = bring_all(&portal, strangers());
    assert!(report.is_stopped());
    assert_eq!(codes(&report), ["roster_unrelated"]);
    assert_eq!(versions(&house), before);
    let options = ImportOptions {
        accept_new_ids: true,
        ..ImportOptions::default()
    };
    let anyway = portal.import_roster(batch(strangers()), options, &|_| {});
    let report = block_on(anyway).unwrap();
    assert_eq!((report.added, report.held, report.deactivated), (40, 40, 0));
}

#[test]
fn a_hold_in_a_dry_run_is_told_and_not_kept() {
    let (house, portal) = portal();
    bring_all(&portal, people(20));
    let before = versions(&house);
    let preview = batch(people(10));
    let report = portal.preview_roster(&preview, ImportOptions::default(), &|_| {});
    assert_eq!(block_on(report).unwrap().held, 10);
    assert_eq!(versions(&house), before);
    assert!(holds(&portal).is_empty());
    assert_eq!(
        bring(&portal, preview).held,
        10,
        "what was looked at is what is imported"
    );
}

#[test]
fn a_source_touches_no_organization_and_nobody_of_another_one() {
    let (house, portal) = portal();
    bring_all(&portal, people(20));
    let before = versions(&house);
    let mut rows = people(20);
    for person in &mut rows {
        person.source_id.insert(0, 'x');
        person.family_name = "Hijacked".into();
    }
    let report = bring(&portal, from("other", rows));
    assert_eq!((report.added, report.changed, report.left_out), (0, 0, 40));
    assert_eq!(versions(&house), before);
    let told = codes(&report);
    assert_eq!(
        told.iter()
            .filter(|c| **c == "organization_of_another_source")
            .count(),
        2
    );
    assert_eq!(
        told.iter()
            .filter(|c| **c == "person_of_another_source")
            .count(),
        40
    );
    // An empty file of another source puts nobody out either.
    assert_eq!(bring(&portal, from("other", Vec::new())).held, 0);
    assert_eq!(listing(&portal, 3), Listing::Active);
}

/// One organization more, of another source.
fn east(people: Vec<RosterPerson>) -> RosterBatch {
    let mut batch = from("other", people);
    batch.organizations.truncate(1);
    for school in &mut batch.organizations {
        school.id = organization("east");
    }
    batch
}

#[test]
fn a_second_source_neither_takes_nor_blocks_a_number_that_the_first_one_lists() {
    let (_house, portal) = portal();
    bring_all(&portal, people(3));
    let report = bring(
        &portal,
        east(vec![
            person(1, "east"),
            person(2, "east"),
            person(9, "east"),
        ]),
    );
    assert_eq!(codes(&report), ["number_of_another_source"; 2]);
    assert_eq!((report.added, report.left_out), (1, 2));
    assert_eq!(listing(&portal, 1), Listing::Active);
    assert_eq!(bring_all(&portal, people(3)).unchanged, 23);
    assert!(block_on(claim(&portal, 1, PASSWORD)).is_ok());
    // The first source lets a number go that nobody has claimed: it is free.
    let mut rows = people(3);
    rows.remove(2);
    bring_all(&portal, rows);
    let report = bring(&portal, east(vec![person(2, "east"), person(9, "east")]));
    assert_eq!((codes(&report), report.changed), (vec![], 1));
    assert_eq!(listing(&portal, 2), Listing::Active);
}

#[test]
fn a_membership_in_an_organization_of_another_source_is_left_out_and_the_person_kept() {
    let (_house, portal) = portal();
    bring_all(&portal, people(3));
    let mut both = person(50, "north");
    both.memberships.extend(person(50, "east").memberships);
    let report = bring(&portal, east(vec![both]));
    assert_eq!(
        codes(&report),
        [
            "organization_of_another_source",
            "membership_of_another_source"
        ]
    );
    block_on(claim(&portal, 50, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 50, PASSWORD)).unwrap();
    let profile = block_on(portal.profile(&session.session)).unwrap();
    assert!(!profile.is_member(&organization("north")));
}

#[test]
fn a_delta_changes_what_it_names_and_leaves_everything_else() {
    let (_house, portal) = portal();
    bring_all(&portal, people(20));
    let mut married = change(3);
    married.facts = Some(RosterFacts {
        family_name: "Another".into(),
        ..facts(3)
    });
    let mut moved = change(4);
    moved.memberships = MembershipChange::Adjust {
        joined: person(4, "south").memberships,
        left: person(4, "north").memberships,
    };
    let mut gone = change(5);
    gone.gone = true;
    let report = bring(&portal, delta(vec![married, moved, gone]));
    assert_eq!((report.changed, report.deactivated, report.held), (2, 1, 0));
    assert_eq!(codes(&report), [""; 0]);
    assert_eq!(listing(&portal, 5), Listing::Inactive);
    assert_eq!(listing(&portal, 6), Listing::Active);
    let three = block_on(portal.person(&number(3))).unwrap().unwrap();
    assert_eq!(three.family_name, "Another");
    // The birthdate that no row told is still the evidence.
    assert!(block_on(claim(&portal, 4, PASSWORD)).is_ok());
    let session = block_on(log_in(&portal, 4, PASSWORD)).unwrap();
    let profile = block_on(portal.profile(&session.session)).unwrap();
    assert!(profile.is_member(&organization("south")));
    assert!(!profile.is_member(&organization("north")));
}

#[test]
fn the_same_delta_again_touches_nothing() {
    let (house, portal) = portal();
    bring_all(&portal, people(20));
    let changes = || {
        let mut named = change(3);
        named.facts = Some(RosterFacts {
            given_name: "New".into(),
            ..facts(3)
        });
        let mut gone = change(5);
        gone.gone = true;
        delta(vec![named, gone])
    };
    bring(&portal, changes());
    let before = versions(&house);
    let report = bring(&portal, changes());
    assert_eq!(
        (report.unchanged, report.changed, report.deactivated),
        (1, 0, 0)
    );
    assert_eq!(versions(&house), before);
}

#[test]
fn a_delta_that_ends_too_many_is_held_like_a_file_that_misses_them() {
    let (_house, portal) = portal();
    bring_all(&portal, people(20));
    let gone = |n| RosterChange {
        gone: true,
        ..change(n)
    };
    assert_eq!(
        bring(&portal, delta((0..4).map(gone).collect())).deactivated,
        4
    );
    let report = bring(&portal, delta((4..9).map(gone).collect()));
    assert_eq!((report.deactivated, report.held), (0, 5));
    assert_eq!(holds(&portal), [("north".to_owned(), 5, 16)]);
    assert_eq!(settle(&portal, HoldDecision::Confirm)[0].deactivated, 5);
}

#[test]
fn a_delta_does_not_free_a_shared_number_nor_take_one_from_whom_it_does_not_mention() {
    let (_house, portal) = portal();
    let mut rows = people(5);
    rows[3].login_id = number(2);
    bring_all(&portal, rows);
    bring(&portal, delta(vec![change(2), change(3)]));
    assert_eq!(listing(&portal, 2), Listing::Held);
    let mut thief = change(4);
    thief.facts = Some(RosterFacts {
        login_id: number(1),
        ..facts(4)
    });
    let report = bring(&portal, delta(vec![thief]));
    assert_eq!(codes(&report), ["number_shared", "birthdate_let_go"]);
    assert_eq!(listing(&portal, 1), Listing::Held);
    assert!(block_on(claim(&portal, 1, PASSWORD)).is_err());
    // A complete file puts it right.
    bring_all(&portal, people(5));
    assert!(block_on(claim(&portal, 1, PASSWORD)).is_ok());
}

#[test]
fn a_delta_about_strangers_and_last_memberships_is_told_and_left_out() {
    let (house, portal) = portal();
    bring_all(&portal, people(5));
    let before = versions(&house);
    let mut homeless = change(1);
    homeless.memberships = MembershipChange::Adjust {
        joined: Vec::new(),
        left: person(1, "north").memberships,
    };
    let mut lost = change(2);
    lost.memberships = MembershipChange::Are(vec![Membership {
        organization: organization("nowhere"),
        role: Role::Student,
    }]);
    let report = bring(&portal, delta(vec![change(77), homeless, lost]));
    assert_eq!(
        codes(&report),
        [
            "organization_unknown",
            "change_unknown_person",
            "change_without_membership",
            "person_of_another_source",
        ]
    );
    assert_eq!(report.left_out, 3);
    assert_eq!(versions(&house), before);
}

#[test]
fn a_re_import_with_one_in_a_hundred_changed_writes_two_records_for_each_of_them() {
    let (_house, portal) = portal();
    let everybody = || (0..1_600).map(|n| person(n, "north")).collect::<Vec<_>>();
    let first = bring_all(&portal, everybody());
    // 50 chunks of 32, two organizations, and the audit event.
    assert_eq!((first.added, first.commits), (1_600, 50 + 2 + 1));
    let mut rows = everybody();
    for person in rows.iter_mut().step_by(100) {
        person.family_name.push_str(" Smith");
    }
    let again = bring_all(&portal, rows);
    assert_eq!((again.changed, again.unchanged), (16, 1_584));
    // One change set of 16 entries and their rows, and the audit event.
    assert_eq!((again.commits, again.writes), (2, 2 * 16 + 1));
}

#[test]
fn findings_of_one_code_are_listed_up_to_a_cap_and_counted_beyond() {
    let (_house, portal) = portal();
    bring_all(&portal, people(3));
    let rows = (0..1_005).map(|n| person(n, "north")).collect();
    let report = bring(&portal, from("other", rows));
    let last = report.findings.last().unwrap();
    assert_eq!(last.code, "findings_more");
    assert!(
        last.message.starts_with("5 more findings"),
        "{}",
        last.message
    );
    assert_eq!(report.left_out, 1_005);
}
