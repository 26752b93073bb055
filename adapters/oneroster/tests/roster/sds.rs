//! What only School Data Sync files do.

use narthex_core::model::Role;
use narthex_oneroster::{Format, ReadError};

use crate::common::*;

const ALWAYS: [&str; 2] = [
    "password_ignored Student.csv:2 Password ****",
    "password_ignored Teacher.csv:2 Password ****",
];

#[track_caller]
fn tells(files: Files, findings: &[&str]) {
    let mut found = news(&files.read());
    found.retain(|told| !ALWAYS.contains(&told.as_str()));
    assert_eq!(found, findings);
}

#[test]
fn a_teacher_and_a_student_with_one_number_are_both_given_on_and_named() {
    let files = Files::sds().value("Teacher.csv", 2, "Teacher Number", "13001");
    tells(
        files.clone(),
        &["number_duplicate Teacher.csv:2 Teacher Number 13001"],
    );
    let reading = files.clone().read();
    let finding = reading
        .findings
        .iter()
        .find(|f| f.code == "number_duplicate")
        .unwrap();
    assert!(
        finding.message.contains("Student.csv line 2"),
        "{}",
        finding.message
    );
    assert_eq!(reading.batch.people.len(), 98);
    // One column of both files is the way out.
    let mut asked = options();
    asked.number_column = Some("SIS ID".to_owned());
    let reading = files.read_with(&asked).unwrap();
    assert!(
        !reading
            .findings
            .iter()
            .any(|f| f.code == "number_duplicate")
    );
    assert_eq!(reading.batch.people[86].login_id.as_str(), "14001");
}

#[test]
fn a_person_at_two_schools_is_one_person() {
    let second = Files::sds()
        .text("Student.csv")
        .lines()
        .nth(1)
        .unwrap()
        .replace("10001", "10002");
    let files = Files::sds().append("Student.csv", &second);
    tells(
        files.clone(),
        &["person_merged Student.csv:88 SIS ID 13001"],
    );
    let reading = files.read();
    assert_eq!(reading.batch.people.len(), 98);
    assert_eq!(reading.batch.people[0].memberships.len(), 2);
    assert_eq!(
        reading.batch.people[0].default_organization.as_str(),
        "10001"
    );
}

#[test]
fn another_person_under_the_same_id_is_left_out() {
    let files = Files::sds().value("Teacher.csv", 2, "SIS ID", "13001");
    tells(
        files.clone(),
        &["source_id_duplicate Teacher.csv:2 SIS ID 13001"],
    );
    let reading = files.read();
    assert_eq!(reading.batch.people[0].memberships.len(), 1);
    assert_eq!(reading.left_out.len(), 1);
}

#[test]
fn who_is_not_active_is_not_enabled() {
    let files = Files::sds()
        .value("Student.csv", 2, "Status", "Inactive")
        .value("Student.csv", 3, "Status", "ACTIVE")
        .value("Student.csv", 4, "Status", "");
    tells(
        files.clone(),
        &["status_not_active Student.csv:2 Status Inactive"],
    );
    let enabled: Vec<bool> = files
        .read()
        .batch
        .people
        .iter()
        .map(|p| p.enabled)
        .take(3)
        .collect();
    assert_eq!(enabled, [false, true, true]);
}

#[test]
fn a_school_that_is_not_there_costs_its_people_alone() {
    let files = Files::sds().value("Student.csv", 2, "School SIS ID", "10009");
    tells(
        files.clone(),
        &["role_unknown_org Student.csv:2 School SIS ID 10009"],
    );
    let reading = files.read();
    assert_eq!(reading.batch.people.len(), 97);
    assert_eq!(reading.left_out[0].source_id.as_deref(), Some("13001"));
}

#[test]
fn a_missing_file_of_people_stops_and_an_empty_one_of_teachers_does_not() {
    let reading = Files::sds().without("Teacher.csv").read();
    assert_eq!(news(&reading), ["file_missing Teacher.csv:0 - -"]);
    assert!(!reading.is_usable());
    let header = Files::sds()
        .text("Teacher.csv")
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let reading = Files::sds().set("Teacher.csv", header).read();
    assert!(reading.is_usable());
    assert!(news(&reading).contains(&"file_without_rows Teacher.csv:0 - -".to_owned()));
    assert!(
        reading
            .batch
            .people
            .iter()
            .all(|p| p.memberships[0].role == Role::Student)
    );
}

#[test]
fn without_student_numbers_the_reading_stops_and_asks() {
    let mut files = Files::sds();
    for line in 2..88 {
        files = files.value("Student.csv", line, "Student Number", "");
    }
    let error = files.read_with(&options()).unwrap_err();
    assert!(matches!(error, ReadError::NumberUndecided { .. }));
    assert!(error.to_string().contains("SIS ID, Username"), "{error}");
    for secret in ["Password", "pass word", "Birthdate"] {
        let mut asked = options();
        asked.number_column = Some(secret.to_owned());
        let reading = Files::sds().read_with(&asked).unwrap();
        assert!(!reading.is_usable());
        assert!(
            reading
                .findings
                .iter()
                .any(|f| f.code == "number_column_refused")
        );
    }
}

#[test]
fn two_formats_in_one_folder_need_a_word() {
    let mut files = Files::oneroster();
    files.0.extend(Files::sds().0);
    let error = files.clone().read_with(&options()).unwrap_err();
    assert!(matches!(error, ReadError::FormatUndecided));
    let mut asked = options();
    asked.format = Some(Format::Sds);
    assert_eq!(files.read_with(&asked).unwrap().batch.source, "sds");
}
