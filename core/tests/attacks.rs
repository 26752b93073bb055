//! Ways around the budgets and lanes, and ways to turn them against those they are for.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;
use narthex_conformance::front_door::async_trait;
use narthex_core::model::NamedNetwork;
use narthex_core::portal::{LogIn, LoggedIn};
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::store::{
    Cell, ChangeSet, Commit, Key, MemoryStore, Record, Space, Store, StoreError, Version,
};
use narthex_core::{Asker, Error, Portal, Refusal, Result};
use support::*;

const SCHOOL: &str = "198.51.100.7";

fn from(source: &str) -> Asker {
    Asker {
        source: source.to_owned(),
        ..Asker::default()
    }
}

fn school_network() -> Vec<NamedNetwork> {
    vec![NamedNetwork {
        cidr: "198.51.100.0/24".parse().unwrap(),
        people: 600,
    }]
}

fn log_in_from(portal: &Portal, n: usize, text: &str, asker: &Asker) -> Result<LoggedIn> {
    let request = LogIn {
        login_id: number(n),
        password: password(text),
        shared_computer: false,
        presented: None,
    };
    block_on(portal.log_in(request, asker))
}

fn is_throttled<T>(outcome: &Result<T>) -> bool {
    matches!(outcome, Err(Error::Refused(Refusal::Throttled { .. })))
}

/// How many wrong log-ins at unknown numbers are looked at before `sources` are throttled.
fn looked_at(portal: &Portal, sources: impl Iterator<Item = String>) -> usize {
    sources
        .enumerate()
        .take_while(|(n, source)| {
            !is_throttled(&log_in_from(portal, 1_000 + n, "wrong", &from(source)))
        })
        .count()
}

#[test]
fn a36_all_the_networks_of_one_ipv6_customer_share_a_budget() {
    let mut house = House::in_memory();
    house.policy.attempts.source_attempts_max = 10;
    let portal = block_on(house.open());
    let in_56 = (0..100).map(|n| format!("2001:db8:1:2{n:02x}::/64"));
    assert_eq!(looked_at(&portal, in_56), 20, "twice what one /64 has");
    let in_48 = (0..200).map(|n| format!("2001:db8:2:{n:02x}00::/64"));
    assert_eq!(looked_at(&portal, in_48), 50, "five times what one /64 has");
    let of_others = (0..60).map(|n| format!("2001:db8:{n:x}9:1::/64"));
    assert_eq!(looked_at(&portal, of_others), 60);
}

#[test]
fn a36_guesses_from_everywhere_throttle_neither_school_nor_known_browsers() {
    let mut house = House::in_memory();
    house.policy.attempts.networks = school_network();
    house.policy.attempts.whole_attempts_max = 50;
    let portal = block_on(house.open());
    block_on(import(&portal, 4));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let at_home = log_in_from(&portal, 0, PASSWORD, &from("192.0.2.8")).unwrap();
    let everywhere = (0..200).map(|n| format!("203.0.{n}.1"));
    assert_eq!(looked_at(&portal, everywhere), 50);
    let stranger = log_in_from(&portal, 0, PASSWORD, &from("192.0.2.9"));
    assert!(is_throttled(&stranger));
    log_in_from(&portal, 0, PASSWORD, &from(SCHOOL)).unwrap();
    let known = Asker {
        known_browser: at_home.known_browser,
        ..from("192.0.2.8")
    };
    log_in_from(&portal, 0, PASSWORD, &known).unwrap();
    let of_another = log_in_from(&portal, 1, PASSWORD, &known);
    assert!(is_throttled(&of_another), "known for somebody else only");
}

#[test]
fn a37_a_log_in_lane_filled_from_outside_is_open_at_school_and_the_other_way_round() {
    let mut house = House::in_memory();
    house.policy.attempts.networks = school_network();
    let portal = block_on(house.open());
    block_on(import(&portal, 2));
    for (n, guesser, person) in [(0, "203.0.113.9", SCHOOL), (1, SCHOOL, "203.0.113.9")] {
        block_on(claim(&portal, n, PASSWORD)).unwrap();
        for _ in 0..10 {
            log_in_from(&portal, n, "wrong", &from(guesser)).unwrap_err();
        }
        log_in_from(&portal, n, PASSWORD, &from(guesser)).unwrap_err();
        log_in_from(&portal, n, PASSWORD, &from(person)).unwrap();
        // Staff see both, and clear both.
        let seen = block_on(portal.person(&number(n))).unwrap().unwrap();
        assert_eq!(seen.log_in_failures, 11 - 1);
        assert!(seen.log_in_shut_until.is_some());
    }
}

