//! What people say of themselves: theirs alone, and no import's business.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use futures_executor::block_on;
use narthex_core::event::EventKind;
use narthex_core::model::{Person, PersonDetails};
use narthex_core::portal::{LoggedIn, ResetClaim};
use narthex_core::rules::details::{DetailsChange, DetailsField};
use narthex_core::store::records::{Stored, person_key};
use narthex_core::store::{ChangeSet, Commit, Expected};
use narthex_core::{AccountId, Error, Portal, Refusal};
use support::*;

fn school() -> (House, Portal) {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 2));
    (house, portal)
}

fn email(portal: &Portal, who: &LoggedIn, address: &str) -> Result<(), Error> {
    let mut change = DetailsChange::default();
    change.set(DetailsField::Email, address).unwrap();
    block_on(portal.change_details(&who.session, &change, &asker()))
}

fn details(portal: &Portal, who: &LoggedIn) -> Result<PersonDetails, Error> {
    Ok(block_on(portal.profile(&who.session))?.details)
}

fn stored(house: &House, account: AccountId) -> (Person, narthex_core::store::Version) {
    let found = block_on(house.store.get(&person_key(account))).unwrap();
    let (record, version) = found.unwrap();
    (Person::decode(&record).unwrap(), version)
}

#[test]
fn p10_details_that_are_put_into_another_account_do_not_open_there() {
    let (house, portal) = school();
    for person in [0, 1] {
        block_on(claim(&portal, person, PASSWORD)).unwrap();
    }
    let owner = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let other = block_on(log_in(&portal, 1, PASSWORD)).unwrap();
    email(&portal, &owner, "zero@home.example").unwrap();
    let (taken, _) = stored(&house, owner.session.account());
    let (mut person, version) = stored(&house, other.session.account());
    person.details = taken.details;
    let mut changes = ChangeSet::new();
    let key = person_key(other.session.account());
    changes.put(key, person.encode(), Expected::At(version));
    let committed = block_on(house.store.commit(changes)).unwrap();
    assert_eq!(committed, Commit::Committed);
    assert!(details(&portal, &other).is_err());
    let own = details(&portal, &owner).unwrap();
    assert_eq!(own.email.as_deref(), Some("zero@home.example"));
}

#[test]
fn se13_another_address_needs_a_log_in_of_the_last_quarter_of_an_hour_and_the_same_one_does_not() {
    let (house, portal) = school();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    email(&portal, &session, "zero@home.example").unwrap();
    house.clock.advance(std::time::Duration::from_secs(15 * 60));
    let refused = email(&portal, &session, "thief@evil.example").unwrap_err();
    assert!(matches!(
        refused,
        Error::Refused(Refusal::ReauthenticationNeeded)
    ));
    email(&portal, &session, "zero@home.example").unwrap();
    let kept = details(&portal, &session).unwrap();
    assert_eq!(kept.email.as_deref(), Some("zero@home.example"));
}

#[test]
fn lg01_the_audit_says_which_of_the_details_changed_and_nothing_where_none_did() {
    let (_, portal) = school();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let lands = |school: &str| {
        let mut change = DetailsChange::default();
        change.default_organization = Some(organization(school));
        block_on(portal.change_details(&session.session, &change, &asker())).unwrap();
    };
    email(&portal, &session, "zero@home.example").unwrap();
    email(&portal, &session, "zero@home.example").unwrap();
    lands("north");
    lands("north");
    let lines = block_on(portal.audit_after(None, 512)).unwrap();
    let events = lines.into_iter().filter_map(|line| line.event);
    let changed = events.filter(|event| event.kind == EventKind::DetailsChanged);
    let told: Vec<_> = changed.map(|event| event.detail).collect();
    assert_eq!(told, ["details", "default_organization"]);
}

#[test]
fn s17_an_import_leaves_what_the_person_said_alone() {
    let (_, portal) = school();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    email(&portal, &session, "zero@home.example").unwrap();
    block_on(import(&portal, 2));
    let kept = details(&portal, &session).unwrap();
    assert_eq!(kept.email.as_deref(), Some("zero@home.example"));
}

#[test]
fn a_new_claim_hands_on_the_language_and_nothing_else_of_who_had_the_account() {
    let (_, portal) = school();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let mut change = DetailsChange::default();
    for (field, typed) in [
        (DetailsField::PreferredName, "Zero"),
        (DetailsField::Email, "zero@home.example"),
        (DetailsField::Phone, "555 0100"),
        (DetailsField::Language, "es"),
    ] {
        change.set(field, typed).unwrap();
    }
    block_on(portal.change_details(&session.session, &change, &asker())).unwrap();
    let reset = block_on(portal.reset_claim(&number(0), &asker())).unwrap();
    let ResetClaim::Reset(issued) = reset else {
        unreachable!("{reset:?}")
    };
    let code = issued.code.expose();
    block_on(claim_with(&portal, 0, PASSWORD, Some(&code))).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let kept = details(&portal, &session).unwrap();
    let expected = PersonDetails {
        language: Some("es".into()),
        ..PersonDetails::default()
    };
    assert_eq!(kept, expected);
}
