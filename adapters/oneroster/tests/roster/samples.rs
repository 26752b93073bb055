//! The two sample rosters, as they are.

use std::collections::BTreeSet;

use crate::common::*;
use narthex_core::model::{OrganizationKind, Role, roster::Severity};
use narthex_oneroster::{Format, ReadOptions, Reading, read, read_zip};

fn assert_is_the_sample_school(reading: &Reading) {
    assert!(reading.is_usable() && reading.batch.complete);
    assert_eq!(reading.format, Format::OneRoster);
    assert_eq!(reading.batch.source, "O365-EDU-Tools");
    assert_eq!(reading.batch.organizations.len(), 3);
    assert_eq!(reading.batch.people.len(), 98);
    let born = reading
        .batch
        .people
        .iter()
        .filter(|person| person.birthdate.is_some());
    assert_eq!(born.count(), 86);
    assert!(reading.left_out.is_empty());
}

#[test]
fn the_oneroster_folder_and_its_zip_are_one_roster() {
    let folder = read(&sample_path(ONEROSTER), &options()).unwrap();
    let zip = read(&sample_path(ONEROSTER).join("package.zip"), &options()).unwrap();
    assert_is_the_sample_school(&folder);
    assert_is_the_sample_school(&zip);
    assert_eq!(people(&folder), people(&zip));
    assert_eq!(folder.batch.organizations, zip.batch.organizations);
    assert_eq!(folder.findings, zip.findings);
}

#[test]
fn the_oneroster_sample_gives_names_numbers_roles_and_the_tree() {
    let reading = read(&sample_path(ONEROSTER), &options()).unwrap();
    let [district, contoso, _] = &reading.batch.organizations[..] else {
        panic!()
    };
    assert_eq!(district.kind, OrganizationKind::District);
    assert_eq!(contoso.kind, OrganizationKind::School);
    assert_eq!(contoso.name, "Contoso High School");
    assert_eq!(contoso.parent.as_ref(), Some(&district.id));

    let ora = &reading.batch.people[0];
    assert_eq!(ora.source_id, "13001");
    assert_eq!(ora.login_id.as_str(), "13001");
    assert_eq!(ora.birthdate.unwrap().expose(), "2000-04-02");
    assert_eq!(ora.memberships.len(), 1);
    assert_eq!(ora.memberships[0].role, Role::Student);
    assert_eq!(ora.default_organization, contoso.id);
    assert!(ora.enabled);
    assert_eq!((&*ora.place.file, ora.place.line), ("users.csv", 2));
    // The number is not the id.
    let skeen = reading
        .batch
        .people
        .iter()
        .find(|p| p.source_id == "13086")
        .unwrap();
    assert_eq!(skeen.login_id.as_str(), "13091");
    assert_eq!(reading.batch.people[97].memberships[0].role, Role::Teacher);
}

#[test]
fn the_samples_make_the_reader_tell_of_nothing_but_what_is_so() {
    let oneroster = read(&sample_path(ONEROSTER), &options()).unwrap();
    let mut told_of: Vec<String> = oneroster.findings.iter().map(told).collect();
    assert_eq!(
        told_of.pop().unwrap(),
        "number_chosen users.csv:0 identifier -"
    );
    let teachers: Vec<String> = (88..100)
        .map(|line| format!("birthdate_missing users.csv:{line} - -"))
        .collect();
    assert_eq!(told_of.remove(0), "format_detected :0 - -");
    assert_eq!(told_of, teachers);

    let sds = read(&sample_path(SDS), &options()).unwrap();
    let mut told_of: Vec<String> = sds
        .findings
        .iter()
        .map(told)
        .filter(|told| !told.starts_with("birthdate_missing Teacher.csv"))
        .collect();
    told_of.sort();
    assert_eq!(
        told_of,
        [
            "date_order_chosen Student.csv:4 Birthdate ****",
            "format_detected :0 - -",
            "number_chosen Student.csv:0 Student Number -",
            "number_chosen Teacher.csv:0 Teacher Number -",
            "password_ignored Student.csv:2 Password ****",
            "password_ignored Teacher.csv:2 Password ****",
        ]
    );
    assert!(
        sds.findings
            .iter()
            .all(|finding| finding.severity == Severity::Note)
    );
}

