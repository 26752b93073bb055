//! The desk of the staff: who may, for whom, and what is written down (P8, AZ-01, SE-13).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use futures_executor::block_on;
use narthex_core::event::AuditEvent;
use narthex_core::model::{Membership, OrganizationKind, Role};
use narthex_core::portal::{
    ImportOptions, IssueClaimCode, IssuedRecoveryCode, LoggedIn, Once, StaffDesk,
};
use narthex_core::{Asker, Error, Portal, Refusal, Timestamp};
use support::*;

/// Numbers of the school: the clerk and the child are of the north, the neighbour of the south.
const CLERK: usize = 0;
const NEIGHBOUR: usize = 1;
const CHILD: usize = 2;
const TEACHER: usize = 4;
/// Teaches in the north and runs the south.
const HEAD: usize = 6;

fn people(teacher: Role) -> Vec<narthex_core::model::roster::RosterPerson> {
    let mut people: Vec<_> = (0..8)
        .map(|n| person(n, if n % 2 == 0 { "north" } else { "south" }))
        .collect();
    people[CLERK].memberships[0].role = Role::Administrator;
    people[TEACHER].memberships[0].role = teacher;
    people[HEAD].memberships[0].role = Role::Teacher;
    people[HEAD].memberships.push(Membership {
        organization: organization("south"),
        role: Role::Administrator,
    });
    people
}

async fn school(house: &House) -> (Portal, LoggedIn) {
    let portal = house.open().await;
    let (batch, options) = (batch(people(Role::Teacher)), ImportOptions::default());
    portal.import_roster(batch, options, &|_| {}).await.unwrap();
    claim(&portal, CLERK, PASSWORD).await.unwrap();
    let clerk = log_in(&portal, CLERK, PASSWORD).await.unwrap();
    (portal, clerk)
}

/// The mark of the latest page of a person; of nobody, any.
async fn mark(desk: &StaffDesk<'_>, n: usize) -> String {
    let found = desk.find(&number(n)).await.ok().flatten();
    found.map_or_else(String::new, |found| found.mark)
}

/// Every method of the desk for one number: the refusal of each, or whether it found somebody.
async fn everything(desk: &StaffDesk<'_>, n: usize) -> Vec<Result<bool, Refusal>> {
    fn told<T>(
        answer: narthex_core::Result<T>,
        found: impl Fn(T) -> bool,
    ) -> Result<bool, Refusal> {
        match answer {
            Ok(answer) => Ok(found(answer)),
            Err(Error::Refused(refusal)) => Err(refusal),
            Err(error) => unreachable!("{error:?}"),
        }
    }
    let number = number(n);
    vec![
        told(desk.find(&number).await, |found| found.is_some()),
        told(desk.check(&evidence(n)).await, |found| found.is_some()),
        told(desk.clear_tries(&number).await, |found| found),
        told(
            desk.issue_claim_code(&number, &mark(desk, n).await).await,
            |code| !matches!(code, Once::Done(IssueClaimCode::Unknown)),
        ),
        told(
            desk.issue_recovery_code(&number, &mark(desk, n).await)
                .await,
            |code| !matches!(code, Once::Done(IssuedRecoveryCode::Unknown)),
        ),
        told(
            desk.end_sessions(&number, &mark(desk, n).await).await,
            |ended| !matches!(ended, Once::Done(None)),
        ),
    ]
}

async fn events(portal: &Portal) -> Vec<AuditEvent> {
    let lines = portal.audit_after(None, 512).await.unwrap();
    lines.into_iter().map(|line| line.event.unwrap()).collect()
}

/// A later moment, so that what is told from then on can be told apart.
fn a_moment_later(house: &House, portal: &Portal) -> Timestamp {
    house.clock.advance(Duration::from_millis(1));
    portal.now().latest
}

