//! What Python code hands over: taken as it is, or refused with the name of the argument.

use std::ops::Deref;
use std::time::Duration;

use narthex::core::model::{InvalidInput, RequestId};
use narthex::core::rules::claim::ClaimEvidence;
use narthex::core::rules::question::SecurityAnswers;
use narthex::core::secret::KnownBrowser;
use narthex::core::{
    Asker, Birthdate, BrowserSecret as Secret, LoginId, OrganizationId, Password, VerifiedSession,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDelta, PyInt, PyString};
use zeroize::Zeroizing;

use crate::errors::invalid_argument;
use crate::handles::{BrowserSecret, Session};
use crate::values::VALUES;

/// The longest text taken, in bytes of UTF-8. What it is for may have a closer bound.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;

/// A `str` that is real text.
///
/// # Errors
/// `TypeError`, or `InvalidArgument` for a lone surrogate, NUL, or more than [`TEXT_BYTES_MAX`].
pub(crate) fn text(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Zeroizing<String>> {
    let Ok(text) = value.cast::<PyString>() else {
        return Err(must_be(value, name, "str"));
    };
    let py = value.py();
    // Before anything is copied: a character is at least a byte.
    if text.len()? > TEXT_BYTES_MAX {
        return Err(too_long(py, name));
    }
    let Ok(text) = text.to_cow() else {
        let message = "has half a character (a lone surrogate), which is no text";
        return Err(invalid_argument(py, name, message));
    };
    if text.len() > TEXT_BYTES_MAX {
        return Err(too_long(py, name));
    }
    if text.contains('\0') {
        return Err(invalid_argument(py, name, "has a NUL character"));
    }
    Ok(Zeroizing::new(text.into_owned()))
}

fn too_long(py: Python<'_>, name: &str) -> PyErr {
    invalid_argument(
        py,
        name,
        &format!("is too long: at most {TEXT_BYTES_MAX} bytes"),
    )
}

/// Text that `parse` takes.
///
/// # Errors
/// As [`text`], or what `parse` says.
pub(crate) fn parsed<T>(
    value: &Bound<'_, PyAny>,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, InvalidInput>,
) -> PyResult<T> {
    let text = text(value, name)?;
    parse(&text).map_err(|error| invalid_argument(value.py(), name, error.0))
}

pub(crate) fn login_id(value: &Bound<'_, PyAny>, name: &str) -> PyResult<LoginId> {
    parsed(value, name, LoginId::parse)
}

pub(crate) fn organization(value: &Bound<'_, PyAny>, name: &str) -> PyResult<OrganizationId> {
    parsed(value, name, OrganizationId::parse)
}

pub(crate) fn password(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Password> {
    parsed(value, name, Password::parse)
}

/// A `datetime.date`, or text as typed.
pub(crate) fn birthdate_text(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Zeroizing<String>> {
    // A `datetime` is a `date` too, and its `isoformat` would say the time.
    if let (Ok(year), Ok(month), Ok(day)) = (
        value.getattr("year"),
        value.getattr("month"),
        value.getattr("day"),
    ) {
        let (year, month, day): (u16, u8, u8) = (year.extract()?, month.extract()?, day.extract()?);
        let written = format!("{year:04}-{month:02}-{day:02}");
        Birthdate::parse(&written).map_err(|error| invalid_argument(value.py(), name, error.0))?;
        return Ok(Zeroizing::new(written));
    }
    if !value.is_instance_of::<PyString>() {
        return Err(must_be(value, name, "datetime.date or str"));
    }
    text(value, name)
}

/// A number of things, from nought.
///
/// # Errors
/// `TypeError`, or `InvalidArgument` for less than nought or more than [`u32::MAX`].
pub(crate) fn count(value: &Bound<'_, PyAny>, name: &str) -> PyResult<u32> {
    if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
        return Err(must_be(value, name, "int"));
    }
    value.extract().map_err(|_| {
        let message = format!("is not a number from 0 to {}", u32::MAX);
        invalid_argument(value.py(), name, &message)
    })
}

/// A `datetime.timedelta` that is a span of time.
///
/// # Errors
/// `TypeError`, or `InvalidArgument` for one below zero.
pub(crate) fn duration(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Duration> {
    if !value.is_instance_of::<PyDelta>() {
        return Err(must_be(value, name, "datetime.timedelta"));
    }
    let span = value.extract();
    span.map_err(|_| invalid_argument(value.py(), name, "is below zero"))
}

fn must_be(value: &Bound<'_, PyAny>, name: &str, what: &str) -> PyErr {
    match value.get_type().name() {
        Ok(kind) => PyTypeError::new_err(format!("{name} must be {what}, not {kind}")),
        Err(error) => error,
    }
}

/// A `narthex.Session`, which is no token.
pub(crate) struct GivenSession<'py>(Bound<'py, Session>);

impl<'py> FromPyObject<'_, 'py> for GivenSession<'py> {
    type Error = PyErr;

    fn extract(said: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let said = said.to_owned();
        let what = "narthex.Session, as portal.verify_session(token) answers it";
        let session = said.cast::<Session>();
        let session = session.map_err(|_| must_be(&said, "session", what))?;
        Ok(Self(session.clone()))
    }
}

impl Deref for GivenSession<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.0.get()
    }
}

