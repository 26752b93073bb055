//! How keys and values are written in the one tree (*format*), and how a change set is judged and
//! applied in a transaction.

use narthex_core::store::judge::{self, State};
use narthex_core::store::{Cell, Change, ChangeSet, Commit, Key, Record, Space, Version};
use sled::transaction::{
    ConflictableTransactionError, TransactionalTree, UnabortableTransactionError,
};
use sled::{IVec, Tree};

/// Which layout the tree has.
pub(crate) const FORMAT: &[u8] = b"m/format";
pub(crate) const FORMAT_KNOWN: u64 = 1;
/// The greatest version ever given to a record.
const LAST_VERSION: &[u8] = b"m/last-version";

/// One byte for the space, then the path.
pub(crate) fn key(space: Space, path: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + path.len());
    key.push(match space {
        Space::Records => b'r',
        Space::Cells => b'c',
        Space::Events => b'e',
    });
    key.extend_from_slice(path.as_bytes());
    key
}

/// The path of a key.
pub(crate) fn path(key: &[u8]) -> Result<&str, Damage> {
    let path = key.get(1..).ok_or(Damage)?;
    std::str::from_utf8(path).map_err(|_| Damage)
}

/// A value that no narthex wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damage;

impl From<Damage> for sled::Error {
    fn from(_: Damage) -> Self {
        Self::ReportableBug("a value is not as narthex writes it".to_owned())
    }
}

/// The version and bytes of a record.
pub(crate) fn record(value: &[u8]) -> Result<(Record, Version), Damage> {
    let (version, bytes) = value.split_first_chunk::<8>().ok_or(Damage)?;
    let version = Version(u64::from_le_bytes(*version));
    Ok((Record(bytes.to_vec()), version))
}

/// The value of a cell, or of what the store knows about itself.
pub(crate) fn number(value: &[u8]) -> Result<u64, Damage> {
    Ok(u64::from_le_bytes(value.try_into().map_err(|_| Damage)?))
}

/// The keys that a change set writes.
pub(crate) fn written(changes: &ChangeSet) -> impl Iterator<Item = Vec<u8>> {
    changes.changes().iter().filter_map(|change| match change {
        Change::Put { key: k, .. } | Change::Delete { key: k, .. } => {
            Some(key(Space::Records, k.path()))
        }
        Change::Expect { .. } => None,
        Change::Add { cell, .. } | Change::Raise { cell, .. } | Change::DropCell { cell } => {
            Some(key(Space::Cells, cell.path()))
        }
        Change::Append { key: k, .. } | Change::DropEvent { key: k } => {
            Some(key(Space::Events, k.path()))
        }
    })
}

/// Judges the whole set, and applies it if nothing speaks against it: all or nothing.
pub(crate) fn decide(tree: &Tree, changes: &ChangeSet) -> Result<Commit, sled::Error> {
    let decided = tree.transaction(|transaction| {
        let work = Work(transaction);
        if let Some(refusal) = judge::refusal(changes, &work)? {
            return Ok(refusal);
        }
        work.apply(changes)?;
        Ok(Commit::Committed)
    });
    decided.map_err(|error| match error {
        sled::transaction::TransactionError::Abort(error)
        | sled::transaction::TransactionError::Storage(error) => error,
    })
}

/// Why a transaction could not go on.
struct Stopped(UnabortableTransactionError);

impl From<UnabortableTransactionError> for Stopped {
    fn from(error: UnabortableTransactionError) -> Self {
        Self(error)
    }
}

impl From<Damage> for Stopped {
    fn from(damage: Damage) -> Self {
        Self(UnabortableTransactionError::Storage(damage.into()))
    }
}

impl From<Stopped> for ConflictableTransactionError<sled::Error> {
    fn from(stopped: Stopped) -> Self {
        stopped.0.into()
    }
}

struct Work<'a>(&'a TransactionalTree);

impl Work<'_> {
    fn get(&self, space: Space, path: &str) -> Result<Option<IVec>, Stopped> {
        Ok(self.0.get(key(space, path))?)
    }

    fn apply(&self, changes: &ChangeSet) -> Result<(), Stopped> {
        let mut last_version = match self.0.get(LAST_VERSION)? {
            Some(found) => number(&found)?,
            None => 0,
        };
        let before = last_version;
        for change in changes.changes() {
            match change {
                Change::Put { key: k, record, .. } => {
                    // 2^64 versions are never used up; a store that had would refuse, not repeat.
                    last_version = last_version.checked_add(1).ok_or(Damage)?;
                    let mut value = last_version.to_le_bytes().to_vec();
                    value.extend_from_slice(&record.0);
                    self.0.insert(key(Space::Records, k.path()), value)?;
                }
                Change::Delete { key: k, .. } => {
                    self.0.remove(key(Space::Records, k.path()))?;
                }
                Change::Expect { .. } => {}
                Change::Add { cell, n, .. } => {
                    self.set(cell, self.cell(cell)?.saturating_add_signed(*n))?;
                }
                Change::Raise { cell, value } => {
                    self.set(cell, self.cell(cell)?.max(*value))?;
                }
                Change::DropCell { cell } => {
                    self.0.remove(key(Space::Cells, cell.path()))?;
                }
                Change::Append { key: k, event } => {
                    let value = event.0.as_slice();
                    self.0.insert(key(Space::Events, k.path()), value)?;
                }
                Change::DropEvent { key: k } => {
                    self.0.remove(key(Space::Events, k.path()))?;
                }
            }
        }
        if last_version != before {
            self.0.insert(LAST_VERSION, &last_version.to_le_bytes())?;
        }
        Ok(())
    }

    fn set(&self, cell: &Cell, value: u64) -> Result<(), Stopped> {
        let key = key(Space::Cells, cell.path());
        self.0.insert(key, &value.to_le_bytes())?;
        Ok(())
    }
}

impl State for Work<'_> {
    type Error = Stopped;

    fn version(&self, key: &Key) -> Result<Option<Version>, Stopped> {
        let found = self.get(Space::Records, key.path())?;
        let found = found.map(|value| record(&value)).transpose()?;
        Ok(found.map(|(_, version)| version))
    }

    fn has_event(&self, key: &Key) -> Result<bool, Stopped> {
        Ok(self.get(Space::Events, key.path())?.is_some())
    }

    fn cell(&self, cell: &Cell) -> Result<u64, Stopped> {
        match self.get(Space::Cells, cell.path())? {
            Some(found) => Ok(number(&found)?),
            None => Ok(0),
        }
    }
}
