//! Commands while a server holds the store, and while none does.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(test)]
mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use rustix::process::{Signal, geteuid};
use serde_json::{Value, json};
use support::people::{claimable, sample};
use support::school::School;
use support::{Demo, Running, narthex, ran, told};

fn socket(folder: &Path) -> PathBuf {
    folder.join("store").join("portal.redb.sock")
}

/// A store with the sample school, and `serve` on it.
fn serving(folder: &Path) -> Running {
    let school = School::new(folder, "");
    assert_eq!(school.ran(&["roster", "import", sample()]).0, 0);
    school.serve()
}

fn sample_folder() -> String {
    let folder = Path::new(sample()).parent().unwrap();
    folder.to_str().unwrap().to_owned()
}

/// What a server answers to one line.
fn answers(folder: &Path, line: &str) -> Vec<Value> {
    let mut stream = UnixStream::connect(socket(folder)).unwrap();
    stream.write_all(line.as_bytes()).unwrap();
    let lines = BufReader::new(stream).lines();
    lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

#[test]
fn a_command_says_the_same_whether_a_server_holds_the_store_or_none_does() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let server = serving(folder.path());
    let person = claimable().swap_remove(0);
    let (number, given, family) = (person.login_id, person.given_name, person.family_name);
    let folder_of_files = sample_folder();
    let commands: Vec<Vec<&str>> = vec![
        vec!["roster", "status"],
        vec!["roster", "import", sample(), "--dry-run"],
        vec!["roster", "import", &folder_of_files],
        vec!["person", "show", &number],
        vec!["person", "show", "NOBODY"],
        vec![
            "person",
            "check",
            &number,
            "--given-name",
            &given,
            "--family-name",
            &family,
            "--birthdate",
            "1990-01-01",
        ],
        vec!["person", "reset-claim", &number],
        vec!["roster", "import", "/nowhere.zip", "--dry-run"],
    ];
    let all = || -> Vec<(i32, String, String)> {
        let forms = commands
            .iter()
            .flat_map(|words| [(words, false), (words, true)]);
        forms
            .map(|(words, json)| {
                let mut words = words.clone();
                words.extend(["--data", data]);
                words.extend(json.then_some("--json"));
                ran(&words)
            })
            .collect()
    };
    let through_the_server = all();
    server.end_by(Signal::INT);
    let alone = all();
    for (index, (one, other)) in through_the_server.iter().zip(&alone).enumerate() {
        assert_eq!(
            one.0,
            other.0,
            "{:?}: {one:?} {other:?}",
            commands[index / 2]
        );
        assert_eq!(one.1, other.1, "{:?}", commands[index / 2]);
    }
    let status: Value = serde_json::from_str(&alone[1].1).unwrap();
    assert_eq!(status["active"], 98);
}

#[test]
fn what_a_command_changes_through_the_server_is_kept_and_audited() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let demo = Demo::start(folder.path());
    let person = &demo.ready["people"][0];
    let facts = support::people::Facts {
        given_name: person["given_name"].as_str().unwrap().to_owned(),
        family_name: person["family_name"].as_str().unwrap().to_owned(),
        birthdate: person["birthdate"].as_str().unwrap().to_owned(),
        login_id: person["login_id"].as_str().unwrap().to_owned(),
    };
    let password = "four wet pianos sang";
    let mut browser = support::browser::Browser::new(&demo.origin());
    assert_eq!(browser.begin_claim(&facts).unwrap(), 201);
    assert_eq!(browser.claim_password(password).unwrap(), 204);
    assert_eq!(browser.claim_answers().unwrap(), 204);
    assert_eq!(browser.log_in(&facts.login_id, password).unwrap(), 201);
    let number = facts.login_id.as_str();
    let reset = ["person", "reset-claim", number, "--yes", "--data", data];
    assert_eq!(ran(&reset).0, 0);
    assert_eq!(
        browser.session().unwrap(),
        401,
        "at once, in the running server"
    );
    assert_eq!(ran(&reset).0, 3);
    demo.kill_minus_nine();
    let (_, out, _) = ran(&["person", "show", number, "--data", data, "--json"]);
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&shown["claimed"], &shown["status"]),
        (&false.into(), &"reset".into())
    );
}

#[test]
fn the_socket_is_for_its_owner_and_goes_when_the_server_goes() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket(folder.path());
    let demo = Demo::start(folder.path());
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    demo.end_by(Signal::TERM);
    assert!(!socket.exists());
}

