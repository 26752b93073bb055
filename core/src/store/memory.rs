//! The store that forgets at the end of the process: for tests, trials and the reference.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::snapshot::{Item, Kept, PAGE_ITEMS_MAX, Snapshot, Snapshots};
use super::{
    Cell, Change, ChangeSet, Commit, Key, Record, Space, Store, StoreError, Version, judge,
};

/// Keeps everything in three ordered maps behind one lock. Nothing survives the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
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
    fn sum(&self, cell: &Cell, n: i64) -> u64 {
        self.read(cell).saturating_add_signed(n)
    }

    fn read(&self, cell: &Cell) -> u64 {
        self.cells.get(cell.path()).copied().unwrap_or(0)
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

impl judge::State for State {
    type Error = std::convert::Infallible;

    fn version(&self, key: &Key) -> Result<Option<Version>, Self::Error> {
        Ok(self.records.get(key.path()).map(|(_, version)| *version))
    }

    fn has_event(&self, key: &Key) -> Result<bool, Self::Error> {
        Ok(self.events.contains_key(key.path()))
    }

    fn cell(&self, cell: &Cell) -> Result<u64, Self::Error> {
        Ok(self.read(cell))
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
        Ok(self.state().read(cell))
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        changes
            .validate()
            .map_err(|e| StoreError::not_applied(e.to_string()))?;
        let mut state = self.state();
        if let Ok(Some(refusal)) = judge::refusal(&changes, &*state) {
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

impl Snapshots for MemoryStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(Copied::of(self.state().clone())))
    }
}

/// A copy of everything.
struct Copied {
    items: u64,
    rest: Box<dyn Iterator<Item = Item> + Send>,
}

impl Copied {
    fn of(state: State) -> Self {
        let items = state.records.len() + state.cells.len() + state.events.len();
        let item = |path, kept| Item { path, kept };
        let records = state.records.into_iter();
        let records = records.map(move |(path, (record, _))| item(path, Kept::Record(record)));
        let cells = state.cells.into_iter();
        let cells = cells.map(move |(path, value)| item(path, Kept::Cell(value)));
        let events = state.events.into_iter();
        let events = events.map(move |(path, event)| item(path, Kept::Event(event)));
        Self {
            items: items as u64,
            rest: Box::new(records.chain(cells).chain(events)),
        }
    }
}

impl Snapshot for Copied {
    fn items(&self) -> Option<u64> {
        Some(self.items)
    }

    fn next_page(&mut self) -> Result<Vec<Item>, StoreError> {
        Ok(self.rest.by_ref().take(PAGE_ITEMS_MAX).collect())
    }
}
