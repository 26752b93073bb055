//! The host's own pages: who comes in, where the others are led, and the header.

use std::time::Duration;

use futures_executor::block_on;
use http::header::{COOKIE, SET_COOKIE};
use http::{Method, Request, StatusCode};
use narthex_core::model::OrganizationId;
use narthex_core::rules::resume::{AppOrganization, AppPrefix};
use narthex_core::{Policy, Refusal};
use narthex_http::{Admission, Body, Entry, PortalService, Settings, SettingsError, Visit};

use crate::common::*;

const WEEK: &str = "/timetable/north/week/3?day=mon";
const HOUR: Duration = Duration::from_secs(3600);
const NAVIGATION: [(&str, &str); 3] = [
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-user", "?1"),
];
const FETCH: [(&str, &str); 2] = [
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "cors"),
];

fn policy() -> Policy {
    let app = |prefix, organization| AppPrefix::parse(prefix, organization).unwrap();
    let south = AppOrganization::Fixed(OrganizationId::parse("south").unwrap());
    Policy {
        apps: vec![
            app("/timetable/", AppOrganization::FromPath),
            app("/library/", AppOrganization::Default),
            app("/rooms/", south),
        ],
        ..Policy::default()
    }
}

fn house() -> House {
    House::with(Settings::new(ORIGIN_URL).unwrap(), policy())
}

/// A request to a page of the host, as the layer of a host hands it on.
fn come(
    browser: &Browser<'_>,
    method: Method,
    location: &str,
    headers: &[(&str, &str)],
    entry: Entry,
) -> Result<Visit, Box<Answer>> {
    let mut request = Request::builder().method(method).uri(location);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let cookies: Vec<String> = browser
        .cookies
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    if !cookies.is_empty() {
        request = request.header(COOKIE, cookies.join("; "));
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    match block_on(browser.house.service.admit(&parts, location, entry)) {
        Admission::Admitted(visit) => Ok(visit),
        Admission::Answered(response) => Err(Box::new(answer(response))),
    }
}

fn answer(response: http::Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let Body::Full(body) = body else {
        panic!("a stream")
    };
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
        stream: None,
    }
}

fn look(browser: &Browser<'_>, location: &str) -> Result<Visit, Box<Answer>> {
    come(browser, Method::GET, location, &NAVIGATION, Entry::Person)
}

fn fetch(browser: &Browser<'_>, location: &str) -> Result<Visit, Box<Answer>> {
    come(browser, Method::GET, location, &FETCH, Entry::Person)
}

fn header_of(visit: &Visit) -> String {
    unescape(&block_on(visit.header()).unwrap())
}

#[test]
fn s07_a_page_of_the_host_has_the_same_header() {
    let house = house();
    let browser = ada(&house);
    let visit = look(&browser, WEEK).unwrap();
    let header = header_of(&visit);
    for part in [
        "Ada O'Neil",
        "href=\"/account\"",
        "href=\"/account#default_organization\"",
        "href=\"/account/password\"",
        "action=\"/logout\"",
        "North <School> & Co",
        "aria-current=\"true\"",
        "return_to=/timetable/north/week/3%3Fday%3Dmon&for=",
        "role=\"alertdialog\"",
        "data-inactivity-ms=\"14400000\"",
    ] {
        assert!(header.contains(part), "{part} in {header}");
    }
    assert!(!header.contains(" style=") && !header.contains("<script>"));
    let session = visit.session().unwrap();
    let direct = block_on(house.service.header(Some(session), WEEK)).unwrap();
    assert!(unescape(&direct).contains("Ada O'Neil"));
}

#[test]
fn s07_the_switcher_changes_the_location_and_stays_in_the_application() {
    let house = house();
    let browser = ada(&house);
    let header = header_of(&look(&browser, WEEK).unwrap());
    assert!(header.contains("href=\"/timetable/south/\""), "{header}");
    assert!(header.contains("href=\"/timetable/north/\" aria-current=\"true\""));
    let header = header_of(&look(&browser, "/library/shelf/7").unwrap());
    assert!(header.contains("href=\"/o/south/\""), "{header}");
}

