//! A portal on a socket: what `demo` and `serve` have in common.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{HOST, HeaderValue, LOCATION};
use http::{Request, Response, StatusCode};
use narthex::core::Portal;
use narthex::http::{Body, Peer, PortalService};
use narthex::hyper::{Handler, Limits, Server, StopReport};
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use crate::signals::Stop;

/// How often the portal is maintained; `Portal::maintain` says why.
const MAINTENANCE: Duration = Duration::from_secs(60);
/// File descriptors that are not connections: store, log, libraries, and some to spare.
const FILES_OF_OUR_OWN: u64 = 64;

/// What is served, and how.
pub(crate) struct Front {
    pub(crate) portal: Portal,
    pub(crate) service: PortalService,
    /// Whether most people come through a proxy, as one peer.
    pub(crate) proxied: bool,
    /// Another name of this host, and the origin that a browser which used it is led to.
    pub(crate) nickname: Option<(String, String)>,
}

/// Serves until it is asked to stop, and keeps the portal maintained meanwhile.
pub(crate) async fn run(listener: TcpListener, front: Front, stop: Stop) -> StopReport {
    let portal = front.portal;
    let mut limits = limits();
    if front.proxied {
        limits.event_streams_per_peer_max = limits.event_streams_max;
    }
    let door = Door {
        service: front.service,
        nickname: front.nickname.map(Arc::new),
    };
    let server = Server::on(listener, door, limits);
    let maintenance = tokio::spawn(maintain(portal.clone()));
    let report = server.serve(stop.asked()).await;
    maintenance.abort();
    // The time floor is then as late as can be when the next process starts.
    if let Err(error) = portal.maintain().await {
        tracing::warn!(%error, "the last maintenance did not succeed");
    }
    report
}

async fn maintain(portal: Portal) {
    let mut minute = tokio::time::interval(MAINTENANCE);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minute.tick().await;
        if let Err(error) = portal.maintain().await {
            tracing::error!(%error, "maintenance did not succeed; it is tried again in a minute");
        }
    }
}

/// As many connections as there may be files.
fn limits() -> Limits {
    let mut limits = Limits::default();
    if let Some(files) = raise_files() {
        let room = usize::try_from(files.saturating_sub(FILES_OF_OUR_OWN)).unwrap_or(usize::MAX);
        limits.connections_max = limits.connections_max.min(room.max(16));
        limits.event_streams_max = limits.event_streams_max.min(limits.connections_max * 3 / 4);
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

/// Writes a line per request. The path only: a query may name where a person was.
#[derive(Clone)]
struct Door {
    service: PortalService,
    nickname: Option<Arc<(String, String)>>,
}

impl Handler for Door {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long an answer took is for the log; no rule depends on it"
    )]
    async fn handle(&self, request: Request<Bytes>, peer: Peer) -> Response<Body> {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let begun = Instant::now();
        let response = match self.led_elsewhere(&request) {
            Some(response) => response,
            None => self.service.handle(request, peer).await,
        };
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = response.status().as_u16();
        tracing::info!(target: "narthex::access", %method, path, status, ms);
        response
    }
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
