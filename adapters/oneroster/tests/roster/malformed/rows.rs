//! Rows: repeated, cut, shifted, unreadable.

use super::tells;
use crate::common::*;

#[test]
fn a_repeated_id_counts_once() {
    let again = Files::oneroster()
        .text("users.csv")
        .lines()
        .nth(1)
        .unwrap()
        .replace("Ora", "Eve");
    let files = Files::oneroster().append("users.csv", &again);
    tells(
        files,
        &["source_id_duplicate users.csv:100 sourcedId 13001"],
        &[],
    );
    let files = Files::oneroster().append("orgs.csv", "10001,,,Other,school,,");
    tells(
        files,
        &["source_id_duplicate orgs.csv:5 sourcedId 10001"],
        &[],
    );
}

#[test]
fn a_row_without_an_id_is_left_out() {
    let reading = Files::oneroster()
        .value("users.csv", 3, "sourcedId", "")
        .read();
    assert_eq!(
        news(&reading),
        [
            "source_id_missing users.csv:3 sourcedId -",
            "role_unknown_user roles.csv:3 userSourcedId 13002",
            "demographics_unknown_user demographics.csv:3 sourcedId 13002",
        ]
    );
    everybody_but(&reading, &Files::oneroster(), &["13002"]);
    assert_eq!(
        (
            reading.left_out[0].source_id.as_deref(),
            reading.left_out[0].place.line
        ),
        (None, 3)
    );
    let long = Files::oneroster()
        .value("users.csv", 3, "sourcedId", &"x".repeat(256))
        .read();
    assert!(news(&long)[0].starts_with("source_id_invalid users.csv:3 sourcedId xxx"));
}

#[test]
fn a_row_cut_behind_its_last_value_is_read_and_one_that_may_have_shifted_is_left_out() {
    let edited = |edit: fn(&str) -> String| Files::oneroster().line("users.csv", 3, edit);
    let cut = edited(|line| line.strip_suffix(",").unwrap().to_owned());
    tells(cut, &["row_short users.csv:3 - -"], &[]);
    type Edit = fn(&str) -> String;
    let shifts: [(&str, Edit); 3] = [
        ("row_shifted", |line| {
            line.replace("BMcMillan,,", "BMcMillan,")
        }),
        ("row_long", |line| line.replace("Beulah", "Beulah,Jr.")),
        ("row_long", |line| format!("{line},")),
    ];
    for (code, edit) in shifts {
        let reading = edited(edit).read();
        assert_eq!(news(&reading)[0], format!("{code} users.csv:3 - -"));
        everybody_but(&reading, &Files::oneroster(), &["13002"]);
        assert_eq!(reading.batch.people.len(), 97);
        assert_eq!(
            (
                reading.left_out[0].source_id.as_deref(),
                reading.left_out[0].place.line
            ),
            (None, 3)
        );
    }
}

#[test]
fn bytes_that_are_not_utf_8_cost_one_row_and_only_where_they_are_read() {
    let latin1 = |column: &str| {
        let files = Files::oneroster().value("users.csv", 3, column, "Ren#");
        let mut bytes = files.0["users.csv"].clone();
        let at = bytes.iter().position(|byte| *byte == b'#').unwrap();
        bytes[at] = 0xe9;
        files.set("users.csv", bytes)
    };
    let reading = latin1("givenName").read();
    assert_eq!(news(&reading)[0], "utf8_invalid users.csv:3 givenName -");
    everybody_but(&reading, &Files::oneroster(), &["13002"]);
    tells(latin1("middleName"), &[], &[]);
}

#[test]
fn an_unbalanced_quote_costs_its_own_row_and_no_other() {
    for broken in ["\"Beulah", "Beulah\"", "\"Beu\"lah"] {
        let reading = Files::oneroster()
            .value("users.csv", 3, "givenName", broken)
            .read();
        assert_eq!(news(&reading)[0], "quotes_unbalanced users.csv:3 - -");
        everybody_but(&reading, &Files::oneroster(), &["13002"]);
        assert_eq!(reading.batch.people.len(), 97);
    }
}

#[test]
fn a_value_over_several_lines_is_read_and_later_lines_keep_their_numbers() {
    let files = Files::oneroster().value("users.csv", 3, "middleName", "\"Lynn\nRose\"");
    let reading = files.read();
    assert_eq!(news(&reading), ["row_over_lines users.csv:3 - -"]);
    everybody_but(&reading, &Files::oneroster(), &[]);
    assert_eq!(reading.batch.people[2].place.line, 5);
}
