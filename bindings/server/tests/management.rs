//! What monitors are told, through the real binary.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[cfg(test)]
mod support;

use serde_json::Value;
use support::browser::{Browser, Reply};
use support::people::{Facts, claimable, sample};
use support::school::School;
use support::{Demo, Running};

const PASSWORD: &str = "four wet pianos sang";
const LOOPBACK: &str = "[management]\nlisten = \"127.0.0.1:0\"\n";

fn claimed(origin: &str, facts: &Facts) {
    let mut browser = Browser::new(origin);
    assert_eq!(browser.begin_claim(facts).unwrap(), 201);
    assert_eq!(browser.claim_password(PASSWORD).unwrap(), 204);
    assert_eq!(browser.claim_answers().unwrap(), 204);
}

fn monitor(server: &Running, path: &str) -> Reply {
    let address = server.ready["management"].as_str().unwrap();
    let origin = format!("http://{address}");
    Browser::new(&origin).call("GET", path, None).unwrap()
}

fn metric(text: &str, name: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = line.and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
}

#[test]
fn without_the_setting_nobody_is_told_anything_and_the_portal_never_tells() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), "");
    let server = school.serve();
    assert_eq!(server.ready["management"], Value::Null);
    for path in ["/metrics", "/readyz"] {
        let mut browser = Browser::new(&school.origin());
        assert_eq!(
            browser.call("GET", path, None).unwrap().status,
            404,
            "{path}"
        );
    }
}

#[test]
fn the_portal_and_the_monitors_never_share_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), "");
    let address = format!("127.0.0.1:{}", school.port);
    let output = school
        .serve_command(&[])
        .env("NARTHEX_MANAGEMENT_LISTEN", address)
        .output();
    let (code, _, error) = support::told(output.unwrap());
    assert_eq!(code, 2);
    assert!(
        error.contains("management.listen") && error.contains("not for everybody"),
        "{error}"
    );
}

#[test]
fn alive_and_ready_are_told_and_nothing_else_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), LOOPBACK);
    let server = school.serve();
    assert_eq!(monitor(&server, "/healthz").text(), "ok\n");
    let ready = monitor(&server, "/readyz");
    let told = ready.json();
    assert_eq!(
        (ready.status, &told["ready"]),
        (200, &true.into()),
        "{told}"
    );
    assert_eq!(
        (&told["store"], &told["keys"]),
        (&"ok".into(), &"ok".into())
    );
    assert_eq!(monitor(&server, "/login").status, 404);
    let address = server.ready["management"].as_str().unwrap();
    let mut browser = Browser::new(&format!("http://{address}"));
    let posted = browser.call("POST", "/metrics", None).unwrap();
    assert_eq!(
        (posted.status, posted.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

#[test]
fn what_happens_is_counted_and_nobody_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), LOOPBACK);
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    let server = school.serve();
    let facts = claimable().swap_remove(0);
    claimed(&school.origin(), &facts);
    let mut browser = Browser::new(&school.origin());
    assert_eq!(
        browser.log_in(&facts.login_id, "wrong wet pianos").unwrap(),
        401
    );
    assert_eq!(browser.log_in("NOBODY-1", "wrong wet pianos").unwrap(), 401);
    assert_eq!(browser.log_in(&facts.login_id, PASSWORD).unwrap(), 201);
    for _ in 0..3 {
        assert_eq!(browser.session().unwrap(), 200);
    }
    assert_eq!(
        browser.call("GET", "/no/such/page", None).unwrap().status,
        404
    );
    assert_eq!(browser.log_out().unwrap(), 204);
    let reply = monitor(&server, "/metrics");
    let text = reply.text();
    assert!(
        reply
            .header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    for (name, value) in [
        ("narthex_events_total{event=\"claimed\"}", 1.0),
        ("narthex_events_total{event=\"logged_in\"}", 1.0),
        ("narthex_sessions_ended_total{reason=\"log_out\"}", 1.0),
        ("narthex_refusals_total{code=\"login_failed\"}", 2.0),
        ("narthex_refusals_total{code=\"not_found\"}", 1.0),
        (
            "narthex_requests_total{route=\"/api/v1/session\",status=\"401\"}",
            2.0,
        ),
        ("narthex_sessions_checked_total{found=\"cold\"}", 1.0),
        ("narthex_hash_seconds_count{operation=\"decoy\"}", 1.0),
        ("narthex_hash_places_taken", 0.0),
        ("narthex_hashes_turned_away_total", 0.0),
    ] {
        assert!((metric(&text, name) - value).abs() < 0.1, "{name}\n{text}");
    }
    assert!(
        metric(&text, "narthex_sessions_checked_total{found=\"warm\"}") >= 2.0,
        "{text}"
    );
    assert!(
        metric(&text, "narthex_commits_total{outcome=\"committed\"}") > 5.0,
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    // Names and labels; the values are numbers of their own.
    let named = text.lines().filter_map(|line| line.rsplit_once(' '));
    let named: String = named.map(|(name, _)| name.to_owned() + "\n").collect();
    for name in [
        &facts.login_id,
        &facts.family_name,
        "NOBODY-1",
        "no/such",
        "10001",
    ] {
        assert!(!named.contains(name), "{name}\n{named}");
    }
}

#[test]
fn a_demo_has_no_listener_for_monitors() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let mut browser = Browser::new(&demo.origin());
    assert_eq!(browser.call("GET", "/metrics", None).unwrap().status, 404);
}
