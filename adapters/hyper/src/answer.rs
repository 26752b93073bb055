//! What goes out: a whole body, or an event stream kept alive, counted and ended here.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use crate::limits::Limits;
use crate::seats::Seat;
use crate::watch::InFlight;

/// A comment of the event stream format: no client shows it.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The body of an answer as hyper takes it. On a socket of ours the request is in flight until it is
/// dropped.
#[cfg_attr(
    not(feature = "tower"),
    expect(unreachable_pub, reason = "the body of the tower service")
)]
pub struct Answer {
    content: Content,
    _in_flight: Option<InFlight>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.content {
            Content::Whole(_) => "Answer(whole)",
            Content::Events(_) => "Answer(events)",
        })
    }
}

enum Content {
    Whole(Option<Bytes>),
    Events(Box<EventStream>),
}

impl Answer {
    pub(crate) fn whole(bytes: Bytes, in_flight: Option<InFlight>) -> Self {
        let content = Content::Whole((!bytes.is_empty()).then_some(bytes));
        Self {
            content,
            _in_flight: in_flight,
        }
    }

    pub(crate) fn events(events: EventStream, in_flight: Option<InFlight>) -> Self {
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
