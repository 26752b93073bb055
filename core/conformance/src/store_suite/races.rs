//! Many threads at once: one winner, nothing lost, nothing half seen.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use narthex_core::store::{Cell, ChangeSet, Commit, Expected, Key, Store, Version};

use super::{BlockOn, cell, commit, create, event, must_commit, read, record, set, version};

const THREADS: usize = 64;

/// How long a session lingers between what it read and what it writes.
const IN_FLIGHT: Duration = Duration::from_millis(1);

/// A store, and threads to run against it.
#[derive(Clone)]
pub struct Racers {
    store: Arc<dyn Store>,
    block_on: BlockOn,
}

impl fmt::Debug for Racers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Racers").field(&self.store).finish()
    }
}

impl Racers {
    /// Racers on `store`, whose futures `block_on` drives.
    pub fn new(store: Arc<dyn Store>, block_on: BlockOn) -> Self {
        Self { store, block_on }
    }

    fn run<T, F>(&self, task: impl FnOnce(Arc<dyn Store>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let (task, slot) = (task(Arc::clone(&self.store)), Arc::clone(&result));
        (self.block_on)(Box::pin(async move {
            let value = task.await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        }));
        let value = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.expect("block_on drives the future to its end")
    }

    /// Runs `task` on `threads` threads that all start at once.
    fn race<T, F>(&self, threads: usize, task: impl Fn(usize, Arc<dyn Store>) -> F + Sync) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let start = Barrier::new(threads);
        thread::scope(|scope| {
            let (task, start) = (&task, &start);
            let racers: Vec<_> = (0..threads)
                .map(|n| {
                    scope.spawn(move || {
                        start.wait();
                        self.run(|store| task(n, store))
                    })
                })
                .collect();
            let finished = racers.into_iter().map(|racer| racer.join());
            finished
                .map(|value| value.expect("a racer panicked"))
                .collect()
        })
    }
}

/// Tells the other racers to stop when one has finished, or failed.
#[derive(Clone, Default)]
struct Finished(Arc<AtomicBool>);

