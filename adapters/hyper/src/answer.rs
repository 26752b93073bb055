//! What goes out: a whole body, or an event stream kept alive, counted and ended here.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use crate::limits::Limits;
use crate::watch::InFlight;

/// A comment of the event stream format: no client shows it.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The body of an answer as hyper takes it. The request is in flight until it is dropped.
pub(crate) struct Answer {
    content: Content,
    _in_flight: InFlight,
}

enum Content {
    Whole(Option<Bytes>),
    Events(Box<EventStream>),
}

impl Answer {
    pub(crate) fn whole(bytes: Bytes, in_flight: InFlight) -> Self {
        let content = Content::Whole((!bytes.is_empty()).then_some(bytes));
        Self {
            content,
            _in_flight: in_flight,
        }
    }

    pub(crate) fn events(events: EventStream, in_flight: InFlight) -> Self {
        Self {
            content: Content::Events(Box::new(events)),
            _in_flight: in_flight,
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.get_mut().content {
            Content::Whole(bytes) => Poll::Ready(bytes.take()),
            Content::Events(events) => events.poll_next(cx),
        };
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Content::Events(_) => SizeHint::default(),
        }
    }
}

/// Events of the portal with comments between them; ends with them, or when the server stops.
pub(crate) struct EventStream {
    events: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    comments: Interval,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    _seat: Seat,
}

impl EventStream {
    pub(crate) fn new(
        events: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
        limits: &Limits,
        stop: watch::Receiver<bool>,
        seat: Seat,
    ) -> Self {
        let pause = limits.event_comment_interval;
        let mut comments = interval_at(tokio::time::Instant::now() + pause, pause);
        comments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            events,
            comments,
            stop: Box::pin(stopped(stop)),
            _seat: seat,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // Events first: what was said before the stop is still heard.
        if let Poll::Ready(event) = self.events.as_mut().poll_next(cx) {
            self.comments.reset();
            return Poll::Ready(event);
        }
        if self.stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        self.comments.poll_tick(cx).map(|_| Some(COMMENT))
    }
}

/// Waits until the server stops.
pub(crate) async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the server is gone altogether.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Counts the open event streams, altogether and per peer.
#[derive(Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    whole: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// One open event stream.
pub(crate) struct Seat {
    seats: Seats,
    peer: IpAddr,
}

impl Seats {
    pub(crate) fn take(&self, peer: IpAddr, limits: &Limits) -> Option<Seat> {
        let mut taken = self.taken();
        let of_peer = taken.by_peer.get(&peer).copied().unwrap_or(0);
        let full = of_peer >= limits.event_streams_per_peer_max && !peer.is_loopback();
        if full || taken.whole >= limits.event_streams_max {
            return None;
        }
        taken.whole += 1;
        taken.by_peer.insert(peer, of_peer + 1);
        Some(Seat {
            seats: self.clone(),
            peer,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.whole = taken.whole.saturating_sub(1);
        if let Some(of_peer) = taken.by_peer.get_mut(&self.peer) {
            *of_peer = of_peer.saturating_sub(1);
            if *of_peer == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seats({} taken)", self.taken().whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_share_of_event_streams_and_gets_them_back() {
        let limits = Limits {
            event_streams_max: 3,
            event_streams_per_peer_max: 2,
            ..Limits::default()
        };
        let seats = Seats::default();
        let peer = |last| IpAddr::from([192, 0, 2, last]);
        let first = seats.take(peer(1), &limits);
        let second = seats.take(peer(1), &limits);
        assert!(first.is_some() && second.is_some());
        assert!(seats.take(peer(1), &limits).is_none());
        let other = seats.take(peer(2), &limits);
        assert!(other.is_some());
        assert!(seats.take(peer(3), &limits).is_none());
        drop(first);
        assert!(seats.take(peer(1), &limits).is_some());
        drop((second, other));
        assert!(seats.taken().by_peer.is_empty());
    }

    #[test]
    fn a_proxy_on_this_machine_has_only_the_limit_of_the_whole() {
        let limits = Limits {
            event_streams_max: 2,
            event_streams_per_peer_max: 1,
            ..Limits::default()
        };
        let seats = Seats::default();
        let proxy = IpAddr::from([127, 0, 0, 1]);
        let taken = [seats.take(proxy, &limits), seats.take(proxy, &limits)];
        assert!(taken.iter().all(Option::is_some));
        assert!(seats.take(proxy, &limits).is_none());
    }
}
