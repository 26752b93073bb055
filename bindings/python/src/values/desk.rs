//! Rosters and numbers at the staff desk.

use narthex::core::model::{OrganizationId, Timestamp};
use narthex::core::portal::{OrganizationReport, SettledHold, StaffRoleCount, StaffStatistics};
use narthex::core::store::records::RosterHold;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Made, VALUES, tuple};
use crate::handles::datetime;

pub(crate) fn holds<'py>(py: Python<'py>, holds: &[RosterHold]) -> Made<'py> {
    Ok(tuple(py, holds, hold)?.into_any())
}

fn hold<'py>(py: Python<'py>, hold: &RosterHold) -> Made<'py> {
    let told = (
        &hold.source,
        hold.organization.as_str(),
        datetime(hold.held_at),
        hold.missing,
        hold.listed,
    );
    VALUES.call(py, "RosterHold", told)
}

pub(crate) fn settled_hold<'py>(py: Python<'py>, settled: &SettledHold) -> Made<'py> {
    let told = (
        hold(py, &settled.hold)?,
        settled.deactivated,
        settled.stayed,
    );
    VALUES.call(py, "SettledHold", told)
}

pub(super) fn organization_report<'py>(
    py: Python<'py>,
    (organization, report): &(&OrganizationId, &OrganizationReport),
) -> Made<'py> {
    let told = (
        organization.as_str(),
        report.added,
        report.changed,
        report.unchanged,
        report.left_out,
        report.deactivated,
        report.held,
    );
    VALUES.call(py, "OrganizationReport", told)
}

pub(crate) fn staff_statistics<'py>(py: Python<'py>, told: &StaffStatistics) -> Made<'py> {
    let people = |py, one: &StaffRoleCount| {
        let counts = (one.role.code(), one.listed, one.claimed);
        VALUES.call(py, "StaffRoleCount", counts)
    };
    let told = (
        told.organization.as_str(),
        tuple(py, &told.people, people)?,
        counts(py, &told.claims)?,
        counts(py, &told.log_ins)?,
        counts(py, &told.active)?,
    );
    VALUES.call(py, "StaffStatistics", told)
}

fn counts<'py>(py: Python<'py>, counts: &[(Timestamp, u64)]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, counts.iter().map(|(at, count)| (datetime(*at), *count)))
}
