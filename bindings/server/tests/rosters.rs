//! Rosters of every kind through the real binary, as an office clerk would: looked at, brought in,
//! brought in again, held, confirmed.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

#[cfg(test)]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::ran;

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/rosters")
}

/// A portal's folder, and commands on it.
struct Office(tempfile::TempDir);

impl Office {
    fn open() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `narthex roster ...`: the exit code and what `--json` says.
    fn roster(&self, words: &[&str]) -> (i32, Value) {
        let data = self.path("data");
        let tail = ["--data", data.to_str().unwrap(), "--json"];
        let all: Vec<&str> = ["roster"]
            .iter()
            .chain(words)
            .chain(&tail)
            .copied()
            .collect();
        let (code, out, error) = ran(&all);
        let told = if out.is_empty() { &error } else { &out };
        let read = serde_json::from_str(told);
        (code, read.unwrap_or_else(|_| panic!("{out}{error}")))
    }

    fn import(&self, path: &Path, more: &[&str]) -> (i32, Value) {
        let words = ["import", path.to_str().unwrap()];
        self.roster(&words.iter().chain(more).copied().collect::<Vec<_>>())
    }

    fn holds(&self) -> Value {
        self.roster(&["status"]).1["holds"].clone()
    }
}

/// `[added, changed, unchanged, deactivated, held, left_out]`.
fn counts(told: &Value) -> [u64; 6] {
    [
        "added",
        "changed",
        "unchanged",
        "deactivated",
        "held",
        "left_out",
    ]
    .map(|what| told["import"][what].as_u64().unwrap_or(u64::MAX))
}

fn codes(told: &Value) -> Vec<&str> {
    let findings = told["findings"].as_array().unwrap();
    let mut codes: Vec<&str> = findings
        .iter()
        .map(|f| f["code"].as_str().unwrap())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// A copy of a sample that a test spoils.
fn copy(from: &str, to: &Path) -> PathBuf {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(samples().join(from)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "csv") {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
    to.to_owned()
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, change(text)).unwrap();
}

/// The first half of the data lines.
fn half(text: String) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[..lines.len() / 2].join("\n") + "\n"
}

#[test]
fn every_kind_of_sample_is_looked_at_brought_in_brought_in_again_held_and_confirmed() {
    for (sample, people, format) in [
        (
            "oneroster-v1p2-98-users",
            "users.csv",
            "read as OneRoster 1.2 bulk",
        ),
        (
            "oneroster-v1p1-98-users",
            "users.csv",
            "read as OneRoster 1.1 bulk",
        ),
        (
            "sds-v1-100-users",
            "Student.csv",
            "read as School Data Sync v1",
        ),
        (
            "csv-98-users/people.csv",
            "people.csv",
            "read as one plain CSV file",
        ),
        (
            "csv-98-users/personen.csv",
            "personen.csv",
            "read as one plain CSV file",
        ),
    ] {
        let office = Office::open();
        let path = samples().join(sample);
        let (code, told) = office.import(&path, &["--dry-run"]);
        assert_eq!((code, counts(&told)), (0, [98, 0, 0, 0, 0, 0]), "{sample}");
        let found = told["findings"].as_array().unwrap();
        let says = |text: &str| {
            found
                .iter()
                .any(|f| f["message"].as_str().unwrap().contains(text))
        };
        assert!(says(format), "{told}");
        assert_eq!(told["import"]["without_birthdate"], 12);
        assert!(!office.path("data/store").exists());

        assert_eq!(office.import(&path, &[]).0, 0);
        let (code, told) = office.import(&path, &[]);
        assert_eq!((code, counts(&told)), (0, [0, 0, 98, 0, 0, 0]), "{sample}");
        assert_eq!(
            told["import"]["writes"], 1,
            "the audit, and nothing else: {sample}"
        );

        // Half a file.
        let folder = copy(sample.split('/').next().unwrap(), &office.path("half"));
        edit(&folder.join(people), half);
        let path = if sample.ends_with(".csv") {
            folder.join(people)
        } else {
            folder
        };
        let (code, told) = office.import(&path, &[]);
        let [_, _, unchanged, deactivated, held, _] = counts(&told);
        assert_eq!((code, deactivated), (3, 0), "{sample}: {told}");
        assert!(held > 40 && unchanged + held == 98, "{sample}: {told}");
        assert!(codes(&told).contains(&"deactivation_held"));
        let holds = office.holds();
        let total: u64 = holds
            .as_array()
            .unwrap()
            .iter()
            .map(|h| h["missing"].as_u64().unwrap())
            .sum();
        assert_eq!(total, held);
        assert_eq!(office.roster(&["status"]).1["inactive"], 0);

        let (code, told) = office.roster(&["confirm"]);
        assert_eq!(code, 0, "{told}");
        assert_eq!(office.holds(), json!([]));
        assert_eq!(office.roster(&["status"]).1["inactive"], held);
        assert_eq!(office.roster(&["confirm"]).0, 3, "nothing is held any more");
    }
}

