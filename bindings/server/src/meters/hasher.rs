//! A password hasher that counts.

use std::sync::Arc;

use async_trait::async_trait;
use narthex::core::host::{AdmittedHash, HashFault, PasswordHasher, QueueFull, Verification};
use zeroize::Zeroizing;

use super::{Meters, Operation, Stopwatch};

#[derive(Debug)]
pub(super) struct MeteredHasher {
    inner: Arc<dyn PasswordHasher>,
    meters: Arc<Meters>,
}

impl MeteredHasher {
    pub(super) fn new(inner: Arc<dyn PasswordHasher>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }
}

#[deny(clippy::missing_trait_methods)]
impl PasswordHasher for MeteredHasher {
    fn admit(&self) -> Result<Box<dyn AdmittedHash>, QueueFull> {
        match self.inner.admit() {
            Ok(inner) => {
                let meters = Arc::clone(&self.meters);
                Ok(Box::new(MeteredHash { inner, meters }))
            }
            Err(full) => {
                self.meters.hashes_turned_away.inc();
                Err(full)
            }
        }
    }
}

struct MeteredHash {
    inner: Box<dyn AdmittedHash>,
    meters: Arc<Meters>,
}

impl MeteredHash {
    fn note(&self, operation: &'static str, watch: &Stopwatch) {
        let time = &self.meters.hash_time;
        let took = watch.elapsed().as_secs_f64();
        time.get_or_create(&Operation { operation }).observe(took);
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AdmittedHash for MeteredHash {
    async fn hash(&self, secret: Zeroizing<Vec<u8>>, salt: [u8; 16]) -> Result<String, HashFault> {
        let watch = Stopwatch::start();
        let done = self.inner.hash(secret, salt).await;
        self.note("hash", &watch);
        done
    }

    async fn verify(
        &self,
        secret: Zeroizing<Vec<u8>>,
        phc: Zeroizing<String>,
    ) -> Result<Verification, HashFault> {
        let watch = Stopwatch::start();
        let done = self.inner.verify(secret, phc).await;
        self.note("verify", &watch);
        done
    }

    async fn decoy(&self, secret: Zeroizing<Vec<u8>>) -> Result<(), HashFault> {
        let watch = Stopwatch::start();
        let done = self.inner.decoy(secret).await;
        self.note("decoy", &watch);
        done
    }
}
