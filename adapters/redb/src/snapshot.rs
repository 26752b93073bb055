//! A snapshot is a read transaction: redb keeps its pages until it ends.

use std::ops::Bound;

use narthex_core::store::snapshot::{Item, Kept, PAGE_ITEMS_MAX, Snapshot};
use narthex_core::store::{Record, Space, StoreError};
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTableMetadata};

use crate::tables::{CELLS, EVENTS, RECORDS};

/// The state that a read transaction sees.
pub(crate) struct RedbSnapshot {
    records: ReadOnlyTable<&'static str, (u64, &'static [u8])>,
    cells: ReadOnlyTable<&'static str, u64>,
    events: ReadOnlyTable<&'static str, &'static [u8]>,
    items: u64,
    /// Where the last page ended; `None` after the last of all.
    at: Option<(Space, String)>,
}

impl RedbSnapshot {
    pub(crate) fn of(database: &Database) -> Result<Self, redb::Error> {
        let transaction = database.begin_read()?;
        let records = transaction.open_table(RECORDS)?;
        let cells = transaction.open_table(CELLS)?;
        let events = transaction.open_table(EVENTS)?;
        Ok(Self {
            items: records.len()? + cells.len()? + events.len()?,
            records,
            cells,
            events,
            at: Some((Space::Records, String::new())),
        })
    }

    fn page(&self, space: Space, after: &str) -> Result<Vec<Item>, redb::Error> {
        let record = |bytes: &[u8]| Record(bytes.to_vec());
        match space {
            Space::Records => page(&self.records, after, |(_, b)| Kept::Record(record(b))),
            Space::Cells => page(&self.cells, after, Kept::Cell),
            Space::Events => page(&self.events, after, |b| Kept::Event(record(b))),
        }
    }
}

fn page<V: redb::Value + 'static>(
    table: &ReadOnlyTable<&'static str, V>,
    after: &str,
    kept: impl for<'a> Fn(V::SelfType<'a>) -> Kept,
) -> Result<Vec<Item>, redb::Error> {
    let range = (Bound::Excluded(after), Bound::Unbounded);
    let mut items = Vec::new();
    for entry in table.range::<&str>(range)?.take(PAGE_ITEMS_MAX) {
        let (path, value) = entry?;
        items.push(Item {
            path: path.value().to_owned(),
            kept: kept(value.value()),
        });
    }
    Ok(items)
}

impl Snapshot for RedbSnapshot {
    fn items(&self) -> Option<u64> {
        Some(self.items)
    }

    fn next_page(&mut self) -> Result<Vec<Item>, StoreError> {
        while let Some((space, after)) = &self.at {
            let space = *space;
            let items = self.page(space, after).map_err(|error| {
                StoreError::not_applied(format!("the store could not be read: {error}"))
            })?;
            if let Some(last) = items.last() {
                self.at = Some((space, last.path.clone()));
                return Ok(items);
            }
            self.at = match space {
                Space::Records => Some((Space::Cells, String::new())),
                Space::Cells => Some((Space::Events, String::new())),
                Space::Events => None,
            };
        }
        Ok(Vec::new())
    }
}
