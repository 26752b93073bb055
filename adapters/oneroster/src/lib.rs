#![doc = include_str!("../README.md")]

mod catalog;
mod csv;
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

use narthex_core::model::roster::{Finding, Place, RosterBatch, RosterChange, Severity};

use crate::{
    catalog::Input,
    findings::{Code, Findings, Shown, whole_file},
    people::Roster,
    source::{Folder, OneFile, Zip, open_failed},
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
    /// OneRoster 1.0, 1.1 and 1.2 (1EdTech), bulk and delta files.
    OneRoster,
    /// Microsoft School Data Sync v1.
    Sds,
    /// One plain CSV file.
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

/// The most digits that a number is padded to: longer ones are no log-in numbers.
pub const NUMBER_WIDTH_MAX: usize = 32;

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
    /// Numbers of fewer digits get zeros in front: what a spreadsheet ate. At most [`NUMBER_WIDTH_MAX`].
    pub number_width: Option<usize>,
    /// Everybody of a plain CSV file belongs here, whatever its columns say. Refused with other formats.
    pub organization: Option<String>,
    /// The files list only what changed, whatever the manifest says.
    pub delta: bool,
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
            number_width: None,
            organization: None,
            delta: false,
            source: None,
            today,
            limits: Limits::default(),
        }
    }
}

/// What a roster held.
#[derive(Debug)]
pub struct Reading {
    /// Everything that could be understood; empty after an Error finding. `complete`: nobody is left
    /// out, and the files list more than what changed.
    pub batch: RosterBatch,
    /// Every deviation and what was done about it.
    pub findings: Vec<Finding>,
    /// People the files list but the batch does not: to be told. They are not gone, so that with any of
    /// them the batch is not `complete`.
    pub left_out: Vec<LeftOut>,
    /// What it was read as.
    pub format: Format,
    /// The source is what the file says of itself, or its format: neither [`ReadOptions::source`] nor the
    /// organization of a plain CSV file names it. For
    /// [`narthex_core::portal::ImportOptions::source_is_claimed`].
    pub source_is_claimed: bool,
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

/// Reads a folder, a zip, or one plain CSV file.
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
    read_files(&mut OneFile(path.to_owned()), options)
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
    let plain = options.format.map(|format| format == Format::Csv);
    let mut input = Input::new(files, &options.limits, plain, &mut findings)?;
    let format = match (options.format, input.formats()) {
        (Some(format), _) => format,
        (None, _) if input.has(csv::SCHEMA.file) => Format::Csv,
        (None, (true, false)) => Format::OneRoster,
        (None, (false, true)) => Format::Sds,
        (None, (true, true)) => return Err(ReadError::FormatUndecided),
        (None, (false, false)) => return Err(ReadError::NotARoster),
    };
    if format != Format::Csv && options.organization.is_some() {
        return Err(ReadError::OrganizationForPlainCsv);
    }
    let roster = match format {
        _ if findings.stopped() => Roster::default(),
        Format::OneRoster => oneroster::read(&mut input, options, &mut findings)?,
        Format::Sds => {
            tell_format(
                "School Data Sync v1: School.csv and Student.csv",
                &mut findings,
            );
            sds::read(&mut input, options, &mut findings)?
        }
        Format::Csv => {
            tell_format("one plain CSV file, a row for each person", &mut findings);
            csv::read(&mut input, options, &mut findings)?
        }
    };
    Ok(finish(roster, findings, format, options))
}

/// Tells what the files are read as.
pub(crate) fn tell_format(what: &str, findings: &mut Findings) {
    let message = format!("read as {what}");
    findings.tell(
        Code::format_detected,
        whole_file(""),
        Shown::Nothing,
        message,
    );
}

/// After an Error the batch is empty, so that nobody takes half a roster for a whole one. A delta has
/// changes and no people.
fn finish(roster: Roster, findings: Findings, format: Format, options: &ReadOptions) -> Reading {
    let usable = !findings.stopped();
    let mut roster = if usable { roster } else { Roster::default() };
    let delta = options.delta || roster.delta;
    if delta {
        let whole = std::mem::take(&mut roster.people);
        roster
            .changes
            .extend(whole.into_iter().map(RosterChange::from));
    }
    let named = options.source.is_some() || options.organization.is_some();
    let source = options.source.clone().or(roster.source);
    Reading {
        batch: RosterBatch {
            source: source.unwrap_or_else(|| format.word().to_owned()),
            // Who is listed but could not be read is not gone.
            complete: usable && !delta && roster.left_out.is_empty(),
            organizations: roster.organizations,
            people: roster.people,
            changes: roster.changes,
        },
        findings: findings.finish(),
        left_out: roster.left_out,
        format,
        source_is_claimed: !named,
    }
}
