//! The binary as a person at a terminal meets it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(test)]
mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::browser::Browser;
use support::people::{Facts, claimable, sample};
use support::{Demo, Running, narthex, ran, told};

fn facts(person: &Value) -> Facts {
    let text = |name: &str| person[name].as_str().unwrap().to_owned();
    Facts {
        given_name: text("given_name"),
        family_name: text("family_name"),
        birthdate: text("birthdate"),
        login_id: text("login_id"),
    }
}

fn claim(demo: &Demo, facts: &Facts, password: &str) {
    let mut browser = Browser::new(&demo.origin());
    assert_eq!(browser.begin_claim(facts).unwrap(), 201);
    assert_eq!(browser.claim_password(password).unwrap(), 204);
    assert_eq!(browser.claim_answers().unwrap(), 204);
}

#[test]
fn every_command_has_help_with_examples() {
    let commands: [&[&str]; 23] = [
        &["demo"],
        &["serve"],
        &["roster", "import"],
        &["roster", "status"],
        &["roster", "confirm"],
        &["person", "show"],
        &["person", "check"],
        &["person", "reset-claim"],
        &["session", "list"],
        &["session", "end"],
        &["audit", "tail"],
        &["audit", "verify"],
        &["config", "show"],
        &["config", "validate"],
        &["config", "template"],
        &["completions"],
        &["hash", "calibrate"],
        &["store", "check"],
        &["store", "backup"],
        &["store", "restore"],
        &["store", "copy"],
        &["store", "accept-clock"],
        &["doctor"],
    ];
    for command in commands {
        let words: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let (code, out, _) = ran(&words);
        assert_eq!(code, 0, "{command:?}");
        let example = format!("\n  narthex {}", command.join(" "));
        assert!(out.contains("Examples:") && out.contains(&example), "{out}");
    }
    let (_, out, _) = ran(&["--help"]);
    for code in [
        "0  done",
        "1  something",
        "2  the command line",
        "3  refused",
    ] {
        assert!(out.contains(code), "{out}");
    }
}

