//! [`RedbStore`]: the store contract on the engine and its writer.

use std::fmt;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use narthex_core::store::group::Queue;
use narthex_core::store::snapshot::{Snapshot, Snapshots};
use narthex_core::store::{
    Cell, ChangeSet, Commit, Key, Record, Space, Store, StoreError, Version,
};
use redb::{ConcurrencyMode, Database, DatabaseError, ReadableDatabase, ReadableTable};

use crate::engine::Engine;
use crate::medium::{FileMedium, Medium, OtherMedium};
use crate::snapshot::RedbSnapshot;
use crate::tables::{CELLS, EVENTS, RECORDS};
use crate::writer;
use narthex_core::store::OpenError;

/// How much memory [`RedbStore::open`] lets redb use for pages of the file, in bytes.
pub const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// A narthex store in one file.
///
/// Reads run on the calling thread, in a read transaction of their own; commits are grouped by one
/// writer thread and answered after the flush. Dropping the store writes what still waits, and
/// closes the file.
pub struct RedbStore {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl RedbStore {
    /// Opens the store at `path`, or makes a new one (readable by its owner only) if there is no
    /// file. After a crash redb walks the whole file here, which takes longer the larger it is.
    ///
    /// # Errors
    /// Why not, and what to do about it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with_cache(path, CACHE_BYTES)
    }

    /// As [`Self::open`], with another bound on the memory for pages of the file.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_with_cache(path: impl AsRef<Path>, cache_bytes: usize) -> Result<Self, OpenError> {
        let alone = ConcurrencyMode::ExclusiveWriter;
        Self::on(Box::new(FileMedium::new(path.as_ref(), cache_bytes, alone)))
    }

    /// As [`Self::open`], beside other processes that have opened the same store so: each reads
    /// what any of them has committed, and they write in turn. Whoever keeps records in memory
    /// above such a store must ask it again before an answer rests on them.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`OpenError::InUse`] where a process has opened it for itself alone.
    pub fn open_shared(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let shared = ConcurrencyMode::MultiWriter;
        Self::on(Box::new(FileMedium::new(
            path.as_ref(),
            CACHE_BYTES,
            shared,
        )))
    }

    /// Opens a store on any storage that redb can use. `open` is called now, and again whenever the
    /// storage has failed; the handle before it is closed by then.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_storage(
        open: impl Fn() -> Result<Database, DatabaseError> + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        Self::on(Box::new(OtherMedium(open)))
    }

    fn on(medium: Box<dyn Medium>) -> Result<Self, OpenError> {
        let place = medium.place().to_owned();
        let engine = Arc::new(Engine::open(medium)?);
        let queue = Arc::new(Queue::default());
        let (its_queue, its_engine) = (Arc::clone(&queue), Arc::clone(&engine));
        let writer = thread::Builder::new()
            .name("narthex-redb".to_owned())
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

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        // A fork has no writer: it must neither wait for one nor touch the parent's file.
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
impl Store for RedbStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        self.engine.read(|database| {
            let transaction = database.begin_read()?;
            Ok(match key.space() {
                Space::Records => {
                    let found = transaction.open_table(RECORDS)?.get(key.path())?;
                    found.map(|found| {
                        let (version, bytes) = found.value();
                        (Record(bytes.to_vec()), Version(version))
                    })
                }
                Space::Events => {
                    let found = transaction.open_table(EVENTS)?.get(key.path())?;
                    found.map(|found| (Record(found.value().to_vec()), Version(0)))
                }
                Space::Cells => None,
            })
        })
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.engine.read(|database| {
            let cells = database.begin_read()?.open_table(CELLS)?;
            Ok(cells.get(cell.path())?.map_or(0, |found| found.value()))
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
        self.engine.read(|database| {
            let transaction = database.begin_read()?;
            let page = match space {
                Space::Records => page(&transaction.open_table(RECORDS)?, prefix, cursor, limit),
                Space::Cells => page(&transaction.open_table(CELLS)?, prefix, cursor, limit),
                Space::Events => page(&transaction.open_table(EVENTS)?, prefix, cursor, limit),
            }?;
            Ok(page.into_iter().map(|path| Key::new(space, path)).collect())
        })
    }
}

impl Snapshots for RedbStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let snapshot = self.engine.read(RedbSnapshot::of)?;
        Ok(Box::new(snapshot))
    }
}

fn page<V: redb::Value + 'static>(
    table: &impl ReadableTable<&'static str, V>,
    prefix: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, redb::Error> {
    let from = match cursor {
        Some(cursor) if cursor >= prefix => Bound::Excluded(cursor),
        _ => Bound::Included(prefix),
    };
    let mut paths = Vec::new();
    if limit == 0 {
        return Ok(paths);
    }
    for entry in table.range::<&str>((from, Bound::Unbounded))? {
        let (path, _) = entry?;
        if !path.value().starts_with(prefix) {
            break;
        }
        paths.push(path.value().to_owned());
        if paths.len() >= limit as usize {
            break;
        }
    }
    Ok(paths)
}
