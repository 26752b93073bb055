//! `narthex plugin`, with a server that runs and without one: what an operator does with plugins, and
//! what people then meet.
#![cfg(all(unix, feature = "plugins"))]
#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(test)]
mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::browser::Browser;
use support::people::{Facts, claimable, sample};
use support::school::School;
use support::{narthex, ran, told};

const PASSWORD: &str = "seven leagues of lace";
const TIGERS: &str = "seven tigers of lace";

/// A module of `examples/plugins/wat`, packed.
fn component(folder: &Path, name: &str, hook: &str) -> String {
    let module = format!(
        "{}/../../examples/plugins/wat/{name}.wat",
        env!("CARGO_MANIFEST_DIR")
    );
    let output = folder.join(format!("{name}.wasm"));
    let output = output.to_str().unwrap().to_owned();
    let (code, said, error) = ran(&[
        "plugin", "pack", &module, "--hook", hook, "--output", &output,
    ]);
    assert_eq!(code, 0, "{error}");
    assert!(said.contains("sha256:"), "{said}");
    output
}

/// A command that reads lines.
fn judged(words: &[&str], lines: &[&str]) -> (i32, String, String) {
    let mut child = narthex(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in lines {
        writeln!(input, "{line}").unwrap();
    }
    drop(input);
    told(child.wait_with_output().unwrap())
}

fn school(folder: &Path) -> (School, Facts) {
    let school = School::new(folder, "[password]\nprofile = \"nist\"\n");
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    (school, claimable().swap_remove(0))
}

fn claimed(school: &School, facts: &Facts, password: &str) -> Browser {
    let mut browser = Browser::new(&school.origin());
    taken(browser.begin_claim(facts).unwrap());
    taken(browser.claim_password(password).unwrap());
    taken(browser.claim_answers().unwrap());
    browser
}

fn taken(status: u16) {
    assert!((200..300).contains(&status), "{status}");
}

/// The change-password page.
fn stated(browser: &mut Browser, language: &str) -> String {
    let page = format!("/account/password?lang={language}");
    let answer = browser.call("GET", &page, None).unwrap();
    answer.text().replace("&#x27;", "'")
}

#[test]
fn wa01_a_password_rule_is_added_to_a_running_server_stated_in_two_languages_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (school, facts) = school(folder.path());
    let rule = component(folder.path(), "no_mascot", "password-rule");
    let server = school.serve();
    let mut browser = claimed(&school, &facts, PASSWORD);
    taken(browser.log_in(&facts.login_id, PASSWORD).unwrap());
    assert!(!stated(&mut browser, "en").contains("mascot"));

    let (code, said, error) = school.ran(&["plugin", "add", &rule, "--unsigned"]);
    assert_eq!(code, 0, "{error}");
    assert!(
        said.contains("The running server now has: no_mascot."),
        "{said}"
    );
    let english = stated(&mut browser, "en");
    assert!(english.contains("no_mascot.no_mascot"), "{english}");
    assert!(english.contains("Not our school's mascot"), "{english}");
    assert!(stated(&mut browser, "es").contains("Sin la mascota de la escuela"));
    assert_eq!(browser.change_password(PASSWORD, TIGERS).unwrap(), 422);
    // After a restart too.
    drop(server);
    let server = school.serve();
    assert_eq!(browser.change_password(PASSWORD, TIGERS).unwrap(), 422);

    let (code, listed, _) = school.ran(&["plugin", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((code, &listed[0]["name"]), (0, &"no_mascot".into()));
    assert_eq!(listed[0]["signed_by"], Value::Null);
    assert_eq!(school.ran(&["plugin", "remove", "no_mascot"]).0, 0);
    assert!(!stated(&mut browser, "en").contains("mascot"));
    taken(browser.change_password(PASSWORD, TIGERS).unwrap());
    drop(server);
}

#[test]
fn az04_a_plugin_that_refuses_every_log_in_is_put_out_from_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let (school, facts) = school(folder.path());
    let deny = component(folder.path(), "deny_all", "log-in-opinion");
    let server = school.serve();
    let mut browser = claimed(&school, &facts, PASSWORD);
    taken(browser.log_in(&facts.login_id, PASSWORD).unwrap());
    assert_eq!(school.ran(&["plugin", "add", &deny, "--unsigned"]).0, 0);
    let mut other = Browser::new(&school.origin());
    assert_eq!(other.log_in(&facts.login_id, PASSWORD).unwrap(), 401);
    assert_eq!(browser.session().unwrap(), 200, "who is in stays in");
    let (code, said, error) = school.ran(&["plugin", "disable", "deny_all"]);
    assert_eq!(code, 0, "{error}");
    assert!(
        said.contains("The running server has no plugins now."),
        "{said}"
    );
    taken(other.log_in(&facts.login_id, PASSWORD).unwrap());
    drop(server);
    // Without a server, and taken into use for its next start.
    let (code, said, _) = school.ran(&["plugin", "enable", "deny_all"]);
    assert!(code == 0 && said.contains("No server runs"), "{said}");
    let _server = school.serve();
    assert_eq!(other.log_in(&facts.login_id, PASSWORD).unwrap(), 401);
}

#[test]
fn az04_a_server_whose_plugin_was_changed_does_not_start_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (school, _) = school(folder.path());
    let rule = component(folder.path(), "no_mascot", "password-rule");
    let (code, _, error) = school.ran(&["plugin", "add", &rule, "--unsigned"]);
    assert_eq!(code, 0, "{error}");
    let manifest = folder
        .path()
        .join("store/portal.redb.plugins/no_mascot/plugin.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("time_ms = 100", "time_ms = 99")).unwrap();
    let (code, _, error) = told(school.serve_command(&[]).output().unwrap());
    assert_eq!(code, 1);
    assert!(
        error.contains("no_mascot: plugin.toml is not what was installed"),
        "{error}"
    );
    assert!(error.contains("narthex plugin disable"), "{error}");
    assert_eq!(school.ran(&["plugin", "disable", "no_mascot"]).0, 0);
    drop(school.serve());
}

#[test]
fn what_is_asked_for_is_shown_and_nothing_is_installed_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let (school, _) = school(folder.path());
    let rule = component(folder.path(), "no_mascot", "password-rule");
    let (code, said, _) = school.ran(&["plugin", "inspect", &rule]);
    assert_eq!(code, 0);
    for part in [
        "password_rule",
        "sha256:",
        "signed   by nobody",
        "asks for nothing",
        "is a no",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let add = |more: &[&str]| {
        let mut words = vec!["plugin", "add", &rule];
        words.extend(more);
        school.ran(&words)
    };
    let (code, _, error) = add(&[]);
    assert!(code == 2 && error.contains("--unsigned"), "{error}");
    for (more, part) in [
        (&["--grant", "log"][..], "does not ask for log"),
        (&["--limit", "time_ms=9000"], "must be 1 to 5000"),
        (&["--limit", "patience=1"], "unknown field"),
        (&["--name", "No Mascot"], "a code is"),
        (&["--digest", "sha256:00"], "64 hexadecimal"),
        (&["--set", "words=a", "--set", "words=b"], "given twice"),
    ] {
        let mut words = vec!["--unsigned"];
        words.extend(more);
        let (code, _, error) = add(&words);
        assert!(code != 0 && error.contains(part), "{part} in {error}");
    }
    let other = format!("sha256:{}", "0".repeat(64));
    let (_, _, error) = add(&["--unsigned", "--digest", &other]);
    assert!(error.contains("get the right one"), "{error}");
    let author = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let key = author.pk.to_base64();
    let signed = ["--signed-by", &key];
    for (more, part) in [
        (
            &["--unsigned", "--signed-by", &key][..],
            "cannot be used with",
        ),
        (&["--signed-by", "RWQ"], "minisign.pub"),
        (&signed[..], "no_mascot.wasm.minisig"),
    ] {
        let (code, _, error) = add(more);
        assert!(code != 0 && error.contains(part), "{part} in {error}");
    }
    let signature = format!("{rule}.minisig");
    let signs = |bytes: &[u8]| {
        let made = minisign::sign(Some(&author.pk), &author.sk, bytes, None, None).unwrap();
        fs::write(&signature, made.into_string()).unwrap();
    };
    signs(b"another component");
    let (code, _, error) = add(&signed);
    assert!(
        code == 1 && error.contains("not of this component"),
        "{error}"
    );
    let (_, said, _) = school.ran(&["plugin", "list"]);
    assert!(said.contains("No plugin is installed"), "{said}");
    signs(&fs::read(&rule).unwrap());
    let (_, said, _) = school.ran(&["plugin", "inspect", &rule]);
    assert!(said.contains("--signed-by"), "{said}");
    let (code, said, error) = add(&signed);
    assert!(code == 0 && said.contains(&key), "{said}{error}");
    let (_, said, _) = school.ran(&["plugin", "list", "--json"]);
    let listed: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(listed[0]["signed_by"], key);
    let (code, _, error) = school.ran(&["plugin", "disable", "nobody"]);
    assert!(
        code == 1 && error.contains("narthex plugin list"),
        "{error}"
    );
}

#[test]
fn a_plugin_is_tried_and_timed_before_anybody_meets_it_and_no_candidate_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let rule = component(folder.path(), "no_mascot", "password-rule");
    let (code, said, error) = judged(&["plugin", "test", &rule], &[TIGERS, PASSWORD]);
    assert_eq!(code, 3, "{error}");
    assert_eq!(said, "refused: no_mascot.no_mascot\ntaken\n");
    let (code, said, error) = ran(&["plugin", "bench", &rule, "--calls", "50", "--json"]);
    assert_eq!(code, 0, "{error}");
    let figures: Value = serde_json::from_str(&said).unwrap();
    assert!(
        figures["call_us"].as_f64().unwrap() > 0.0 && figures["calls"] == 50,
        "{said}"
    );
    assert_eq!(figures["faults"], serde_json::json!({}));
}

