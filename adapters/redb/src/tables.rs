//! The tables, and how a change set is judged and applied within one transaction.

use narthex_core::store::judge::{self, State};
use narthex_core::store::{Cell, Change, ChangeSet, Commit, Key, Version};
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, Table, TableDefinition, TableHandle,
    WriteTransaction,
};

use narthex_core::store::OpenError;

/// Path to version and bytes.
pub(crate) const RECORDS: TableDefinition<'static, &str, (u64, &[u8])> =
    TableDefinition::new("records");
/// Path to value.
pub(crate) const CELLS: TableDefinition<'static, &str, u64> = TableDefinition::new("cells");
/// Path to bytes.
pub(crate) const EVENTS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("events");
/// What the store knows about itself.
const META: TableDefinition<'static, &str, u64> = TableDefinition::new("narthex");

/// Which layout the tables have.
const FORMAT: &str = "format";
const FORMAT_KNOWN: u64 = 1;
/// The greatest version ever given to a record.
const LAST_VERSION: &str = "last_version";

/// Makes the tables in a new database; refuses one that somebody else wrote, or a later narthex.
pub(crate) fn prepare(database: &Database, place: &str) -> Result<(), OpenError> {
    let failed = |error| crate::error::from_transaction(place, error);
    let (others, format) = look(database).map_err(failed)?;
    match format {
        Some(FORMAT_KNOWN) => Ok(()),
        Some(found) => Err(OpenError::NewerFormat {
            place: place.to_owned(),
            found,
            known: FORMAT_KNOWN,
        }),
        None if others => Err(OpenError::NotAStore {
            place: place.to_owned(),
        }),
        None => initialize(database).map_err(failed),
    }
}

/// Whether there are tables that are not ours, and which format ours have.
fn look(database: &Database) -> Result<(bool, Option<u64>), redb::Error> {
    let transaction = database.begin_read()?;
    let mut others = false;
    let mut format = None;
    for table in transaction.list_tables()? {
        if table.name() == META.name() {
            let meta = transaction.open_table(META)?;
            format = meta.get(FORMAT)?.map(|found| found.value());
        } else {
            others = true;
        }
    }
    let multimaps = transaction.list_multimap_tables()?.next().is_some();
    Ok((others || multimaps, format))
}

fn initialize(database: &Database) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    {
        let mut tables = Tables::open(&transaction)?;
        tables.meta.insert(FORMAT, FORMAT_KNOWN)?;
    }
    transaction.commit()?;
    Ok(())
}

/// A write transaction whose commit returns after the flush.
pub(crate) fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    Ok(transaction)
}

/// All tables, open in one write transaction.
pub(crate) struct Tables<'txn> {
    records: Table<'txn, &'static str, (u64, &'static [u8])>,
    cells: Table<'txn, &'static str, u64>,
    events: Table<'txn, &'static str, &'static [u8]>,
    meta: Table<'txn, &'static str, u64>,
    last_version: u64,
}

impl<'txn> Tables<'txn> {
    pub(crate) fn open(transaction: &'txn WriteTransaction) -> Result<Self, redb::Error> {
        let meta = transaction.open_table(META)?;
        let last_version = meta.get(LAST_VERSION)?.map_or(0, |found| found.value());
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            cells: transaction.open_table(CELLS)?,
            events: transaction.open_table(EVENTS)?,
            meta,
            last_version,
        })
    }

    /// Judges the whole set, and applies it if nothing speaks against it.
    pub(crate) fn decide(&mut self, changes: &ChangeSet) -> Result<Commit, redb::Error> {
        if let Some(refusal) = judge::refusal(changes, self)? {
            return Ok(refusal);
        }
        for change in changes.changes() {
            self.apply(change)?;
        }
        Ok(Commit::Committed)
    }

    /// Writes what the store knows about itself. The last step before a commit.
    pub(crate) fn finish(mut self) -> Result<(), redb::Error> {
        self.meta.insert(LAST_VERSION, self.last_version)?;
        Ok(())
    }

    fn apply(&mut self, change: &Change) -> Result<(), redb::Error> {
        match change {
            Change::Put { key, record, .. } => {
                // 2^64 versions are never used up; a store that had would refuse, not repeat.
                self.last_version = self.last_version.checked_add(1).ok_or_else(|| {
                    redb::Error::Corrupted("the version counter is at its end".to_owned())
                })?;
                let value = (self.last_version, record.0.as_slice());
                self.records.insert(key.path(), value)?;
            }
            Change::Delete { key, .. } => {
                self.records.remove(key.path())?;
            }
            Change::Expect { .. } => {}
            Change::Add { cell, n, .. } => {
                let sum = self.cell(cell)?.saturating_add_signed(*n);
                self.cells.insert(cell.path(), sum)?;
            }
            Change::Raise { cell, value } => {
                let raised = self.cell(cell)?.max(*value);
                self.cells.insert(cell.path(), raised)?;
            }
            Change::DropCell { cell } => {
                self.cells.remove(cell.path())?;
            }
            Change::Append { key, event } => {
                self.events.insert(key.path(), event.0.as_slice())?;
            }
            Change::DropEvent { key } => {
                self.events.remove(key.path())?;
            }
        }
        Ok(())
    }
}

impl judge::State for Tables<'_> {
    type Error = redb::Error;

    fn version(&self, key: &Key) -> Result<Option<Version>, redb::Error> {
        let found = self.records.get(key.path())?;
        Ok(found.map(|found| Version(found.value().0)))
    }

    fn has_event(&self, key: &Key) -> Result<bool, redb::Error> {
        Ok(self.events.get(key.path())?.is_some())
    }

    fn cell(&self, cell: &Cell) -> Result<u64, redb::Error> {
        let found = self.cells.get(cell.path())?;
        Ok(found.map_or(0, |found| found.value()))
    }
}
