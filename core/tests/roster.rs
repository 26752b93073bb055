//! Imports: the same again touches nothing, a mistake puts nobody out, a number never changes hands.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use futures_executor::block_on;
use narthex_core::model::roster::RosterPerson;
use narthex_core::model::{Listing, Role};
use narthex_core::portal::{ImportOptions, ImportReport};
use narthex_core::rules::details::{DetailsChange, DetailsField};
use narthex_core::store::Space;
use narthex_core::{Portal, Refusal};
use support::*;

fn portal() -> (House, Portal) {
    let house = House::in_memory();
    let portal = block_on(house.open());
    (house, portal)
}

fn people(n: usize) -> Vec<RosterPerson> {
    (0..n).map(|n| person(n, "north")).collect()
}

fn bring(portal: &Portal, people: Vec<RosterPerson>) -> ImportReport {
    block_on(portal.import_roster(batch(people), ImportOptions::default(), &|_| {})).unwrap()
}

fn codes(report: &ImportReport) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

fn versions(house: &House) -> Vec<(String, u64)> {
    let keys = block_on(house.store.scan(Space::Records, "", None, 10_000)).unwrap();
    let version = |key| block_on(house.store.get(key)).unwrap().unwrap().1.0;
    keys.iter()
        .map(|key| (key.path().to_owned(), version(key)))
        .collect()
}

fn listing(portal: &Portal, n: usize) -> Listing {
    block_on(portal.person(&number(n)))
        .unwrap()
        .unwrap()
        .listing
}

#[test]
fn the_same_roster_again_touches_no_record() {
    let (house, portal) = portal();
    assert_eq!(bring(&portal, people(100)).added, 100);
    let before = versions(&house);
    let report = bring(&portal, people(100));
    assert_eq!(
        (report.unchanged, report.changed, report.added),
        (100, 0, 0)
    );
    assert_eq!(versions(&house), before);
}

#[test]
fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let (house, portal) = portal();
    bring(&portal, people(20));
    let before = versions(&house);
    let mut changed = people(21);
    changed[3].family_name = "Another".into();
    changed.remove(7);
    let options = ImportOptions {
        dry_run: true,
        ..ImportOptions::default()
    };
    let report = block_on(portal.import_roster(batch(changed), options, &|_| {})).unwrap();
    assert_eq!(
        (report.added, report.changed, report.deactivated),
        (1, 1, 1)
    );
    assert_eq!(versions(&house), before);
}

#[test]
fn a_claimed_account_that_is_no_longer_listed_is_out_at_once_and_comes_back_when_listed_again() {
    let (_house, portal) = portal();
    bring(&portal, people(20));
    block_on(claim(&portal, 4, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 4, PASSWORD)).unwrap();
    let mut without = people(20);
    without.remove(4);
    assert_eq!(bring(&portal, without).deactivated, 1);
    assert!(!block_on(is_live(&portal, &session.token)));
    assert!(block_on(log_in(&portal, 4, PASSWORD)).is_err());
    bring(&portal, people(20));
    assert!(
        !block_on(is_live(&portal, &session.token)),
        "what has ended stays ended"
    );
    assert!(block_on(log_in(&portal, 4, PASSWORD)).is_ok());
}

#[test]
fn half_a_file_puts_nobody_out() {
    let (_house, portal) = portal();
    bring(&portal, people(20));
    let report = bring(&portal, people(15));
    assert_eq!((report.deactivated, report.held), (0, 5));
    assert_eq!(codes(&report), ["deactivation_held"]);
    assert_eq!(listing(&portal, 17), Listing::Active);
    // A fifth is the most that is believed.
    let report = bring(&portal, people(16));
    assert_eq!((report.deactivated, report.held), (4, 0));
}

#[test]
fn two_people_with_one_number_can_neither_of_them_claim() {
    let (_house, portal) = portal();
    let mut rows = people(5);
    rows[3].login_id = number(2);
    let report = bring(&portal, rows);
    assert_eq!(codes(&report), ["number_shared"]);
    assert_eq!(listing(&portal, 2), Listing::Held);
    assert!(block_on(claim(&portal, 2, PASSWORD)).is_err());
    assert!(block_on(claim(&portal, 1, PASSWORD)).is_ok());
    bring(&portal, people(5));
    assert!(
        block_on(claim(&portal, 2, PASSWORD)).is_ok(),
        "put right, they can"
    );
}

#[test]
fn another_rows_mistake_does_not_put_out_who_has_claimed() {
    let (_house, portal) = portal();
    bring(&portal, people(5));
    block_on(claim(&portal, 2, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 2, PASSWORD)).unwrap();
    let mut rows = people(5);
    rows[3].login_id = number(2);
    let report = bring(&portal, rows);
    assert_eq!(codes(&report), ["number_shared", "number_reused"]);
    assert!(block_on(is_live(&portal, &session.token)));
    let profile = block_on(portal.profile(&session.session)).unwrap();
    assert_eq!(profile.given_name, "Given2");
}

