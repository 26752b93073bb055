//! What claims and recoveries under way have in common, and what each has besides.

use std::time::SystemTime;

use narthex::core::model::{TicketStep, Timestamp};
use narthex::core::rules::password::PasswordRequirement;
use narthex::core::{BrowserSecret as Secret, portal};
use pyo3::prelude::*;

use crate::handles::{BrowserSecret, datetime};
use crate::values;

/// A claim or a recovery under way, as the browser that began it may see it.
#[pyclass(frozen, subclass, module = "narthex")]
pub(crate) struct Ticket {
    id: String,
    pub(crate) browser: Secret,
    login_id: String,
    given_name: String,
    family_name: String,
    organization: String,
    expires_at: Timestamp,
    requirements: Vec<PasswordRequirement>,
}

#[pymethods]
impl Ticket {
    /// Names it in its own forms. Not enough by itself: `browser` is needed too.
    #[getter]
    fn id(&self) -> &str {
        &self.id
    }

    /// What binds it to its browser.
    #[getter]
    fn browser(&self) -> BrowserSecret {
        BrowserSecret(self.browser.clone())
    }

    /// The student number.
    #[getter]
    fn login_id(&self) -> &str {
        &self.login_id
    }

    /// First Name, as the roster writes it.
    #[getter]
    fn given_name(&self) -> &str {
        &self.given_name
    }

    /// Last Name, as the roster writes it.
    #[getter]
    fn family_name(&self) -> &str {
        &self.family_name
    }

    /// Where the person lands, and whose humans help.
    #[getter]
    fn organization(&self) -> &str {
        &self.organization
    }

    /// When the next step is too late.
    #[getter]
    fn expires_at(&self) -> SystemTime {
        datetime(self.expires_at)
    }

    /// The stated requirements for the password.
    #[getter]
    fn requirements<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::requirements(py, &self.requirements)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("{}()", slf.get_type().name()?))
    }
}

/// The common part of a ticket of the core, which has it twice.
macro_rules! common {
    ($ticket:expr, $browser:expr) => {
        Ticket {
            id: $ticket.id().expose(),
            browser: $browser,
            login_id: $ticket.login_id().to_owned(),
            given_name: $ticket.given_name().to_owned(),
            family_name: $ticket.family_name().to_owned(),
            organization: $ticket.organization().as_str().to_owned(),
            expires_at: $ticket.expires_at(),
            requirements: $ticket.requirements().to_vec(),
        }
    };
}

/// A claim under way.
#[pyclass(frozen, extends = Ticket, module = "narthex")]
pub(crate) struct ClaimTicket(portal::ClaimTicket);

impl ClaimTicket {
    /// The ticket of the core, and what binds it to its browser.
    pub(crate) fn parts(this: &PyRef<'_, Self>) -> (portal::ClaimTicket, Secret) {
        (this.0.clone(), this.as_super().browser.clone())
    }

    pub(crate) fn shown(
        py: Python<'_>,
        (ticket, browser): (portal::ClaimTicket, Secret),
    ) -> PyResult<Bound<'_, PyAny>> {
        let whole = PyClassInitializer::from(common!(ticket, browser)).add_subclass(Self(ticket));
        Ok(Bound::new(py, whole)?.into_any())
    }
}

#[pymethods]
impl ClaimTicket {
    /// `"identified"`, `"password_set"` or `"spent"`.
    #[getter]
    fn step(&self) -> &'static str {
        match self.0.step() {
            TicketStep::Identified => "identified",
            TicketStep::PasswordSet => "password_set",
            TicketStep::Spent => "spent",
        }
    }
}

/// A recovery under way.
#[pyclass(frozen, extends = Ticket, module = "narthex")]
pub(crate) struct RecoveryTicket(portal::RecoveryTicket);

impl RecoveryTicket {
    /// The ticket of the core, and what binds it to its browser.
    pub(crate) fn parts(this: &PyRef<'_, Self>) -> (portal::RecoveryTicket, Secret) {
        (this.0.clone(), this.as_super().browser.clone())
    }

    pub(crate) fn shown(
        py: Python<'_>,
        (ticket, browser): (portal::RecoveryTicket, Secret),
    ) -> PyResult<Bound<'_, PyAny>> {
        let whole = PyClassInitializer::from(common!(ticket, browser)).add_subclass(Self(ticket));
        Ok(Bound::new(py, whole)?.into_any())
    }
}

#[pymethods]
impl RecoveryTicket {
    /// The questions to be answered next; none: the way on is the new password.
    #[getter]
    fn questions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::questions(py, self.0.questions())
    }
}
