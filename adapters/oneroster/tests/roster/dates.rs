//! The order of dates is decided once per file, never per row.

use narthex_core::model::roster::RosterPerson;
use narthex_oneroster::{DateOrder, ReadError};

use crate::common::*;

fn born(people: &[RosterPerson]) -> Vec<String> {
    let born = people.iter().map(|person| person.birthdate);
    born.map(|date| date.map(|date| date.expose()).unwrap_or_default())
        .collect()
}

/// The School Data Sync sample with every birthdate rewritten.
fn sds_with_dates(edit: impl Fn(u32, u32, u32) -> String) -> Files {
    let files = Files::sds();
    let text = files.text("Student.csv");
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let mut values: Vec<String> = line.split(',').map(str::to_owned).collect();
            let parts: Vec<u32> = values[12]
                .split('/')
                .filter_map(|n| n.parse().ok())
                .collect();
            if let [month, day, year] = parts[..] {
                values[12] = edit(month, day, year);
            }
            values.join(",")
        })
        .collect();
    files.set("Student.csv", lines.join("\n") + "\n")
}

#[test]
fn day_first_and_month_first_files_give_the_same_birthdates() {
    let expected = born(&Files::sds().read().batch.people);
    for files in [
        sds_with_dates(|m, d, y| format!("{d}/{m:02}/{y}")),
        sds_with_dates(|m, d, y| format!("{d}.{m}.{y}")),
        sds_with_dates(|m, d, y| format!("{y}-{m:02}-{d:02}")),
        sds_with_dates(|m, d, y| format!("{m}/{d}/{y} 12:00:00 AM")),
    ] {
        assert_eq!(born(&files.read().batch.people), expected);
    }
}

#[test]
fn a_file_that_no_row_decides_stops_and_asks() {
    let files = sds_with_dates(|m, d, y| format!("{m}/{}/{y}", d.min(12)));
    let error = files.clone().read_with(&options()).unwrap_err();
    let ReadError::DatesUndecided { file, line } = &error else {
        panic!("{error}")
    };
    assert_eq!((file.as_str(), *line), ("Student.csv", 2));
    assert!(error.to_string().contains("--date-order"), "{error}");

    let read_as = |order| {
        let mut asked = options();
        asked.date_order = Some(order);
        born(&files.clone().read_with(&asked).unwrap().batch.people)[0].clone()
    };
    assert_eq!(read_as(DateOrder::Mdy), "2000-04-02");
    assert_eq!(read_as(DateOrder::Dmy), "2000-02-04");
    assert_eq!(read_as(DateOrder::Ymd), "");
}

#[test]
fn a_file_that_contradicts_itself_stops_and_names_two_lines() {
    let files = Files::sds().value("Student.csv", 10, "Birthdate", "31/12/1999");
    let error = files.clone().read_with(&options()).unwrap_err();
    let ReadError::DatesContradict {
        month_first_line: 4,
        day_first_line: 10,
        ..
    } = error
    else {
        panic!("{error}")
    };
    // Asked for an order, the row that does not fit it is the one without a birthdate.
    let mut asked = options();
    asked.date_order = Some(DateOrder::Mdy);
    let reading = files.read_with(&asked).unwrap();
    assert!(news(&reading).contains(&"birthdate_impossible Student.csv:10 Birthdate ****".into()));
    assert_eq!(
        born(&reading.batch.people)
            .iter()
            .filter(|date| date.is_empty())
            .count(),
        13
    );
}

#[test]
fn dates_that_oneroster_does_not_prescribe_are_told_once_and_follow_the_file() {
    let files = Files::oneroster()
        .value("demographics.csv", 2, "birthDate", "2/04/2000")
        .value("demographics.csv", 4, "birthDate", "19/12/1997");
    let reading = files.read();
    assert_eq!(
        news(&reading),
        ["date_not_prescribed demographics.csv:2 birthDate ****"]
    );
    let order = reading
        .findings
        .iter()
        .find(|f| f.code == "date_order_chosen")
        .unwrap();
    assert_eq!(order.place.line, 4);
    everybody_but(&reading, &Files::oneroster(), &[]);
}

#[test]
fn impossible_birthdates_are_masked_and_the_person_kept_without() {
    for date in [
        "2000-02-30",
        "1850-01-01",
        "2026-09-02",
        "4/2/00",
        "unknown",
        "2000-4",
    ] {
        let reading = Files::oneroster()
            .value("demographics.csv", 2, "birthDate", date)
            .read();
        let told_of = news(&reading);
        assert_eq!(
            told_of,
            ["birthdate_impossible demographics.csv:2 birthDate ****"],
            "{date}"
        );
        assert!(reading.batch.people[0].birthdate.is_none());
        everybody_but(&reading, &Files::oneroster(), &["13001"]);
        // It is told once that this person has none, not twice.
        assert!(
            !reading
                .findings
                .iter()
                .any(|f| told(f) == "birthdate_missing users.csv:2 - -")
        );
    }
}

#[test]
fn a_second_birthdate_for_one_person_does_not_count() {
    let again = |date: &str| {
        Files::oneroster().append("demographics.csv", &format!("13001,,,{date},,,,,,,,,,,,"))
    };
    let reading = again("2001-01-01").read();
    assert_eq!(
        news(&reading),
        ["demographics_duplicate demographics.csv:88 birthDate ****"]
    );
    everybody_but(&reading, &Files::oneroster(), &[]);
    assert!(news(&again("2000-04-02").read()).is_empty());
}