#[test]
fn a_number_that_once_named_an_account_names_nobody_else() {
    let (_house, portal) = portal();
    bring(&portal, people(6));
    block_on(claim(&portal, 2, PASSWORD)).unwrap();
    // Person 2 leaves; a year later the number is given to a new person.
    let mut gone = people(6);
    gone.remove(2);
    bring(&portal, gone.clone());
    let mut newcomer = person(77, "north");
    newcomer.login_id = number(2);
    gone.push(newcomer);
    let report = bring(&portal, gone);
    assert_eq!(codes(&report), ["number_reused"]);
    assert!(block_on(log_in(&portal, 2, PASSWORD)).is_err());
}

#[test]
fn a31_sessions_and_account_follow_the_person_to_a_new_number() {
    let (_house, portal) = portal();
    bring(&portal, people(6));
    let claimed = block_on(claim(&portal, 2, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 2, PASSWORD)).unwrap();
    let mut rows = people(6);
    rows[2].login_id = number(200);
    assert_eq!(
        bring(&portal, rows).added,
        1,
        "the new number is a new entry"
    );
    assert!(block_on(is_live(&portal, &session.token)));
    assert_eq!(
        block_on(portal.profile(&session.session)).unwrap().login_id,
        "S-200"
    );
    let again = block_on(log_in(&portal, 200, PASSWORD)).unwrap();
    assert_eq!(again.session.account(), claimed.account);
    assert!(
        block_on(log_in(&portal, 2, PASSWORD)).is_err(),
        "the old number names nobody"
    );
}

#[test]
fn a_source_id_that_is_given_to_another_human_hands_no_account_on() {
    let (_house, portal) = portal();
    bring(&portal, people(6));
    block_on(claim(&portal, 2, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 2, PASSWORD)).unwrap();
    for new_number in [2, 77] {
        let mut rows = people(6);
        rows[2] = RosterPerson {
            source_id: "row-2".into(),
            ..person(77, "south")
        };
        rows[2].login_id = number(new_number);
        let report = bring(&portal, rows);
        assert_eq!(codes(&report), ["person_replaced"], "number {new_number}");
        assert!(block_on(is_live(&portal, &session.token)));
        let profile = block_on(portal.profile(&session.session)).unwrap();
        assert_eq!(
            (profile.given_name.as_str(), profile.login_id.as_str()),
            ("Given2", "S-2")
        );
        assert!(block_on(log_in(&portal, 77, PASSWORD)).is_err());
    }
    // One who marries, or whose birthdate is put right, is still the same human.
    let mut rows = people(6);
    rows[2].family_name = "Another".into();
    rows[2].birthdate = rows[3].birthdate;
    assert_eq!(codes(&bring(&portal, rows)), [""; 0]);
    assert_eq!(
        block_on(portal.profile(&session.session))
            .unwrap()
            .family_name,
        "Another"
    );
}

#[test]
fn a_number_of_one_who_left_hands_the_account_on_to_nobody_who_shares_a_name() {
    let (_house, portal) = portal();
    bring(&portal, people(6));
    block_on(claim(&portal, 2, PASSWORD)).unwrap();
    let without = || {
        let mut rows = people(6);
        rows.remove(2);
        rows
    };
    let coming_back = |change: fn(&mut RosterPerson)| {
        bring(&portal, without());
        let mut rows = people(6);
        change(&mut rows[2]);
        let report = bring(&portal, rows);
        let codes = codes(&report).join(" ");
        (codes, block_on(log_in(&portal, 2, PASSWORD)).is_ok())
    };
    // A cousin with the family name.
    let cousin = coming_back(|row| {
        row.given_name = "Cousin".into();
        row.birthdate = None;
    });
    assert_eq!(cousin, ("person_replaced".to_owned(), false));
    // One who married meanwhile has the given name and the birthdate, if that is kept.
    let married = coming_back(|row| row.family_name = "Another".into());
    assert_eq!(married, ("person_replaced".to_owned(), false));
    // As the message says: once with the names known, then with the new ones.
    let known = coming_back(|_| {});
    assert_eq!(known, (String::new(), true));
    let mut renamed = people(6);
    renamed[2].family_name = "Another".into();
    assert_eq!(codes(&bring(&portal, renamed)), [""; 0]);
    bring(&portal, people(6));
    let the_same = coming_back(|row| row.birthdate = None);
    assert_eq!(the_same, (String::new(), true));
}

#[test]
fn who_becomes_staff_by_a_later_file_is_told() {
    let (_house, portal) = portal();
    assert_eq!(codes(&bring(&portal, people(6))), [""; 0]);
    let staffed = |n: usize, role| {
        let mut rows = people(7);
        rows[n].memberships[0].role = role;
        rows
    };
    let raised = bring(&portal, staffed(2, Role::Administrator));
    assert_eq!(codes(&raised), ["staff_added"]);
    let again = bring(&portal, staffed(2, Role::Administrator));
    assert_eq!(codes(&again), [""; 0]);
    let teacher = bring(&portal, staffed(2, Role::Teacher));
    assert_eq!(codes(&teacher), [""; 0]);
}

