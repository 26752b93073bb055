//! A store that lets others go first, so that what happens at the same time really does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use narthex_core::store::{
    Cell, ChangeSet, Commit, Key, MemoryStore, Record, Space, Store, StoreError, Version,
};

/// A store, the memory store if no other is given, where every operation may wait, before and after, for others to take their
/// turn: how often is drawn from a seed, so that a failure can be repeated. Counts commits.
#[derive(Debug)]
pub struct TurnTakingStore {
    kept: Arc<dyn Store>,
    state: AtomicU64,
    commits: AtomicU64,
}

/// The most turns given away at a time.
const TURNS_MAX: u64 = 4;

impl TurnTakingStore {
    /// An empty store in memory with the schedule of `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self::over(Arc::new(MemoryStore::new()), seed)
    }

    /// `kept` with the schedule of `seed`.
    pub fn over(kept: Arc<dyn Store>, seed: u64) -> Self {
        Self {
            kept,
            state: AtomicU64::new(seed),
            commits: AtomicU64::new(0),
        }
    }

    /// How many commits were asked for, those included that conflicted.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    async fn take_turns(&self) {
        for _ in 0..self.draw() % TURNS_MAX {
            Turn { taken: false }.await;
        }
    }

    /// SplitMix64: the next number of a fixed sequence.
    fn draw(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self
            .state
            .fetch_add(STEP, Ordering::SeqCst)
            .wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

struct Turn {
    taken: bool,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.taken {
            return Poll::Ready(());
        }
        self.taken = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Store for TurnTakingStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        self.take_turns().await;
        let found = self.kept.get(key).await;
        self.take_turns().await;
        found
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.take_turns().await;
        let value = self.kept.read_cell(cell).await;
        self.take_turns().await;
        value
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.take_turns().await;
        let outcome = self.kept.commit(changes).await;
        self.take_turns().await;
        outcome
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.take_turns().await;
        self.kept.scan(space, prefix, cursor, limit).await
    }
}
