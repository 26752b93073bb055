//! One deviation each: exactly one finding, and everybody else is untouched.

use narthex_core::model::{Role, roster::RosterPerson};
use narthex_oneroster::ReadError;

use crate::common::*;

/// Reads, and expects exactly these findings beyond those of the sample, with everybody but `gone`.
#[track_caller]
fn tells(files: Files, findings: &[&str], gone: &[&str]) {
    let reading = files.read();
    assert_eq!(news(&reading), findings);
    everybody_but(&reading, &Files::oneroster(), gone);
    let left: Vec<_> = reading
        .left_out
        .iter()
        .filter_map(|left| left.source_id.as_deref())
        .collect();
    assert!(left.iter().all(|id| gone.contains(id)), "{left:?}");
}

/// Reads, and expects that the import stops with these findings and an empty batch.
#[track_caller]
fn stops(files: Files, findings: &[&str]) {
    let reading = files.read();
    assert_eq!(news(&reading), findings);
    assert!(!reading.is_usable() && !reading.batch.complete);
    assert!(reading.batch.people.is_empty() && reading.batch.organizations.is_empty());
}

fn person(files: Files, source_id: &str) -> RosterPerson {
    let people = files.read().batch.people;
    people
        .into_iter()
        .find(|person| person.source_id == source_id)
        .expect("a person")
}

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
fn what_is_not_read_so_far_is_refused_by_name() {
    let files = || Files::oneroster();
    let version = files().replace(
        "manifest.csv",
        "oneroster.version,1.2",
        "oneroster.version,1.1",
    );
    stops(version, &["version_unsupported manifest.csv:3 value 1.1"]);
    let delta = files().replace("manifest.csv", "file.users,bulk", "file.users,delta");
    stops(delta, &["delta_unsupported manifest.csv:24 value delta"]);
    let old = files().without("manifest.csv").without("roles.csv");
    stops(old, &["version_unsupported manifest.csv:0 - -"]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, "number,name\n").unwrap();
    let reading = narthex_oneroster::read(&path, &options()).unwrap();
    assert_eq!(news(&reading), ["format_unsupported people.csv:0 - -"]);
    assert!(!reading.is_usable());
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
fn utf_16_and_other_separators_stop_with_what_to_do() {
    let utf16: Vec<u8> = "\u{feff}sourcedId"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    stops(
        Files::oneroster().set("users.csv", utf16),
        &["encoding_unsupported users.csv:0 - -"],
    );
    let semicolons = Files::oneroster().text("users.csv").replace(',', ";");
    stops(
        Files::oneroster().set("users.csv", semicolons),
        &["delimiter_unsupported users.csv:1 - -"],
    );
    stops(
        Files::oneroster().set("roles.csv", ""),
        &["file_empty roles.csv:0 - -"],
    );
}

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
        told(&reading.findings[0]),
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