#[test]
fn a_file_that_only_says_itself_whose_it_is_changes_nothing_where_another_source_is_known() {
    let (house, portal) = portal();
    let of = |source: &str, school: &str, n: usize| {
        let mut batch = batch(vec![person(n, school)]);
        batch.source = source.into();
        batch.organizations.retain(|o| o.id == organization(school));
        batch
    };
    let claimed = ImportOptions {
        source_is_claimed: true,
        ..ImportOptions::default()
    };
    let bring = |batch, options| block_on(portal.import_roster(batch, options, &|_| {})).unwrap();
    assert!(!bring(of("a", "north", 1), claimed).is_stopped());
    assert!(!bring(of("a", "north", 1), claimed).is_stopped(), "again");
    assert_eq!(
        codes(&bring(of("b", "south", 2), claimed)),
        ["source_needed"]
    );
    assert!(!bring(of("b", "south", 2), ImportOptions::default()).is_stopped());
    let before = versions(&house);
    let stopped = bring(of("a", "north", 3), claimed);
    assert_eq!(codes(&stopped), ["source_needed"]);
    let told = &stopped.findings[0].message;
    assert!(
        told.contains("\"a\", \"b\"") && told.contains("--source"),
        "{told}"
    );
    assert_eq!(versions(&house), before);
    let said = bring(of("a", "north", 3), ImportOptions::default());
    assert!(!said.is_stopped());
}

#[test]
fn one_who_leaves_a_small_organization_is_believed() {
    let (_house, portal) = portal();
    bring(&portal, people(4));
    let report = bring(&portal, people(3));
    assert_eq!((report.deactivated, report.held), (1, 0));
}

#[test]
fn numbers_that_change_hands_in_one_file_are_brought_in_one_by_one() {
    let (_house, portal) = portal();
    bring(&portal, people(4));
    let mut rows = people(4);
    rows[0].login_id = number(1);
    rows[1].login_id = number(0);
    bring(&portal, rows);
    let name = |n| {
        block_on(portal.person(&number(n)))
            .unwrap()
            .unwrap()
            .given_name
    };
    assert_eq!(
        (name(0), name(1)),
        ("Given1".to_owned(), "Given0".to_owned())
    );
}

#[test]
fn a_changed_birthdate_voids_a_claim_under_way() {
    let (_house, portal) = portal();
    bring(&portal, people(4));
    let browser = browser(&portal);
    let ticket = block_on(portal.begin_claim(evidence(1), &browser, &asker())).unwrap();
    let mut rows = people(4);
    rows[1].birthdate = rows[2].birthdate;
    bring(&portal, rows);
    let late = block_on(portal.set_claim_password(&ticket, &browser, password(PASSWORD)));
    assert_eq!(late.unwrap_err().refusal(), Some(&Refusal::ClaimExpired));
}

#[test]
fn a_harmless_edit_voids_nothing() {
    let (_house, portal) = portal();
    bring(&portal, people(4));
    let browser = browser(&portal);
    let ticket = block_on(portal.begin_claim(evidence(1), &browser, &asker())).unwrap();
    let mut rows = people(4);
    rows[1].given_name = "GIVEN-1".into();
    rows[1].memberships.extend(person(1, "south").memberships);
    assert_eq!(bring(&portal, rows).changed, 1);
    let on = block_on(portal.set_claim_password(&ticket, &browser, password(PASSWORD)));
    assert!(on.is_ok(), "{on:?}");
}

#[test]
fn p10_a_store_dump_shows_no_name_number_birthdate_password_or_token() {
    let (house, portal) = portal();
    bring(&portal, people(3));
    block_on(claim(&portal, 1, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 1, PASSWORD)).unwrap();
    let mut change = DetailsChange::default();
    for (field, typed) in [
        (DetailsField::PreferredName, "Nickname1"),
        (DetailsField::Email, "mailbox1@home.example"),
        (DetailsField::Phone, "555 0142"),
        (DetailsField::Language, "es-MX"),
    ] {
        change.set(field, typed).unwrap();
    }
    block_on(portal.change_details(&session.session, &change, &asker())).unwrap();
    let kept = block_on(portal.profile(&session.session)).unwrap().details;
    assert_eq!(kept.email.as_deref(), Some("mailbox1@home.example"));
    let mut dump = Vec::new();
    for space in [Space::Records, Space::Events, Space::Cells] {
        for key in block_on(house.store.scan(space, "", None, 10_000)).unwrap() {
            dump.extend_from_slice(key.path().as_bytes());
            dump.push(b'\n');
            if let Some((record, _)) = block_on(house.store.get(&key)).unwrap() {
                dump.extend_from_slice(&record.0);
            }
        }
    }
    let dump = String::from_utf8_lossy(&dump).to_lowercase();
    assert!(dump.contains("northern school"), "the dump is a dump");
    let token = session.token.expose().to_lowercase();
    for canary in [
        "given1",
        "family1",
        "s-1",
        "2012-02",
        "20120202",
        "vellum",
        PASSWORD,
        &token,
        "nickname1",
        "mailbox1",
        "home.example",
        "555 0142",
        "es-mx",
    ] {
        assert!(!dump.contains(canary), "the dump shows {canary}");
    }
}
