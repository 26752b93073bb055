//! Every operation leaves its event, in the commit it tells of (LG-01, LG-02).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use futures_executor::block_on;
use narthex_core::event::AuditEvent;
use narthex_core::store::Space;
use support::*;

/// (kind, detail, has an account) of all events, in the order they happened.
fn events(house: &House) -> Vec<(&'static str, String, bool)> {
    let keys = block_on(house.store.scan(Space::Events, "", None, 10_000)).unwrap();
    let event = |key| {
        let (record, _) = block_on(house.store.get(key)).unwrap().unwrap();
        let event = AuditEvent::decode(&record).unwrap();
        assert!(event.at >= START);
        (event.kind.code(), event.detail, event.account.is_some())
    };
    keys.iter().map(event).collect()
}

#[test]
fn lg01_every_operation_is_told_with_its_outcome() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    // Events of one millisecond are in no order: every operation gets a second of its own.
    let tick = || house.clock.advance(std::time::Duration::from_secs(1));
    let mut told = 0;
    let mut expect = |expected: &[(&str, &str, bool)]| {
        let all = events(&house);
        let mut new: Vec<_> = all[told..].to_vec();
        new.sort();
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(kind, detail, account)| (*kind, (*detail).to_owned(), *account))
            .collect();
        expected.sort();
        assert_eq!(new, expected);
        told = all.len();
        house.clock.advance(std::time::Duration::from_secs(1));
    };
    block_on(import(&portal, 1));
    expect(&[(
        "roster_imported",
        "added=1 changed=0 unchanged=0 deactivated=0 held=0",
        false,
    )]);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    expect(&[
        ("attempt_reserved", "claim", false),
        ("claim_begun", "facts", false),
        ("claimed", "", true),
    ]);
    block_on(log_in(&portal, 0, "wrong")).unwrap_err();
    expect(&[("attempt_reserved", "log-in", false)]);
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    expect(&[
        ("attempt_reserved", "log-in", false),
        ("logged_in", "password", true),
    ]);
    let changed = block_on(portal.change_password(
        &session.session,
        password(PASSWORD),
        password(OTHER_PASSWORD),
        &asker(),
    ))
    .unwrap();
    expect(&[
        ("attempt_reserved", "step-up", false),
        ("password_changed", "own", true),
    ]);
    let north = organization("north");
    block_on(portal.set_default_organization(&changed.session, &north, &asker())).unwrap();
    expect(&[("details_changed", "default_organization", true)]);
    block_on(portal.log_out(&changed.token, &asker())).unwrap();
    expect(&[("session_ended", "log_out", true)]);
    let late = block_on(log_in(&portal, 0, OTHER_PASSWORD)).unwrap();
    house.clock.advance(house.policy.session.inactivity_timeout);
    assert!(!block_on(is_live(&portal, &late.token)));
    expect(&[
        ("attempt_reserved", "log-in", false),
        ("logged_in", "password", true),
        ("session_ended", "inactivity", true),
    ]);
    block_on(portal.reset_claim(&number(0), &asker())).unwrap();
    expect(&[("claim_reset", "", true)]);
    tick();
}

#[test]
fn dp02_what_has_outlived_its_time_goes_and_what_has_not_stays() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 2));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let browser = browser(&portal);
    block_on(portal.begin_claim(evidence(1), &browser, &asker())).unwrap();
    block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let count = |space, prefix: &str| {
        block_on(house.store.scan(space, prefix, None, 10_000))
            .unwrap()
            .len()
    };
    let kept = || {
        block_on(portal.maintain()).unwrap();
        [
            count(Space::Records, "ticket/"),
            count(Space::Cells, "budget/"),
            count(Space::Records, "family/"),
            count(Space::Events, ""),
        ]
    };
    let day = std::time::Duration::from_secs(24 * 3600);
    let before = kept();
    assert!(before.iter().all(|n| *n > 0), "{before:?}");
    house.clock.advance(day / 24);
    assert_eq!(kept()[0], 0, "tickets go when they could not be used");
    house.clock.advance(day / 12);
    assert_eq!(kept()[1], 0, "budgets go with their window");
    house.clock.advance(7 * day);
    assert_eq!(
        kept()[2],
        1,
        "a tombstone stays for seven days after it could not be live"
    );
    house.clock.advance(day);
    assert_eq!(kept()[2], 0);
    assert_eq!(
        count(Space::Records, "account-families/") + count(Space::Cells, "seen/"),
        0
    );
    assert!(kept()[3] > 0, "events stay");
    house.clock.advance(365 * day);
    assert_eq!(kept()[3], 0, "for a year");
}
