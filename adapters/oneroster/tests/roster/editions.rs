//! OneRoster 1.0 and 1.1, and deltas.

use narthex_core::model::{
    Role,
    roster::{BirthdateChange, MembershipChange, RosterChange},
};
use narthex_oneroster::{Format, ReadOptions, Reading, read};

use crate::common::*;

fn one_one() -> Files {
    Files::sample(ONEROSTER_1_1)
}

fn delta() -> Files {
    Files::sample(DELTA)
}

fn detected(reading: &Reading) -> &str {
    let found = reading
        .findings
        .iter()
        .find(|f| f.code == "format_detected");
    &found.unwrap().message
}

fn change<'r>(reading: &'r Reading, source_id: &str) -> &'r RosterChange {
    let mut all = reading.batch.changes.iter();
    all.find(|change| change.source_id == source_id).unwrap()
}

/// Organizations and roles.
type Told<'r> = Vec<(&'r str, &'r str)>;

/// Organizations and roles that a change adds and ends.
fn adjusted(change: &RosterChange) -> (Told<'_>, Told<'_>) {
    let MembershipChange::Adjust { joined, left } = &change.memberships else {
        panic!("{change:?}")
    };
    fn told(all: &[narthex_core::model::Membership]) -> Told<'_> {
        all.iter()
            .map(|m| (m.organization.as_str(), m.role.code()))
            .collect()
    }
    (told(joined), told(left))
}

#[test]
fn one_one_and_one_two_hold_the_same_people() {
    let older = read(&sample_path(ONEROSTER_1_1), &options()).unwrap();
    assert!(older.is_usable() && older.batch.complete);
    assert_eq!(older.format, Format::OneRoster);
    assert_eq!(
        detected(&older),
        "read as OneRoster 1.1 bulk, as its manifest says"
    );
    assert_eq!(news(&older), [""; 0]);
    let newer = Files::oneroster().read();
    assert_eq!(people(&older), people(&newer));
    assert_eq!(older.batch.source, newer.batch.source);
    let ids = |reading: &Reading| -> Vec<String> {
        let all = reading.batch.organizations.iter();
        all.map(|o| format!("{} {} {:?}", o.id, o.name, o.parent))
            .collect()
    };
    assert_eq!(ids(&older), ids(&newer));
}

#[test]
fn without_a_manifest_and_roles_it_is_one_zero_and_nobody_is_curtailed() {
    let users = one_one().text("users.csv");
    let header = users.lines().next().unwrap();
    // 1.0 has no enabledUser.
    let files = one_one().without("manifest.csv").set(
        "users.csv",
        users.replacen(header, &header.replace("enabledUser", "metadata.x"), 1),
    );
    let reading = files.read();
    assert_eq!(news(&reading), ["manifest_missing manifest.csv:0 - -"]);
    assert_eq!(
        detected(&reading),
        "read as OneRoster 1.0 bulk, for there is no roles.csv"
    );
    assert_eq!(people(&reading), people(&one_one().read()));
}

#[test]
fn a_blank_version_is_judged_by_the_files() {
    let files = one_one().replace(
        "manifest.csv",
        "oneroster.version,1.1",
        "oneroster.version,",
    );
    let reading = files.read();
    assert_eq!(news(&reading), ["manifest_value manifest.csv:3 value -"]);
    assert_eq!(people(&reading), people(&one_one().read()));
}

#[test]
fn in_one_one_a_person_has_one_role_in_every_organization_of_the_row() {
    let files = one_one().value("users.csv", 3, "orgSourcedIds", "\"10001, 10002,nowhere\"");
    let reading = files.read();
    assert_eq!(
        news(&reading),
        ["role_unknown_org users.csv:3 orgSourcedIds 10001, 10002,nowhere"]
    );
    let beulah = &reading.batch.people[1];
    let organizations: Vec<&str> = beulah
        .memberships
        .iter()
        .map(|m| m.organization.as_str())
        .collect();
    assert_eq!(organizations, ["10001", "10002"]);
    assert_eq!(beulah.default_organization.as_str(), "10001");
    let nowhere = one_one()
        .value("users.csv", 3, "orgSourcedIds", "nowhere")
        .read();
    assert_eq!(nowhere.left_out.len(), 1);
    assert_eq!(nowhere.batch.people.len(), 97);
}

#[test]
fn in_one_one_an_administrator_is_a_human_to_write_to() {
    let files = one_one()
        .value("users.csv", 88, "role", "administrator")
        .value("users.csv", 88, "email", "office@contoso.example");
    let reading = files.read();
    let person = &reading.batch.people[86];
    assert_eq!(person.memberships[0].role, Role::Administrator);
    let school = reading
        .batch
        .organizations
        .iter()
        .find(|o| o.id == person.default_organization)
        .unwrap();
    assert_eq!(school.contacts.len(), 1);
    assert_eq!(school.contacts[0].role, "Administrator");
}

#[test]
fn what_one_one_cannot_do_without_stops_it() {
    let without = |column: &str| {
        let text = one_one().text("users.csv");
        let header = text.lines().next().unwrap();
        let renamed = header.replace(column, "metadata.x");
        one_one()
            .set("users.csv", text.replacen(header, &renamed, 1))
            .read()
    };
    for column in ["orgSourcedIds", "role", "enabledUser"] {
        let reading = without(column);
        assert_eq!(
            news(&reading),
            [format!("column_missing users.csv:1 {column} -")]
        );
        assert!(!reading.is_usable() && reading.batch.people.is_empty());
    }
}

