//! What people are told of their accounts: in the commit it tells of, at least once, else at the next
//! log-in.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use futures_executor::block_on;
use narthex_core::model::{MessageKind, NamedNetwork};
use narthex_core::portal::{Delivery, LogIn, LoggedIn};
use narthex_core::rules::details::{DetailsChange, DetailsField};
use narthex_core::store::{ChangeSet, Expected, Key, Record, Space};

use narthex_core::{Asker, KnownBrowser, Portal, SessionToken};
use support::*;

fn school(deliver: bool) -> (House, Portal) {
    let mut house = House::in_memory();
    house.policy.messages.deliver = deliver;
    let portal = block_on(house.open());
    block_on(import(&portal, 2));
    (house, portal)
}

fn change(portal: &Portal, token: &SessionToken, old: &str, new: &str) -> SessionToken {
    let session = block_on(portal.verify_session(token)).unwrap();
    let asker = asker();
    let change = portal.change_password(&session, password(old), password(new), &asker);
    block_on(change).unwrap().token
}

fn kinds(portal: &Portal, token: &SessionToken) -> Vec<MessageKind> {
    let session = block_on(portal.verify_session(token)).unwrap();
    let messages = block_on(portal.messages(&session)).unwrap();
    // Messages of one millisecond are in no order.
    let mut kinds: Vec<_> = messages.into_iter().map(|message| message.kind).collect();
    kinds.sort_unstable();
    kinds
}

fn left(house: &House, prefix: &str) -> Vec<Key> {
    block_on(house.store.scan(Space::Records, prefix, None, 100)).unwrap()
}

#[test]
fn pw21_a_changed_password_is_told_in_the_commit_that_changes_it() {
    let (house, portal) = school(true);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    house.clock.advance(std::time::Duration::from_secs(1));
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    // Whatever does not change the password tells nothing.
    let before = block_on(portal.outbox(None)).unwrap();
    assert_eq!(before.len(), 1);
    let asker = asker();
    let wrong = portal.change_password(
        &session.session,
        password("not this one at all"),
        password(OTHER_PASSWORD),
        &asker,
    );
    block_on(wrong).unwrap_err();
    assert_eq!(block_on(portal.outbox(None)).unwrap(), before);
    change(&portal, &session.token, PASSWORD, OTHER_PASSWORD);
    let after = block_on(portal.outbox(None)).unwrap();
    let told: Vec<_> = after.iter().map(|out| out.message.kind).collect();
    assert_eq!(told, [MessageKind::Claimed, MessageKind::PasswordChanged]);
    let last = after.last().unwrap();
    assert_eq!(last.message.account, session.session.account());
    assert_eq!(last.given_name, "Given0");
    assert_eq!(last.organizations, [organization("north")]);
}

#[test]
fn a_message_stays_in_the_outbox_until_it_is_settled_and_is_the_same_every_time() {
    let (house, portal) = school(true);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let first = block_on(portal.outbox(None)).unwrap();
    let portal = block_on(house.open());
    assert_eq!(block_on(portal.outbox(None)).unwrap(), first);
    let id = &first.first().unwrap().id;
    assert!(block_on(portal.outbox(Some(id))).unwrap().is_empty());
    block_on(portal.settle_message(id, Delivery::Delivered)).unwrap();
    assert!(block_on(portal.outbox(None)).unwrap().is_empty());
    // Settled once more, and what is no message, does nothing.
    block_on(portal.settle_message(id, Delivery::Delivered)).unwrap();
    let gate = left(&house, "gate/").first().unwrap().clone();
    block_on(portal.settle_message(gate.path(), Delivery::Delivered)).unwrap();
    assert_eq!(left(&house, "gate/"), [gate]);
}

