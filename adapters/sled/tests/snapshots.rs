//! Snapshots while others write.
#![expect(clippy::unwrap_used, reason = "tests")]

use narthex_conformance::snapshots;
use narthex_sled::SledStore;

fn open(folder: &tempfile::TempDir) -> SledStore {
    SledStore::open(folder.path().join("store")).unwrap()
}

#[test]
fn a_snapshot_is_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    snapshots::a_snapshot_is_of_one_moment(&open(&folder));
}

#[test]
fn a_snapshot_holds_every_set_whole() {
    let folder = tempfile::tempdir().unwrap();
    snapshots::a_snapshot_holds_every_set_whole(&open(&folder));
}
