//! `narthex init`: from nothing to a portal that serves.
#![cfg(unix)]

#[cfg(test)]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use support::people::sample;
use support::{Running, narthex, ran, told};

#[test]
fn from_nothing_to_a_portal_that_serves_in_the_steps_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("etc/narthex.toml");
    let data = folder.path().join("data");
    let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
    let init = |more: &[&str]| {
        let mut words = vec!["init", "--config", config, "--data", data];
        words.extend(more);
        ran(&words)
    };
    let (code, _, error) = init(&[]);
    assert!(code == 2 && error.contains("--base-url"), "{error}");
    let url = ["--base-url", "http://127.0.0.1:8080"];
    let (code, _, error) = init(&url);
    assert!(
        code == 2 && error.contains("--claim-policy"),
        "no silent default: {error}"
    );
    let (code, _, error) = init(&["--base-url", "portal", "--claim-policy", "facts"]);
    assert!(code == 2 && error.contains("base_url"), "{error}");
    assert!(
        !folder.path().join("etc/narthex.toml").exists(),
        "nothing half written"
    );
    assert_eq!(fs::read_dir(folder.path().join("etc")).unwrap().count(), 0);
    let good = [url.as_slice(), &["--claim-policy", "facts+code"]].concat();
    let (code, out, error) = init(&good);
    assert_eq!(code, 0, "{error}");
    for next in [
        "roster import",
        "person create",
        "claim-code",
        "serve",
        "systemd",
        "doctor",
    ] {
        assert!(out.contains(next), "{next}: {out}");
    }
    for part in ["store", "keys"] {
        let mode = fs::metadata(format!("{data}/{part}"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{part}");
    }
    let written = fs::read_to_string(config).unwrap();
    let comments = written.lines().filter(|line| line.starts_with('#')).count();
    assert!(comments > 50, "it says what each setting does");
    // Again: nothing is overwritten.
    let (code, _, error) = init(&good);
    assert!(code == 1 && error.contains("was left as it is"), "{error}");
    assert_eq!(fs::read_to_string(config).unwrap(), written);

    let (code, _, error) = ran(&["roster", "import", sample(), "--config", config]);
    assert_eq!(code, 0, "{error}");
    let words = [
        "serve",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--config",
        config,
    ];
    let server = Running::start(narthex(&words));
    assert_eq!(server.ready["url"], "http://127.0.0.1:8080/");
    drop(server);
    assert!(fs::exists(format!("{data}/keys/portal.keys")).unwrap());
    // A store that is there is not given another configuration.
    fs::remove_file(config).unwrap();
    let (code, _, error) = init(&good);
    assert!(code == 1 && error.contains("portal.redb"), "{error}");
    assert!(!fs::exists(config).unwrap());
}

#[test]
fn the_usual_places_are_here_and_the_unit_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let words = [
        "init",
        "--json",
        "--base-url",
        "https://portal.school.example",
    ];
    let words = [words.as_slice(), &["--claim-policy", "facts"]].concat();
    let made = narthex(&words).current_dir(folder.path()).output();
    let (code, out, error) = told(made.unwrap());
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("\"claim_policy\":\"facts\""), "{out}");
    let config = folder.path().join("narthex.toml");
    let (code, _, error) = ran(&["config", "validate", "--config", config.to_str().unwrap()]);
    assert_eq!(code, 0, "{error}");
    let (code, unit, _) = ran(&["config", "unit"]);
    assert!(
        code == 0 && unit.contains("ExecStart=") && unit.contains("[Install]"),
        "{unit}"
    );
}
