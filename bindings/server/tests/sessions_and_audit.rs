//! `narthex session` and `narthex audit`, with a server and without.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[cfg(test)]
mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;
use support::browser::Browser;
use support::people::{Facts, claimable, sample};
use support::school::School;
use support::{narthex, told};

const PASSWORD: &str = "four wet pianos sang";

fn claimed(school: &School, facts: &Facts) {
    let mut browser = Browser::new(&school.origin());
    assert_eq!(browser.begin_claim(facts).unwrap(), 201);
    assert_eq!(browser.claim_password(PASSWORD).unwrap(), 204);
    assert_eq!(browser.claim_answers().unwrap(), 204);
}

fn logged_in(school: &School, facts: &Facts) -> Browser {
    let mut browser = Browser::new(&school.origin());
    assert_eq!(browser.log_in(&facts.login_id, PASSWORD).unwrap(), 201);
    browser
}

fn asked(school: &School, words: &[&str]) -> (i32, Value) {
    let mut words = words.to_vec();
    words.push("--json");
    let (code, out, error) = school.ran(&words);
    let told = serde_json::from_str(&out);
    (code, told.unwrap_or_else(|_| panic!("{out}{error}")))
}

#[test]
fn se12_the_office_sees_where_a_person_is_logged_in_and_ends_one_or_all() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), "");
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    let server = school.serve();
    let (facts, other) = (claimable().swap_remove(0), claimable().swap_remove(1));
    claimed(&school, &facts);
    claimed(&school, &other);
    let browsers = [logged_in(&school, &facts), logged_in(&school, &facts)];
    let bystander = logged_in(&school, &other);
    let number = facts.login_id.as_str();

    let (code, listed) = asked(&school, &["session", "list", number]);
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!((code, sessions.len()), (0, 2), "{listed}");

    // The later one is listed first, and ends alone.
    let handle = sessions[0]["handle"].as_str().unwrap();
    let end = ["session", "end", number, "--family", handle];
    assert_eq!(asked(&school, &end).1["ended"], 1);
    assert_eq!(browsers[1].session().unwrap(), 401, "at once");
    assert_eq!(browsers[0].session().unwrap(), 200);
    assert_eq!(asked(&school, &end).0, 3, "it has ended already");

    // A handle of somebody else's session ends nothing.
    let (_, theirs) = asked(&school, &["session", "list", other.login_id.as_str()]);
    let handle = theirs["sessions"][0]["handle"].as_str().unwrap();
    assert_eq!(
        asked(&school, &["session", "end", number, "--family", handle]).0,
        3
    );
    assert_eq!(bystander.session().unwrap(), 200);
    // One in 64 begins like an option.
    let dashed = ["session", "end", number, "--family", "-aaaaaaaaaaaaaaa"];
    assert_eq!(asked(&school, &dashed).0, 3);

    assert_eq!(
        asked(&school, &["session", "end", number, "--all"]).1["ended"],
        1
    );
    assert_eq!(browsers[0].session().unwrap(), 401);
    assert_eq!(bystander.session().unwrap(), 200);
    logged_in(&school, &facts);
    server.kill_minus_nine();

    // Without a server, after a crash: what was ended stays ended.
    let (_, listed) = asked(&school, &["session", "list", number]);
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(asked(&school, &["session", "list", "NOBODY"]).0, 3);
    assert_eq!(school.ran(&["session", "end", number]).0, 2, "which one?");
}

#[test]
fn lg01_the_audit_tells_what_happened_and_goes_on_telling() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), "");
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    let server = school.serve();
    let facts = claimable().swap_remove(0);
    claimed(&school, &facts);
    logged_in(&school, &facts);
    let number = facts.login_id.as_str();
    let config = folder.path().join("narthex.toml");
    let config = config.to_str().unwrap();
    let words = ["audit", "tail", "--follow", "--json", "--config", config];
    let mut follower = narthex(&words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut until = |event: &str| loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if line["event"] == event {
            return line;
        }
    };
    until("roster_imported");
    let claim = until("claimed");
    assert!(claim["at"].as_str().unwrap().ends_with('Z') && claim["source"] == "127.0.0.1");
    until("logged_in");
    assert_eq!(school.ran(&["session", "end", number, "--all"]).0, 0);
    let ended = until("sessions_ended");
    assert_eq!(
        (&ended["source"], &ended["account"]),
        (&"".into(), &claim["account"])
    );
    assert_eq!(ended["request_id"].as_str().unwrap().len(), 16);
    follower.kill().unwrap();
    follower.wait().unwrap();

    let (code, out, _) = school.ran(&["audit", "tail", "--number", number, "--lines", "2"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}");
    assert!(
        out.contains("sessions_ended") && !out.contains(number),
        "{out}"
    );
    let (code, verified) = asked(&school, &["audit", "verify"]);
    assert_eq!((code, &verified["whole"]), (0, &true.into()), "{verified}");
    server.end_by(Signal::TERM);
    let (code, again) = asked(&school, &["audit", "verify"]);
    assert_eq!((code, &again["untold"]), (0, &0.into()), "{again}");
    let nobody = narthex(&["audit", "tail", "--number", "NOBODY", "--config", config]).output();
    assert_eq!(told(nobody.unwrap()).0, 3);
}
