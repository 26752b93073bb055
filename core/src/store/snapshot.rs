//! (Optional capability) everything that a store holds at one moment, while it goes on serving.

use super::{Record, Space, Store, StoreError};

/// The most things on one page of a snapshot.
pub const PAGE_ITEMS_MAX: usize = 512;

/// One thing that a store keeps, without its version: versions are the business of one store alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its path; the space is the value's.
    pub path: String,
    /// What is kept there.
    pub kept: Kept,
}

/// What is kept under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A record.
    Record(Record),
    /// The value of a cell.
    Cell(u64),
    /// An event.
    Event(Record),
}

impl Item {
    /// Which space it is in.
    pub fn space(&self) -> Space {
        match self.kept {
            Kept::Record(_) => Space::Records,
            Kept::Cell(_) => Space::Cells,
            Kept::Event(_) => Space::Events,
        }
    }
}

/// A store that can be looked at as it is at one moment. What is committed while the snapshot is read
/// is not in it, and does not wait for it.
pub trait Snapshots: Store {
    /// The committed, durable state of now.
    ///
    /// # Errors
    /// The store did not answer.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;
}

/// A state, page by page. Reading blocks the thread, as a file does.
pub trait Snapshot: Send {
    /// How many items there are in all, where the store knows without looking.
    fn items(&self) -> Option<u64>;

    /// The next items, at most [`PAGE_ITEMS_MAX`]: records, then cells, then events, each in the byte
    /// order of their paths. Empty at the end.
    ///
    /// # Errors
    /// The store did not answer, or failed since the snapshot was taken.
    fn next_page(&mut self) -> Result<Vec<Item>, StoreError>;
}
