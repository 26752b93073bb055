//! The way of a person through the pages, and where it leads them (S1 to S16).

use std::time::Duration;

use crate::common::{House, NEW_PASSWORD, PASSWORD, ada};
use http::StatusCode;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn s1_to_s6_a_first_time_person_gets_from_the_door_to_the_landing_page() {
    let house = House::new();
    let mut browser = house.browser();
    let door = browser.open("/");
    assert!(
        door.has("Claim My Account")
            && door.has("4 hours")
            && door.has("This is a shared computer")
    );
    let login = browser.claim("s-1024", "ada", "o neil");
    assert!(login.has("Your account is ready"));
    assert!(
        login.body.contains("value=\"S-1024\""),
        "the number is filled in"
    );
    let landing = browser.log_in("S-1024");
    assert_eq!(landing.location(), "/o/north/");
    let page = browser.open("/");
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "Hello, Ada",
        "Ada O'Neil",
        "Cloud Studio",
        "Private Agents",
        "North <School> & Co in numbers",
        "fewer than 10",
    ] {
        assert!(page.has(text), "{text}");
    }
    assert!(!page.has("Management Console"), "students have none");
    let again = browser.get("/login");
    assert_eq!(
        again.location(),
        "/o/north/",
        "who is logged in is not asked again"
    );
}

#[test]
fn the_number_is_filled_in_for_ten_minutes_and_only_until_the_log_in() {
    let house = House::new();
    let mut browser = house.browser();
    browser.claim("S-1024", "Ada", "O'Neil");
    let mut other = house.browser();
    assert!(!other.get("/login").body.contains("S-1024"));
    browser.log_in("S-1024");
    let page = browser.open("/");
    browser.submit(&page, "/logout", &[]);
    assert!(!browser.get("/login").body.contains("S-1024"));

    let mut late = house.browser();
    late.claim("S-2048", "Ben", "Okoro");
    assert!(late.get("/login").body.contains("S-2048"));
    house.advance(Duration::from_secs(601));
    assert!(!late.get("/login").body.contains("S-2048"));
}

#[test]
fn s14_s15_inactivity_leads_to_the_log_in_and_back_to_the_same_screen_and_organization() {
    let house = House::new();
    let mut browser = ada(&house);
    let place = "/o/south/apps/cloud-studio/projects/7?tab=runs";
    assert_eq!(browser.get(place).status, StatusCode::OK);
    house.advance(4 * HOUR);
    let sent = browser.get(place);
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let login = sent.location().to_owned();
    assert!(
        login.starts_with(
            "/login?return_to=/o/south/apps/cloud-studio/projects/7%3Ftab%3Druns&for="
        )
    );
    assert!(login.ends_with("&reason=inactivity"));
    assert!(
        !browser.cookies.contains_key("__Host-narthex"),
        "the dead cookie is gone"
    );
    let page = browser.get(&login);
    assert!(page.has("nothing happened for a long time"));
    let back = browser.log_in_at(&login, "S-1024", PASSWORD);
    assert_eq!(back.location(), place);
}

#[test]
fn s15_another_person_is_led_to_their_own_landing_page() {
    let house = House::new();
    let mut browser = ada(&house);
    house.browser().claim("S-2048", "Ben", "Okoro");
    let page = browser.get("/o/south/apps/cloud-studio/projects");
    let login = page.meta("data-login");
    let log_out = browser.submit(&page, "/logout", &[]);
    assert_eq!(log_out.location(), "/login?notice=logged_out");
    let back = browser.log_in_at(&login, "S-2048", PASSWORD);
    assert_eq!(
        back.location(),
        "/o/south/",
        "not the project that Ada had open"
    );
}

#[test]
fn s15_a_lost_membership_leads_home_and_says_so() {
    let house = House::new();
    let mut browser = ada(&house);
    let login = browser.get("/o/south/downloads").meta("data-login");
    house.advance(4 * HOUR);
    house.import(crate::common::batch(false));
    let back = browser.log_in_at(&login, "S-1024", PASSWORD);
    assert_eq!(back.location(), "/o/north/?notice=membership_lost");
    assert!(
        browser
            .get("/o/north/?notice=membership_lost")
            .has("no longer belong")
    );
}

