//! A disk that fails, fills up or stalls: the store says what it knows, and recovers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "common/disk.rs"]
mod disk;
#[path = "common/random.rs"]
mod random;

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use disk::Disk;
use futures_executor::block_on;
use narthex_core::store::group::PENDING_SETS_MAX;
use narthex_core::store::{
    Applied, Cell, ChangeSet, Commit, Expected, Key, Record, Store, StoreError,
};
use narthex_redb::RedbStore;
use random::Random;

/// A set of three parts that are there together or not at all.
fn parts(name: &str) -> ChangeSet {
    let mut changes = ChangeSet::new();
    changes.put(Key::record(name), Record(vec![7; 3000]), Expected::Absent);
    changes.append(Key::event(name), Record(b"e".to_vec()));
    changes.add(Cell::new(name), 1, None);
    changes
}

/// Whether the set `name` is there; half of it is a failure.
fn is_there(store: &RedbStore, name: &str) -> bool {
    let record = block_on(store.get(&Key::record(name))).unwrap().is_some();
    let event = block_on(store.get(&Key::event(name))).unwrap().is_some();
    let cell = block_on(store.read_cell(&Cell::new(name))).unwrap() == 1;
    assert!(
        record == event && event == cell,
        "{name} is torn: {record} {event} {cell}"
    );
    record
}

fn commit(store: &RedbStore, name: &str) -> Result<Commit, StoreError> {
    block_on(store.commit(parts(name)))
}

/// Puts the set into the queue without waiting for its outcome.
type Begun<'a> = Pin<Box<dyn Future<Output = Result<Commit, StoreError>> + Send + 'a>>;

fn begin<'a>(store: &'a RedbStore, changes: ChangeSet) -> Begun<'a> {
    let mut future = store.commit(changes);
    let polled = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    future
}

#[test]
fn a_fault_at_any_write_or_flush_of_a_commit_is_told_truly_and_survived() {
    let mut told = BTreeSet::new();
    for fails_after in 0.. {
        let disk = Disk::default();
        let store = disk.open();
        assert_eq!(commit(&store, "before").unwrap(), Commit::Committed);
        disk.state().fails_after = Some(fails_after);
        let outcome = commit(&store, "during");
        let fault_is_left = disk.state().fails_after.take().is_some();
        match &outcome {
            Ok(outcome) => {
                assert_eq!(*outcome, Commit::Committed);
                assert!(is_there(&store, "during"));
            }
            Err(error) if error.applied == Applied::No => assert!(!is_there(&store, "during")),
            Err(_) => drop(is_there(&store, "during")),
        }
        told.insert(match outcome {
            Ok(_) => "committed",
            Err(error) if error.applied == Applied::No => "not applied",
            Err(_) => "unknown",
        });
        let stayed = is_there(&store, "during");
        assert!(is_there(&store, "before"));
        assert_eq!(
            commit(&store, "after").unwrap(),
            Commit::Committed,
            "after {fails_after}"
        );
        drop(store);
        let store = disk.open();
        assert!(is_there(&store, "before") && is_there(&store, "after"));
        assert_eq!(
            is_there(&store, "during"),
            stayed,
            "changed its mind at {fails_after}"
        );
        if fault_is_left {
            assert!(fails_after > 2, "no fault was met");
            break;
        }
    }
    assert!(told.contains("unknown"), "{told:?}");
}

#[test]
fn a_broken_disk_fails_every_call_and_is_used_again_once_it_works() {
    let disk = Disk::default();
    let store = disk.open();
    assert_eq!(commit(&store, "before").unwrap(), Commit::Committed);
    disk.state().broken = true;
    let error = commit(&store, "first").unwrap_err();
    assert_eq!(error.applied, Applied::Unknown);
    for _ in 0..3 {
        let error = commit(&store, "second").unwrap_err();
        assert_eq!(error.applied, Applied::No);
        assert!(error.message.contains("does not open again"), "{error}");
        let error = block_on(store.get(&Key::record("before"))).unwrap_err();
        assert!(error.message.contains("Check the disk"), "{error}");
    }
    disk.state().broken = false;
    assert!(is_there(&store, "before"));
    assert!(!is_there(&store, "second"));
    is_there(&store, "first");
    assert_eq!(commit(&store, "third").unwrap(), Commit::Committed);
}

#[test]
fn a_panic_in_the_storage_is_unknown_and_survived() {
    let disk = Disk::default();
    let store = disk.open();
    assert_eq!(commit(&store, "before").unwrap(), Commit::Committed);
    disk.state().panics = true;
    let error = commit(&store, "during").unwrap_err();
    assert_eq!(error.applied, Applied::Unknown);
    let error = commit(&store, "meanwhile").unwrap_err();
    assert_eq!(error.applied, Applied::No);
    disk.state().panics = false;
    assert_eq!(commit(&store, "after").unwrap(), Commit::Committed);
    assert!(is_there(&store, "before") && is_there(&store, "after"));
    assert!(!is_there(&store, "meanwhile"));
    is_there(&store, "during");
}

