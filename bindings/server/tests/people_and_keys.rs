//! `narthex person create | disable | enable | export | erase | readmit` and `narthex key`, with a
//! server and without.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[cfg(test)]
mod support;

use serde_json::{Value, json};
use support::browser::Browser;
use support::people::{Facts, claimable, sample};
use support::school::School;

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

/// A school with the sample roster.
fn school(folder: &tempfile::TempDir) -> School {
    let school = School::new(folder.path(), "");
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    school
}

/// What the portal answers: the status, and the code of a refusal.
fn refusal(browser: &mut Browser, path: &str, body: &Value) -> (u16, Value) {
    let reply = browser.call("POST", path, Some(body)).unwrap();
    (
        reply.status,
        reply.json().get("code").cloned().unwrap_or_default(),
    )
}

#[test]
fn se08_a_disabled_person_is_out_at_once_and_is_told_what_a_wrong_password_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let school = school(&folder);
    let facts = claimable().swap_remove(0);
    let number = facts.login_id.as_str();
    let server = school.serve();
    claimed(&school, &facts);
    let browsers = [logged_in(&school, &facts), logged_in(&school, &facts)];
    let (code, done) = asked(&school, &["person", "disable", number]);
    assert_eq!((code, &done["sessions_ended"]), (0, &json!(2)), "{done}");
    for browser in &browsers {
        assert_eq!(browser.session().unwrap(), 401, "at once");
    }
    let mut browser = Browser::new(&school.origin());
    let body = |password: &str| json!({ "login_id": number, "password": password });
    let right = refusal(&mut browser, "/api/v1/session", &body(PASSWORD));
    let wrong = refusal(
        &mut browser,
        "/api/v1/session",
        &body("a tortoise under the lamp"),
    );
    assert_eq!(right, wrong);
    assert_eq!(right, (401, json!("login_failed")));
    let (_, shown) = asked(&school, &["person", "show", number]);
    assert_eq!(shown["status"], "disabled");
    assert!(
        shown["disabled_at"].as_str().unwrap().ends_with('Z'),
        "{shown}"
    );
    assert_eq!(asked(&school, &["person", "disable", number]).0, 3);

    // An import, with the server and without, changes nothing of it.
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    assert_eq!(
        refusal(&mut browser, "/api/v1/session", &body(PASSWORD)).0,
        401
    );
    server.kill_minus_nine();
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    let check = [
        "person",
        "check",
        number,
        "--given-name",
        &facts.given_name,
        "--family-name",
        &facts.family_name,
        "--birthdate",
        &facts.birthdate,
    ];
    let (_, told) = asked(&school, &check);
    assert_eq!(
        (&told["disabled"], &told["claimable"]),
        (&json!(true), &json!(false))
    );
    let (code, out, _) = school.ran(&["person", "enable", number]);
    assert!(
        code == 0 && out.contains("the password is as it was"),
        "{out}"
    );
    assert_eq!(school.ran(&["person", "enable", "NOBODY"]).0, 3);
    let _server = school.serve();
    logged_in(&school, &facts);
    assert_eq!(
        browsers[0].session().unwrap(),
        401,
        "no old session comes back"
    );
    let (_, out, _) = school.ran(&["audit", "tail", "--number", number, "--lines", "20"]);
    assert!(
        out.contains("disabled_by_office") && out.contains("enabled_by_office"),
        "{out}"
    );
}

#[test]
fn the_first_person_of_staff_is_created_before_there_is_a_roster_and_another_beside_one() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), "");
    let head = |number: &'static str, org: &'static str| {
        let mut words = vec!["person", "create", number, "--given-name", "Ada"];
        words.extend([
            "--family-name",
            "Byron",
            "--role",
            "administrator",
            "--org",
            org,
        ]);
        words
    };
    let (code, _, error) = school.ran(&head("A-1", "north-high"));
    assert!(code == 2 && error.contains("--org-name"), "{error}");
    let mut words = head("A-1", "north-high");
    words.extend(["--org-name", "North High"]);
    let (code, out, _) = school.ran(&words);
    assert_eq!(code, 0, "{out}");
    for told in [
        "Claim My Account",
        "the birthdate is left empty",
        "/staff",
        "was made too",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    let server = school.serve();
    let (code, taken) = asked(&school, &words);
    assert_eq!((code, &taken["created"]), (3, &json!(false)));
    let mut words = head("A-2", "north-high");
    words.extend(["--birthdate", "1980-02-29"]);
    let (code, made) = asked(&school, &words);
    assert_eq!((code, &made["staff"]), (0, &json!(true)), "{made}");
    let claim = json!({
        "given_name": "ada", "family_name": "BYRON", "login_id": "a-2",
        "birthdate": "1980-02-29", "claim_code": made["issued"]["code"],
    });
    let mut browser = Browser::new(&school.origin());
    let begun = browser.call("POST", "/api/v1/claim", Some(&claim)).unwrap();
    assert_eq!(begun.status, 201);
    assert_eq!(browser.claim_password(PASSWORD).unwrap(), 204);
    assert_eq!(browser.claim_answers().unwrap(), 204);
    assert_eq!(browser.log_in("A-2", PASSWORD).unwrap(), 201);
    assert_eq!(browser.call("GET", "/staff", None).unwrap().status, 200);
    drop(server);
    for wrong in ["1980-02-30", "29.2.1980"] {
        let mut words = head("A-3", "north-high");
        words.extend(["--birthdate", wrong]);
        assert_eq!(school.ran(&words).0, 2);
    }
    let mut words = head("A-3", "north-high");
    words[7] = "headmistress";
    assert_eq!(school.ran(&words).0, 2);
}

