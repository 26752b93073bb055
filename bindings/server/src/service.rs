//! A portal on a socket: what `demo` and `serve` have in common.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use narthex::http::{Answered, Body, Peer, PortalService};
use narthex::hyper::{Handler, Limits, Server, StopReport};
use narthex::outbox::{Channels, deliver};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::control::{self, Control, Desk};
use crate::management::{Management, clock_difference, clock_warning};
use crate::meters::{Meters, Stopwatch};
use crate::signals::Stop;

/// How often the portal is maintained; `Portal::maintain` says why.
const MAINTENANCE: Duration = Duration::from_secs(60);
/// File descriptors that are not connections: store, log, libraries, and some to spare.
const FILES_OF_OUR_OWN: u64 = 64;

/// What is served, and how.
pub(crate) struct Front {
    pub(crate) desk: Desk,
    /// Where commands are taken.
    pub(crate) control: Option<Control>,
    /// Where monitors are answered.
    pub(crate) management: Option<(TcpListener, Management)>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) limits: Limits,
    /// How people are told what happened to their accounts.
    pub(crate) channels: Channels,
    pub(crate) service: PortalService,
    /// Whether most people come through a proxy, as one peer.
    pub(crate) proxied: bool,
    /// Another name of this host, and the origin that a browser which used it is led to.
    pub(crate) nickname: Option<(String, String)>,
}

/// Takes commands at `socket` from now on. A server without its socket still serves: commands then
/// say that it holds the store.
pub(crate) fn control(socket: Option<PathBuf>, desk: Desk) -> Option<Control> {
    let socket = socket?;
    match control::listen(&socket, desk) {
        Ok(control) => Some(control),
        Err(error) => {
            let socket = socket.display();
            tracing::warn!(%socket, %error, "no control socket: commands need the server stopped");
            None
        }
    }
}

/// Serves until it is asked to stop, and keeps the portal maintained meanwhile.
pub(crate) async fn run(listener: TcpListener, front: Front, stop: Stop) -> StopReport {
    let desk = front.desk;
    let limits = limits(front.limits, front.proxied);
    let door = Door {
        service: front.service,
        meters: front.meters,
        nickname: front.nickname.map(Arc::new),
    };
    let server = Server::on(listener, door, limits);
    let maintenance = tokio::spawn(maintain(desk.clone()));
    let telling = front
        .channels
        .any()
        .then(|| tokio::spawn(deliver(desk.portal.clone(), front.channels)));
    let (stop_management, stopping) = oneshot::channel::<()>();
    let management = front.management.map(|(listener, management)| {
        let server = Server::on(listener, management, Limits::default());
        tokio::spawn(server.serve(async { stopping.await.unwrap_or(()) }))
    });
    let report = server.serve(stop.asked()).await;
    if let Some(control) = front.control {
        control.stop().await;
    }
    maintenance.abort();
    if let Some(telling) = telling {
        // What was on its way is told again after the next start.
        telling.abort();
    }
    // The time floor is then as late as can be when the next process starts.
    if let Err(error) = desk.portal.maintain().await {
        tracing::warn!(%error, "the last maintenance did not succeed");
    }
    drop(stop_management);
    if let Some(management) = management {
        let _ = management.await;
    }
    report
}

async fn maintain(desk: Desk) {
    let mut minute = tokio::time::interval(MAINTENANCE);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minute.tick().await;
        if let Err(error) = desk.portal.maintain().await {
            tracing::error!(%error, "maintenance did not succeed; it is tried again in a minute");
        }
        if let Some(warning) = clock_warning(clock_difference(&desk)) {
            tracing::warn!("{warning}");
        }
    }
}

/// As many connections as there may be files; a proxy has them all.
fn limits(mut limits: Limits, proxied: bool) -> Limits {
    if let Some(files) = raise_files() {
        let room = usize::try_from(files.saturating_sub(FILES_OF_OUR_OWN)).unwrap_or(usize::MAX);
        limits.connections_max = limits.connections_max.min(room.max(16));
    }
    limits.event_streams_max = limits.event_streams_max.min(limits.connections_max * 3 / 4);
    if proxied {
        limits.connections_per_peer_max = limits.connections_max;
        limits.event_streams_per_peer_max = limits.event_streams_max;
    }
    limits
}

/// Raises the soft limit of open files to the hard one: many systems still begin with 1,024.
#[cfg(unix)]
fn raise_files() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => maximum,
        Err(_) => current,
    }
}

#[cfg(not(unix))]
fn raise_files() -> Option<u64> {
    None
}

/// Counts and writes a line per request: the route of the table, never what somebody typed.
#[derive(Clone)]
struct Door {
    service: PortalService,
    meters: Arc<Meters>,
    nickname: Option<Arc<(String, String)>>,
}

impl Handler for Door {
    async fn body_bytes_max(&self, head: &Parts) -> usize {
        self.service.body_bytes_max(head).await
    }

    async fn handle(&self, request: Request<Bytes>, peer: Peer) -> Response<Body> {
        let method = method(request.method());
        let watch = Stopwatch::start();
        let response = match self.led_elsewhere(&request) {
            Some(response) => response,
            None => self.service.handle(request, peer).await,
        };
        let (took, status) = (watch.elapsed(), response.status().as_u16());
        let answered = response.extensions().get().copied();
        let answered: Answered = answered.unwrap_or_default();
        self.meters.answered(answered, status, took);
        let id = response.headers().get("x-request-id");
        tracing::info!(
            target: "narthex::access",
            request_id = id.and_then(|id| id.to_str().ok()),
            method,
            route = answered.route,
            status,
            code = answered.code,
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        );
        response
    }
}

/// The method, unless it is a word of the client's own.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 8] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("another")
}

impl Door {
    /// The portal answers to its base URL alone. Who typed the host's other name is led there.
    fn led_elsewhere(&self, request: &Request<Bytes>) -> Option<Response<Body>> {
        let (name, origin) = &**self.nickname.as_ref()?;
        let host = request.headers().get(HOST)?.to_str().ok()?;
        if !request.method().is_safe() || !host.eq_ignore_ascii_case(name) {
            return None;
        }
        let path = request.uri().path_and_query()?;
        let mut response = Response::new(Body::Full(Bytes::new()));
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        let location = HeaderValue::try_from(format!("{origin}{path}")).ok()?;
        response.headers_mut().insert(LOCATION, location);
        Some(response)
    }
}
