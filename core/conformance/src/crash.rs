//! kill -9 while four threads write: what was acknowledged is there, and every set is whole or absent.
//!
//! A store on a disk has two tests, of which the second runs the first in a process of its own and
//! kills it:
//!
//! ```ignore
//! #[test]
//! #[ignore = "the other half of the test below"]
//! fn writes_until_it_is_killed() {
//!     crash::write_until_killed(open);
//! }
//!
//! #[test]
//! fn a_kill_takes_nothing_back_that_was_acknowledged() {
//!     crash::survive_kills(open, "writes_until_it_is_killed");
//! }
//! ```
//!
//! `KILLS=200` asks for more kills than the 30 of an ordinary run; `SEED` repeats the choices of one.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a rule fails by panicking: that is what a test harness sees"
)]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_executor::block_on;
use narthex_core::store::{Cell, ChangeSet, Commit, Expected, Key, Record, Space, Store, Version};

const WRITERS: usize = 4;
const KILLS: u64 = 30;
const PATH: &str = "NARTHEX_CRASH_PATH";
const ROUND: &str = "NARTHEX_CRASH_ROUND";

/// Set `n` of a writer: two puts, an event, a cell, and the deletion of a part of set `n - 1`.
fn numbered(name: &str, n: u64, before: Option<Version>) -> ChangeSet {
    let mut changes = ChangeSet::new();
    let record = Record(n.to_le_bytes().repeat(100));
    changes.put(
        Key::record(format!("{name}/{n}/a")),
        record.clone(),
        Expected::Absent,
    );
    changes.put(
        Key::record(format!("{name}/{n}/b")),
        record.clone(),
        Expected::Absent,
    );
    changes.append(Key::event(format!("{name}/{n}")), record);
    changes.add(Cell::new(format!("{name}/{n}")), 1, None);
    if let Some(before) = before {
        changes.delete(Key::record(format!("{name}/{}/b", n - 1)), before);
    }
    changes
}

fn bytes(store: &impl Store, key: &Key) -> Option<Vec<u8>> {
    block_on(store.get(key))
        .unwrap()
        .map(|(record, _)| record.0)
}

/// How many sets of a writer are there, each of them whole and none after a missing one.
fn whole_sets(store: &impl Store, name: &str) -> u64 {
    let listed = block_on(store.scan(Space::Events, &format!("{name}/"), None, u32::MAX)).unwrap();
    let count = listed.len() as u64;
    for n in 0..count + 2 {
        let expected = (n < count).then(|| n.to_le_bytes().repeat(100));
        let a = bytes(store, &Key::record(format!("{name}/{n}/a")));
        assert_eq!(a, expected, "{name}/{n}/a of {count}");
        let event = bytes(store, &Key::event(format!("{name}/{n}")));
        assert_eq!(event, expected, "event {name}/{n} of {count}");
        let cell = block_on(store.read_cell(&Cell::new(format!("{name}/{n}")))).unwrap();
        assert_eq!(cell, u64::from(n < count), "cell {name}/{n} of {count}");
        // The next set deletes this part.
        let b = bytes(store, &Key::record(format!("{name}/{n}/b")));
        assert_eq!(
            b,
            expected.filter(|_| n + 1 == count),
            "{name}/{n}/b of {count}"
        );
    }
    count
}

/// Writes to the store that the environment names, until the process is killed; nothing without one.
///
/// # Panics
/// The store does not do what it is asked.
pub fn write_until_killed<S: Store>(open: fn(&Path) -> S) {
    let (Ok(path), Ok(round)) = (std::env::var(PATH), std::env::var(ROUND)) else {
        return;
    };
    let store = open(path.as_ref());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, name) = (&store, format!("{round}/{writer}"));
            scope.spawn(move || write(store, writer, &name));
        }
    });
}

fn write(store: &impl Store, writer: usize, name: &str) {
    let mut before = None;
    for n in 0.. {
        let outcome = block_on(store.commit(numbered(name, n, before)));
        assert_eq!(outcome.unwrap(), Commit::Committed);
        // In one write, so that a line is there whole or not at all.
        let line = format!("acknowledged {writer} {n}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
        let key = Key::record(format!("{name}/{n}/b"));
        let found = block_on(store.get(&key)).unwrap();
        before = found.map(|(_, version)| version);
    }
}

fn start(child_test: &str, path: &Path, round: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child_test, "--ignored", "--nocapture"])
        .env(PATH, path)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills the writers after a while, and returns how many sets each has acknowledged.
fn kill(mut child: Child, wait: Duration) -> [u64; WRITERS] {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = [0; WRITERS];
    let mut count = |line: &str| {
        // The test harness may have written before the first on the same line.
        let Some((_, numbers)) = line.split_once("acknowledged ") else {
            return false;
        };
        let (writer, n) = numbers.split_once(' ').unwrap();
        let (writer, n): (usize, u64) = (writer.parse().unwrap(), n.parse().unwrap());
        assert_eq!(acknowledged[writer], n, "acknowledged out of order");
        acknowledged[writer] = n + 1;
        true
    };
    let started = lines.by_ref().any(|line| count(&line.unwrap()));
    assert!(
        started,
        "the writers ended before they had written anything"
    );
    let killer = std::thread::spawn(move || {
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap()
    });
    for line in lines {
        count(&line.unwrap());
    }
    let status = killer.join().unwrap();
    assert!(!status.success(), "killed, not ended");
    acknowledged
}

/// Kills the test `child_test` of this binary again and again while it writes, and looks at what is
/// there then.
///
/// # Panics
/// Something acknowledged is gone, or something is there by halves.
pub fn survive_kills<S: Store>(open: fn(&Path) -> S, child_test: &str) {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let rounds = number("KILLS").unwrap_or(KILLS);
    let mut state = number("SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("SEED={state}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut kept = Vec::new();
    let mut in_flight = 0;
    for round in 0..rounds {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let wait = Duration::from_micros((state >> 33) % 40_000);
        let acknowledged = kill(start(child_test, &path, round), wait);
        let store = open(&path);
        for (writer, told) in acknowledged.into_iter().enumerate() {
            let name = format!("{round}/{writer}");
            let there = whole_sets(&store, &name);
            let as_told = (told..=told + 1).contains(&there);
            assert!(as_told, "{name}: {told} acknowledged, {there} there");
            in_flight += there - told;
            kept.push((name, there));
        }
    }
    let store = open(&path);
    for (name, there) in &kept {
        let now = whole_sets(&store, name);
        assert_eq!(now, *there, "{name} changed in a later round");
    }
    let sets: u64 = kept.iter().map(|(_, there)| there).sum();
    println!("{rounds} kills, {sets} sets, {in_flight} of them there but not told");
    let enough = sets > rounds * 4;
    assert!(enough, "too little was written to prove anything");
}
