#![doc = include_str!("../README.md")]

mod catalog;
mod date;
mod error;
pub mod findings;
mod limits;
mod lines;
mod number;
mod oneroster;
mod people;
mod record;
mod sds;
mod source;
mod table;
mod text;

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use narthex_core::model::roster::{Finding, Place, RosterBatch, Severity};

use crate::{
    catalog::Input,
    findings::{Code, Findings, Shown, whole_file},
    people::Roster,
    source::{Folder, Zip, open_failed},
};
pub use crate::{
    date::{Date, DateOrder},
    error::ReadError,
    limits::Limits,
    source::FileSource,
};

/// The formats of rosters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// OneRoster 1.2 (1EdTech), bulk files.
    OneRoster,
    /// Microsoft School Data Sync v1.
    Sds,
    /// One plain CSV file: recognized, not read so far.
    Csv,
}

impl Format {
    /// The word of the command line option, and the default name of the source.
    pub fn word(self) -> &'static str {
        match self {
            Self::OneRoster => "oneroster",
            Self::Sds => "sds",
            Self::Csv => "csv",
        }
    }
}

/// How to read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// `None`: seen from the files.
    pub format: Option<Format>,
    /// `None`: decided per file from the rows that allow only one reading.
    pub date_order: Option<DateOrder>,
    /// The column people's numbers are taken from, for the whole import. `None`: OneRoster
    /// `identifier`, else `userIds` of a single type; SDS `Student Number` and `Teacher Number`.
    /// `userIds:TYPE` takes the ids of one type. Columns of passwords and birthdates are refused.
    pub number_column: Option<String>,
    /// The name of the source, which people's keys belong to. `None`: `source.systemCode` (else
    /// `source.systemName`) of the manifest, else the format's word. Never the path.
    pub source: Option<String>,
    /// Roles are judged by this day, and no birthdate is after it.
    pub today: Date,
    /// Caps.
    pub limits: Limits,
}

impl ReadOptions {
    /// Everything by default, on this day.
    pub fn new(today: Date) -> Self {
        Self {
            format: None,
            date_order: None,
            number_column: None,
            source: None,
            today,
            limits: Limits::default(),
        }
    }
}

/// What a roster held.
#[derive(Debug)]
pub struct Reading {
    /// Everything that could be understood; empty and not `complete` after an Error finding.
    pub batch: RosterBatch,
    /// Every deviation and what was done about it.
    pub findings: Vec<Finding>,
    /// People the files list but the batch does not: to be told, and not to be taken as gone.
    pub left_out: Vec<LeftOut>,
    /// What it was read as.
    pub format: Format,
}

impl Reading {
    /// Whether the batch may be used: there is no Error finding.
    pub fn is_usable(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Error)
    }
}

/// A row of a person that is not in the batch; a finding says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The source's own key, where the row could be read that far.
    pub source_id: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// Reads a folder, or a zip.
///
/// # Errors
/// See [`ReadError`]. What is wrong with single rows is a finding, not an error.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Reading, ReadError> {
    let failed = |source| open_failed(path, source);
    if std::fs::metadata(path).map_err(failed)?.is_dir() {
        return read_files(&mut Folder(path.to_owned()), options);
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = [0; 2];
    let is_zip = file.read_exact(&mut magic).is_ok() && &magic == b"PK";
    if is_zip {
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        return read_zip(file, options);
    }
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    if !name.to_ascii_lowercase().ends_with(".csv") {
        return Err(ReadError::NotARoster);
    }
    let mut findings = Findings::new(options.limits.findings_per_code_max);
    findings.tell(
        Code::format_unsupported,
        whole_file(&text::shown(&name)),
        Shown::Nothing,
        "a single CSV file is not read so far; give the folder or zip it is a part of".to_owned(),
    );
    Ok(finish(Roster::default(), findings, Format::Csv, options))
}

/// Reads a zip from anywhere: a file, or bytes in a `Cursor`.
///
/// # Errors
/// As [`read`].
pub fn read_zip(reader: impl Read + Seek, options: &ReadOptions) -> Result<Reading, ReadError> {
    read_files(&mut Zip::open(reader, &options.limits)?, options)
}

/// Reads named files from anywhere, such as a `BTreeMap<String, Vec<u8>>`.
///
/// # Errors
/// As [`read`].
pub fn read_files(files: &mut dyn FileSource, options: &ReadOptions) -> Result<Reading, ReadError> {
    let mut findings = Findings::new(options.limits.findings_per_code_max);
    let mut input = Input::new(files, &options.limits, &mut findings)?;
    let format = match (options.format, input.formats()) {
        (Some(format), _) => format,
        (None, (true, false)) => Format::OneRoster,
        (None, (false, true)) => Format::Sds,
        (None, (true, true)) => return Err(ReadError::FormatUndecided),
        (None, (false, false)) => return Err(ReadError::NotARoster),
    };
    let roster = match format {
        _ if findings.stopped() => Roster::default(),
        Format::OneRoster => oneroster::read(&mut input, options, &mut findings)?,
        Format::Sds => sds::read(&mut input, options, &mut findings)?,
        Format::Csv => {
            let message = "plain CSV is not read so far; export OneRoster 1.2".to_owned();
            findings.tell(
                Code::format_unsupported,
                whole_file(""),
                Shown::Nothing,
                message,
            );
            Roster::default()
        }
    };
    Ok(finish(roster, findings, format, options))
}

/// After an Error the batch is empty, so that nobody takes half a roster for a whole one.
fn finish(roster: Roster, findings: Findings, format: Format, options: &ReadOptions) -> Reading {
    let usable = !findings.stopped();
    let roster = if usable { roster } else { Roster::default() };
    let source = options.source.clone().or(roster.source);
    Reading {
        batch: RosterBatch {
            source: source.unwrap_or_else(|| format.word().to_owned()),
            complete: usable,
            organizations: roster.organizations,
            people: roster.people,
        },
        findings: findings.finish(),
        left_out: roster.left_out,
        format,
    }
}