#[test]
fn the_organization_of_a_page_is_in_the_path_or_fixed_or_the_default() {
    let house = house();
    let browser = ada(&house);
    for (location, named, shown) in [
        (WEEK, Some("north"), "north"),
        ("/timetable/south/", Some("south"), "south"),
        ("/rooms/7", Some("south"), "south"),
        ("/library/", None, "north"),
        ("/elsewhere/", None, "north"),
    ] {
        let visit = look(&browser, location).unwrap();
        let organization = visit.organization().map(OrganizationId::as_str);
        assert_eq!(organization, named, "{location}");
        let organization = block_on(visit.organization_or_default()).unwrap().unwrap();
        assert_eq!(organization.as_str(), shown, "{location}");
    }
}

#[test]
fn s14_without_a_session_a_person_is_led_to_the_login_and_a_script_is_told() {
    let house = house();
    let nobody = house.browser();
    let answer = look(&nobody, WEEK).unwrap_err();
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let login = "/login?return_to=/timetable/north/week/3%3Fday%3Dmon";
    assert_eq!(answer.location(), login);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let answer = fetch(&nobody, WEEK).unwrap_err();
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.code(), "not_logged_in");
    // A browser too old to say what it wants asks for HTML.
    let old = [("accept", "text/html,*/*;q=0.8")];
    let answer = come(&nobody, Method::GET, WEEK, &old, Entry::Person).unwrap_err();
    assert_eq!(answer.location(), login);
    let answer = look(&nobody, "/elsewhere/").unwrap_err();
    assert_eq!(answer.location(), "/login", "not a declared prefix");
}

#[test]
fn pages_for_anybody_know_who_is_there() {
    let house = house();
    let browser = ada(&house);
    let nobody = house.browser();
    let visit = come(&nobody, Method::GET, WEEK, &NAVIGATION, Entry::Anybody).unwrap();
    assert!(visit.session().is_none());
    let header = header_of(&visit);
    assert!(header.contains("href=\"/login?return_to=/timetable/north/week/3%3Fday%3Dmon\""));
    assert!(!header.contains("data-family"));
    let visit = come(&browser, Method::GET, WEEK, &NAVIGATION, Entry::Anybody).unwrap();
    assert!(visit.session().is_some());
    assert_eq!(visit.organization().unwrap().as_str(), "north");
    let foreign = "/timetable/nowhere/";
    let visit = come(&browser, Method::GET, foreign, &NAVIGATION, Entry::Anybody).unwrap();
    assert_eq!(visit.organization(), None);
}

#[test]
fn s12_s14_s15_inactivity_leads_to_the_login_and_back_to_the_same_page_of_the_host() {
    let house = house();
    let mut browser = ada(&house);
    let mut ben = house.browser();
    ben.claim("S-2048", "Ben", "Okoro");
    house.advance(4 * HOUR);
    let answer = look(&browser, WEEK).unwrap_err();
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let login = answer.location().to_owned();
    assert!(login.starts_with("/login?return_to=/timetable/north/week/3%3Fday%3Dmon&for="));
    assert!(login.ends_with("&reason=inactivity"), "{login}");
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-narthex=;"), "{cookie}");
    browser.cookies.remove("__Host-narthex");

    let other = ben.log_in_at(&login, "S-2048", PASSWORD);
    assert_eq!(other.location(), "/o/south/", "another person's page");
    let back = browser.log_in_at(&login, "S-1024", PASSWORD);
    assert_eq!(back.location(), WEEK);
    house.import(batch(false));
    let south = "/login?return_to=/timetable/south/";
    browser.cookies.remove("__Host-narthex");
    let lost = browser.log_in_at(south, "S-1024", PASSWORD);
    assert_eq!(lost.location(), "/o/north/?notice=membership_lost");
}

