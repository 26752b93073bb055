//! Change sets: all or nothing.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use narthex_core::store::{
    Applied, Cell, ChangeSet, Commit, Expected, KEY_BYTES_MAX, Key, OPERATIONS_MAX,
    RECORD_BYTES_MAX, Space, Store, Version,
};

use super::{cell, commit, create, event, everything, must_commit, read, record, version};

/// Nothing to do is done.
pub async fn an_empty_set_commits(store: Arc<dyn Store>) {
    must_commit(&*store, |_| {}).await;
    assert!(everything(&*store).await.is_empty());
}

/// All eight operations in one set.
pub async fn a_set_of_every_operation_commits_whole(store: Arc<dyn Store>) {
    let (old, gone) = (
        create(&*store, "old", b"1").await,
        create(&*store, "gone", b"1").await,
    );
    let gate = create(&*store, "gate", b"1").await;
    must_commit(&*store, |c| {
        c.add(Cell::new("dropped"), 4, None)
            .append(Key::event("dropped"), record(b"e"));
    })
    .await;
    must_commit(&*store, |c| {
        c.put(Key::record("new"), record(b"n"), Expected::Absent)
            .put(Key::record("old"), record(b"2"), Expected::At(old))
            .delete(Key::record("gone"), gone)
            .expect(Key::record("gate"), gate)
            .add(Cell::new("added"), 2, Some(2))
            .raise(Cell::new("raised"), 9)
            .drop_cell(Cell::new("dropped"))
            .append(Key::event("new"), record(b"e"))
            .drop_event(Key::event("dropped"));
    })
    .await;
    assert_eq!(read(&*store, "new").await.map(|r| r.0), Some(b"n".to_vec()));
    assert_eq!(read(&*store, "old").await.map(|r| r.0), Some(b"2".to_vec()));
    assert_eq!(read(&*store, "gone").await, None);
    assert_eq!(version(&*store, "gate").await, gate);
    assert_eq!(cell(&*store, "added").await, 2);
    assert_eq!(cell(&*store, "raised").await, 9);
    assert_eq!(cell(&*store, "dropped").await, 0);
    assert!(event(&*store, "new").await.is_some());
    assert_eq!(event(&*store, "dropped").await, None);
}

/// [`OPERATIONS_MAX`] operations.
pub async fn the_longest_set_commits_whole(store: Arc<dyn Store>) {
    must_commit(&*store, |c| {
        for n in 0..OPERATIONS_MAX {
            c.put(
                Key::record(format!("r/{n}")),
                record(&[1]),
                Expected::Absent,
            );
        }
    })
    .await;
    let listed = super::scan(&*store, Space::Records, "r/", None, u32::MAX).await;
    assert_eq!(listed.len(), OPERATIONS_MAX);
}

/// One of each kind of change, and room for what refuses them, before or after.
fn surrounded(refusing: impl FnOnce(&mut ChangeSet), refusing_last: bool) -> ChangeSet {
    let changes = |c: &mut ChangeSet| {
        c.put(Key::record("new"), record(b"n"), Expected::Absent)
            .add(Cell::new("added"), 2, None)
            .add(Cell::new("capped"), 2, Some(100))
            .raise(Cell::new("raised"), 99)
            .drop_cell(Cell::new("kept"))
            .append(Key::event("new"), record(b"e"))
            .drop_event(Key::event("kept"));
    };
    super::set(|c| {
        if refusing_last {
            changes(c);
            refusing(c);
        } else {
            refusing(c);
            changes(c);
        }
    })
}

async fn furnish(store: &dyn Store) -> Version {
    must_commit(store, |c| {
        c.put(Key::record("there"), record(b"t"), Expected::Absent)
            .add(Cell::new("kept"), 3, None)
            .add(Cell::new("full"), 5, Some(5))
            .append(Key::event("kept"), record(b"k"))
            .append(Key::event("told"), record(b"t"));
    })
    .await;
    version(store, "there").await
}

/// Whichever expectation fails, first or last in the set: records, cells and events are as before.
pub async fn a_conflict_leaves_nothing_behind(store: Arc<dyn Store>) {
    let there = furnish(&*store).await;
    let before = everything(&*store).await;
    let wrong = Version(there.0 + 1);
    for case in 0..7 {
        for last in [false, true] {
            let changes = surrounded(
                |c| match case {
                    0 => drop(c.put(Key::record("there"), record(b"x"), Expected::Absent)),
                    1 => drop(c.put(Key::record("there"), record(b"x"), Expected::At(wrong))),
                    2 => drop(c.put(Key::record("missing"), record(b"x"), Expected::At(there))),
                    3 => drop(c.delete(Key::record("there"), wrong)),
                    4 => drop(c.expect(Key::record("there"), wrong)),
                    5 => drop(c.expect(Key::record("missing"), there)),
                    _ => drop(c.append(Key::event("told"), record(b"x"))),
                },
                last,
            );
            let outcome = store.commit(changes).await;
            assert!(
                matches!(outcome, Ok(Commit::Conflict)),
                "case {case}: {outcome:?}"
            );
            assert_eq!(
                everything(&*store).await,
                before,
                "case {case}, last: {last}"
            );
        }
    }
}

