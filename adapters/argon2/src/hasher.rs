//! The house's password hasher.

use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Version};
use async_trait::async_trait;
use futures_util::lock::Mutex as AsyncMutex;
use narthex_core::host::{AdmittedHash, HashFault, PasswordHasher, QueueFull, Verification};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::arena::Arena;
use crate::kernel::Kernel;
use crate::phc::{self, SALT_BYTES, Stored, TAG_BYTES};
use crate::places::{Place, Places};
use crate::pool::{Pool, PoolPlan, Shared};
use crate::settings::{HashSettings, HashSettingsError, Params};

/// The decoy is the check of this hash, under today's parameters, with the answer thrown away.
const DECOY_SALT: [u8; SALT_BYTES] = *b"narthex's decoy.";
const DECOY_TAG: [u8; TAG_BYTES] = [0; TAG_BYTES];

/// Argon2id on threads of its own.
///
/// Dropping it answers those who wait with a fault, lets the hashes that run finish (tens of
/// milliseconds), wipes all arenas and ends all threads before it returns.
#[derive(Debug)]
pub struct Argon2Hasher {
    pool: Pool,
    places: Arc<Places>,
    today: Arc<Today>,
}

/// What the hasher is doing, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLoad {
    /// Operations that run or wait, and admissions that have not begun one.
    pub places_taken: usize,
    /// At most this many: workers + queue.
    pub places_max: usize,
    /// Memory that the arenas hold now, in bytes.
    pub arena_bytes: usize,
    /// The moving mean of the time one hash takes; a guess until the first.
    pub mean: Duration,
}

#[derive(Debug)]
struct Today {
    params: Params,
    decoy: String,
}

impl Argon2Hasher {
    /// A hasher with `settings.workers` threads. Memory comes with the first hash of each.
    ///
    /// # Errors
    /// The parameters are below the floor (ASVS 5.0 11.4.2 and Appendix C; OWASP) or cannot be
    /// computed, or the operating system gave no thread. The text says what to set.
    pub fn new(settings: HashSettings) -> Result<Self, HashSettingsError> {
        settings.check()?;
        Self::start(&settings)
    }

    /// **For tests only**: as [`Self::new`], without the floor, so that a suite with thousands of
    /// log-ins ends in seconds. What it makes is cheap to guess, and a portal that runs with it is
    /// not safe.
    ///
    /// # Errors
    /// As [`Self::new`], but for the floor.
    pub fn below_the_floor_for_tests(settings: HashSettings) -> Result<Self, HashSettingsError> {
        settings.check_without_floor()?;
        Self::start(&settings)
    }

    /// What the hasher is doing now.
    pub fn load(&self) -> HashLoad {
        HashLoad {
            places_taken: self.places.taken(),
            places_max: self.places.max(),
            arena_bytes: self.pool.shared().arena_bytes(),
            mean: self.places.mean(),
        }
    }

    /// What computes the hashes on this machine: `AVX-512`, `AVX2`, or `portable`. All give the
    /// same.
    pub fn backend() -> &'static str {
        Kernel::of_this_machine().map_or("portable", Kernel::name)
    }

    fn start(settings: &HashSettings) -> Result<Self, HashSettingsError> {
        let params = settings.params;
        let blocks_kept = cost(&params, TAG_BYTES)
            .map_err(|_| HashSettingsError::OutOfRange(params))?
            .block_count();
        let places = Arc::new(Places::new(settings));
        let pool = Pool::start(PoolPlan {
            workers: settings.workers,
            idle: settings.idle,
            blocks_kept,
            places: Arc::clone(&places),
        })
        .map_err(|error| HashSettingsError::Threads(error.to_string()))?;
        let decoy = phc::encode(&params, &DECOY_SALT, &DECOY_TAG);
        Ok(Self {
            pool,
            places,
            today: Arc::new(Today { params, decoy }),
        })
    }
}

impl PasswordHasher for Argon2Hasher {
    fn admit(&self) -> Result<Box<dyn AdmittedHash>, QueueFull> {
        Ok(Box::new(Admission {
            place: Arc::new(AsyncMutex::new(self.places.take()?)),
            pool: Arc::clone(self.pool.shared()),
            today: Arc::clone(&self.today),
        }))
    }
}

