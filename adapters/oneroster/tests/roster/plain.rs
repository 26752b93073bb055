//! One plain CSV file.

use narthex_core::model::Role;
use narthex_oneroster::{
    DateOrder, Format, NUMBER_WIDTH_MAX, ReadError, ReadOptions, Reading, read, read_zip,
};

use crate::common::*;

fn sample(name: &str) -> String {
    std::fs::read_to_string(sample_path("csv-98-users").join(name)).unwrap()
}

fn file(text: &str) -> Files {
    Files(std::collections::BTreeMap::new()).set("people.csv", text)
}

fn with(change: impl FnOnce(&mut ReadOptions)) -> ReadOptions {
    let mut options = options();
    change(&mut options);
    options
}

/// Number, names, birthdate and role of everybody.
fn facts(reading: &Reading) -> Vec<String> {
    let all = reading.batch.people.iter();
    all.map(|p| {
        format!(
            "{} {} {} {} {}",
            p.login_id.as_str(),
            p.given_name,
            p.family_name,
            p.birthdate.map(|date| date.expose()).unwrap_or_default(),
            p.memberships[0].role.code(),
        )
    })
    .collect()
}

#[test]
fn the_sample_and_its_german_twin_hold_the_people_of_the_oneroster_sample() {
    let english = read(&sample_path("csv-98-users").join("people.csv"), &options()).unwrap();
    assert!(english.is_usable() && english.batch.complete);
    assert_eq!(
        (english.format, &*english.batch.source),
        (Format::Csv, "csv")
    );
    assert_eq!(news(&english), [""; 0]);
    assert_eq!(facts(&english), facts(&Files::oneroster().read()));
    let schools: Vec<&str> = english
        .batch
        .organizations
        .iter()
        .map(|o| o.name.as_str())
        .collect();
    assert_eq!(schools, ["Contoso High School", "Fabrikam High School"]);

    let german = read(
        &sample_path("csv-98-users").join("personen.csv"),
        &options(),
    )
    .unwrap();
    assert_eq!(news(&german), ["delimiter_other personen.csv:0 - ;"]);
    assert_eq!(facts(&german), facts(&english));
    assert_eq!(german.batch.organizations, english.batch.organizations);
    let chosen = german
        .findings
        .iter()
        .find(|f| f.code == "date_order_chosen");
    assert!(chosen.unwrap().message.contains("dmy"));
}

#[test]
fn a_zip_of_one_csv_and_tabs_and_capitals_and_crlf_are_read() {
    let zip = zipped([("export/People.CSV", sample("people.csv").as_bytes())]);
    let reading = read_zip(zip, &options()).unwrap();
    assert_eq!(reading.batch.people.len(), 98);
    let text = sample("people.csv")
        .replace(',', "\t")
        .replace('\n', "\r\n");
    let header = text.lines().next().unwrap().to_owned();
    let text = format!(
        "\u{feff}{}",
        text.replacen(&header, &header.to_uppercase(), 1)
    );
    let reading = file(&text).read();
    assert_eq!(
        news(&reading),
        [
            "byte_order_mark people.csv:0 - -",
            "delimiter_other people.csv:0 - \\t"
        ]
    );
    assert_eq!(facts(&reading), facts(&file(&sample("people.csv")).read()));
}

#[test]
fn a_file_without_schools_needs_to_be_told_where_everybody_belongs() {
    let text = "Student ID,Forename,Surname,DOB\n0042,Ada,Byron,2012-12-10\n";
    let reading = file(text).read();
    assert_eq!(news(&reading), ["column_missing people.csv:1 School -"]);
    let told = with(|o| o.organization = Some("north".into()));
    let reading = file(text).read_with(&told).unwrap();
    assert_eq!(news(&reading), [""; 0]);
    assert_eq!(
        reading.batch.source, "csv-north",
        "each school is a source of its own"
    );
    let ada = &reading.batch.people[0];
    assert_eq!((ada.login_id.as_str(), &*ada.source_id), ("0042", "0042"));
    assert_eq!(ada.default_organization.as_str(), "north");
    assert_eq!(ada.memberships[0].role, Role::Student);
}

#[test]
fn an_organization_is_refused_where_the_files_say_who_belongs_where() {
    let told = with(|o| o.organization = Some("north".into()));
    for files in [Files::oneroster(), Files::sds()] {
        let error = files.read_with(&told).unwrap_err();
        assert!(
            matches!(error, ReadError::OrganizationForPlainCsv),
            "{error}"
        );
    }
}

