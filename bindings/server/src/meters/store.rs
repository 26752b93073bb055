//! A store that counts what is asked of it, and what it was told of.

use std::sync::Arc;

use async_trait::async_trait;
use narthex::core::event::AuditEvent;
use narthex::core::store::{
    Applied, Cell, Change, ChangeSet, Commit, Key, Record, Space, Store, StoreError, Version,
};

use super::{Meters, Operation, Outcome, Stopwatch, StoreFault};

#[derive(Debug)]
pub(super) struct MeteredStore {
    inner: Arc<dyn Store>,
    meters: Arc<Meters>,
}

impl MeteredStore {
    pub(super) fn new(inner: Arc<dyn Store>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }

    fn note<T>(
        &self,
        operation: &'static str,
        watch: &Stopwatch,
        answer: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let took = watch.elapsed().as_secs_f64();
        let time = &self.meters.store_time;
        time.get_or_create(&Operation { operation }).observe(took);
        if let Err(error) = &answer {
            let applied = match error.applied {
                Applied::No => "no",
                Applied::Unknown => "unknown",
            };
            let fault = StoreFault { operation, applied };
            self.meters.store_errors.get_or_create(&fault).inc();
        }
        answer
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for MeteredStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        let watch = Stopwatch::start();
        self.note("get", &watch, self.inner.get(key).await)
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        let watch = Stopwatch::start();
        self.note("read_cell", &watch, self.inner.read_cell(cell).await)
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        let events = events(&changes);
        let watch = Stopwatch::start();
        let commit = self.note("commit", &watch, self.inner.commit(changes).await)?;
        let outcome = match commit {
            Commit::Committed => "committed",
            Commit::Conflict => "conflict",
            Commit::CapReached(_) => "cap_reached",
        };
        self.meters
            .commits
            .get_or_create(&Outcome { outcome })
            .inc();
        if commit == Commit::Committed {
            for event in &events {
                self.meters.happened(event);
            }
        }
        Ok(commit)
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        let watch = Stopwatch::start();
        let keys = self.inner.scan(space, prefix, cursor, limit).await;
        self.note("scan", &watch, keys)
    }
}

/// The audit events among the changes.
fn events(changes: &ChangeSet) -> Vec<AuditEvent> {
    let appended = changes.changes().iter().filter_map(|change| match change {
        Change::Append { event, .. } => AuditEvent::decode(event).ok(),
        _ => None,
    });
    appended.collect()
}

#[cfg(test)]
mod tests {
    use narthex::core::store::MemoryStore;

    use super::*;

    narthex_conformance::store_suite!(MeteredStore::new(
        Arc::new(MemoryStore::new()),
        Meters::new()
    ));
}
