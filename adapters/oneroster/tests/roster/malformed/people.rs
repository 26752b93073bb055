//! Names, birthdates, numbers of people.

use narthex_oneroster::ReadError;

use super::{person, tells};
use crate::common::*;

#[test]
fn names_in_capitals_with_spaces_hyphens_and_apostrophes_stay_as_written() {
    let files = Files::oneroster()
        .value("users.csv", 2, "familyName", "DE LA GARZA QUIROZ")
        .value("users.csv", 2, "givenName", "  Mary-Jo   O'Neil\t");
    tells(files.clone(), &[], &["13001"]);
    let ora = person(files, "13001");
    assert_eq!(ora.family_name, "DE LA GARZA QUIROZ");
    assert_eq!(ora.given_name, "Mary-Jo O'Neil");
}

#[test]
fn a44_hidden_characters_are_taken_out_of_names_and_shown_escaped() {
    let files = Files::oneroster().value("users.csv", 2, "givenName", "O\u{202e}r\0a");
    let told = ["name_characters users.csv:2 givenName O\\u{202e}r\\u{0}a"];
    tells(files.clone(), &told, &[]);
    assert_eq!(person(files, "13001").given_name, "Ora");
}

#[test]
fn names_of_200_characters_are_taken_and_of_201_not() {
    let name = |length| Files::oneroster().value("users.csv", 2, "familyName", &"é".repeat(length));
    tells(name(200), &[], &["13001"]);
    let reading = name(201).read();
    assert!(news(&reading)[0].starts_with("name_too_long users.csv:2 familyName éé"));
    everybody_but(&reading, &Files::oneroster(), &["13001"]);
    assert_eq!(reading.batch.people.len(), 97);
    assert_eq!(reading.left_out[0].source_id.as_deref(), Some("13001"));
    let preferred =
        Files::oneroster().value("users.csv", 2, "preferredGivenName", &"x".repeat(201));
    assert_eq!(person(preferred, "13001").preferred_given_name, None);
}

#[test]
fn a_person_without_a_name_is_left_out() {
    let files = Files::oneroster().value("users.csv", 2, "givenName", " \u{200b}");
    let reading = files.read();
    assert_eq!(
        news(&reading),
        [
            "name_characters users.csv:2 givenName \\u{200b}",
            "name_missing users.csv:2 givenName \\u{200b}",
        ]
    );
    assert_eq!(reading.batch.people.len(), 97);
}

#[test]
fn demographics_without_rows_are_told() {
    let header = Files::oneroster()
        .text("demographics.csv")
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let reading = Files::oneroster()
        .set("demographics.csv", header + "\n")
        .read();
    assert_eq!(news(&reading), ["file_without_rows demographics.csv:0 - -"]);
    assert_eq!(reading.batch.people.len(), 98);
    for file in ["users.csv", "roles.csv", "orgs.csv"] {
        let header = Files::oneroster()
            .text(file)
            .lines()
            .next()
            .unwrap()
            .to_owned();
        let reading = Files::oneroster().set(file, header + "\n").read();
        assert_eq!(news(&reading)[0], format!("rows_missing {file}:0 - -"));
        assert!(!reading.is_usable());
    }
}

#[test]
fn a_student_without_a_birthdate_is_kept_and_told() {
    let reading = Files::oneroster()
        .value("demographics.csv", 2, "birthDate", "")
        .read();
    assert_eq!(
        told(&reading.findings[1]),
        "birthdate_missing users.csv:2 - -"
    );
    assert_eq!(reading.batch.people.len(), 98);
    assert!(reading.batch.people[0].birthdate.is_none());
}

#[test]
fn an_empty_identifier_leaves_that_person_out() {
    let files = Files::oneroster().value("users.csv", 2, "identifier", "");
    tells(
        files.clone(),
        &["number_missing users.csv:2 identifier -"],
        &["13001"],
    );
    assert_eq!(files.read().batch.people.len(), 97);
}

#[test]
fn an_unfit_number_leaves_that_person_out() {
    let files = Files::oneroster().value("users.csv", 2, "identifier", "1.3E+04");
    tells(
        files,
        &["number_invalid users.csv:2 identifier 1.3E+04"],
        &["13001"],
    );
}

#[test]
fn leading_zeros_are_kept() {
    let files = Files::oneroster().value("users.csv", 2, "identifier", "0013001");
    assert_eq!(person(files, "13001").login_id.as_str(), "0013001");
}

#[test]
fn two_people_with_one_number_are_both_given_on_and_both_lines_named() {
    let reading = Files::oneroster()
        .value("users.csv", 5, "identifier", "13001")
        .read();
    assert_eq!(
        news(&reading),
        ["number_duplicate users.csv:5 identifier 13001"]
    );
    let finding = reading
        .findings
        .iter()
        .find(|f| f.code == "number_duplicate")
        .unwrap();
    assert!(
        finding.message.contains("users.csv line 2"),
        "{}",
        finding.message
    );
    assert_eq!(reading.batch.people.len(), 98);
}

#[test]
fn one_column_of_numbers_is_chosen_for_all() {
    let ids = |id: fn(usize) -> String| {
        (2..100).fold(Files::oneroster(), |files, line| {
            files.value("users.csv", line, "identifier", "").value(
                "users.csv",
                line,
                "userIds",
                &id(line),
            )
        })
    };
    let reading = ids(|line| format!("{{SIS:S{line}}}")).read();
    assert_eq!(reading.batch.people[0].login_id.as_str(), "S2");
    assert_eq!(
        told(reading.findings.last().unwrap()),
        "number_chosen users.csv:0 userIds -"
    );

    let undecided = ids(|line| format!("\"{{SIS:S{line}}},{{LDAP:x{line}}}\""));
    let undecided = undecided.read_with(&options());
    let Err(ReadError::NumberUndecided { candidates, .. }) = undecided else {
        panic!()
    };
    assert_eq!(candidates, "userIds:ldap, userIds:sis, username, sourcedId");

    let asked = |column: &str| {
        let mut asked = options();
        asked.number_column = Some(column.to_owned());
        let files = ids(|line| format!("\"{{SIS:S{line}}},{{LDAP:x{line}}}\""));
        files.read_with(&asked).unwrap()
    };
    assert_eq!(asked("userIds:SIS").batch.people[0].login_id.as_str(), "S2");
    assert_eq!(
        asked("USERNAME").batch.people[0].login_id.as_str(),
        "OKLEIN"
    );
    assert_eq!(
        news(&asked("shoe size")),
        ["column_missing users.csv:1 shoe size -"]
    );
    assert_eq!(
        news(&asked("password")),
        ["number_column_refused users.csv:0 password -"]
    );
}