#[test]
fn a_full_disk_refuses_and_takes_changes_again_once_there_is_room() {
    let disk = Disk::default();
    let store = disk.open();
    let start = commit(&store, "0").unwrap();
    assert_eq!(start, Commit::Committed);
    let length = redb::StorageBackend::len(&disk).unwrap();
    disk.state().room = Some(length + 200_000);
    let mut acknowledged = vec!["0".to_owned()];
    let mut refused = 0;
    for n in 1..2000 {
        let name = n.to_string();
        match commit(&store, &name) {
            Ok(_) => acknowledged.push(name),
            Err(_) => refused += 1,
        }
        if refused == 20 {
            break;
        }
    }
    assert_eq!(refused, 20, "the disk never filled up");
    assert!(acknowledged.iter().all(|name| is_there(&store, name)));
    disk.state().room = None;
    assert_eq!(commit(&store, "room").unwrap(), Commit::Committed);
    drop(store);
    let store = disk.open();
    assert!(acknowledged.iter().all(|name| is_there(&store, name)));
    assert!(is_there(&store, "room"));
}

/// A refusal that rests on a set of the same group must not be told when that group fails.
#[test]
fn a_refusal_is_not_told_before_what_it_rests_on_is_durable() {
    let disk = Disk::default();
    let store = disk.open();
    disk.state().held = true;
    let holding = begin(&store, parts("holding"));
    wait_until_taken(&disk);
    let first = begin(&store, parts("contended"));
    let second = begin(&store, parts("contended"));
    let mut full = ChangeSet::new();
    full.add(Cell::new("contended"), 1, Some(1));
    let third = begin(&store, full);
    // The group that holds up the others is in its flush already: the next change is theirs.
    disk.state().broken = true;
    disk.release();
    assert_eq!(block_on(holding).unwrap(), Commit::Committed);
    let [first, second, third] = [first, second, third].map(|f| block_on(f).unwrap_err());
    assert_eq!(first.applied, Applied::Unknown);
    assert_eq!(second.applied, Applied::No);
    assert_eq!(third.applied, Applied::No);
    disk.state().broken = false;
    if !is_there(&store, "contended") {
        assert_eq!(commit(&store, "contended").unwrap(), Commit::Committed);
    }
}

/// Waits until the writer stands before the held flush.
fn wait_until_taken(disk: &Disk) {
    for _ in 0..5000 {
        if disk.state().is_waiting() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the writer does not flush");
}

#[test]
fn many_writers_share_flushes() {
    const WRITERS: u64 = 64;
    const COMMITS: u64 = 10;
    let disk = Disk::default();
    let store = disk.open();
    disk.state().flush_time = Duration::from_millis(2);
    let before = disk.state().flushes;
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                for n in 0..COMMITS {
                    let outcome = commit(store, &format!("{writer}/{n}"));
                    assert_eq!(outcome.unwrap(), Commit::Committed);
                }
            });
        }
    });
    let flushes = disk.state().flushes - before;
    let commits = WRITERS * COMMITS;
    println!("{commits} commits, {flushes} flushes");
    assert!(
        flushes * 8 < commits,
        "{commits} commits took {flushes} flushes"
    );
    assert!(
        flushes >= COMMITS,
        "every writer waited for each of its commits"
    );
}

#[test]
fn what_changes_nothing_is_not_flushed() {
    let disk = Disk::default();
    let store = disk.open();
    assert_eq!(commit(&store, "a").unwrap(), Commit::Committed);
    let before = disk.state().flushes;
    assert_eq!(commit(&store, "a").unwrap(), Commit::Conflict);
    assert_eq!(
        block_on(store.commit(ChangeSet::new())).unwrap(),
        Commit::Committed
    );
    let mut full = ChangeSet::new();
    full.add(Cell::new("a"), 1, Some(1));
    let reached = Commit::CapReached(Cell::new("a"));
    assert_eq!(block_on(store.commit(full)).unwrap(), reached);
    assert_eq!(disk.state().flushes, before);
    assert_eq!(commit(&store, "b").unwrap(), Commit::Committed);
    assert!(disk.state().flushes > before);
}

#[test]
fn reads_do_not_wait_for_a_flush() {
    let disk = Disk::default();
    let store = disk.open();
    assert_eq!(commit(&store, "a").unwrap(), Commit::Committed);
    disk.state().held = true;
    let begun = begin(&store, parts("b"));
    wait_until_taken(&disk);
    assert!(is_there(&store, "a"));
    assert!(
        !is_there(&store, "b"),
        "a change was seen before it was durable"
    );
    disk.release();
    assert_eq!(block_on(begun).unwrap(), Commit::Committed);
    assert!(is_there(&store, "b"));
}