#[test]
fn s15_a_host_beside_a_mounted_portal_has_the_root_of_the_origin() {
    let settings = || Settings::new("https://portal.school.example/portal").unwrap();
    let house = House::with(settings(), policy());
    let mut browser = house.browser();
    let answer = look(&browser, WEEK).unwrap_err();
    let login = "/portal/login?return_to=/timetable/north/week/3%3Fday%3Dmon";
    assert_eq!(answer.location(), login);
    // A path of the host that looks like one of the portal's is no place to come back to.
    for location in ["/account", "/o/north/"] {
        let answer = look(&browser, location).unwrap_err();
        assert_eq!(answer.location(), "/portal/login", "{location}");
    }
    let claim = claim_json("Ada", "O'Neil", "2012-12-10", "S-1024");
    let sent = |browser: &mut Browser<'_>, path: &str, body: &str| {
        let answer = browser.json(Method::POST, &format!("/portal/api/v1/{path}"), body);
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
        answer
    };
    sent(&mut browser, "claim", &claim);
    let password = serde_json::json!({ "password": PASSWORD }).to_string();
    sent(&mut browser, "claim/password", &password);
    let answers = serde_json::json!({ "answers": [
        { "question": "first_toy", "answer": "Vellum the hedgehog" },
        { "question": "hiding_place", "answer": "behind the piano" },
    ] });
    sent(&mut browser, "claim/questions", &answers.to_string());
    let body = serde_json::json!({
        "login_id": "S-1024", "password": PASSWORD, "return_to": WEEK,
    });
    let session = sent(&mut browser, "session", &body.to_string());
    assert_eq!(session.json()["resume"], WEEK);
    let header = header_of(&look(&browser, WEEK).unwrap());
    assert!(
        header.contains("href=\"/portal/account\"") && header.contains("data-base=\"/portal\"")
    );

    let service = &house.service;
    for (path, owns) in [
        ("/portal/", true),
        ("/portal/login", true),
        ("/.well-known/change-password", true),
        ("/portalx", false),
        ("/", false),
        (WEEK, false),
    ] {
        assert_eq!(service.owns(path), owns, "{path}");
    }
    let below = AppPrefix::parse("/portal/x/", AppOrganization::Default).unwrap();
    let apps = Policy {
        apps: vec![below],
        ..Policy::default()
    };
    let house = House::with(Settings::new(ORIGIN_URL).unwrap(), apps);
    let refused = PortalService::new(house.portal.clone(), settings()).unwrap_err();
    assert_eq!(
        refused,
        SettingsError::AppBelowPortal("/portal/x/".to_owned())
    );
}

