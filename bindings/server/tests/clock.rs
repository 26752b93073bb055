//! The whole portal on real sockets with a clock set by hand: what browser tests rely on, tested
//! here without a browser.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[cfg(test)]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use support::browser::Browser;
use support::people::{Facts, claimable};

const PASSWORD: &str = "four wet pianos sang";

/// The example `portal_under_test`, which cargo builds with the tests.
struct Portal {
    child: Child,
    said: BufReader<ChildStdout>,
    ear: ChildStdin,
    origin: String,
}

impl Portal {
    fn start() -> Self {
        let tests = std::env::current_exe().unwrap();
        let built = tests.parent().unwrap().parent().unwrap().join("examples");
        let mut child = Command::new(built.join("portal_under_test"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`cargo build -p narthex-server --examples` builds it");
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("ready ").unwrap();
        let origin = url.trim_end_matches('/').to_owned();
        let ear = child.stdin.take().unwrap();
        Self {
            child,
            said,
            ear,
            origin,
        }
    }

    /// What comes after `ok`.
    fn ask(&mut self, line: &str) -> String {
        writeln!(self.ear, "{line}").unwrap();
        let mut answer = String::new();
        self.said.read_line(&mut answer).unwrap();
        let answer = answer.trim().strip_prefix("ok");
        answer.expect(line).trim().to_owned()
    }

    fn claimed(&self, facts: &Facts) {
        let mut browser = Browser::new(&self.origin);
        assert_eq!(browser.begin_claim(facts).unwrap(), 201);
        assert_eq!(browser.claim_password(PASSWORD).unwrap(), 204);
        assert_eq!(browser.claim_answers().unwrap(), 204);
    }

    fn logged_in(&self, facts: &Facts) -> Browser {
        let mut browser = Browser::new(&self.origin);
        assert_eq!(browser.log_in(&facts.login_id, PASSWORD).unwrap(), 201);
        browser
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ended(browser: &Browser) -> Value {
    let reply = browser
        .clone()
        .call("GET", "/api/v1/session", None)
        .unwrap();
    assert_eq!(reply.status, 401, "{}", reply.text());
    reply.json()
}

#[test]
fn s12_four_hours_of_inactivity_end_a_session_and_not_a_millisecond_less() {
    let mut portal = Portal::start();
    let facts = claimable().remove(0);
    portal.claimed(&facts);
    let browser = portal.logged_in(&facts);
    portal.ask("advance 14399999");
    assert_eq!(browser.session().unwrap(), 200, "and asking is no activity");
    portal.ask("advance 1");
    let told = ended(&browser);
    assert_eq!(
        (&told["code"], &told["reason"]),
        (&"session_ended".into(), &"inactivity".into())
    );
}

#[test]
fn p9_setting_the_wall_clock_back_revives_nothing() {
    let mut portal = Portal::start();
    let facts = claimable().remove(0);
    portal.claimed(&facts);
    let browser = portal.logged_in(&facts);
    portal.ask("advance 14400000");
    portal.ask("wall -14400000");
    ended(&browser);
}

#[test]
fn whom_the_roster_disables_is_logged_out_at_once_and_may_come_back_when_enabled() {
    let mut portal = Portal::start();
    let facts = claimable().remove(0);
    portal.claimed(&facts);
    let browser = portal.logged_in(&facts);
    portal.ask(&format!("disable {}", facts.login_id));
    assert_eq!(ended(&browser)["reason"], "disabled");
    let refused = Browser::new(&portal.origin).log_in(&facts.login_id, PASSWORD);
    assert_eq!(refused.unwrap(), 401);
    portal.ask(&format!("enable {}", facts.login_id));
    assert_eq!(portal.logged_in(&facts).session().unwrap(), 200);
    assert_eq!(
        browser.session().unwrap(),
        401,
        "what was ended stays ended"
    );
}

#[test]
fn a_membership_that_the_roster_takes_away_is_gone_at_the_next_request() {
    let mut portal = Portal::start();
    let facts = claimable().remove(0);
    portal.claimed(&facts);
    let organizations: Value = serde_json::from_str(&portal.ask("organizations")).unwrap();
    let other = organizations.as_array().unwrap().last().unwrap();
    let other = other["id"].as_str().unwrap().to_owned();
    let number = &facts.login_id;
    portal.ask(&format!("membership add {number} {other} student"));
    let mut browser = portal.logged_in(&facts);
    let page = format!("/o/{other}/");
    assert_eq!(browser.call("GET", &page, None).unwrap().status, 200);
    portal.ask(&format!("membership remove {number} {other}"));
    assert_ne!(browser.call("GET", &page, None).unwrap().status, 200);
    assert_eq!(
        browser.session().unwrap(),
        200,
        "the session goes on elsewhere"
    );
}

#[test]
fn a_line_that_is_not_understood_is_an_error_and_stop_is_a_graceful_stop() {
    let mut portal = Portal::start();
    writeln!(portal.ear, "dance").unwrap();
    let mut answer = String::new();
    portal.said.read_line(&mut answer).unwrap();
    assert!(answer.starts_with("error "), "{answer}");
    assert_eq!(portal.ask("stop"), "{\"cut\":0}");
    assert!(portal.child.wait().unwrap().success());
}