#[cfg(not(feature = "plugins"))]
#[test]
fn a_build_without_plugins_says_which_has_them_and_does_not_serve_what_plugins_guard() {
    for words in [
        &["plugin", "list"][..],
        &["plugin", "--help"],
        &["plugin", "add", "no_mascot.wasm", "--unsigned"],
    ] {
        let (code, _, error) = ran(words);
        assert!(
            code == 2 && error.contains("--features plugins"),
            "{words:?}: {error}"
        );
    }
    let (_, out, _) = ran(&["--help"]);
    assert!(!out.contains("plugin"), "{out}");
    let folder = tempfile::tempdir().unwrap();
    let school = support::school::School::new(folder.path(), "");
    let installed = folder.path().join("store/portal.redb.plugins/curfew");
    fs::create_dir_all(&installed).unwrap();
    fs::write(installed.join("plugin.toml"), "").unwrap();
    let (code, _, error) = school.ran(&["serve"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("this build cannot run them"), "{error}");
}

#[test]
fn the_version_is_told_and_an_unknown_command_is_exit_code_2() {
    let (code, out, _) = ran(&["--version"]);
    assert_eq!(
        (code, out.trim()),
        (0, concat!("narthex ", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(ran(&["dmeo"]).0, 2);
    assert_eq!(ran(&[]).0, 2);
}

#[test]
fn the_demo_shows_people_to_try_and_leads_to_the_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let people = demo.ready["people"].as_array().unwrap();
    assert_eq!(people.len(), 3);
    assert_eq!(demo.ready["added"], 98);
    let mut browser = Browser::new(&demo.origin());
    let root = browser.call("GET", "/", None).unwrap();
    assert_eq!(
        (root.status, root.header("location")),
        (303, Some("/login"))
    );
    assert_eq!(browser.call("GET", "/healthz", None).unwrap().status, 200);
    assert_eq!(browser.call("TRACE", "/login", None).unwrap().status, 405);
    let mut browser = Browser::new(&demo.origin());
    assert_eq!(browser.begin_claim(&facts(&people[0])).unwrap(), 201);
}

#[test]
fn a_reader_that_leaves_early_does_not_harm() {
    let mut command = narthex(&[
        "roster",
        "import",
        sample(),
        "--dry-run",
        "--data",
        "/nowhere",
    ]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let (code, _, error) = told(child.wait_with_output().unwrap());
    assert_eq!((code, error.as_str()), (0, ""));
}

#[test]
fn ctrl_c_and_sigterm_end_the_demo_in_good_order_though_an_event_stream_is_open() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = tempfile::tempdir().unwrap();
        let demo = Demo::start(folder.path());
        let facts = facts(&demo.ready["people"][0]);
        claim(&demo, &facts, "four wet pianos sang");
        let mut browser = Browser::new(&demo.origin());
        assert_eq!(
            browser
                .log_in(&facts.login_id, "four wet pianos sang")
                .unwrap(),
            201
        );
        let listening = std::thread::spawn(move || browser.call("GET", "/api/v1/events", None));
        std::thread::sleep(Duration::from_millis(300));
        let (status, waited) = demo.end_by(signal);
        assert_eq!(status.code(), Some(0), "{signal:?}");
        assert!(waited < Duration::from_secs(2), "{waited:?}");
        let stream = listening.join().unwrap().unwrap();
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    }
}

#[test]
fn a_second_start_remembers_who_claimed_and_proposes_others() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let first = facts(&demo.ready["people"][0]);
    claim(&demo, &first, "four wet pianos sang");
    demo.end_by(Signal::INT);
    let demo = Demo::start(folder.path());
    assert_eq!(
        (&demo.ready["claimed"], &demo.ready["added"]),
        (&1.into(), &0.into())
    );
    let proposed = demo.ready["people"].as_array().unwrap();
    assert!(
        proposed
            .iter()
            .all(|person| person["login_id"] != first.login_id.as_str())
    );
    let mut browser = Browser::new(&demo.origin());
    assert_eq!(browser.begin_claim(&first).unwrap(), 403);
    assert_eq!(
        browser
            .log_in(&first.login_id, "four wet pianos sang")
            .unwrap(),
        201
    );
    assert_eq!(browser.session().unwrap(), 200);
}

#[test]
fn the_demo_takes_the_next_port_and_says_so_but_not_in_place_of_one_that_was_asked_for() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = folder.path().to_str().unwrap();
    let (code, _, error) = ran(&["demo", "--listen", &address, "--data", data]);
    assert_eq!(code, 1);
    assert!(error.contains("--listen 127.0.0.1:0"), "{error}");
    assert!(
        !folder.path().join("store").exists(),
        "nothing was made before"
    );
}

#[test]
fn the_demo_does_not_listen_where_others_could_read_along() {
    let (code, _, error) = ran(&["demo", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, 2);
    for told in ["plain http", "ssh -L", "narthex serve"] {
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let import = |more: &[&str]| {
        let mut words = vec!["roster", "import", sample(), "--data", data, "--json"];
        words.extend(more);
        let (code, out, error) = ran(&words);
        assert_eq!(code, 0, "{error}");
        serde_json::from_str::<Value>(&out).unwrap()["import"].clone()
    };
    assert_eq!(import(&["--dry-run"])["added"], 98);
    assert!(
        !folder.path().join("store").exists(),
        "there was no store, and there is none"
    );
    assert_eq!(import(&[])["added"], 98);
    assert_eq!(import(&["--dry-run"])["unchanged"], 98);

    let other = tempfile::tempdir().unwrap();
    let less = one_person_less(other.path());
    let words = [
        "roster",
        "import",
        &less,
        "--data",
        data,
        "--json",
        "--dry-run",
    ];
    let (_, out, _) = ran(&words);
    let would: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(would["import"]["deactivated"], 1, "{out}");
    let (_, out, _) = ran(&["roster", "status", "--data", data, "--json"]);
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&status["active"], &status["inactive"]),
        (&98.into(), &0.into())
    );
}

