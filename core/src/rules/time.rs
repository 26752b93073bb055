//! Time never goes back (P9).

use std::time::Duration;

use crate::host::ClockReading;
use crate::model::{Now, Timestamp};

/// How far ahead of process time a stored event may lie before it is not believed.
pub const FUTURE_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Process time: follows the wall clock forward, and goes on by elapsed boot time while the wall clock
/// is behind it. What has expired has expired, whichever way the clocks jump.
#[derive(Clone, Copy, Debug)]
pub struct ProcessTime {
    last: Timestamp,
    boot: Duration,
}

impl ProcessTime {
    /// Begins at the wall clock or at the store's floor, whichever is later: a restart does not go back.
    pub fn start(reading: ClockReading, floor: Timestamp) -> Self {
        Self {
            last: reading.wall.max(floor),
            boot: reading.boot,
        }
    }

    /// The present after `reading`.
    pub fn advance(&mut self, reading: ClockReading) -> Now {
        let elapsed = reading.boot.saturating_sub(self.boot);
        // Kept in whole milliseconds: the rest of a millisecond stays in `boot` for the next call.
        let whole = Duration::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        self.last = self.last.plus(whole).max(reading.wall);
        self.boot = self.boot.saturating_add(whole);
        Now {
            latest: self.last,
            earliest: self.last.min(reading.wall),
        }
    }
}

/// Whether an event recorded `at` lies so far ahead that a clock must have been wrong.
pub fn is_from_the_future(at: Timestamp, now: Now) -> bool {
    at > now.latest.plus(FUTURE_TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall: u64, boot: u64) -> ClockReading {
        ClockReading {
            wall: Timestamp::from_millis(wall),
            boot: Duration::from_millis(boot),
        }
    }

    #[test]
    fn time_goes_on_by_boot_time_while_the_wall_clock_is_behind() {
        let mut time = ProcessTime::start(reading(1_000_000, 0), Timestamp::default());
        let back = time.advance(reading(400_000, 5_000));
        assert_eq!(back.latest.as_millis(), 1_005_000);
        assert_eq!(back.earliest.as_millis(), 400_000);
        let caught_up = time.advance(reading(1_006_000, 5_500));
        assert_eq!(caught_up, Now::exactly(Timestamp::from_millis(1_006_000)));
    }

    #[test]
    fn a_jump_forward_is_followed_and_never_taken_back() {
        let mut time = ProcessTime::start(reading(1_000, 0), Timestamp::default());
        assert_eq!(
            time.advance(reading(9_000_000, 10)).latest.as_millis(),
            9_000_000
        );
        assert_eq!(
            time.advance(reading(1_020, 20)).latest.as_millis(),
            9_000_010
        );
    }

    #[test]
    fn a_restart_does_not_go_behind_the_stores_floor() {
        let mut time = ProcessTime::start(reading(1_000, 0), Timestamp::from_millis(50_000));
        assert_eq!(time.advance(reading(1_001, 1)).latest.as_millis(), 50_001);
    }

    #[test]
    fn many_short_steps_add_up_to_the_whole_span() {
        let start = ClockReading {
            wall: Timestamp::from_millis(0),
            boot: Duration::ZERO,
        };
        let mut time = ProcessTime::start(start, Timestamp::from_millis(1_000));
        let mut now = Now::exactly(Timestamp::default());
        for step in 1..=10_000_u64 {
            now = time.advance(ClockReading {
                wall: Timestamp::from_millis(0),
                boot: Duration::from_micros(step * 300),
            });
        }
        assert_eq!(now.latest.as_millis(), 4_000);
    }
}
