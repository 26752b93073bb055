//! `/staff`: who gets in, for whom, and what the pages and addresses never say.

use std::time::Duration;

use futures_executor::block_on;
use http::StatusCode;
use http::header::LOCATION;
use narthex_core::{Asker, LoginId, Policy};
use narthex_http::Settings;

use crate::common::{Answer, Browser, House, ORIGIN_URL, PASSWORD, ada};

/// The principal of the north, logged in.
fn cleo(house: &House) -> Browser<'_> {
    let mut browser = house.browser();
    browser.claim("T-1", "Cleo", "Marsh");
    browser.log_in("T-1");
    browser
}

fn send(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get("/staff");
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    browser.submit(&page, "/staff", fields)
}

/// Presses a button of the page of a person.
fn press(browser: &mut Browser<'_>, number: &str, act: &str) -> Answer {
    let page = send(browser, &[("login_id", number)]);
    press_on(browser, &page, number, act)
}

fn press_on(browser: &mut Browser<'_>, page: &Answer, number: &str, act: &str) -> Answer {
    let mark = page.hidden("mark");
    let fields = [("login_id", number), ("act", act), ("mark", &mark)];
    browser.submit(page, "/staff", &fields)
}

/// Without what differs from page to page by nature.
fn plain(answer: &Answer, number: &str) -> String {
    answer.body.replace(number, "NUMBER")
}

#[test]
fn az01_the_desk_is_for_roles_that_policy_names_and_only_they_see_its_link() {
    let house = House::new();
    let mut clerk = cleo(&house);
    assert!(clerk.open("/").has("href=\"/staff\""));
    assert_eq!(clerk.get("/staff").status, StatusCode::OK);
    let mut pupil = ada(&house);
    let landing = pupil.open("/");
    assert!(!landing.has("/staff"));
    assert_eq!(pupil.get("/staff").status, StatusCode::FORBIDDEN);
    let refused = pupil.submit(&landing, "/staff", &[("login_id", "S-4096")]);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!refused.has("Dan"));
    let stranger = house.browser().get("/staff");
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
    assert!(stranger.location().starts_with("/login"));

    let mut policy = Policy::default();
    policy.staff.roles.clear();
    let closed = House::with(Settings::new(ORIGIN_URL).unwrap(), policy);
    let mut clerk = cleo(&closed);
    assert!(!clerk.open("/").has("href=\"/staff\""));
    assert_eq!(clerk.get("/staff").status, StatusCode::FORBIDDEN);
}

#[test]
fn az01_a_person_of_another_school_gets_the_page_of_an_unknown_number() {
    let house = House::new();
    let mut clerk = cleo(&house);
    for act in ["", "clear", "claim_code", "recovery_code", "end"] {
        let elsewhere = send(&mut clerk, &[("login_id", "S-2048"), ("act", act)]);
        let unknown = send(&mut clerk, &[("login_id", "S-9999"), ("act", act)]);
        assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY, "{act}");
        assert_eq!(elsewhere.status, unknown.status);
        assert_eq!(
            plain(&elsewhere, "S-2048"),
            plain(&unknown, "S-9999"),
            "{act}"
        );
        assert!(elsewhere.has("No person of your school has this number"));
        assert!(!elsewhere.has("Okoro"));
    }
}

#[test]
fn az01_a_person_of_two_schools_is_shown_without_the_name_of_the_other() {
    let house = House::new();
    let mut clerk = cleo(&house);
    let found = send(&mut clerk, &[("login_id", "s-1024")]);
    assert_eq!(found.status, StatusCode::OK, "{}", found.body);
    assert!(found.has("Ada O'Neil"));
    assert!(
        found.has("North <School> & Co (student), and other places"),
        "{}",
        found.body
    );
    assert!(!found.has("South"));
    assert!(
        !found.has("2012-12-10") && !found.has("value=\"2012\""),
        "no birthdate"
    );
}

