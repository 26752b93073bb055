//! Lists of people and numbers at the staff desk: what [`super::desk`] does for one person, for a school.

use narthex::core::model::roster::RosterBatch;
use narthex::core::portal::ImportOptions;
use narthex::http::ROSTER_BYTES_MAX;
use narthex::oneroster::ReadOptions;
use narthex::uploads;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::Engine;
use crate::arguments::{self, AskerArgument, GivenSession, asker};
use crate::errors::{Failure, invalid_argument};
use crate::operation::Operation;
use crate::roster::{BatchArgument, Import, ReadingArgument, decision};
use crate::values;

/// What somebody of the staff brings.
enum Brought {
    Values(RosterBatch),
    File(Vec<u8>, ReadOptions),
}

impl Brought {
    fn new(roster: &Bound<'_, PyAny>, reading: ReadingArgument) -> PyResult<Self> {
        let py = roster.py();
        let Ok(file) = roster.cast::<PyBytes>() else {
            let batch: BatchArgument = roster.extract()?;
            return Ok(Self::Values(batch.into_batch(py)?));
        };
        let bytes = file.as_bytes();
        if bytes.len() > ROSTER_BYTES_MAX {
            let message = format!("is too long: at most {ROSTER_BYTES_MAX} bytes");
            return Err(invalid_argument(py, "roster", &message));
        }
        Ok(Self::File(bytes.to_vec(), reading.into_options(py)?))
    }

    fn read(self) -> Result<(RosterBatch, Import), Failure> {
        let (bytes, options) = match self {
            Self::Values(batch) => return Ok((batch, Import::default())),
            Self::File(bytes, options) => (bytes, options),
        };
        let read = uploads::read(&bytes, "", options);
        let reading = read.map_err(|error| Failure::Argument("roster", error.to_string()))?;
        let import = Import {
            report: None,
            findings: reading.findings,
            left_out: reading.left_out.len(),
        };
        Ok((reading.batch, import))
    }
}

/// Brings a roster in at the desk, or looks what that would do. `how`: whether it is a look, and whether
/// new ids are accepted.
#[pyfunction]
pub(crate) fn desk_import_roster(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    roster: &Bound<'_, PyAny>,
    how: (bool, bool),
    reading: ReadingArgument,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let brought = Brought::new(roster, reading)?;
    let (dry_run, accept_new_ids) = how;
    let options = ImportOptions {
        dry_run,
        accept_new_ids,
        source_is_claimed: false,
    };
    let (session, asker) = (session.verified.clone(), self::asker(asker));
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            let desk = portal.staff_desk(&proof, &asker);
            // Who is not staff has no file read.
            portal.staff_holds(&session).await?;
            let (batch, mut import) = brought.read()?;
            if import.is_usable() {
                let report = if dry_run {
                    desk.preview_roster(&batch, options, &|_| ()).await?
                } else {
                    desk.import_roster(&batch, options, &|_| ()).await?
                };
                import.left_out += report.left_out;
                import.findings.extend(report.findings.iter().cloned());
                import.report = Some(report);
            }
            Ok(import)
        },
        |py, import: Import| import.shown(py),
    )
}

/// Settles what an import holds in one organization.
#[pyfunction]
pub(crate) fn desk_settle_hold(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    source: String,
    organization: &Bound<'_, PyAny>,
    confirm: bool,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let organization = arguments::organization(organization, "organization")?;
    let (session, asker) = (session.verified.clone(), self::asker(asker));
    engine.operation(
        py,
        move |portal| async move {
            let proof = portal.fresh(&session)?;
            let desk = portal.staff_desk(&proof, &asker);
            let settled = desk.settle_hold(&source, &organization, decision(confirm), &|_| ());
            Ok(settled.await?)
        },
        |py, settled| {
            values::or_none(py, settled, |py, hold| {
                values::desk::settled_hold(py, &hold)
            })
        },
    )
}

/// Imports that wait for a human, where the person is staff.
#[pyfunction]
pub(crate) fn staff_holds(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
) -> PyResult<Operation> {
    let session = session.verified.clone();
    engine.operation(
        py,
        |portal| async move { Ok(portal.staff_holds(&session).await?) },
        |py, holds| values::desk::holds(py, &holds),
    )
}

/// Counts of an organization, for its staff.
#[pyfunction]
pub(crate) fn staff_statistics(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    organization: &Bound<'_, PyAny>,
) -> PyResult<Operation> {
    let session = session.verified.clone();
    let organization = arguments::organization(organization, "organization")?;
    engine.operation(
        py,
        |portal| async move { Ok(portal.staff_statistics(&session, &organization).await?) },
        |py, told| values::desk::staff_statistics(py, &told),
    )
}