impl GivenSession<'_> {
    /// For what goes on under a new token.
    ///
    /// # Errors
    /// `InvalidArgument` for the session of a page: nobody there would put the new token into the cookie.
    pub(crate) fn of_its_cookie(&self) -> PyResult<VerifiedSession> {
        if self.token.is_some() {
            return Ok(self.verified.clone());
        }
        let message = "is of a page, which does not have its cookie: the portal's own pages do this \
                       (account/password, account/sessions); or give the session that \
                       portal.verify_session(cookie) answers, and put the new token into the cookie";
        Err(invalid_argument(self.0.py(), "session", message))
    }
}

/// A `narthex.Asker`.
pub(crate) struct AskerArgument {
    source: String,
    request_id: String,
    client_label: String,
    known_browser: Option<String>,
}

impl<'py> FromPyObject<'_, 'py> for AskerArgument {
    type Error = PyErr;

    fn extract(said: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let said = said.to_owned();
        if !said.is_instance(&VALUES.get(said.py(), "Asker")?)? {
            return Err(must_be(&said, "asker", "narthex.Asker"));
        }
        let part = |name: &str| -> PyResult<String> {
            let value = said.getattr(name)?;
            Ok(text(&value, &format!("asker.{name}"))?.to_string())
        };
        let known_browser = match said.getattr("known_browser")?.is_none() {
            true => None,
            false => Some(part("known_browser")?),
        };
        Ok(Self {
            source: part("source")?,
            request_id: part("request_id")?,
            client_label: part("client_label")?,
            known_browser,
        })
    }
}

impl From<AskerArgument> for Asker {
    fn from(said: AskerArgument) -> Self {
        // Budgets count whoever asks once, however the address is written.
        let source = narthex::http::source_of(&said.source).unwrap_or(said.source);
        Self {
            source,
            request_id: RequestId::new(&said.request_id),
            client_label: said.client_label.chars().take(200).collect(),
            // What no portal made is no known browser.
            known_browser: said.known_browser.as_deref().and_then(KnownBrowser::parse),
        }
    }
}

/// Nobody in particular where none was given.
pub(crate) fn asker(said: Option<AskerArgument>) -> Asker {
    said.map(Into::into).unwrap_or_default()
}

/// The browser's own secret, or a new one.
pub(crate) fn browser(py: Python<'_>, said: Option<PyRef<'_, BrowserSecret>>) -> PyResult<Secret> {
    match said {
        Some(browser) => Ok(browser.0.clone()),
        None => Ok(BrowserSecret::generate(py)?.0),
    }
}

/// Pairs of question and answer.
pub(crate) fn answers(
    pairs: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
) -> PyResult<SecurityAnswers> {
    let mut answers = SecurityAnswers::new();
    for (question, answer) in pairs {
        let question = text(&question, "answers")?;
        let answer = text(&answer, "answers")?;
        answers = answers.with(&question, &answer);
    }
    Ok(answers)
}

/// The facts of a claim: `(given_name, family_name, birthdate, login_id, claim_code)`. What is wrong
/// names its argument.
#[derive(FromPyObject)]
pub(crate) struct FactsArgument<'py>(
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
);

impl FactsArgument<'_> {
    pub(crate) fn into_evidence(self, py: Python<'_>) -> PyResult<ClaimEvidence> {
        let Self(given_name, family_name, birthdate, login_id, claim_code) = self;
        let given = text(&given_name, "given_name")?;
        let family = text(&family_name, "family_name")?;
        let birthdate = match (birthdate.is_none(), claim_code.is_some()) {
            (true, false) => {
                let message = "is missing: who has a code may leave it out, and nobody else";
                return Err(invalid_argument(py, "birthdate", message));
            }
            (true, true) => Zeroizing::default(),
            (false, _) => birthdate_text(&birthdate, "birthdate")?,
        };
        let login_id = text(&login_id, "login_id")?;
        let code = claim_code.map(|code| text(&code, "claim_code"));
        let code = code.transpose()?.unwrap_or_default();
        let evidence =
            ClaimEvidence::parse_with_code(&given, &family, &birthdate, &login_id, &code);
        evidence.map_err(|wrong| {
            let first = wrong.first().map(|(field, error)| (field.code(), error.0));
            let (field, message) = first.unwrap_or(("login_id", "cannot be understood"));
            invalid_argument(py, field, message)
        })
    }
}
