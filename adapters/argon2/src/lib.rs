//! Argon2id for narthex: bounded memory, bounded queue, an arena per worker.
//!
//! [`Argon2Hasher`] is the house's [`PasswordHasher`](narthex_core::host::PasswordHasher). It
//! hashes on threads of its own and needs no async runtime:
//!
//! * **The queue is bounded.** [`HashSettings::workers`] hashes run, [`HashSettings::queue`] wait;
//!   whoever comes next is told when to come back. A caller who goes away leaves the queue at once.
//! * **Memory is bounded and kept.** Each worker owns one arena, made at its first hash and used
//!   for all that follow: a fresh matrix costs a page fault per 4 KiB, more than half of a 46 MiB
//!   hash. Between hashes an arena holds the remains of the last hash, no more; it is wiped and
//!   given back to the operating system after [`HashSettings::idle`] without work, and on drop.
//! * **A vector kernel** ([`Argon2Hasher::backend`]) computes the hash where the processor has
//!   AVX-512 or AVX2: the same tags in half the time. It has to agree with crate `argon2` before it
//!   is used.
//! * **Stored parameters are clamped** before any work: a hostile PHC string is refused at once.
//!
//! ```
//! use narthex_argon2::{Argon2Hasher, HashSettings};
//!
//! let hasher = Argon2Hasher::new(HashSettings::default())?;
//! assert_eq!(hasher.load().arena_bytes, 0); // nothing is allocated before the first hash
//! # Ok::<(), narthex_argon2::HashSettingsError>(())
//! ```

mod arena;
mod hasher;
mod kernel;
mod phc;
mod places;
mod pool;
mod settings;

pub use hasher::{Argon2Hasher, HashLoad};
pub use phc::{
    ITERATIONS_MAX, PARALLELISM_MAX, SALT_BYTES_MAX, SALT_BYTES_MIN, STORED_MEMORY_KIB_MAX,
    TAG_BYTES_MAX, TAG_BYTES_MIN,
};
pub use settings::{HashSettings, HashSettingsError, MEMORY_KIB_MAX, Params, WORKERS_MAX};