#[test]
fn a_fragment_that_the_script_added_survives_and_keeps_the_tag() {
    let house = House::new();
    let mut browser = ada(&house);
    let login = browser.get("/o/south/downloads").meta("data-login");
    let with_fragment = login.replace("downloads", "downloads%23download-data-loader");
    browser.cookies.remove("__Host-narthex");
    let back = browser.log_in_at(&with_fragment, "S-1024", PASSWORD);
    assert_eq!(back.location(), "/o/south/downloads#download-data-loader");
}

#[test]
fn djangos_next_is_an_alias_and_what_is_no_place_of_ours_is_ignored() {
    let house = House::new();
    ada(&house);
    let go = |url: &str| {
        house
            .browser()
            .log_in_at(url, "S-1024", PASSWORD)
            .location()
            .to_owned()
    };
    assert_eq!(go("/login?next=/o/south/downloads"), "/o/south/downloads");
    for evil in [
        "//evil.example",
        "https://evil.example",
        "/%5cevil.example",
        "%2f%2fevil.example",
        "/o/south/%0d%0aSet-Cookie:x",
        "/login",
        "/logout",
        "javascript:alert(1)",
        "/o/south/../..",
    ] {
        assert_eq!(
            go(&format!("/login?return_to={evil}")),
            "/o/north/",
            "{evil}"
        );
    }
}

#[test]
fn s7_to_s10_changing_the_password_keeps_this_browser_and_ends_the_others() {
    let house = House::new();
    let mut here = ada(&house);
    let mut there = house.browser();
    there.log_in("S-1024");
    assert_eq!(there.get("/o/north/").status, StatusCode::OK);
    let page = here.get("/account/password");
    assert!(
        page.has("At least 15 characters") && page.has("three or four words")
            || page.has("Three or four words")
    );
    let old = here.cookies["__Host-narthex"].clone();
    let done = here.submit(
        &page,
        "/account/password",
        &[("current", PASSWORD), ("new", NEW_PASSWORD)],
    );
    assert_eq!(
        done.location(),
        "/o/north/?notice=password_changed",
        "{}",
        done.body
    );
    assert_ne!(here.cookies["__Host-narthex"], old, "a new token");
    assert!(
        here.get("/o/north/?notice=password_changed")
            .has("still logged in here")
    );
    let sent = there.get("/o/south/downloads");
    assert!(
        sent.location().ends_with("reason=password_changed"),
        "{}",
        sent.location()
    );
    assert_eq!(
        there.log_in_at("/login", "S-1024", PASSWORD).status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        there.log_in_at("/login", "S-1024", NEW_PASSWORD).status,
        StatusCode::SEE_OTHER
    );
}

#[test]
fn a_page_with_the_old_token_loads_again_once_and_never_wipes_the_cookie() {
    let house = House::new();
    let mut here = ada(&house);
    let mut tab = here.clone();
    let form = tab.get("/account");
    let page = here.get("/account/password");
    here.submit(
        &page,
        "/account/password",
        &[("current", PASSWORD), ("new", NEW_PASSWORD)],
    );

    let waiting = tab.get("/o/south/downloads?x=1");
    assert_eq!(waiting.status, StatusCode::CONFLICT);
    assert!(
        waiting.has("content=\"1;url=/o/south/downloads?x=1&retry=1\""),
        "{}",
        waiting.body
    );
    assert!(waiting.headers.get("set-cookie").is_none());
    let still = tab.get("/o/south/downloads?x=1&retry=1");
    assert_eq!(
        still.location(),
        "/login?return_to=/o/south/downloads%3Fx%3D1"
    );
    assert!(still.headers.get("set-cookie").is_none());
    let refused = tab.submit(&form, "/account", &[("default_organization", "south")]);
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.has("1;url=/?retry=1"));
    let json = tab.fetch("/api/v1/session");
    assert_eq!(
        (json.status, json.code().as_str()),
        (StatusCode::UNAUTHORIZED, "token_replaced")
    );
    assert!(json.headers.get("set-cookie").is_none());
    // The browser has one jar: with the new cookie the page is there.
    tab.cookies = here.cookies.clone();
    assert_eq!(
        tab.get("/o/south/downloads?x=1&retry=1").status,
        StatusCode::OK
    );
}

