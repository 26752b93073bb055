//! Secrets that are easy to find, in every field; then everything that the server writes is searched
//! for them.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(test)]
mod support;

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::Running;
use support::browser::Browser;
use support::people::Facts;
use support::school::{School, roster};

const PASSWORD: &str = "quillfeather marmalade trombone";
const NEXT_PASSWORD: &str = "velvet saxifrage pendulum";
const WRONG_PASSWORD: &str = "gooseberry thunder wrong";
/// What nobody may find anywhere: passwords typed, answers given, the roster's own passwords.
const SECRETS: [&str; 8] = [
    "quillfeather",
    "saxifrage",
    "gooseberry",
    "Knits",
    "Parade",
    "Given-By-The-Office",
    "2011-03-27",
    "20110327",
];

fn ada() -> Facts {
    Facts {
        given_name: "Zypheria".to_owned(),
        family_name: "Quorndale".to_owned(),
        birthdate: "2011-03-27".to_owned(),
        login_id: "CANARY-7731".to_owned(),
    }
}

/// Who a log line must not name, besides the secrets.
const WHO: [&str; 4] = ["Zypheria", "Quorndale", "CANARY-7731", "Strangelove"];

/// Everything a person may do, rightly and wrongly. Returns the cookies that were given out.
fn lived(school: &School) -> Vec<String> {
    let facts = ada();
    let mut cookies = Vec::new();
    let mut browser = Browser::new(&school.origin());
    let wrong = Facts {
        birthdate: "2011-03-28".to_owned(),
        given_name: "Strangelove".to_owned(),
        ..facts.clone()
    };
    assert_eq!(browser.begin_claim(&wrong).unwrap(), 403);
    assert_eq!(browser.begin_claim(&facts).unwrap(), 201);
    cookies.extend(browser.cookies());
    assert_eq!(browser.claim_password("gooseberry").unwrap(), 422);
    assert_eq!(browser.claim_password(PASSWORD).unwrap(), 204);
    assert_eq!(browser.claim_answers().unwrap(), 204);
    assert_eq!(
        browser.log_in(&facts.login_id, WRONG_PASSWORD).unwrap(),
        401
    );
    assert_eq!(browser.log_in(&facts.login_id, PASSWORD).unwrap(), 201);
    cookies.extend(browser.cookies());
    let query = "/login?return_to=/o/CANARY-7731/secret&password=gooseberry";
    browser.call("GET", query, None).unwrap();
    browser
        .call("GET", "/CANARY-7731/gooseberry", None)
        .unwrap();
    browser
        .call("GOOSEBERRY-gooseberry", "/login", None)
        .unwrap();
    let unknown = json!({ "login_id": facts.login_id, "password": PASSWORD, "gooseberry": 1 });
    browser
        .call("POST", "/api/v1/session", Some(&unknown))
        .unwrap();
    assert_eq!(
        browser
            .change_password(WRONG_PASSWORD, NEXT_PASSWORD)
            .unwrap(),
        401
    );
    assert_eq!(browser.change_password(PASSWORD, "short").unwrap(), 422);
    assert_eq!(
        browser.change_password(PASSWORD, NEXT_PASSWORD).unwrap(),
        200
    );
    cookies.extend(browser.cookies());
    assert_eq!(browser.log_out().unwrap(), 204);
    cookies
}

fn logged(school: &School, format: &str, log: &Path) -> Running {
    let mut command = school.serve_command(&["--log-format", format]);
    command.env("NARTHEX_LOG", "trace");
    Running::start_logging(command, fs::File::create(log).unwrap())
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn search(where_: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(
            !text.contains(secret.as_str()),
            "{secret} is in {where_}:\n{text}"
        );
    }
}

