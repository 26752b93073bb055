//! Recovery, step-up and what asks for a fresh log-in. Functions of an engine: a class has its
//! methods in one place, and that place is full.

use narthex::core::rules::code::RecoveryCodeText;
use narthex::core::rules::details::{DetailsChange, DetailsField};
use narthex::core::{Refusal, TicketId};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::Engine;
use super::methods::nothing;
use crate::arguments::{self, AskerArgument, GivenSession, asker};
use crate::errors::{Failure, invalid_argument};
use crate::handles::BrowserSecret;
use crate::operation::Operation;
use crate::tickets::RecoveryTicket;
use crate::values;

/// First step: number and code open a ticket.
#[pyfunction]
pub(crate) fn begin_recovery(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
    browser: Option<PyRef<'_, BrowserSecret>>,
    asker: AskerArgument,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let code = arguments::parsed(code, "code", RecoveryCodeText::parse)?;
    let browser = arguments::browser(py, browser)?;
    let asker = asker.into();
    engine.operation(
        py,
        |portal| async move {
            let begun = portal.begin_recovery(&login_id, &code, &browser, &asker);
            Ok((begun.await?, browser))
        },
        RecoveryTicket::shown,
    )
}

/// The recovery of a ticket, for the browser that began it.
#[pyfunction]
pub(crate) fn recovery_ticket(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    id: &Bound<'_, PyAny>,
    browser: PyRef<'_, BrowserSecret>,
) -> PyResult<Operation> {
    let id = TicketId::parse(&arguments::text(id, "id")?);
    let id = id.ok_or_else(|| Failure::from(Refusal::RecoveryExpired).into_exception(py))?;
    let browser = browser.0.clone();
    engine.operation(
        py,
        |portal| async move {
            let ticket = portal.recovery_ticket(id, &browser).await?;
            Ok((ticket, browser))
        },
        RecoveryTicket::shown,
    )
}

/// Second step: the answers given before.
#[pyfunction]
pub(crate) fn answer_recovery_questions(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    ticket: PyRef<'_, RecoveryTicket>,
    answers: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    asker: AskerArgument,
) -> PyResult<Operation> {
    let answers = arguments::answers(answers)?;
    let (ticket, browser) = RecoveryTicket::parts(&ticket);
    let asker = asker.into();
    engine.operation(
        py,
        |portal| async move {
            let answered = portal.answer_recovery_questions(&ticket, &browser, &answers, &asker);
            Ok((answered.await?, browser))
        },
        RecoveryTicket::shown,
    )
}

/// Last step: a new password.
#[pyfunction]
pub(crate) fn finish_recovery(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    ticket: PyRef<'_, RecoveryTicket>,
    password: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let password = arguments::password(password, "password")?;
    let (ticket, browser) = RecoveryTicket::parts(&ticket);
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move {
            let finished = portal.finish_recovery(&ticket, &browser, password, &asker);
            Ok(finished.await?)
        },
        |py, recovered| values::recovered(py, &recovered),
    )
}

/// A new set of codes for the person to keep.
#[pyfunction]
pub(crate) fn renew_recovery_codes(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let session = session.verified.clone();
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            Ok(portal.renew_recovery_codes(&proof, &asker).await?)
        },
        |py, codes| {
            let codes = codes.iter().map(|code| code.expose().to_string());
            let codes = PyTuple::new(py, codes.collect::<Vec<_>>())?;
            values::recovery_codes(py, codes)
        },
    )
}

/// How many saved codes the person still has.
#[pyfunction]
pub(crate) fn recovery_codes_left(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
) -> PyResult<Operation> {
    let account = session.verified.account();
    engine.operation(
        py,
        move |portal| async move { Ok(portal.recovery_codes_left(account).await?) },
        |py, left| Ok(left.into_pyobject(py)?.into_any()),
    )
}

/// The current password once more.
#[pyfunction]
pub(crate) fn reauthenticate(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    current: &Bound<'_, PyAny>,
    asker: AskerArgument,
) -> PyResult<Operation> {
    let session = session.of_its_cookie()?;
    let current = arguments::password(current, "current")?;
    let asker = asker.into();
    engine.operation(
        py,
        |portal| async move { Ok(portal.reauthenticate(&session, current, &asker).await?) },
        values::logged_in,
    )
}

/// Which security questions the person has answered.
#[pyfunction]
pub(crate) fn questions_set(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
) -> PyResult<Operation> {
    let session = session.verified.clone();
    engine.operation(
        py,
        |portal| async move { Ok(portal.questions_set(&session).await?) },
        |py, set| Ok(PyTuple::new(py, set)?.into_any()),
    )
}

/// New security questions and answers.
#[pyfunction]
pub(crate) fn set_questions(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    answers: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let session = session.verified.clone();
    let answers = arguments::answers(answers)?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            Ok(portal.set_questions(&proof, &answers, &asker).await?)
        },
        nothing,
    )
}

/// Where the person is logged in now.
#[pyfunction]
pub(crate) fn families(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
) -> PyResult<Operation> {
    let session = session.verified.clone();
    engine.operation(
        py,
        |portal| async move { Ok(portal.families(&session).await?) },
        |py, families| values::families(py, &families),
    )
}

/// Logs out in another browser.
#[pyfunction]
pub(crate) fn end_family(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    handle: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let session = session.verified.clone();
    let handle = arguments::text(handle, "handle")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            Ok(portal.end_family(&proof, &handle, &asker).await?)
        },
        nothing,
    )
}

/// Logs out in all other browsers.
#[pyfunction]
pub(crate) fn end_other_families(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let session = session.of_its_cookie()?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move {
            let proof = portal.fresh(&session)?;
            Ok(portal.end_other_families(&proof, &asker).await?)
        },
        values::logged_in,
    )
}

/// What the roster does not own: `(field, as typed)`; empty takes it away.
#[pyfunction]
pub(crate) fn change_details(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    fields: Vec<(String, Bound<'_, PyAny>)>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let mut change = DetailsChange::default();
    for (name, typed) in fields {
        let known = |field: &DetailsField| field.code() == name;
        let field = DetailsField::ALL.into_iter().find(known);
        let field = field.ok_or_else(|| invalid_argument(py, &name, "is no detail"))?;
        arguments::parsed(&typed, &name, |typed| change.set(field, typed))?;
    }
    let session = session.verified.clone();
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.change_details(&session, &change, &asker).await?) },
        nothing,
    )
}

/// Whether a claim needs the code of a letter.
#[pyfunction]
pub(crate) fn claim_code_required(py: Python<'_>, engine: PyRef<'_, Engine>) -> PyResult<bool> {
    Ok(engine.live(py)?.portal.claim_code_required())
}