#[test]
fn every_template_is_written_with_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    for (language, source) in [
        ("rust", "src/lib.rs"),
        ("c", "no_lions.c"),
        ("javascript", "no_lions.js"),
        ("python", "no_lions.py"),
    ] {
        let into = folder.path().join(language);
        let into_text = into.to_str().unwrap();
        let words = [
            "plugin",
            "new",
            "no_lions",
            "--language",
            language,
            "--into",
            into_text,
        ];
        let (code, said, error) = ran(&words);
        assert_eq!(code, 0, "{error}");
        assert!(said.contains("README.md"), "{said}");
        let text = fs::read_to_string(into.join(source)).unwrap();
        assert!(
            text.contains("no_lions") && !text.contains("no_mascot"),
            "{language}"
        );
        assert!(into.join("wit/password-rule.wit").exists(), "{language}");
        for entry in fs::read_dir(&into).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.display();
                assert!(
                    !text.contains("bindings/"),
                    "{path}: a path of ours is not there"
                );
            }
        }
        let (code, _, error) = ran(&words);
        assert!(code == 2 && error.contains("is there already"), "{error}");
    }
    let manifest = fs::read_to_string(folder.path().join("rust/Cargo.toml")).unwrap();
    assert!(manifest.contains("path = \"narthex-guest\""), "{manifest}");
    let sdk = fs::read_to_string(folder.path().join("rust/narthex-guest/src/lib.rs")).unwrap();
    assert!(
        sdk.contains("path: \"../wit\""),
        "the SDK finds the WIT files"
    );
}

