//! One deviation each: exactly one finding, and everybody else is untouched.

use narthex_core::model::roster::RosterPerson;

use crate::common::*;

mod columns;
mod files;
mod people;
mod roles;
mod rows;

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