#[test]
fn a_socket_that_a_killed_server_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let status = ["roster", "status", "--data", data];
    Demo::start(folder.path()).kill_minus_nine();
    assert!(socket(folder.path()).exists());
    assert_eq!(ran(&status).0, 0, "no server: the command opens the store");
    let demo = Demo::start(folder.path());
    assert_eq!(
        ran(&status).0,
        0,
        "the next server has put its own in its place"
    );
    assert_eq!(answers(folder.path(), &question("roster_status")).len(), 1);
    demo.end_by(Signal::TERM);
}

fn question(request: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "{}\n",
        json!({ "version": version, "request": { request: {} } })
    )
}

#[test]
fn another_user_is_told_whose_the_server_is() {
    if !geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    for path in [folder.path(), &folder.path().join("store")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let command = [
        "roster",
        "status",
        "--data",
        folder.path().to_str().unwrap(),
    ];
    let (code, _, error) = told(narthex(&command).uid(65_534).output().unwrap());
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("sudo -u USER"), "{error}");
    // Even where the mode of the socket lets everybody in, the server looks who it is.
    fs::set_permissions(socket(folder.path()), fs::Permissions::from_mode(0o666)).unwrap();
    let (code, out, error) = told(narthex(&command).uid(65_534).output().unwrap());
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    assert!(error.contains("its own user"), "{error}");
    drop(demo);
}

#[test]
fn a_command_of_another_build_is_told_so_and_nothing_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let _demo = Demo::start(folder.path());
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        json!({ "version": "0.0.7", "request": { "roster_status": {} } }),
        json!({ "version": "0.0.7", "request": { "what_will_be": [1, 2] } }),
        json!({ "version": version, "request": { "what_will_be": {} } }),
        json!({ "version": version, "request": { "person_show": { "number": 1 } } }),
        json!("hello"),
    ] {
        let told = answers(folder.path(), &format!("{line}\n"));
        assert_eq!(told.len(), 1, "{line}: {told:?}");
        let message = told[0]["failed"]["message"].as_str().unwrap();
        assert!(message.contains("another build"), "{line}: {message}");
    }
}

#[test]
fn a_server_that_dies_or_speaks_otherwise_is_a_clear_error() {
    for (answer, said) in [
        ("", "went away before it answered"),
        ("{\"perhaps\":1}\n", "of another build"),
        (
            "{\"progress\":{\"what\":\"x\",\"done\":1,\"of\":2}}\n",
            "went away",
        ),
        ("{\"done\":{\"active\":\"many\"}}\n", "of another build"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("store")).unwrap();
        fs::write(folder.path().join("store").join("portal.redb"), "").unwrap();
        let listener = UnixListener::bind(socket(folder.path())).unwrap();
        let server = std::thread::spawn(move || {
            drop(listener.accept().unwrap()); // a look whether somebody listens
            let (stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            (&stream).write_all(answer.as_bytes()).unwrap();
        });
        let data = folder.path().to_str().unwrap();
        let (code, out, error) = ran(&["roster", "status", "--data", data]);
        assert_eq!((code, out.as_str()), (1, ""), "{answer}");
        assert!(error.contains(said), "{answer}: {error}");
        server.join().unwrap();
    }
}

#[test]
fn an_import_through_the_server_tells_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let _server = serving(folder.path());
    let zip = data_encoding::BASE64.encode(&fs::read(sample()).unwrap());
    let import = json!({
        "files": { "file": ["package.zip", zip] }, "dry_run": true, "format": "auto",
        "date_order": null, "number_column": null,
    });
    let version = env!("CARGO_PKG_VERSION");
    let question = json!({ "version": version, "request": { "roster_import": import } });
    let told = answers(folder.path(), &format!("{question}\n"));
    let (last, progress) = told.split_last().unwrap();
    assert!(!progress.is_empty());
    for step in progress {
        assert_eq!(
            (&step["progress"]["of"], &step["progress"]["what"]),
            (&98.into(), &"Judging".into())
        );
    }
    assert_eq!(last["done"]["import"]["unchanged"], 98);
    // A path is not a thing that a client can make a server open.
    let mut question = question;
    question["request"]["roster_import"]["files"] = json!({ "path": sample() });
    let told = answers(folder.path(), &format!("{question}\n"));
    assert!(told[0]["failed"].is_object(), "{told:?}");
}

#[test]
fn commands_at_once_all_get_their_answer_with_a_server_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let server = serving(folder.path());
    let many = || {
        let words = ["roster", "import", sample(), "--data", data, "--json"];
        let children: Vec<_> = (0..4)
            .map(|_| {
                let mut command = narthex(&words);
                command.stdout(std::process::Stdio::piped());
                command.stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for child in children {
            let (code, out, error) = told(child.wait_with_output().unwrap());
            assert_eq!(code, 0, "{out}{error}");
        }
    };
    many();
    server.end_by(Signal::INT);
    many();
}
