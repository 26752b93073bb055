//! A store that is gone when dropped: for tests and trials.

use async_trait::async_trait;
use narthex_core::store::{
    Cell, ChangeSet, Commit, Key, Record, Space, Store, StoreError, Version,
};
use tempfile::TempDir;

use crate::store::SledStore;
use narthex_core::store::OpenError;

/// A [`SledStore`] in a directory of its own, removed with it.
#[derive(Debug)]
pub struct TemporaryStore {
    // Closed before its directory is removed: fields are dropped in this order.
    store: SledStore,
    _directory: TempDir,
}

impl SledStore {
    /// An empty store that is gone when dropped: real files and flushes, for tests and trials.
    ///
    /// # Errors
    /// No place for temporary files.
    pub fn temporary() -> Result<TemporaryStore, OpenError> {
        let directory = tempfile::tempdir();
        let directory =
            directory.map_err(|error| crate::error::from_io("a temporary directory", error))?;
        Ok(TemporaryStore {
            store: Self::open(directory.path().join("narthex.sled"))?,
            _directory: directory,
        })
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for TemporaryStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        self.store.get(key).await
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.store.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        self.store.commit(changes).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.store.scan(space, prefix, cursor, limit).await
    }
}