#[test]
fn lg03_no_secret_is_in_a_log_a_finding_a_command_or_a_metric_and_no_name_in_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), "[management]\nlisten = \"127.0.0.1:0\"\n");
    let files = roster(folder.path(), &[ada()]);
    let (code, said, error) = school.ran(&["roster", "import", &files]);
    assert_eq!(code, 0, "{said}{error}");
    let mut outputs = vec![("import".to_owned(), said + &error)];
    let mut backups = Vec::new();
    let mut logs = String::new();
    let mut cookies = Vec::new();
    for format in ["text", "json"] {
        let log = folder.path().join(format);
        let server = logged(&school, format, &log);
        if format == "text" {
            cookies.extend(lived(&school));
        }
        for words in commands(&files) {
            let (_, said, error) = school.ran(&words);
            outputs.push((words.join(" "), said + &error));
        }
        let backup = folder.path().join(format!("{format}.backup"));
        let words = ["store", "backup", backup.to_str().unwrap()];
        let (code, said, error) = school.ran(&words);
        assert_eq!(code, 0, "{said}{error}");
        outputs.push(("store backup".to_owned(), said + &error));
        backups.push(fs::read(backup).unwrap());
        let address = server.ready["management"].as_str().unwrap().to_owned();
        for path in ["/metrics", "/readyz"] {
            let mut monitor = Browser::new(&format!("http://{address}"));
            let told = monitor.call("GET", path, None).unwrap().text();
            logs.push_str(&told);
        }
        server.end_by(Signal::TERM);
        logs.push_str(&fs::read_to_string(&log).unwrap());
    }
    // The search would find what is there.
    for present in [
        "/api/v1/password",
        "login_failed",
        "narthex_events_total",
        "personshow",
    ] {
        assert!(
            logs.to_lowercase().contains(present),
            "{present} is not in\n{logs}"
        );
    }
    assert!(!cookies.is_empty());
    let mut secrets: Vec<String> = SECRETS.map(str::to_owned).to_vec();
    // Short ones are choices, such as a language.
    secrets.extend(cookies.into_iter().filter(|cookie| cookie.len() > 20));
    for (where_, text) in &outputs {
        search(where_, text, &secrets);
    }
    let exported = |(what, text): &(String, String)| {
        what.starts_with("person export") && text.contains("Zypheria")
    };
    assert!(
        outputs.iter().any(exported),
        "an export tells the person's own name"
    );
    secrets.extend(WHO.map(str::to_owned));
    for backup in &backups {
        assert!(
            holds(backup, b"family/"),
            "the search would find what is there"
        );
        for secret in &secrets {
            assert!(!holds(backup, secret.as_bytes()), "{secret} is in a backup");
        }
    }
    search("the log", &logs, &secrets);
    assert!(
        !logs.contains("return_to") && !logs.contains('?'),
        "no query is in the log"
    );
}

fn commands(files: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["roster", "import", files],
        vec!["roster", "import", files, "--dry-run", "--json"],
        vec!["roster", "status"],
        vec!["person", "show", "CANARY-7731", "--json"],
        vec!["person", "export", "CANARY-7731"],
        vec!["session", "list", "CANARY-7731", "--json"],
        vec!["audit", "tail", "--lines", "500", "--json"],
        vec!["audit", "verify", "--json"],
        vec!["key", "list", "--json"],
        vec!["config", "show", "--json"],
        vec!["doctor", "--json"],
        vec![
            "person",
            "check",
            "CANARY-7731",
            "--given-name",
            "Zypheria",
            "--family-name",
            "Strangelove",
            "--birthdate",
            "2011-03-29",
        ],
    ]
}

#[test]
fn lg02_a_line_of_the_json_log_is_an_object_with_its_request_and_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let school = School::new(folder.path(), "");
    let log = folder.path().join("log");
    let mut command = school.serve_command(&[]);
    command.env("NARTHEX_LOG_FORMAT", "json");
    let server = Running::start_logging(command, fs::File::create(&log).unwrap());
    let mut browser = Browser::new(&school.origin());
    let reply = browser.call("GET", "/login", None).unwrap();
    let id = reply.header("x-request-id").unwrap().to_owned();
    server.end_by(Signal::TERM);
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = lines
        .iter()
        .find(|line| line["request_id"] == id.as_str())
        .unwrap();
    assert_eq!(
        (&line["route"], &line["status"]),
        (&"/login".into(), &200.into())
    );
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
}