#[test]
fn staff_see_which_fact_fails_and_hand_out_codes_and_no_address_names_anybody() {
    let house = House::new();
    let mut clerk = cleo(&house);
    let facts = |given, day| {
        [
            ("login_id", "S-4096"),
            ("act", "check"),
            ("given_name", given),
            ("family_name", "Ekholm"),
            ("birth_month", "12"),
            ("birth_day", day),
            ("birth_year", "2012"),
        ]
    };
    let wrong = send(&mut clerk, &facts("Dane", "10"));
    assert!(wrong.has("The names are wrong."), "{}", wrong.body);
    assert!(wrong.has("The birthdate is right."));
    let wrong = send(&mut clerk, &facts("Dan", "11"));
    assert!(wrong.has("The names are right."));
    assert!(wrong.has("The birthdate is wrong."));
    let no_day = send(&mut clerk, &facts("Dan", "40"));
    assert_eq!(no_day.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(no_day.has("href=\"#birth_day\""), "{}", no_day.body);

    let code = press(&mut clerk, "S-4096", "claim_code");
    assert!(code.has("Claim code for Dan Ekholm"), "{}", code.body);
    let none = press(&mut clerk, "S-4096", "recovery_code");
    assert!(none.has("there is no account in use"));
    assert!(code.headers.get(LOCATION).is_none());

    let mut pupil = ada(&house);
    let code = press(&mut clerk, "S-1024", "recovery_code");
    assert!(code.has("Recovery code for S-1024"), "{}", code.body);
    let ended = press(&mut clerk, "S-1024", "end");
    assert!(ended.has("logged out everywhere"));
    assert_eq!(pupil.get("/account").status, StatusCode::SEE_OTHER);
    let none = press(&mut clerk, "S-1024", "claim_code");
    assert!(none.has("the account is claimed already"));
}

#[test]
fn a_page_that_is_sent_twice_makes_one_code_and_shows_it_once() {
    let house = House::new();
    let mut clerk = cleo(&house);
    let found = send(&mut clerk, &[("login_id", "S-4096")]);
    let first = press_on(&mut clerk, &found, "S-4096", "claim_code");
    assert_eq!(shown_code(&first).len(), 11, "{}", first.body);
    let again = press_on(&mut clerk, &found, "S-4096", "claim_code");
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.has("Nothing was done now"), "{}", again.body);
    assert!(!again.has("id=\"code\""));
    assert_eq!(told(&house, "claim_code_issued"), 1);
    let wanted = press_on(&mut clerk, &again, "S-4096", "claim_code");
    assert_ne!(shown_code(&wanted), shown_code(&first), "asked for anew");

    let mut pupil = ada(&house);
    let found = send(&mut clerk, &[("login_id", "S-1024")]);
    let first = press_on(&mut clerk, &found, "S-1024", "recovery_code");
    assert!(!shown_code(&first).is_empty());
    let again = press_on(&mut clerk, &found, "S-1024", "recovery_code");
    assert!(again.has("Nothing was done now") && !again.has("id=\"code\""));
    assert_eq!(told(&house, "recovery_codes_issued"), 1);
    let ended = press_on(&mut clerk, &again, "S-1024", "end");
    assert!(ended.has("logged out everywhere"));
    pupil.log_in("S-1024");
    let again = press_on(&mut clerk, &again, "S-1024", "end");
    assert!(again.has("Nothing was done now"));
    assert_eq!(
        pupil.get("/account").status,
        StatusCode::OK,
        "still logged in"
    );
}

/// The code that a page shows.
fn shown_code(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("<code>").unwrap();
    rest.split_once("</code>").unwrap().0.to_owned()
}

/// How often the audit tells of something.
fn told(house: &House, code: &str) -> usize {
    let lines = block_on(house.portal.audit_after(None, 512)).unwrap();
    let events = lines.into_iter().map(|line| line.event.unwrap());
    events.filter(|event| event.kind.code() == code).count()
}

#[test]
fn staff_only_look_at_themselves_and_see_why() {
    let house = House::new();
    let mut clerk = cleo(&house);
    let own = send(&mut clerk, &[("login_id", "T-1"), ("act", "end")]);
    assert_eq!(own.status, StatusCode::OK);
    assert!(own.has("You can only look here"));
    assert!(!own.has("name=\"act\""), "no buttons");
    assert_eq!(
        clerk.get("/staff").status,
        StatusCode::OK,
        "still logged in"
    );
}

#[test]
fn se13_a_log_in_that_is_not_fresh_asks_for_the_password_and_loses_nothing() {
    let house = House::new();
    let mut clerk = cleo(&house);
    let page = clerk.get("/staff");
    assert!(!page.has("name=\"current\""));
    let found = send(&mut clerk, &[("login_id", "S-4096")]);
    house.advance(Duration::from_secs(16 * 60));
    let asked = press_on(&mut clerk, &found, "S-4096", "claim_code");
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!asked.has("Ekholm"), "nothing of the person yet");
    assert_eq!(asked.hidden("act"), "claim_code");
    let mark = asked.hidden("mark");
    assert!(asked.has("name=\"current\""));
    let events = house.contents().len();
    let wrong = [
        ("login_id", "S-4096"),
        ("act", "claim_code"),
        ("mark", &mark),
        ("current", "not it"),
    ];
    let wrong = clerk.submit(&asked, "/staff", &wrong);
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(!wrong.has("Ekholm"));
    assert!(house.contents().len() > events, "the try is counted");
    let right = [
        ("login_id", "S-4096"),
        ("act", "claim_code"),
        ("mark", &mark),
        ("current", PASSWORD),
    ];
    let right = clerk.submit(&wrong, "/staff", &right);
    assert!(right.has("Claim code for Dan Ekholm"), "{}", right.body);
    assert!(
        !clerk.get("/staff").has("name=\"current\""),
        "fresh again, under the new token"
    );
}

#[test]
fn a_desk_whose_session_was_ended_from_elsewhere_changes_nothing() {
    let house = House::new();
    let mut clerk = cleo(&house);
    let page = clerk.get("/staff");
    let (number, asker) = (LoginId::parse("T-1").unwrap(), Asker::default());
    let end = house.portal.end_families_of(&number, None, &asker);
    assert_eq!(block_on(end).unwrap(), Some(1));
    let before = house.contents();
    let late = clerk.submit(
        &page,
        "/staff",
        &[("login_id", "S-4096"), ("act", "claim_code")],
    );
    assert!(!late.has("Ekholm"), "{}", late.body);
    assert_eq!(house.contents(), before);
}
