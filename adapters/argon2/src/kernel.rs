//! Argon2id (RFC 9106) for the processors that most servers have: AVX-512 or AVX2.
//!
//! The same tags as crate `argon2`, which remains the way for everything else: other processors,
//! and tags of other lengths than 32 bytes. The difference is the block function: written for the
//! vector unit, and a block goes from one step to the next without a copy in between. Before it is
//! used, a kernel has to agree with crate `argon2` on this very machine.

mod blake;
mod fill;
#[cfg_attr(not(target_arch = "x86_64"), path = "kernel/no_vector.rs")]
mod vector;

use std::sync::OnceLock;

use argon2::{Algorithm, Argon2, Block, Version};

use crate::phc::TAG_BYTES;
use crate::settings::Params;
use vector::Compress;

/// A block, as words.
type Words = [u64; 128];

/// Computes tags of 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel(Compress);

impl Kernel {
    /// The best that this machine has and that agrees with crate `argon2`.
    pub(crate) fn of_this_machine() -> Option<Self> {
        static FOUND: OnceLock<Option<Kernel>> = OnceLock::new();
        *FOUND.get_or_init(|| Self::candidates().find(|kernel| kernel.agrees_with(reference)))
    }

    pub(crate) fn name(self) -> &'static str {
        self.0.name()
    }

    /// The tag of `secret`, computed in `blocks`: as many as crate `argon2` counts for `params`.
    /// What they hold before does not matter. `None` if they are too few, or a text is over 4 GiB.
    pub(crate) fn tag(
        self,
        params: &Params,
        version: Version,
        secret: &[u8],
        salt: &[u8],
        blocks: &mut [Block],
    ) -> Option<[u8; TAG_BYTES]> {
        let first = blake::first_hash(params, version, secret, salt)?;
        let shape = fill::Shape::of(params, version, blocks.len())?;
        blake::first_blocks(&first, &shape, blocks)?;
        fill::fill(self.0, &shape, blocks)?;
        blake::last_hash(&shape, blocks)
    }

    fn candidates() -> impl Iterator<Item = Self> {
        Compress::of_this_machine().map(Self)
    }

    /// Every kind of step occurs: both versions, several lanes, passes and refills of addresses.
    fn agrees_with(self, other: Tagger) -> bool {
        let params = Params {
            memory_kib: 1_200,
            iterations: 2,
            parallelism: 2,
        };
        [Version::V0x10, Version::V0x13].into_iter().all(|version| {
            let (secret, salt) = (b"narthex", b"self-check");
            let expected = other(&params, version, secret, salt);
            let mut blocks = vec![Block::new(); 1_200];
            let found = self.tag(&params, version, secret, salt, &mut blocks);
            found.is_some() && found == expected
        })
    }
}

type Tagger = fn(&Params, Version, &[u8], &[u8]) -> Option<[u8; TAG_BYTES]>;

/// The tag by crate `argon2`.
fn reference(
    params: &Params,
    version: Version,
    secret: &[u8],
    salt: &[u8],
) -> Option<[u8; TAG_BYTES]> {
    let Params {
        memory_kib,
        iterations,
        parallelism,
    } = *params;
    let cost = argon2::Params::new(memory_kib, iterations, parallelism, None).ok()?;
    let mut tag = [0; TAG_BYTES];
    Argon2::new(Algorithm::Argon2id, version, cost)
        .hash_password_into(secret, salt, &mut tag)
        .ok()?;
    Some(tag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Each kernel, not only the best: the machine that runs the tests is not the only one.
        #[test]
        fn every_kernel_gives_the_tags_of_crate_argon2_whatever_the_blocks_held(
            lanes in 1_u32..6,
            more_kib in 0_u32..1_500,
            passes in 1_u32..5,
            old in any::<bool>(),
            secret in proptest::collection::vec(any::<u8>(), 0..300),
            salt in proptest::collection::vec(any::<u8>(), 8..65),
            left in any::<u64>(),
        ) {
            let params = Params {
                memory_kib: 8 * lanes + more_kib,
                iterations: passes,
                parallelism: lanes,
            };
            let version = if old { Version::V0x10 } else { Version::V0x13 };
            let expected = reference(&params, version, &secret, &salt);
            let quarter = params.memory_kib / (4 * lanes);
            let mut block = Block::new();
            block.as_mut().fill(left);
            for kernel in Kernel::candidates() {
                let mut blocks = vec![block; (quarter * 4 * lanes) as usize];
                let found = kernel.tag(&params, version, &secret, &salt, &mut blocks);
                prop_assert_eq!(found, expected, "{}", kernel.name());
            }
        }
    }

    #[test]
    fn a_kernel_that_computes_otherwise_is_not_used() {
        for kernel in Kernel::candidates() {
            assert!(kernel.agrees_with(reference), "{}", kernel.name());
            assert!(!kernel.agrees_with(|_, _, _, _| Some([0; TAG_BYTES])));
            // Agreement on one version is not enough.
            assert!(!kernel.agrees_with(|params, _, secret, salt| {
                reference(params, Version::V0x13, secret, salt)
            }));
        }
        let best = Kernel::candidates().next();
        assert_eq!(
            Kernel::of_this_machine().map(Kernel::name),
            best.map(Kernel::name)
        );
    }

    #[test]
    fn too_few_blocks_are_refused() {
        let params = Params {
            memory_kib: 64,
            iterations: 1,
            parallelism: 2,
        };
        for kernel in Kernel::candidates() {
            for count in [0, 1, 7, 15, 63] {
                let mut blocks = vec![Block::new(); count];
                let found = kernel.tag(&params, Version::V0x13, b"x", b"salt salt", &mut blocks);
                assert_eq!(found, None, "{count} blocks");
            }
        }
    }
}
