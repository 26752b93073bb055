//! What goes wrong, as the exceptions of `narthex._errors`.

use narthex::core::{Error, Refusal};
use narthex::http::told;
use pyo3::prelude::*;

use crate::cell::PythonModule;

static ERRORS: PythonModule = PythonModule::named("narthex._errors");

/// Why an operation has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine said no, or could not.
    Engine(Error),
    /// A mistake of ours; nobody was admitted.
    Panicked(String),
    /// The portal could not be opened, or be used as it is.
    Unusable(String),
    /// An argument that could be judged only now.
    Argument(&'static str, String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(refusal.into())
    }
}

/// The message of a panic.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Failure {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    Failure::Panicked(message.unwrap_or_else(|| "a panic".to_owned()))
}

fn made(py: Python<'_>, made: PyResult<Bound<'_, PyAny>>) -> PyErr {
    let _attached = py;
    made.map_or_else(|error| error, PyErr::from_value)
}

/// `InvalidArgument`
pub(crate) fn invalid_argument(py: Python<'_>, name: &str, message: &str) -> PyErr {
    made(py, ERRORS.call(py, "InvalidArgument", (name, message)))
}

/// `CannotOpen`
pub(crate) fn unusable(py: Python<'_>, message: &str) -> PyErr {
    made(py, ERRORS.call(py, "CannotOpen", (message,)))
}

impl Failure {
    /// As an exception.
    pub(crate) fn into_exception(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Panicked(message) => made(py, ERRORS.call(py, "InternalError", (message,))),
            Self::Unusable(message) => unusable(py, &message),
            Self::Argument(name, message) => invalid_argument(py, name, &message),
            Self::Engine(error) => made(py, engine_exception(py, &error)),
        }
    }
}

fn engine_exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let told = told(error);
    let wait = told.retry_after;
    match error {
        Error::Refused(refusal) => {
            let account = match refusal {
                Refusal::SessionEnded { account, .. } => account.map(|account| account.to_hex()),
                _ => None,
            };
            let issues = told.issues.into_iter();
            let issues: Vec<_> = issues
                .map(|issue| (issue.field, issue.code, issue.text))
                .collect();
            let of = ERRORS.get(py, "Refused")?;
            let told = (told.code, told.title, told.reason, wait, issues, account);
            of.call_method1("_made", told)
        }
        Error::Contended { .. } => ERRORS.call(py, "Contended", (error.to_string(),)),
        Error::Busy { .. } => ERRORS.call(py, "Busy", (error.to_string(), wait)),
        Error::Store(_) => {
            let message = (error.to_string(), error.may_have_applied());
            ERRORS.call(py, "Unavailable", message)
        }
        _ => ERRORS.call(py, "InternalError", (error.to_string(),)),
    }
}
