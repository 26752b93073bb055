//! What the roster does not own: on its page and in JSON (S17).

use std::time::Duration;

use http::{Method, StatusCode};

use crate::common::{Answer, Browser, House, PASSWORD, ada};

const STALE: Duration = Duration::from_secs(15 * 60);

/// The form as somebody fills it in who changes nothing else.
fn save(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get("/account");
    let mut all = vec![("default_organization", "north")];
    all.extend(fields);
    browser.submit(&page, "/account", &all)
}

fn value(page: &Answer, field: &str) -> String {
    let mark = format!("id=\"{field}\" name=\"{field}\" value=\"");
    let (_, rest) = page.body.split_once(&mark).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn s17_the_account_page_keeps_what_the_person_says_of_themselves() {
    let house = House::new();
    let mut browser = ada(&house);
    let page = browser.get("/account");
    for field in ["preferred_name", "email", "phone"] {
        assert_eq!(value(&page, field), "");
    }
    assert_eq!(page.body.matches("data-narthex-draft").count(), 3);
    let saved = save(
        &mut browser,
        &[
            ("preferred_name", "Countess"),
            ("email", "ada@home.example"),
            ("phone", "555 0100"),
        ],
    );
    assert_eq!(saved.location(), "/account?notice=saved", "{}", saved.body);
    let page = browser.get("/account");
    assert_eq!(value(&page, "preferred_name"), "Countess");
    assert_eq!(value(&page, "email"), "ada@home.example");
    assert_eq!(value(&page, "phone"), "555 0100");
    assert!(page.has("Ada O'Neil"), "what the school says stays");
    assert!(browser.get("/o/north/").has("Countess"));
    // What is not sent stays; what is sent empty goes.
    save(&mut browser, &[("preferred_name", "")]);
    let page = browser.get("/account");
    assert_eq!(value(&page, "preferred_name"), "");
    assert_eq!(value(&page, "phone"), "555 0100");
    let wrong = save(
        &mut browser,
        &[("email", "ada at home"), ("phone", "555 0101")],
    );
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.has("A mail address looks like name@example.org."));
    assert_eq!(
        value(&wrong, "email"),
        "ada at home",
        "nothing typed is lost"
    );
    assert_eq!(value(&wrong, "phone"), "555 0101");
}

#[test]
fn se13_another_address_asks_for_the_password_where_it_was_not_typed_a_short_while_ago() {
    let house = House::new();
    let mut browser = ada(&house);
    house.advance(STALE);
    let named = save(&mut browser, &[("preferred_name", "Countess")]);
    assert_eq!(named.location(), "/account?notice=saved");
    let asked = save(&mut browser, &[("email", "ada@home.example")]);
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(asked.body.contains("id=\"current\""));
    assert_eq!(value(&asked, "email"), "ada@home.example");
    let fields = |password| [("email", "ada@home.example"), ("current", password)];
    let refused = save(&mut browser, &fields("not this one at all"));
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(value(&browser.get("/account"), "email"), "");
    let saved = save(&mut browser, &fields(PASSWORD));
    assert_eq!(saved.location(), "/account?notice=saved", "{}", saved.body);
    assert_eq!(value(&browser.get("/account"), "email"), "ada@home.example");
}

#[test]
fn s17_programs_change_details_too_and_are_told_what_is_wrong_with_each() {
    let house = House::new();
    let mut browser = ada(&house);
    let body = r#"{"email":"ada@home.example","preferred_name":"Countess"}"#;
    let changed = browser.json(Method::PATCH, "/api/v1/account", body).json();
    assert_eq!(changed["email"], "ada@home.example");
    assert_eq!(changed["preferred_name"], "Countess");
    assert_eq!(changed["given_name"], "Ada");
    assert!(changed["phone"].is_null() && changed["language"].is_null());
    let body = r#"{"email":"ada","phone":"none","language":"tlh"}"#;
    let refused = browser.json(Method::PATCH, "/api/v1/account", body);
    assert_eq!(refused.code(), "invalid_fields");
    let issues = refused.json()["issues"].as_array().unwrap().len();
    assert_eq!(issues, 3, "{}", refused.body);
    house.advance(STALE);
    let body = r#"{"phone":"555 0100","preferred_name":"Ada"}"#;
    let refused = browser.json(Method::PATCH, "/api/v1/account", body);
    assert_eq!(refused.code(), "reauthentication_needed");
    let kept = browser.fetch("/api/v1/account").json();
    assert_eq!(kept["preferred_name"], "Countess", "all of it or nothing");
    let foreign = browser.json(
        Method::PATCH,
        "/api/v1/account",
        r#"{"preferred_name":"A","default_organization":"atlantis"}"#,
    );
    assert_eq!(foreign.code(), "not_permitted");
    let kept = browser.fetch("/api/v1/account").json();
    assert_eq!(kept["preferred_name"], "Countess");
}

#[test]
fn the_language_a_person_chose_is_spoken_from_then_on_and_after_a_log_in_anywhere() {
    let house = House::new();
    let mut browser = ada(&house);
    assert!(browser.get("/account").body.contains("<html lang=\"en\""));
    save(&mut browser, &[("language", "es")]);
    let page = browser.get("/account");
    assert!(page.body.contains("<html lang=\"es\""));
    assert!(
        page.body
            .contains("<option value=\"es\" lang=\"es\" selected>")
    );
    let mut other = house.browser();
    assert!(other.get("/login").body.contains("<html lang=\"en\""));
    other.log_in("S-1024");
    assert!(other.get("/account").body.contains("<html lang=\"es\""));
    let mut program = house.browser();
    let body = format!("{{\"login_id\":\"S-1024\",\"password\":\"{PASSWORD}\"}}");
    let begun = program.json(Method::POST, "/api/v1/session", &body);
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body);
    assert!(program.get("/account").body.contains("<html lang=\"es\""));
    // Chosen no more: as the browser says.
    save(&mut browser, &[("language", "")]);
    assert!(browser.get("/account").body.contains("<html lang=\"en\""));
    // Who has chosen none keeps what the browser was told.
    let mut chosen = house.browser();
    chosen.get("/login?lang=es");
    chosen.log_in("S-1024");
    assert!(chosen.get("/account").body.contains("<html lang=\"es\""));
    let body = r#"{"language":"en"}"#;
    chosen.json(Method::PATCH, "/api/v1/account", body);
    assert!(chosen.get("/account").body.contains("<html lang=\"en\""));
}