#[test]
fn the_two_oneroster_forms_are_one_source_and_change_nothing_in_turn() {
    let office = Office::open();
    assert_eq!(
        office
            .import(&samples().join("oneroster-v1p2-98-users/package.zip"), &[])
            .0,
        0
    );
    let (code, told) = office.import(&samples().join("oneroster-v1p1-98-users"), &[]);
    assert_eq!((code, counts(&told)), (0, [0, 0, 98, 0, 0, 0]));
    assert_eq!(told["source"], "O365-EDU-Tools");
}

#[test]
fn a_delta_changes_four_people_and_nobody_else() {
    let office = Office::open();
    office.import(&samples().join("oneroster-v1p2-98-users"), &[]);
    let delta = samples().join("oneroster-v1p2-delta");
    let (code, told) = office.import(&delta, &[]);
    // One new, one married, one moved; one gone.
    assert_eq!((code, counts(&told)), (0, [1, 2, 0, 1, 0, 0]), "{told}");
    let (code, told) = office.import(&delta, &[]);
    assert_eq!((code, counts(&told)), (0, [0, 0, 3, 0, 0, 0]), "{told}");
    let (_, status) = office.roster(&["status"]);
    assert_eq!(
        (&status["active"], &status["inactive"]),
        (&json!(98), &json!(1))
    );
}

#[test]
fn a_spoiled_sample_is_read_and_every_fault_is_told() {
    let office = Office::open();
    let folder = copy("oneroster-v1p1-98-users", &office.path("spoiled"));
    edit(&folder.join("users.csv"), |text| {
        let text = text.replace(",true,", ",TRUE,").replace('\n', "\r\n");
        format!(
            "\u{feff}{}",
            text.replace("Beulah,McMillan", "BEULAH,DE LA GARZA QUIROZ")
        )
    });
    edit(&folder.join("demographics.csv"), |text| {
        let turned = text.lines().map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            match cells[3].split('-').collect::<Vec<_>>()[..] {
                [year, month, day] => line.replace(cells[3], &format!("{day}/{month}/{year}")),
                _ => line.to_owned(),
            }
        });
        turned.collect::<Vec<_>>().join("\n") + "\n"
    });
    edit(&folder.join("manifest.csv"), |text| {
        text.replace("oneroster.version,1.1", "oneroster.version,")
            .replace("file.users,bulk", "file.users,")
    });
    let (code, told) = office.import(&folder, &[]);
    assert_eq!((code, counts(&told)), (0, [98, 0, 0, 0, 0, 0]), "{told}");
    assert_eq!(
        codes(&told),
        [
            "birthdate_missing",
            "byte_order_mark",
            "date_not_prescribed",
            "date_order_chosen",
            "format_detected",
            "manifest_value",
            "number_chosen",
            "value_case",
        ]
    );
    // The same people as in the sample, but for the one who was renamed: a claim would match.
    let (_, again) = office.import(&samples().join("oneroster-v1p1-98-users"), &[]);
    assert_eq!(counts(&again), [0, 1, 97, 0, 0, 0]);
    assert!(
        !told.to_string().contains("02/04/2000"),
        "no birthdate is shown"
    );
}

#[test]
fn missing_columns_files_and_people_stop_with_what_to_do() {
    let office = Office::open();
    let folder = copy("oneroster-v1p1-98-users", &office.path("broken"));
    edit(&folder.join("users.csv"), |text| {
        text.replacen("orgSourcedIds", "x", 1)
    });
    let (code, told) = office.import(&folder, &[]);
    assert_eq!((code, &told["import"]), (3, &Value::Null));
    assert!(codes(&told).contains(&"column_missing"), "{told}");
    fs::remove_file(folder.join("users.csv")).unwrap();
    assert!(codes(&office.import(&folder, &[]).1).contains(&"file_missing"));
    // A header alone.
    let folder = copy("oneroster-v1p1-98-users", &office.path("empty"));
    edit(&folder.join("users.csv"), |text| {
        text.lines().next().unwrap().to_owned() + "\n"
    });
    let (code, told) = office.import(&folder, &[]);
    assert!(
        code == 3 && codes(&told).contains(&"rows_missing"),
        "{told}"
    );
    assert_eq!(
        office.roster(&["status"]).1["active"],
        0,
        "nothing was imported"
    );
}

