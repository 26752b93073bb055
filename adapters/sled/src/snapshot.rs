//! A snapshot of a store that goes on: sled keeps no older state, so the writer notes for every open
//! snapshot what a key was before it is written for the first time, unless the reader is past it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use narthex_core::store::snapshot::{Item, Kept, PAGE_ITEMS_MAX, Snapshot};
use narthex_core::store::{Space, StoreError};
use sled::IVec;

use crate::engine::Engine;
use crate::layout;
use crate::shown::{self, Notes};

/// The most bytes of keys and values that are noted for a snapshot. Reached only if so much is
/// overwritten while it is read.
const NOTED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// In the order that a snapshot is read in.
const SPACES: [Space; 3] = [Space::Records, Space::Cells, Space::Events];

/// What the writer and the reader of a snapshot share.
#[derive(Debug)]
pub(crate) struct Pending {
    notes: Notes,
    bytes: usize,
    /// Everything up to here, in the order of reading, has been read.
    read: (usize, Vec<u8>),
    failed: Option<&'static str>,
}

/// Held by the reader; the engine knows it as long as that lasts.
pub(crate) type Shared = Arc<Mutex<Pending>>;

impl Pending {
    /// Begins with what is not flushed yet: it is not in the snapshot.
    pub(crate) fn new(notes: Notes) -> Shared {
        Arc::new(Mutex::new(Self {
            notes,
            bytes: 0,
            read: (0, Vec::new()),
            failed: None,
        }))
    }

    /// `key` is about to be written for the first time since the last flush; it was `was`.
    pub(crate) fn note(&mut self, key: &[u8], was: Option<&IVec>) {
        let place = place(key);
        let to_come = (place, key) > (self.read.0, self.read.1.as_slice());
        if self.failed.is_some() || !to_come || self.notes.contains_key(key) {
            return;
        }
        self.bytes += key.len() + was.map_or(0, |value| value.len());
        self.notes.insert(key.to_vec(), was.cloned());
        if self.bytes > NOTED_BYTES_MAX {
            self.fail("too much was changed while it was read: try again at a quiet time");
        }
    }

    /// It cannot be read to its end.
    pub(crate) fn fail(&mut self, why: &'static str) {
        self.failed = Some(why);
        self.notes.clear();
    }
}

pub(crate) fn locked(shared: &Shared) -> MutexGuard<'_, Pending> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a key comes in the order of reading.
fn place(key: &[u8]) -> usize {
    let space = SPACES
        .iter()
        .position(|space| key.starts_with(&layout::key(*space, "")));
    space.unwrap_or(SPACES.len())
}

/// The reader.
pub(crate) struct SledSnapshot {
    engine: Arc<Engine>,
    shared: Shared,
}

impl SledSnapshot {
    pub(crate) fn new(engine: Arc<Engine>, shared: Shared) -> Self {
        Self { engine, shared }
    }

    fn page(&self, place: usize, space: Space) -> Result<Vec<Item>, StoreError> {
        let prefix = layout::key(space, "");
        self.engine.read(|tree, _| {
            // Under the lock of the engine: no key is noted while this page is read.
            let mut pending = locked(&self.shared);
            let after = (pending.read.0 == place).then(|| pending.read.1.clone());
            let after = after.filter(|after| !after.is_empty());
            let mut items = Vec::new();
            let mut last = None;
            let range = shown::range(tree, &pending.notes, &prefix, after.as_deref());
            for found in range.take(PAGE_ITEMS_MAX) {
                let (key, value) = found?;
                items.push(item(space, &key, &value)?);
                last = Some(key.to_vec());
            }
            if let Some(last) = last {
                pending.read = (place, last);
            }
            Ok(items)
        })
    }
}

fn item(space: Space, key: &[u8], value: &[u8]) -> Result<Item, layout::Damage> {
    Ok(Item {
        path: layout::path(key)?.to_owned(),
        kept: match space {
            Space::Records => Kept::Record(layout::record(value)?.0),
            Space::Cells => Kept::Cell(layout::number(value)?),
            Space::Events => Kept::Event(narthex_core::store::Record(value.to_vec())),
        },
    })
}

impl Snapshot for SledSnapshot {
    fn items(&self) -> Option<u64> {
        None
    }

    fn next_page(&mut self) -> Result<Vec<Item>, StoreError> {
        let begun = locked(&self.shared).read.0;
        for (place, space) in SPACES.into_iter().enumerate().skip(begun) {
            let items = self.page(place, space)?;
            if let Some(why) = locked(&self.shared).failed {
                return Err(StoreError::not_applied(why));
            }
            if !items.is_empty() {
                return Ok(items);
            }
            locked(&self.shared).read = (place + 1, Vec::new());
        }
        Ok(Vec::new())
    }
}
