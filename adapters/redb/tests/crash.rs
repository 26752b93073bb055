//! kill -9 while four threads write.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use narthex_conformance::crash;
use narthex_redb::RedbStore;

fn open(path: &Path) -> RedbStore {
    RedbStore::open(path).unwrap()
}

/// Runs in a process of its own, which is killed.
#[test]
#[ignore = "the other half of the test below"]
fn writes_until_it_is_killed() {
    crash::write_until_killed(open);
}

#[test]
fn a_kill_takes_nothing_back_that_was_acknowledged() {
    crash::survive_kills(open, "writes_until_it_is_killed");
}
