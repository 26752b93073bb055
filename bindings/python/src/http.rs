//! The pages and the JSON, a request at a time, for ASGI and WSGI.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{AbortHandle, Abortable};
use futures_util::lock::Mutex;
use futures_util::stream::abortable;
use futures_util::{Stream, StreamExt};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use narthex::core::model::{CidrError, Contact};
use narthex::http::{Body, Cidr, Peer, Settings};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::engine::Live;
use crate::errors::{invalid_argument, unusable};
use crate::operation::Operation;
use crate::roster::ContactArgument;

/// `narthex._site.Site`
#[derive(FromPyObject)]
pub(crate) struct SiteArgument {
    base_url: String,
    site_name: Option<String>,
    cookie_suffix: String,
    trusted_proxies: Vec<String>,
    help: Vec<ContactArgument>,
}

impl SiteArgument {
    pub(crate) fn into_settings(self, py: Python<'_>) -> PyResult<Settings> {
        let refused = |error: &dyn std::fmt::Display| unusable(py, &error.to_string());
        let mut settings = Settings::new(&self.base_url).map_err(|error| refused(&error))?;
        if let Some(name) = self.site_name {
            settings.site_name = name;
        }
        settings.cookie_suffix = self.cookie_suffix;
        for proxy in &self.trusted_proxies {
            let cidr = proxy.parse::<Cidr>();
            let wrong =
                |error: CidrError| invalid_argument(py, "trusted_proxies", &error.to_string());
            let cidr = cidr.map_err(wrong)?;
            settings.trusted_proxies.push(cidr);
        }
        settings.help = self.help.into_iter().map(Contact::from).collect();
        settings.check().map_err(|error| refused(&error))?;
        Ok(settings)
    }
}

/// One request, as ASGI and WSGI both can say it.
#[derive(FromPyObject)]
pub(crate) struct RequestArgument {
    method: String,
    /// Path and query, as they were sent.
    target: String,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    peer: Option<String>,
}

impl RequestArgument {
    /// `None`: this is no request that HTTP knows.
    pub(crate) fn into_request(self, body: Bytes) -> Option<(Request<Bytes>, Peer)> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).ok()?;
        *request.uri_mut() = self.target.parse::<Uri>().ok()?;
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(&name).ok()?;
            let value = HeaderValue::from_bytes(&value).ok()?;
            request.headers_mut().append(name, value);
        }
        let address = match self.peer.as_deref() {
            // A socket without an address is this machine's own.
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
            // What is no address is in no network that anybody trusts or named.
            Some(peer) => peer.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        };
        Some((request, Peer { address }))
    }
}

type EventStream = Abortable<Pin<Box<dyn Stream<Item = Bytes> + Send>>>;

/// A stream of server-sent events.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Events {
    stream: Arc<Mutex<EventStream>>,
    end: AbortHandle,
    live: Arc<Live>,
}

#[pymethods]
impl Events {
    /// The next event as bytes; `None` at the end.
    fn next(&self, py: Python<'_>) -> PyResult<Operation> {
        self.live.is_here(py)?;
        let stream = Arc::clone(&self.stream);
        Ok(Operation::new(
            &self.live.pool,
            async move { Ok(stream.lock().await.next().await) },
            |py, event| {
                let event = event.map(|event| PyBytes::new(py, &event));
                Ok(event.into_pyobject(py)?.into_any().unbind())
            },
        ))
    }

    /// Nobody listens any longer: whoever waits for the next event is told that there is none.
    fn close(&self) {
        self.end.abort();
    }
}

/// `(status, [(name, value), ...], bytes or Events)`
pub(crate) fn answer<'py>(
    py: Python<'py>,
    response: Response<Body>,
    live: Arc<Live>,
) -> PyResult<Bound<'py, PyTuple>> {
    answer_parts(py, response, live)?.into_pyobject(py)
}

type Named<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// The parts of such an answer.
pub(crate) fn answer_parts<'py>(
    py: Python<'py>,
    response: Response<Body>,
    live: Arc<Live>,
) -> PyResult<(u16, Vec<Named<'py>>, Bound<'py, PyAny>)> {
    let (parts, body) = response.into_parts();
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            let name = PyBytes::new(py, name.as_str().as_bytes());
            (name, PyBytes::new(py, value.as_bytes()))
        })
        .collect();
    let body = match body {
        Body::Full(bytes) => PyBytes::new(py, &bytes).into_any(),
        Body::Events(stream) => {
            let (stream, end) = abortable(stream);
            let stream = Arc::new(Mutex::new(stream));
            Bound::new(py, Events { stream, end, live })?.into_any()
        }
    };
    Ok((parts.status.as_u16(), headers, body))
}