#[test]
fn what_is_given_out_tells_everything_and_nothing_secret_and_what_is_erased_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let school = school(&folder);
    let (facts, other) = (claimable().swap_remove(0), claimable().swap_remove(1));
    let number = facts.login_id.as_str();
    let server = school.serve();
    claimed(&school, &facts);
    claimed(&school, &other);
    let mut browser = logged_in(&school, &facts);
    let bystander = logged_in(&school, &other);
    let mail = json!({ "email": "ada@home.example" });
    assert_eq!(
        browser
            .call("PATCH", "/api/v1/account", Some(&mail))
            .unwrap()
            .status,
        200
    );

    let (code, export) = asked(&school, &["person", "export", number]);
    assert_eq!(code, 0);
    let stored = &export["stored"];
    assert_eq!(
        stored["entries"][0]["family_name"],
        facts.family_name.as_str()
    );
    assert_eq!(
        stored["accounts"][0]["details"]["email"],
        "ada@home.example"
    );
    assert_eq!(
        stored["accounts"][0]["sessions"].as_array().unwrap().len(),
        1
    );
    assert_eq!(stored["roster_rows"][0]["state"], "listed");
    let events = stored["audit"].as_array().unwrap();
    assert!(
        events.iter().any(|event| event["event"] == "logged_in"),
        "{export}"
    );
    let text = export.to_string();
    for secret in [PASSWORD, "Frog", "argon2", facts.birthdate.as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }

    let (code, _, error) = school.ran(&["person", "erase", number]);
    assert!(
        code == 2 && error.contains("--yes"),
        "nobody is there to say yes: {error}"
    );
    assert_eq!(browser.session().unwrap(), 200);
    let (code, erased) = asked(&school, &["person", "erase", number, "--yes"]);
    assert_eq!((code, &erased["erased"]), (0, &json!(true)), "{erased}");
    assert_eq!(browser.session().unwrap(), 401, "at once");
    assert_eq!(browser.log_in(number, PASSWORD).unwrap(), 401);
    assert_eq!(bystander.session().unwrap(), 200);
    assert_eq!(asked(&school, &["person", "export", number]).0, 3);
    assert_eq!(asked(&school, &["store", "check"]).0, 0);
    server.kill_minus_nine();

    // Without a server, after a crash.
    let (code, again) = asked(&school, &["person", "erase", number, "--yes"]);
    assert!(code == 3 && again["erased_before"].is_string(), "{again}");
    let (code, out, _) = school.ran(&["roster", "import", sample()]);
    assert!(
        code == 3 && out.contains("person with this number or id was erased"),
        "{out}"
    );
    assert_eq!(asked(&school, &["person", "show", number]).0, 3);
    assert_eq!(school.ran(&["person", "readmit", number]).0, 0);
    assert_eq!(school.ran(&["person", "readmit", number]).0, 3);
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    let (_, shown) = asked(&school, &["person", "show", number]);
    assert_eq!(
        (&shown["claimed"], &shown["account"]),
        (&json!(false), &Value::Null)
    );
    let (_, erased) = asked(&school, &["person", "erase", number, "--yes"]);
    assert_eq!(erased["erased"], true, "{erased}");
    assert_eq!(asked(&school, &["store", "check"]).0, 0);
    let (_, out, _) = school.ran(&["audit", "tail", "--lines", "50"]);
    for told in ["person_exported", "person_erased", "number_readmitted"] {
        // What told of the account went with it.
        assert_eq!(out.contains(told), told != "person_exported", "{out}");
    }
}

