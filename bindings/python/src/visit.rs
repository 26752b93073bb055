//! Who is at a page of the host.

use std::sync::Arc;

use http::request::Parts;
use narthex::core::Refusal;
use narthex::http::{Peer, PortalService, Visit as Found};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::engine::Live;
use crate::errors::{Failure, invalid_argument};
use crate::handles::Session;
use crate::http::answer;
use crate::operation::Operation;
use crate::values;

/// The compiled part of `narthex._visit.Visit`.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Visit {
    found: Found,
    /// The request as it came.
    head: Parts,
    peer: Peer,
    service: PortalService,
    live: Arc<Live>,
}

impl Visit {
    pub(crate) fn new(
        found: Found,
        (head, peer): (Parts, Peer),
        service: PortalService,
        live: Arc<Live>,
    ) -> Self {
        Self {
            found,
            head,
            peer,
            service,
            live,
        }
    }
}

#[pymethods]
impl Visit {
    #[getter]
    fn session(&self) -> Option<Session> {
        let verified = self.found.session()?.clone();
        Some(Session {
            verified,
            token: None,
        })
    }

    #[getter]
    fn family(&self) -> Option<&str> {
        self.found.family()
    }

    #[getter]
    fn location(&self) -> Option<String> {
        let location = self.found.location()?;
        Some(location.as_str().to_owned())
    }

    #[getter]
    fn organization(&self) -> Option<&str> {
        self.found.organization().map(|id| id.as_str())
    }

    /// The parts of a `narthex.Asker`.
    fn asker(&self) -> (String, String, String, Option<String>) {
        let asker = self.service.asker(&self.head, self.peer);
        let known = asker.known_browser.as_ref();
        let known = known.map(|known| known.expose().to_string());
        let request_id = asker.request_id.as_str().to_owned();
        (asker.source, request_id, asker.client_label, known)
    }

    fn is_fresh(&self) -> bool {
        self.found.is_fresh()
    }

    /// Who is there, read afresh.
    fn profile(&self, py: Python<'_>) -> PyResult<Operation> {
        self.live.is_here(py)?;
        let found = self.found.clone();
        let operation = Operation::new(
            &self.live.pool,
            async move { Ok(found.profile().await?) },
            |py, profile| match profile {
                Some(profile) => Ok(values::profile(py, &profile)?.unbind()),
                None => Ok(py.None()),
            },
        );
        Ok(operation.light())
    }

    /// The portal's header for this page.
    fn header(&self, py: Python<'_>) -> PyResult<Operation> {
        self.live.is_here(py)?;
        let found = self.found.clone();
        let operation = Operation::new(
            &self.live.pool,
            async move {
                let header = found.header().await;
                header.map_err(|error| match error {
                    narthex::http::HeaderError::Engine(error) => Failure::Engine(error),
                    other => Failure::Panicked(other.to_string()),
                })
            },
            |py, header| Ok(header.into_pyobject(py)?.into_any().unbind()),
        );
        Ok(operation.light())
    }

    /// The answer to who may not do this here: `(status, headers, body)`.
    fn refuse<'py>(&self, py: Python<'py>, code: &str) -> PyResult<Bound<'py, PyTuple>> {
        let refusal = match code {
            "not_logged_in" => Refusal::NotLoggedIn,
            "not_permitted" => Refusal::NotPermitted,
            "reauthentication_needed" => Refusal::ReauthenticationNeeded,
            _ => {
                let message = "is no reason to refuse a page";
                return Err(invalid_argument(py, "code", message));
            }
        };
        answer(py, self.found.refuse(refusal), Arc::clone(&self.live))
    }
}