#[test]
fn one_one_has_the_faults_of_the_wild_too() {
    let text = one_one().text("users.csv");
    let files = one_one()
        .set(
            "users.csv",
            format!("\u{feff}{}", text.replace('\n', "\r\n")),
        )
        .replace("users.csv", ",true,", ",TRUE,")
        .rename("demographics.csv", "Demographics.CSV")
        .replace("Demographics.CSV", "2000-04-02", "02/04/2000")
        .replace("Demographics.CSV", "1999-11-12", "13/11/1999")
        .value("users.csv", 4, "familyName", "DE LA GARZA QUIROZ");
    let reading = files.read();
    let mut codes: Vec<&str> = reading.findings.iter().map(|f| f.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(
        codes,
        [
            "birthdate_missing",
            "byte_order_mark",
            "date_not_prescribed",
            "date_order_chosen",
            "file_name_spelling",
            "format_detected",
            "number_chosen",
            "value_case",
        ]
    );
    let ora = &reading.batch.people[0];
    assert_eq!(ora.birthdate.unwrap().expose(), "2000-04-02");
    assert_eq!(reading.batch.people[2].family_name, "DE LA GARZA QUIROZ");
    assert!(ora.enabled);
}

#[test]
fn a_delta_says_only_what_changes() {
    let reading = read(&sample_path(DELTA), &options()).unwrap();
    assert!(reading.is_usable() && !reading.batch.complete);
    assert_eq!(
        detected(&reading),
        "read as OneRoster 1.2 delta, as its manifest says"
    );
    assert_eq!(news(&reading), [""; 0]);
    assert!(reading.batch.people.is_empty() && reading.batch.organizations.is_empty());
    assert_eq!(reading.batch.changes.len(), 4);

    let married = change(&reading, "13002");
    assert!(!married.gone);
    assert_eq!(married.facts.as_ref().unwrap().family_name, "Stone");
    assert!(matches!(married.birthdate, BirthdateChange::Kept));
    assert_eq!(adjusted(married), (vec![], vec![]));

    assert!(change(&reading, "13003").gone);

    let new = change(&reading, "13999");
    assert_eq!(new.facts.as_ref().unwrap().login_id.as_str(), "13999");
    assert_eq!(adjusted(new), (vec![("10001", "student")], vec![]));
    let BirthdateChange::Is(Some(born)) = &new.birthdate else {
        panic!()
    };
    assert_eq!(born.expose(), "2001-03-14");

    // Only roles.csv says something of this one.
    let moved = change(&reading, "13004");
    assert!(moved.facts.is_none() && !moved.gone);
    assert_eq!(
        adjusted(moved),
        (vec![("10002", "student")], vec![("10001", "student")])
    );
    assert_eq!((&*moved.place.file, moved.place.line), ("roles.csv", 2));
}

#[test]
fn a_delta_may_lack_files_and_rows_without_a_state_are_read_as_active() {
    let files = delta().without("roles.csv").without("demographics.csv");
    let files = files
        .replace("manifest.csv", "file.roles,delta", "file.roles,absent")
        .replace(
            "manifest.csv",
            "file.demographics,delta",
            "file.demographics,absent",
        );
    let reading = files.clone().read();
    assert_eq!(news(&reading), [""; 0]);
    assert_eq!(reading.batch.changes.len(), 3);
    let reading = files.value("users.csv", 2, "status", "").read();
    assert_eq!(
        news(&reading),
        ["delta_fields_missing users.csv:2 status -"]
    );
    assert_eq!(reading.batch.changes.len(), 3);
    // What is announced must be there.
    let reading = delta().without("roles.csv").read();
    assert_eq!(news(&reading), ["file_missing roles.csv:0 - -"]);
}

#[test]
fn a_birthdate_that_a_delta_deletes_is_gone_and_a_role_that_ended_is_left() {
    let files = delta()
        .append("demographics.csv", "13005,tobedeleted,2026-09-01T06:00:00.000Z,,,,,,,,,,,,,")
        .append(
            "roles.csv",
            "r-13006,active,2026-09-01T06:00:00.000Z,13006,primary,student,2024-08-01,2026-06-30,10001,",
        );
    let reading = files.read();
    assert_eq!(news(&reading), [""; 0]);
    let forgotten = change(&reading, "13005");
    assert!(matches!(forgotten.birthdate, BirthdateChange::Is(None)));
    assert_eq!(
        adjusted(change(&reading, "13006")),
        (vec![], vec![("10001", "student")])
    );
}

#[test]
fn a_delta_never_takes_the_numbers_from_another_column_than_the_complete_file() {
    let files = delta().value("users.csv", 2, "identifier", "").value(
        "users.csv",
        2,
        "userIds",
        "{SIS:77}",
    );
    let reading = files.read();
    assert_eq!(news(&reading), ["number_missing users.csv:2 identifier -"]);
    assert_eq!(reading.left_out[0].source_id.as_deref(), Some("13002"));
    assert!(
        reading
            .batch
            .changes
            .iter()
            .all(|change| change.source_id != "13002")
    );
}

#[test]
fn bulk_beside_delta_is_a_delta_and_is_told() {
    let files = delta().replace("manifest.csv", "file.users,delta", "file.users,bulk");
    let reading = files.read();
    assert_eq!(news(&reading), ["delta_mixed manifest.csv:0 - -"]);
    assert!(!reading.batch.complete);
}

#[test]
fn every_format_can_be_said_to_list_only_what_changed() {
    let options = ReadOptions {
        delta: true,
        ..options()
    };
    for files in [Files::sds(), one_one()] {
        let reading = files.read_with(&options).unwrap();
        assert!(!reading.batch.complete && reading.batch.people.is_empty());
        assert_eq!(reading.batch.changes.len(), 98);
        let told = &reading.batch.changes[0];
        assert!(matches!(&told.memberships, MembershipChange::Are(all) if all.len() == 1));
    }
}