#[test]
fn p08_a_foreign_organization_is_refused_like_one_that_is_not_there() {
    let house = house();
    let mut ben = house.browser();
    ben.claim("S-2048", "Ben", "Okoro");
    ben.log_in("S-2048");
    assert!(look(&ben, "/timetable/south/").is_ok());
    let mut seen = Vec::new();
    for location in ["/timetable/north/", "/timetable/nowhere/"] {
        let page = look(&ben, location).unwrap_err();
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{location}");
        let told = fetch(&ben, location).unwrap_err();
        assert_eq!(told.code(), "not_permitted", "{location}");
        let id = page.headers["x-request-id"].to_str().unwrap();
        seen.push(page.body.replace(id, ""));
    }
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn a53_a_membership_that_was_taken_away_is_gone_at_the_next_request() {
    let house = house();
    let browser = ada(&house);
    assert!(look(&browser, "/timetable/south/").is_ok());
    house.import(batch(false));
    let answer = look(&browser, "/timetable/south/").unwrap_err();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(look(&browser, WEEK).is_ok());
}

#[test]
fn a53_a_form_is_judged_by_the_path_it_is_sent_to_and_not_by_the_page_it_came_from() {
    let house = house();
    let mut browser = house.browser();
    browser.claim("S-2048", "Ben", "Okoro");
    browser.log_in("S-2048");
    let own = format!("{ORIGIN_URL}/timetable/south/");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        for referer in [
            None,
            Some(own.as_str()),
            Some("https://portal.school.example/library/"),
        ] {
            let mut headers = NAVIGATION.to_vec();
            headers.extend(referer.map(|referer| ("referer", referer)));
            let come = |location| come(&browser, method.clone(), location, &headers, Entry::Person);
            let refused = come("/timetable/north/save").unwrap_err();
            assert_eq!(
                refused.status,
                StatusCode::FORBIDDEN,
                "{method} {referer:?}"
            );
            for location in ["/timetable/south/save", "/rooms/save"] {
                let visit = come(location).unwrap();
                assert_eq!(visit.organization().unwrap().as_str(), "south");
            }
            let visit = come("/library/save").unwrap();
            assert_eq!(visit.organization(), None, "{method} {referer:?}");
        }
    }
    let ada = ada(&house);
    house.import(batch(false));
    for method in [Method::GET, Method::POST] {
        let answer = come(&ada, method, "/rooms/save", &NAVIGATION, Entry::Person).unwrap_err();
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
}

#[test]
fn a53_a_path_that_nobody_could_come_back_to_is_judged_all_the_same() {
    let house = house();
    let mut ben = house.browser();
    ben.claim("S-2048", "Ben", "Okoro");
    ben.log_in("S-2048");
    let long = "a".repeat(2048);
    let ends = [
        "?q=[|]",
        "?q=%zz",
        "/a%2Fb",
        "/a//b",
        "/%",
        &format!("?q={long}"),
        &long,
    ];
    for end in ends {
        let south = format!("/timetable/south/{end}");
        let visit = look(&ben, &south).unwrap();
        assert_eq!(
            visit.organization().unwrap().as_str(),
            "south",
            "{south:.40}"
        );
        let north = format!("/timetable/north/{end}");
        let refused = look(&ben, &north).unwrap_err();
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{north:.40}");
    }
    for disguised in [
        "/timetable/n%6frth/",
        "/timetable//north/",
        "/timetable/south/../north/",
        "/timetable/south%2f..%2fnorth/",
        "/library/..%2ftimetable/north/",
        "/%74imetable/north/",
    ] {
        for entry in [Entry::Person, Entry::Anybody] {
            match come(&ben, Method::GET, disguised, &NAVIGATION, entry) {
                Ok(visit) => {
                    assert_eq!(
                        (entry, visit.organization()),
                        (Entry::Anybody, None),
                        "{disguised}"
                    );
                }
                Err(answer) => assert_eq!(answer.status, StatusCode::FORBIDDEN, "{disguised}"),
            }
        }
    }
}

#[test]
fn wb08_what_changes_something_must_come_from_this_origin() {
    let house = house();
    let browser = ada(&house);
    let post = |headers: &[(&str, &str)]| {
        come(&browser, Method::POST, WEEK, headers, Entry::Person).map_err(|a| a.code())
    };
    assert!(post(&[("sec-fetch-site", "same-origin")]).is_ok());
    assert!(post(&[("origin", ORIGIN_URL)]).is_ok());
    for elsewhere in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("origin", "https://evil.example")],
        &[],
    ] {
        assert_eq!(post(elsewhere).unwrap_err(), "cross_site", "{elsewhere:?}");
    }
    let page = [NAVIGATION[1], ("sec-fetch-site", "cross-site")];
    let answer = come(&browser, Method::POST, WEEK, &page, Entry::Person).unwrap_err();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let nobody = house.browser();
    let answer = come(&nobody, Method::PUT, WEEK, &[], Entry::Person).unwrap_err();
    assert_eq!(answer.code(), "not_logged_in", "a program without a cookie");
}

