//! Sessions in use (S8-S13): what a look at one admits, warm and cold.

mod support;

use std::time::Duration;

use futures_executor::block_on;
use narthex_core::model::EndReason;
use narthex_core::portal::LoggedIn;
use narthex_core::{Error, Refusal, SessionToken};
use support::*;

#[test]
fn a_session_that_a_connection_keeps_is_judged_anew_by_the_store() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 1));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let again = |login: &LoggedIn| block_on(portal.verify_again(&login.session));

    let [changed, left, idle] = [(); 3].map(|()| block_on(log_in(&portal, 0, PASSWORD)).unwrap());
    for login in [&changed, &left, &idle] {
        assert_eq!(again(login).unwrap().account(), login.session.account());
    }
    block_on(portal.log_out(&left.token, &asker())).unwrap();
    let reason = |login: &LoggedIn| match again(login).unwrap_err() {
        Error::Refused(Refusal::SessionEnded { reason, .. }) => Some(reason),
        Error::Refused(Refusal::TokenReplaced) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&left), Some(EndReason::LogOut));
    house.clock.advance(Duration::from_secs(2 * 3600));
    again(&changed).unwrap();
    let (current, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    block_on(portal.change_password(&changed.session, current, new, &asker())).unwrap();
    assert_eq!(reason(&changed), None);
    assert_eq!(reason(&idle), Some(EndReason::PasswordChanged));

    let fresh = block_on(log_in(&portal, 0, OTHER_PASSWORD)).unwrap();
    house.clock.advance(Duration::from_secs(4 * 3600));
    assert_eq!(reason(&fresh), Some(EndReason::Inactivity));
}

#[test]
fn a_warm_session_is_open_to_its_own_secret_alone() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 2));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let [own, other] = [(); 2].map(|()| block_on(log_in(&portal, 0, PASSWORD)).unwrap().token);
    for token in [&own, &other] {
        assert!(block_on(is_live(&portal, token)) && is_warm(&portal, token));
    }
    // The selector of the one and the secret of the other.
    let (own_text, other_text) = (own.expose(), other.expose());
    let bytes = |text: &str| {
        data_encoding::BASE64URL_NOPAD
            .decode(text.as_bytes())
            .unwrap()
    };
    let (mut mixed, other_bytes) = (bytes(&own_text), bytes(&other_text));
    mixed.splice(16.., other_bytes.into_iter().skip(16));
    let mixed = SessionToken::parse(&data_encoding::BASE64URL_NOPAD.encode(&mixed)).unwrap();
    assert_eq!(mixed.selector(), own.selector());
    assert!(!is_warm(&portal, &mixed) && !block_on(is_live(&portal, &mixed)));
    assert!(is_warm(&portal, &own));
}
