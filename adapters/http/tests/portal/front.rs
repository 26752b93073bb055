//! What a request says about itself: where it comes from, whom it names, how it is written (1d).

use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use http::{Method, StatusCode};
use narthex_core::Policy;
use narthex_http::Settings;

use crate::common::{HOST_NAME, House, ORIGIN_URL, PASSWORD, ada, form_body};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn wb08_wb09_a24_an_unsafe_request_from_elsewhere_does_nothing() {
    let house = House::new();
    let mut browser = ada(&house);
    let page = browser.get("/account");
    let body = form_body(&[
        ("form_token", &page.hidden("form_token")),
        ("family", &page.hidden("family")),
        ("default_organization", "south"),
    ]);
    let before = house.contents();
    for headers in [
        vec![],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "none")],
        vec![("sec-fetch-site", "cross-site"), ("origin", ORIGIN_URL)],
        vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
        vec![("origin", "null")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "https://portal.school.example.evil.example")],
        vec![("origin", "http://portal.school.example")],
        vec![("referer", "https://portal.school.example/account")],
    ] {
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            let (target, kind, body) = match method {
                Method::POST => ("/account", FORM, body.as_bytes()),
                Method::PATCH => (
                    "/api/v1/account",
                    JSON,
                    br#"{"default_organization":"south"}"#.as_slice(),
                ),
                _ => ("/api/v1/session", JSON, b"".as_slice()),
            };
            let mut all = headers.clone();
            all.push(kind);
            let answer = browser.send(method.clone(), target, &all, body);
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {headers:?}");
        }
    }
    assert_eq!(house.contents(), before);
    for own in [
        vec![("sec-fetch-site", "same-origin")],
        vec![("origin", ORIGIN_URL)],
    ] {
        let mut all = own.clone();
        all.push(FORM);
        let answer = browser.send(Method::POST, "/account", &all, body.as_bytes());
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{own:?}");
    }
}

#[test]
fn wb08_a51_a_form_needs_the_token_of_its_own_session() {
    let house = House::new();
    let mut browser = ada(&house);
    let page = browser.get("/account");
    let old = (page.hidden("form_token"), page.hidden("family"));
    let try_with = |browser: &mut crate::common::Browser<'_>, token: &str, family: &str| {
        let fields = [
            ("form_token", token),
            ("family", family),
            ("default_organization", "south"),
        ];
        browser.post("/account", &fields)
    };
    for token in ["", "x", &old.0.to_lowercase(), &format!("{}x", old.0)] {
        assert_eq!(
            try_with(&mut browser, token, &old.1).status,
            StatusCode::FORBIDDEN
        );
    }
    browser.submit(&page, "/logout", &[]);
    browser.log_in("S-1024");
    let family = browser.get("/account").hidden("family");
    assert_eq!(
        try_with(&mut browser, &old.0, &family).status,
        StatusCode::FORBIDDEN
    );
    // The form of the earlier log-in leads home and says why.
    assert_eq!(
        try_with(&mut browser, &old.0, &old.1).location(),
        "/?notice=another_person"
    );
    // Before the log-in the token is bound to the browser.
    let token = house.browser().get("/login").hidden("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("login_id", "S-1024"),
        ("password", PASSWORD),
    ];
    let mut other = house.browser();
    other.get("/login");
    assert_eq!(other.post("/login", &fields).status, StatusCode::FORBIDDEN);
    assert!(!other.cookies.contains_key("__Host-narthex"));
}

#[test]
fn a_form_that_outlived_its_cookie_comes_back_filled_in_and_works_then() {
    let house = House::new();
    ada(&house);
    let mut browser = house.browser();
    let page = browser.get("/login");
    browser.cookies.clear();
    let fields = [("login_id", "S-1024"), ("password", PASSWORD)];
    let again = browser.submit(&page, "/login", &fields);
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.has("Please try once more") && again.body.contains("value=\"S-1024\""));
    let comparisons = house.hasher.comparisons();
    assert_eq!(
        browser.submit(&again, "/login", &fields).location(),
        "/o/north/"
    );
    assert_eq!(house.hasher.comparisons(), comparisons + 1);

    let mut browser = house.browser();
    let page = browser.get("/claim");
    browser.cookies.clear();
    let fields = [("given_name", "Ben"), ("login_id", "S-2048")];
    let again = browser.submit(&page, "/claim", &fields);
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.body.contains("value=\"Ben\"") && again.has("Please try once more"));
}

