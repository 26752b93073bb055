//! Whatever a school exports: a finding for what is odd, never a panic, never a secret shown.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use narthex_core::model::LoginId;
use narthex_core::model::roster::{Finding, Severity};
use narthex_oneroster::{
    Date, Limits, ReadError, ReadOptions, Reading, findings::CODES, read_files, read_zip,
};

type Files = BTreeMap<String, Vec<u8>>;

/// The birthdate of the first person of both base rosters, in every way it might be written.
const CANARIES: [&str; 5] = [
    "1987-11-23",
    "11/23/1987",
    "23/11/1987",
    "23.11.1987",
    "19871123",
];

const ROWS_MAX: u64 = 2_000;
const FINDINGS_PER_CODE_MAX: u64 = 100;
const BYTES_MAX: u64 = 1 << 20;

const ONEROSTER: [(&str, &str); 5] = [
    (
        "manifest.csv",
        "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n\
         file.demographics,bulk\nfile.orgs,bulk\nfile.roles,bulk\nfile.users,bulk\n\
         source.systemName,Sample\nsource.systemCode,sample\n",
    ),
    (
        "orgs.csv",
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n\
         d1,,,Lakeside District,district,,\n\
         s1,,,Lakeside School,school,1,d1\n\
         s2,,,Hillside School,school,2,d1\n",
    ),
    (
        "users.csv",
        "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,\
         identifier,password,preferredGivenName,primaryOrgSourcedId\n\
         u1,,,true,mhale,,Mira,Hale,7001,,,s1\n\
         u2,,,true,odunn,,Owen,Dunn,7002,,Win,s2\n\
         u3,,,true,tvoss,,Tess,Voss,7003,,,s1\n",
    ),
    (
        "roles.csv",
        "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,\
         orgSourcedId\n\
         r1,,,u1,primary,student,,,s1\nr2,,,u2,primary,student,,,s2\n\
         r3,,,u3,primary,teacher,,,s1\n",
    ),
    (
        "demographics.csv",
        "sourcedId,status,dateLastModified,birthDate,sex\nu1,,,1987-11-23,\nu2,,,2001-02-03,\n",
    ),
];

const SDS: [(&str, &str); 3] = [
    (
        "School.csv",
        "SIS ID,Name,Principal Name,Principal Secondary Email\n\
         1,Lakeside School,Tess Voss,tess@lakeside.example\n2,Hillside School,,\n",
    ),
    (
        "Student.csv",
        "SIS ID,School SIS ID,First Name,Last Name,Password,Student Number,Status,Birthdate\n\
         u1,1,Mira,Hale,,7001,Active,11/23/1987\nu2,2,Owen,Dunn,,7002,Active,2/3/2001\n",
    ),
    (
        "Teacher.csv",
        "SIS ID,School SIS ID,First Name,Last Name,Password,Teacher Number,Status\n\
         u3,1,Tess,Voss,,7003,Active\n",
    ),
];

/// In the place of `ONEROSTER`'s files of these names; roles.csv is no part of 1.1.
const ONE_ONE: [(&str, &str); 2] = [
    (
        "manifest.csv",
        "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n\
         file.demographics,bulk\nfile.orgs,bulk\nfile.users,bulk\nsource.systemCode,sample\n",
    ),
    (
        "users.csv",
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,\
         givenName,familyName,identifier,password\n\
         u1,,,true,\"s1,s2\",student,mhale,,Mira,Hale,7001,\n\
         u2,,,true,s2,student,odunn,,Owen,Dunn,7002,\n\
         u3,,,true,s1,administrator,tvoss,,Tess,Voss,7003,\n",
    ),
];