#[test]
fn a_form_whose_session_has_ended_leads_back_to_its_page_and_not_to_where_it_was_sent() {
    let house = house();
    let browser = ada(&house);
    house.advance(4 * HOUR);
    let page = format!("{ORIGIN_URL}{WEEK}");
    let headers = [NAVIGATION[0], NAVIGATION[1], ("referer", page.as_str())];
    let target = "/timetable/north/save";
    let answer = come(&browser, Method::POST, target, &headers, Entry::Person).unwrap_err();
    let login = answer.location();
    assert!(login.starts_with("/login?return_to=/timetable/north/week/3%3Fday%3Dmon&for="));
    for referer in [
        "https://evil.example/timetable/north/",
        "https://portal.school.example.evil/timetable/north/",
        "https://portal.school.example/account",
    ] {
        let headers = [NAVIGATION[0], NAVIGATION[1], ("referer", referer)];
        let answer = come(&browser, Method::POST, target, &headers, Entry::Person).unwrap_err();
        assert_eq!(answer.location(), "/login?reason=inactivity", "{referer}");
    }
}

#[test]
fn s13_a_navigation_that_a_person_began_is_activity_and_a_page_that_polls_is_not() {
    let house = house();
    let mut browser = ada(&house);
    let left = |browser: &mut Browser<'_>| {
        let session = browser.fetch("/api/v1/session").json();
        session["expires_in_ms"].as_u64().unwrap() / 60_000
    };
    house.advance(HOUR);
    fetch(&browser, WEEK).unwrap();
    let reload = [NAVIGATION[0], NAVIGATION[1]];
    come(&browser, Method::GET, WEEK, &reload, Entry::Person).unwrap();
    come(&browser, Method::GET, WEEK, &[], Entry::Person).unwrap();
    assert_eq!(left(&mut browser), 180);
    look(&browser, WEEK).unwrap();
    assert_eq!(left(&mut browser), 240);
    house.advance(HOUR);
    come(&browser, Method::POST, WEEK, &FETCH, Entry::Person).unwrap();
    assert_eq!(left(&mut browser), 240);
}

#[test]
fn a_token_that_was_replaced_in_another_tab_loads_the_page_again_once_and_keeps_the_cookie() {
    let house = house();
    let mut browser = ada(&house);
    let late = browser.clone();
    let page = browser.get("/account/password");
    let fields = [("current", PASSWORD), ("new", NEW_PASSWORD)];
    let saved = browser.submit(&page, "/account/password", &fields);
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);

    let answer = look(&late, WEEK).unwrap_err();
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let again = "/timetable/north/week/3?day=mon&narthex_retry=1";
    assert!(
        answer.has(&format!("content=\"1;url={again}\"")),
        "{}",
        answer.body
    );
    assert!(!answer.headers.contains_key(SET_COOKIE));
    let answer = look(&late, again).unwrap_err();
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(
        answer.location(),
        "/login?return_to=/timetable/north/week/3%3Fday%3Dmon"
    );
    assert!(!answer.headers.contains_key(SET_COOKIE));
    assert_eq!(fetch(&late, WEEK).unwrap_err().code(), "token_replaced");
    let visit = look(&browser, again).unwrap();
    assert_eq!(visit.location().unwrap().as_str(), WEEK);
}

#[test]
fn another_login_in_this_browser_is_not_taken_away_by_a_late_page_of_the_host() {
    let house = house();
    let mut browser = ada(&house);
    let late = browser.clone();
    let family = look(&browser, WEEK).unwrap().family().unwrap().to_owned();
    let body = serde_json::json!({ "login_id": "S-1024", "password": PASSWORD });
    let again = browser.json(Method::POST, "/api/v1/session", &body.to_string());
    assert_eq!(again.status, StatusCode::CREATED);
    let answer = look(&late, WEEK).unwrap_err();
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(!answer.headers.contains_key(SET_COOKIE));
    // A script of the page before acts for nobody else.
    let headers = [FETCH[0], FETCH[1], ("narthex-family", family.as_str())];
    let answer = come(&browser, Method::POST, WEEK, &headers, Entry::Person).unwrap_err();
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::CONFLICT, "family_mismatch".into())
    );
}