#[test]
fn a_json_request_without_cookies_is_a_program_and_with_them_a_browser() {
    let house = House::new();
    ada(&house);
    let body = format!("{{\"login_id\":\"S-1024\",\"password\":\"{PASSWORD}\"}}");
    let mut program = house.browser();
    let made = program.send(Method::POST, "/api/v1/session", &[JSON], body.as_bytes());
    assert_eq!(made.status, StatusCode::CREATED);
    let refused = program.send(Method::DELETE, "/api/v1/session", &[], b"");
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::FORBIDDEN, "cross_site")
    );
    let ended = program.send(
        Method::DELETE,
        "/api/v1/session",
        &[("origin", ORIGIN_URL)],
        b"",
    );
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert!(
        program
            .cookies
            .keys()
            .all(|name| name == "__Host-narthex-pre" || name == "__Host-narthex-known")
    );
}

#[test]
fn wb17_json_needs_the_json_media_type_and_forms_theirs() {
    let house = House::new();
    let body = br#"{"login_id":"S-1024","password":"x"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; a=b",
        "application/jsonx",
        "",
    ] {
        let headers = [("sec-fetch-site", "same-origin"), ("content-type", kind)];
        let answer = house
            .browser()
            .send(Method::POST, "/api/v1/session", &headers, body);
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "multipart/form-data"),
    ];
    let answer = house
        .browser()
        .send(Method::POST, "/login", &headers, b"login_id=x");
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let headers = [("content-type", "Application/JSON; charset=UTF-8")];
    let answer = house
        .browser()
        .send(Method::POST, "/api/v1/session", &headers, body);
    assert_eq!(answer.code(), "login_failed");
}

#[test]
fn a18_wb13_another_host_is_refused_and_never_stands_in_a_link() {
    let house = House::new();
    for host in [
        "evil.example",
        "portal.school.example.evil.example",
        "portal.school.example:8443",
        "127.0.0.1",
        "",
        "portal.school.example@evil.example",
    ] {
        let answer = house
            .browser()
            .send(Method::GET, "/login", &[("host", host)], b"");
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(host.is_empty() || !answer.body.contains(host), "{host}");
    }
    let twice = [(HOST.as_str(), HOST_NAME), ("host", HOST_NAME)];
    let answer = house.browser().send(Method::GET, "/login", &twice, b"");
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST);
    let target = "https://evil.example/login";
    let answer = house.browser().send(Method::GET, target, &[], b"");
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST);
    for name in [
        "x-forwarded-host",
        "x-host",
        "forwarded",
        "x-forwarded-uri",
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-prefix",
    ] {
        let value = if name == "forwarded" {
            "host=evil.example;proto=http"
        } else {
            "/healthz.evil.example"
        };
        let answer = house
            .browser()
            .send(Method::GET, "/login", &[(name, value)], b"");
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.body.contains("evil.example"), "{name}");
    }
    let healthy = house
        .browser()
        .send(Method::GET, "/healthz", &[("host", "10.0.0.7")], b"");
    assert_eq!(
        (healthy.status, healthy.body.as_str()),
        (StatusCode::OK, "ok\n")
    );
}

#[test]
fn a07_a08_a_forged_forwarded_for_does_not_escape_the_budget() {
    let mut policy = Policy::default();
    policy.attempts.source_attempts_max = 5;
    let house = House::with(Settings::new(ORIGIN_URL).unwrap(), policy);
    let mut throttled = 0;
    for i in 0..20 {
        let body = format!("{{\"login_id\":\"X-{i}\",\"password\":\"wrong\"}}");
        let forged = format!("203.0.113.{i}");
        let headers = [JSON, ("x-forwarded-for", forged.as_str())];
        let answer =
            house
                .browser()
                .send(Method::POST, "/api/v1/session", &headers, body.as_bytes());
        throttled += u32::from(answer.code() == "throttled");
    }
    assert_eq!(throttled, 15);
}

#[test]
fn a08_behind_a_trusted_proxy_each_client_has_its_own_budget() {
    let mut policy = Policy::default();
    policy.attempts.source_attempts_max = 5;
    let mut settings = Settings::new(ORIGIN_URL).unwrap();
    settings.trusted_proxies = vec!["198.51.100.0/24".parse().unwrap()];
    let house = House::with(settings, policy);
    let throttled = |client: &str| {
        let headers = [JSON, ("x-forwarded-for", client)];
        let body = br#"{"login_id":"X","password":"wrong"}"#;
        house
            .browser()
            .send(Method::POST, "/api/v1/session", &headers, body)
            .code()
            == "throttled"
    };
    for _ in 0..5 {
        assert!(!throttled("6.6.6.6, 203.0.113.1"));
    }
    assert!(
        throttled("7.7.7.7, 203.0.113.1"),
        "what the client wrote itself counts for nothing"
    );
    assert!(!throttled("6.6.6.6, 203.0.113.2"));
}