#[test]
fn two_columns_that_may_be_the_number_are_asked_about_and_never_mixed() {
    let text =
        "Student ID,Student Number,First Name,Last Name,School\n1,A1,Ada,Byron,N\n2,,Ben,Okoro,N\n";
    let error = file(text).read_with(&options()).unwrap_err();
    let ReadError::NumberUndecided { candidates, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(candidates, "Student Number, Student ID");
    let options = with(|o| o.number_column = Some("student number".into()));
    let reading = file(text).read_with(&options).unwrap();
    assert_eq!(
        reading.batch.people.len(),
        1,
        "no number of another column is taken"
    );
    assert_eq!(reading.left_out.len(), 1);
    assert!(!reading.batch.complete, "who could not be read is not gone");
    assert_eq!(reading.batch.people[0].login_id.as_str(), "A1");
    for (asked, told) in [
        ("Password", "number_column_refused people.csv:0 Password -"),
        (
            "Birthdate",
            "number_column_refused people.csv:0 Birthdate -",
        ),
        ("Badge", "column_missing people.csv:1 Badge -"),
    ] {
        let options = with(|o| o.number_column = Some(asked.into()));
        assert_eq!(news(&file(text).read_with(&options).unwrap()), [told]);
    }
}

#[test]
fn zeros_that_a_spreadsheet_ate_come_back_and_others_are_kept() {
    let text =
        "Number,First Name,Last Name,School\n42,Ada,Byron,N\n00043,Ben,Okoro,N\nT-1,Cleo,Marsh,N\n";
    let numbers = |options: &ReadOptions| -> Vec<String> {
        let reading = file(text).read_with(options).unwrap();
        let people = reading.batch.people.iter();
        people.map(|p| p.login_id.as_str().to_owned()).collect()
    };
    assert_eq!(numbers(&options()), ["42", "00043", "T-1"]);
    assert_eq!(
        numbers(&with(|o| o.number_width = Some(5))),
        ["00042", "00043", "T-1"]
    );
    let widest = numbers(&with(|o| o.number_width = Some(usize::MAX)));
    assert_eq!(widest[0].len(), NUMBER_WIDTH_MAX);
    let padded = file(text)
        .read_with(&with(|o| o.number_width = Some(5)))
        .unwrap();
    assert_eq!(
        news(&padded).first().unwrap(),
        "number_padded people.csv:2 Number 42"
    );
}

#[test]
fn dates_that_read_both_ways_stop_and_ask() {
    let text = "Number,First Name,Last Name,Birthday,School\n1,Ada,Byron,4/2/2000,N\n";
    let error = file(text).read_with(&options()).unwrap_err();
    assert!(error.to_string().contains("--date-order"), "{error}");
    let options = with(|o| o.date_order = Some(DateOrder::Dmy));
    let reading = file(text).read_with(&options).unwrap();
    assert_eq!(
        reading.batch.people[0].birthdate.unwrap().expose(),
        "2000-02-04"
    );
}

#[test]
fn missing_names_schools_and_strange_roles_are_told_with_their_place() {
    let text = "Number,First Name,Last Name,School,Role,Status,Shoe Size,Password\n\
                1,Ada,,N,student,active,3,x\n\
                2,Ben,Okoro,,student,active,3,\n\
                3,Cleo,Marsh,N,wizard,active,3,\n\
                4,Dan,Ekholm,N,Teachers,withdrawn,3,\n";
    let reading = file(text).read();
    assert_eq!(
        news(&reading),
        [
            "column_unknown people.csv:1 Shoe Size Shoe Size",
            "password_ignored people.csv:2 Password ****",
            "name_missing people.csv:2 Last Name -",
            "role_unknown_org people.csv:3 School -",
            "role_unknown people.csv:4 Role wizard",
            "status_not_active people.csv:5 Status withdrawn",
        ]
    );
    assert_eq!(reading.left_out.len(), 2);
    let [cleo, dan] = &reading.batch.people[..] else {
        panic!()
    };
    assert_eq!(cleo.memberships[0].role, Role::Other);
    assert_eq!(
        (dan.enabled, &dan.memberships[0].role),
        (false, &Role::Teacher)
    );
}

#[test]
fn two_people_with_one_number_are_two_people_and_a_second_row_of_an_id_is_not() {
    let text = "Number,First Name,Last Name,School\n7,Ada,Byron,N\n7,Ben,Okoro,N\n";
    let reading = file(text).read();
    assert_eq!(news(&reading), ["number_duplicate people.csv:3 Number 7"]);
    assert_eq!(reading.batch.people.len(), 2);
    let text = "SIS ID,Number,First Name,Last Name,School\na,7,Ada,Byron,N\na,8,Ben,Okoro,N\n";
    let reading = file(text).read();
    assert_eq!(
        news(&reading),
        ["source_id_duplicate people.csv:3 SIS ID a"]
    );
    assert_eq!(reading.batch.people.len(), 1);
}

#[test]
fn one_file_of_a_oneroster_export_is_not_taken_for_a_plain_one() {
    let path = sample_path(ONEROSTER).join("users.csv");
    let error = read(&path, &options());
    let told = match &error {
        Ok(reading) => news(reading).join("\n"),
        Err(error) => error.to_string(),
    };
    assert!(told.contains("orgs.csv"), "{told}");
    let options = with(|o| o.format = Some(Format::Csv));
    let reading = read(&path, &options).unwrap();
    assert_eq!(news(&reading), ["roster_part users.csv:0 - -"]);
    assert!(!reading.is_usable());
}

#[test]
fn an_empty_file_and_half_a_file_are_told() {
    let header = "Number,First Name,Last Name,School\n";
    assert_eq!(
        news(&file(header).read()),
        ["rows_missing people.csv:0 - -"]
    );
    assert_eq!(news(&file("").read()), ["file_empty people.csv:0 - -"]);
    let half = sample("people.csv");
    let half = &half[..half.len() / 2];
    let reading = file(half).read();
    assert!(reading.batch.people.len() >= 40);
}