#[test]
fn s11_log_out_leads_to_the_log_in_and_the_token_is_dead() {
    let house = House::new();
    let mut browser = ada(&house);
    let (mut stolen, mut tab) = (browser.clone(), browser.clone());
    let page = browser.get("/account");
    let out = browser.submit(&page, "/logout", &[]);
    assert_eq!(out.location(), "/login?notice=logged_out");
    assert!(stolen.get("/o/north/").location().starts_with("/login"));
    // Ended already is as good as ended, with the dead cookie and without it.
    for browser in [&mut tab, &mut browser] {
        let again = browser.submit(&page, "/logout", &[]);
        assert_eq!(again.location(), "/login?notice=logged_out");
    }
}

#[test]
fn the_account_page_chooses_where_home_is() {
    let house = House::new();
    let mut browser = ada(&house);
    let page = browser.get("/account");
    assert!(page.has("Ada O'Neil") && page.has("S-1024") && page.has("office@north.example"));
    let saved = browser.submit(&page, "/account", &[("default_organization", "south")]);
    assert_eq!(saved.location(), "/account?notice=saved", "{}", saved.body);
    assert_eq!(browser.get("/").location(), "/o/south/");
    let page = browser.get("/account");
    let refused = browser.submit(&page, "/account", &[("default_organization", "nowhere")]);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn az01_a_page_of_another_organization_or_application_is_not_for_this_person() {
    let house = House::new();
    house.browser().claim("S-2048", "Ben", "Okoro");
    let mut ben = house.browser();
    ben.log_in("S-2048");
    let foreign = ben.get("/o/north/");
    let unknown = ben.get("/o/atlantis/");
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert_eq!(unknown.status, StatusCode::FORBIDDEN);
    assert!(!foreign.has("North"));
    assert_eq!(
        ben.get("/o/south/apps/management-console").status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        ben.get("/o/south/apps/nothing").status,
        StatusCode::NOT_FOUND
    );
    for path in [
        "projects/0",
        "projects/07",
        "projects/99",
        "projects/x",
        "projects/7?tab=x",
    ] {
        let page = ben.get(&format!("/o/south/apps/cloud-studio/{path}"));
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    let apps = ben.fetch("/api/v1/organizations/north/statistics");
    assert_eq!(apps.code(), "not_permitted");
}

#[test]
fn s12_only_what_a_person_does_keeps_a_session_alive() {
    let house = House::new();
    let mut browser = ada(&house);
    let almost = 4 * HOUR - Duration::from_secs(60);
    house.advance(almost);
    assert_eq!(browser.fetch("/api/v1/session").status, StatusCode::OK);
    assert_eq!(
        browser.fetch("/o/north/").status,
        StatusCode::OK,
        "a script that loads a page"
    );
    house.advance(Duration::from_secs(60));
    assert_eq!(browser.fetch("/api/v1/session").code(), "session_ended");

    let mut browser = house.browser();
    browser.log_in("S-1024");
    house.advance(almost);
    browser.get("/o/north/");
    house.advance(almost);
    let answer = browser.json(
        http::Method::POST,
        "/api/v1/session/activity",
        "{\"idle_ms\":0}",
    );
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    house.advance(almost);
    assert_eq!(browser.fetch("/api/v1/session").status, StatusCode::OK);
}

#[test]
fn a_shared_computer_logs_out_sooner() {
    let house = House::new();
    ada(&house);
    let mut browser = house.browser();
    let page = browser.get("/login");
    let fields = [
        ("login_id", "S-1024"),
        ("password", PASSWORD),
        ("shared_computer", "on"),
    ];
    browser.submit(&page, "/login", &fields);
    assert_eq!(browser.open("/").meta("data-inactivity-ms"), "1200000");
    house.advance(Duration::from_secs(20 * 60));
    assert!(browser.get("/").location().contains("reason=inactivity"));
}

#[test]
fn two_claims_in_one_browser_do_not_mix() {
    let house = House::new();
    let mut browser = house.browser();
    let ada = browser.claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]);
    let ada_page = browser.get(ada.location());
    let ben = browser.claim_form("S-2048", "Ben", "Okoro", ["12", "10", "2012"]);
    let ben_page = browser.get(ben.location());
    assert!(ada_page.has("Ada O'Neil") && ben_page.has("Ben Okoro"));
    let next = browser.submit(&ada_page, "/claim/password", &[("password", PASSWORD)]);
    let questions = browser.get(next.location());
    assert!(questions.has("Ada O'Neil") && !questions.has("Ben Okoro"));
    let again = browser.get(ben.location());
    assert!(again.has("Ben Okoro"));
    let over = browser.submit(&ben_page, "/claim/abandon", &[]);
    assert_eq!(over.location(), "/claim?notice=started_over");
    let gone = browser.submit(&ben_page, "/claim/password", &[("password", PASSWORD)]);
    assert_eq!(gone.location(), "/claim?notice=claim_expired");
}

