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
use narthex::http::{PortalService, Settings};
use pyo3::prelude::*;

use crate::errors::{Failure, unusable};
use crate::operation::Operation;

pub(crate) use opening::Recipe;

/// How often this process is a fork of one that had the package loaded.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// Called in the child after a fork: what was opened before belongs to the parent.
#[pyfunction]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// The compiled part of `narthex.Portal`.
#[pyclass(frozen, module = "narthex._narthex")]
pub(crate) struct Engine {
    recipe: Recipe,
    settings: Option<Settings>,
    /// Locked only while attached to the interpreter, and never across a call into it: whoever
    /// forks holds the interpreter, so that no fork sees this locked.
    slot: Mutex<Slot>,
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
        let live = recipe.open(FORKS.load(Ordering::Relaxed))?;
        Ok(Self {
            recipe,
            settings,
            slot: Mutex::new(Slot::Open(Arc::new(live))),
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
        let forks = FORKS.load(Ordering::Relaxed);
        let mut slot = self.slot();
        match &*slot {
            Slot::Open(live) if live.forks == forks => return Ok(Arc::clone(live)),
            Slot::Open(_) => {}
            Slot::Closed => return Err(unusable(py, "the portal has been closed")),
        }
        let again = self.recipe.open_after_fork(forks);
        let again = Arc::new(again.map_err(|failure| failure.into_exception(py))?);
        // The parent's threads are not here, and its file is not ours to close.
        let before = std::mem::replace(&mut *slot, Slot::Open(Arc::clone(&again)));
        std::mem::forget(before);
        Ok(again)
    }

    fn close_now(&self) {
        let forks = FORKS.load(Ordering::Relaxed);
        match std::mem::replace(&mut *self.slot(), Slot::Closed) {
            Slot::Open(live) if live.forks != forks => std::mem::forget(live),
            Slot::Open(_) | Slot::Closed => {}
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
