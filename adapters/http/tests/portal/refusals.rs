//! What a refusal says: the same to everybody, precisely to who sent something broken, and no
//! secret.

use http::{Method, StatusCode};
use narthex_core::Policy;
use narthex_core::model::LoginId;
use narthex_http::Settings;

use crate::common::{Answer, Browser, House, NEW_PASSWORD, ORIGIN_URL, PASSWORD, ada, claim_json};

/// Everything of an answer but the id of the request.
fn shape(answer: &Answer) -> String {
    let id = answer.headers["x-request-id"].to_str().unwrap();
    let mut lines: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    format!(
        "{} {lines:?} {}",
        answer.status,
        answer.body.replace(id, "ID")
    )
}

/// The numbers of: nobody, somebody unclaimed, somebody claimed, somebody curtailed, somebody
/// exhausted.
fn house_of_all_kinds() -> House {
    let house = House::new();
    ada(&house);
    house.browser().claim("S-2048", "Ben", "Okoro");
    house.browser().claim("S-4096", "Dan", "Ekholm");
    let mut batch = crate::common::batch(true);
    batch.people[1].enabled = false;
    house.import(batch);
    let mut guesser = house.browser();
    guesser.address = "203.0.113.50".parse().unwrap();
    for _ in 0..12 {
        let body = r#"{"login_id":"S-4096","password":"wrong wrong wrong"}"#;
        guesser.json(Method::POST, "/api/v1/session", body);
        let body = claim_json("Dan", "Ekholm", "2011-01-01", "S-4096");
        guesser.json(Method::POST, "/api/v1/claim", &body);
    }
    house
}

const NUMBERS: [&str; 5] = ["S-1024", "NOBODY-1", "T-1", "S-2048", "S-4096"];

#[test]
fn en01_log_in_refusals_are_the_same_bytes_for_everybody() {
    let house = house_of_all_kinds();
    let mut pages = Vec::new();
    let mut documents = Vec::new();
    let mut page_browser = house.browser();
    page_browser.get("/login");
    for number in NUMBERS {
        let password = if number == "S-4096" {
            PASSWORD
        } else {
            "wrong wrong wrong"
        };
        let answer = page_browser.log_in_at("/login", number, password);
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{number}");
        assert!(answer.has("wait an hour"));
        pages.push(shape(&answer).replace(number, "NUMBER"));
        let body = format!("{{\"login_id\":\"{number}\",\"password\":\"{password}\"}}");
        let answer = house.browser().json(Method::POST, "/api/v1/session", &body);
        assert_eq!(answer.code(), "login_failed");
        documents.push(shape(&answer));
    }
    pages.dedup();
    documents.dedup();
    assert_eq!(
        (pages.len(), documents.len()),
        (1, 1),
        "{pages:#?} {documents:#?}"
    );
}

#[test]
fn en01_cl04_claim_refusals_are_the_same_bytes_whichever_fact_is_wrong() {
    let house = house_of_all_kinds();
    let tries = [
        ("Cleo", "Marsh", "2012-12-11", "T-1"),
        ("Cleo", "Wrong", "2012-12-10", "T-1"),
        ("Wrong", "Marsh", "2012-12-10", "T-1"),
        ("Cleo", "Marsh", "2012-12-10", "NOBODY-1"),
        ("Ada", "O'Neil", "2012-12-10", "S-1024"),
        ("Ben", "Okoro", "2012-12-10", "S-2048"),
        ("Dan", "Ekholm", "2012-12-10", "S-4096"),
    ];
    let mut documents = Vec::new();
    let mut pages = Vec::new();
    let (mut program, mut page_browser) = (house.browser(), house.browser());
    page_browser.get("/claim");
    for (given, family, birthdate, number) in tries {
        let body = claim_json(given, family, birthdate, number);
        let answer = program.json(Method::POST, "/api/v1/claim", &body);
        assert_eq!(answer.code(), "claim_not_matched", "{body}");
        documents.push(shape(&answer));
        let [year, month, day]: [&str; 3] =
            birthdate.split('-').collect::<Vec<_>>().try_into().unwrap();
        let answer = page_browser.claim_form(number, given, family, [month, day, year]);
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let mut text = shape(&answer);
        for typed in [given, family, number, month, day, year] {
            let escaped = typed.replace('\'', "&#x27;");
            text = text.replace(&format!("value=\"{escaped}\""), "TYPED");
        }
        pages.push(text);
    }
    documents.dedup();
    pages.dedup();
    assert_eq!((documents.len(), pages.len()), (1, 1), "{pages:#?}");
}

