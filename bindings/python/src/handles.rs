//! Secrets and proofs: what only the engine makes. They do not print what they hold, cannot be
//! pickled or copied, and compare by nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use narthex::core::model::Timestamp;
use narthex::core::{BrowserSecret as Secret, SessionToken as Token, VerifiedSession};
use pyo3::prelude::*;

use crate::arguments;
use crate::errors::invalid_argument;

pub(crate) fn datetime(at: Timestamp) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_millis(at.as_millis()))
        .unwrap_or(UNIX_EPOCH)
}

/// What a browser's cookie holds of a session.
#[pyclass(frozen, module = "narthex")]
pub(crate) struct SessionToken(pub(crate) Token);

#[pymethods]
impl SessionToken {
    /// From the text of a cookie.
    #[staticmethod]
    fn parse(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let written = arguments::text(text, "text")?;
        let token = Token::parse(&written);
        let message = "is not the text of a session token";
        token
            .map(Self)
            .ok_or_else(|| invalid_argument(text.py(), "text", message))
    }

    /// The text for the cookie, and for nothing else.
    fn expose(&self) -> String {
        self.0.expose().to_string()
    }

    fn __repr__(&self) -> &'static str {
        "SessionToken(hidden)"
    }
}

/// What binds claims to the browser that began them.
#[pyclass(frozen, module = "narthex")]
pub(crate) struct BrowserSecret(pub(crate) Secret);

#[pymethods]
impl BrowserSecret {
    /// From the text of a cookie.
    #[staticmethod]
    fn parse(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let written = arguments::text(text, "text")?;
        let secret = Secret::parse(&written);
        let message = "is not the text of a browser secret";
        secret
            .map(Self)
            .ok_or_else(|| invalid_argument(text.py(), "text", message))
    }

    /// A new one.
    #[staticmethod]
    pub(crate) fn generate(py: Python<'_>) -> PyResult<Self> {
        let secret = Secret::generate(&narthex::SystemEntropy);
        let failed = |error| crate::errors::Failure::Engine(narthex::core::Error::from(error));
        secret
            .map(Self)
            .map_err(|error| failed(error).into_exception(py))
    }

    /// The text for the cookie, and for nothing else.
    fn expose(&self) -> String {
        self.0.expose().to_string()
    }

    fn __repr__(&self) -> &'static str {
        "BrowserSecret(hidden)"
    }
}

/// Proof that a session was live when it was asked for.
#[pyclass(frozen, module = "narthex")]
pub(crate) struct Session {
    pub(crate) verified: VerifiedSession,
    /// Not there where the portal's own pages keep the cookie.
    pub(crate) token: Option<Token>,
}

impl Session {
    /// The same once more.
    pub(crate) fn again(&self) -> Self {
        Self {
            verified: self.verified.clone(),
            token: self.token.clone(),
        }
    }
}

#[pymethods]
impl Session {
    /// Names the account for ever.
    #[getter]
    fn account(&self) -> String {
        self.verified.account().to_hex()
    }

    /// When the person logged in.
    #[getter]
    fn started_at(&self) -> SystemTime {
        datetime(self.verified.started_at())
    }

    /// When the person last proved who they are.
    #[getter]
    fn authenticated_at(&self) -> SystemTime {
        datetime(self.verified.authenticated_at())
    }

    /// When the person was last active, over all tabs.
    #[getter]
    fn last_activity(&self) -> SystemTime {
        datetime(self.verified.last_activity())
    }

    /// When it ends if nobody does anything.
    #[getter]
    fn expires_at(&self) -> SystemTime {
        datetime(self.verified.expires_at())
    }

    /// How long without activity ends it.
    #[getter]
    fn inactivity_timeout(&self) -> Duration {
        self.verified.inactivity_timeout()
    }

    fn __repr__(&self) -> String {
        format!("Session(account={:?})", self.account())
    }
}