#[test]
fn a25_a_cookie_of_ours_that_comes_twice_is_refused() {
    let house = House::new();
    let browser = ada(&house);
    let token = &browser.cookies["__Host-narthex"];
    let ask = |line: &str| {
        let headers = [(COOKIE.as_str(), line)];
        house
            .browser()
            .send(Method::GET, "/api/v1/session", &headers, b"")
    };
    assert_eq!(
        ask(&format!("__Host-narthex={token}")).status,
        StatusCode::OK
    );
    let twice = format!("__Host-narthex={token}; __Host-narthex={token}");
    assert_eq!(ask(&twice).status, StatusCode::BAD_REQUEST);
    for disguise in [
        format!("narthex={token}"),
        format!("__host-narthex={token}"),
        format!("$Version=1; \"__Host-narthex\"={token}"),
        format!("__Host-narthex=\"{token}\""),
        format!("__Host-narthex={token}x"),
        format!("__Host-narthex={}", token.to_lowercase()),
    ] {
        assert_eq!(ask(&disguise).code(), "not_logged_in", "{disguise}");
    }
}

#[test]
fn wb15_a06_an_alias_of_a_path_is_not_found() {
    let house = House::new();
    let mut browser = ada(&house);
    for target in [
        "//login",
        "/login/",
        "/./login",
        "/claim/../login",
        "/%6cogin",
        "/login%20",
        "/LOGIN",
        "/account/x.css",
        "/account.css",
        "/account/password/x.js",
        "/o/north",
        "/o/north/x.css",
        "/api/v1/session/",
        "/api/v1//session",
        "/api/v1/account.json",
        "/.well-known/other",
        "/logout/",
        "/assets/",
        "/assets/portal.css",
        "/assets/portal.0000000000000000.css",
    ] {
        let answer = browser.get(target);
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{target}");
        assert!(
            !answer.has("Ada"),
            "a page that is not there knows nobody: {target}"
        );
    }
}

#[test]
fn wb20_other_methods_are_named_and_do_nothing() {
    let house = House::new();
    let mut browser = ada(&house);
    for method in [
        "TRACE", "OPTIONS", "PUT", "DELETE", "PATCH", "CONNECT", "post", "X",
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = browser.send(method.clone(), "/login", &[("origin", ORIGIN_URL)], b"");
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.headers["allow"], "GET, POST, HEAD");
    }
    assert_eq!(
        browser.get("/logout").status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(
        browser.get("/o/north/").status,
        StatusCode::OK,
        "still logged in"
    );
    let head = browser.send(Method::HEAD, "/login", &[], b"");
    assert_eq!(
        (head.status, head.body.as_str()),
        (StatusCode::SEE_OTHER, "")
    );
    let page = browser.get("/o/north/");
    let head = browser.send(Method::HEAD, "/o/north/", &[], b"");
    let length = page.body.len().to_string();
    assert_eq!(
        (head.status, head.body.as_str()),
        (StatusCode::OK, ""),
        "a head without a body"
    );
    assert_eq!(
        head.headers["content-length"], length,
        "says how long the body is"
    );
}

