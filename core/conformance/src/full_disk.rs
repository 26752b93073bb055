//! A disk that is really full: a small file system in memory, which only root may mount.
#![expect(
    clippy::unwrap_used,
    reason = "a rule fails by panicking: that is what a test harness sees"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures_executor::block_on;
use narthex_core::store::{
    Applied, Cell, ChangeSet, Commit, Expected, Key, Record, Store, StoreError,
};

const SIZE: &str = "size=24m";
const BALLAST_BYTES: usize = 8 * 1024 * 1024;
/// Refusals that are looked at while it is full.
const REFUSALS: usize = 20;
const SETS_MAX: usize = 20_000;

/// A mounted file system; gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None: this user may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "narthex-test"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

fn parts(name: &str) -> ChangeSet {
    let mut changes = ChangeSet::new();
    let record = Record(name.bytes().cycle().take(9_000).collect());
    changes.put(Key::record(name), record, Expected::Absent);
    changes.append(Key::event(name), Record(b"e".to_vec()));
    changes.add(Cell::new(name), 1, None);
    changes
}

fn commit(store: &dyn Store, name: &str) -> Result<Commit, StoreError> {
    block_on(store.commit(parts(name)))
}

/// Whether the set is there; half of it is a failure.
fn is_there(store: &dyn Store, name: &str) -> bool {
    let record = block_on(store.get(&Key::record(name))).unwrap().is_some();
    let event = block_on(store.get(&Key::event(name))).unwrap().is_some();
    let cell = block_on(store.read_cell(&Cell::new(name))).unwrap() == 1;
    let whole = record == event && event == cell;
    assert!(whole, "{name} is there by halves: {record} {event} {cell}");
    record
}

/// Fills a disk until the store refuses, makes room, and goes on with the same store: what was
/// acknowledged is there, what was refused as not applied is not, and nothing is there by halves.
/// `false`: this user may not mount a disk, and nothing was tried.
///
/// # Panics
/// The store does not keep to that.
pub fn a_full_disk_refuses_and_recovers<S: Store>(open: fn(&Path) -> S) -> bool {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: only root may mount a small file system");
        return false;
    };
    let ballast = disk.path("ballast");
    fs::write(&ballast, vec![1; BALLAST_BYTES]).unwrap();
    let store = open(&disk.path("store"));
    let mut told = Vec::new();
    let (mut not_applied, mut refused) = (Vec::new(), 0);
    for n in 0..SETS_MAX {
        let name = format!("{n:06}");
        match commit(&store, &name) {
            Ok(outcome) => {
                assert_eq!(outcome, Commit::Committed);
                told.push(name);
            }
            Err(error) => {
                refused += 1;
                if error.applied == Applied::No {
                    not_applied.push(name);
                }
            }
        }
        if refused == REFUSALS {
            break;
        }
    }
    assert_eq!(refused, REFUSALS, "the disk never filled up");
    fs::remove_file(&ballast).unwrap();
    let again = commit(&store, "again");
    assert_eq!(again.unwrap(), Commit::Committed, "there is room again");
    let look = |store: &S| {
        assert!(told.iter().all(|name| is_there(store, name)), "lost");
        assert!(!not_applied.iter().any(|name| is_there(store, name)));
        assert!(is_there(store, "again"));
    };
    look(&store);
    drop(store);
    look(&open(&disk.path("store")));
    println!("{} sets, {refused} refusals", told.len());
    true
}
