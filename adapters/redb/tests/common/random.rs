//! Chance that can be repeated.

/// A small generator (xorshift): the same seed, the same test.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From `SEED` if it is set, else from the process's own randomness; the seed is printed.
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher, Hasher};
        let fresh = || {
            std::collections::hash_map::RandomState::new()
                .build_hasher()
                .finish()
        };
        let given = std::env::var("SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(fresh) | 1;
        println!("SEED={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}
