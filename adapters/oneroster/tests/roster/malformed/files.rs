//! File names, the manifest, editions, encodings: what stops an import, and what is only told.

use super::{stops, tells};
use crate::common::*;

#[test]
fn true_in_capitals_is_understood_and_told_once() {
    let files = Files::oneroster().replace("users.csv", ",true,", ",TRUE,");
    tells(files, &["value_case users.csv:2 enabledUser TRUE"], &[]);
    let files = Files::oneroster().value("users.csv", 5, "enabledUser", "True");
    tells(files, &["value_case users.csv:5 enabledUser True"], &[]);
}

#[test]
fn a_file_name_in_other_capitals_is_understood_and_told_once() {
    let files = Files::oneroster().rename("users.csv", "Users.CSV");
    let reading = files.read();
    assert_eq!(
        news(&reading),
        ["file_name_spelling Users.CSV:0 - Users.CSV"]
    );
    assert_eq!(people(&reading), people(&Files::oneroster().read()));
    let files = Files::oneroster().set("userprofiles.csv", "x\n");
    tells(
        files,
        &["file_name_spelling userprofiles.csv:0 - userprofiles.csv"],
        &[],
    );
}

#[test]
fn one_name_in_two_spellings_stops_the_import() {
    let files = Files::oneroster().set("Users.csv", "x\n");
    stops(
        files,
        &[
            "file_name_spelling Users.csv:0 - Users.csv",
            "file_duplicate users.csv:0 - users.csv",
        ],
    );
}

#[test]
fn an_unknown_csv_file_is_told_and_other_files_are_nobodys_business() {
    let files = Files::oneroster()
        .set("lunch.csv", "x\n")
        .set("readme.txt", "x")
        .set(".hidden", "");
    tells(files, &["file_unknown lunch.csv:0 - lunch.csv"], &[]);
}

#[test]
fn blank_manifest_values_are_told_and_the_files_decide() {
    let files = Files::oneroster()
        .replace(
            "manifest.csv",
            "oneroster.version,1.2",
            "oneroster.version,",
        )
        .replace("manifest.csv", "file.users,bulk", "file.users,");
    tells(
        files,
        &[
            "manifest_value manifest.csv:3 value -",
            "manifest_value manifest.csv:24 value -",
        ],
        &[],
    );
}

#[test]
fn a_manifest_that_calls_a_file_absent_which_is_there_is_told() {
    let files = Files::oneroster().replace("manifest.csv", "file.roles,bulk", "file.roles,absent");
    tells(files, &["manifest_disagrees roles.csv:0 - -"], &[]);
}

#[test]
fn without_a_manifest_the_files_are_read_as_1_2() {
    let files = Files::oneroster().without("manifest.csv");
    let reading = files.read();
    assert_eq!(news(&reading), ["manifest_missing manifest.csv:0 - -"]);
    assert_eq!(reading.batch.people.len(), 98);
}

#[test]
fn a_version_nobody_knows_is_refused_by_name() {
    let version = Files::oneroster().replace(
        "manifest.csv",
        "oneroster.version,1.2",
        "oneroster.version,2.0",
    );
    stops(version, &["version_unsupported manifest.csv:3 value 2.0"]);
}

#[test]
fn a_file_that_is_announced_or_needed_and_not_there_stops_the_import() {
    stops(
        Files::oneroster().without("users.csv"),
        &["file_missing users.csv:0 - -"],
    );
    stops(
        Files::oneroster().without("demographics.csv"),
        &["file_missing demographics.csv:0 - -"],
    );
    let absent = Files::oneroster()
        .without("demographics.csv")
        .replace(
            "manifest.csv",
            "file.demographics,bulk",
            "file.demographics,absent",
        )
        .read();
    assert_eq!(absent.batch.people.len(), 98);
    assert!(
        absent
            .batch
            .people
            .iter()
            .all(|person| person.birthdate.is_none())
    );
}
