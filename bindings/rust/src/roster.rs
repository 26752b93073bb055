//! A roster from a file into the portal, in one call.

use std::path::Path;

use narthex_core::Portal;
use narthex_core::host::Clock;
use narthex_core::model::roster::{Finding, Severity};
use narthex_core::portal::{ImportOptions, ImportReport};
use narthex_oneroster::{Date, ReadError, ReadOptions, read};

use crate::SystemClock;

/// Why a roster was not imported. Nothing was changed, unless the store failed half-way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// The clock of this machine shows no day of the years 1 to 9999.
    #[error("the clock of this machine shows no day that a roster could be read as of")]
    Clock,
    /// The files could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The files have errors, or are not what was to be imported: each finding says where and what.
    #[error("the roster has errors; the first: {}", first(.0))]
    Unusable(Vec<Finding>),
    /// The portal refused, or its store did not answer.
    #[error(transparent)]
    Portal(#[from] narthex_core::Error),
}

fn first(findings: &[Finding]) -> &str {
    let mut errors = findings.iter().filter(|f| f.severity == Severity::Error);
    errors.next().map_or("", |finding| &finding.message)
}

/// Reads the roster at `path`, a folder or a zip of OneRoster or School Data Sync files, as of today,
/// and imports it. To name the source, which must be done where another one is known, for other days and
/// formats, and for the findings of a good roster, see [`crate::oneroster`] and [`Portal::import_roster`].
///
/// # Errors
/// See [`RosterError`].
pub async fn import_roster(
    portal: &Portal,
    path: impl AsRef<Path>,
) -> Result<ImportReport, RosterError> {
    let today = Date::of_timestamp(SystemClock.read().wall).ok_or(RosterError::Clock)?;
    let reading = read(path.as_ref(), &ReadOptions::new(today))?;
    if !reading.is_usable() {
        return Err(RosterError::Unusable(reading.findings));
    }
    let options = ImportOptions {
        source_is_claimed: reading.source_is_claimed,
        ..ImportOptions::default()
    };
    let report = portal
        .import_roster(reading.batch, options, &|_| ())
        .await?;
    match report.is_stopped() {
        true => Err(RosterError::Unusable(report.findings)),
        false => Ok(report),
    }
}