#[test]
fn se13_a_session_is_fresh_for_a_quarter_of_an_hour_and_refusals_are_pages_or_data() {
    let house = house();
    let browser = ada(&house);
    assert!(look(&browser, WEEK).unwrap().is_fresh());
    house.advance(HOUR / 4);
    let visit = look(&browser, WEEK).unwrap();
    assert!(!visit.is_fresh());
    let page = answer(visit.refuse(Refusal::ReauthenticationNeeded));
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.starts_with("<!doctype html>"));
    let visit = fetch(&browser, WEEK).unwrap();
    let told = answer(visit.refuse(Refusal::ReauthenticationNeeded));
    assert_eq!(told.code(), "reauthentication_needed");
}

#[test]
fn the_header_is_a_fragment_for_the_session_and_the_page_it_is_asked_for() {
    let house = house();
    let mut browser = ada(&house);
    let fragment = "/header?location=/timetable/south/week/3%3Fday%3Dmon";
    let answer = browser.fetch(fragment);
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(
        answer.body.starts_with("<narthex-header "),
        "{}",
        answer.body
    );
    assert!(answer.has("return_to=/timetable/south/week/3%3Fday%3Dmon&for="));
    assert!(answer.has("href=\"/timetable/south/\" aria-current=\"true\""));
    for nowhere in [
        "/header",
        "/header?location=https://evil.example/",
        "/header?location=//e",
    ] {
        let answer = browser.fetch(nowhere);
        assert_eq!(answer.status, StatusCode::OK, "{nowhere}");
        assert!(
            answer.has("data-login=\"/login\""),
            "{nowhere}: {}",
            answer.body
        );
    }
    let answer = house.browser().fetch(fragment);
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.has("<a class=\"enter\" href=\"/login?return_to=/timetable/south/week"));
    assert!(!answer.has("data-family"));
    let before = browser.fetch("/api/v1/session").json()["expires_in_ms"].clone();
    house.advance(HOUR);
    browser.fetch(fragment);
    let after = browser.fetch("/api/v1/session").json()["expires_in_ms"].clone();
    assert_eq!(
        before.as_u64().unwrap() - after.as_u64().unwrap(),
        3_600_000
    );
}

#[test]
fn the_script_has_a_name_that_stays_and_is_asked_about_each_time() {
    let house = house();
    let mut browser = house.browser();
    let hashed = house.service.script_url();
    let answer = browser.fetch(&hashed);
    let immutable = "public, max-age=31536000, immutable";
    assert_eq!(answer.headers["cache-control"], immutable);
    let answer = browser.fetch("/assets/portal.js");
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["cache-control"], "public, no-cache");
    let etag = answer.headers["etag"].to_str().unwrap().to_owned();
    let hash = etag.trim_matches('"');
    assert!(hashed.contains(hash), "{hashed} {etag}");
    let ask = |browser: &mut Browser<'_>, known: &str| {
        let known = [("if-none-match", known)];
        browser.send(Method::GET, "/assets/portal.js", &known, b"")
    };
    for known in [etag.clone(), format!("\"x\", W/{etag}")] {
        let answer = ask(&mut browser, &known);
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{known}");
        assert!(answer.body.is_empty() && answer.headers["etag"] == etag);
    }
    assert_eq!(ask(&mut browser, "\"x\"").status, StatusCode::OK);
    for other in ["/assets/portal.css", "/assets/logo.svg", "/assets/portal"] {
        assert_eq!(
            browser.fetch(other).status,
            StatusCode::NOT_FOUND,
            "{other}"
        );
    }
}