#[test]
fn a_full_queue_is_503_and_too_many_tries_429_both_with_retry_after() {
    let mut policy = Policy::default();
    policy.attempts.source_attempts_max = 0;
    let throttled = House::with(Settings::new(ORIGIN_URL).unwrap(), policy);
    let busy = House::new();
    busy.hasher.set_queue(0);
    // A claim begins without a hash: only the budget turns it away.
    let check = |house: &House, status: StatusCode, code: &str| {
        let body = format!("{{\"login_id\":\"S-1024\",\"password\":\"{PASSWORD}\"}}");
        let answer = house.browser().json(Method::POST, "/api/v1/session", &body);
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        let wait: u64 = answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(answer.json()["retry_after_s"], wait);
        let page = house.browser().log_in_at("/login", "S-1024", PASSWORD);
        assert_eq!(page.status, status);
        assert!(page.headers.contains_key("retry-after") && page.has("S-1024"));
    };
    check(&throttled, StatusCode::TOO_MANY_REQUESTS, "throttled");
    check(&busy, StatusCode::SERVICE_UNAVAILABLE, "busy");
    let page = throttled
        .browser()
        .claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]);
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.headers.contains_key("retry-after") && page.has("S-1024"));
}

#[test]
fn an_error_of_ours_is_calm_and_says_nothing_of_the_inside() {
    let house = House::new();
    ada(&house);
    house.hasher.set_broken(true);
    let page = house.browser().log_in_at("/login", "S-1024", PASSWORD);
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.has("Something went wrong on our side") && page.has("Request "));
    assert!(!page.has("hasher") && !page.has("told to fail"));
    let body = format!("{{\"login_id\":\"S-1024\",\"password\":\"{PASSWORD}\"}}");
    let json = house.browser().json(Method::POST, "/api/v1/session", &body);
    assert_eq!(json.code(), "internal");
    assert_eq!(
        json.json()["request_id"],
        json.headers["x-request-id"].to_str().unwrap()
    );
    assert_eq!(json.headers["content-type"], "application/problem+json");
}