/// What the audit tells of `span`: kind, detail, whether there is an account. In the order of their
/// words: what happens at one moment has no order.
async fn told_in(
    portal: &Portal,
    span: std::ops::Range<Timestamp>,
) -> Vec<(&'static str, String, bool)> {
    let events = events(portal).await.into_iter();
    let told = events
        .filter(|event| span.contains(&event.at))
        .map(|event| (event.kind.code(), event.detail, event.account.is_some()));
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

#[test]
fn az01_a_person_of_another_organization_looks_exactly_like_an_unknown_number() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    block_on(claim(&portal, NEIGHBOUR, PASSWORD)).unwrap();
    let token = block_on(log_in(&portal, NEIGHBOUR, PASSWORD))
        .unwrap()
        .token;
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let start = a_moment_later(&house, &portal);
    let neighbour = block_on(everything(&desk, NEIGHBOUR));
    let middle = a_moment_later(&house, &portal);
    let nobody = block_on(everything(&desk, 999));
    let end = a_moment_later(&house, &portal);
    assert_eq!(neighbour, vec![Ok(false); 6]);
    assert_eq!(neighbour, nobody);
    let of_neighbour = block_on(told_in(&portal, start..middle));
    // Three of the six look first, for the mark of the page.
    assert_eq!(of_neighbour.len(), 9);
    let of_nobody = block_on(told_in(&portal, middle..end));
    assert_eq!(of_neighbour, of_nobody, "the audit, too");
    assert!(block_on(is_live(&portal, &token)), "nothing has happened");
}

#[test]
fn az01_a_role_that_is_not_staff_is_refused_whoever_it_is_about() {
    let house = House::in_memory();
    let (portal, _) = block_on(school(&house));
    block_on(claim(&portal, TEACHER, PASSWORD)).unwrap();
    let teacher = block_on(log_in(&portal, TEACHER, PASSWORD)).unwrap();
    let proof = portal.fresh(&teacher.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let before = block_on(events(&portal)).len();
    for n in [CHILD, NEIGHBOUR, 999] {
        let refused = vec![Err(Refusal::NotPermitted); 6];
        assert_eq!(block_on(everything(&desk, n)), refused);
    }
    assert_eq!(block_on(events(&portal)).len(), before);
}

#[test]
fn az01_no_roles_close_the_desk() {
    let mut house = House::in_memory();
    house.policy.staff.roles.clear();
    let (portal, clerk) = block_on(school(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let refused = vec![Err(Refusal::NotPermitted); 6];
    assert_eq!(block_on(everything(&desk, CHILD)), refused);
}

#[test]
fn az01_oneself_and_staff_of_elsewhere_are_looked_at_and_no_more() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    for n in [CLERK, HEAD] {
        let found = block_on(desk.find(&number(n))).unwrap().unwrap();
        assert!(!found.may_act);
        let mut expected = vec![Err(Refusal::NotPermitted); 6];
        expected[0] = Ok(true);
        assert_eq!(block_on(everything(&desk, n)), expected);
    }
    assert!(block_on(is_live(&portal, &clerk.token)));
}

#[test]
fn se13_a_log_in_that_is_not_fresh_gets_no_desk_until_the_password_is_typed() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    house.clock.advance(Duration::from_secs(16 * 60));
    let refused = portal.fresh(&clerk.session).unwrap_err();
    let needed = matches!(refused, Error::Refused(Refusal::ReauthenticationNeeded));
    assert!(needed, "{refused:?}");
    let asker = asker();
    let again = portal.reauthenticate(&clerk.session, password(PASSWORD), &asker);
    let again = block_on(again).unwrap();
    let proof = portal.fresh(&again.session).unwrap();
    let found = block_on(portal.staff_desk(&proof, &asker).find(&number(CHILD)));
    assert!(found.unwrap().unwrap().may_act);
}

#[test]
fn a_session_that_ended_meanwhile_changes_nothing() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    block_on(portal.log_out(&clerk.token, &asker)).unwrap();
    let before = block_on(events(&portal)).len();
    for answer in block_on(everything(&desk, CHILD)) {
        assert!(
            matches!(answer, Err(Refusal::SessionEnded { .. })),
            "{answer:?}"
        );
    }
    assert_eq!(block_on(events(&portal)).len(), before);
}

#[test]
fn a_role_that_was_taken_away_meanwhile_changes_nothing() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let mut people = people(Role::Teacher);
    people[CLERK].memberships[0].role = Role::Teacher;
    let import = portal.import_roster(batch(people), ImportOptions::default(), &|_| {});
    block_on(import).map(|_| ()).unwrap();
    let refused = vec![Err(Refusal::NotPermitted); 6];
    assert_eq!(block_on(everything(&desk, CHILD)), refused);
}