/// A full cell, first or last in the set: records, cells and events are as before.
pub async fn a_cap_reached_leaves_nothing_behind(store: Arc<dyn Store>) {
    furnish(&*store).await;
    let before = everything(&*store).await;
    for last in [false, true] {
        let full = Cell::new("full");
        let one_too_many = |c: &mut ChangeSet| {
            c.add(full.clone(), 1, Some(5));
        };
        let changes = surrounded(one_too_many, last);
        let outcome = store.commit(changes).await;
        assert!(
            matches!(&outcome, Ok(Commit::CapReached(c)) if *c == full),
            "{outcome:?}"
        );
        assert_eq!(everything(&*store).await, before, "last: {last}");
    }
}

/// First every expectation, then every cap, whatever the order in the set.
pub async fn a_conflict_comes_before_a_cap(store: Arc<dyn Store>) {
    let there = furnish(&*store).await;
    let wrong = Version(there.0 + 1);
    for cap_first in [false, true] {
        let outcome = commit(&*store, |c| {
            if cap_first {
                c.add(Cell::new("full"), 1, Some(5));
            }
            c.expect(Key::record("there"), wrong);
            if !cap_first {
                c.add(Cell::new("full"), 1, Some(5));
            }
        })
        .await;
        assert_eq!(outcome, Commit::Conflict, "cap first: {cap_first}");
    }
}

/// Among several, one that is really full.
pub async fn the_refused_cell_is_named(store: Arc<dyn Store>) {
    furnish(&*store).await;
    let outcome = commit(&*store, |c| {
        c.add(Cell::new("a"), 1, Some(5));
        c.add(Cell::new("full"), 1, Some(5));
        c.add(Cell::new("z"), 1, Some(5));
    })
    .await;
    assert_eq!(outcome, Commit::CapReached(Cell::new("full")));
    let outcome = commit(&*store, |c| {
        c.add(Cell::new("full"), 1, Some(5));
        c.add(Cell::new("too-much"), 9, Some(8));
    })
    .await;
    let named = [Cell::new("full"), Cell::new("too-much")].map(Commit::CapReached);
    assert!(named.contains(&outcome), "{outcome:?}");
}

/// The same path names three different things.
pub async fn one_path_may_occur_in_every_space(store: Arc<dyn Store>) {
    must_commit(&*store, |c| {
        c.put(Key::record("same"), record(b"record"), Expected::Absent);
        c.add(Cell::new("same"), 3, None);
        c.append(Key::event("same"), record(b"event"));
    })
    .await;
    assert_eq!(
        read(&*store, "same").await.map(|r| r.0),
        Some(b"record".to_vec())
    );
    assert_eq!(cell(&*store, "same").await, 3);
    assert_eq!(
        event(&*store, "same").await.map(|e| e.0),
        Some(b"event".to_vec())
    );
}

/// What is in one space is not found through another.
pub async fn the_spaces_do_not_mix(store: Arc<dyn Store>) {
    create(&*store, "r", b"record").await;
    must_commit(&*store, |c| {
        c.add(Cell::new("c"), 3, None)
            .append(Key::event("e"), record(b"event"));
    })
    .await;
    for path in ["c", "e"] {
        assert_eq!(read(&*store, path).await, None, "{path} as a record");
    }
    for path in ["r", "c"] {
        assert_eq!(event(&*store, path).await, None, "{path} as an event");
    }
    for path in ["r", "e"] {
        assert_eq!(cell(&*store, path).await, 0, "{path} as a cell");
    }
    for path in ["r", "c", "e"] {
        let as_cell = store.get(&Key::new(Space::Cells, path)).await;
        assert!(
            matches!(as_cell, Ok(None)),
            "get reads no cells: {as_cell:?}"
        );
    }
    for (space, only) in [
        (Space::Records, "r"),
        (Space::Cells, "c"),
        (Space::Events, "e"),
    ] {
        assert_eq!(super::scan(&*store, space, "", None, 10).await, [only]);
    }
}

/// The set is refused as an error that says "not applied", and nothing has changed.
async fn assert_invalid(store: &dyn Store, build: impl FnOnce(&mut ChangeSet)) {
    let before = everything(store).await;
    let changes = super::set(|c| {
        c.put(Key::record("valid"), record(b"v"), Expected::Absent);
        build(c);
    });
    let error = store
        .commit(changes)
        .await
        .expect_err("an invalid set is not decided");
    assert_eq!(error.applied, Applied::No, "{error}");
    assert_eq!(everything(store).await, before);
}

