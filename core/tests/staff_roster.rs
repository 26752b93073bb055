//! Rosters at the desk: staff bring in their own organizations, and touch nobody else's (P8, AZ-01).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use futures_executor::block_on;
use narthex_core::event::{AuditEvent, EventKind};
use narthex_core::model::roster::{
    BirthdateChange, MembershipChange, Place, RosterBatch, RosterChange, RosterPerson,
};
use narthex_core::model::{Listing, Membership, OrganizationKind, Role};
use narthex_core::portal::{
    HoldDecision, ImportOptions, ImportReport, LoggedIn, PersonReport, StaffDesk,
};
use narthex_core::{Error, Portal, Refusal};
use support::*;

const CLERK: usize = 0;
const NEIGHBOUR: usize = 1;
const CHILD: usize = 2;
/// Of the north and of the south.
const BOTH: usize = 6;
const PEOPLE: usize = 40;

/// The even are of the north, the odd of the south; both below the district, from one source.
fn people(post: &str) -> Vec<RosterPerson> {
    let school = |n: usize| {
        if n.is_multiple_of(2) {
            "north"
        } else {
            "south"
        }
    };
    let mut people: Vec<_> = (0..PEOPLE).map(|n| person(n, school(n))).collect();
    people[CLERK].memberships[0].role = Role::Administrator;
    people[CLERK].memberships[0].organization = organization(post);
    people[CLERK].default_organization = organization(post);
    people[BOTH].memberships.push(Membership {
        organization: organization("south"),
        role: Role::Student,
    });
    people
}

fn whole(people: Vec<RosterPerson>) -> RosterBatch {
    let mut batch = batch(people);
    let mut district = batch.organizations[0].clone();
    district.id = organization("district");
    district.kind = OrganizationKind::District;
    for school in &mut batch.organizations {
        school.parent = Some(organization("district"));
    }
    batch.organizations.push(district);
    batch
}

async fn school(house: &House, post: &str) -> (Portal, LoggedIn) {
    let portal = house.open().await;
    let (batch, options) = (whole(people(post)), ImportOptions::default());
    portal.import_roster(batch, options, &|_| {}).await.unwrap();
    claim(&portal, CLERK, PASSWORD).await.unwrap();
    let clerk = log_in(&portal, CLERK, PASSWORD).await.unwrap();
    (portal, clerk)
}

fn preview(desk: &StaffDesk<'_>, batch: &RosterBatch) -> ImportReport {
    let options = ImportOptions::default();
    block_on(desk.preview_roster(batch, options, &|_| {})).unwrap()
}

fn bring(desk: &StaffDesk<'_>, batch: &RosterBatch) -> ImportReport {
    let options = ImportOptions::default();
    block_on(desk.import_roster(batch, options, &|_| {})).unwrap()
}

fn known(portal: &Portal, n: usize) -> PersonReport {
    block_on(portal.person(&number(n))).unwrap().unwrap()
}

fn codes(report: &ImportReport) -> Vec<&'static str> {
    let mut codes: Vec<_> = report.findings.iter().map(|f| f.code).collect();
    codes.dedup();
    codes
}

fn events(portal: &Portal, kind: EventKind) -> Vec<AuditEvent> {
    let lines = block_on(portal.audit_after(None, 2048)).unwrap();
    let events = lines.into_iter().map(|line| line.event.unwrap());
    events.filter(|event| event.kind == kind).collect()
}

#[test]
fn staff_bring_in_their_own_school_and_the_other_one_stays_as_it_is() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    // The export of one school alone: everybody of the other is missing, one of this one has left.
    let mut own: Vec<_> = people("north").into_iter().step_by(2).collect();
    own.retain(|person| ![number(4)].contains(&person.login_id));
    own[1].family_name = "Newname".to_owned();
    own.push(person(100, "north"));
    let batch = whole(own);
    let told = preview(&desk, &batch);
    assert_eq!(
        (told.added, told.changed, told.deactivated, told.held),
        (1, 1, 1, 0)
    );
    assert_eq!(told.writes, 0);
    assert_ne!(known(&portal, CHILD).family_name, "Newname", "only looked");
    let done = bring(&desk, &batch);
    assert_eq!((done.added, done.changed, done.deactivated), (1, 1, 1));
    assert_eq!(known(&portal, CHILD).family_name, "Newname");
    assert_eq!(known(&portal, 4).listing, Listing::Inactive);
    assert_eq!(known(&portal, 100).listing, Listing::Active);
    for n in (1..PEOPLE).step_by(2).chain([BOTH]) {
        assert_eq!(known(&portal, n).listing, Listing::Active, "{n}");
    }
    let by = format!("by={}", clerk.session.account().to_hex());
    let imported = events(&portal, EventKind::RosterImported);
    let of_clerk: Vec<_> = imported
        .iter()
        .filter(|e| e.detail.ends_with(&by))
        .collect();
    assert_eq!(of_clerk.len(), 2, "begun and done: {imported:?}");
}

