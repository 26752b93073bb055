//! `narthex store` and `narthex doctor`, beside a running server and without one.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[cfg(test)]
mod support;

use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;
use support::browser::Browser;
use support::people::claimable;
use support::{Demo, ran};

const PASSWORD: &str = "wet pianos sang in tune";

fn told(words: &[&str]) -> (i32, Value) {
    let (code, out, error) = ran(words);
    let told = serde_json::from_str(&out);
    (
        code,
        told.unwrap_or_else(|_| panic!("{words:?}: {out}{error}")),
    )
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A person who has claimed and is logged in.
fn logged_in(demo: &Demo) -> Browser {
    let facts = claimable().remove(0);
    let mut browser = Browser::new(&demo.origin());
    assert_eq!(browser.begin_claim(&facts).unwrap(), 201);
    assert_eq!(browser.claim_password(PASSWORD).unwrap(), 204);
    assert_eq!(browser.claim_answers().unwrap(), 204);
    assert_eq!(browser.log_in(&facts.login_id, PASSWORD).unwrap(), 201);
    browser
}

fn is_live(browser: &Browser) -> bool {
    browser.session().unwrap() == 200
}

#[test]
fn a_backup_is_made_while_the_server_runs_and_restored_into_another_kind_of_store() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let demo = Demo::start(&data);
    let browser = logged_in(&demo);
    let backup = folder.path().join("monday.backup");
    let place = ["--data", text(&data), "--json"];
    let (code, made) = told(&[&["store", "backup", text(&backup)][..], &place].concat());
    assert_eq!(code, 0, "{made}");
    assert!(made["records"].as_u64().unwrap() > 98, "{made}");
    assert!(is_live(&browser), "nobody is disturbed");
    let (code, checked) = told(&[&["store", "check"][..], &place].concat());
    assert_eq!(
        (code, &checked["findings_in_all"]),
        (0, &0.into()),
        "{checked}"
    );
    demo.end_by(Signal::TERM);

    let store = data.join("restored.sled");
    let (url, keys) = (
        format!("sled://{}", text(&store)),
        data.join("keys/portal.keys"),
    );
    let to = ["--to", &url, "--to-keys", text(&keys), "--json"];
    let (code, restored) = told(&[&["store", "restore", text(&backup)][..], &to].concat());
    assert_eq!(
        (code, &restored["records"]),
        (0, &made["records"]),
        "{restored}"
    );
    let place = ["--store", &url, "--keys", text(&keys), "--json"];
    let (code, checked) = told(&[&["store", "check"][..], &place].concat());
    assert_eq!(
        (code, &checked["records"]),
        (0, &made["records"]),
        "{checked}"
    );
    let (code, status) = told(&[&["roster", "status"][..], &place].concat());
    assert_eq!((code, &status["claimed"]), (0, &1.into()), "{status}");
    // The store that was in use before is of the older incarnation: everybody is out there too.
    let demo = Demo::start(&data);
    let again = browser.at(&demo.origin());
    assert!(
        !is_live(&again),
        "a restore voids the sessions of the older store"
    );
}

#[test]
fn a_copy_and_the_doctor_say_what_sled_does_not_keep() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let demo = Demo::start(&data);
    let copy = format!("sled://{}", text(&folder.path().join("copy")));
    let keys = folder.path().join("copy.keys");
    let words = ["store", "copy", "--to", &copy, "--to-keys", text(&keys)];
    let (code, made) = told(&[&words[..], &["--data", text(&data), "--json"]].concat());
    assert_eq!(code, 0, "{made}");
    let (_, out, _) = ran(&["doctor", "--data", text(&data)]);
    assert!(
        out.contains("against a power cut") && !out.contains("not against"),
        "{out}"
    );
    assert!(out.contains("Argon2id") && out.contains("0600"), "{out}");
    drop(demo);
    let words = ["doctor", "--store", &copy, "--keys", text(&keys)];
    let (code, out, _) = ran(&words);
    assert_eq!(code, 3, "{out}");
    let sentence = "safe against a crash of the process, not against a power cut";
    assert!(out.contains(sentence), "{out}");
}

#[test]
fn a39_the_clock_is_accepted_only_when_no_server_holds_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let words = [
        "store",
        "accept-clock",
        "--yes",
        "--data",
        text(folder.path()),
    ];
    let (code, _, error) = ran(&words);
    assert_eq!(code, 1);
    assert!(error.contains("stop it, run this command"), "{error}");
    drop(demo);
    let (code, out, _) = ran(&words);
    assert_eq!(code, 0);
    assert!(out.contains("Nobody was logged out"), "{out}");
}
