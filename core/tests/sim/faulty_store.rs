//! A store that fails, refuses and loses answers.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use narthex_core::Error;
use narthex_core::store::{
    Cell, Change, ChangeSet, Commit, Key, MemoryStore, Record, Space, Store, StoreError, Version,
};

use crate::dice::Dice;

/// Where there are faults, one commit in so many meets one of the most frequent kind.
const FAULT_ONE_IN: u64 = 12;

/// Fails, refuses and loses answers, as told by its own dice; remembers what it did about the last
/// commit whose answer was lost.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    dice: AtomicU64,
    /// One call in so many fails; 0: none.
    one_in: AtomicU64,
    lost: Mutex<Option<(ChangeSet, bool)>>,
}

impl FaultyStore {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            inner: MemoryStore::new(),
            dice: AtomicU64::new(seed | 1),
            one_in: AtomicU64::new(0),
            lost: Mutex::new(None),
        }
    }

    /// Whether calls fail from now on; says whether they did.
    pub(crate) fn set_faults(&self, faults: bool) -> bool {
        let one_in = if faults { FAULT_ONE_IN } else { 0 };
        self.one_in.swap(one_in, Ordering::SeqCst) > 0
    }

    pub(crate) fn has_faults(&self) -> bool {
        self.one_in.load(Ordering::SeqCst) > 0
    }

    /// Whether the last operation did what it asks for, if its answer was lost: whether the change set
    /// that tells of it and puts a record under `prefix` landed.
    pub(crate) fn landed(&self, error: &Error, prefix: &str) -> bool {
        let lost = self.lost.lock().unwrap().take();
        if !error.may_have_applied() {
            return false;
        }
        let (changes, applied) = lost.expect("the portal speaks of a lost answer, and none was");
        let puts = |change: &Change| matches!(change, Change::Put { key, .. } if key.path().starts_with(prefix));
        // A fence puts a record back unchanged and tells of nothing.
        let tells = |change: &Change| matches!(change, Change::Append { .. });
        let decisive = changes.changes().iter().any(puts) && changes.changes().iter().any(tells);
        decisive && applied
    }

    /// The answer that was lost last does not matter.
    pub(crate) fn forget_lost(&self) {
        self.lost.lock().unwrap().take();
    }

    fn hits(&self, kind: u64) -> bool {
        let one_in = self.one_in.load(Ordering::SeqCst);
        let mut dice = Dice(self.dice.load(Ordering::SeqCst));
        let hit = one_in > 0 && dice.roll(one_in * kind) == 0;
        self.dice.store(dice.0, Ordering::SeqCst);
        hit
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        if self.hits(8) {
            return Err(StoreError::not_applied("simulated read fault"));
        }
        self.inner.get(key).await
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        if self.hits(8) {
            return Err(StoreError::not_applied("simulated read fault"));
        }
        self.inner.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        if self.hits(1) {
            return Ok(Commit::Conflict);
        }
        if self.hits(3) {
            return Err(StoreError::not_applied("simulated write fault"));
        }
        if self.hits(3) {
            let mut lands = Dice(self.dice.load(Ordering::SeqCst));
            let lands = lands.roll(2) == 0;
            let outcome = match lands {
                true => self.inner.commit(changes.clone()).await?,
                false => Commit::Conflict,
            };
            *self.lost.lock().unwrap() = Some((changes, outcome == Commit::Committed));
            return Err(StoreError::unknown("simulated loss of the answer"));
        }
        self.inner.commit(changes).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.inner.scan(space, prefix, cursor, limit).await
    }
}
