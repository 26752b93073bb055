//! The portal as Python holds it: opened in the process that uses it, and again after a fork.

pub(crate) mod desk;
mod methods;
pub(crate) mod office;
mod opening;
pub(crate) mod people;
pub(crate) mod recovery;
pub(crate) mod staff_roster;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_executor::ThreadPool;
use narthex::core::Portal;
use narthex::core::hook::Hooks;
use narthex::http::{PortalService, Settings};
use pyo3::prelude::*;

use crate::arguments::{self, GivenSession};
use crate::errors::{Failure, invalid_argument, unusable};
use crate::hook::HooksArgument;
use crate::operation::Operation;
use crate::values;

pub(crate) use opening::Recipe;

/// How often this process is a fork of one that had the package loaded.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// Called in the child after a fork: what was opened before belongs to the parent.
#[pyfunction]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    crate::ending::forked();
}

/// How often, now.
pub(crate) fn forks() -> u64 {
    FORKS.load(Ordering::Relaxed)
}

/// # Errors
/// What was begun `before` a fork is not carried on here: the threads that would are the parent's.
pub(crate) fn begun_here(py: Python<'_>, before: u64) -> PyResult<()> {
    if before == forks() {
        return Ok(());
    }
    let message = "this was begun before the process was forked, and belongs to the parent: ask the \
                   portal again in this process";
    Err(unusable(py, message))
}

/// The compiled part of `narthex.Portal`.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Engine {
    recipe: Recipe,
    settings: Option<Settings>,
    /// Locked only while attached to the interpreter, and never across a call into it: whoever
    /// forks holds the interpreter, so that no fork sees this locked.
    slot: Mutex<Slot>,
    /// What is installed, for the portal that is opened after a fork. Locked as `slot` is.
    hooks: Mutex<Hooks>,
}

/// Puts hooks in the place of those before.
#[pyfunction]
pub(crate) fn set_hooks(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    hooks: HooksArgument<'_>,
) -> PyResult<()> {
    engine.set_hooks(py, hooks.into_hooks()?)
}

/// What hooks add to the statistics of an organization.
#[pyfunction]
pub(crate) fn more_statistics(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    session: GivenSession<'_>,
    organization: &Bound<'_, PyAny>,
    language: String,
) -> PyResult<Operation> {
    let session = session.verified.clone();
    let organization = arguments::organization(organization, "organization")?;
    engine.operation(
        py,
        |portal| async move {
            let lines = portal.more_statistics(&session, &organization, &language);
            Ok(lines.await?)
        },
        |py, lines| values::statistic_lines(py, &lines),
    )
}

enum Slot {
    Open(Arc<Live>),
    Closed,
}

/// A portal that is open in this process.
pub(crate) struct Live {
    forks: u64,
    pub(crate) portal: Portal,
    pub(crate) pool: Arc<ThreadPool>,
    /// With and without event streams.
    services: [OnceLock<PortalService>; 2],
    /// Ends the housekeeping when dropped.
    _housekeeping: Option<opening::Housekeeping>,
}

