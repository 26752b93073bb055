//! What is counted of each guest.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::fault::FaultKind;

/// Counts of one guest since it was loaded.
#[derive(Debug, Default)]
pub struct Meters {
    calls: AtomicU64,
    refusals: AtomicU64,
    dropped: AtomicU64,
    busy_micros: AtomicU64,
    faults: [AtomicU64; FaultKind::ALL.len()],
}

/// What the meters of one guest say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterReading {
    /// Calls that were asked for.
    pub calls: u64,
    /// Answers that were a no.
    pub refusals: u64,
    /// Events that came faster than the guest took them.
    pub dropped: u64,
    /// Time in calls, waiting for a thread not counted.
    pub busy: Duration,
    /// Faults by their word; those that did not happen are left out.
    pub faults: Vec<(&'static str, u64)>,
}

impl Meters {
    pub(crate) fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.busy_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn faulted(&self, kind: FaultKind) {
        let place = FaultKind::ALL.iter().position(|known| *known == kind);
        if let Some(count) = place.and_then(|place| self.faults.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts now.
    pub fn read(&self) -> MeterReading {
        let faults = FaultKind::ALL.iter().zip(&self.faults);
        MeterReading {
            calls: self.calls.load(Ordering::Relaxed),
            refusals: self.refusals.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            busy: Duration::from_micros(self.busy_micros.load(Ordering::Relaxed)),
            faults: faults
                .map(|(kind, count)| (kind.code(), count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}
