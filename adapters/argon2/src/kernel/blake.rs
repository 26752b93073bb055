//! What is hashed before and after the memory is filled (RFC 9106, 3.2 and 3.3).

use argon2::{Block, Version};
use blake2::digest::consts::U32;
use blake2::{Blake2b, Blake2b512, Digest};
use zeroize::Zeroizing;

use super::fill::Shape;
use crate::settings::Params;

const ARGON2ID: u32 = 2;
const TAG_BYTES: u32 = 32;
const HALF: usize = 32;

pub(super) type First = Zeroizing<[u8; 64]>;

/// H0. Each field that has a length is preceded by it; key and associated data are empty.
pub(super) fn first_hash(
    params: &Params,
    version: Version,
    secret: &[u8],
    salt: &[u8],
) -> Option<First> {
    let mut hash = Blake2b512::new();
    let numbers = [
        params.parallelism,
        TAG_BYTES,
        params.memory_kib,
        params.iterations,
        u32::from(version),
        ARGON2ID,
    ];
    for number in numbers {
        hash.update(number.to_le_bytes());
    }
    for field in [secret, salt, &[], &[]] {
        hash.update(u32::try_from(field.len()).ok()?.to_le_bytes());
        hash.update(field);
    }
    Some(Zeroizing::new(hash.finalize().into()))
}

/// The first two blocks of each lane: H'(H0, column, lane).
pub(super) fn first_blocks(first: &First, shape: &Shape, blocks: &mut [Block]) -> Option<()> {
    for (lane, blocks) in blocks.chunks_exact_mut(shape.lane).enumerate() {
        for (column, block) in blocks.iter_mut().take(2).enumerate() {
            let place = [u32::try_from(column).ok()?, u32::try_from(lane).ok()?];
            let place = place.map(u32::to_le_bytes);
            load(block, &[first.as_slice(), place.as_flattened()]);
        }
    }
    Some(())
}

/// The tag: H' of the sum of the last blocks of all lanes.
pub(super) fn last_hash(shape: &Shape, blocks: &[Block]) -> Option<[u8; 32]> {
    let mut sum = Zeroizing::new(Block::new());
    for lane in blocks.chunks_exact(shape.lane) {
        *sum ^= lane.last()?;
    }
    let mut hash = Blake2b::<U32>::new();
    hash.update(TAG_BYTES.to_le_bytes());
    for word in sum.as_ref() {
        hash.update(word.to_le_bytes());
    }
    Some(hash.finalize().into())
}

/// H' for 1,024 bytes: halves of a chain of hashes, the last one whole.
fn load(block: &mut Block, parts: &[&[u8]]) {
    let mut hash = Blake2b512::new();
    hash.update(1_024_u32.to_le_bytes());
    for part in parts {
        hash.update(part);
    }
    let mut link: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
    let mut words = block.as_mut().iter_mut();
    let mut put = |bytes: &[u8]| {
        for (eight, word) in bytes.as_chunks().0.iter().zip(&mut words) {
            *word = u64::from_le_bytes(*eight);
        }
    };
    for _ in 0..(1_024 - 64) / HALF {
        put(link.split_at(HALF).0);
        link = Zeroizing::new(Blake2b512::digest(link.as_slice()).into());
    }
    put(link.as_slice());
}
