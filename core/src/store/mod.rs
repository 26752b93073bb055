//! The contract between narthex and a storage engine. **Stores keep; they never decide.**

pub mod backup;
mod change;
pub mod codec;
pub mod group;
pub mod judge;
mod key;
pub mod load;
mod memory;
mod opening;
pub mod records;
pub mod snapshot;

use std::fmt;

use async_trait::async_trait;

pub use change::{Change, ChangeSet, Commit, Expected, InvalidChangeSet, OPERATIONS_MAX};
pub use key::{Cell, KEY_BYTES_MAX, Key, Space};
pub use memory::MemoryStore;
pub use opening::OpenError;

/// The longest value of a record or an event, in bytes.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

/// The version of a record. A key that is deleted and created again never repeats a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// The bytes of a record or an event; their meaning is the core's alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Record(pub Vec<u8>);

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} bytes)", self.0.len())
    }
}

/// A record as judged, with the version to expect when changing it.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// What was read.
    pub value: T,
    /// At which version.
    pub version: Version,
}

/// Whether a failed commit may have been made all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Certainly not.
    No,
    /// Nobody knows until it is read.
    Unknown,
}

/// The store did not answer, or could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the store failed ({}): {message}", match .applied { Applied::No => "nothing was changed", Applied::Unknown => "the change may have been made" })]
pub struct StoreError {
    /// Whether the change may have been made.
    pub applied: Applied,
    /// What happened and what to do, without any record content.
    pub message: String,
}

impl StoreError {
    /// A failure before anything was changed.
    pub fn not_applied(message: impl Into<String>) -> Self {
        Self {
            applied: Applied::No,
            message: message.into(),
        }
    }

    /// A failure after which nobody knows.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self {
            applied: Applied::Unknown,
            message: message.into(),
        }
    }
}

/// A place to keep records: the whole contract. Implement it, then prove it with
/// `narthex_conformance::store_suite!`.
///
/// Three key spaces. *Records* are versioned: one winner, no check-then-act. *Cells* are `u64` without
/// a version, for budgets, statistics and last activity. *Events* are appended once and only ever
/// dropped.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The record (or the event; its version is 0) under `key`. Only committed, durable states are seen.
    /// A key of [`Space::Cells`] has no record: `None`.
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError>;

    /// The cell's value; 0 if it was never written.
    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError>;

    /// All of `changes` or none. Durable when it returns. All operations are checked against the state
    /// before any is applied: first every expectation (`Conflict`), then every cap (`CapReached`; of
    /// several, any may be named; an `add` of 0 or less is never refused).
    ///
    /// # Errors
    /// [`StoreError::applied`] says whether the change may have been made.
    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError>;

    /// Keys of `space` that begin with `prefix` and are greater than `cursor`, in byte order, at most
    /// `limit`. Whether a cell that holds 0 is among them is left open.
    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError>;
}
