//! The same journey for a program: JSON in, JSON out.

use std::time::Duration;

use futures_executor::block_on;
use futures_util::StreamExt;
use http::{Method, StatusCode};

use crate::common::{House, NEW_PASSWORD, PASSWORD, ada, claim_json};

#[test]
fn a_claim_in_json_ends_with_a_log_in() {
    let house = House::new();
    let mut program = house.browser();
    let body = claim_json("Ada", "O'Neil", "2012-12-10", "s-1024");
    let begun = program.json(Method::POST, "/api/v1/claim", &body);
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body);
    let claim = begun.json()["claim"].as_str().unwrap().to_owned();
    assert_eq!(begun.json()["login_id"], "S-1024");
    assert_eq!(begun.json()["requirements"][0]["code"], "minimum_length");
    assert!(program.cookies["__Host-narthex-claim"].ends_with(&claim));
    assert!(
        !begun.body.contains("2012"),
        "a birthdate is never told (DP-01)"
    );

    let stated = program.fetch("/api/v1/password/requirements");
    assert_eq!(stated.json()["requirements"], begun.json()["requirements"]);
    let weak = program.json(
        Method::POST,
        "/api/v1/claim/password",
        r#"{"password":"short"}"#,
    );
    assert_eq!(
        (weak.code().as_str(), weak.status),
        ("password_unacceptable", StatusCode::UNPROCESSABLE_ENTITY)
    );
    assert_eq!(weak.json()["issues"][0]["code"], "minimum_length");
    let bank = program.fetch("/api/v1/questions").json();
    assert_eq!(
        (bank["required"].as_u64(), bank["bank"][0]["id"].as_str()),
        (Some(2), Some("first_toy"))
    );

    let answers = r#"{"answers":[{"question":"first_toy","answer":"Vellum"},
        {"question":"story","answer":"Zeno's lane"}]}"#;
    let early = program.json(Method::POST, "/api/v1/claim/questions", answers);
    assert_eq!(early.code(), "claim_step_missing");
    let body = format!("{{\"claim\":\"{claim}\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(
        program
            .json(Method::POST, "/api/v1/claim/password", &body)
            .status,
        StatusCode::NO_CONTENT
    );
    let easy = r#"{"answers":[{"question":"first_toy","answer":"teddy"}]}"#;
    let refused = program.json(Method::POST, "/api/v1/claim/questions", easy);
    assert_eq!(refused.json()["issues"][0]["field"], "answers[0]");
    let done = program.json(Method::POST, "/api/v1/claim/questions", answers);
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.body);
    let again = program.json(Method::POST, "/api/v1/claim/questions", answers);
    assert_eq!(again.code(), "already_claimed");

    let body = serde_json::json!({
        "login_id": "S-1024", "password": PASSWORD, "return_to": "/o/south/downloads",
    })
    .to_string();
    let session = program.json(Method::POST, "/api/v1/session", &body);
    assert_eq!(session.status, StatusCode::CREATED);
    let said = session.json();
    assert_eq!(said["resume"], "/o/south/downloads");
    assert_eq!(
        (
            said["organization"].as_str(),
            said["inactivity_timeout_s"].as_u64()
        ),
        (Some("north"), Some(14400))
    );
    assert_eq!(
        program.fetch("/api/v1/session").json()["family"],
        said["family"]
    );
}

#[test]
fn the_person_in_json() {
    let house = House::new();
    let mut browser = ada(&house);
    let account = browser.fetch("/api/v1/account").json();
    assert_eq!(
        (
            account["given_name"].as_str(),
            account["default_organization"].as_str()
        ),
        (Some("Ada"), Some("north"))
    );
    let organizations = browser.fetch("/api/v1/organizations").json();
    assert_eq!(
        organizations["organizations"][0]["name"],
        "North <School> & Co"
    );
    let statistics = browser
        .fetch("/api/v1/organizations/north/statistics")
        .json();
    assert_eq!(statistics["people"][0]["listed"]["fewer_than"], 10);
    let apps = browser.fetch("/api/v1/organizations/north/apps").json();
    assert_eq!(apps["apps"][0]["url"], "/o/north/apps/cloud-studio");
    let changed = browser.json(
        Method::PATCH,
        "/api/v1/account",
        r#"{"default_organization":"south"}"#,
    );
    assert_eq!(changed.json()["default_organization"], "south");
    for other in ["atlantis", "a b", ""] {
        let body = format!("{{\"default_organization\":\"{other}\"}}");
        assert_eq!(
            browser.json(Method::PATCH, "/api/v1/account", &body).code(),
            "not_permitted"
        );
    }
    for target in [
        "/api/v1/session",
        "/api/v1/account",
        "/api/v1/events",
        "/api/v1/organizations",
    ] {
        assert_eq!(
            house.browser().fetch(target).code(),
            "not_logged_in",
            "{target}"
        );
    }
}

