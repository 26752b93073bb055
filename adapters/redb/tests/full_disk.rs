//! A disk that is really full.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use narthex_conformance::full_disk;
use narthex_redb::RedbStore;

fn open(path: &Path) -> RedbStore {
    RedbStore::open(path).unwrap()
}

#[test]
fn a_full_disk_refuses_and_recovers_without_a_restart() {
    full_disk::a_full_disk_refuses_and_recovers(open);
}
