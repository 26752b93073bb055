//! Work that hashes or touches the disk: run here with the interpreter released, or awaited.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_executor::ThreadPool;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, BoxFuture, abortable};
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

use crate::cell::PythonModule;
use crate::errors::{Failure, panicked};
use crate::{ending, engine, hook};

/// Makes the Python value of a result.
type Show = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

type Work = BoxFuture<'static, Result<Show, Failure>>;

static ASYNCIO: PythonModule = PythonModule::named("asyncio");
static AWAITING: PythonModule = PythonModule::named("narthex._awaiting");

/// Something to be done once: `run()` it, or await it.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Operation {
    work: Mutex<Option<Work>>,
    pool: Arc<ThreadPool>,
    /// In which process it was begun.
    forks: u64,
    /// Whether it is of no use to anybody once nobody waits for it.
    given_up: Option<AbortHandle>,
    /// Nothing but reads and a little computing before its first wait: an event loop has it done sooner
    /// here than it can be told of it by another thread.
    light: bool,
}

impl Operation {
    /// `work`, and how its result is shown to Python.
    pub(crate) fn new<T: Send + 'static>(
        pool: &Arc<ThreadPool>,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
        show: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        let work = async move {
            let result = work.await?;
            let shown: Show = Box::new(move |py| show(py, result));
            Ok(shown)
        };
        // A panic is ours: it becomes an exception, and the interpreter goes on.
        let caught = AssertUnwindSafe(work)
            .catch_unwind()
            .map(|outcome| outcome.unwrap_or_else(|panic| Err(panicked(&*panic))));
        Self {
            work: Mutex::new(Some(caught.boxed())),
            pool: Arc::clone(pool),
            forks: engine::forks(),
            given_up: None,
            light: false,
        }
    }

    /// The same for what changes nothing, and may wait for hours: it ends when the task that awaits it is
    /// cancelled.
    pub(crate) fn given_up_when_cancelled<T: Send + 'static>(
        pool: &Arc<ThreadPool>,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
        show: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        let (work, given_up) = abortable(work);
        let nobody_waits = |_| Err(Failure::Unusable("this was given up".to_owned()));
        let work = async move { work.await.unwrap_or_else(nobody_waits) };
        Self {
            given_up: Some(given_up),
            ..Self::new(pool, work, show)
        }
    }

    /// The same, begun on the thread of the event loop that awaits it. Reads of a store wait for no
    /// writer, in this process or another; what commits waits, and goes on elsewhere.
    pub(crate) fn light(self) -> Self {
        Self {
            light: true,
            ..self
        }
    }

    fn take(&self, py: Python<'_>) -> PyResult<Work> {
        hook::not_within()?;
        engine::begun_here(py, self.forks)?;
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.take()
            .ok_or_else(|| PyRuntimeError::new_err("this operation has been run already"))
    }
}

#[pymethods]
impl Operation {
    /// Does it on this thread; other Python threads go on.
    pub(crate) fn run(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let work = self.take(py)?;
        shown(py, py.detach(|| pollster::block_on(work)))
    }

    /// Does it on threads of its own; the event loop goes on.
    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut work = self.take(py)?;
        if self.light
            && let Some(outcome) = py.detach(|| work.as_mut().now_or_never())
        {
            let value = Mutex::new(Some(shown(py, outcome)?));
            return Ok(Bound::new(py, Done { value })?.into_any());
        }
        let event_loop = ASYNCIO.call(py, "get_running_loop", ())?;
        let future = event_loop.call_method0("create_future")?;
        let awaited = future.call_method0("__await__")?;
        if let Some(given_up) = self.given_up.clone() {
            future.call_method1("add_done_callback", (Bound::new(py, GivenUp(given_up))?,))?;
        }
        let (event_loop, future) = (event_loop.unbind(), future.unbind());
        self.pool.spawn_ok(async move {
            let outcome = work.await;
            // A loop that was closed meanwhile has nobody left to tell, and none outlives the interpreter.
            let _nobody = ending::attached(|py| tell(py, outcome, &event_loop, &future));
        });
        Ok(awaited)
    }
}

/// What is awaited of an operation that is done.
#[pyclass(frozen, module = "narthex._narthex")]
struct Done {
    value: Mutex<Option<Py<PyAny>>>,
}

#[pymethods]
impl Done {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self) -> PyResult<()> {
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        Err(PyStopIteration::new_err((value.take(),)))
    }
}

/// Called when nobody waits any longer, be it because the result is there.
#[pyclass(frozen, module = "narthex._narthex")]
struct GivenUp(AbortHandle);

#[pymethods]
impl GivenUp {
    fn __call__(&self, _future: &Bound<'_, PyAny>) {
        self.0.abort();
    }
}

fn shown(py: Python<'_>, outcome: Result<Show, Failure>) -> PyResult<Py<PyAny>> {
    match outcome {
        Ok(show) => show(py),
        Err(failure) => Err(failure.into_exception(py)),
    }
}

fn tell(
    py: Python<'_>,
    outcome: Result<Show, Failure>,
    event_loop: &Py<PyAny>,
    future: &Py<PyAny>,
) -> PyResult<()> {
    let (setter, value) = match shown(py, outcome) {
        Ok(value) => ("set_result", value),
        Err(error) => ("set_exception", error.into_value(py).into_any()),
    };
    let setter = AWAITING.get(py, setter)?;
    event_loop.call_method1(py, "call_soon_threadsafe", (setter, future, value))?;
    Ok(())
}