impl Engine {
    pub(crate) fn open(recipe: Recipe, settings: Option<Settings>) -> Result<Self, Failure> {
        let live = recipe.open(forks())?;
        Ok(Self {
            recipe,
            settings,
            slot: Mutex::new(Slot::Open(Arc::new(live))),
            hooks: Mutex::default(),
        })
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open portal of this process.
    ///
    /// # Errors
    /// It was closed, or cannot be opened again after a fork.
    pub(crate) fn live(&self, py: Python<'_>) -> PyResult<Arc<Live>> {
        // To make an exception runs Python, and another thread may then want the lock.
        let live = self.live_now();
        live.map_err(|failure| failure.into_exception(py))
    }

    fn live_now(&self) -> Result<Arc<Live>, Failure> {
        let forks = self::forks();
        let mut slot = self.slot();
        match &*slot {
            Slot::Open(live) if live.forks == forks => return Ok(Arc::clone(live)),
            Slot::Open(_) => {}
            Slot::Closed => {
                return Err(Failure::Unusable("the portal has been closed".to_owned()));
            }
        }
        let again = self.recipe.open_after_fork(forks);
        let again = Arc::new(again.and_then(|live| self.with_hooks(live))?);
        // The parent's threads are not here, and its file is not ours to close.
        let before = std::mem::replace(&mut *slot, Slot::Open(Arc::clone(&again)));
        std::mem::forget(before);
        Ok(again)
    }

    /// Asks these from now on, and none of those before.
    ///
    /// # Errors
    /// They cannot be installed together, or the portal is not open.
    fn set_hooks(&self, py: Python<'_>, hooks: Hooks) -> PyResult<()> {
        let live = self.live(py)?;
        let set = live.portal.set_hooks(hooks.clone());
        set.map_err(|error| invalid_argument(py, "hooks", &error.to_string()))?;
        // What goes is dropped after the lock is free: that may run Python.
        let before = std::mem::replace(&mut *self.hooks(), hooks);
        drop(before);
        Ok(())
    }

    fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_hooks(&self, live: Live) -> Result<Live, Failure> {
        let set = live.portal.set_hooks(self.hooks().clone());
        set.map_err(|error| Failure::Unusable(error.to_string()))?;
        Ok(live)
    }

    /// Work that was begun goes on, with the hooks it has.
    fn close_now(&self) {
        let hooks = std::mem::take(&mut *self.hooks());
        drop(hooks);
        let forks = self::forks();
        // Dropped after the lock is free: hooks that go may run Python.
        let before = std::mem::replace(&mut *self.slot(), Slot::Closed);
        match before {
            Slot::Open(live) if live.forks != forks => std::mem::forget(live),
            // A visit may outlive it, and wait.
            Slot::Open(live) => live.portal.end_notices(),
            Slot::Closed => {}
        }
    }

    /// The pages and the JSON, streaming events or not.
    ///
    /// # Errors
    /// The portal is not open, or has no base URL.
    pub(crate) fn service(&self, py: Python<'_>, events: bool) -> PyResult<PortalService> {
        let live = self.live(py)?;
        let made = live.service(self.settings.as_ref(), events);
        made.map_err(|failure| failure.into_exception(py))
    }

    pub(crate) fn operation<T, F>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Portal) -> F,
        show: impl FnOnce(Python<'_>, T) -> PyResult<Bound<'_, PyAny>> + Send + 'static,
    ) -> PyResult<Operation>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let live = self.live(py)?;
        let work = work(live.portal.clone());
        let show = |py: Python<'_>, told| show(py, told).map(Bound::unbind);
        Ok(Operation::new(&live.pool, work, show))
    }
}

impl Live {
    /// # Errors
    /// It was opened before this process was forked: who has hold of it would wait for ever.
    pub(crate) fn is_here(&self, py: Python<'_>) -> PyResult<()> {
        begun_here(py, self.forks)
    }

    fn service(&self, settings: Option<&Settings>, events: bool) -> Result<PortalService, Failure> {
        let [with, without] = &self.services;
        // Another process's changes are not heard of here: its pages ask instead.
        let events = events && !self.portal.is_shared();
        let place = if events { with } else { without };
        if let Some(service) = place.get() {
            return Ok(service.clone());
        }
        let message = "to serve pages the portal needs to know where it is: \
                       Portal.open(..., base_url=\"https://portal.school.example\")";
        let settings = settings.ok_or_else(|| Failure::Unusable(message.to_owned()))?;
        let settings = Settings {
            events,
            ..settings.clone()
        };
        let service = PortalService::new(self.portal.clone(), settings)
            .map_err(|error| Failure::Unusable(error.to_string()))?;
        Ok(place.get_or_init(|| service).clone())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close_now();
    }
}