#[test]
fn a37_a_known_browser_that_guessed_at_the_old_password_is_open_for_the_recovered_one() {
    let portal = block_on(House::in_memory().open());
    block_on(import(&portal, 2));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let marked = |browser: LoggedIn| Asker {
        known_browser: browser.known_browser,
        ..from("192.0.2.8")
    };
    let own = marked(log_in_from(&portal, 0, PASSWORD, &asker()).unwrap());
    let other = marked(log_in_from(&portal, 0, PASSWORD, &asker()).unwrap());
    for _ in 0..10 {
        log_in_from(&portal, 0, "forgotten", &own).unwrap_err();
    }
    log_in_from(&portal, 0, PASSWORD, &own).unwrap_err();
    log_in_from(&portal, 0, PASSWORD, &other).unwrap();
    let seen = block_on(portal.person(&number(0))).unwrap().unwrap();
    assert_eq!(seen.log_in_failures, 10);
    assert!(seen.log_in_shut_until.is_some());
    block_on(recover(&portal, 0, OTHER_PASSWORD));
    let seen = block_on(portal.person(&number(0))).unwrap().unwrap();
    assert_eq!((seen.log_in_failures, seen.log_in_shut_until), (0, None));
    log_in_from(&portal, 0, OTHER_PASSWORD, &own).unwrap();
}

#[test]
fn a12_wrong_current_passwords_use_up_no_log_ins() {
    let mut house = House::in_memory();
    house.policy.attempts.source_attempts_max = 3;
    let portal = block_on(house.open());
    block_on(import(&portal, 1));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap().session;
    let change = |current| {
        let new = password(OTHER_PASSWORD);
        block_on(portal.change_password(&session, password(current), new, &asker()))
    };
    for _ in 0..3 {
        change("wrong").unwrap_err();
    }
    assert!(is_throttled(&change("wrong")), "its own budget is spent");
    block_on(log_in(&portal, 0, PASSWORD)).unwrap();
}

/// Counts what each commit changes.
#[derive(Debug, Default)]
struct Scales {
    inner: MemoryStore,
    weighed: Mutex<Vec<usize>>,
}

#[async_trait]
impl Store for Scales {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        self.inner.get(key).await
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.inner.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        let weight = changes.changes().len();
        self.weighed.lock().unwrap().push(weight);
        self.inner.commit(changes).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.inner.scan(space, prefix, cursor, limit).await
    }
}

#[test]
fn p07_every_refused_claim_writes_as_much_as_any_other() {
    let scales = Arc::new(Scales::default());
    let house = House::new(scales.clone());
    let portal = block_on(house.open());
    block_on(import(&portal, 3));
    block_on(claim(&portal, 2, PASSWORD)).unwrap();
    let facts = |given: &str, day: &str, n: usize| {
        let (family, number) = (format!("Family{n}"), format!("S-{n}"));
        ClaimEvidence::parse(given, &family, day, &number).unwrap()
    };
    let weigh = |evidence| {
        scales.weighed.lock().unwrap().clear();
        let outside = from("203.0.113.9");
        block_on(portal.begin_claim(evidence, &browser(&portal), &outside)).unwrap_err();
        scales.weighed.lock().unwrap().clone()
    };
    let near = weigh(facts("Given0", "2011-01-01", 0));
    assert_eq!(near.len(), 3);
    assert_eq!(weigh(facts("Nobody", "2011-01-01", 0)), near, "wild");
    assert_eq!(weigh(facts("Nobody", "2011-01-01", 77)), near, "unknown");
    assert_eq!(weigh(evidence(2)), near, "claimed");
    for _ in 0..5 {
        assert_eq!(weigh(facts("Given1", "2011-01-01", 1)), near, "no more");
    }
}

#[test]
fn st_a_flood_of_windows_is_swept_within_minutes() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    for n in 0..2_000 {
        let asker = from(&format!("203.0.{}.{}", n / 250, n % 250));
        log_in_from(&portal, n, "wrong", &asker).unwrap_err();
    }
    house.clock.advance(Duration::from_secs(3 * 3600));
    block_on(portal.maintain()).unwrap();
    let left = block_on(house.store.scan(Space::Cells, "budget/", None, 10)).unwrap();
    assert_eq!(left, []);
}

#[test]
fn a_lost_token_is_renewed_by_the_password_only() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 1));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let first = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let (current, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    block_on(portal.change_password(&first.session, current, new, &asker())).unwrap();
    let renew =
        |text: &str| block_on(portal.renew_lost_token(&first.token, password(text), &asker()));
    for wrong in ["wrong", PASSWORD] {
        assert!(matches!(
            renew(wrong).unwrap_err(),
            Error::Refused(Refusal::TokenReplaced)
        ));
    }
    let renewed = renew(OTHER_PASSWORD).unwrap();
    assert!(block_on(is_live(&portal, &renewed.token)));
}
