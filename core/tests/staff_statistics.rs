//! What staff are told in numbers: counted where it happens, and for staff of the organization only.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use futures_executor::block_on;
use narthex_core::model::{OrganizationKind, Role};
use narthex_core::portal::{ImportOptions, LoggedIn, StaffStatistics};
use narthex_core::{Error, Portal, Refusal};
use support::*;

const CLERK: usize = 0;
const CHILD: usize = 2;
const QUARTER: Duration = Duration::from_secs(15 * 60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The clerk of the north, or of the district that it lies in, is logged in.
async fn school(house: &House, post: &str) -> (Portal, LoggedIn) {
    let portal = house.open().await;
    let mut people: Vec<_> = (0..8)
        .map(|n| {
            person(
                n,
                if n.is_multiple_of(2) {
                    "north"
                } else {
                    "south"
                },
            )
        })
        .collect();
    let clerk = people.get_mut(CLERK).unwrap();
    clerk.memberships = vec![narthex_core::model::Membership {
        organization: organization(post),
        role: Role::Administrator,
    }];
    clerk.default_organization = organization(post);
    let mut batch = batch(people);
    let mut district = batch.organizations.first().unwrap().clone();
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

fn told(portal: &Portal, clerk: &LoggedIn, of: &str) -> StaffStatistics {
    block_on(portal.staff_statistics(&clerk.session, &organization(of))).unwrap()
}

/// The counts of the last windows, the latest last.
fn latest<const N: usize>(counts: &[(narthex_core::Timestamp, u64)]) -> [u64; N] {
    let last = counts.iter().rev().take(N).map(|(_, n)| *n);
    let mut last: Vec<u64> = last.collect();
    last.reverse();
    last.try_into().unwrap()
}

#[test]
fn claims_and_log_ins_are_counted_by_the_day_and_people_by_role() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    block_on(claim(&portal, CHILD, PASSWORD)).unwrap();
    let first = told(&portal, &clerk, "north");
    assert_eq!(
        (first.claims.len(), first.log_ins.len(), first.active.len()),
        (28, 28, 24)
    );
    assert_eq!(latest(&first.claims), [0, 2]);
    assert_eq!(latest(&first.log_ins), [0, 1]);
    let people = first.people.iter();
    let people: Vec<_> = people
        .map(|p| (p.role.code(), p.listed, p.claimed))
        .collect();
    assert_eq!(people, [("student", 3, 1), ("administrator", 1, 1)]);
    house.clock.advance(DAY);
    block_on(claim(&portal, 4, PASSWORD)).unwrap();
    let clerk = block_on(log_in(&portal, CLERK, PASSWORD)).unwrap();
    block_on(log_in(&portal, CHILD, PASSWORD)).unwrap();
    let second = told(&portal, &clerk, "north");
    assert_eq!(latest(&second.claims), [0, 2, 1]);
    assert_eq!(latest(&second.log_ins), [0, 1, 2]);
    let (start, _) = second.claims.last().unwrap();
    assert_eq!(start.as_millis() % 86_400_000, 0, "days of UTC");
}

#[test]
fn a_browser_in_use_is_counted_once_in_each_quarter_of_an_hour_whatever_it_does() {
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    let active = |session: &LoggedIn| {
        block_on(portal.record_activity(&session.session, Duration::ZERO)).unwrap();
    };
    let child = {
        block_on(claim(&portal, CHILD, PASSWORD)).unwrap();
        block_on(log_in(&portal, CHILD, PASSWORD)).unwrap()
    };
    for _ in 0..3 {
        house.clock.advance(Duration::from_secs(61));
        active(&child);
    }
    assert_eq!(
        latest(&told(&portal, &clerk, "north").active),
        [0, 2],
        "by their log-ins"
    );
    house.clock.advance(QUARTER);
    assert_eq!(latest(&told(&portal, &clerk, "north").active), [0, 2, 0]);
    for _ in 0..5 {
        house.clock.advance(Duration::from_secs(45));
        active(&child);
    }
    assert_eq!(latest(&told(&portal, &clerk, "north").active), [0, 2, 1]);
    block_on(log_in(&portal, CHILD, PASSWORD)).unwrap();
    assert_eq!(
        latest(&told(&portal, &clerk, "north").active),
        [2, 2],
        "another browser"
    );
    house.clock.advance(3 * DAY);
    let clerk = block_on(log_in(&portal, CLERK, PASSWORD)).unwrap();
    for _ in 0..3 {
        block_on(portal.maintain()).unwrap();
    }
    assert_eq!(latest(&told(&portal, &clerk, "north").active), [0, 1]);
    let kept = block_on(house.store.scan(
        narthex_core::store::Space::Cells,
        "stat/north/active/",
        None,
        100,
    ));
    assert_eq!(
        kept.unwrap().len(),
        1,
        "the quarters of three days ago are gone"
    );
}

#[test]
fn az01_numbers_are_for_staff_of_the_organization_and_of_a_district_above_it() {
    let refused = |portal: &Portal, session: &LoggedIn, of: &str| {
        let answer = block_on(portal.staff_statistics(&session.session, &organization(of)));
        matches!(answer, Err(Error::Refused(Refusal::NotPermitted)))
    };
    let house = House::in_memory();
    let (portal, clerk) = block_on(school(&house, "north"));
    assert!(refused(&portal, &clerk, "south"));
    assert!(refused(&portal, &clerk, "district"));
    block_on(claim(&portal, CHILD, PASSWORD)).unwrap();
    let child = block_on(log_in(&portal, CHILD, PASSWORD)).unwrap();
    assert!(refused(&portal, &child, "north"));

    let house = House::in_memory();
    let (portal, officer) = block_on(school(&house, "district"));
    assert_eq!(told(&portal, &officer, "district").people.len(), 1);
    assert_eq!(told(&portal, &officer, "north").people.len(), 1);
    assert!(refused(&portal, &officer, "south"));
}