#[test]
fn every_action_leaves_its_event_with_the_account_of_who_did_it() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let by = format!("by={}", clerk.session.account().to_hex());
    let told = |detail: &str| format!("{detail} {by}").trim().to_owned();
    let start = a_moment_later(&house, &portal);
    assert_eq!(block_on(everything(&desk, CHILD)), vec![Ok(true); 6]);
    let end = a_moment_later(&house, &portal);
    let unclaimed = [
        ("claim_code_issued", told(""), false),
        ("staff_looked", told("facts"), false),
        ("staff_looked", told("person"), false),
        ("staff_looked", told("person"), false),
        ("staff_looked", told("person"), false),
        ("staff_looked", told("person"), false),
        ("tries_cleared", told(""), false),
    ];
    assert_eq!(block_on(told_in(&portal, start..end)), unclaimed);
    block_on(claim(&portal, CHILD, PASSWORD)).unwrap();
    let start = a_moment_later(&house, &portal);
    assert_eq!(block_on(everything(&desk, CHILD)), vec![Ok(true); 6]);
    let end = a_moment_later(&house, &portal);
    let claimed = [
        ("recovery_codes_issued", told("issued"), true),
        ("sessions_ended", told("all"), true),
        ("staff_looked", told("facts"), true),
        ("staff_looked", told("person"), true),
        ("staff_looked", told("person"), true),
        ("staff_looked", told("person"), true),
        ("staff_looked", told("person"), true),
        ("tries_cleared", told(""), true),
    ];
    assert_eq!(block_on(told_in(&portal, start..end)), claimed);
}

#[test]
fn a_child_who_is_shut_out_is_seen_and_let_in_again() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    block_on(claim(&portal, CHILD, PASSWORD)).unwrap();
    let kept = block_on(log_in(&portal, CHILD, PASSWORD)).unwrap();
    // From outside, and in the child's own browser: each has a lane of its own.
    for n in 0..20 {
        let from = Asker {
            source: format!("192.0.2.{n}"),
            known_browser: if n < 10 {
                kept.known_browser.clone()
            } else {
                None
            },
            ..Asker::default()
        };
        let request = narthex_core::portal::LogIn {
            login_id: number(CHILD),
            password: password(OTHER_PASSWORD),
            shared_computer: false,
            presented: None,
        };
        block_on(portal.log_in(request, &from)).unwrap_err();
    }
    block_on(log_in(&portal, CHILD, PASSWORD)).unwrap_err();
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let find = || block_on(desk.find(&number(CHILD))).unwrap().unwrap();
    let seen = find();
    assert_eq!((seen.person.log_in_failures, seen.sessions), (20, 1));
    let until = seen.person.log_in_shut_until.unwrap();
    assert_eq!(until.since(portal.now().latest), Duration::from_secs(30));
    assert_eq!(seen.person.source_row, ("test".into(), "row-2".into()));
    assert!(block_on(desk.clear_tries(&number(CHILD))).unwrap());
    let seen = find();
    assert_eq!(seen.person.log_in_failures, 0);
    assert_eq!(seen.person.log_in_shut_until, None);
    block_on(log_in(&portal, CHILD, PASSWORD)).unwrap();
    let page = find().mark;
    let ended = block_on(desk.end_sessions(&number(CHILD), &page)).unwrap();
    assert_eq!(ended.done(), Some(Some(2)));
    assert!(!block_on(is_live(&portal, &kept.token)));
    assert!(block_on(is_live(&portal, &clerk.token)));
}

#[test]
fn a_code_of_the_desk_opens_the_claim() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let issued = portal.staff_desk(&proof, &asker);
    let page = block_on(mark(&issued, CHILD));
    let issued = block_on(issued.issue_claim_code(&number(CHILD), &page)).unwrap();
    let Once::Done(IssueClaimCode::Issued(issued)) = issued else {
        unreachable!("{issued:?}");
    };
    let code = issued.code.expose().to_string();
    block_on(claim_with(&portal, CHILD, PASSWORD, Some(&code))).unwrap();
}