#[test]
fn what_is_not_plain_is_asked_and_the_answer_is_taken() {
    let office = Office::open();
    let path = office.path("list.csv");
    let text = "Student ID;Student Number;Forename;Surname;DOB\n\
                1;42;Ada;Byron;4/2/2000\n2;43;Ben;Okoro;5/3/2001\n";
    fs::write(&path, text).unwrap();
    let (code, told) = office.import(&path, &["--organization", "north"]);
    assert!(
        code == 1 && told["error"].as_str().unwrap().contains("--number-column"),
        "{told}"
    );
    let number = [
        "--organization",
        "north",
        "--number-column",
        "Student Number",
    ];
    let (code, told) = office.import(&path, &number);
    assert!(
        code == 1 && told["error"].as_str().unwrap().contains("--date-order"),
        "{told}"
    );
    let all: Vec<&str> = number
        .into_iter()
        .chain(["--date-order", "dmy", "--number-width", "5"])
        .collect();
    let (code, told) = office.import(&path, &all);
    assert_eq!((code, counts(&told)), (0, [2, 0, 0, 0, 0, 0]), "{told}");
    assert_eq!(told["source"], "csv-north");
    let data = office.path("data");
    let check = |birthdate: &str| {
        ran(&[
            "person",
            "check",
            "00042",
            "--given-name",
            "ada",
            "--family-name",
            "BYRON",
            "--birthdate",
            birthdate,
            "--data",
            data.to_str().unwrap(),
        ])
        .0
    };
    assert_eq!((check("2000-02-04"), check("2000-04-02")), (0, 3));
}

#[test]
fn the_wrong_file_and_another_source_change_nothing() {
    let office = Office::open();
    let school = samples().join("oneroster-v1p2-98-users");
    office.import(&school, &[]);
    let folder = copy("oneroster-v1p2-98-users", &office.path("other"));
    for file in ["users.csv", "roles.csv", "demographics.csv"] {
        edit(&folder.join(file), |text| {
            text.replace("13", "77").replace("14", "88")
        });
    }
    let (code, told) = office.import(&folder, &[]);
    assert_eq!((code, &told["import"]), (3, &Value::Null), "{told}");
    assert!(codes(&told).contains(&"roster_unrelated"), "{told}");
    let (code, told) = office.import(&school, &["--source", "elsewhere"]);
    assert_eq!((code, counts(&told)), (3, [0, 0, 0, 0, 0, 98]), "{told}");
    assert!(codes(&told).contains(&"organization_of_another_source"));
    let (code, told) = office.import(&school, &[]);
    assert_eq!((code, counts(&told)), (0, [0, 0, 98, 0, 0, 0]));
}

#[test]
fn a_hold_is_confirmed_for_one_organization_or_discarded_and_told_in_words() {
    let office = Office::open();
    office.import(&samples().join("oneroster-v1p2-98-users"), &[]);
    let folder = copy("oneroster-v1p2-98-users", &office.path("half"));
    edit(&folder.join("users.csv"), half);
    edit(&folder.join("roles.csv"), half);
    assert_eq!(office.import(&folder, &[]).0, 3);
    let data = office.path("data");
    let words = ["roster", "status", "--data", data.to_str().unwrap()];
    let (_, out, _) = ran(&words);
    assert!(
        out.contains("held:") && out.contains("narthex roster confirm"),
        "{out}"
    );
    let holds = office.holds();
    let organization = holds[0]["organization"].as_str().unwrap().to_owned();
    assert!(
        holds[0]["since"].as_str().unwrap().ends_with('Z'),
        "{holds}"
    );
    assert_eq!(
        office.roster(&["confirm", "--organization", "nowhere"]).0,
        3
    );
    let (code, told) = office.roster(&["confirm", "--organization", &organization, "--discard"]);
    assert_eq!(
        (code, &told["holds"][0]["deactivated"]),
        (0, &json!(0)),
        "{told}"
    );
    assert_eq!(
        office.holds().as_array().unwrap().len(),
        holds.as_array().unwrap().len() - 1
    );
    assert_eq!(
        office.roster(&["confirm", "--organization", "not an id"]).0,
        2
    );
    // The whole file again settles the rest.
    assert_eq!(
        office
            .import(&samples().join("oneroster-v1p2-98-users"), &[])
            .0,
        0
    );
    assert_eq!(office.holds(), json!([]));
}