/// The sample school without its last person.
fn one_person_less(folder: &Path) -> String {
    let sample = Path::new(sample()).parent().unwrap();
    let last = claimable().pop().unwrap().login_id;
    for name in [
        "manifest.csv",
        "orgs.csv",
        "users.csv",
        "roles.csv",
        "demographics.csv",
    ] {
        let text = fs::read_to_string(sample.join(name)).unwrap();
        let about_last = |line: &&str| line.split(',').any(|value| value == last);
        let kept: Vec<&str> = text.lines().filter(|line| !about_last(line)).collect();
        fs::write(folder.join(name), kept.join("\n") + "\n").unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

#[test]
fn the_office_sees_a_person_checks_facts_and_takes_a_claim_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let demo = Demo::start(folder.path());
    let person = facts(&demo.ready["people"][0]);
    claim(&demo, &person, "four wet pianos sang");
    demo.end_by(Signal::INT);
    let number = person.login_id.as_str();

    let (code, out, _) = ran(&["person", "show", number, "--data", data]);
    assert_eq!(code, 0);
    assert!(
        out.contains(&person.family_name) && out.contains("claimed           yes"),
        "{out}"
    );
    assert!(!out.contains(&person.birthdate), "{out}");

    let check = |birthdate: &str| {
        let names = [
            "--given-name",
            &person.given_name,
            "--family-name",
            &person.family_name,
        ];
        let mut words = vec!["person", "check", number, "--data", data, "--json"];
        words.extend(names);
        words.extend(["--birthdate", birthdate]);
        let (code, out, _) = ran(&words);
        assert!(!out.contains(&person.birthdate), "{out}");
        (code, serde_json::from_str::<Value>(&out).unwrap())
    };
    let (code, told) = check("1990-01-01");
    assert_eq!(
        (code, &told["names_match"], &told["birthdate_matches"]),
        (3, &true.into(), &false.into())
    );

    let (code, _, error) = ran(&["person", "reset-claim", number, "--data", data]);
    assert!(code == 2 && error.contains("--yes"), "{error}");
    assert_eq!(
        ran(&["person", "reset-claim", number, "--yes", "--data", data]).0,
        0
    );
    assert_eq!(
        ran(&["person", "reset-claim", number, "--yes", "--data", data]).0,
        3
    );
    let (_, out, _) = ran(&["person", "show", number, "--data", data, "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&told["claimed"], &told["status"]),
        (&false.into(), &"reset".into())
    );
    assert_eq!(ran(&["person", "show", "NOBODY", "--data", data]).0, 3);
}

#[test]
fn serve_tells_what_is_wrong_with_a_configuration_and_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("narthex.toml");
    let path = file.to_str().unwrap();
    fs::write(
        &file,
        "base_url = \"http://127.0.0.1:1\"\n\n[store]\nulr = \"memory:\"\n",
    )
    .unwrap();
    let (code, _, error) = ran(&["serve", "--config", path]);
    assert_eq!(code, 2);
    for told in ["narthex.toml:4:1", "`store.ulr`", "`url`"] {
        assert!(error.contains(told), "{error}");
    }
    let unsaid = "base_url = \"https://portal.school.example\"\n[store]\nurl = \"memory:\"\n";
    fs::write(&file, unsaid).unwrap();
    let (code, _, error) = ran(&["serve", "--config", path, "--check"]);
    assert_eq!(code, 2);
    for told in [
        "`claim.policy` is missing",
        "\"facts\"",
        "\"facts+code\"",
        "letter",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
    let good = format!("{unsaid}[claim]\npolicy = \"facts\"\n");
    fs::write(&file, good).unwrap();
    assert_eq!(ran(&["serve", "--config", path, "--check"]).0, 0);
    let mut command = narthex(&["serve", "--config", path, "--check"]);
    let output = command.env("NARTHEX_LISTEN", "nowhere").output().unwrap();
    let (code, _, error) = told(output);
    assert!(code == 2 && error.contains("NARTHEX_LISTEN"), "{error}");
    let missing = folder.path().join("absent.toml");
    let (code, _, error) = ran(&["serve", "--config", missing.to_str().unwrap()]);
    assert!(code == 2 && error.contains("absent.toml"), "{error}");
}

#[test]
fn serve_runs_by_its_configuration_and_sigterm_ends_it_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("narthex.toml");
    let store = folder.path().join("store").join("portal.redb");
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let text = format!(
        "base_url = \"http://127.0.0.1:{port}/school\"\nlisten = \"127.0.0.1:{port}\"\n\
         [store]\nurl = \"redb://{}\"\n[site]\nname = \"North High\"\n\
         [claim]\npolicy = \"facts\"\n",
        store.display()
    );
    fs::write(&file, text).unwrap();
    let place = ["--config", file.to_str().unwrap()];
    let import = ["roster", "import", sample(), place[0], place[1]];
    let (code, out, error) = ran(&import);
    assert_eq!(code, 0, "{out}{error}");
    let server = Running::start(narthex(&["serve", "--json", place[0], place[1]]));
    let origin = format!("http://127.0.0.1:{port}");
    let mut browser = Browser::new(&origin);
    assert_eq!(
        browser.call("GET", "/school/healthz", None).unwrap().status,
        200
    );
    let page = browser.call("GET", "/school/login", None).unwrap();
    assert!(page.text().contains("North High"), "{}", page.text());
    let (status, waited) = server.end_by(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    assert!(waited < Duration::from_secs(2), "{waited:?}");
}

#[test]
fn who_types_localhost_is_led_to_the_address_that_the_demo_answers_to() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let localhost = demo.origin().replace("127.0.0.1", "localhost");
    let mut browser = Browser::new(&demo.origin()).called(&localhost);
    let reply = browser
        .call("GET", "/login?return_to=/account", None)
        .unwrap();
    let there = format!("{}/login?return_to=/account", demo.origin());
    assert_eq!(
        (reply.status, reply.header("location")),
        (307, Some(there.as_str()))
    );
}

#[test]
fn the_demo_takes_a_roster_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let sds = Path::new(sample())
        .parent()
        .unwrap()
        .with_file_name("sds-v1-100-users");
    let demo = Demo::start_with(folder.path(), &["--roster", sds.to_str().unwrap()]);
    assert!(demo.ready["added"].as_u64().unwrap() > 0, "{}", demo.ready);
    demo.end_by(Signal::INT);
    let data = folder.path().join("other");
    let words = [
        "demo",
        "--roster",
        "nowhere.zip",
        "--data",
        data.to_str().unwrap(),
    ];
    let (code, _, error) = ran(&words);
    assert!(code == 1 && error.contains("nowhere.zip"), "{error}");
}