#[test]
fn a_claim_finished_twice_leads_to_the_log_in_with_the_first_password() {
    let house = House::new();
    let mut browser = house.browser();
    let begun = browser.claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]);
    let page = browser.get(begun.location());
    let next = browser.submit(&page, "/claim/password", &[("password", PASSWORD)]);
    let page = browser.get(next.location());
    let fields = [
        ("question_1", "first_toy"),
        ("answer_1", "Vellum"),
        ("question_2", "story"),
        ("answer_2", "The long way to Zeno"),
    ];
    let mut double = browser.clone();
    let first = browser.submit(&page, "/claim/questions", &fields);
    assert_eq!(first.location(), "/login?notice=claimed");
    let second = double.submit(&page, "/claim/questions", &fields);
    assert_eq!(second.location(), "/login?notice=already_claimed");
    // Another browser cannot go on with the ticket, even if it knows its name.
    let mut other = house.browser();
    let sent = other.get(begun.location());
    assert_eq!(sent.location(), "/claim?notice=claim_expired");
}

#[test]
fn what_was_typed_stays_but_never_a_password() {
    let house = House::new();
    let mut browser = house.browser();
    let page = browser.get("/login");
    let fields = [
        ("login_id", "S-1\"<x>"),
        ("password", "hunter2-hunter2"),
        ("shared_computer", "on"),
    ];
    let again = browser.submit(&page, "/login", &fields);
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        again.body.contains("value=\"S-1&quot;&lt;x&gt;\""),
        "{}",
        again.body
    );
    assert!(again.body.contains(" checked") && !again.body.contains("hunter2"));
    assert!(
        again.body.contains("href=\"#login_id\"") && again.body.contains("aria-invalid=\"true\"")
    );

    let again = browser.claim_form("S-1024", "Ada", "", ["13", "10", "2012"]);
    assert!(again.body.contains("value=\"Ada\"") && again.body.contains("value=\"S-1024\""));
    assert!(again.has("Please type your last name.") && again.has("from 1 to 12"));
    let again = browser.claim_form("S-1024", "Ada", "O'Neil", ["2", "30", "2012"]);
    assert!(again.has("not in the calendar"));

    let begun = browser.claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]);
    let page = browser.get(begun.location());
    let again = browser.submit(&page, "/claim/password", &[("password", "hunter2")]);
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.has("At least 15 characters") && !again.has("hunter2"));
    let next = browser.submit(&page, "/claim/password", &[("password", PASSWORD)]);
    let page = browser.get(next.location());
    let fields = [
        ("question_1", "first_toy"),
        ("answer_1", "teddy"),
        ("question_2", "story"),
        ("answer_2", "Zeno's lane"),
    ];
    let again = browser.submit(&page, "/claim/questions", &fields);
    assert!(
        again.has("Many people would guess") && again.has("Zeno's lane"),
        "{}",
        again.body
    );
}

#[test]
fn s8_a_second_click_on_save_gets_the_new_cookie_again() {
    let house = House::new();
    let mut browser = ada(&house);
    let page = browser.get("/account/password");
    let fields = [("current", PASSWORD), ("new", NEW_PASSWORD)];
    let before = browser.cookies.clone();
    let first = browser.submit(&page, "/account/password", &fields);
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    // The browser threw the first answer away, with its cookie.
    browser.cookies = before.clone();
    let second = browser.submit(&page, "/account/password", &fields);
    assert_eq!(second.location(), "/o/north/?notice=password_changed");
    assert_ne!(browser.cookies, before);
    assert_eq!(browser.get("/o/north/").status, StatusCode::OK);

    // A thief with an old cookie and another idea of the new password gets nothing.
    browser.cookies = before.clone();
    let wrong = [
        ("current", PASSWORD),
        ("new", "another three or four words"),
    ];
    let refused = browser.submit(&page, "/account/password", &wrong);
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(browser.cookies, before);
}
