//! Pages in the reader's language, and the way to another one.

use http::Method;

use crate::common::{House, ada};

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_page_speaks_the_language_the_browser_prefers() {
    let house = House::new();
    let mut browser = house.browser();
    let page = browser.send(
        Method::GET,
        "/login",
        &[("accept-language", "es-MX,es;q=0.9,en;q=0.5")],
        b"",
    );
    assert!(page.body.contains("<html lang=\"es\">") && page.has("Iniciar sesión"));
    assert_eq!(page.headers["content-language"], "es");
    assert_eq!(page.headers["vary"], "accept-language, cookie");
    let page = browser.send(Method::GET, "/login", &[("accept-language", "fr")], b"");
    assert!(page.body.contains("<html lang=\"en\">") && page.has("Log In"));
}

#[test]
fn a_language_chosen_on_a_page_stays_chosen_in_this_browser() {
    let house = House::new();
    let mut browser = house.browser();
    let english = [("accept-language", "en")];
    assert!(browser.get("/claim").has("Claim My Account"));
    assert!(browser.get("/claim?lang=es").has("Reclamar mi cuenta"));
    assert!(browser.get("/help").has("Ayuda"));
    let page = browser.send(Method::GET, "/help", &english, b"");
    assert!(page.has("Ayuda"), "the choice counts more than the browser");
    assert!(
        page.body
            .contains("href=\"/help?lang=en\" lang=\"en\" hreflang=\"en\"")
    );
    assert!(browser.get("/help?lang=en").has("Stuck?") || browser.get("/help").has("Help"));
    assert!(browser.get("/claim?lang=xx").has("Claim My Account"));
}

#[test]
fn the_way_to_another_language_keeps_where_one_wants_to_go_back_to() {
    let house = House::new();
    let page = house
        .browser()
        .get("/login?return_to=/o/north/&notice=logged_out");
    assert!(
        page.body
            .contains("href=\"/login?return_to=/o/north/&amp;lang=es\"")
    );
}

#[test]
fn what_a_form_and_a_program_are_told_is_in_their_language_and_codes_stay() {
    let house = House::new();
    ada(&house);
    let spanish = ("accept-language", "es");
    let body = br#"{"login_id":"","password":"x"}"#;
    let mut program = house.browser();
    let answer = program.send(Method::POST, "/api/v1/session", &[JSON, spanish], body);
    assert_eq!(answer.code(), "invalid_fields");
    assert_eq!(answer.headers["content-language"], "es");
    assert_eq!(answer.json()["issues"][0]["text"], "Escribe el número.");
    let answer = program.send(Method::GET, "/nowhere", &[spanish], b"");
    assert!(answer.has("Esta página no existe."));
}

#[test]
fn a_birthdate_is_asked_for_in_the_readers_order() {
    let house = House::new();
    let order = |page: &str| {
        let names = ["birth_month", "birth_day", "birth_year"];
        let mut places = names.map(|name| (page.find(&format!("id=\"{name}\"")).unwrap(), name));
        places.sort_unstable();
        places.map(|(_, name)| name)
    };
    let english = order(&house.browser().get("/claim?lang=en").body);
    assert_eq!(english, ["birth_month", "birth_day", "birth_year"]);
    let spanish = order(&house.browser().get("/claim?lang=es").body);
    assert_eq!(spanish, ["birth_day", "birth_month", "birth_year"]);
}