#[test]
fn a_new_password_in_json_keeps_this_program_and_ends_the_others() {
    let house = House::new();
    let mut here = ada(&house);
    let mut there = house.browser();
    there.log_in("S-1024");
    let family = here.fetch("/api/v1/session").json()["family"].clone();
    let wrong = format!("{{\"current\":\"not this one\",\"new\":\"{NEW_PASSWORD}\"}}");
    assert_eq!(
        here.json(Method::POST, "/api/v1/password", &wrong).code(),
        "login_failed"
    );
    let same = format!("{{\"current\":\"{PASSWORD}\",\"new\":\"{PASSWORD}\"}}");
    let refused = here.json(Method::POST, "/api/v1/password", &same).json();
    assert_eq!(
        (
            refused["issues"][0]["code"].as_str(),
            refused["issues"][0]["field"].as_str()
        ),
        (Some("not_the_current"), Some("new"))
    );
    let body = format!("{{\"current\":\"{PASSWORD}\",\"new\":\"{NEW_PASSWORD}\"}}");
    let changed = here.json(Method::POST, "/api/v1/password", &body);
    assert_eq!(
        (changed.status, &changed.json()["family"]),
        (StatusCode::OK, &family)
    );
    assert_eq!(here.fetch("/api/v1/session").status, StatusCode::OK);
    let out = there.fetch("/api/v1/session");
    assert_eq!(out.json()["reason"], "password_changed");
    assert!(
        there.cookies.contains_key("__Host-narthex"),
        "a background answer takes no cookie away"
    );
}

#[test]
fn s9_the_event_stream_tells_of_the_password_and_of_the_end() {
    let house = House::new();
    let mut here = ada(&house);
    let mut there = house.browser();
    there.log_in("S-1024");
    let answer = here.fetch("/api/v1/events");
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let mut own = answer.stream.unwrap();
    let mut other = there.fetch("/api/v1/events").stream.unwrap();
    let hello = block_on(own.next()).unwrap();
    assert!(hello.starts_with(b"retry: ") && hello.ends_with(b"\n\n"));
    block_on(other.next()).unwrap();
    let body = format!("{{\"current\":\"{PASSWORD}\",\"new\":\"{NEW_PASSWORD}\"}}");
    here.json(Method::POST, "/api/v1/password", &body);
    let told = block_on(own.next()).unwrap();
    assert_eq!(&told[..], b"event: password_changed\ndata: {}\n\n");
    let told = block_on(other.next()).unwrap();
    assert_eq!(
        &told[..],
        b"event: ended\ndata: {\"reason\":\"password_changed\"}\n\n"
    );
    assert!(
        block_on(other.next()).is_none(),
        "nothing comes after the end"
    );
    here.json(Method::DELETE, "/api/v1/session", "");
    let told = block_on(own.next()).unwrap();
    assert_eq!(
        &told[..],
        b"event: ended\ndata: {\"reason\":\"log_out\"}\n\n"
    );
}

#[test]
fn a_host_that_cannot_stream_says_so() {
    let mut settings = narthex_http::Settings::new(crate::common::ORIGIN_URL).unwrap();
    settings.events = false;
    let house = House::with(settings, narthex_core::Policy::default());
    let mut browser = ada(&house);
    assert_eq!(
        browser.fetch("/api/v1/events").status,
        StatusCode::NO_CONTENT
    );
}

#[test]
fn s13_a_forged_idle_time_only_shortens() {
    let house = House::new();
    let mut browser = ada(&house);
    house.advance(Duration::from_secs(3600));
    for idle in ["0", "18446744073709551615"] {
        let body = format!("{{\"idle_ms\":{idle}}}");
        let answer = browser.json(Method::POST, "/api/v1/session/activity", &body);
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    }
    let left = browser.fetch("/api/v1/session").json()["expires_in_ms"]
        .as_u64()
        .unwrap();
    assert_eq!(
        left,
        4 * 3600 * 1000,
        "the greatest activity counts, never one in the future"
    );
    let body = r#"{"idle_ms":-5000}"#;
    assert_eq!(
        browser
            .json(Method::POST, "/api/v1/session/activity", body)
            .status,
        StatusCode::BAD_REQUEST
    );
}
