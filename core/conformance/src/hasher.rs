//! A password hasher that is fast, bounded and counted: for tests only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use narthex_core::host::{AdmittedHash, HashFault, PasswordHasher, QueueFull, Verification};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// SHA-256 in the clothes of a password hash, `$test$p=<parameters>$<salt>$<digest>`: a test can
/// hash thousands of times and then ask what was compared. **Never for real passwords**: it is
/// fast.
///
/// Clones share one queue and one count.
#[derive(Clone, Debug)]
pub struct TestHasher {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: AtomicUsize,
    admitted: AtomicUsize,
    parameters: AtomicU32,
    broken: AtomicBool,
    hashes: AtomicU64,
    comparisons: AtomicU64,
    decoys: AtomicU64,
}

impl TestHasher {
    /// A hasher with room for `queue` operations at once.
    pub fn new(queue: usize) -> Self {
        let hasher = Self {
            state: Arc::default(),
        };
        hasher.set_queue(queue);
        hasher
    }

    /// Changes how many operations find room; 0 turns all away. Places already given stay given.
    pub fn set_queue(&self, queue: usize) {
        self.state.queue.store(queue, Ordering::SeqCst);
    }

    /// Changes today's parameters: hashes made under others verify, and ask for a rehash.
    pub fn set_parameters(&self, parameters: u32) {
        self.state.parameters.store(parameters, Ordering::SeqCst);
    }

    /// While broken, every operation is a [`HashFault`].
    pub fn set_broken(&self, broken: bool) {
        self.state.broken.store(broken, Ordering::SeqCst);
    }

    /// How many hashes were made.
    pub fn hashes(&self) -> u64 {
        self.state.hashes.load(Ordering::SeqCst)
    }

    /// How often a secret was compared with a hash, decoys not counted.
    pub fn comparisons(&self) -> u64 {
        self.state.comparisons.load(Ordering::SeqCst)
    }

    /// How often the work was done for somebody who has no hash.
    pub fn decoys(&self) -> u64 {
        self.state.decoys.load(Ordering::SeqCst)
    }

    /// How many places of the queue are taken now.
    pub fn admitted(&self) -> usize {
        self.state.admitted.load(Ordering::SeqCst)
    }
}

impl PasswordHasher for TestHasher {
    fn admit(&self) -> Result<Box<dyn AdmittedHash>, QueueFull> {
        let room = self.state.queue.load(Ordering::SeqCst);
        let one_more = |taken| (taken < room).then_some(taken + 1);
        self.state
            .admitted
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more)
            .map_err(|_| QueueFull {
                retry_after: RETRY_AFTER,
            })?;
        Ok(Box::new(Place(Arc::clone(&self.state))))
    }
}

struct Place(Arc<State>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.admitted.fetch_sub(1, Ordering::SeqCst);
    }
}

impl State {
    fn check(&self) -> Result<u32, HashFault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(HashFault("the test hasher was told to fail".to_owned()));
        }
        Ok(self.parameters.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl AdmittedHash for Place {
    async fn hash(&self, secret: Zeroizing<Vec<u8>>, salt: [u8; 16]) -> Result<String, HashFault> {
        let parameters = self.0.check()?;
        self.0.hashes.fetch_add(1, Ordering::SeqCst);
        Ok(phc(parameters, &hex(&salt), &secret))
    }

    async fn verify(
        &self,
        secret: Zeroizing<Vec<u8>>,
        stored: Zeroizing<String>,
    ) -> Result<Verification, HashFault> {
        let today = self.0.check()?;
        self.0.comparisons.fetch_add(1, Ordering::SeqCst);
        let (parameters, salt) =
            parts(&stored).ok_or_else(|| HashFault("not a $test$ hash".to_owned()))?;
        Ok(Verification {
            matches: phc(parameters, salt, &secret) == *stored,
            rehash: parameters != today,
        })
    }

    async fn decoy(&self, _secret: Zeroizing<Vec<u8>>) -> Result<(), HashFault> {
        self.0.check()?;
        self.0.decoys.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn phc(parameters: u32, salt: &str, secret: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(parameters.to_le_bytes());
    hash.update((salt.len() as u64).to_le_bytes());
    hash.update(salt);
    hash.update(secret);
    format!("$test$p={parameters}${salt}${}", hex(&hash.finalize()))
}

fn parts(phc: &str) -> Option<(u32, &str)> {
    let (parameters, rest) = phc.strip_prefix("$test$p=")?.split_once('$')?;
    let (salt, _digest) = rest.split_once('$')?;
    Some((parameters.parse().ok()?, salt))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;

    fn secret(text: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    #[test]
    fn only_the_secret_that_was_hashed_matches_and_every_comparison_counts() {
        let hasher = TestHasher::new(1);
        let place = hasher.admit().unwrap();
        let phc = Zeroizing::new(block_on(place.hash(secret("right"), [7; 16])).unwrap());
        assert!(phc.starts_with("$test$"));
        let good = block_on(place.verify(secret("right"), phc.clone())).unwrap();
        assert!(good.matches && !good.rehash);
        assert!(
            !block_on(place.verify(secret("wrong"), phc))
                .unwrap()
                .matches
        );
        block_on(place.decoy(secret("any"))).unwrap();
        let counts = (hasher.hashes(), hasher.comparisons(), hasher.decoys());
        assert_eq!(counts, (1, 2, 1));
    }

    #[test]
    fn a_full_queue_turns_away_and_a_dropped_place_is_free_again() {
        let hasher = TestHasher::new(2);
        let places = [hasher.admit().unwrap(), hasher.admit().unwrap()];
        assert!(hasher.admit().is_err());
        drop(places);
        assert_eq!(hasher.admitted(), 0);
        assert!(hasher.admit().is_ok());
        hasher.set_queue(0);
        assert!(hasher.admit().is_err());
    }

    #[test]
    fn a_hash_under_other_parameters_matches_and_asks_for_a_rehash() {
        let hasher = TestHasher::new(1);
        let place = hasher.admit().unwrap();
        let phc = Zeroizing::new(block_on(place.hash(secret("a"), [0; 16])).unwrap());
        hasher.set_parameters(2);
        let verification = block_on(place.verify(secret("a"), phc)).unwrap();
        assert!(verification.matches && verification.rehash);
    }

    #[test]
    fn a_broken_hasher_and_a_foreign_hash_are_faults_not_verdicts() {
        let hasher = TestHasher::new(1);
        let place = hasher.admit().unwrap();
        let foreign = Zeroizing::new("$argon2id$v=19$m=8".to_owned());
        assert!(block_on(place.verify(secret("a"), foreign)).is_err());
        hasher.set_broken(true);
        assert!(block_on(place.decoy(secret("a"))).is_err());
        assert!(block_on(place.hash(secret("a"), [0; 16])).is_err());
    }
}
