//! The store that forgets at the end of the process: for tests, trials and the reference.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{
    Cell, Change, ChangeSet, Commit, Expected, Key, Record, Space, Store, StoreError, Version,
};

/// Keeps everything in three ordered maps behind one lock. Nothing survives the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<String, (Record, Version)>,
    cells: BTreeMap<String, u64>,
    events: BTreeMap<String, Record>,
    last_version: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refusal(&self, changes: &[Change]) -> Option<Commit> {
        let version = |key: &Key| self.records.get(key.path()).map(|(_, version)| *version);
        let as_expected = changes.iter().all(|change| match change {
            Change::Put {
                key,
                expected: Expected::Absent,
                ..
            } => version(key).is_none(),
            Change::Put {
                key,
                expected: Expected::At(at),
                ..
            }
            | Change::Delete { key, version: at }
            | Change::Expect { key, version: at } => version(key) == Some(*at),
            Change::Append { key, .. } => !self.events.contains_key(key.path()),
            _ => true,
        });
        if !as_expected {
            return Some(Commit::Conflict);
        }
        changes.iter().find_map(|change| match change {
            Change::Add {
                cell,
                n,
                cap: Some(cap),
            } if *n > 0 => (self.sum(cell, *n) > *cap).then(|| Commit::CapReached(cell.clone())),
            _ => None,
        })
    }

    fn sum(&self, cell: &Cell, n: i64) -> u64 {
        self.cells
            .get(cell.path())
            .copied()
            .unwrap_or(0)
            .saturating_add_signed(n)
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Put { key, record, .. } => {
                self.last_version += 1;
                let version = Version(self.last_version);
                self.records
                    .insert(key.path().to_owned(), (record, version));
            }
            Change::Delete { key, .. } => {
                self.records.remove(key.path());
            }
            Change::Expect { .. } => {}
            Change::Add { cell, n, .. } => {
                let sum = self.sum(&cell, n);
                self.cells.insert(cell.path().to_owned(), sum);
            }
            Change::Raise { cell, value } => {
                let kept = self.cells.entry(cell.path().to_owned()).or_insert(0);
                *kept = (*kept).max(value);
            }
            Change::DropCell { cell } => {
                self.cells.remove(cell.path());
            }
            Change::Append { key, event } => {
                self.events.insert(key.path().to_owned(), event);
            }
            Change::DropEvent { key } => {
                self.events.remove(key.path());
            }
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        let state = self.state();
        Ok(match key.space() {
            Space::Records => state.records.get(key.path()).cloned(),
            Space::Events => state
                .events
                .get(key.path())
                .map(|e| (e.clone(), Version(0))),
            Space::Cells => None,
        })
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        Ok(self.state().cells.get(cell.path()).copied().unwrap_or(0))
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        changes
            .validate()
            .map_err(|e| StoreError::not_applied(e.to_string()))?;
        let mut state = self.state();
        if let Some(refusal) = state.refusal(changes.changes()) {
            return Ok(refusal);
        }
        for change in changes.changes() {
            state.apply(change.clone());
        }
        Ok(Commit::Committed)
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        fn page<V>(
            map: &BTreeMap<String, V>,
            space: Space,
            prefix: &str,
            after: Option<&str>,
            limit: u32,
        ) -> Vec<Key> {
            let from = match after {
                Some(after) if after >= prefix => std::ops::Bound::Excluded(after),
                _ => std::ops::Bound::Included(prefix),
            };
            map.range::<str, _>((from, std::ops::Bound::Unbounded))
                .map(|(path, _)| path)
                .take_while(|path| path.starts_with(prefix))
                .take(limit as usize)
                .map(|path| Key::new(space, path.as_str()))
                .collect()
        }
        let state = self.state();
        Ok(match space {
            Space::Records => page(&state.records, space, prefix, cursor, limit),
            Space::Cells => page(&state.cells, space, prefix, cursor, limit),
            Space::Events => page(&state.events, space, prefix, cursor, limit),
        })
    }
}
