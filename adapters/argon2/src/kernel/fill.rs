//! Which block is made of which (RFC 9106, 3.4).

use argon2::{Block, Version};
use zeroize::Zeroizing;

use super::Words;
use super::vector::Compress;
use crate::settings::Params;

const SLICES: usize = 4;
const ARGON2ID: u64 = 2;
const ADDRESSES: usize = 128;

/// How the memory is divided.
pub(super) struct Shape {
    lanes: usize,
    /// Blocks in a lane.
    pub(super) lane: usize,
    /// Blocks in a lane between two points where lanes may look at each other.
    segment: usize,
    passes: usize,
    version: Version,
}

impl Shape {
    /// `None` if `blocks` cannot be divided so.
    pub(super) fn of(params: &Params, version: Version, blocks: usize) -> Option<Self> {
        let lanes = usize::try_from(params.parallelism).ok()?;
        let lane = blocks.checked_div(lanes)?;
        let segment = lane / SLICES;
        let whole = segment >= 2 && lanes * segment * SLICES == blocks;
        whole.then_some(Self {
            lanes,
            lane,
            segment,
            passes: usize::try_from(params.iterations).ok()?,
            version,
        })
    }
}

/// One segment of one lane in one pass.
#[derive(Clone, Copy)]
struct Segment {
    pass: usize,
    slice: usize,
    lane: usize,
}

/// Fills `blocks`, of which the first two of each lane are there already.
pub(super) fn fill(compress: Compress, shape: &Shape, blocks: &mut [Block]) -> Option<()> {
    for pass in 0..shape.passes {
        for slice in 0..SLICES {
            for lane in 0..shape.lanes {
                let segment = Segment { pass, slice, lane };
                fill_segment(compress, shape, segment, blocks)?;
            }
        }
    }
    Some(())
}

fn fill_segment(
    compress: Compress,
    shape: &Shape,
    at: Segment,
    blocks: &mut [Block],
) -> Option<()> {
    // Argon2id: the first half of the first pass does not depend on the secret's memory.
    let independent = at.pass == 0 && at.slice < SLICES / 2;
    let mut addresses = Addresses::new(shape, at, blocks.len());
    let begin = if at.pass == 0 && at.slice == 0 { 2 } else { 0 };
    let lane_begin = at.lane * shape.lane;
    let column = at.slice * shape.segment;
    // The block before the first of a lane is its last.
    let before = lane_begin + (column + begin + shape.lane - 1) % shape.lane;
    let mut state = Zeroizing::new(*words(blocks.get(before)?)?);
    let add = at.pass > 0 && shape.version == Version::V0x13;
    if independent && begin > 0 {
        addresses.refill(compress);
    }
    for index in begin..shape.segment {
        let random = if independent {
            addresses.get(index, compress)?
        } else {
            *state.first()?
        };
        let from = reference(shape, at, index, random);
        let to = lane_begin + column + index;
        let [from, to] = blocks.get_disjoint_mut([from, to]).ok()?;
        compress.run(&mut state, words(from)?, words_mut(to)?, add);
    }
    Some(())
}

/// Where the block that `random` points at lies: in which lane, and how far back (3.4.1, 3.4.2).
fn reference(shape: &Shape, at: Segment, index: usize, random: u64) -> usize {
    let (j1, j2) = (random & 0xffff_ffff, (random >> 32) as usize);
    let first_slice = at.pass == 0 && at.slice == 0;
    let lane = if first_slice {
        at.lane
    } else {
        j2 % shape.lanes
    };
    let finished = if at.pass == 0 {
        at.slice * shape.segment
    } else {
        shape.lane - shape.segment
    };
    // In its own lane all but the block just before; in another, not the last of a finished segment
    // if that would be the block just before.
    let area = if lane == at.lane {
        finished + index - 1
    } else {
        finished - usize::from(index == 0)
    };
    let skewed = (j1 * j1) >> 32;
    let back = ((area as u64 * skewed) >> 32) as usize;
    let start = if at.pass == 0 || at.slice == SLICES - 1 {
        0
    } else {
        (at.slice + 1) * shape.segment
    };
    lane * shape.lane + (start + area - 1 - back) % shape.lane
}

/// The numbers that stand for random ones where addresses must not depend on memory.
struct Addresses {
    input: Words,
    current: Words,
}

impl Addresses {
    fn new(shape: &Shape, at: Segment, blocks: usize) -> Self {
        let mut input = [0; ADDRESSES];
        let start = [at.pass, at.lane, at.slice, blocks, shape.passes].map(|n| n as u64);
        for (word, value) in input.iter_mut().zip(start.into_iter().chain([ARGON2ID])) {
            *word = value;
        }
        Self {
            input,
            current: [0; ADDRESSES],
        }
    }

    fn get(&mut self, index: usize, compress: Compress) -> Option<u64> {
        let within = index % ADDRESSES;
        if within == 0 {
            self.refill(compress);
        }
        self.current.get(within).copied()
    }

    /// G(0, G(0, input)) with the next counter.
    fn refill(&mut self, compress: Compress) {
        const COUNTER: usize = 6;
        if let Some(counter) = self.input.get_mut(COUNTER) {
            *counter += 1;
        }
        let zero = [0; ADDRESSES];
        let mut once = self.input;
        compress.run(&mut once, &zero, &mut self.current, false);
        compress.run(&mut once, &zero, &mut self.current, false);
    }
}

fn words(block: &Block) -> Option<&Words> {
    block.as_ref().as_array()
}

fn words_mut(block: &mut Block) -> Option<&mut Words> {
    block.as_mut().as_mut_array()
}
