//! manifest.csv: the version, which files are announced, and the name of the source.

use crate::{
    catalog::Input,
    error::ReadError,
    findings::{Code, Findings, Shown, whole_file},
    people,
    table::{Column, Row, Schema},
    text,
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

/// Returns the source's own name, if it has one. Error findings tell of what is not read so far.
pub(super) fn read(
    input: &mut Input<'_>,
    findings: &mut Findings,
) -> Result<Option<String>, ReadError> {
    let mut found = Properties::default();
    if input.has(SCHEMA.file) {
        let Some(mut table) = input.table(&SCHEMA, findings)? else {
            return Ok(None);
        };
        let (name, value) = (table.column("propertyName"), table.column("value"));
        while let Some(row) = table.next(findings)? {
            found.take(&row, name, value, findings);
        }
    }
    if findings.stopped() {
        return Ok(None);
    }
    if !found.version && !input.has("roles.csv") && input.has("users.csv") {
        // Up to 1.1 roles were columns of users.csv; only the manifest would say otherwise.
        let message = "without manifest.csv and roles.csv this looks like OneRoster 1.0 or 1.1 (or \
                       a part of 1.2); only 1.2 is read so far, export that";
        let place = whole_file("manifest.csv");
        findings.tell(
            Code::version_unsupported,
            place,
            Shown::Nothing,
            message.to_owned(),
        );
        return Ok(None);
    }
    if !input.has(SCHEMA.file) {
        let message = "without manifest.csv; read as OneRoster 1.2 bulk (School Data Sync v2.1 \
                       looks alike, and is not read so far)";
        let place = whole_file(SCHEMA.file);
        findings.tell(
            Code::manifest_missing,
            place,
            Shown::Nothing,
            message.to_owned(),
        );
    }
    for (property, file, needed) in FILES {
        compare(input, property, file, needed, &found, findings);
    }
    Ok(found.source_code.or(found.source_name))
}

#[derive(Default)]
struct Properties {
    version: bool,
    source_code: Option<String>,
    source_name: Option<String>,
    bulk: Vec<&'static str>,
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
        if version == "1.2" || version.starts_with("1.2.") {
            self.version = true;
        } else if version.is_empty() {
            let message = "a blank version; the roster was judged by its files";
            row.tell(findings, Code::manifest_value, value, message);
        } else {
            let message = "this version is not read so far; export OneRoster 1.2";
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
            "delta" => {
                let message = "delta files are not read so far; export a bulk file";
                row.tell(findings, Code::delta_unsupported, value, message);
            }
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
    if !there && (needed || found.bulk.contains(&property)) {
        let message = if found.bulk.contains(&property) {
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
