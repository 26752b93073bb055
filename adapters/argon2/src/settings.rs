//! What a host chooses, and the floor under it.

use std::thread::available_parallelism;
use std::time::Duration;

use crate::phc::{ITERATIONS_MAX, PARALLELISM_MAX};

/// The most memory one hash may be set to, in KiB (4 GiB).
pub const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;

/// The most workers.
pub const WORKERS_MAX: usize = 1_024;

const QUEUE_PER_WORKER: usize = 64;
const IDLE: Duration = Duration::from_secs(30);

/// Blocks per lane that Argon2 needs at least (RFC 9106, 3.1).
const KIB_PER_LANE_MIN: u32 = 8;

/// The cost of one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes. They are computed one after the other, on one core: more lanes do not shorten a hash.
    pub parallelism: u32,
}

impl Params {
    /// Whether these reach OWASP's Password Storage Cheat Sheet (19 MiB, 2 passes) or its stronger
    /// variant with one pass (46 MiB), which ASVS 5.0 Appendix C repeats (11.4.2).
    pub fn reach_the_floor(&self) -> bool {
        let two_passes = self.memory_kib >= 19_456 && self.iterations >= 2;
        let one_pass = self.memory_kib >= 47_104 && self.iterations >= 1;
        (two_passes || one_pass) && self.parallelism >= 1
    }
}

impl Default for Params {
    /// 19,456 KiB, 2 passes, 1 lane: the floor.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
        }
    }
}

/// What a host chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashSettings {
    /// The cost of a new hash; a stored one that cost otherwise is reported as to be made again.
    pub params: Params,
    /// How many hashes run at once. Resident memory is at most this times `params.memory_kib`, but
    /// while a stored hash that needs more is being checked.
    pub workers: usize,
    /// How many hashes wait at most while all workers are busy.
    pub queue: usize,
    /// How long a worker without work keeps its arena.
    pub idle: Duration,
}

impl Default for HashSettings {
    /// The default parameters, a worker per available core, 64 places in the queue for each, 30 s.
    fn default() -> Self {
        let workers = available_parallelism().map_or(1, usize::from);
        Self {
            params: Params::default(),
            workers: workers.min(WORKERS_MAX),
            queue: workers.saturating_mul(QUEUE_PER_WORKER),
            idle: IDLE,
        }
    }
}

/// Settings that are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashSettingsError {
    /// Cheaper than the floor.
    #[error(
        "Argon2id with {} KiB, {} passes, {} lanes is too cheap for passwords: set at least 19456 KiB \
         with 2 passes, or 47104 KiB with 1 pass, and 1 lane (OWASP; ASVS 5.0 Appendix C)",
        .0.memory_kib, .0.iterations, .0.parallelism
    )]
    BelowFloor(Params),
    /// Outside what can be computed, or what would be taken back from a store.
    #[error(
        "Argon2id with {} KiB, {} passes, {} lanes cannot be used: set at most {MEMORY_KIB_MAX} KiB, \
         1 to {ITERATIONS_MAX} passes, 1 to {PARALLELISM_MAX} lanes, and 8 KiB or more for each lane",
        .0.memory_kib, .0.iterations, .0.parallelism
    )]
    OutOfRange(Params),
    /// No workers, or too many.
    #[error("{0} hash workers cannot be used: set 1 to {WORKERS_MAX}")]
    Workers(usize),
    /// The operating system gave no thread.
    #[error("a hash worker could not be started: {0}; set fewer workers or raise the thread limit")]
    Threads(String),
}

impl HashSettings {
    pub(crate) fn check(&self) -> Result<(), HashSettingsError> {
        if !self.params.reach_the_floor() {
            return Err(HashSettingsError::BelowFloor(self.params));
        }
        self.check_without_floor()
    }

    pub(crate) fn check_without_floor(&self) -> Result<(), HashSettingsError> {
        let Params {
            memory_kib,
            iterations,
            parallelism,
        } = self.params;
        let lanes = (1..=PARALLELISM_MAX).contains(&parallelism);
        let passes = (1..=ITERATIONS_MAX).contains(&iterations);
        let least = KIB_PER_LANE_MIN.saturating_mul(parallelism);
        if !lanes || !passes || !(least..=MEMORY_KIB_MAX).contains(&memory_kib) {
            return Err(HashSettingsError::OutOfRange(self.params));
        }
        if !(1..=WORKERS_MAX).contains(&self.workers) {
            return Err(HashSettingsError::Workers(self.workers));
        }
        Ok(())
    }
}
