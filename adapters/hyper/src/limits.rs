//! Every limit of a connection, named, with its unit and its reason.

use std::time::Duration;

use narthex_http::{BODY_BYTES_MAX, FAILED_ANSWER_GRID, HEADER_BYTES_MAX};

/// What one server allows. The defaults suit a portal of some ten thousand people on one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one request's line and headers; more is 431. At least 8 KiB.
    pub header_bytes_max: usize,
    /// Header fields of one request; more is 431.
    pub headers_max: usize,
    /// From the first byte of a request (or from the connection, for its first) to the end of its
    /// headers. A client that sends a byte now and then is cut off here (slowloris).
    pub header_read_timeout: Duration,
    /// Bytes of one request's body; more is 413, before reading where `Content-Length` says so.
    pub body_bytes_max: usize,
    /// From the end of the headers to the end of the body; longer is 408.
    pub body_read_timeout: Duration,
    /// The same for a body that the handler lets be longer than `body_bytes_max`: a roster, over a slow
    /// line.
    pub long_body_read_timeout: Duration,
    /// A client that takes no byte of an answer for so long is gone.
    pub write_timeout: Duration,
    /// How long a connection is kept without a request. Longer than the usual 60 s of reverse
    /// proxies, so that it is the proxy who closes first.
    pub keep_alive: Duration,
    /// The same while fewer than an eighth of the connections are free.
    pub keep_alive_when_crowded: Duration,
    /// Connections at once. Whoever comes next waits in the operating system's queue.
    pub connections_max: usize,
    /// Connections at once of one peer, an IPv6 peer with all of its /64; whoever comes next is
    /// closed at once. A school behind one address has a few for each browser. A loopback peer is
    /// taken for a reverse proxy and has only the limit of the whole.
    pub connections_per_peer_max: usize,
    /// Requests at once on one HTTP/2 connection.
    pub http2_streams_max: u32,
    /// Open event streams altogether; fewer than the connections, so that requests find room.
    /// Whoever comes next is answered 204: the page asks now and then instead.
    pub event_streams_max: usize,
    /// Open event streams of one peer. A loopback peer is taken for a reverse proxy and has only
    /// the limit of the whole.
    pub event_streams_per_peer_max: usize,
    /// A comment is sent so often on a silent event stream, so that proxies keep it and a client
    /// that has gone is noticed.
    pub event_comment_interval: Duration,
    /// Answers to wrong secrets leave a whole number of these after their request was read; zero: at
    /// once. See [`narthex_http::OnGrid`].
    pub failed_answer_grid: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub stop_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes_max: HEADER_BYTES_MAX,
            headers_max: 64,
            header_read_timeout: Duration::from_secs(10),
            body_bytes_max: BODY_BYTES_MAX,
            body_read_timeout: Duration::from_secs(10),
            long_body_read_timeout: Duration::from_secs(120),
            write_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            keep_alive_when_crowded: Duration::from_secs(5),
            connections_max: 4096,
            connections_per_peer_max: 1024,
            http2_streams_max: 64,
            event_streams_max: 3072,
            event_streams_per_peer_max: 1024,
            event_comment_interval: Duration::from_secs(20),
            failed_answer_grid: FAILED_ANSWER_GRID,
            stop_grace: Duration::from_secs(10),
        }
    }
}

/// What hyper needs to read one request at all.
pub(crate) const HEADER_BYTES_LEAST: usize = 8 * 1024;

impl Limits {
    /// The shortest of the spans after which a connection may have to be closed: whoever looks this
    /// often looks often enough.
    pub(crate) fn shortest_wait(&self) -> Duration {
        self.header_read_timeout
            .min(self.write_timeout)
            .min(self.keep_alive)
            .min(self.keep_alive_when_crowded)
    }
}
