//! One store, several handles that share it: in one process, and in processes of which one dies.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use futures_executor::block_on;
use narthex_conformance::store_suite::Opened;
use narthex_core::store::{Cell, ChangeSet, Commit, Expected, Key, Record, Store, Version};
use narthex_redb::{OpenError, RedbStore};
use tempfile::TempDir;

mod suite {
    use super::*;

    fn open() -> Opened {
        let directory = tempfile::tempdir().unwrap();
        Opened::reopenable(move || {
            RedbStore::open_shared(directory.path().join("narthex.redb")).unwrap()
        })
    }

    narthex_conformance::store_suite!(open(), reopen);
}

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("narthex.redb");
    (directory, path)
}

fn put(store: &RedbStore, text: &str, expected: Expected) -> Commit {
    let mut changes = ChangeSet::new();
    changes.put(Key::record("k"), Record(text.into()), expected);
    changes.add(Cell::new("n"), 1, None);
    block_on(store.commit(changes)).unwrap()
}

fn get(store: &RedbStore) -> Option<(Record, Version)> {
    block_on(store.get(&Key::record("k"))).unwrap()
}

#[test]
fn what_one_handle_acknowledged_the_other_reads_at_once() {
    let (_directory, path) = place();
    let (one, other) = (
        RedbStore::open_shared(&path).unwrap(),
        RedbStore::open_shared(&path).unwrap(),
    );
    assert_eq!(get(&other), None);
    assert_eq!(put(&one, "0", Expected::Absent), Commit::Committed);
    for n in 1..50_u64 {
        let (writer, reader) = match n % 2 {
            0 => (&one, &other),
            _ => (&other, &one),
        };
        let (_, version) = get(writer).unwrap();
        let text = n.to_string();
        assert_eq!(put(writer, &text, Expected::At(version)), Commit::Committed);
        assert_eq!(get(reader).unwrap().0, Record(text.into()));
        // The version that was replaced is stale through either handle.
        assert_eq!(put(reader, "?", Expected::At(version)), Commit::Conflict);
        assert_eq!(block_on(reader.read_cell(&Cell::new("n"))).unwrap(), n + 1);
    }
}

#[test]
fn of_two_handles_that_race_one_wins_each_version() {
    let (_directory, path) = place();
    let store = RedbStore::open_shared(&path).unwrap();
    assert_eq!(put(&store, "0", Expected::Absent), Commit::Committed);
    let won: u64 = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let own = RedbStore::open_shared(&path).unwrap();
                    let mut won = 0;
                    for _ in 0..40 {
                        let (_, version) = get(&own).unwrap();
                        let outcome = put(&own, "x", Expected::At(version));
                        won += u64::from(outcome == Commit::Committed);
                    }
                    won
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert!(won >= 40, "{won}");
    assert_eq!(block_on(store.read_cell(&Cell::new("n"))).unwrap(), won + 1);
}

#[test]
fn who_opens_for_itself_alone_and_who_shares_exclude_each_other() {
    let (_directory, path) = place();
    let shared = RedbStore::open_shared(&path).unwrap();
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert_eq!(
        put(&shared, "still here", Expected::Absent),
        Commit::Committed
    );
    drop(shared);
    let alone = RedbStore::open(&path).unwrap();
    let error = RedbStore::open_shared(&path).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert_eq!(get(&alone).unwrap().0, Record(b"still here".to_vec()));
}

const PATH: &str = "NARTHEX_SHARING_PATH";
const NAME: &str = "NARTHEX_SHARING_NAME";

/// Runs in a process of its own.
#[test]
#[ignore = "the other half of the test below"]
fn counts_until_it_is_killed() {
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let cell = Cell::new(std::env::var(NAME).unwrap());
    let store = RedbStore::open_shared(path).unwrap();
    for n in 1_u64.. {
        let mut changes = ChangeSet::new();
        changes.add(cell.clone(), 1, None);
        let record = Record(vec![0; 3_000]);
        changes.put(
            Key::record(format!("{cell:?}/{n}")),
            record,
            Expected::Absent,
        );
        assert_eq!(block_on(store.commit(changes)).unwrap(), Commit::Committed);
        println!("acknowledged {n}");
    }
}

struct Counter {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Counter {
    fn start(path: &Path, name: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "counts_until_it_is_killed", "--ignored"])
            .arg("--nocapture")
            .env(PATH, path)
            .env(NAME, name)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Waits until it has acknowledged `more` further commits, and returns the number of the last.
    fn hear(&mut self, more: usize) -> u64 {
        let heard = self.lines.by_ref().map_while(Result::ok);
        let numbers = heard.filter_map(|line| number(&line));
        let last = numbers.take(more).last();
        last.unwrap_or_else(|| panic!("the process ended by itself"))
    }

    /// Kills it, and returns the number of the last commit it acknowledged.
    fn kill(mut self, heard: u64) -> u64 {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let rest = self.lines.map_while(Result::ok);
        rest.filter_map(|line| number(&line))
            .last()
            .unwrap_or(heard)
    }
}

fn number(line: &str) -> Option<u64> {
    line.split_once("acknowledged ")?.1.parse().ok()
}

#[test]
fn when_one_process_is_killed_nothing_acknowledged_is_lost_and_the_others_go_on() {
    let (_directory, path) = place();
    let mut steady = Counter::start(&path, "steady");
    steady.hear(1);
    for round in 0..8 {
        let name = format!("killed/{round}");
        let mut victim = Counter::start(&path, &name);
        let heard = victim.hear(3 + round);
        let acknowledged = victim.kill(heard);
        // The one that goes on writes, and a newcomer reads what was acknowledged.
        steady.hear(3);
        let store = RedbStore::open_shared(&path).unwrap();
        let kept = block_on(store.read_cell(&Cell::new(name))).unwrap();
        assert!(
            kept == acknowledged || kept == acknowledged + 1,
            "{acknowledged} acknowledged, {kept} kept"
        );
    }
    let heard = steady.hear(1);
    let acknowledged = steady.kill(heard);
    let store = RedbStore::open(&path).unwrap();
    let kept = block_on(store.read_cell(&Cell::new("steady"))).unwrap();
    assert!(kept == acknowledged || kept == acknowledged + 1);
}