/// In every space, with any two operations.
pub async fn a_key_twice_in_one_set_is_an_error(store: Arc<dyn Store>) {
    let (key, there) = (Key::record("there"), create(&*store, "there", b"t").await);
    assert_invalid(&*store, |c| {
        c.put(Key::record("twice"), record(b"1"), Expected::Absent);
        c.put(Key::record("twice"), record(b"2"), Expected::Absent);
    })
    .await;
    assert_invalid(&*store, |c| {
        c.expect(key.clone(), there)
            .put(key.clone(), record(b"2"), Expected::At(there));
    })
    .await;
    assert_invalid(&*store, |c| {
        c.expect(key.clone(), there).delete(key, there);
    })
    .await;
    assert_invalid(&*store, |c| {
        c.add(Cell::new("twice"), 1, None)
            .raise(Cell::new("twice"), 5);
    })
    .await;
    assert_invalid(&*store, |c| {
        c.append(Key::event("twice"), record(b"1"))
            .drop_event(Key::event("twice"));
    })
    .await;
}

/// More than [`OPERATIONS_MAX`].
pub async fn too_many_operations_are_an_error(store: Arc<dyn Store>) {
    assert_invalid(&*store, |c| {
        for n in 0..OPERATIONS_MAX {
            c.add(Cell::new(n.to_string()), 1, None);
        }
    })
    .await;
}

/// More than [`RECORD_BYTES_MAX`], as a record and as an event.
pub async fn too_long_a_value_is_an_error(store: Arc<dyn Store>) {
    let too_long = record(&vec![0; RECORD_BYTES_MAX + 1]);
    assert_invalid(&*store, |c| {
        c.put(Key::record("r"), too_long.clone(), Expected::Absent);
    })
    .await;
    assert_invalid(&*store, |c| {
        c.append(Key::event("e"), too_long);
    })
    .await;
}

/// Empty, too long, with a space, a control character, or not ASCII.
pub async fn a_bad_key_is_an_error(store: Arc<dyn Store>) {
    let too_long = "a".repeat(KEY_BYTES_MAX + 1);
    for bad in ["", "a b", "a\0", "a\n", "\u{7f}", "é", &too_long] {
        assert_invalid(&*store, |c| {
            c.put(Key::record(bad), record(b"x"), Expected::Absent);
        })
        .await;
        assert_invalid(&*store, |c| {
            c.add(Cell::new(bad), 1, None);
        })
        .await;
        assert_invalid(&*store, |c| {
            c.append(Key::event(bad), record(b"x"));
        })
        .await;
    }
}

/// A record's operation on an event's key, and so on.
pub async fn a_key_of_another_space_is_an_error(store: Arc<dyn Store>) {
    for wrong in [Space::Cells, Space::Events] {
        assert_invalid(&*store, |c| {
            c.put(Key::new(wrong, "k"), record(b"x"), Expected::Absent);
        })
        .await;
        assert_invalid(&*store, |c| {
            c.delete(Key::new(wrong, "k"), Version(0));
        })
        .await;
        assert_invalid(&*store, |c| {
            c.expect(Key::new(wrong, "k"), Version(0));
        })
        .await;
    }
    for wrong in [Space::Cells, Space::Records] {
        assert_invalid(&*store, |c| {
            c.append(Key::new(wrong, "k"), record(b"x"));
        })
        .await;
        assert_invalid(&*store, |c| {
            c.drop_event(Key::new(wrong, "k"));
        })
        .await;
    }
}

/// A future that is polled a few times and then dropped leaves a whole set or none of it, for good.
pub async fn a_dropped_commit_is_whole_or_not_at_all(store: Arc<dyn Store>) {
    for round in 0..30 {
        let paths = [0, 1].map(|n| format!("{round}/{n}"));
        let changes = super::set(|c| {
            for path in &paths {
                c.put(Key::record(path), record(b"r"), Expected::Absent);
                c.add(Cell::new(path), 1, None);
                c.append(Key::event(path), record(b"e"));
            }
        });
        poll_and_drop(store.commit(changes), round % 4).await;
        let mut parts = Vec::new();
        // The set may still be on its way while it is read: only what stays torn is wrong.
        for _ in 0..200 {
            // Nothing that was in flight can be overtaken for long by a set that came later.
            must_commit(&*store, |c| {
                c.add(Cell::new("fence"), 1, None);
            })
            .await;
            parts.clear();
            for path in &paths {
                parts.push(read(&*store, path).await.is_some());
                parts.push(cell(&*store, path).await == 1);
                parts.push(event(&*store, path).await.is_some());
            }
            if parts.iter().all(|part| *part) || !parts.iter().any(|part| *part) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let whole = parts.iter().all(|part| *part);
        assert!(
            whole || !parts.iter().any(|part| *part),
            "torn in round {round}: {parts:?}"
        );
    }
}

async fn poll_and_drop<T>(future: impl Future<Output = T>, polls: u32) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let done = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready()));
        if done.await {
            return;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}
