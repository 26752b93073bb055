//! The end of the interpreter. It stops its threads where they are, and one that is stopped while it runs
//! Python on behalf of the engine takes the process down. So nobody begins that when the end is near, and
//! the end waits for who has begun.

use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

/// Threads on which the engine runs Python now, or is about to.
static UNDER_WAY: AtomicIsize = AtomicIsize::new(0);
/// Whether the interpreter is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// How long, and how often, the end waits: five seconds.
const END_WAIT: Duration = Duration::from_millis(1);
const END_WAITS_MAX: u32 = 5_000;

/// Attaches this thread to the interpreter for `work`; `None`: it is ending.
pub(crate) fn attached<R>(work: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    let _under_way = UnderWay::begin();
    match ENDING.load(Ordering::SeqCst) {
        true => None,
        false => Python::try_attach(work),
    }
}

/// Lets the engine run no Python from now on, and waits for what is under way.
#[pyfunction]
pub(crate) fn attach_no_more(py: Python<'_>) {
    ENDING.store(true, Ordering::SeqCst);
    py.detach(|| {
        for _ in 0..END_WAITS_MAX {
            if UNDER_WAY.load(Ordering::SeqCst) <= 0 {
                break;
            }
            std::thread::sleep(END_WAIT);
        }
    });
}

/// Called in the child after a fork: what other threads had begun goes on in the parent alone.
pub(crate) fn forked() {
    UNDER_WAY.store(0, Ordering::SeqCst);
}

/// One of [`UNDER_WAY`], until dropped.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}