#[test]
#[ignore = "needs rustup's target wasm32-unknown-unknown: cargo xtask test wasm"]
fn the_template_in_rust_builds_as_its_readme_says_and_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("no_lions");
    let words = [
        "plugin",
        "new",
        "no_lions",
        "--into",
        into.to_str().unwrap(),
    ];
    assert_eq!(ran(&words).0, 0);
    let readme = fs::read_to_string(into.join("README.md")).unwrap();
    let build = "cargo build --release --target wasm32-unknown-unknown";
    assert!(readme.contains(&format!("\n$ {build}\n")), "{readme}");
    let built = Command::new("cargo")
        .args(build.split(' ').skip(1))
        .current_dir(&into)
        .env("CARGO_TARGET_DIR", into.join("target"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    let module = into.join("target/wasm32-unknown-unknown/release/no_lions.wasm");
    let rule = into.join("no_lions.wasm");
    let rule = rule.to_str().unwrap();
    let words = [
        "plugin",
        "pack",
        module.to_str().unwrap(),
        "--hook",
        "password-rule",
        "--output",
        rule,
    ];
    assert_eq!(ran(&words).0, 0);
    let test = ["plugin", "test", rule, "--set", "words=tiger"];
    let (code, said, error) = judged(&test, &[TIGERS, PASSWORD]);
    assert_eq!(code, 3, "{error}");
    assert_eq!(said, "refused: no_lions.no_lions\ntaken\n");
}
