//! The sample school in memory, to be broken on purpose.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    path::PathBuf,
};

use narthex_core::model::roster::{Finding, RosterPerson};
use narthex_oneroster::{Date, ReadError, ReadOptions, Reading, read_files};

pub(crate) const ONEROSTER: &str = "oneroster-v1p2-98-users";
pub(crate) const ONEROSTER_1_1: &str = "oneroster-v1p1-98-users";
pub(crate) const DELTA: &str = "oneroster-v1p2-delta";
pub(crate) const SDS: &str = "sds-v1-100-users";

pub(crate) fn sample_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/rosters")
        .join(name)
}

pub(crate) fn options() -> ReadOptions {
    ReadOptions::new(Date::from_ymd(2026, 9, 1).unwrap())
}

/// A roster in memory that a test edits.
#[derive(Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    pub(crate) fn sample(name: &str) -> Self {
        let files = std::fs::read_dir(sample_path(name))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let csv = files.filter(|path| path.extension().is_some_and(|end| end == "csv"));
        Self(
            csv.map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::read(&path).unwrap())
            })
            .collect(),
        )
    }

    pub(crate) fn oneroster() -> Self {
        Self::sample(ONEROSTER)
    }

    pub(crate) fn sds() -> Self {
        Self::sample(SDS)
    }

    pub(crate) fn text(&self, file: &str) -> String {
        String::from_utf8(self.0[file].clone()).unwrap()
    }

    pub(crate) fn set(mut self, file: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(file.to_owned(), bytes.into());
        self
    }

    pub(crate) fn without(mut self, file: &str) -> Self {
        self.0.remove(file).expect("the sample has this file");
        self
    }

    pub(crate) fn rename(mut self, from: &str, to: &str) -> Self {
        let bytes = self.0.remove(from).expect("the sample has this file");
        self.0.insert(to.to_owned(), bytes);
        self
    }

    /// Replaces text that must be there, everywhere in the file.
    pub(crate) fn replace(self, file: &str, from: &str, to: &str) -> Self {
        let text = self.text(file);
        assert!(text.contains(from), "{file} has no {from}");
        self.set(file, text.replace(from, to))
    }

    /// Replaces the whole line of this number, 1-based.
    pub(crate) fn line(self, file: &str, number: usize, edit: impl FnOnce(&str) -> String) -> Self {
        let text = self.text(file);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[number - 1] = edit(&lines[number - 1]);
        self.set(file, lines.join("\n") + "\n")
    }

    /// Replaces one value of the line of this number.
    pub(crate) fn value(self, file: &str, number: usize, column: &str, value: &str) -> Self {
        let text = self.text(file);
        let header = text.lines().next().unwrap();
        let index = header
            .split(',')
            .position(|name| name == column)
            .expect("a column");
        self.line(file, number, |line| {
            let mut values: Vec<&str> = line.split(',').collect();
            values[index] = value;
            values.join(",")
        })
    }

    pub(crate) fn append(self, file: &str, line: &str) -> Self {
        let text = self.text(file);
        self.set(file, text + line + "\n")
    }

    pub(crate) fn read(mut self) -> Reading {
        read_files(&mut self.0, &options()).expect("readable")
    }

    pub(crate) fn read_with(mut self, options: &ReadOptions) -> Result<Reading, ReadError> {
        read_files(&mut self.0, options)
    }
}

/// A zip of these members, deflated.
pub(crate) fn zipped<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Cursor<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap()
}

/// A finding in one line: `code file:line column value`.
pub(crate) fn told(finding: &Finding) -> String {
    format!(
        "{} {}:{} {} {}",
        finding.code,
        finding.place.file,
        finding.place.line,
        finding.place.column.as_deref().unwrap_or("-"),
        finding.value.as_deref().unwrap_or("-"),
    )
}

/// What the sample itself makes the reader tell; tests look at the rest.
pub(crate) fn expected_of_sample(finding: &Finding) -> bool {
    [
        "birthdate_missing",
        "number_chosen",
        "date_order_chosen",
        "format_detected",
    ]
    .contains(&finding.code)
}

/// All findings but those of the untouched sample.
pub(crate) fn news(reading: &Reading) -> Vec<String> {
    reading
        .findings
        .iter()
        .filter(|f| !expected_of_sample(f))
        .map(told)
        .collect()
}

/// A person with everything, birthdate included, to compare two readings by.
pub(crate) fn whole(person: &RosterPerson) -> String {
    format!(
        "{}|{}|{}|{}|{:?}|{:?}|{}|{:?}|{}|{}",
        person.source_id,
        person.login_id.as_str(),
        person.given_name,
        person.family_name,
        person.preferred_given_name,
        person.preferred_family_name,
        person
            .birthdate
            .map(|date| date.expose())
            .unwrap_or_default(),
        person.memberships,
        person.default_organization,
        person.enabled,
    )
}

pub(crate) fn people(reading: &Reading) -> Vec<String> {
    reading.batch.people.iter().map(whole).collect()
}

/// Asserts that everybody of the sample is there unchanged, but for these source ids.
#[track_caller]
pub(crate) fn everybody_but(reading: &Reading, sample: &Files, gone: &[&str]) {
    let expected: Vec<String> = people(&sample.clone().read())
        .into_iter()
        .filter(|person| !gone.iter().any(|id| person.starts_with(&format!("{id}|"))))
        .collect();
    let found: Vec<String> = people(reading)
        .into_iter()
        .filter(|person| !gone.iter().any(|id| person.starts_with(&format!("{id}|"))))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(expected.len(), 98 - gone.len());
}