#[test]
fn wb17_a43_bad_json_and_bad_forms_are_refused_precisely() {
    let house = House::new();
    let mut browser = ada(&house);
    let hashes = house.hasher.comparisons();
    for (body, code, field) in [
        ("", "malformed_json", ""),
        ("[]", "wrong_type", ""),
        (r#"{"login_id":"S-1024"}"#, "missing_field", "password"),
        (
            r#"{"login_id":["S-1024"],"password":"x"}"#,
            "wrong_type",
            "login_id",
        ),
        (
            r#"{"login_id":"S-1024","password":{"$ne":""}}"#,
            "wrong_type",
            "password",
        ),
        (
            r#"{"login_id":"S-1024","password":"x","user_id":1}"#,
            "unknown_field",
            "user_id",
        ),
        (
            r#"{"login_id":"a","login_id":"S-1024","password":"x"}"#,
            "duplicate_field",
            "",
        ),
        (
            r#"{"login_id":"S-1024","password":"x","shared_computer":"yes"}"#,
            "wrong_type",
            "shared_computer",
        ),
        (
            r#"{"login_id":"S-1024\u0000","password":"x"}"#,
            "invalid_value",
            "login_id",
        ),
        (
            r#"{"login_id":"S-1024","password":""}"#,
            "invalid_value",
            "password",
        ),
    ] {
        let answer = house.browser().json(Method::POST, "/api/v1/session", body);
        assert!(answer.status.is_client_error(), "{body}");
        let issue = &answer.json()["issues"][0];
        assert_eq!(
            (issue["code"].as_str(), issue["field"].as_str()),
            (Some(code), Some(field)),
            "{body}"
        );
    }
    let long = format!(
        "{{\"login_id\":\"S-1024\",\"password\":\"{}\"}}",
        "x".repeat(3000)
    );
    assert_eq!(
        house
            .browser()
            .json(Method::POST, "/api/v1/session", &long)
            .json()["issues"][0]["code"],
        "too_long"
    );
    assert_eq!(
        house.hasher.comparisons(),
        hashes,
        "nothing of it was compared (A21)"
    );

    let page = browser.get("/account/password");
    for extra in [
        ("user_id", "1"),
        ("current", "twice"),
        ("login_id", "S-2048"),
    ] {
        let fields = [("current", PASSWORD), ("new", NEW_PASSWORD), extra];
        let answer = browser.submit(&page, "/account/password", &fields);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{extra:?}");
    }
    assert_eq!(browser.get("/api/v1/session").status, StatusCode::OK);
}

#[test]
fn se22_a28_no_secret_stands_in_a_url_or_in_the_wrong_page() {
    let house = House::new();
    let mut browser = house.browser();
    let mut urls: Vec<String> = Vec::new();
    let mut bodies: Vec<String> = Vec::new();
    let mut note = |answer: &Answer| {
        urls.push(answer.location().to_owned());
        urls.extend(
            answer
                .body
                .split("href=\"")
                .skip(1)
                .map(|p| p.split('"').next().unwrap().to_owned()),
        );
        urls.extend(
            answer
                .body
                .split("action=\"")
                .skip(1)
                .map(|p| p.split('"').next().unwrap().to_owned()),
        );
        bodies.push(answer.body.clone());
    };
    let begun = browser.claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]);
    note(&begun);
    let browser_secret = browser.cookies["__Host-narthex-claim"]
        .split('.')
        .next()
        .unwrap()
        .to_owned();
    let page = browser.get(begun.location());
    note(&page);
    let next = browser.submit(&page, "/claim/password", &[("password", PASSWORD)]);
    note(&next);
    let page = browser.get(next.location());
    note(&page);
    let fields = [
        ("question_1", "first_toy"),
        ("answer_1", "Vellum the hedgehog"),
        ("question_2", "story"),
        ("answer_2", "The long way to Zeno"),
    ];
    note(&browser.submit(&page, "/claim/questions", &fields));
    note(&browser.get("/login?notice=claimed"));
    note(&browser.log_in("S-1024"));
    for target in [
        "/o/north/",
        "/account",
        "/account/password",
        "/o/south/apps/cloud-studio/projects/3?tab=runs",
        "/api/v1/account",
        "/api/v1/session",
    ] {
        note(&browser.get(target));
    }
    let token = browser.cookies["__Host-narthex"].clone();
    for secret in [
        PASSWORD,
        &token,
        &token[..21],
        &browser_secret,
        "Vellum",
        "Zeno",
        "2012-12-10",
    ] {
        assert!(
            !urls.iter().any(|url| url.contains(secret)),
            "{secret} in a URL"
        );
        assert!(
            !bodies.iter().any(|body| body.contains(secret)),
            "{secret} in a page"
        );
    }
    let pre = browser.cookies["__Host-narthex-pre"].clone();
    assert!(
        !urls
            .iter()
            .any(|url| url.contains("S-1024") || url.contains(&pre))
    );
}

#[test]
fn another_family_in_the_same_browser_is_a_conflict() {
    let house = House::new();
    let mut browser = ada(&house);
    house.browser().claim("S-2048", "Ben", "Okoro");
    let old_page = browser.get("/account");
    let old_family = old_page.hidden("family");
    browser.submit(&old_page, "/logout", &[]);
    browser.log_in("S-2048");
    let ask = |browser: &mut Browser<'_>, family: &str| {
        let headers = [
            ("narthex-family", family),
            ("sec-fetch-site", "same-origin"),
        ];
        browser.send(Method::GET, "/api/v1/session", &headers, b"")
    };
    let answer = ask(&mut browser, &old_family);
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::CONFLICT, "family_mismatch")
    );
    let headers = [
        ("narthex-family", old_family.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = browser.send(Method::DELETE, "/api/v1/session", &headers, b"");
    assert_eq!(answer.code(), "family_mismatch");
    // Neither Ada's log-out button nor her forms act with Ben's session.
    let out = browser.submit(&old_page, "/logout", &[]);
    assert!(out.status == StatusCode::FORBIDDEN || out.location() == "/?notice=another_person");
    let own = browser.get("/account").hidden("family");
    assert_eq!(ask(&mut browser, &own).status, StatusCode::OK);
}

#[test]
fn staff_reset_is_told_as_such() {
    let house = House::new();
    let mut browser = ada(&house);
    let number = LoginId::parse("S-1024").unwrap();
    let asker = narthex_core::Asker::default();
    futures_executor::block_on(house.portal.reset_claim(&number, &asker)).unwrap();
    let answer = browser.fetch("/api/v1/session");
    assert_eq!(
        (answer.code().as_str(), answer.json()["reason"].as_str()),
        ("session_ended", Some("staff_reset"))
    );
    let sent = browser.get("/o/north/");
    assert!(browser.get(sent.location()).has("has reset your account"));
}
