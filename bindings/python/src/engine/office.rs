//! What the office may do on the machine itself, as the server's command line does. Functions of an
//! engine: a class has its methods in one place, and that place is full.

use pyo3::prelude::*;

use super::Engine;
use crate::arguments::{self, AskerArgument, FactsArgument, asker};
use crate::operation::Operation;
use crate::values;

/// A claim code for one person.
#[pyfunction]
pub(crate) fn issue_claim_code(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.issue_claim_code(&login_id, &asker).await?) },
        |py, issued| values::issue_claim_code(py, &issued),
    )
}

/// A claim code for everybody of an organization who has not claimed.
#[pyfunction]
pub(crate) fn issue_claim_codes(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    organization: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let organization = arguments::organization(organization, "organization")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.issue_claim_codes(&organization, &asker).await?) },
        |py, issued| values::issued_claim_codes(py, &issued),
    )
}

/// Takes a claim back.
#[pyfunction]
pub(crate) fn reset_claim(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.reset_claim(&login_id, &asker).await?) },
        |py, outcome| values::reset_claim(py, &outcome),
    )
}

/// Which of the facts agree with the roster.
#[pyfunction]
pub(crate) fn check_evidence(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    facts: FactsArgument<'_>,
) -> PyResult<Operation> {
    let evidence = facts.into_evidence(py)?;
    engine.operation(
        py,
        |portal| async move { Ok(portal.check_evidence(&evidence).await?) },
        |py, report| values::evidence(py, &report),
    )
}

/// Near misses at claims of an organization.
#[pyfunction]
pub(crate) fn claim_season(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    organization: &Bound<'_, PyAny>,
) -> PyResult<Operation> {
    let organization = arguments::organization(organization, "organization")?;
    engine.operation(
        py,
        |portal| async move {
            let season = portal.claim_season(&organization).await?;
            Ok((season, portal.policy().attempts.season))
        },
        |py, (season, policy)| values::season(py, &season, &policy),
    )
}

/// A recovery code for one person.
#[pyfunction]
pub(crate) fn issue_recovery_code(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.issue_recovery_code(&login_id, &asker).await?) },
        |py, issued| values::issued_recovery_code(py, &issued),
    )
}

/// Audit events after a cursor.
#[pyfunction]
pub(crate) fn audit_after(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    cursor: Option<Bound<'_, PyAny>>,
    limit: &Bound<'_, PyAny>,
) -> PyResult<Operation> {
    let cursor = cursor.map(|cursor| arguments::text(&cursor, "cursor"));
    let cursor = cursor.transpose()?;
    let limit = arguments::count(limit, "limit")?;
    engine.operation(
        py,
        move |portal| async move {
            Ok(portal
                .audit_after(cursor.as_ref().map(|text| text.as_str()), limit)
                .await?)
        },
        |py, lines| values::audit(py, &lines),
    )
}