impl Finished {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

struct SetWhenDropped(Finished);

impl Drop for SetWhenDropped {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

/// 64 threads, room for 40: exactly 40 get in.
pub fn a_cap_holds_exactly_when_all_add_at_once(racers: &Racers) {
    const CAP: u64 = 40;
    let outcomes = racers.race(THREADS, |n, store| async move {
        commit(&*store, |c| {
            c.add(Cell::new("budget"), 1, Some(CAP));
            c.put(
                Key::record(format!("admitted/{n}")),
                record(b""),
                Expected::Absent,
            );
        })
        .await
    });
    let admitted = outcomes.iter().filter(|o| **o == Commit::Committed).count();
    let refused = Commit::CapReached(Cell::new("budget"));
    assert_eq!(admitted as u64, CAP);
    assert_eq!(
        outcomes.iter().filter(|o| **o == refused).count(),
        THREADS - admitted
    );
    let (left, records) = racers.run(|store| async move {
        let records = super::scan(&*store, narthex_core::store::Space::Records, "", None, 99);
        (cell(&*store, "budget").await, records.await.len())
    });
    assert_eq!((left, records), (CAP, admitted));
}

/// 64 threads create one record: one does, the others are told of a conflict.
pub fn one_of_many_creations_wins(racers: &Racers) {
    let outcomes = racers.race(THREADS, |n, store| async move {
        commit(&*store, |c| {
            c.put(
                Key::record("entry"),
                record(n.to_string().as_bytes()),
                Expected::Absent,
            );
            c.append(Key::event(format!("claimed/{n}")), record(b"e"));
        })
        .await
    });
    let won: Vec<usize> = outcomes
        .iter()
        .enumerate()
        .filter_map(|(n, outcome)| (*outcome == Commit::Committed).then_some(n))
        .collect();
    assert_eq!(won.len(), 1, "winners: {won:?}");
    assert_eq!(
        outcomes.iter().filter(|o| **o == Commit::Conflict).count(),
        THREADS - 1
    );
    racers.run(|store| async move {
        for n in 0..THREADS {
            let told = event(&*store, &format!("claimed/{n}")).await.is_some();
            assert_eq!(told, won.contains(&n), "the event of thread {n}");
            if told {
                let kept = read(&*store, "entry").await.map(|r| r.0);
                assert_eq!(kept, Some(n.to_string().into_bytes()));
            }
        }
    });
}

/// Read, add one, put at the version read, again on conflict: nothing gets lost.
pub fn parallel_increments_lose_nothing(racers: &Racers) {
    const INCREMENTS: u64 = 10;
    const WRITERS: usize = 8;
    racers.run(|store| async move { create(&*store, "n", &0_u64.to_le_bytes()).await });
    racers.race(WRITERS, |_, store| async move {
        for _ in 0..INCREMENTS {
            while increment(&*store).await != Commit::Committed {}
        }
    });
    let (value, statistic) =
        racers.run(|store| async move { (number(&*store, "n").await.0, cell(&*store, "n").await) });
    assert_eq!(value, INCREMENTS * WRITERS as u64);
    assert_eq!(statistic, value, "the cell counted in the same sets");
}

async fn increment(store: &dyn Store) -> Commit {
    let (value, at) = number(store, "n").await;
    commit(store, |c| {
        c.put(
            Key::record("n"),
            record(&(value + 1).to_le_bytes()),
            Expected::At(at),
        );
        c.add(Cell::new("n"), 1, None);
    })
    .await
}

async fn number(store: &dyn Store, path: &str) -> (u64, Version) {
    let (bytes, version) = read(store, path).await.expect("the record is there");
    let bytes = bytes.try_into().expect("eight bytes");
    (u64::from_le_bytes(bytes), version)
}

/// Each of two sets expects what the other changes: never do both commit ("write skew").
pub fn crossed_expectations_never_both_hold(racers: &Racers) {
    for round in 0..30 {
        let names = [0, 1].map(|n| format!("{round}/{n}"));
        let versions = racers.run(|store| {
            let names = names.clone();
            async move {
                let [a, b] = &names;
                [create(&*store, a, b"").await, create(&*store, b, b"").await]
            }
        });
        let outcomes = racers.race(2, |n, store| {
            let (mut names, mut versions) = (names.clone(), versions);
            if n == 1 {
                names.reverse();
                versions.reverse();
            }
            async move {
                let ([mine, other], [at, expected]) = (names, versions);
                commit(&*store, |c| {
                    c.expect(Key::record(other), expected);
                    c.put(Key::record(mine), record(b"changed"), Expected::At(at));
                })
                .await
            }
        });
        let committed = outcomes.iter().filter(|o| **o == Commit::Committed).count();
        assert_eq!(committed, 1, "round {round}: {outcomes:?}");
    }
}

/// What a stolen session had in flight does not land after the change that ended it: once a new
/// gate is acknowledged, nothing that expected the old one is committed.
pub fn an_expectation_fails_once_its_record_was_changed(racers: &Racers) {
    const CHANGES: u64 = 15;
    const SESSIONS: usize = 6;
    racers.run(|store| async move {
        create(&*store, "gate", &0_u64.to_le_bytes()).await;
        for n in 0..SESSIONS {
            create(&*store, &format!("session/{n}"), &0_u64.to_le_bytes()).await;
        }
    });
    let finished = Finished::default();
    racers.race(SESSIONS + 1, |n, store| {
        let finished = finished.clone();
        async move {
            if n == SESSIONS {
                let _finished = SetWhenDropped(finished);
                for epoch in 1..=CHANGES {
                    change_the_gate(&*store, epoch, SESSIONS).await;
                }
            } else {
                while !finished.is_set() {
                    write_under_the_gate(&*store, &format!("session/{n}")).await;
                }
            }
        }
    });
}

/// Changes the gate and looks whether anything that expected the old one still lands.
async fn change_the_gate(store: &dyn Store, epoch: u64, sessions: usize) {
    // Only one thread writes the gate, so its version is the one just read.
    let at = version(store, "gate").await;
    must_commit(store, |c| {
        let bytes = record(&epoch.to_le_bytes());
        c.put(Key::record("gate"), bytes, Expected::At(at));
    })
    .await;
    let mut acknowledged = Vec::new();
    for n in 0..sessions {
        acknowledged.push(version(store, &format!("session/{n}")).await);
    }
    // Time for what is on its way to land, if the store lets it.
    thread::sleep(IN_FLIGHT * 2);
    for (n, before) in acknowledged.into_iter().enumerate() {
        let (written_under, after) = number(store, &format!("session/{n}")).await;
        let landed_late = after != before && written_under < epoch;
        assert!(!landed_late, "written under {written_under} after {epoch}");
    }
}

/// Writes the gate's epoch into `path`, expecting the gate as read.
async fn write_under_the_gate(store: &dyn Store, path: &str) {
    let (epoch, gate) = number(store, "gate").await;
    let at = version(store, path).await;
    thread::sleep(IN_FLIGHT);
    commit(store, |c| {
        c.expect(Key::record("gate"), gate);
        c.put(
            Key::record(path),
            record(&epoch.to_le_bytes()),
            Expected::At(at),
        );
    })
    .await;
}

/// Two records that always change together are never read apart.
pub fn a_set_is_never_seen_in_part(racers: &Racers) {
    const CHANGES: u64 = 30;
    const READERS: usize = 3;
    let pair = |n: u64, [a, b]: [Expected; 2]| -> ChangeSet {
        set(|c| {
            c.put(Key::record("a"), record(&n.to_le_bytes()), a);
            c.put(Key::record("b"), record(&n.to_le_bytes()), b);
        })
    };
    racers.run(|store| async move {
        let created = store.commit(pair(0, [Expected::Absent; 2])).await;
        assert!(matches!(created, Ok(Commit::Committed)));
    });
    let finished = Finished::default();
    racers.race(READERS + 1, |reader, store| {
        let finished = finished.clone();
        async move {
            if reader == READERS {
                let _finished = SetWhenDropped(finished);
                for n in 1..=CHANGES {
                    let at = [version(&*store, "a").await, version(&*store, "b").await];
                    let changed = store.commit(pair(n, at.map(Expected::At))).await;
                    assert!(matches!(changed, Ok(Commit::Committed)), "{changed:?}");
                }
                return;
            }
            while !finished.is_set() {
                let before = number(&*store, "a").await;
                let between = number(&*store, "b").await;
                if number(&*store, "a").await == before {
                    assert_eq!(before.0, between.0, "half of a set was seen");
                }
            }
        }
    });
}

/// Whoever reads after the acknowledgement reads what was acknowledged, on any thread.
pub fn what_was_acknowledged_is_read_by_everybody(racers: &Racers) {
    for round in 0..10 {
        let path = format!("r/{round}");
        let put = path.clone();
        racers.race(1, move |_, store| {
            let put = put.clone();
            async move { create(&*store, &put, b"here").await }
        });
        let seen = racers.race(4, |_, store| {
            let path = path.clone();
            async move { read(&*store, &path).await.is_some() }
        });
        assert_eq!(seen, [true; 4], "round {round}");
    }
}
