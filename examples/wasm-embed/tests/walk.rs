//! What README.md shows, typed line by line into the host, as a person would.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The host in a terminal.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: BufReader<ChildStdout>,
}

impl Terminal {
    fn open(guest: &str) -> Self {
        let roster = "../rosters/csv-98-users/people.csv";
        let mut child = Command::new(env!("CARGO_BIN_EXE_wasm-embed"))
            .args([guest, roster])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let keys = child.stdin.take().unwrap();
        let screen = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            keys,
            screen,
        }
    }

    /// The status, and the lines up to the empty one.
    fn types(&mut self, line: &str) -> (String, Vec<String>) {
        writeln!(self.keys, "{line}").unwrap();
        let mut lines = self.screen.by_ref().lines().map(Result::unwrap);
        let status = lines.next().unwrap();
        (status, lines.take_while(|line| !line.is_empty()).collect())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn value(lines: &[String], name: &str) -> String {
    let told = format!("{name}: ");
    let found = lines.iter().find_map(|line| line.strip_prefix(&told));
    assert!(found.is_some(), "no {name} in {lines:?}");
    found.unwrap().to_owned()
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn a_person_claims_logs_in_changes_the_password_and_logs_out_through_the_kiosk() {
    let folder = std::env::var("NARTHEX_GUESTS").unwrap();
    let mut terminal = Terminal::open(&format!("{folder}/kiosk.wasm"));
    let (status, refused) = terminal.types("/login login_id=X&password=y");
    assert_eq!(
        (status.as_str(), value(&refused, "outcome").as_str()),
        ("403", "login_failed")
    );

    let facts = "given_name=Ora&family_name=Klein&birthdate=2000-04-02&login_id=13001";
    let (status, begun) = terminal.types(&format!("/claim {facts}"));
    assert_eq!(status, "200", "{begun:?}");
    let claim = value(&begun, "claim");
    let password = "seven leagues of lace";
    let (status, _) = terminal.types(&format!(
        "/claim/password claim={claim}&password={password}"
    ));
    assert_eq!(status, "200");
    let answers = "first_toy=Vellum&story=Zeno and the lane";
    let (status, done) = terminal.types(&format!("/claim/questions claim={claim}&{answers}"));
    assert_eq!(
        (status.as_str(), value(&done, "given_name").as_str()),
        ("200", "Ora")
    );

    let (status, there) = terminal.types(&format!("/login login_id=13001&password={password}"));
    assert_eq!(
        (status.as_str(), value(&there, "organization").as_str()),
        ("200", "ContosoHighSchool-1b04638d")
    );
    let (status, home) = terminal.types("/");
    assert_eq!(
        (status.as_str(), value(&home, "login_id").as_str()),
        ("200", "13001")
    );

    let new = "a tortoise under the lamp";
    let change = |current: &str| format!("/account/password current={current}&new={new}");
    assert_eq!(terminal.types(&change("not this one")).0, "403");
    assert_eq!(terminal.types(&change(password)).0, "200");
    assert_eq!(terminal.types("/").0, "200", "this browser stays in");
    assert_eq!(terminal.types("/logout").0, "200");
    let (status, out) = terminal.types("/");
    assert_eq!(
        (status.as_str(), value(&out, "outcome").as_str()),
        ("403", "not_logged_in")
    );
    assert_eq!(
        terminal
            .types(&format!("/login login_id=13001&password={password}"))
            .0,
        "403"
    );
    assert_eq!(
        terminal
            .types(&format!("/login login_id=13001&password={new}"))
            .0,
        "200"
    );
}
