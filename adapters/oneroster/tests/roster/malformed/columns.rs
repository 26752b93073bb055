//! Columns: misspelled, missing, added, twice; what marks a whole row.

use super::{person, stops, tells};
use crate::common::*;

#[test]
fn filled_status_and_date_last_modified_are_told_once() {
    let mut files = Files::oneroster();
    for line in 2..10 {
        files = files.value("users.csv", line, "status", "active").value(
            "users.csv",
            line,
            "dateLastModified",
            "2026-08-01T00:00:00.000Z",
        );
    }
    tells(
        files,
        &[
            "bulk_fields_filled users.csv:2 dateLastModified ****",
            "bulk_fields_filled users.csv:2 status active",
        ],
        &[],
    );
}

#[test]
fn a_row_marked_deleted_is_as_if_it_were_not_listed() {
    let reading = Files::oneroster()
        .value("users.csv", 3, "status", "tobedeleted")
        .read();
    assert_eq!(
        news(&reading),
        ["status_deleted users.csv:3 status tobedeleted"]
    );
    everybody_but(&reading, &Files::oneroster(), &["13002"]);
    assert!(reading.left_out.is_empty());
}

#[test]
fn another_status_takes_the_access_not_the_person() {
    let files = Files::oneroster().value("users.csv", 3, "status", "suspended");
    tells(
        files.clone(),
        &["status_not_active users.csv:3 status suspended"],
        &["13002"],
    );
    assert!(!person(files, "13002").enabled);
}

#[test]
fn misspelled_headers_are_understood_and_told_once_each() {
    let header = |from: &str, to: &str| {
        Files::oneroster()
            .value("users.csv", 2, "preferredGivenName", "Orchid")
            .line("users.csv", 1, |line| line.replace(from, to))
    };
    let files = header("preferredGivenName", "prefferedGivenName");
    let told = ["header_spelling users.csv:1 prefferedGivenName prefferedGivenName"];
    tells(files.clone(), &told, &["13001"]);
    assert_eq!(
        person(files, "13001").preferred_given_name.as_deref(),
        Some("Orchid")
    );
    tells(
        header("givenName,familyName", "Given Name,FAMILYNAME"),
        &[
            "header_spelling users.csv:1 Given Name Given Name",
            "header_spelling users.csv:1 FAMILYNAME FAMILYNAME",
        ],
        &["13001"],
    );
}

#[test]
fn the_names_of_oneroster_1_0_are_understood_in_demographics() {
    let files = Files::oneroster().line("demographics.csv", 1, |line| {
        line.replace("sourcedId", "userSourcedId")
            .replace("birthDate", "birthdate")
    });
    tells(
        files,
        &[
            "header_spelling demographics.csv:1 userSourcedId userSourcedId",
            "header_spelling demographics.csv:1 birthdate birthdate",
        ],
        &[],
    );
}

#[test]
fn a_missing_required_column_names_file_and_column_and_stops() {
    let files = Files::oneroster().line("users.csv", 1, |line| line.replace("familyName", "x"));
    stops(files, &["column_missing users.csv:1 familyName -"]);
    let files = Files::oneroster().line("orgs.csv", 1, |line| line.replace("type", "x"));
    stops(files, &["column_missing orgs.csv:1 type -"]);
}

#[test]
fn extension_columns_in_the_middle_are_passed_over_and_others_told() {
    let files = Files::oneroster().set(
        "orgs.csv",
        "sourcedId,metadata.color,status,dateLastModified,name,type,mascot,parentSourcedId\n\
         district-1,red,,,Derived district (from Microsoft SDS 100-user sample),district,Owl,\n\
         10001,red,,,Contoso High School,school,Elk,district-1\n\
         10002,,,,Fabrikam High School,school,,district-1\n",
    );
    tells(files, &["column_unknown orgs.csv:1 mascot mascot"], &[]);
}

#[test]
fn a_column_that_is_there_twice_counts_once() {
    let files =
        Files::oneroster().line("users.csv", 1, |line| line.replace("pronouns", "givenName"));
    tells(
        files,
        &["column_duplicate users.csv:1 givenName givenName"],
        &[],
    );
}

#[test]
fn a_byte_order_mark_is_skipped_and_crlf_is_the_rule() {
    let text = Files::oneroster().text("users.csv");
    tells(
        Files::oneroster().set("users.csv", text.replace('\n', "\r\n")),
        &[],
        &[],
    );
    let marked = Files::oneroster().set("users.csv", format!("\u{feff}{text}"));
    tells(marked, &["byte_order_mark users.csv:0 - -"], &[]);
}

#[test]
fn utf_16_and_empty_files_stop_with_what_to_do_and_other_separators_are_read() {
    let utf16: Vec<u8> = "\u{feff}sourcedId"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    stops(
        Files::oneroster().set("users.csv", utf16),
        &["encoding_unsupported users.csv:0 - -"],
    );
    let semicolons = Files::oneroster().text("users.csv").replace(',', ";");
    let files = Files::oneroster().set("users.csv", semicolons);
    tells(files, &["delimiter_other users.csv:0 - ;"], &[]);
    stops(
        Files::oneroster().set("roles.csv", ""),
        &["file_empty roles.csv:0 - -"],
    );
}
