//! What must hold after the store was closed and opened again. Only with `reopen`.

use std::collections::BTreeSet;

use narthex_core::store::{Cell, Commit, Expected, Key, RECORD_BYTES_MAX};

use super::{Opened, commit, create, everything, must_commit, record, version};

/// Records with their versions, cells, events.
pub async fn everything_is_there_after_reopening(mut opened: Opened) {
    let store = opened.store();
    for n in 0..50 {
        must_commit(&*store, |c| {
            c.put(
                Key::record(format!("r/{n}")),
                record(&[n; 100]),
                Expected::Absent,
            );
            c.add(Cell::new(format!("c/{n}")), i64::from(n) + 1, None);
            c.append(Key::event(format!("e/{n}")), record(&[n]));
        })
        .await;
    }
    must_commit(&*store, |c| {
        c.put(
            Key::record("large"),
            record(&[7; RECORD_BYTES_MAX]),
            Expected::Absent,
        );
        c.raise(Cell::new("greatest"), u64::MAX);
        c.drop_cell(Cell::new("c/3"));
        c.drop_event(Key::event("e/3"));
    })
    .await;
    let before = everything(&*store).await;
    assert_eq!(before.len(), 51 + 50 + 49);
    drop(store);
    opened.reopen();
    assert_eq!(everything(&*opened.store()).await, before);
}

/// Deleted before and created after: still another version.
pub async fn versions_go_on_after_reopening(mut opened: Opened) {
    let mut seen = BTreeSet::new();
    for life in 0..5 {
        let store = opened.store();
        for path in ["a", "b"] {
            let now = create(&*store, path, &[life]).await;
            assert!(seen.insert(now), "{now:?} came again in life {life}");
            must_commit(&*store, |c| {
                c.delete(Key::record(path), now);
            })
            .await;
        }
        drop(store);
        opened.reopen();
    }
}

/// What was judged by version before is judged the same after.
pub async fn a_conflict_is_still_a_conflict_after_reopening(mut opened: Opened) {
    let store = opened.store();
    let old = create(&*store, "a", b"1").await;
    must_commit(&*store, |c| {
        c.put(Key::record("a"), record(b"2"), Expected::At(old));
    })
    .await;
    let now = version(&*store, "a").await;
    must_commit(&*store, |c| {
        c.append(Key::event("e"), record(b"e"))
            .add(Cell::new("c"), 3, Some(3));
    })
    .await;
    drop(store);
    opened.reopen();
    let store = opened.store();
    let stale = commit(&*store, |c| {
        c.put(Key::record("a"), record(b"3"), Expected::At(old));
    });
    assert_eq!(stale.await, Commit::Conflict);
    let twice = commit(&*store, |c| {
        c.append(Key::event("e"), record(b"e"));
    });
    assert_eq!(twice.await, Commit::Conflict);
    let full = commit(&*store, |c| {
        c.add(Cell::new("c"), 1, Some(3));
    });
    assert_eq!(full.await, Commit::CapReached(Cell::new("c")));
    must_commit(&*store, |c| {
        c.put(Key::record("a"), record(b"3"), Expected::At(now));
    })
    .await;
}
