//! kill -9 while four threads write: what was acknowledged is there, and every set is whole or
//! absent.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "common/random.rs"]
mod random;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_executor::block_on;
use narthex_core::store::{Cell, ChangeSet, Commit, Expected, Key, Record, Space, Store, Version};
use narthex_redb::RedbStore;
use random::Random;

const WRITERS: usize = 4;
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

fn bytes(store: &RedbStore, key: &Key) -> Option<Vec<u8>> {
    block_on(store.get(key))
        .unwrap()
        .map(|(record, _)| record.0)
}

/// How many sets of a writer are there, each of them whole and none after a missing one.
fn whole_sets(store: &RedbStore, name: &str) -> u64 {
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

/// Runs in a process of its own, which is killed.
#[test]
#[ignore = "the other half of the test below"]
fn writes_until_it_is_killed() {
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let round = std::env::var(ROUND).unwrap();
    let store = RedbStore::open(path).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, name) = (&store, format!("{round}/{writer}"));
            scope.spawn(move || {
                let mut before = None;
                for n in 0.. {
                    let outcome = block_on(store.commit(numbered(&name, n, before)));
                    assert_eq!(outcome.unwrap(), Commit::Committed);
                    // In one write, so that a line is there whole or not at all.
                    let line = format!("acknowledged {writer} {n}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                    let key = Key::record(format!("{name}/{n}/b"));
                    before = block_on(store.get(&key))
                        .unwrap()
                        .map(|(_, version)| version);
                }
            });
        }
    });
}

/// Starts the writers, kills them after a while, and returns how many sets each has acknowledged.
fn write_and_kill(path: &Path, round: u64, random: &mut Random) -> [u64; WRITERS] {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "writes_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(PATH, path)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
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
    let killer = std::thread::spawn({
        let wait = Duration::from_micros(random.below(40_000));
        move || {
            std::thread::sleep(wait);
            child.kill().unwrap();
            child.wait().unwrap()
        }
    });
    for line in lines {
        count(&line.unwrap());
    }
    let status = killer.join().unwrap();
    assert!(!status.success(), "killed, not ended");
    acknowledged
}

#[test]
fn a_kill_takes_nothing_back_that_was_acknowledged() {
    let rounds = std::env::var("KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(30);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("narthex.redb");
    let mut random = Random::new();
    let mut kept = Vec::new();
    let mut in_flight = 0;
    for round in 0..rounds {
        let acknowledged = write_and_kill(&path, round, &mut random);
        let store = RedbStore::open(&path).unwrap();
        for (writer, told) in acknowledged.into_iter().enumerate() {
            let name = format!("{round}/{writer}");
            let there = whole_sets(&store, &name);
            assert!(there >= told, "{name}: {told} acknowledged, {there} there");
            assert!(
                there <= told + 1,
                "{name}: {told} acknowledged, {there} there"
            );
            in_flight += there - told;
            kept.push((name, there));
        }
    }
    let store = RedbStore::open(&path).unwrap();
    for (name, there) in &kept {
        assert_eq!(
            whole_sets(&store, name),
            *there,
            "{name} changed in a later round"
        );
    }
    let sets: u64 = kept.iter().map(|(_, there)| there).sum();
    println!("{rounds} kills, {sets} sets, {in_flight} of them there but not told");
    assert!(
        sets > rounds * 4,
        "too little was written to prove anything"
    );
}
