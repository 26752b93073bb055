//! What happens to the family of a session.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_executor::ThreadPool;
use futures_util::lock::Mutex;
use futures_util::{Stream, StreamExt};
use narthex::core::portal::{self, Notice};
use pyo3::prelude::*;

use crate::operation::Operation;

/// The notices of one family, until it has ended. Hints, never the authority.
#[pyclass(frozen, module = "narthex")]
pub(crate) struct Notices {
    stream: Arc<Mutex<portal::Notices>>,
    pool: Arc<ThreadPool>,
}

impl Notices {
    pub(crate) fn new(notices: portal::Notices, pool: &Arc<ThreadPool>) -> Self {
        Self {
            stream: Arc::new(Mutex::new(notices)),
            pool: Arc::clone(pool),
        }
    }
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
    /// The next notice; `None` after the end. Run it, or await it.
    fn next(&self) -> Operation {
        let stream = Arc::clone(&self.stream);
        Operation::new(
            &self.pool,
            async move { Ok(stream.lock().await.next().await) },
            |py, notice| Ok(notice.map(word).into_pyobject(py)?.into_any().unbind()),
        )
    }

    /// All that has come since the last look, without waiting.
    fn poll(&self) -> Vec<String> {
        let mut heard = Vec::new();
        let Some(mut stream) = self.stream.try_lock() else {
            return heard;
        };
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(notice)) = Pin::new(&mut *stream).poll_next(&mut context) {
            heard.push(word(notice));
        }
        heard
    }
}
