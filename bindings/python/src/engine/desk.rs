//! The staff desk: what a person of staff may do in a fresh session. Each call proves anew that the
//! session is fresh; whether they may is the core's to judge (AZ-01).

use pyo3::prelude::*;

use super::Engine;
use crate::arguments::{self, AskerArgument, FactsArgument, GivenSession, asker};
use crate::operation::Operation;
use crate::values;

/// What is known of a person.
#[pyfunction]
pub(crate) fn desk_find(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let (session, asker) = (session.verified.clone(), self::asker(asker));
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            Ok(portal.staff_desk(&proof, &asker).find(&login_id).await?)
        },
        |py, found| values::or_none(py, found, |py, found| values::desk_report(py, &found)),
    )
}

/// Which of the facts agree with the roster.
#[pyfunction]
pub(crate) fn desk_check(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    facts: FactsArgument<'_>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let evidence = facts.into_evidence(py)?;
    let (session, asker) = (session.verified.clone(), self::asker(asker));
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            Ok(portal.staff_desk(&proof, &asker).check(&evidence).await?)
        },
        |py, report| values::or_none(py, report, |py, report| values::evidence(py, &report)),
    )
}

/// Forgets the failed tries of a person.
#[pyfunction]
pub(crate) fn desk_clear_tries(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let (session, asker) = (session.verified.clone(), self::asker(asker));
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            let desk = portal.staff_desk(&proof, &asker);
            Ok(desk.clear_tries(&login_id).await?)
        },
        |py, cleared| Ok(cleared.into_pyobject(py)?.to_owned().into_any()),
    )
}

/// A claim code for one person.
#[pyfunction]
pub(crate) fn desk_issue_claim_code(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    login_id: &Bound<'_, PyAny>,
    mark: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let mark = arguments::text(mark, "mark")?;
    let (session, asker) = (session.verified.clone(), self::asker(asker));
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            let desk = portal.staff_desk(&proof, &asker);
            Ok(desk.issue_claim_code(&login_id, &mark).await?)
        },
        |py, issued| values::once_issue_claim_code(py, &issued),
    )
}

/// A recovery code for one person.
#[pyfunction]
pub(crate) fn desk_issue_recovery_code(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    login_id: &Bound<'_, PyAny>,
    mark: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let mark = arguments::text(mark, "mark")?;
    let (session, asker) = (session.verified.clone(), self::asker(asker));
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            let desk = portal.staff_desk(&proof, &asker);
            Ok(desk.issue_recovery_code(&login_id, &mark).await?)
        },
        |py, issued| values::once_issued_recovery_code(py, &issued),
    )
}

/// Logs a person out everywhere.
#[pyfunction]
pub(crate) fn desk_end_sessions(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    login_id: &Bound<'_, PyAny>,
    mark: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let mark = arguments::text(mark, "mark")?;
    let (session, asker) = (session.verified.clone(), self::asker(asker));
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            let desk = portal.staff_desk(&proof, &asker);
            Ok(desk.end_sessions(&login_id, &mark).await?)
        },
        |py, ended| values::once_ended(py, &ended),
    )
}
