//! The format of backups, bit by bit; and what a check finds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use futures_executor::block_on;
use narthex_core::host::KeyRing;
use narthex_core::portal::CheckReport;
use narthex_core::store::backup::{self, BackupError, Reader};
use narthex_core::store::load::Load;
use narthex_core::store::snapshot::{Item, Snapshot, Snapshots};
use narthex_core::store::{
    Cell, ChangeSet, Commit, Expected, Key, MemoryStore, Record, Space, Store,
};
use narthex_core::{Portal, Timestamp};
use support::{House, PASSWORD, claim, import, log_in};

fn keys(seed: u64) -> KeyRing {
    KeyRing::generate(&narthex_conformance::TestEntropy::seeded(seed)).unwrap()
}

/// A small store with something of each space.
fn filled() -> MemoryStore {
    let store = MemoryStore::new();
    let mut changes = ChangeSet::new();
    changes.put(Key::record("a"), Record(vec![0, 255, 7]), Expected::Absent);
    changes.put(Key::record("b/c"), Record(Vec::new()), Expected::Absent);
    changes.raise(Cell::new("full"), u64::MAX);
    changes.append(Key::event("1/2"), Record(b"e".to_vec()));
    assert_eq!(block_on(store.commit(changes)).unwrap(), Commit::Committed);
    store
}

fn written(store: &MemoryStore, keys: &KeyRing) -> Vec<u8> {
    let mut bytes = Vec::new();
    let at = Timestamp::from_millis(1_700_000_000_000);
    let mut snapshot = store.snapshot().unwrap();
    backup::write(&mut *snapshot, keys, at, &mut bytes, &mut |_| {}).unwrap();
    bytes
}

fn items(snapshot: &mut dyn Snapshot) -> Vec<Item> {
    let mut items = Vec::new();
    loop {
        let page = snapshot.next_page().unwrap();
        if page.is_empty() {
            return items;
        }
        items.extend(page);
    }
}

#[test]
fn a_backup_holds_everything_and_restores_into_an_empty_store_only() {
    let (store, keys) = (filled(), keys(1));
    let bytes = written(&store, &keys);
    let (header, counts) = backup::verify(bytes.as_slice(), &keys).unwrap();
    assert_eq!(header.made_at.as_millis(), 1_700_000_000_000);
    assert_eq!((counts.records, counts.cells, counts.events), (2, 1, 1));
    let other = MemoryStore::new();
    block_on(async {
        let mut load = Load::into(&other).await.unwrap();
        let mut reader = Reader::new(bytes.as_slice()).unwrap();
        while let Some(item) = reader.next_item().unwrap() {
            load.put(item).await.unwrap();
        }
        assert_eq!(load.finish().await.unwrap(), counts);
        let again = Load::into(&other).await;
        assert!(matches!(again, Err(BackupError::NotEmpty)));
    });
    let (from, to) = (store.snapshot(), other.snapshot());
    assert_eq!(items(&mut *from.unwrap()), items(&mut *to.unwrap()));
}

#[test]
fn no_bit_of_a_backup_can_be_changed_and_no_byte_be_missing() {
    let (store, keys) = (filled(), keys(1));
    let bytes = written(&store, &keys);
    assert!(backup::verify(bytes.as_slice(), &keys).is_ok());
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            backup::verify(changed.as_slice(), &keys).is_err(),
            "bit {bit}"
        );
    }
    for length in 0..bytes.len() {
        assert!(
            backup::verify(&bytes[..length], &keys).is_err(),
            "{length} bytes"
        );
    }
    let longer = [bytes, vec![0]].concat();
    assert!(backup::verify(longer.as_slice(), &keys).is_err());
}

#[test]
fn other_files_later_formats_and_other_keys_are_told_apart() {
    let bytes = written(&filled(), &keys(1));
    let verdict = |bytes: &[u8], seed| backup::verify(bytes, &keys(seed)).unwrap_err();
    assert!(matches!(verdict(&bytes, 2), BackupError::OtherKeys));
    assert!(matches!(verdict(b"a letter", 1), BackupError::NotABackup));
    let later = [b"narthex backup 2\n".as_slice(), &bytes[17..]].concat();
    assert!(matches!(verdict(&later, 1), BackupError::NewerFormat));
}

async fn school(store: Arc<MemoryStore>) -> Portal {
    let house = House::new(store);
    let portal = house.open().await;
    import(&portal, 4).await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    claim(&portal, 1, PASSWORD).await.unwrap();
    log_in(&portal, 0, PASSWORD).await.unwrap();
    portal
}

fn check(portal: &Portal, store: &MemoryStore) -> CheckReport {
    let mut snapshot = store.snapshot().unwrap();
    portal.check_records(&mut *snapshot, &mut |_| {}).unwrap()
}

async fn first(store: &MemoryStore, prefix: &str) -> Key {
    store
        .scan(Space::Records, prefix, None, 1)
        .await
        .unwrap()
        .remove(0)
}

async fn remove(store: &MemoryStore, prefix: &str) {
    let key = first(store, prefix).await;
    let (_, version) = store.get(&key).await.unwrap().unwrap();
    let mut changes = ChangeSet::new();
    changes.delete(key, version);
    assert_eq!(store.commit(changes).await.unwrap(), Commit::Committed);
}

#[tokio::test]
async fn what_the_portal_writes_fits_together() {
    let store = Arc::new(MemoryStore::new());
    let portal = school(Arc::clone(&store)).await;
    let report = check(&portal, &store);
    assert_eq!(report.findings, []);
    assert!(report.unknown.is_empty(), "{:?}", report.unknown);
    assert!(report.counts.events > 4 && report.kinds["entry"] == 4);
}

#[tokio::test]
async fn what_is_missing_is_found_by_what_refers_to_it() {
    for (missing, told) in [
        ("gate/", "no gate"),
        ("family/", "a session that is not there"),
        ("account-families/", "does not list this session"),
        ("person/", "belongs to nobody"),
        ("entry/", "counted again"),
        ("organization/", "this organization"),
    ] {
        let store = Arc::new(MemoryStore::new());
        let portal = school(Arc::clone(&store)).await;
        remove(&store, missing).await;
        let report = check(&portal, &store);
        let found = report
            .findings
            .iter()
            .any(|found| found.told.contains(told));
        assert!(found, "{missing}: {:?}", report.findings);
    }
}

#[tokio::test]
async fn what_is_damaged_sealed_elsewhere_or_miscounted_is_found() {
    let store = Arc::new(MemoryStore::new());
    let portal = school(Arc::clone(&store)).await;
    let entry = first(&store, "entry/").await;
    let (record, version) = store.get(&entry).await.unwrap().unwrap();
    let mut moved = record.clone();
    *moved.0.last_mut().unwrap() ^= 1;
    let mut changes = ChangeSet::new();
    changes.put(entry.clone(), moved, Expected::At(version));
    changes.add(Cell::new("stat/north/listed/student"), 5, None);
    let lane = Key::record("lane/log-in/x");
    changes.put(lane, Record(vec![9, 9]), Expected::Absent);
    store.commit(changes).await.unwrap();
    let report = check(&portal, &store);
    for told in [
        "names do not open",
        "counted again it is 2",
        "which this version",
    ] {
        let found = report
            .findings
            .iter()
            .any(|found| found.told.contains(told));
        assert!(found, "{told}: {:?}", report.findings);
    }
}