/// A place in the queue. Its lock is the turn: one operation at a time, and the place is not given
/// back while one runs.
#[derive(Debug)]
struct Admission {
    place: Arc<AsyncMutex<Place>>,
    pool: Arc<Shared>,
    today: Arc<Today>,
}

#[async_trait]
impl AdmittedHash for Admission {
    async fn hash(&self, secret: Zeroizing<Vec<u8>>, salt: [u8; 16]) -> Result<String, HashFault> {
        let params = self.today.params;
        let turn = Arc::clone(&self.place).lock_owned().await;
        self.pool
            .run(turn, move |arena| {
                let mut tag = Zeroizing::new([0; TAG_BYTES]);
                compute(arena, &params, Version::V0x13, &secret, &salt, tag.as_mut())?;
                Ok(phc::encode(&params, &salt, tag.as_ref()))
            })
            .await
    }

    async fn verify(
        &self,
        secret: Zeroizing<Vec<u8>>,
        phc: Zeroizing<String>,
    ) -> Result<Verification, HashFault> {
        self.check(secret, &phc).await
    }

    async fn decoy(&self, secret: Zeroizing<Vec<u8>>) -> Result<(), HashFault> {
        self.check(secret, &self.today.decoy).await.map(|_| ())
    }
}

impl Admission {
    /// Reads `phc` before it waits: what is refused never reaches a worker.
    async fn check(
        &self,
        secret: Zeroizing<Vec<u8>>,
        phc: &str,
    ) -> Result<Verification, HashFault> {
        let stored = phc::parse(phc, &self.today.params)?;
        let rehash = stored.differs_from(&self.today.params);
        let turn = Arc::clone(&self.place).lock_owned().await;
        let matches = self
            .pool
            .run(turn, move |arena| matches(arena, &stored, &secret))
            .await?;
        Ok(Verification { matches, rehash })
    }
}

fn matches(arena: &mut Arena, stored: &Stored, secret: &[u8]) -> Result<bool, HashFault> {
    let mut tag = Zeroizing::new(vec![0; stored.tag.len()]);
    let Stored {
        params,
        version,
        salt,
        ..
    } = stored;
    compute(arena, params, *version, secret, salt, &mut tag)?;
    Ok(tag.ct_eq(&stored.tag).into())
}

fn compute(
    arena: &mut Arena,
    params: &Params,
    version: Version,
    secret: &[u8],
    salt: &[u8],
    tag: &mut [u8],
) -> Result<(), HashFault> {
    let cost = cost(params, tag.len()).map_err(|error| HashFault(error.to_string()))?;
    let blocks = arena.blocks(cost.block_count())?;
    if let Ok(tag) = <&mut [u8; TAG_BYTES]>::try_from(&mut *tag)
        && let Some(kernel) = Kernel::of_this_machine()
        && let Some(found) = kernel.tag(params, version, secret, salt, blocks)
    {
        *tag = found;
        return Ok(());
    }
    Argon2::new(Algorithm::Argon2id, version, cost)
        .hash_password_into_with_memory(secret, salt, tag, blocks)
        .map_err(|error| HashFault(error.to_string()))
}

fn cost(params: &Params, tag_bytes: usize) -> argon2::Result<argon2::Params> {
    argon2::Params::new(
        params.memory_kib,
        params.iterations,
        params.parallelism,
        Some(tag_bytes),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// RFC 9106, 5.3. Our own API has neither key nor associated data; the arena is what is tested.
    #[test]
    fn the_vector_of_rfc_9106_comes_out_of_an_arena_that_was_used_before() {
        let mut arena = Arena::new(64, Arc::default());
        for block in arena.blocks(64).unwrap() {
            block.as_mut().fill(u64::MAX);
        }
        let mut params = argon2::ParamsBuilder::new();
        params.m_cost(32).t_cost(3).p_cost(4);
        params.data(argon2::AssociatedData::new(&[4; 12]).unwrap());
        let params = params.build().unwrap();
        let blocks = arena.blocks(params.block_count()).unwrap();
        let mut tag = [0; 32];
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
            .unwrap()
            .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut tag, blocks)
            .unwrap();
        assert_eq!(
            data_encoding::HEXLOWER.encode(&tag),
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
        );
    }
}
