//! The memory of one worker: kept between hashes, wiped when it is given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::Block;
use narthex_core::host::HashFault;
use zeroize::Zeroize;

/// An allocation above glibc's greatest threshold (32 MiB) is always a mapping of its own, so that
/// dropping it gives the pages back; a smaller one may stay with the allocator, resident. What lies
/// behind the blocks in use is reserved address space, never touched.
const CAPACITY_MIN: usize = 33 * 1024;

/// Block memory for one hash at a time.
///
/// What it holds between hashes is the remains of the last one: a hash writes every block it uses
/// in its first pass, before it reads it, and what a larger one left behind is wiped before a
/// smaller one starts. An arena that grew for a stored hash of other parameters is given up right
/// after.
#[derive(Debug)]
pub(crate) struct Arena {
    blocks: Vec<Block>,
    /// How many blocks, from the first, may hold something.
    dirty: usize,
    /// How many blocks are kept between hashes: what today's parameters need.
    kept: usize,
    /// Bytes in all arenas of the pool.
    total: Arc<AtomicUsize>,
}

impl Arena {
    pub(crate) fn new(kept: usize, total: Arc<AtomicUsize>) -> Self {
        Self {
            blocks: Vec::new(),
            dirty: 0,
            kept,
            total,
        }
    }

    /// `count` blocks with unspecified content.
    pub(crate) fn blocks(&mut self, count: usize) -> Result<&mut [Block], HashFault> {
        if self.blocks.len() < count {
            self.release();
            self.allocate(count)?;
        } else {
            self.wipe_from(count);
        }
        self.dirty = count;
        self.blocks
            .get_mut(..count)
            .ok_or_else(|| HashFault("the arena is too small".to_owned()))
    }

    /// After a hash: gives up what today's parameters do not need.
    pub(crate) fn settle(&mut self) {
        if self.blocks.len() > self.kept {
            self.release();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Wipes and frees everything.
    pub(crate) fn release(&mut self) {
        self.wipe_from(0);
        let bytes = self.blocks.len() * Block::SIZE;
        self.blocks = Vec::new();
        self.total.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Never by growing a vector in place: that may move it and leave a copy behind.
    fn allocate(&mut self, count: usize) -> Result<(), HashFault> {
        let mut blocks = Vec::new();
        blocks
            .try_reserve_exact(count.max(CAPACITY_MIN))
            .map_err(|_| HashFault("no memory for a hash".to_owned()))?;
        blocks.resize(count, Block::new());
        self.blocks = blocks;
        self.total.fetch_add(count * Block::SIZE, Ordering::Relaxed);
        Ok(())
    }

    fn wipe_from(&mut self, first: usize) {
        for block in self.blocks.get_mut(first..self.dirty).unwrap_or_default() {
            block.zeroize();
        }
        self.dirty = self.dirty.min(first);
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: usize = 16;

    fn arena() -> Arena {
        Arena::new(KEPT, Arc::default())
    }

    fn fill(arena: &mut Arena, count: usize) {
        for block in arena.blocks(count).unwrap() {
            block.as_mut().fill(u64::MAX);
        }
    }

    fn is_wiped(block: &Block) -> bool {
        block.as_ref().iter().all(|word| *word == 0)
    }

    #[test]
    fn what_a_larger_hash_left_is_wiped_before_a_smaller_one_starts() {
        let mut arena = arena();
        fill(&mut arena, 16);
        arena.blocks(8).unwrap();
        assert!(arena.blocks[8..].iter().all(is_wiped));
        assert!(
            !is_wiped(&arena.blocks[7]),
            "this wipe would be for nothing: pass 0 overwrites"
        );
    }

    #[test]
    fn an_arena_of_todays_size_is_kept_and_a_larger_one_is_given_up() {
        let mut arena = arena();
        fill(&mut arena, KEPT);
        let at = arena.blocks.as_ptr();
        arena.settle();
        assert_eq!(arena.blocks(KEPT).unwrap().as_ptr(), at);
        fill(&mut arena, KEPT + 1);
        arena.settle();
        assert!(arena.is_empty());
    }

    #[test]
    fn the_total_counts_what_is_held_and_nothing_after_release() {
        let total = Arc::new(AtomicUsize::new(0));
        let mut arena = Arena::new(KEPT, Arc::clone(&total));
        fill(&mut arena, 8);
        assert_eq!(total.load(Ordering::Relaxed), 8 * 1024);
        fill(&mut arena, 16);
        assert_eq!(total.load(Ordering::Relaxed), 16 * 1024);
        drop(arena);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn memory_that_is_not_there_is_a_fault_and_the_arena_still_works() {
        let mut arena = arena();
        assert!(arena.blocks(usize::MAX / 2048).is_err());
        assert_eq!(arena.blocks(8).unwrap().len(), 8);
    }
}
