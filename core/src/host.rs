//! The four doors to the outside: clock, entropy, password hasher, key ring. A host opens them; the
//! core owns what is done with what comes through.

mod keys;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::model::Timestamp;
pub use keys::{KeyError, KeyPurpose, KeyRing, sealed_with};

/// What the machine's clocks say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The wall clock: may jump either way.
    pub wall: Timestamp,
    /// Time since boot, suspend included (`CLOCK_BOOTTIME`): never goes back.
    pub boot: Duration,
}

/// Reads the machine's clocks. What follows from the readings is `rules::time`'s business.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Both clocks, now.
    fn read(&self) -> ClockReading;
}

/// The source of randomness failed: nothing may be made from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct EntropyError(pub String);

/// Draws random bytes fit for keys and tokens (ASVS 11.5.1).
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// The operating system refused; `bytes` must not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The hash queue is full: nothing has been reserved; come back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct QueueFull {
    /// When a place is likely to be free.
    pub retry_after: Duration,
}

/// A hash could not be made or checked. Never a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hashing failed: {0}")]
pub struct HashFault(pub String);

/// What a comparison concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Whether the secret is the one the hash was made of.
    pub matches: bool,
    /// Whether the hash was made with other parameters than today's.
    pub rehash: bool,
}

/// Hashes passwords within a bounded memory and a bounded queue.
pub trait PasswordHasher: fmt::Debug + Send + Sync + 'static {
    /// A place in the queue for one operation, or word that there is none. Comes before every budget, so
    /// that a full queue charges nobody.
    ///
    /// # Errors
    /// The queue is full.
    fn admit(&self) -> Result<Box<dyn AdmittedHash>, QueueFull>;
}

/// A place in the hash queue; dropping it gives the place back. Its operations run one after the other.
#[async_trait]
pub trait AdmittedHash: Send + Sync {
    /// A PHC string of `secret` under today's parameters and `salt`.
    ///
    /// # Errors
    /// The hash could not be made.
    async fn hash(&self, secret: Zeroizing<Vec<u8>>, salt: [u8; 16]) -> Result<String, HashFault>;

    /// Whether `secret` is what `phc` was made of, in constant time. Parameters read from `phc` are
    /// clamped: a hostile one is refused at once.
    ///
    /// # Errors
    /// `phc` is not understood, or asks for more than is allowed.
    async fn verify(
        &self,
        secret: Zeroizing<Vec<u8>>,
        phc: Zeroizing<String>,
    ) -> Result<Verification, HashFault>;

    /// Does the work of `verify` under today's parameters for somebody who has no hash. Never matches.
    ///
    /// # Errors
    /// The work could not be done.
    async fn decoy(&self, secret: Zeroizing<Vec<u8>>) -> Result<(), HashFault>;
}
