//! The machine's clocks and its randomness: the one place that reads them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use narthex_core::host::{Clock, ClockReading, Entropy, EntropyError};
use narthex_core::model::Timestamp;

/// The clocks of this machine: the wall clock, and the time since boot with suspend included.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the door through which time comes in"
    )]
    fn read(&self) -> ClockReading {
        // A wall clock before 1970 is a broken one; process time then goes on from the store's
        // floor.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = wall.unwrap_or(Duration::ZERO).as_millis();
        ClockReading {
            wall: Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)),
            boot: since_boot(),
        }
    }
}

#[cfg(unix)]
fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    // Apple's CLOCK_MONOTONIC goes on in sleep; elsewhere it is the best there is.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(unix))]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the door through which time comes in"
)]
fn since_boot() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed()
}

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the door through which randomness comes in"
    )]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|error| EntropyError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_of_this_century_and_time_since_boot_never_goes_back() {
        let first = SystemClock.read();
        let second = SystemClock.read();
        let year_2020 = Timestamp::from_millis(1_577_836_800_000);
        let year_2100 = Timestamp::from_millis(4_102_444_800_000);
        assert!(first.wall > year_2020 && first.wall < year_2100);
        assert!(second.boot >= first.boot);
        std::thread::sleep(Duration::from_millis(5));
        assert!(SystemClock.read().boot > first.boot);
    }

    #[test]
    fn entropy_fills_all_of_it_and_never_twice_alike() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let mut bytes = [0; 16];
            SystemEntropy.fill(&mut bytes).unwrap();
            assert!(seen.insert(bytes));
        }
    }
}
