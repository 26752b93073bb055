//! A clock that is set by hand and entropy that repeats itself: for tests only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use narthex_core::host::{Clock, ClockReading, Entropy, EntropyError};
use narthex_core::model::Timestamp;
use sha2::{Digest, Sha256};

/// A clock that only moves when told to. Clones share one time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    reading: Arc<Mutex<ClockReading>>,
}

impl ManualClock {
    /// A clock whose wall says `wall`, on a machine that has just booted.
    pub fn at(wall: Timestamp) -> Self {
        let boot = Duration::ZERO;
        Self {
            reading: Arc::new(Mutex::new(ClockReading { wall, boot })),
        }
    }

    /// Lets `span` pass: on the wall and since boot.
    pub fn advance(&self, span: Duration) {
        let mut reading = self.reading();
        reading.wall = reading.wall.plus(span);
        reading.boot = reading.boot.saturating_add(span);
    }

    /// Somebody sets the wall clock, either way; no time passes.
    pub fn set_wall(&self, wall: Timestamp) {
        self.reading().wall = wall;
    }

    /// The machine restarts: the time since boot begins again; no time passes on the wall.
    pub fn reboot(&self) {
        self.reading().boot = Duration::ZERO;
    }

    fn reading(&self) -> MutexGuard<'_, ClockReading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn read(&self) -> ClockReading {
        *self.reading()
    }
}

/// Bytes from SHA-256 over a seed and a counter: the same seed, the same bytes. Not secret.
#[derive(Clone, Debug)]
pub struct TestEntropy {
    seed: u64,
    blocks: Arc<AtomicU64>,
}

impl TestEntropy {
    /// The stream of `seed`, from its beginning. Clones go on with one stream.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            blocks: Arc::default(),
        }
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(32) {
            let block = self.blocks.fetch_add(1, Ordering::Relaxed);
            let mut hash = Sha256::new();
            hash.update(self.seed.to_le_bytes());
            hash.update(block.to_le_bytes());
            for (byte, random) in chunk.iter_mut().zip(hash.finalize()) {
                *byte = random;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() {
        let draw = |seed| {
            let entropy = TestEntropy::seeded(seed);
            let mut bytes = [0; 100];
            entropy.fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_stream_never_gives_the_same_block_twice() {
        let entropy = TestEntropy::seeded(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let mut bytes = [0; 16];
            entropy.clone().fill(&mut bytes).unwrap();
            assert!(seen.insert(bytes));
        }
    }

    #[test]
    fn advancing_moves_both_clocks_and_setting_moves_the_wall_only() {
        let clock = ManualClock::at(Timestamp::from_millis(10_000));
        clock.advance(Duration::from_millis(500));
        let reading = clock.read();
        assert_eq!(reading.wall, Timestamp::from_millis(10_500));
        assert_eq!(reading.boot, Duration::from_millis(500));
        clock.clone().set_wall(Timestamp::from_millis(3));
        let reading = clock.read();
        assert_eq!(reading.wall, Timestamp::from_millis(3));
        assert_eq!(reading.boot, Duration::from_millis(500));
        clock.reboot();
        assert_eq!(clock.read().boot, Duration::ZERO);
    }
}
