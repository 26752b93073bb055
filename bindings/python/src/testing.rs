//! For tests: a clock that is set by hand, and the scenarios that every way in passes.

mod door;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_executor::ThreadPool;
use narthex::Host;
use narthex::core::Timestamp;
use narthex::core::host::Clock;
use narthex_conformance::front_door::Way;
use narthex_conformance::{TestHasher, scenarios};
use pyo3::exceptions::PyAssertionError;
use pyo3::prelude::*;

use crate::errors::Failure;
use crate::handles::datetime;
use crate::operation::Operation;
use door::PythonDoor;

/// Operations at once that the fast hasher of tests has room for.
const HASH_QUEUE: usize = 1_000;

/// A clock that only moves when told to.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct ManualClock {
    clock: narthex_conformance::ManualClock,
    hasher: TestHasher,
}

impl ManualClock {
    /// This clock, with passwords hashed fast: for tests only.
    pub(crate) fn host(&self) -> Host {
        Host {
            clock: Arc::new(self.clock.clone()),
            ..Host::system(Arc::new(self.hasher.clone()))
        }
    }
}

#[pymethods]
impl ManualClock {
    #[new]
    fn new(at: SystemTime) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Self {
            clock: narthex_conformance::ManualClock::at(Timestamp::from_millis(millis)),
            hasher: TestHasher::new(HASH_QUEUE),
        }
    }

    /// Lets time pass.
    fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// What the clock on the wall says.
    fn now(&self) -> SystemTime {
        datetime(self.clock.read().wall)
    }
}

/// The names of all front-door scenarios.
#[pyfunction]
pub(crate) fn scenario_names() -> Vec<&'static str> {
    scenarios::FILES.iter().map(|(name, _)| *name).collect()
}

/// Runs one scenario through a front door written in Python, made anew by `new_door`. `False`: it
/// does not apply to that way in.
#[pyfunction]
pub(crate) fn run_scenario(py: Python<'_>, name: &str, new_door: Py<PyAny>) -> PyResult<bool> {
    let scenario = scenarios::scenario(name).map_err(PyAssertionError::new_err)?;
    let seeds = if scenario.has_races() {
        scenarios::SEEDS_OF_RACES
    } else {
        1
    };
    for seed in 1..=seeds {
        let mut door = PythonDoor::new(py, new_door.call0(py)?)?;
        // What the Rust library can, this package can.
        let way = door.its_way();
        let applies =
            scenario.applies_to(way) || (way == Way::Python && scenario.applies_to(Way::Rust));
        if !applies {
            return Ok(false);
        }
        let outcome = py.detach(|| pollster::block_on(scenarios::run(&scenario, &mut door, seed)));
        outcome.map_err(|failure| PyAssertionError::new_err(failure.to_string()))?;
    }
    Ok(true)
}

/// An operation in which something panics: for the test that the interpreter survives it.
#[pyfunction]
pub(crate) fn panicking() -> PyResult<Operation> {
    let pool = ThreadPool::builder().pool_size(1).create();
    let pool = Arc::new(pool.map_err(|error| PyAssertionError::new_err(error.to_string()))?);
    Ok(Operation::new(&pool, panics(), |py, ()| Ok(py.None())))
}

#[expect(clippy::panic, reason = "this is what it is for")]
async fn panics() -> Result<(), Failure> {
    panic!("on purpose")
}