#[test]
fn a_full_queue_refuses_at_once_and_what_waits_is_written() {
    let disk = Disk::default();
    let store = disk.open();
    disk.state().held = true;
    let holding = begin(&store, parts("holding"));
    wait_until_taken(&disk);
    let waiting: Vec<_> = (0..PENDING_SETS_MAX)
        .map(|n| {
            let mut changes = ChangeSet::new();
            changes.add(Cell::new(format!("waiting/{n}")), 1, None);
            begin(&store, changes)
        })
        .collect();
    let refused = commit(&store, "one-too-many").unwrap_err();
    assert_eq!(refused.applied, Applied::No);
    assert!(refused.message.contains("try again later"), "{refused}");
    disk.release();
    assert_eq!(block_on(holding).unwrap(), Commit::Committed);
    for waited in waiting {
        assert_eq!(block_on(waited).unwrap(), Commit::Committed);
    }
    assert!(!is_there(&store, "one-too-many"));
    assert_eq!(commit(&store, "one-too-many").unwrap(), Commit::Committed);
}

#[test]
fn dropping_the_store_writes_what_waits() {
    let disk = Disk::default();
    let store = disk.open();
    disk.state().flush_time = Duration::from_millis(5);
    for n in 0..500 {
        drop(begin(&store, parts(&n.to_string())));
    }
    drop(store);
    let store = disk.open();
    assert!((0..500).all(|n| is_there(&store, &n.to_string())));
}

/// A task that runs on whatever thread wakes it.
struct Inline {
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    done: AtomicBool,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let mut future = self.future.lock().unwrap();
        let polled = future
            .as_mut()
            .map(|f| f.as_mut().poll(&mut Context::from_waker(&waker)));
        if polled.is_some_and(|polled| polled.is_ready()) {
            *future = None;
            self.done.store(true, Ordering::SeqCst);
        }
    }
}

/// Then the last owner of the store may be dropped on the writer's own thread.
#[test]
fn an_answer_that_drops_the_store_does_not_wait_for_itself() {
    let disk = Disk::default();
    let store = Arc::new(disk.open());
    disk.state().held = true;
    let task = Arc::new(Inline {
        future: Mutex::new(Some(Box::pin(async move {
            let outcome = store.commit(parts("last")).await;
            assert_eq!(outcome.unwrap(), Commit::Committed);
            assert_eq!(Arc::strong_count(&store), 1);
        }))),
        done: AtomicBool::new(false),
    });
    Arc::clone(&task).wake();
    wait_until_taken(&disk);
    disk.release();
    for _ in 0..1000 {
        if task.done.load(Ordering::SeqCst) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the writer waits for itself");
}

/// Power cuts at random moments while four threads write: what was acknowledged is there, and every
/// set is whole or absent.
#[test]
fn a_power_cut_takes_nothing_back_that_was_acknowledged() {
    let rounds = std::env::var("POWER_CUTS")
        .ok()
        .and_then(|n| n.parse().ok());
    let mut random = Random::new();
    let mut survived = 0;
    for round in 0..rounds.unwrap_or(60) {
        let disk = Disk::default();
        let store = disk.open();
        disk.state().flush_time = Duration::from_micros(300);
        let acknowledged = Mutex::new(Vec::new());
        let stop = AtomicBool::new(false);
        let mut cut = None;
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (store, acknowledged, stop) = (&store, &acknowledged, &stop);
                scope.spawn(move || {
                    for n in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let name = format!("{writer}/{n}");
                        assert_eq!(commit(store, &name).unwrap(), Commit::Committed);
                        acknowledged.lock().unwrap().push(name);
                    }
                });
            }
            std::thread::sleep(Duration::from_micros(500 + random.below(15_000)));
            // First what was told, then what the disk holds: never the other way round.
            let told = acknowledged.lock().unwrap().clone();
            cut = Some((told, disk.after_a_power_cut(&mut random)));
            stop.store(true, Ordering::SeqCst);
        });
        let (told, disk) = cut.unwrap();
        let store = disk.open();
        for name in &told {
            assert!(is_there(&store, name), "{name} was lost in round {round}");
        }
        survived += told.len();
        for writer in 0..4 {
            for n in 0..1000 {
                if !is_there(&store, &format!("{writer}/{n}")) {
                    break;
                }
            }
        }
        assert_eq!(commit(&store, "after").unwrap(), Commit::Committed);
    }
    assert!(
        survived > 100,
        "only {survived} sets were acknowledged before a cut"
    );
}
