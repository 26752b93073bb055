//! Whose a request is, and what an answer may carry: by the session alone, and nothing that is secret.

use http::{Method, StatusCode};
use narthex_core::Policy;
use narthex_http::Settings;
use serde_json::Value;

use crate::common::*;

#[test]
fn az05_who_asks_is_known_from_the_session_whatever_the_request_says() {
    let house = House::new();
    let mut ben = house.browser();
    ben.claim("S-2048", "Ben", "Okoro");
    ben.log_in("S-2048");
    let bens = ben.fetch("/api/v1/account").json()["account"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut browser = ada(&house);
    for query in ["?account=", "?login_id=S-2048&account=", "?user="] {
        let said = browser.fetch(&format!("/api/v1/account{query}{bens}"));
        assert_eq!(said.json()["login_id"], "S-1024", "{query}");
    }
    for member in ["account", "login_id", "user_id", "family"] {
        let body =
            format!(r#"{{"current":"{PASSWORD}","new":"{NEW_PASSWORD}","{member}":"{bens}"}}"#);
        let answer = browser.json(Method::POST, "/api/v1/password", &body);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{member}");
    }
    // Nothing happened to either.
    assert_eq!(browser.fetch("/api/v1/session").status, StatusCode::OK);
    assert_eq!(ben.fetch("/api/v1/session").status, StatusCode::OK);
}

#[test]
fn az02_another_organizations_id_in_a_path_is_refused_everywhere() {
    let house = House::new();
    let mut browser = house.browser();
    browser.claim("S-2048", "Ben", "Okoro");
    browser.log_in("S-2048");
    for path in ["statistics", "apps"] {
        let own = browser.fetch(&format!("/api/v1/organizations/south/{path}"));
        assert_eq!(own.status, StatusCode::OK, "{path}");
        for other in ["north", "nowhere"] {
            let answer = browser.fetch(&format!("/api/v1/organizations/{other}/{path}"));
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{other} {path}");
            assert_eq!(answer.code(), "not_permitted");
        }
    }
    for page in [
        "/o/north/",
        "/o/north/downloads",
        "/o/north/apps/cloud-studio",
    ] {
        let answer = browser.get(page);
        assert!(!answer.has("North <School>"), "{page}");
        assert_ne!(answer.status, StatusCode::OK, "{page}");
    }
}

/// Every name and every text of a document, wherever it stands.
fn words(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            found.push(name.clone());
            words(value, found);
        }),
        _ => {}
    }
}

#[test]
fn dp01_no_document_carries_a_birthdate_a_password_or_an_answer() {
    let house = House::new();
    let mut browser = ada(&house);
    let mut clerk = house.browser();
    clerk.claim("T-1", "Cleo", "Marsh");
    clerk.log_in("T-1");
    let document: Value = browser.fetch("/api/v1/openapi.json").json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 10);
    let mut read = 0;
    for (path, item) in paths {
        if item.get("get").is_none() || path == "/openapi.json" || path == "/events" {
            continue;
        }
        let path = path.replace("{organization}", "north");
        let reader = match path.starts_with("/staff/") {
            true => &mut clerk,
            false => &mut browser,
        };
        let answer = reader.fetch(&format!("/api/v1{path}"));
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        read += 1;
        let mut found = Vec::new();
        words(&answer.json(), &mut found);
        for word in &found {
            for secret in [
                "2012-12-10",
                "birth",
                PASSWORD,
                "Vellum",
                "behind the piano",
            ] {
                assert!(!word.contains(secret), "{path} says {word}");
            }
        }
    }
    assert!(read >= 7, "only {read} documents were read");
    // Nor may a schema of an answer have such a member.
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if !name.ends_with("Document") {
            continue;
        }
        let mut found = Vec::new();
        words(&schema["properties"], &mut found);
        assert!(
            !found
                .iter()
                .any(|word| word == "birthdate" || word == "password"),
            "{name}"
        );
    }
}

#[test]
fn wb02_every_cookie_line_fits_into_4096_bytes_however_many_claims_are_open() {
    let house = House::new();
    let mut browser = house.browser();
    let mut longest = 0;
    let mut look = |answer: &Answer| {
        for line in answer.headers.get_all("set-cookie") {
            longest = longest.max(line.len());
        }
    };
    for _ in 0..40 {
        look(&browser.claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]));
    }
    browser.claim("S-1024", "Ada", "O'Neil");
    look(&browser.log_in_at("/login", "S-1024", PASSWORD));
    assert!((100..=4096).contains(&longest), "{longest} bytes");
}

#[test]
fn wb19_a_line_break_in_what_is_sent_makes_no_header() {
    let house = House::new();
    let mut browser = ada(&house);
    let tries = [
        "/login?return_to=/o/north/%0d%0aset-cookie:%20a=b",
        "/login?notice=claimed%0d%0ax-made-up:%201",
        "/login?return_to=%2Fo%2Fnorth%2F%0aLocation:%20https:%2F%2Felsewhere.example",
        "/o/north/apps/cloud-studio?x=%0d%0ax-made-up:%201",
    ];
    for target in tries {
        let answer = browser.get(target);
        assert!(answer.headers.get("x-made-up").is_none(), "{target}");
        for (name, value) in &answer.headers {
            let line = value.to_str().unwrap();
            assert!(!line.contains("elsewhere.example"), "{target}: {name}");
            assert!(!line.starts_with("a=b"), "{target}: {name}");
        }
    }
}

#[test]
fn pw14_password_fields_help_password_managers_and_forbid_no_pasting() {
    let house = House::with(Settings::new(ORIGIN_URL).unwrap(), Policy::default());
    let mut browser = house.browser();
    let mut pages = vec![("/login", browser.get("/login"))];
    let begun = browser.claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]);
    pages.push(("/claim/password", browser.get(begun.location())));
    let mut browser = ada(&house);
    pages.push(("/account/password", browser.get("/account/password")));
    for (target, page) in pages {
        let fields = page.body.split("<input").skip(1);
        let fields = fields.filter(|field| field.contains("type=\"password\""));
        let mut seen = 0;
        for field in fields.map(|field| field.split('>').next().unwrap()) {
            let helps = ["current-password", "new-password"]
                .iter()
                .any(|word| field.contains(&format!("autocomplete=\"{word}\"")));
            assert!(helps, "{target}: {field}");
            seen += 1;
        }
        assert!(seen > 0, "{target} has no password field");
        assert!(page.body.contains("autocomplete=\"username\""), "{target}");
        assert!(!page.body.contains("onpaste"), "{target}");
    }
}
