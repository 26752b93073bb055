//! What is known of one connection while it runs, and the socket that writes it down.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::Limits;

/// Shared by the socket, the requests in flight and the guard of one connection.
#[derive(Debug)]
pub(crate) struct Watch {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_flight: usize,
    requests: u64,
    http2: bool,
    /// When the connection was opened, or its last request ended.
    idle_since: Instant,
    /// When the first byte after that came: a request has begun.
    begun_at: Option<Instant>,
    /// Since when the client has taken no byte.
    blocked_since: Option<Instant>,
    /// A request was answered before it was read to its end.
    unread: bool,
}

/// What the guard of a connection does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again then, at the latest.
    Until(Instant),
    /// Nobody has asked anything for long: say goodbye.
    Idle,
    /// The client is too slow: no word is worth it.
    TooSlow,
}

impl Watch {
    pub(crate) fn new() -> Arc<Self> {
        let state = State {
            in_flight: 0,
            requests: 0,
            http2: false,
            idle_since: Instant::now(),
            begun_at: None,
            blocked_since: None,
            unread: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
        })
    }

    /// A request's headers are complete. It is in flight until the guard is dropped: with the last
    /// byte of its answer.
    pub(crate) fn request(self: &Arc<Self>, http2: bool) -> InFlight {
        let mut state = self.state();
        state.in_flight += 1;
        state.requests += 1;
        state.http2 |= http2;
        state.begun_at = None;
        InFlight(Arc::clone(self))
    }

    pub(crate) fn judge(&self, limits: &Limits, crowded: bool) -> Verdict {
        let state = self.state();
        let now = Instant::now();
        if let Some(since) = state.blocked_since
            && now >= since + limits.write_timeout
        {
            return Verdict::TooSlow;
        }
        let again = now + limits.shortest_wait();
        if state.in_flight > 0 {
            return Verdict::Until(again);
        }
        let (deadline, verdict) = match (state.requests, state.begun_at) {
            (0, _) => (
                state.idle_since + limits.header_read_timeout,
                Verdict::TooSlow,
            ),
            // On HTTP/2, bytes between requests are not the beginning of one.
            (_, Some(begun)) if !state.http2 => {
                (begun + limits.header_read_timeout, Verdict::TooSlow)
            }
            _ if crowded => (
                state.idle_since + limits.keep_alive_when_crowded,
                Verdict::Idle,
            ),
            _ => (state.idle_since + limits.keep_alive, Verdict::Idle),
        };
        if now >= deadline {
            verdict
        } else {
            Verdict::Until(deadline.min(again))
        }
    }

    /// The request is answered before it is read to its end: the connection closes after that, and
    /// lingers so that the client hears the answer.
    pub(crate) fn leave_unread(&self) {
        self.state().unread = true;
    }

    fn must_linger(&self) -> bool {
        let state = self.state();
        state.unread || state.begun_at.is_some()
    }

    fn read_some(&self) {
        let mut state = self.state();
        if state.in_flight == 0 && state.begun_at.is_none() {
            state.begun_at = Some(Instant::now());
        }
    }

    fn wrote(&self, blocked: bool) {
        let mut state = self.state();
        match (blocked, state.blocked_since) {
            (true, None) => state.blocked_since = Some(Instant::now()),
            (false, Some(_)) => state.blocked_since = None,
            _ => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, from its headers to the last byte of its answer.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Watch>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        state.idle_since = Instant::now();
    }
}

/// How long and how much is still read, and thrown away, after an answer to a request that was not
/// read to its end. Closing at once would reset the connection, and the client might never see why.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 256 * 1024;

/// The socket, which tells the watch what passes through it.
#[derive(Debug)]
pub(crate) struct WatchedStream {
    stream: TcpStream,
    watch: Arc<Watch>,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl WatchedStream {
    pub(crate) fn new(stream: TcpStream, watch: Arc<Watch>) -> Self {
        Self {
            stream,
            watch,
            linger: None,
        }
    }

    /// Reads and throws away until the client closes, or enough was waited or read.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (end, left) = self
            .linger
            .get_or_insert_with(|| (Box::pin(sleep(LINGER)), LINGER_BYTES_MAX));
        let mut scrap = [0; 4096];
        loop {
            if *left == 0 || end.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let mut buf = ReadBuf::new(&mut scrap);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {
                    *left = left.saturating_sub(buf.filled().len());
                }
                _ => return Poll::Ready(()),
            }
        }
    }

    fn noted<T>(&self, poll: Poll<T>) -> Poll<T> {
        self.watch.wrote(poll.is_pending());
        poll
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.watch.read_some();
        }
        poll
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.noted(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.noted(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        if self.watch.must_linger() {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