#[test]
fn az01_nobody_of_another_school_is_taken_over_by_a_file() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let before: Vec<_> = [NEIGHBOUR, 3, BOTH, 9]
        .map(|n| format!("{:?}", known(&portal, n)))
        .into();
    let mut own: Vec<_> = people("north").into_iter().step_by(2).collect();
    // The neighbour's number and id, said to be of the north.
    own.push(person(NEIGHBOUR, "north"));
    // The id of one neighbour, with a number of nobody.
    let mut renumbered = person(3, "north");
    renumbered.login_id = number(500);
    own.push(renumbered);
    // The number of one neighbour, under a new id.
    let mut under_new_id = person(9, "north");
    under_new_id.source_id = "row-900".to_owned();
    own.push(under_new_id);
    // Who is of both, without the other school.
    let of_both = own.iter_mut().find(|p| p.login_id == number(BOTH)).unwrap();
    of_both.memberships.truncate(1);
    of_both.given_name = "Other".to_owned();
    // Somebody new, of both.
    let mut new = person(101, "north");
    new.memberships.push(Membership {
        organization: organization("south"),
        role: Role::Student,
    });
    own.push(new);
    let done = bring(&desk, &whole(own));
    assert_eq!(
        (done.added, done.changed, done.left_out),
        (0, 0, 5),
        "{done:?}"
    );
    assert!(
        codes(&done).contains(&"person_out_of_reach"),
        "{:?}",
        codes(&done)
    );
    let after: Vec<_> = [NEIGHBOUR, 3, BOTH, 9]
        .map(|n| format!("{:?}", known(&portal, n)))
        .into();
    assert_eq!(after, before);
    assert!(block_on(portal.person(&number(500))).unwrap().is_none());
    assert!(block_on(portal.person(&number(101))).unwrap().is_none());
}

#[test]
fn az01_a_delta_of_another_school_s_people_changes_and_tells_nothing() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let change = |n: usize, gone| RosterChange {
        source_id: person(n, "north").source_id,
        gone,
        facts: None,
        birthdate: BirthdateChange::Kept,
        memberships: MembershipChange::Adjust {
            joined: vec![Membership {
                organization: organization("north"),
                role: Role::Student,
            }],
            left: vec![Membership {
                organization: organization("south"),
                role: Role::Student,
            }],
        },
        default_organization: None,
        place: Place::default(),
    };
    let before = format!("{:?} {:?}", known(&portal, NEIGHBOUR), known(&portal, 3));
    let mut batch = whole(Vec::new());
    batch.complete = false;
    // Whether that would be the last membership of the neighbour is not for the clerk to know.
    let mut last = change(5, false);
    last.memberships = MembershipChange::Adjust {
        joined: Vec::new(),
        left: vec![Membership {
            organization: organization("south"),
            role: Role::Student,
        }],
    };
    let (taken, ended, own) = (change(NEIGHBOUR, false), change(3, true), change(4, true));
    batch.changes = vec![taken, ended, own, last];
    let done = bring(&desk, &batch);
    assert_eq!(
        known(&portal, 4).listing,
        Listing::Inactive,
        "of the own school"
    );
    assert_eq!((done.changed, done.deactivated), (0, 1));
    let after = format!("{:?} {:?}", known(&portal, NEIGHBOUR), known(&portal, 3));
    assert_eq!(after, before);
    let told = format!("{:?}", done.findings);
    assert!(told.contains("person_out_of_reach"), "{told}");
    assert!(!told.contains("change_without_membership"), "{told}");
    assert!(!told.contains(number(NEIGHBOUR).as_str()), "{told}");
}

#[test]
fn findings_for_staff_have_no_value() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let mut twins = people("north");
    twins[4].login_id = twins[CHILD].login_id.clone();
    let twins = whole(twins);
    for report in [preview(&desk, &twins), bring(&desk, &twins)] {
        assert!(codes(&report).contains(&"number_shared"), "{report:?}");
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.value.is_none())
        );
    }
    let options = ImportOptions::default();
    let office = block_on(portal.import_roster(twins, options, &|_| {})).unwrap();
    assert!(
        office
            .findings
            .iter()
            .any(|finding| finding.value.is_some())
    );
}

