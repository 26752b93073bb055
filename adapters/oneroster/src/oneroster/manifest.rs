//! manifest.csv: the version, which files are announced, and the name of the source.

use super::{Edition, Version, delta};
use crate::{
    catalog::Input,
    error::ReadError,
    findings::{Code, Findings, Shown, whole_file},
    people,
    table::{Column, Row, Schema},
    tell_format, text,
};

static SCHEMA: Schema = Schema {
    file: "manifest.csv",
    required: &["propertyName", "value"],
    optional: &[],
    aliases: &[],
};

/// The files this crate reads, and whether a roster can do without.
const FILES: [(&str, &str, bool); 4] = [
    ("file.orgs", "orgs.csv", true),
    ("file.roles", "roles.csv", true),
    ("file.users", "users.csv", true),
    ("file.demographics", "demographics.csv", false),
];

/// Longest name of a source, in characters.
const SOURCE_CHARS_MAX: usize = 64;

/// What is known before any other file is read.
pub(super) struct Manifest {
    /// The source's own name, if it has one.
    pub(super) source: Option<String>,
    pub(super) edition: Edition,
}

/// Reads the manifest. `delta`: the caller says that the files are one.
pub(super) fn read(
    input: &mut Input<'_>,
    delta: bool,
    findings: &mut Findings,
) -> Result<Manifest, ReadError> {
    let mut found = Properties::default();
    let is_there = input.has(SCHEMA.file);
    if is_there && let Some(mut table) = input.table(&SCHEMA, findings)? {
        let (name, value) = (table.column("propertyName"), table.column("value"));
        while let Some(row) = table.next(findings)? {
            found.take(&row, name, value, findings);
        }
    }
    let version = found
        .version
        .unwrap_or_else(|| match input.has("roles.csv") {
            true => Version::V1_2,
            false if is_there => Version::V1_1,
            false => Version::V1_0,
        });
    let edition = Edition {
        version,
        delta: delta || !found.delta.is_empty(),
    };
    if !findings.stopped() {
        tell(input, is_there, edition, &found, findings);
    }
    Ok(Manifest {
        source: found.source_code.or(found.source_name),
        edition,
    })
}

/// Tells what the files were read as, and holds what is announced against what is there.
fn tell(
    input: &Input<'_>,
    is_there: bool,
    edition: Edition,
    found: &Properties,
    findings: &mut Findings,
) {
    let version = match edition.version {
        Version::V1_0 => "1.0",
        Version::V1_1 => "1.1",
        Version::V1_2 => "1.2",
    };
    let kind = if edition.delta { "delta" } else { "bulk" };
    let why = match (found.version.is_some(), input.has("roles.csv")) {
        (true, _) => "as its manifest says",
        (false, true) => "for there is a roles.csv",
        (false, false) => "for there is no roles.csv",
    };
    tell_format(&format!("OneRoster {version} {kind}, {why}"), findings);
    if !is_there {
        let message = "without manifest.csv; the files tell which OneRoster it is (School Data Sync \
                       v2.1 looks like 1.2, and is not read so far)";
        let place = whole_file(SCHEMA.file);
        findings.tell(
            Code::manifest_missing,
            place,
            Shown::Nothing,
            message.to_owned(),
        );
    }
    let has_roles = edition.version == Version::V1_2;
    if !has_roles && input.has("roles.csv") {
        let message = "no file of OneRoster 1.1; it was not read".to_owned();
        let place = whole_file(&input.spelled("roles.csv"));
        findings.tell(Code::file_unknown, place, Shown::Nothing, message);
    }
    for (property, file, needed) in FILES {
        if file != "roles.csv" || has_roles {
            compare(
                input,
                property,
                file,
                needed && !edition.delta,
                found,
                findings,
            );
        }
    }
    if edition.delta && !FILES.iter().any(|(_, file, _)| input.has(file)) {
        people::tell_file_missing(
            "users.csv",
            "a delta of no file that is read here",
            findings,
        );
    }
    if !found.delta.is_empty() && !found.bulk.is_empty() {
        delta::tell_mixed(SCHEMA.file, findings);
    }
}

#[derive(Default)]
struct Properties {
    version: Option<Version>,
    source_code: Option<String>,
    source_name: Option<String>,
    bulk: Vec<&'static str>,
    delta: Vec<&'static str>,
    absent: Vec<&'static str>,
}

impl Properties {
    fn take(&mut self, row: &Row<'_>, name: Column, value: Column, findings: &mut Findings) {
        let property = row.get(name);
        let text = row.get(value);
        let source = || {
            let tidied = text::tidy(text).text;
            let cut: String = tidied.chars().take(SOURCE_CHARS_MAX).collect();
            (!cut.is_empty()).then_some(cut)
        };
        match property {
            "source.systemCode" => self.source_code = source(),
            "source.systemName" => self.source_name = source(),
            "oneroster.version" => self.take_version(row, value, findings),
            _ => {
                let Some(known) = FILES.iter().find(|(known, ..)| *known == property) else {
                    return;
                };
                self.take_file(known.0, row, value, findings);
            }
        }
    }

    fn take_version(&mut self, row: &Row<'_>, value: Column, findings: &mut Findings) {
        let version = row.get(value).trim_start_matches(['v', 'V']);
        let is = |wanted: &str| {
            version == wanted
                || version
                    .strip_prefix(wanted)
                    .is_some_and(|v| v.starts_with('.'))
        };
        if is("1.2") {
            self.version = Some(Version::V1_2);
        } else if is("1.1") {
            self.version = Some(Version::V1_1);
        } else if is("1.0") {
            self.version = Some(Version::V1_0);
        } else if version.is_empty() {
            let message = "a blank version; the roster was judged by its files";
            row.tell(findings, Code::manifest_value, value, message);
        } else {
            let message = "this version is not read; export OneRoster 1.1 or 1.2";
            row.tell(findings, Code::version_unsupported, value, message);
        }
    }

    fn take_file(
        &mut self,
        property: &'static str,
        row: &Row<'_>,
        value: Column,
        findings: &mut Findings,
    ) {
        match row.get(value).to_ascii_lowercase().as_str() {
            "bulk" => self.bulk.push(property),
            "absent" => self.absent.push(property),
            "delta" => self.delta.push(property),
            _ => {
                let message = "neither absent nor bulk nor delta; the file is read if it is there";
                row.tell(findings, Code::manifest_value, value, message);
            }
        }
    }
}

/// Holds what is announced against what is there.
fn compare(
    input: &Input<'_>,
    property: &'static str,
    file: &'static str,
    needed: bool,
    found: &Properties,
    findings: &mut Findings,
) {
    let there = input.has(file);
    let announced = found.bulk.contains(&property) || found.delta.contains(&property);
    if !there && (needed || announced) {
        let message = if announced {
            "the manifest announces this file and it is not there; export the roster again"
        } else {
            "a roster cannot be read without this file; export it too"
        };
        people::tell_file_missing(file, message, findings);
    } else if there && found.absent.contains(&property) {
        let message =
            "the manifest calls this file absent, yet it is there; it was read".to_owned();
        let place = whole_file(&input.spelled(file));
        findings.tell(Code::manifest_disagrees, place, Shown::Nothing, message);
    }
}