#[test]
fn both_formats_have_the_same_students_with_names_birthdates_and_numbers() {
    let facts = |reading: &Reading| -> BTreeSet<[String; 4]> {
        let students = reading
            .batch
            .people
            .iter()
            .filter(|p| p.memberships[0].role == Role::Student);
        students
            .map(|p| {
                let born = p.birthdate.map(|date| date.expose()).unwrap_or_default();
                [
                    p.given_name.clone(),
                    p.family_name.clone(),
                    born,
                    p.login_id.as_str().to_owned(),
                ]
            })
            .collect()
    };
    let oneroster = facts(&read(&sample_path(ONEROSTER), &options()).unwrap());
    let reading = read(&sample_path(SDS), &options()).unwrap();
    assert_eq!(facts(&reading).len(), 86);
    assert_eq!(facts(&reading), oneroster);
    assert_eq!(reading.format, Format::Sds);
    assert_eq!(reading.batch.source, "sds");
    assert_eq!(reading.batch.people.len(), 98);
}

#[test]
fn the_principal_of_a_sds_school_is_a_human_to_write_to() {
    let reading = Files::sds()
        .replace(
            "School.csv",
            "Amy Roebuck,,",
            "Amy Roebuck,amy@school.example,",
        )
        .replace("School.csv", "Harry James,,", "Harry James,not a mail,")
        .read();
    let [contoso, fabrikam] = &reading.batch.organizations[..] else {
        panic!()
    };
    assert_eq!(contoso.contacts[0].name, "Amy Roebuck");
    assert_eq!(contoso.contacts[0].role, "Principal");
    assert_eq!(
        contoso.contacts[0].email.as_deref(),
        Some("amy@school.example")
    );
    assert_eq!(fabrikam.contacts[0].email, None);
    let email = "email_invalid School.csv:3 Principal Secondary Email not a mail";
    assert!(news(&reading).contains(&email.to_owned()));
}

#[test]
fn administrators_of_oneroster_are_humans_to_write_to_while_they_are_enabled() {
    let principal = |enabled: &str| {
        Files::oneroster()
            .value("roles.csv", 88, "role", "principal")
            .value("users.csv", 88, "email", "c.beane@school.example")
            .value("users.csv", 88, "enabledUser", enabled)
            .read()
    };
    let reading = principal("true");
    let contact = &reading.batch.organizations[1].contacts[0];
    assert_eq!(
        (&*contact.name, &*contact.role),
        ("Craig Beane", "Principal")
    );
    assert_eq!(contact.email.as_deref(), Some("c.beane@school.example"));
    assert_eq!(
        reading.batch.people[86].memberships[0].role,
        Role::Administrator
    );
    assert!(
        principal("false").batch.organizations[1]
            .contacts
            .is_empty()
    );
}

#[test]
fn a_zip_in_memory_reads_like_one_on_disk() {
    let files = Files::oneroster();
    let members = files
        .0
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    assert_is_the_sample_school(&read_zip(zipped(members), &options()).unwrap());
}

#[test]
fn the_caller_may_name_the_source_and_the_path_never_does() {
    let mut named = options();
    named.source = Some("district".to_owned());
    let source =
        |files: Files, options: &ReadOptions| files.read_with(options).unwrap().batch.source;
    assert_eq!(source(Files::oneroster(), &named), "district");
    let blank =
        Files::oneroster().replace("manifest.csv", "systemCode,O365-EDU-Tools", "systemCode,");
    assert_eq!(
        source(blank.clone(), &options()),
        "derived-from-microsoft-sds-sample"
    );
    let bare = blank.replace("manifest.csv", "derived-from-microsoft-sds-sample", "");
    assert_eq!(source(bare, &options()), "oneroster");
}

#[test]
fn only_the_caller_or_the_organization_of_a_csv_file_names_the_source() {
    let claimed = |sample: &str, change: fn(&mut ReadOptions)| {
        let mut options = options();
        change(&mut options);
        let reading = read(&sample_path(sample), &options).unwrap();
        reading.source_is_claimed
    };
    for sample in ["oneroster-v1p2-98-users", "csv-98-users/people.csv"] {
        assert!(claimed(sample, |_| ()), "{sample}");
        assert!(!claimed(sample, |o| o.source = Some("north".into())));
    }
    assert!(!claimed("csv-98-users/people.csv", |o| {
        o.organization = Some("north".into())
    }));
}
