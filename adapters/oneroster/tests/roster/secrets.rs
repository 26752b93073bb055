//! No birthdate and no password leaves through a finding, an error or a `Debug`; nothing panics.

use proptest::prelude::*;

use crate::common::*;

const PASSWORD: &str = "canary-Passw0rd";
/// The canary birthdate, as any part of the reader might write it.
const BORN: [&str; 6] = [
    "1987-11-23",
    "11/23/1987",
    "23/11/1987",
    "11/23/87",
    "19871123",
    "1987, 11",
];

/// Everything a caller might print.
fn everything(files: Files) -> String {
    match files.read_with(&options()) {
        Ok(reading) => format!("{reading:?} {:#?}", reading.findings),
        Err(error) => format!("{error} {error:?}"),
    }
}

#[track_caller]
fn keeps_secrets(files: Files) {
    let text = everything(files);
    for canary in BORN.iter().chain([&PASSWORD]) {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
}

fn oneroster(born: &str) -> Files {
    Files::oneroster()
        .value("users.csv", 2, "password", PASSWORD)
        .value("users.csv", 3, "password", PASSWORD)
        .value("demographics.csv", 2, "birthDate", born)
}

fn sds(born: &str) -> Files {
    Files::sds()
        .value("Student.csv", 2, "Password", PASSWORD)
        .value("Teacher.csv", 2, "Password", PASSWORD)
        .value("Student.csv", 2, "Birthdate", born)
}

#[test]
fn passwords_are_told_of_once_per_file_and_never_shown() {
    let reading = oneroster("1987-11-23").read();
    assert_eq!(
        news(&reading),
        ["password_ignored users.csv:2 password ****"]
    );
    everybody_but(&reading, &Files::oneroster(), &["13001"]);
}

#[test]
fn no_way_of_writing_a_birthdate_shows_it() {
    for born in BORN {
        keeps_secrets(oneroster(&born.replace(',', "")));
        keeps_secrets(sds(&born.replace(',', "")));
    }
}

#[test]
fn a_row_whose_values_shifted_shows_none_of_them() {
    for from in 0..14 {
        let without = |line: &str, index: usize| {
            let mut values: Vec<&str> = line.split(',').collect();
            values.remove(index);
            values.join(",")
        };
        keeps_secrets(sds("11/23/1987").line("Student.csv", 2, |line| without(line, from)));
        keeps_secrets(oneroster("1987-11-23").line("users.csv", 2, |line| without(line, from)));
        let demographics = oneroster("1987-11-23");
        keeps_secrets(demographics.line("demographics.csv", 2, |line| without(line, from)));
        let comma = |line: &str| {
            let mut values: Vec<&str> = line.split(',').collect();
            values.insert(from, "");
            values.join(",")
        };
        keeps_secrets(sds("11/23/1987").line("Student.csv", 2, comma));
        keeps_secrets(oneroster("1987-11-23").line("users.csv", 2, comma));
        keeps_secrets(oneroster("1987-11-23").line("demographics.csv", 2, comma));
    }
}

#[test]
fn a_file_without_a_header_does_not_show_its_first_person() {
    let headless = |files: Files, file: &str| {
        let text = files.text(file);
        let (_, rows) = text.split_once('\n').unwrap();
        let rows = rows.to_owned();
        files.set(file, rows)
    };
    keeps_secrets(headless(sds("11/23/1987"), "Student.csv"));
    keeps_secrets(headless(oneroster("1987-11-23"), "users.csv"));
    keeps_secrets(headless(oneroster("1987-11-23"), "demographics.csv"));
}

#[test]
fn a_birthdate_in_the_wrong_column_is_masked() {
    let shown = |files: Files, canary: &str| {
        let findings = format!("{:?}", files.read().findings);
        assert!(
            findings.contains("****") && !findings.contains(canary),
            "{findings}"
        );
    };
    for column in [
        "sourcedId",
        "enabledUser",
        "givenName",
        "primaryOrgSourcedId",
    ] {
        let value = "1987-11-23\u{202e}";
        shown(
            Files::oneroster().value("users.csv", 2, column, value),
            "1987-11-23",
        );
    }
    for column in [
        "SIS ID",
        "School SIS ID",
        "First Name",
        "Status",
        "Student Number",
    ] {
        let value = "11/23/1987\u{202e}";
        shown(
            Files::sds().value("Student.csv", 2, column, value),
            "11/23/1987",
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes_in_any_file_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        file in 0_usize..5,
        keep_header: bool,
    ) {
        for files in [Files::oneroster(), Files::sds()] {
            let name = files.0.keys().nth(file).unwrap().clone();
            let mut content = Vec::new();
            if keep_header {
                content.extend_from_slice(files.text(&name).lines().next().unwrap().as_bytes());
                content.push(b'\n');
            }
            content.extend_from_slice(&bytes);
            drop(files.set(&name, content).read_with(&options()));
        }
    }

    #[test]
    fn csv_like_text_never_panics_and_findings_are_short_and_printable(
        text in "([a-z0-9/\",\u{202e}\r\n-]{0,12}[,\"\n]){0,60}",
        file in 0_usize..5,
    ) {
        for files in [Files::oneroster(), Files::sds()] {
            let name = files.0.keys().nth(file).unwrap().clone();
            let header = files.text(&name).lines().next().unwrap().to_owned();
            let result = files.set(&name, format!("{header}\n{text}")).read_with(&options());
            for finding in result.map(|reading| reading.findings).unwrap_or_default() {
                let value = finding.value.unwrap_or_default();
                prop_assert!(value.chars().count() <= 80);
                let hidden = value.chars().any(|c| c.is_control() || c == '\u{202e}');
                prop_assert!(!hidden);
                prop_assert!(!finding.message.is_empty() && !finding.message.contains('\n'));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_as_a_zip_never_panic(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let path = sample_path(ONEROSTER).join("package.zip");
        let mut bytes = std::fs::read(path).unwrap();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let cut_off = bytes[..cut.index(bytes.len())].to_vec();
        for bytes in [bytes, cut_off] {
            drop(narthex_oneroster::read_zip(std::io::Cursor::new(bytes), &options()));
        }
    }
}
