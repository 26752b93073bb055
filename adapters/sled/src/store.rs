//! [`SledStore`]: the store contract on the engine and its writer.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use narthex_core::store::group::Queue;
use narthex_core::store::snapshot::{Snapshot, Snapshots};
use narthex_core::store::{
    Cell, ChangeSet, Commit, Key, Record, Space, Store, StoreError, Version,
};

use crate::engine::Engine;
use crate::folder::Folder;
use crate::snapshot::SledSnapshot;
use crate::{layout, shown, writer};
use narthex_core::store::OpenError;

/// How much memory [`SledStore::open`] lets sled use for pages, in bytes.
pub const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// A narthex store in one folder.
///
/// Reads run on the calling thread and see what is durable; commits are grouped by one writer thread
/// and answered after the flush. Dropping the store writes what still waits, and closes the folder.
pub struct SledStore {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl SledStore {
    /// Opens the store in the folder `path`, or makes a new one (for its owner only) if there is none.
    ///
    /// # Errors
    /// Why not, and what to do about it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with_cache(path, CACHE_BYTES)
    }

    /// As [`Self::open`], with another bound on the memory for pages.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_with_cache(path: impl AsRef<Path>, cache_bytes: u64) -> Result<Self, OpenError> {
        let folder = Folder::new(path.as_ref(), cache_bytes);
        let place = folder.place().to_owned();
        let engine = Arc::new(Engine::open(folder)?);
        let queue = Arc::new(Queue::default());
        let (its_queue, its_engine) = (Arc::clone(&queue), Arc::clone(&engine));
        let writer = thread::Builder::new()
            .name("narthex-sled".to_owned())
            .spawn(move || writer::run(&its_queue, &its_engine))
            .map_err(|error| OpenError::Failed {
                place,
                message: format!("no thread for its writer: {error}"),
            })?;
        Ok(Self {
            engine,
            queue,
            writer: Some(writer),
        })
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        // A fork has no writer: it must neither wait for one nor touch the parent's files.
        if !self.engine.is_own_process() {
            return;
        }
        self.queue.close();
        if let Some(writer) = self.writer.take()
            // The last owner may be dropped by whoever an answer woke, on the writer itself.
            && writer.thread().id() != thread::current().id()
        {
            let _panicked = writer.join();
        }
    }
}

#[async_trait]
impl Store for SledStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        if key.space() == Space::Cells {
            return Ok(None);
        }
        let (space, key) = (key.space(), layout::key(key.space(), key.path()));
        self.engine.read(|tree, notes| {
            let found = shown::get(tree, notes, &key)?;
            Ok(match found {
                Some(value) if space == Space::Events => Some((Record(value.to_vec()), Version(0))),
                Some(value) => Some(layout::record(&value)?),
                None => None,
            })
        })
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        let key = layout::key(Space::Cells, cell.path());
        self.engine.read(|tree, notes| {
            let found = shown::get(tree, notes, &key)?;
            Ok(found.map_or(Ok(0), |value| layout::number(&value))?)
        })
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        changes
            .validate()
            .map_err(|error| StoreError::not_applied(error.to_string()))?;
        if !self.engine.is_own_process() {
            return Err(crate::engine::forked());
        }
        self.queue.commit(changes).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        let prefix = layout::key(space, prefix);
        let cursor = cursor.map(|cursor| layout::key(space, cursor));
        self.engine.read(|tree, notes| {
            shown::range(tree, notes, &prefix, cursor.as_deref())
                .take(limit as usize)
                .map(|found| Ok(Key::new(space, layout::path(&found?.0)?)))
                .collect()
        })
    }
}

impl Snapshots for SledStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let shared = self.engine.begin_snapshot()?;
        let engine = Arc::clone(&self.engine);
        Ok(Box::new(SledSnapshot::new(engine, shared)))
    }
}