#[test]
fn who_cannot_be_reached_is_told_at_the_next_log_in_until_it_is_put_away() {
    let (house, portal) = school(true);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let message = block_on(portal.outbox(None)).unwrap().remove(0);
    block_on(portal.settle_message(&message.id, Delivery::ShowAtLogIn)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    assert_eq!(kinds(&portal, &session.token), [MessageKind::Claimed]);
    assert_eq!(kinds(&portal, &session.token), [MessageKind::Claimed]);
    // Nobody else's page has it.
    block_on(claim(&portal, 1, PASSWORD)).unwrap();
    let other = block_on(log_in(&portal, 1, PASSWORD)).unwrap();
    assert!(kinds(&portal, &other.token).is_empty());
    block_on(portal.put_messages_away(&session.session)).unwrap();
    assert!(kinds(&portal, &session.token).is_empty());
    assert!(left(&house, "message/").is_empty());
}

#[test]
fn without_a_channel_messages_wait_for_the_log_in_and_the_outbox_stays_empty() {
    let (house, portal) = school(false);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let token = change(&portal, &session.token, PASSWORD, OTHER_PASSWORD);
    assert!(left(&house, "outbox/").is_empty());
    let expected = [MessageKind::Claimed, MessageKind::PasswordChanged];
    assert_eq!(kinds(&portal, &token), expected);
    // A session that has ended puts nothing away.
    block_on(portal.log_out(&token, &asker())).unwrap();
    block_on(portal.put_messages_away(&session.session)).unwrap_err();
    assert_eq!(left(&house, "message/").len(), 2);
}

#[test]
fn dp02_messages_nobody_took_or_read_go_after_their_retention() {
    for deliver in [true, false] {
        let (house, portal) = school(deliver);
        block_on(claim(&portal, 0, PASSWORD)).unwrap();
        let prefix = if deliver { "outbox/" } else { "message/" };
        let kept = house.policy.retention.messages;
        house.clock.advance(kept);
        block_on(portal.maintain()).unwrap();
        assert_eq!(left(&house, prefix).len(), 1, "{prefix}");
        house.clock.advance(std::time::Duration::from_millis(1));
        block_on(portal.maintain()).unwrap();
        assert!(left(&house, prefix).is_empty(), "{prefix}");
    }
}

#[test]
fn a_recovery_is_told_too() {
    let (house, portal) = school(true);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    house.clock.advance(std::time::Duration::from_secs(1));
    block_on(recover(&portal, 0, OTHER_PASSWORD));
    let told = block_on(portal.outbox(None)).unwrap();
    let told: Vec<_> = told.iter().map(|out| out.message.kind).collect();
    assert_eq!(told, [MessageKind::Claimed, MessageKind::Recovered]);
}

#[test]
fn who_gave_an_address_is_told_there_by_the_name_of_the_roster_in_the_language_they_chose() {
    let (house, portal) = school(true);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let before = block_on(portal.outbox(None)).unwrap().remove(0);
    assert_eq!((before.address, before.language), (None, None));
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let mut change = DetailsChange::default();
    for (field, typed) in [
        (DetailsField::PreferredName, "Zero"),
        (DetailsField::Email, "zero@home.example"),
        (DetailsField::Language, "es"),
    ] {
        change.set(field, typed).unwrap();
    }
    block_on(portal.change_details(&session.session, &change, &asker())).unwrap();
    house.clock.advance(std::time::Duration::from_secs(1));
    self::change(&portal, &session.token, PASSWORD, OTHER_PASSWORD);
    let told = block_on(portal.outbox(None)).unwrap().pop().unwrap();
    assert_eq!(told.message.kind, MessageKind::PasswordChanged);
    assert_eq!(told.address.as_deref(), Some("zero@home.example"));
    assert_eq!(told.language.as_deref(), Some("es"));
    assert_eq!(told.given_name, "Given0");
}

fn from_elsewhere(portal: &Portal, known: Option<KnownBrowser>, source: &str) -> LoggedIn {
    let request = LogIn {
        login_id: number(0),
        password: password(PASSWORD),
        shared_computer: false,
        presented: None,
    };
    let asker = Asker {
        source: source.into(),
        client_label: "Firefox, Windows".into(),
        known_browser: known,
        ..Asker::default()
    };
    block_on(portal.log_in(request, &asker)).unwrap()
}

fn told_of_new_browsers(portal: &Portal) -> usize {
    let out = block_on(portal.outbox(None)).unwrap();
    let new = out
        .iter()
        .filter(|out| out.message.kind == MessageKind::NewBrowser);
    new.inspect(|out| assert_eq!(out.message.browser, "Firefox, Windows"))
        .count()
}

#[test]
fn a_log_in_from_a_new_browser_is_told_and_one_from_a_known_browser_is_not() {
    let mut house = House::in_memory();
    house.policy.messages.deliver = true;
    house.policy.attempts.networks = vec![NamedNetwork {
        cidr: "203.0.113.0/24".parse().unwrap(),
        people: 30,
    }];
    let portal = block_on(house.open());
    block_on(import(&portal, 2));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let outside = "192.0.2.9";
    // The first one after the claim, which was told.
    let first = from_elsewhere(&portal, None, outside);
    assert_eq!(told_of_new_browsers(&portal), 0);
    from_elsewhere(&portal, first.known_browser.clone(), outside);
    assert_eq!(told_of_new_browsers(&portal), 0);
    from_elsewhere(&portal, None, outside);
    assert_eq!(told_of_new_browsers(&portal), 1);
    // On the computers of the school every browser is new.
    from_elsewhere(&portal, None, "203.0.113.7");
    assert_eq!(told_of_new_browsers(&portal), 1);
    // A mark earned by another account makes nobody known.
    block_on(claim(&portal, 1, PASSWORD)).unwrap();
    let other = block_on(log_in(&portal, 1, PASSWORD)).unwrap();
    house.clock.advance(std::time::Duration::from_secs(3600));
    from_elsewhere(&portal, other.known_browser, outside);
    assert_eq!(told_of_new_browsers(&portal), 2);
}

#[test]
fn an_account_that_slept_for_long_is_told_of_its_first_log_in_again() {
    let (house, portal) = school(true);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    house
        .clock
        .advance(std::time::Duration::from_secs(25 * 3600));
    from_elsewhere(&portal, None, "192.0.2.9");
    assert_eq!(told_of_new_browsers(&portal), 1);
}

#[test]
fn nobody_fills_a_mailbox_by_logging_in_and_changing_passwords() {
    let (house, portal) = school(true);
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    from_elsewhere(&portal, None, "192.0.2.9");
    for _ in 0..5 {
        from_elsewhere(&portal, None, "192.0.2.9");
    }
    assert_eq!(told_of_new_browsers(&portal), 1, "one in an hour");
    let mut token = block_on(log_in(&portal, 0, PASSWORD)).unwrap().token;
    let (mut old, mut new) = (PASSWORD, OTHER_PASSWORD);
    for _ in 0..8 {
        token = change(&portal, &token, old, new);
        std::mem::swap(&mut old, &mut new);
    }
    assert_eq!(left(&house, "outbox/").len(), 6);
    // Nothing is kept from the person: the others wait on the landing page.
    assert_eq!(kinds(&portal, &token), [MessageKind::PasswordChanged; 4]);
    house.clock.advance(std::time::Duration::from_secs(3600));
    change(&portal, &token, old, new);
    assert_eq!(left(&house, "outbox/").len(), 7);
}

#[test]
fn a_message_that_is_not_understood_keeps_no_other_from_leaving() {
    let (house, portal) = school(true);
    let mut changes = ChangeSet::new();
    for n in 0..100 {
        let key = Key::record(format!("outbox/{n:016x}-damaged"));
        changes.put(key, Record(b"?".to_vec()), Expected::Absent);
    }
    block_on(house.store.commit(changes)).unwrap();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let out = block_on(portal.outbox(None)).unwrap();
    assert_eq!(out.len(), 1);
    block_on(portal.settle_message(&out[0].id, Delivery::Delivered)).unwrap();
    assert_eq!(left(&house, "outbox/").len(), 100);
}