/// A zip, where `data` begins like one. Else the first line of `data` names a file, and the rest
/// is put in its place in a small roster: a School Data Sync one, if the file is of that; OneRoster
/// 1.1 behind `1.1/`; nothing else beside `people.csv`, which is a plain one.
pub fn roster_csv(data: &[u8]) {
    let Some(options) = options() else { return };
    let read = || match base(data) {
        None => read_zip(Cursor::new(data), &options),
        Some(mut files) => read_files(&mut files, &options),
    };
    let result = read();
    no_secrets(&result, data);
    match &result {
        Ok(reading) => sound(reading, data),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    assert_eq!(told(&result), told(&read()), "read again, told otherwise");
}

fn options() -> Option<ReadOptions> {
    let mut options = ReadOptions::new(Date::from_ymd(2026, 9, 1)?);
    // So that a small zip does not grow into seconds of work.
    options.limits = Limits {
        total_bytes_max: 2 * BYTES_MAX,
        file_bytes_max: BYTES_MAX,
        files_max: 20,
        rows_max: ROWS_MAX,
        row_bytes_max: 16 << 10,
        field_bytes_max: 4 << 10,
        columns_max: 60,
        findings_per_code_max: FINDINGS_PER_CODE_MAX,
        ..Limits::default()
    };
    Some(options)
}

/// The roster that `data` is a file of; `None` for a zip.
fn base(data: &[u8]) -> Option<Files> {
    if data.starts_with(b"PK") {
        return None;
    }
    let (name, content) = match data.iter().position(|b| *b == b'\n') {
        Some(end) => data.split_at(end),
        None => (data, &[][..]),
    };
    let name = String::from_utf8_lossy(name).into_owned();
    let content = content.get(1..).unwrap_or_default().to_vec();
    if name == "people.csv" {
        return Some(Files::from([(name, content)]));
    }
    if let Some(name) = name.strip_prefix("1.1/") {
        let files = ONEROSTER.iter().chain(&ONE_ONE);
        let files = files.filter(|(file, _)| *file != "roles.csv");
        let mut files: Files = files
            .map(|(file, text)| ((*file).to_owned(), text.as_bytes().to_vec()))
            .collect();
        files.insert(name.to_owned(), content);
        return Some(files);
    }
    let is_sds = SDS.iter().any(|(file, _)| *file == name);
    let files = if is_sds { &SDS[..] } else { &ONEROSTER[..] };
    let files = files
        .iter()
        .map(|(file, text)| ((*file).to_owned(), text.as_bytes().to_vec()));
    let mut files: Files = files.collect();
    files.insert(name, content);
    Some(files)
}

fn told(result: &Result<Reading, ReadError>) -> String {
    match result {
        Ok(reading) => format!("{reading:?}"),
        Err(error) => format!("{error:?}"),
    }
}

/// A birthdate that only the base knows is nowhere. One that `data` has too may have been put into
/// any column; findings and errors mask it there as well, as long as it stands by itself.
fn no_secrets(result: &Result<Reading, ReadError>, data: &[u8]) {
    let everything = told(result);
    let shown = match result {
        Ok(reading) => format!("{:?}", reading.findings),
        Err(error) => format!("{error:?} {error}"),
    };
    for canary in CANARIES {
        let known = data.windows(canary.len()).any(|w| w == canary.as_bytes());
        if known {
            assert!(!stands_alone(&shown, canary), "{canary} in {shown}");
        } else {
            assert!(!everything.contains(canary), "{canary} in {everything}");
        }
    }
}

fn stands_alone(text: &str, canary: &str) -> bool {
    let joins = |c: char| c.is_ascii_digit() || "-/.".contains(c);
    text.match_indices(canary).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + canary.len()..).and_then(|t| t.chars().next());
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

fn sound(reading: &Reading, data: &[u8]) {
    let batch = &reading.batch;
    let stopped = has_error(&reading.findings);
    assert_eq!(reading.is_usable(), !stopped);
    assert!(
        !batch.complete || !stopped,
        "half a roster is not a whole one"
    );
    let all_read = reading.left_out.is_empty();
    assert!(
        !batch.complete || all_read,
        "who could not be read is not gone"
    );
    assert!(batch.complete || batch.people.is_empty() || !all_read);
    assert!(!batch.complete || batch.changes.is_empty());
    if stopped {
        assert!(batch.changes.is_empty() && batch.organizations.is_empty());
    }
    let organizations: BTreeSet<_> = batch.organizations.iter().map(|o| &o.id).collect();
    for organization in &batch.organizations {
        let parent = organization.parent.as_ref();
        let known = |parent| organizations.contains(parent) || !batch.complete;
        assert!(parent.is_none_or(known));
    }
    let mut ids = BTreeSet::new();
    for person in &batch.people {
        let number = LoginId::parse(person.login_id.as_str());
        assert_eq!(number.as_ref(), Ok(&person.login_id), "not in one form");
        assert!(!person.memberships.is_empty(), "{person:?}");
        let member_of = |id| person.memberships.iter().any(|m| &m.organization == id);
        assert!(member_of(&person.default_organization), "{person:?}");
        for membership in &person.memberships {
            assert!(organizations.contains(&membership.organization));
        }
        for name in [&person.given_name, &person.family_name] {
            assert!(!name.is_empty() && name.chars().count() <= 200);
            assert!(!name.chars().any(char::is_control), "{name:?}");
        }
        let born = person.birthdate.map(|born| born.expose());
        assert!(born.is_none_or(|born| *born <= *"2026-09-01"));
        assert!(ids.insert(&person.source_id), "{person:?}");
    }
    assert!(batch.people.len() as u64 <= 2 * ROWS_MAX);
    let rows = data.iter().filter(|b| **b == b'\n').count();
    if !data.starts_with(b"PK") {
        assert!(batch.people.len() <= rows + 3, "people out of nothing");
    }
    reading.findings.iter().for_each(fit_to_show);
}

fn has_error(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error)
}

/// A finding can be printed on a terminal and matched by a program.
fn fit_to_show(finding: &Finding) {
    assert!(CODES.contains(&(finding.code, finding.severity)));
    let printable = |text: &str| text.chars().all(|c| !c.is_control() && c != '\u{202e}');
    let value = finding.value.as_deref().unwrap_or_default();
    assert!(value.chars().count() <= 80 && printable(value), "{value:?}");
    let place = &finding.place;
    let column = place.column.as_deref().unwrap_or_default();
    assert!(printable(column) && printable(&place.file), "{place:?}");
    assert!(!finding.message.is_empty() && printable(&finding.message));
}