/// The lines of the key file but for comments.
fn key_lines(school: &School) -> Vec<String> {
    let text = std::fs::read_to_string(school.folder.join("keys/portal.keys")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[test]
fn cr01_keys_are_rotated_under_a_running_server_and_nobody_is_logged_out() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let school = school(&folder);
    let (facts, other) = (claimable().swap_remove(0), claimable().swap_remove(1));
    let server = school.serve();
    claimed(&school, &facts);
    let browser = logged_in(&school, &facts);
    let (code, listed) = asked(&school, &["key", "list"]);
    assert_eq!(
        (code, listed["keys"].as_array().unwrap().len()),
        (0, 6),
        "{listed}"
    );
    assert!(
        listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .all(|key| key["age_days"] == 0)
    );
    let (code, rotated) = asked(&school, &["key", "rotate"]);
    assert_eq!(
        (code, rotated["made"].as_array().unwrap().len()),
        (0, 4),
        "{rotated}"
    );
    assert_eq!(key_lines(&school).len(), 10);
    let file = std::fs::metadata(school.folder.join("keys/portal.keys")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    // At once, and without a word to anybody: the server has them.
    assert_eq!(browser.session().unwrap(), 200);
    let newer = logged_in(&school, &facts);
    claimed(&school, &other);
    let (code, kept) = asked(&school, &["key", "prune"]);
    let uses = kept["kept"].to_string();
    assert_eq!(code, 3, "{kept}");
    for needed in ["sessions", "passwords", "names", "answers", "claim facts"] {
        assert!(uses.contains(needed), "{needed}: {uses}");
    }
    assert_eq!(key_lines(&school).len(), 10, "nothing that is in use goes");
    let (code, done) = asked(&school, &["key", "reseal"]);
    assert!(
        code == 0 && done["resealed"].as_u64().unwrap() > 98,
        "{done}"
    );
    let (code, pruned) = asked(&school, &["key", "prune"]);
    assert_eq!(
        (code, pruned["removed"].as_array().unwrap().len()),
        (3, 2),
        "{pruned}"
    );
    assert_eq!(
        key_lines(&school).len(),
        8,
        "the session and the facts of the roster are left"
    );
    assert_eq!(browser.session().unwrap(), 200);
    server.kill_minus_nine();

    // Without a server, and after a crash: the same keys.
    assert_eq!(asked(&school, &["store", "check"]).0, 0);
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    assert_eq!(
        school.ran(&["session", "end", &facts.login_id, "--all"]).0,
        0
    );
    let server = school.serve();
    assert_eq!(newer.session().unwrap(), 401);
    logged_in(&school, &facts);
    logged_in(&school, &other);
    let claimable_still = claimable().swap_remove(2);
    claimed(&school, &claimable_still);
    drop(server);
    assert_eq!(school.ran(&["key", "rotate", "pepper"]).0, 0);
    assert_eq!(school.ran(&["key", "reseal"]).0, 0);
    let _server = school.serve();
    logged_in(&school, &facts);
    let (_, out, _) = school.ran(&["audit", "tail", "--lines", "200"]);
    for told in ["rotated token_digest", "pruned", "resealed records="] {
        assert!(out.contains(told), "{told}: {out}");
    }
}

#[test]
fn names_are_not_rotated_and_keys_are_printed_only_to_who_means_it() {
    let folder = tempfile::tempdir().unwrap();
    let school = school(&folder);
    let (code, _, error) = school.ran(&["key", "rotate", "names"]);
    assert!(code == 2 && error.contains("names every record"), "{error}");
    assert_eq!(school.ran(&["key", "rotate", "everything"]).0, 2);
    let (code, out, error) = school.ran(&["key", "export"]);
    assert!(
        code == 2 && out.is_empty() && error.contains("--yes"),
        "{out}{error}"
    );
    let file = std::fs::read_to_string(school.folder.join("keys/portal.keys")).unwrap();
    for server in [None, Some(school.serve())] {
        let (code, out, error) = school.ran(&["key", "export", "--yes"]);
        assert_eq!((code, out.as_str()), (0, file.as_str()));
        assert!(error.contains("every password be guessed"), "{error}");
        drop(server);
    }
    let (_, out, _) = school.ran(&["audit", "tail"]);
    assert_eq!(out.matches("exported").count(), 2, "{out}");
    // A key file of another time is not built upon.
    let server = school.serve();
    let older = file.replace("pepper ", "# pepper ") + "pepper 7 " + &"ab".repeat(32) + "\n";
    std::fs::write(school.folder.join("keys/portal.keys"), &older).unwrap();
    let (code, _, error) = school.ran(&["key", "rotate"]);
    assert!(code == 1 && error.contains("has changed since"), "{error}");
    assert_eq!(key_lines(&school).len(), 6);
    drop(server);
}