#[test]
fn az01_organizations_that_are_not_ones_own_are_neither_changed_nor_added() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let mut batch = whole(vec![person(200, "west")]);
    batch.complete = false;
    let mut west = batch.organizations[0].clone();
    west.id = organization("west");
    batch.organizations.push(west);
    for organization in &mut batch.organizations {
        organization.name = "Renamed".to_owned();
    }
    let done = bring(&desk, &batch);
    assert!(
        codes(&done).contains(&"organization_out_of_reach"),
        "{:?}",
        codes(&done)
    );
    let all = block_on(portal.organizations()).unwrap();
    let renamed = all.iter().filter(|o| o.name == "Renamed");
    let renamed: Vec<_> = renamed.map(|o| o.id.to_string()).collect();
    assert_eq!(renamed, ["north"]);
    assert!(block_on(portal.person(&number(200))).unwrap().is_none());

    // The office of the district adds the school, below the district.
    let house = House::in_memory();
    let (portal, officer) = block_on(school(&house, "district"));
    let proof = portal.fresh(&officer.session).unwrap();
    let desk = portal.staff_desk(&proof, &asker);
    let mut batch = whole(vec![person(200, "west")]);
    batch.complete = false;
    let mut west = batch.organizations[0].clone();
    west.id = organization("west");
    west.parent = Some(organization("north"));
    let mut astray = west.clone();
    (astray.id, astray.parent) = (organization("astray"), None);
    batch.organizations.extend([west, astray]);
    let done = bring(&desk, &batch);
    assert_eq!(done.added, 1, "{done:?}");
    let all = block_on(portal.organizations()).unwrap();
    assert!(all.iter().any(|o| o.id == organization("west")));
    assert!(!all.iter().any(|o| o.id == organization("astray")));
}

#[test]
fn holds_are_shown_to_and_settled_by_staff_of_the_organization_alone() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let few = whole(people("north").into_iter().take(10).collect());
    let told = preview(&desk, &few);
    assert_eq!((told.held, told.deactivated), (15, 0), "{told:?}");
    assert!(
        block_on(portal.staff_holds(&clerk.session))
            .unwrap()
            .is_empty(),
        "only looked"
    );
    block_on(portal.import_roster(few, ImportOptions::default(), &|_| {})).unwrap();
    assert_eq!(block_on(portal.roster_holds()).unwrap().len(), 2);
    let holds = block_on(portal.staff_holds(&clerk.session)).unwrap();
    assert_eq!(holds.len(), 1);
    assert_eq!(holds[0].organization, organization("north"));
    let settle = |of: &str, decision| {
        let of = organization(of);
        block_on(desk.settle_hold(&holds[0].source, &of, decision, &|_| {})).unwrap()
    };
    assert_eq!(settle("south", HoldDecision::Confirm), None);
    assert_eq!(known(&portal, 11).listing, Listing::Active);
    let settled = settle("north", HoldDecision::Confirm).unwrap();
    assert_eq!(settled.deactivated, 15);
    assert_eq!(known(&portal, 12).listing, Listing::Inactive);
    assert_eq!(known(&portal, 11).listing, Listing::Active);
    assert_eq!(
        settle("north", HoldDecision::Confirm),
        None,
        "settled already"
    );
    let by = format!("by={}", clerk.session.account().to_hex());
    let told = events(&portal, EventKind::RosterHoldSettled);
    let confirmed = told.iter().filter(|e| e.detail.starts_with("confirmed"));
    let confirmed: Vec<_> = confirmed.map(|e| &e.detail).collect();
    assert_eq!(confirmed.len(), 1, "{told:?}");
    assert!(confirmed[0].ends_with(&by), "{confirmed:?}");
}

#[test]
fn who_is_not_staff_or_whose_session_ended_brings_in_nothing() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    block_on(claim(&portal, CHILD, PASSWORD)).unwrap();
    let child = block_on(log_in(&portal, CHILD, PASSWORD)).unwrap();
    let asker = asker();
    let batch = whole(vec![person(300, "north")]);
    let options = ImportOptions::default();
    let proof = portal.fresh(&child.session).unwrap();
    let desk = portal.staff_desk(&proof, &asker);
    let not_permitted = |error: &Error| matches!(error, Error::Refused(Refusal::NotPermitted));
    let refused = block_on(desk.import_roster(&batch, options, &|_| {})).unwrap_err();
    assert!(not_permitted(&refused), "{refused:?}");
    let refused = block_on(desk.preview_roster(&batch, options, &|_| {})).unwrap_err();
    assert!(not_permitted(&refused), "{refused:?}");
    assert!(not_permitted(
        &block_on(portal.staff_holds(&child.session)).unwrap_err()
    ));
    let north = organization("north");
    let refused = block_on(desk.settle_hold("test", &north, HoldDecision::Discard, &|_| {}));
    assert!(not_permitted(&refused.unwrap_err()));

    let proof = portal.fresh(&clerk.session).unwrap();
    let desk = portal.staff_desk(&proof, &asker);
    block_on(portal.log_out(&clerk.token, &asker)).unwrap();
    let refused = block_on(desk.import_roster(&batch, options, &|_| {})).unwrap_err();
    let ended = matches!(refused, Error::Refused(Refusal::SessionEnded { .. }));
    assert!(ended, "{refused:?}");
    assert!(block_on(portal.person(&number(300))).unwrap().is_none());
    house.clock.advance(Duration::from_secs(16 * 60));
    assert!(
        portal.fresh(&clerk.session).is_err(),
        "a fresh log-in is needed"
    );
}
