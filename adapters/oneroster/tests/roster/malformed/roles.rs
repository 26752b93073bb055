//! Roles, access, organizations.

use narthex_core::model::Role;

use super::{person, tells};
use crate::common::*;

#[test]
fn a_person_without_a_role_or_with_one_in_an_unknown_organization_is_left_out() {
    let files = Files::oneroster().line("roles.csv", 3, |_| String::new());
    tells(
        files.clone(),
        &["person_without_role users.csv:3 sourcedId 13002"],
        &["13002"],
    );
    assert_eq!(files.read().left_out[0].source_id.as_deref(), Some("13002"));
    let files = Files::oneroster().value("roles.csv", 3, "orgSourcedId", "10009");
    tells(
        files,
        &[
            "role_unknown_org roles.csv:3 orgSourcedId 10009",
            "person_without_role users.csv:3 sourcedId 13002",
        ],
        &["13002"],
    );
}

#[test]
fn roles_and_demographics_of_nobody_are_told() {
    let files = Files::oneroster()
        .append("roles.csv", "r-x,,,99,primary,student,,,10001,")
        .append("demographics.csv", "98,,,2000-01-01,,,,,,,,,,,,");
    tells(
        files,
        &[
            "role_unknown_user roles.csv:100 userSourcedId 99",
            "demographics_unknown_user demographics.csv:88 sourcedId 98",
        ],
        &[],
    );
}

#[test]
fn roles_are_current_from_their_beginning_to_the_day_before_their_end() {
    let role = |column: &str, date: &str| Files::oneroster().value("roles.csv", 3, column, date);
    for (column, date) in [("beginDate", "2026-09-01"), ("endDate", "2026-09-02")] {
        tells(role(column, date), &[], &[]);
    }
    for (column, date) in [("beginDate", "2026-09-02"), ("endDate", "2026-09-01")] {
        let told = format!("role_not_current roles.csv:3 {column} ****");
        let without = "person_without_role users.csv:3 sourcedId 13002";
        tells(role(column, date), &[&told, without], &["13002"]);
    }
    tells(
        role("endDate", "soon"),
        &[
            "role_date_invalid roles.csv:3 endDate ****",
            "person_without_role users.csv:3 sourcedId 13002",
        ],
        &["13002"],
    );
}

#[test]
fn unknown_roles_and_kinds_are_told_and_extensions_are_not() {
    let files = Files::oneroster().value("roles.csv", 3, "role", "janitor");
    tells(
        files.clone(),
        &["role_unknown roles.csv:3 role janitor"],
        &["13002"],
    );
    assert_eq!(person(files, "13002").memberships[0].role, Role::Other);
    tells(
        Files::oneroster().value("roles.csv", 3, "role", "ext:janitor"),
        &[],
        &["13002"],
    );
    let files = Files::oneroster().value("roles.csv", 3, "role", "Student");
    tells(files, &["value_case roles.csv:3 role Student"], &[]);
    let files = Files::oneroster().value("orgs.csv", 3, "type", "castle");
    tells(files, &["org_type_unknown orgs.csv:3 type castle"], &[]);
}

#[test]
fn enabled_user_false_takes_the_access_not_the_person() {
    let files = Files::oneroster().value("users.csv", 2, "enabledUser", "false");
    tells(files.clone(), &[], &["13001"]);
    assert!(!person(files, "13001").enabled);
    let files = Files::oneroster().value("users.csv", 2, "enabledUser", "maybe");
    tells(
        files.clone(),
        &["enabled_unknown users.csv:2 enabledUser maybe"],
        &["13001"],
    );
    assert!(!person(files, "13001").enabled);
}

#[test]
fn people_land_in_the_organization_the_roster_says_else_in_a_school() {
    let district = "r-x,,,13001,primary,student,,,district-1,";
    let lands = |files: Files| person(files, "13001").default_organization.to_string();
    let both = Files::oneroster().line("roles.csv", 2, |line| format!("{district}\n{line}"));
    assert_eq!(lands(both.clone()), "10001");
    let none = both
        .clone()
        .value("users.csv", 2, "primaryOrgSourcedId", "");
    assert_eq!(lands(none), "10001");
    let asked = both.value("users.csv", 2, "primaryOrgSourcedId", "district-1");
    assert_eq!(lands(asked.clone()), "district-1");
    assert_eq!(person(asked, "13001").memberships.len(), 2);

    let elsewhere = Files::oneroster().value("users.csv", 2, "primaryOrgSourcedId", "10002");
    tells(
        elsewhere,
        &["primary_org_not_member users.csv:2 primaryOrgSourcedId 10002"],
        &[],
    );
    let secondary = Files::oneroster()
        .append("roles.csv", "r-x,,,13001,primary,student,,,10002,")
        .value("roles.csv", 2, "roleType", "secondary")
        .value("users.csv", 2, "primaryOrgSourcedId", "");
    assert_eq!(lands(secondary), "10002");
}

#[test]
fn the_tree_of_organizations_has_no_loops_and_no_loose_ends() {
    let files = Files::oneroster().value("orgs.csv", 2, "parentSourcedId", "10001");
    let reading = files.read();
    assert_eq!(
        news(&reading),
        ["org_parent_loop orgs.csv:3 parentSourcedId district-1"]
    );
    let parents: Vec<_> = reading
        .batch
        .organizations
        .iter()
        .map(|o| o.parent.is_some())
        .collect();
    assert_eq!(parents, [true, false, true]);
    let itself = Files::oneroster().value("orgs.csv", 3, "parentSourcedId", "10001");
    tells(
        itself,
        &["org_parent_loop orgs.csv:3 parentSourcedId 10001"],
        &[],
    );
    let loose = Files::oneroster().value("orgs.csv", 3, "parentSourcedId", "nowhere");
    tells(
        loose,
        &["org_parent_unknown orgs.csv:3 parentSourcedId nowhere"],
        &[],
    );
    let nameless = Files::oneroster().value("orgs.csv", 3, "name", "").read();
    assert_eq!(news(&nameless), ["org_name_missing orgs.csv:3 name -"]);
    assert_eq!(nameless.batch.organizations[1].name, "10001");
}
