//! Colours and logos of the operator and of organizations; passwords that are suggested.

use http::StatusCode;
use narthex_core::model::OrganizationId;
use narthex_core::{Policy, policy::PasswordProfile};
use narthex_http::{FooterLink, PortalService, Scheme, Settings, Theme};

use crate::common::{House, NEW_PASSWORD, ORIGIN_URL, ada};

fn theme(accent: &str) -> Theme {
    let mut theme = Theme::default();
    theme.colour(Scheme::Light, "accent", accent).unwrap();
    theme
}

fn settings() -> Settings {
    let mut site = theme("#0b5394");
    site.logo(&b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"[..])
        .unwrap();
    let text = [("en", "Privacy"), ("es", "Privacidad")].map(|(l, t)| (l.into(), t.into()));
    site.link(FooterLink {
        text: text.into(),
        url: "https://school.example/privacy".into(),
    })
    .unwrap();
    let mut settings = Settings::new(ORIGIN_URL).unwrap();
    settings.theme = Some(site);
    let south = OrganizationId::parse("south").unwrap();
    settings.organization_themes = vec![(south, theme("#7b1e3a"))];
    settings
}

/// The theme's style sheet that a page names.
fn style(house: &House, page: &str) -> String {
    let (_, after) = page.split_once("href=\"/assets/theme").unwrap();
    let path = format!("/assets/theme{}", after.split_once('"').unwrap().0);
    let answer = house.browser().get(&path);
    assert_eq!(answer.headers["content-type"], "text/css; charset=utf-8");
    assert!(
        answer.headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    answer.body
}

#[test]
fn the_look_follows_the_organization_of_the_location() {
    let house = House::with(settings(), Policy::default());
    let mut browser = ada(&house);
    for (path, accent) in [
        ("/login", "#0b5394"),
        ("/login?return_to=/o/south/", "#7b1e3a"),
        ("/claim?organization=south", "#7b1e3a"),
        ("/claim?organization=nowhere", "#0b5394"),
    ] {
        let page = house.browser().get(path);
        assert!(
            style(&house, &page.body).contains(&format!("--accent:{accent};")),
            "{path}"
        );
        assert!(
            page.body.contains("src=\"/assets/theme"),
            "{path}: the logo"
        );
    }
    for (path, accent) in [
        ("/o/north/", "#0b5394"),
        ("/o/south/", "#7b1e3a"),
        ("/account", "#0b5394"),
    ] {
        let page = browser.get(path);
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(
            style(&house, &page.body).contains(&format!("--accent:{accent};")),
            "{path}"
        );
    }
}

#[test]
fn links_at_the_foot_are_in_the_readers_language() {
    let house = House::with(settings(), Policy::default());
    let page = house.browser().get("/login?lang=es");
    assert!(
        page.body
            .contains("href=\"https://school.example/privacy\">Privacidad</a>")
    );
    assert!(
        house.browser().get("/nowhere").has("Privacy"),
        "on every page"
    );
}

#[test]
fn a_theme_that_cannot_be_read_is_not_served() {
    let house = House::new();
    let mut settings = settings();
    let south = OrganizationId::parse("south").unwrap();
    settings.organization_themes = vec![(south, theme("#e8c8d0"))];
    let error = PortalService::new(house.portal.clone(), settings).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("organization south: light: accent"),
        "{error}"
    );
}

/// The suggestion a page shows in the field.
fn suggested(page: &str) -> &str {
    let (_, after) = page.split_once("name=\"").unwrap();
    let (_, after) = after.split_once("autocomplete=\"new-password\"").unwrap();
    let before = page.strip_suffix(after).unwrap();
    let (_, value) = before.rsplit_once("value=\"").unwrap();
    value.split_once('"').unwrap().0
}

#[test]
fn a_suggested_password_is_taken_without_a_script() {
    for profile in [PasswordProfile::Nist, PasswordProfile::Classic] {
        let mut policy = Policy::default();
        policy.password.profile = profile;
        let house = House::with(Settings::new(ORIGIN_URL).unwrap(), policy);
        let mut browser = house.browser();
        let claim = browser.claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]);
        let plain = browser.get(claim.location());
        assert!(plain.has("Suggest one") && suggested(&plain.body).is_empty());
        let url = format!("{}&suggest=1", claim.location());
        assert!(
            plain
                .body
                .contains(&format!("href=\"{}\"", url.replace('&', "&amp;")))
        );
        let page = browser.get(&url);
        let words = suggested(&page.body).to_owned();
        let other = browser.get(&format!("{url}&lang=es"));
        assert_ne!(words, suggested(&other.body), "another one each time");
        assert!(words.split(['-', '_']).count() >= 4, "{words}");
        let saved = browser.submit(&page, "/claim/password", &[("password", &words)]);
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{profile:?}: {words}");
    }
    let house = House::new();
    let page = ada(&house).get("/account/password?suggest=1");
    assert!(suggested(&page.body).len() >= 15);
}

#[test]
fn a_form_that_is_shown_again_holds_no_password() {
    let house = House::new();
    let mut browser = ada(&house);
    let page = browser.get("/account/password");
    let fields = [("current", "wrong wrong wrong"), ("new", NEW_PASSWORD)];
    let again = browser.submit(&page, "/account/password", &fields);
    assert!(!again.body.contains(NEW_PASSWORD) && !again.body.contains("wrong wrong"));
}
