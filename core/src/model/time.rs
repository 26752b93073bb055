//! Points in time. Durations are `std::time::Duration`; nothing here reads a clock.

use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This point plus `span`; stops at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// This point minus `span`; stops at the beginning.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The present, as two readings: they differ only while the wall clock has been set back.
///
/// Lifetimes are judged by `latest` (what has expired stays expired), waits by `earliest` (a clock set
/// forward does not shorten a throttle).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Process time: never goes back.
    pub latest: Timestamp,
    /// The wall clock, where it is behind process time; else the same.
    pub earliest: Timestamp,
}

impl Now {
    /// Both readings the same.
    pub const fn exactly(at: Timestamp) -> Self {
        Self {
            latest: at,
            earliest: at,
        }
    }
}
