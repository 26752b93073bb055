//! What is counted, for `/metrics`: at the doors of the core (store, hasher) and at the door of the
//! house (requests). No name, no number, no organization: no small count tells of a person.

mod hasher;
mod store;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use narthex::argon2::HashLoad;
use narthex::core::event::{AuditEvent, EventKind};
use narthex::core::model::EndReason;
use narthex::core::portal::Doors;
use narthex::http::Answered;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use self::hasher::MeteredHasher;
use self::store::MeteredStore;
use crate::plugins::Plugins;

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Event {
    event: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Asked {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Code {
    code: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Found {
    found: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Operation {
    operation: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct StoreFault {
    operation: &'static str,
    applied: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Build {
    version: &'static str,
}

type Timed = Family<Operation, Histogram, fn() -> Histogram>;

/// Everything that is counted. Cheap to count, never blocking on who reads.
pub(crate) struct Meters {
    registry: Registry,
    events: Family<Event, Counter>,
    sessions_ended: Family<Reason, Counter>,
    requests: Family<Asked, Counter>,
    request_time: Histogram,
    refusals: Family<Code, Counter>,
    sessions_checked: Family<Found, Counter>,
    store_time: Timed,
    commits: Family<Outcome, Counter>,
    store_errors: Family<StoreFault, Counter>,
    hash_time: Timed,
    hashes_turned_away: Counter,
    hash_places_taken: Gauge,
    hash_places_max: Gauge,
    clock_difference: Gauge<f64, AtomicU64>,
    /// Count for themselves.
    pub(crate) plugins: Plugins,
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meters")
    }
}

/// From a tenth of a millisecond to 13 seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.0, 18))
}

impl Meters {
    pub(crate) fn new() -> Arc<Self> {
        let mut meters = Self {
            registry: Registry::with_prefix("narthex"),
            events: Family::default(),
            sessions_ended: Family::default(),
            requests: Family::default(),
            request_time: seconds(),
            refusals: Family::default(),
            sessions_checked: Family::default(),
            store_time: Family::new_with_constructor(seconds),
            commits: Family::default(),
            store_errors: Family::default(),
            hash_time: Family::new_with_constructor(seconds),
            hashes_turned_away: Counter::default(),
            hash_places_taken: Gauge::default(),
            hash_places_max: Gauge::default(),
            clock_difference: Gauge::default(),
            plugins: Plugins::default(),
        };
        meters.register();
        meters.begin_at_zero();
        Arc::new(meters)
    }

    fn register(&mut self) {
        let all = &mut self.registry;
        let build = Family::<Build, Gauge>::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&Build { version }).set(1);
        all.register("build_info", "The version that runs", build);
        all.register(
            "events",
            "What happened, as in the audit: logged_in, claimed, ...",
            self.events.clone(),
        );
        all.register(
            "sessions_ended",
            "Single sessions that ended, by reason; a changed password ends others uncounted",
            self.sessions_ended.clone(),
        );
        all.register(
            "requests",
            "Answers, by the pattern of the route (empty: none) and status",
            self.requests.clone(),
        );
        all.register_with_unit(
            "request",
            "From a whole request to its answer",
            Unit::Seconds,
            self.request_time.clone(),
        );
        all.register("refusals", "Refusals, by code", self.refusals.clone());
        all.register(
            "sessions_checked",
            "Live sessions found: warm without the store, cold by asking it",
            self.sessions_checked.clone(),
        );
        all.register_with_unit(
            "store",
            "Calls of the store",
            Unit::Seconds,
            self.store_time.clone(),
        );
        all.register("commits", "Commits, by outcome", self.commits.clone());
        all.register(
            "store_errors",
            "Calls of the store that failed, and whether the change may have been made",
            self.store_errors.clone(),
        );
        all.register_with_unit(
            "hash",
            "Password hashes, the wait in the queue included",
            Unit::Seconds,
            self.hash_time.clone(),
        );
        all.register(
            "hashes_turned_away",
            "Requests that found the hash queue full",
            self.hashes_turned_away.clone(),
        );
        all.register(
            "hash_places_taken",
            "Hashes that run or wait",
            self.hash_places_taken.clone(),
        );
        all.register(
            "hash_places_max",
            "As many may run or wait",
            self.hash_places_max.clone(),
        );
        all.register_with_unit(
            "clock_difference",
            "How far the wall clock is behind the portal's time, which never goes back",
            Unit::Seconds,
            self.clock_difference.clone(),
        );
        #[cfg(feature = "plugins")]
        all.register_collector(Box::new(crate::plugins::PluginCollector(
            self.plugins.clone(),
        )));
    }

    /// What has not happened yet is 0, not absent: a rate over it is then right from the first.
    fn begin_at_zero(&self) {
        for kind in [
            EventKind::Claimed,
            EventKind::LoggedIn,
            EventKind::PasswordChanged,
            EventKind::SessionEnded,
        ] {
            let event = kind.code();
            drop(self.events.get_or_create(&Event { event }));
        }
        for reason in EndReason::ALL {
            let reason = reason.code();
            drop(self.sessions_ended.get_or_create(&Reason { reason }));
        }
        for outcome in ["committed", "conflict", "cap_reached"] {
            drop(self.commits.get_or_create(&Outcome { outcome }));
        }
        for found in ["warm", "cold"] {
            drop(self.sessions_checked.get_or_create(&Found { found }));
        }
    }

    /// Puts meters around the store and the hasher.
    pub(crate) fn around(self: &Arc<Self>, doors: Doors) -> Doors {
        Doors {
            store: Arc::new(MeteredStore::new(doors.store, Arc::clone(self))),
            hasher: Arc::new(MeteredHasher::new(doors.hasher, Arc::clone(self))),
            ..doors
        }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, answered: Answered, status: u16, took: Duration) {
        let route = answered.route;
        self.requests.get_or_create(&Asked { route, status }).inc();
        self.request_time.observe(took.as_secs_f64());
        if let Some(code) = answered.code {
            self.refusals.get_or_create(&Code { code }).inc();
        }
        if let Some(found) = answered.session {
            let found = found.code();
            self.sessions_checked.get_or_create(&Found { found }).inc();
        }
    }

    fn happened(&self, event: &AuditEvent) {
        let kind = event.kind.code();
        self.events.get_or_create(&Event { event: kind }).inc();
        let reason = EndReason::from_code(&event.detail);
        if let (EventKind::SessionEnded, Some(reason)) = (event.kind, reason) {
            let reason = reason.code();
            self.sessions_ended.get_or_create(&Reason { reason }).inc();
        }
    }

    /// All of it in the OpenMetrics text format, which Prometheus reads.
    pub(crate) fn text(
        &self,
        load: HashLoad,
        clock_difference: Duration,
    ) -> Result<String, std::fmt::Error> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.hash_places_taken.set(count(load.places_taken));
        self.hash_places_max.set(count(load.places_max));
        self.clock_difference.set(clock_difference.as_secs_f64());
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Measures how long something takes.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long something took is for metrics and the log; no rule depends on it"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