#[test]
fn the_log_has_lines_of_requests_and_no_secret_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let log = folder.path().join("log");
    let words = ["demo", "--json", "--listen", "127.0.0.1:0", "--data", data];
    let mut child = narthex(&words)
        .env("NARTHEX_LOG", "trace")
        .stderr(fs::File::create(&log).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let origin = ready["url"]
        .as_str()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let person = facts(&ready["people"][0]);
    let mut browser = Browser::new(&origin);
    assert_eq!(browser.begin_claim(&person).unwrap(), 201);
    assert_eq!(browser.claim_password("four wet pianos sang").unwrap(), 204);
    assert_eq!(browser.claim_answers().unwrap(), 204);
    assert_eq!(
        browser
            .log_in(&person.login_id, "four wet pianos sang")
            .unwrap(),
        201
    );
    let cookies = format!("{browser:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    let log = fs::read_to_string(&log).unwrap();
    assert!(
        log.contains("/api/v1/session") && log.contains("201"),
        "{log}"
    );
    let token = cookies
        .split('"')
        .find(|part| part.len() == 64)
        .expect("a session cookie");
    for secret in ["pianos", "Knits", "Parade", &person.birthdate, token] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn the_unit_of_systemd_is_one_that_systemd_takes() {
    let unit = include_str!("../packaging/narthex.service");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("narthex.service");
    fs::write(
        &file,
        unit.replace("/usr/local/bin/narthex", env!("CARGO_BIN_EXE_narthex")),
    )
    .unwrap();
    let mut verify = std::process::Command::new("systemd-analyze");
    let Ok(output) = verify.args(["verify", "--man=no"]).arg(&file).output() else {
        return; // No systemd here.
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("narthex"))
        .collect();
    assert!(ours.is_empty(), "{said}");
}

#[test]
fn completions_know_the_commands_of_each_shell() {
    for (shell, told) in [
        ("bash", "narthex__subcmd__session"),
        ("zsh", "#compdef narthex"),
        ("fish", "complete -c narthex"),
    ] {
        let (code, out, _) = ran(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(
            out.contains(told) && out.contains("session"),
            "{shell}: {out}"
        );
    }
    assert_eq!(ran(&["completions", "dos"]).0, 2);
}

#[test]
fn the_template_is_a_configuration_and_show_tells_what_is_in_force_and_where_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("narthex.toml");
    let (code, template, _) = ran(&["config", "template"]);
    assert_eq!(code, 0);
    fs::write(&file, template).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let (code, out, error) = ran(&["config", "validate", config[0], config[1]]);
    assert_eq!(
        (code, out.as_str()),
        (0, "The configuration is good.\n"),
        "{error}"
    );
    let mut command = narthex(&["config", "show", config[0], config[1], "--json"]);
    command.env("NARTHEX_SESSION_INACTIVITY_TIMEOUT", "90m");
    let (code, out, error) = told(command.output().unwrap());
    assert_eq!(code, 0, "{error}");
    let shown: Value = serde_json::from_str(&out).unwrap();
    let of = |setting: &str| {
        let all = shown["settings"].as_array().unwrap();
        let one = all.iter().find(|one| one["setting"] == setting).unwrap();
        (
            one["value"].as_str().unwrap_or("-").to_owned(),
            one["origin"].to_string(),
        )
    };
    let (value, origin) = of("session.inactivity_timeout");
    assert_eq!(value, "\"90m\"");
    assert!(
        origin.contains("NARTHEX_SESSION_INACTIVITY_TIMEOUT"),
        "{origin}"
    );
    let (value, origin) = of("site.name");
    assert_eq!(value, "\"School Portal\"");
    assert!(origin.contains("narthex.toml:"), "{origin}");
    assert_eq!(of("hash.workers").1, "\"default\"");
    fs::write(&file, "base_url = \"https://a.example\"\n").unwrap();
    let (code, _, error) = ran(&["config", "validate", config[0], config[1]]);
    assert!(code == 2 && error.contains("store.url"), "{error}");
}

#[test]
fn hash_calibrate_proposes_parameters_that_a_configuration_takes() {
    let (code, out, error) = ran(&["hash", "calibrate", "--milliseconds", "20", "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    let number = |name: &str| told[name].as_u64().unwrap();
    assert!(
        number("memory_kib") >= 19_456,
        "never below the floor: {told}"
    );
    let fits = number("milliseconds") <= 20;
    assert_eq!(
        (code == 0, &told["fits"]),
        (fits, &fits.into()),
        "{told}{error}"
    );
    let text = format!(
        "base_url = \"https://a.example\"\n[store]\nurl = \"memory:\"\n\
         [claim]\npolicy = \"facts\"\n[hash]\n\
         memory_kib = {}\niterations = {}\nparallelism = {}\n",
        number("memory_kib"),
        number("iterations"),
        number("parallelism")
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("narthex.toml");
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(ran(&["config", "validate", "--config", file]).0, 0);
    assert_eq!(ran(&["hash", "calibrate", "--milliseconds", "1"]).0, 2);
}
