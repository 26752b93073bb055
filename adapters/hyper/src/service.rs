//! One request: its limits, its handler, its answer.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{HeaderName, Method, Request, Response, StatusCode, Version, request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use narthex_http::{Body, OnGrid, Peer};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::Handler;
use crate::answer::{Answer, EventStream};
use crate::limits::Limits;
use crate::seats::{Seat, Seats};
use crate::watch::{InFlight, Watch};

/// What all requests of a server share.
pub(crate) struct House<H> {
    pub(crate) handler: H,
    pub(crate) limits: Limits,
    pub(crate) seats: Seats,
    pub(crate) stop: watch::Receiver<bool>,
    /// Held by whoever must have finished before the server has stopped.
    pub(crate) alive: mpsc::Sender<Infallible>,
}

impl<H> House<H> {
    /// Room for one more event stream of `peer`.
    fn event_seat(&self, peer: IpAddr) -> Option<Seat> {
        let limits = &self.limits;
        let (whole, per_peer) = (limits.event_streams_max, limits.event_streams_per_peer_max);
        self.seats.take(peer, whole, per_peer)
    }
}

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a request does not reach the handler, in the words of the answer.
struct Turned(StatusCode, &'static str);

/// Serves one request of `peer`.
pub(crate) async fn serve<H: Handler>(
    house: Arc<House<H>>,
    watch: Arc<Watch>,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Response<Answer> {
    let version = request.version();
    let in_flight = Some(watch.request(version == Version::HTTP_2));
    match read(&house, request).await {
        Ok(request) => answered(&house, peer, request, in_flight).await,
        Err(Turned(status, text)) => {
            watch.leave_unread();
            let mut response = plain(status, text, in_flight);
            if version < Version::HTTP_2 {
                let headers = response.headers_mut();
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}

/// Serves one request that somebody else's server took.
#[cfg(feature = "tower")]
pub(crate) async fn serve_mounted<H, B>(
    house: Arc<House<H>>,
    peer: IpAddr,
    request: Request<B>,
) -> Response<Answer>
where
    H: Handler,
    B: hyper::body::Body,
    B::Error: Into<BoxError>,
{
    match read(&house, request).await {
        Ok(request) => answered(&house, peer, request, None).await,
        Err(Turned(status, text)) => plain(status, text, None),
    }
}

async fn answered<H: Handler>(
    house: &Arc<House<H>>,
    peer: IpAddr,
    request: Request<Bytes>,
    in_flight: Option<InFlight>,
) -> Response<Answer> {
    let head_only = request.method() == Method::HEAD;
    let arrived = Instant::now();
    let Some(response) = handled(house, peer, request).await else {
        let text = "Something went wrong here. Please try again.\n";
        return plain(StatusCode::INTERNAL_SERVER_ERROR, text, in_flight);
    };
    if response.extensions().get::<OnGrid>().is_some() {
        let grid = house.limits.failed_answer_grid;
        sleep_until(arrived + next_on_grid(arrived.elapsed(), grid)).await;
    }
    outgoing(house, peer, response, head_only, in_flight)
}

/// The first whole number of `grid` that is not before `elapsed`.
fn next_on_grid(elapsed: Duration, grid: Duration) -> Duration {
    match elapsed.as_nanos().checked_next_multiple_of(grid.as_nanos()) {
        Some(nanos) => Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
        None => elapsed,
    }
}

/// The whole request, within its limits.
async fn read<H, B>(house: &House<H>, request: Request<B>) -> Result<Request<Bytes>, Turned>
where
    H: Handler,
    B: hyper::body::Body,
    B::Error: Into<BoxError>,
{
    const TOO_LARGE: Turned = Turned(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.\n");
    let limits = &house.limits;
    let (head, body) = request.into_parts();
    if header_bytes(&head) > limits.header_bytes_max || head.headers.len() > limits.headers_max {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Turned(status, "The request's headers are too large.\n"));
    }
    let announced = body.size_hint();
    let (mut bytes_max, mut timeout) = (limits.body_bytes_max, limits.body_read_timeout);
    // Short bodies, and those of whom nothing is said, are not worth asking for.
    if announced.exact().unwrap_or(u64::MAX) > bytes_max as u64 && !body.is_end_stream() {
        let more = house.handler.body_bytes_max(&head).await;
        if more > bytes_max {
            (bytes_max, timeout) = (more, limits.long_body_read_timeout);
        }
    }
    if announced.lower() > bytes_max as u64 {
        return Err(TOO_LARGE);
    }
    let body = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(timeout, body).await {
        Ok(Ok(body)) => Ok(Request::from_parts(head, body.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(TOO_LARGE),
        Ok(Err(_)) => Err(Turned(
            StatusCode::BAD_REQUEST,
            "The request could not be read.\n",
        )),
        Err(_) => Err(Turned(
            StatusCode::REQUEST_TIMEOUT,
            "The request took too long to arrive.\n",
        )),
    }
}

/// As HTTP/1.1 writes them, without the blanks that a client may add.
fn header_bytes(head: &request::Parts) -> usize {
    let uri = head.uri.path_and_query().map_or(0, |p| p.as_str().len());
    let authority = head.uri.authority().map_or(0, |a| a.as_str().len());
    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + 4);
    head.method.as_str().len() + uri + authority + fields.sum::<usize>()
}

/// Lets the handler answer. `None`: it panicked; one request failed, the house stands.
///
/// A request that may change something runs to its end even if the client leaves: what follows a
/// commit (the warm table, the notices to other tabs) then happens at once, not at the next look.
/// One that only reads is dropped with its connection.
async fn handled<H: Handler>(
    house: &Arc<House<H>>,
    peer: IpAddr,
    request: Request<Bytes>,
) -> Option<Response<Body>> {
    let safe = request.method().is_safe();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let handler = house.handler.clone();
    let peer = Peer { address: peer };
    let answered = async move { handler.handle(request, peer).await };
    let response = if safe {
        AssertUnwindSafe(answered).catch_unwind().await.ok()
    } else {
        let alive = house.alive.clone();
        let task = async move {
            let response = answered.await;
            drop(alive);
            response
        };
        tokio::spawn(task).await.ok()
    };
    if response.is_none() {
        tracing::error!(%method, path, "a handler panicked; the request was answered with 500");
    }
    response
}

fn outgoing<H>(
    house: &House<H>,
    peer: IpAddr,
    response: Response<Body>,
    head_only: bool,
    in_flight: Option<InFlight>,
) -> Response<Answer> {
    let (mut head, body) = response.into_parts();
    match body {
        Body::Full(bytes) => {
            let mut bytes = bytes;
            if head_only {
                // HTTP/2 would send the body: its length is told, and no more.
                let length = HeaderValue::from(bytes.len());
                head.headers.entry(CONTENT_LENGTH).or_insert(length);
                bytes = Bytes::new();
            }
            Response::from_parts(head, Answer::whole(bytes, in_flight))
        }
        Body::Events(_) if head_only => {
            Response::from_parts(head, Answer::whole(Bytes::new(), in_flight))
        }
        Body::Events(events) => {
            let Some(seat) = house.event_seat(peer) else {
                tracing::warn!(%peer, "no more event streams; the page asks now and then instead");
                return no_stream(in_flight);
            };
            let events = EventStream::new(events, &house.limits, house.stop.clone(), seat);
            Response::from_parts(head, Answer::events(events, in_flight))
        }
    }
}

/// 204 tells an `EventSource` not to come back; the page then asks `GET /session` instead.
fn no_stream(in_flight: Option<InFlight>) -> Response<Answer> {
    let mut response = Response::new(Answer::whole(Bytes::new(), in_flight));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(crate) fn plain(
    status: StatusCode,
    text: &'static str,
    in_flight: Option<InFlight>,
) -> Response<Answer> {
    const NOSNIFF: HeaderName = http::header::X_CONTENT_TYPE_OPTIONS;
    let mut response = Response::new(Answer::whole(
        Bytes::from_static(text.as_bytes()),
        in_flight,
    ));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let plain_text = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, plain_text);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(NOSNIFF, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn en02_an_answer_leaves_at_the_next_line_of_the_grid() {
        let ms = Duration::from_millis;
        for (elapsed, leaves) in [(0, 0), (1, 50), (49, 50), (50, 50), (51, 100), (349, 350)] {
            assert_eq!(next_on_grid(ms(elapsed), ms(50)), ms(leaves), "{elapsed}");
        }
        assert_eq!(
            next_on_grid(ms(7), Duration::ZERO),
            ms(7),
            "no grid, no wait"
        );
    }
}
