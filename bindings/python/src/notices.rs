//! What happens to the family of a session.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_executor::ThreadPool;
use futures_util::StreamExt;
use futures_util::lock::Mutex;
use futures_util::stream::Peekable;
use narthex::core::portal::{self, Notice};
use pyo3::prelude::*;

use crate::engine;
use crate::hook;
use crate::operation::Operation;

type Heard = Arc<Mutex<Peekable<portal::Notices>>>;

/// The compiled part of `narthex._notices.Notices`. To wait and to take are two acts: who gives the
/// waiting up has taken nothing.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Notices {
    heard: Heard,
    /// Not the portal itself: what is closed while somebody waits must end.
    pool: Arc<ThreadPool>,
    forks: u64,
}

impl Notices {
    pub(crate) fn new(notices: portal::Notices, pool: &Arc<ThreadPool>) -> Self {
        Self {
            heard: Arc::new(Mutex::new(notices.peekable())),
            pool: Arc::clone(pool),
            forks: engine::forks(),
        }
    }
}

async fn something(heard: Heard) {
    let mut heard = heard.lock().await;
    Pin::new(&mut *heard).peek().await;
}

/// `"password_changed"`, or `"ended: "` and the reason.
fn word(notice: Notice) -> String {
    match notice {
        Notice::PasswordChanged => "password_changed".to_owned(),
        Notice::Ended(reason) => format!("ended: {}", reason.code()),
    }
}

#[pymethods]
impl Notices {
    /// Waits until there is something to take, if only the end. To be awaited.
    fn ready(&self, py: Python<'_>) -> PyResult<Operation> {
        engine::begun_here(py, self.forks)?;
        let heard = Arc::clone(&self.heard);
        let waiting = async move {
            something(heard).await;
            Ok(())
        };
        let show = |py: Python<'_>, ()| Ok(py.None());
        Ok(Operation::given_up_when_cancelled(
            &self.pool, waiting, show,
        ))
    }

    /// Waits here, at most so long: whether there is something to take. It may be sooner that there is
    /// not.
    fn wait(&self, py: Python<'_>, at_most: Duration) -> PyResult<bool> {
        hook::not_within()?;
        engine::begun_here(py, self.forks)?;
        let waker = Waker::from(Arc::new(Parked(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut waiting = Box::pin(something(Arc::clone(&self.heard)));
        let mut is_there = || waiting.as_mut().poll(&mut context).is_ready();
        if is_there() {
            return Ok(true);
        }
        py.detach(|| thread::park_timeout(at_most));
        Ok(is_there())
    }

    /// `(whether there was something, the notice)`; there is something and it is `None`: the end.
    fn take(&self, py: Python<'_>) -> PyResult<(bool, Option<String>)> {
        engine::begun_here(py, self.forks)?;
        // Who waits holds it only while nothing is there.
        let Some(mut heard) = self.heard.try_lock() else {
            return Ok((false, None));
        };
        let mut context = Context::from_waker(Waker::noop());
        match heard.poll_next_unpin(&mut context) {
            Poll::Ready(notice) => Ok((true, notice.map(word))),
            Poll::Pending => Ok((false, None)),
        }
    }
}

/// Wakes a thread that is parked.
struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
