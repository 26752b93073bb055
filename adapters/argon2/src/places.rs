//! How many may be inside, and when the next should come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use narthex_core::host::QueueFull;

use crate::settings::HashSettings;

/// A guess per KiB and pass until the first hash was timed; slow on purpose.
const ASSUMED_NS_PER_KIB: u64 = 1_000;
/// One new measurement weighs an eighth.
const WEIGHT: u64 = 8;

/// Counts the places that are taken: by hashes that run, that wait, and by admissions that have not
/// begun.
#[derive(Debug)]
pub(crate) struct Places {
    taken: AtomicUsize,
    max: usize,
    workers: u64,
    mean_ns: AtomicU64,
}

impl Places {
    pub(crate) fn new(settings: &HashSettings) -> Self {
        let params = settings.params;
        let kib = u64::from(params.memory_kib) * u64::from(params.iterations);
        Self {
            taken: AtomicUsize::new(0),
            max: settings.workers.saturating_add(settings.queue),
            workers: settings.workers as u64,
            mean_ns: AtomicU64::new(kib * ASSUMED_NS_PER_KIB),
        }
    }

    pub(crate) fn take(self: &Arc<Self>) -> Result<Place, QueueFull> {
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                (taken < self.max).then_some(taken + 1)
            })
            .map(|_| Place(Arc::clone(self)))
            .map_err(|taken| QueueFull {
                retry_after: self.drain_time(taken),
            })
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    pub(crate) fn mean(&self) -> Duration {
        Duration::from_nanos(self.mean_ns.load(Ordering::Relaxed))
    }

    /// Takes the time one hash needed into the moving mean.
    pub(crate) fn measured(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let weigh = |mean: u64| Some(mean - mean / WEIGHT + took / WEIGHT);
        // Never refuses: the closure always has an answer.
        let _ = self
            .mean_ns
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, weigh);
    }

    /// When all who are inside now will be done.
    fn drain_time(&self, taken: usize) -> Duration {
        let rounds = (taken as u64).div_ceil(self.workers).max(1);
        Duration::from_nanos(self.mean_ns.load(Ordering::Relaxed).saturating_mul(rounds))
    }
}

/// One place, given back on drop.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(workers: usize, queue: usize) -> Arc<Places> {
        Arc::new(Places::new(&HashSettings {
            workers,
            queue,
            ..HashSettings::default()
        }))
    }

    #[test]
    fn there_are_exactly_as_many_places_as_workers_and_queue_under_parallel_load() {
        let places = places(3, 47);
        let threads = (0..8).map(|_| {
            let places = Arc::clone(&places);
            std::thread::spawn(move || {
                (0..1_000)
                    .filter_map(|_| places.take().ok())
                    .collect::<Vec<_>>()
            })
        });
        let threads = threads.collect::<Vec<_>>();
        let taken = threads
            .into_iter()
            .map(|t| t.join().unwrap())
            .collect::<Vec<_>>();
        assert_eq!(taken.iter().flatten().count(), 50);
        drop(taken);
        assert_eq!(places.taken(), 0);
        assert!(places.take().is_ok());
    }

    #[test]
    fn who_is_refused_is_told_when_those_inside_will_be_done() {
        let places = places(2, 8);
        let _held = (0..10).map(|_| places.take().unwrap()).collect::<Vec<_>>();
        for _ in 0..200 {
            places.measured(Duration::from_millis(20));
        }
        let told = places.take().unwrap_err().retry_after;
        assert!(
            (99..=101).contains(&told.as_millis()),
            "5 rounds of 20 ms, not {told:?}"
        );
    }

    #[test]
    fn an_absurd_measurement_does_not_break_the_mean() {
        let places = places(1, 1);
        for _ in 0..100 {
            places.measured(Duration::MAX);
            places.measured(Duration::ZERO);
        }
        let _held = [places.take().unwrap(), places.take().unwrap()];
        assert!(places.take().unwrap_err().retry_after > Duration::ZERO);
    }
}