#[test]
fn what_a_page_asked_for_is_done_once_however_often_the_page_is_sent() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let child = number(CHILD);
    let page = block_on(mark(&desk, CHILD));
    let first = block_on(desk.issue_claim_code(&child, &page)).unwrap();
    let Once::Done(IssueClaimCode::Issued(issued)) = first else {
        unreachable!("{first:?}");
    };
    for old in [page.as_str(), ""] {
        let again = block_on(desk.issue_claim_code(&child, old)).unwrap();
        assert!(matches!(again, Once::Stale), "{again:?}");
    }
    let code = issued.code.expose().to_string();
    block_on(claim_with(&portal, CHILD, PASSWORD, Some(&code))).unwrap();

    let page = block_on(mark(&desk, CHILD));
    let first = block_on(desk.issue_recovery_code(&child, &page)).unwrap();
    assert!(matches!(
        first,
        Once::Done(IssuedRecoveryCode::Issued { .. })
    ));
    let again = block_on(desk.issue_recovery_code(&child, &page)).unwrap();
    assert!(matches!(again, Once::Stale), "{again:?}");

    let page = block_on(mark(&desk, CHILD));
    let first = block_on(desk.end_sessions(&child, &page)).unwrap();
    assert_eq!(first.done(), Some(Some(0)));
    let back = block_on(log_in(&portal, CHILD, PASSWORD)).unwrap();
    let again = block_on(desk.end_sessions(&child, &page)).unwrap();
    assert!(matches!(again, Once::Stale), "{again:?}");
    assert!(
        block_on(is_live(&portal, &back.token)),
        "logged in again since"
    );

    // What the person does themselves makes no page stale that has nothing to do with it.
    let page = block_on(mark(&desk, CHILD));
    block_on(log_in(&portal, CHILD, PASSWORD)).unwrap();
    let fresh = block_on(desk.issue_recovery_code(&child, &page)).unwrap();
    assert!(matches!(
        fresh,
        Once::Done(IssuedRecoveryCode::Issued { .. })
    ));
}

/// The clerk's post is in the district; north lies below it, south does not.
async fn district(house: &House) -> (Portal, LoggedIn) {
    let portal = house.open().await;
    let mut people = people(Role::Teacher);
    people[CLERK].memberships[0].organization = organization("district");
    people[CLERK].default_organization = organization("district");
    let mut batch = batch(people);
    let mut district = batch.organizations[0].clone();
    district.id = organization("district");
    district.kind = OrganizationKind::District;
    for school in &mut batch.organizations {
        let below = school.id == organization("north");
        school.parent = below.then(|| organization("district"));
    }
    batch.organizations.push(district);
    let options = ImportOptions::default();
    portal.import_roster(batch, options, &|_| {}).await.unwrap();
    claim(&portal, CLERK, PASSWORD).await.unwrap();
    let clerk = log_in(&portal, CLERK, PASSWORD).await.unwrap();
    (portal, clerk)
}

#[test]
fn az01_the_office_of_a_district_helps_in_its_schools_and_in_no_other() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(district(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    assert_eq!(block_on(everything(&desk, CHILD)), vec![Ok(true); 6]);
    assert_eq!(block_on(everything(&desk, NEIGHBOUR)), vec![Ok(false); 6]);
    let head = block_on(desk.find(&number(HEAD))).unwrap().unwrap();
    assert!(!head.may_act, "staff of the south too");

    let mut house = House::in_memory();
    house.policy.staff.districts = false;
    let (portal, clerk) = block_on(district(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let desk = portal.staff_desk(&proof, &asker);
    assert_eq!(block_on(everything(&desk, CHILD)), vec![Ok(false); 6]);
}

#[test]
fn az01_a_school_that_left_the_district_meanwhile_is_not_reached() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(district(&house));
    let proof = portal.fresh(&clerk.session).unwrap();
    let asker = asker();
    let desk = portal.staff_desk(&proof, &asker);
    let mut left = batch(people(Role::Teacher));
    left.people[CLERK].memberships[0].organization = organization("district");
    left.people[CLERK].default_organization = organization("district");
    block_on(portal.import_roster(left, ImportOptions::default(), &|_| {})).unwrap();
    assert_eq!(block_on(everything(&desk, CHILD)), vec![Ok(false); 6]);
}