#[test]
fn wb16_too_much_is_refused_before_it_is_read() {
    let house = House::new();
    let mut browser = house.browser();
    let long = "x".repeat(9000);
    let answer = browser.send(Method::GET, "/login", &[("x-long", &long)], b"");
    assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let answer = browser.get(&format!("/login?{long}"));
    assert_eq!(answer.status, StatusCode::URI_TOO_LONG);
    let body = vec![b'x'; narthex_http::BODY_BYTES_MAX + 1];
    let headers = [("origin", ORIGIN_URL), FORM];
    let answer = browser.send(Method::POST, "/login", &headers, &body);
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let answer = browser.send(Method::GET, "/login", &[], b"x");
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[test]
fn wb04_to_wb07_every_answer_has_the_headers() {
    let house = House::new();
    let mut browser = ada(&house);
    let css = browser.get("/login").status;
    assert_eq!(css, StatusCode::SEE_OTHER);
    let page = browser.get("/o/north/");
    let (_, rest) = page.body.split_once("href=\"/assets/portal.").unwrap();
    let asset = format!("/assets/portal.{}", rest.split('"').next().unwrap());
    let mut answers = vec![page];
    for target in [
        "/",
        "/login",
        "/claim",
        "/claim/password",
        "/claim/questions",
        "/help",
        "/account",
        "/account/password",
        "/o/north/downloads",
        "/o/north/apps/cloud-studio",
        "/o/atlantis/",
        "/nothing",
        "/logout",
        "/healthz",
        "/.well-known/change-password",
        "/api/v1/session",
        "/api/v1/questions",
        "/api/v1/nothing",
        "/api/v1/events",
    ] {
        answers.push(browser.get(target));
        answers.push(house.browser().get(target));
    }
    answers.push(browser.send(Method::GET, "/login", &[("host", "evil")], b""));
    answers.push(browser.send(Method::POST, "/login", &[], b""));
    house.hasher.set_broken(true);
    answers.push(house.browser().log_in_at("/login", "S-1024", PASSWORD));
    assert_eq!(
        answers.last().unwrap().status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    for answer in &answers {
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        let csp = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "script-src 'self'",
        ] {
            assert!(csp.contains(part));
        }
        assert!(!csp.contains("unsafe"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cache-control"), "no-store");
        assert!(header("strict-transport-security").starts_with("max-age=31536000"));
        assert!(answer.headers.get("server").is_none());
        assert!(answer.headers.get("access-control-allow-origin").is_none());
        assert!(!header("x-request-id").is_empty());
        for inline in [" style=", "<style", " onclick", "javascript:", "<script>"] {
            assert!(!answer.body.contains(inline), "{inline}");
        }
    }
    let style = browser.get(&asset);
    assert_eq!(style.status, StatusCode::OK);
    assert_eq!(
        style.headers["cache-control"],
        "public, max-age=31536000, immutable"
    );
    assert_eq!(style.headers[CONTENT_TYPE], "text/css; charset=utf-8");
    assert_eq!(style.headers["x-content-type-options"], "nosniff");
}

#[test]
fn wb10_a26_reading_changes_nothing_and_nobody_leaves_a_row() {
    let house = House::new();
    let mut browser = ada(&house);
    let before = house.contents();
    let targets = [
        "/",
        "/login",
        "/login?return_to=/o/north/&for=x&reason=inactivity",
        "/claim",
        "/claim/password?claim=x",
        "/claim/questions",
        "/help",
        "/account",
        "/account/password",
        "/o/north/",
        "/o/south/downloads",
        "/o/north/apps/cloud-studio/projects/3",
        "/api/v1/session",
        "/api/v1/account",
        "/api/v1/organizations",
        "/api/v1/organizations/north/statistics",
        "/api/v1/organizations/north/apps",
        "/api/v1/password/requirements",
        "/api/v1/questions",
        "/api/v1/events",
        "/logout",
        "/nothing",
    ];
    for target in targets {
        browser.fetch(target);
        browser.send(Method::HEAD, target, &[], b"");
        house.browser().get(target);
        // Not even with a cookie that somebody made up.
        let made_up = format!("__Host-narthex={}", "A".repeat(64));
        house
            .browser()
            .send(Method::GET, target, &[("cookie", &made_up)], b"");
    }
    for _ in 0..100 {
        house.browser().get("/login");
    }
    let out = house.browser().send(
        Method::POST,
        "/logout",
        &[("origin", ORIGIN_URL), FORM],
        b"",
    );
    assert_eq!(out.location(), "/login?notice=logged_out");
    assert_eq!(house.contents(), before);
}

#[test]
fn plain_http_on_loopback_has_cookies_of_its_own() {
    let settings = Settings::new("http://127.0.0.1:8080").unwrap();
    let house = House::with(settings, Policy::default());
    let answer = house
        .browser()
        .send(Method::GET, "/login", &[("host", "127.0.0.1:8080")], b"");
    let line = answer.headers["set-cookie"].to_str().unwrap();
    assert!(
        line.starts_with("narthex-pre=") && line.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{line}"
    );
    assert!(answer.headers.get("strict-transport-security").is_none());
}

#[test]
fn a_base_path_is_on_every_link_and_needed_on_every_request() {
    let settings = Settings::new("https://portal.school.example/p").unwrap();
    let house = House::with(settings, Policy::default());
    let page = house.browser().get("/p/login");
    assert_eq!(page.status, StatusCode::OK);
    for part in page
        .body
        .split("href=\"")
        .skip(1)
        .chain(page.body.split("action=\"").skip(1))
    {
        assert!(
            part.starts_with("/p/") || part.starts_with('#'),
            "{}",
            &part[..20]
        );
    }
    assert_eq!(house.browser().get("/login").status, StatusCode::NOT_FOUND);
    assert_eq!(house.browser().get("/p").status, StatusCode::NOT_FOUND);
    assert_eq!(house.browser().get("/p/").location(), "/p/login");
    let well_known = house.browser().get("/.well-known/change-password");
    assert_eq!(well_known.location(), "/p/account/password");
    assert!(ORIGIN == "origin");
}
