//! Records: versioned values.

use std::collections::BTreeSet;
use std::sync::Arc;

use narthex_core::store::{
    Commit, Expected, KEY_BYTES_MAX, Key, RECORD_BYTES_MAX, Space, Store, Version,
};

use super::{cell, commit, create, event, must_commit, read, record, scan, version};

/// Nothing is there, cells read 0, scans are empty.
pub async fn an_empty_store_has_nothing(store: Arc<dyn Store>) {
    assert_eq!(read(&*store, "a").await, None);
    assert_eq!(event(&*store, "a").await, None);
    assert_eq!(cell(&*store, "a").await, 0);
    for space in [Space::Records, Space::Cells, Space::Events] {
        assert!(scan(&*store, space, "", None, 10).await.is_empty());
    }
}

/// What is read is what was put.
pub async fn a_record_is_read_back_as_it_was_put(store: Arc<dyn Store>) {
    create(&*store, "gate/1", b"one").await;
    create(&*store, "gate/2", b"two").await;
    assert_eq!(
        read(&*store, "gate/1").await.map(|r| r.0),
        Some(b"one".to_vec())
    );
    assert_eq!(
        read(&*store, "gate/2").await.map(|r| r.0),
        Some(b"two".to_vec())
    );
    assert_eq!(read(&*store, "gate/").await, None);
    assert_eq!(read(&*store, "gate/11").await, None);
}

/// `Expected::Absent` conflicts with a record that is there, until it is deleted.
pub async fn put_absent_needs_the_record_to_be_absent(store: Arc<dyn Store>) {
    let first = create(&*store, "a", b"first").await;
    let again = commit(&*store, |c| {
        c.put(Key::record("a"), record(b"second"), Expected::Absent);
    })
    .await;
    assert_eq!(again, Commit::Conflict);
    assert_eq!(read(&*store, "a").await, Some((b"first".to_vec(), first)));
    must_commit(&*store, |c| {
        c.delete(Key::record("a"), first);
    })
    .await;
    create(&*store, "a", b"third").await;
}

/// `Expected::At` conflicts with another version and with a missing record.
pub async fn put_at_needs_exactly_that_version(store: Arc<dyn Store>) {
    let v1 = create(&*store, "a", b"1").await;
    for wrong in [
        Version(v1.0 + 1),
        Version(v1.0.wrapping_sub(1)),
        Version(u64::MAX),
    ] {
        let refused = commit(&*store, |c| {
            c.put(Key::record("a"), record(b"x"), Expected::At(wrong));
        })
        .await;
        assert_eq!(refused, Commit::Conflict, "{wrong:?} against {v1:?}");
    }
    let missing = commit(&*store, |c| {
        c.put(Key::record("b"), record(b"x"), Expected::At(v1));
    })
    .await;
    assert_eq!(missing, Commit::Conflict);
    assert_eq!(read(&*store, "b").await, None);
    must_commit(&*store, |c| {
        c.put(Key::record("a"), record(b"2"), Expected::At(v1));
    })
    .await;
    let stale = commit(&*store, |c| {
        c.put(Key::record("a"), record(b"3"), Expected::At(v1));
    })
    .await;
    assert_eq!(stale, Commit::Conflict);
    assert_eq!(read(&*store, "a").await.map(|r| r.0), Some(b"2".to_vec()));
}

/// A put of the very same bytes is a change too.
pub async fn every_put_gives_another_version(store: Arc<dyn Store>) {
    let mut seen = BTreeSet::from([create(&*store, "a", b"same").await]);
    for _ in 0..20 {
        let now = version(&*store, "a").await;
        must_commit(&*store, |c| {
            c.put(Key::record("a"), record(b"same"), Expected::At(now));
        })
        .await;
        assert!(
            seen.insert(version(&*store, "a").await),
            "a version came again"
        );
    }
}

/// A delete conflicts with another version and with a missing record.
pub async fn delete_needs_exactly_that_version(store: Arc<dyn Store>) {
    let v1 = create(&*store, "a", b"1").await;
    for (path, wrong) in [("a", Version(v1.0 + 1)), ("b", v1), ("b", Version(0))] {
        let refused = commit(&*store, |c| {
            c.delete(Key::record(path), wrong);
        })
        .await;
        assert_eq!(refused, Commit::Conflict);
    }
    assert_eq!(read(&*store, "a").await, Some((b"1".to_vec(), v1)));
    must_commit(&*store, |c| {
        c.delete(Key::record("a"), v1);
    })
    .await;
    assert_eq!(read(&*store, "a").await, None);
    let twice = commit(&*store, |c| {
        c.delete(Key::record("a"), v1);
    })
    .await;
    assert_eq!(twice, Commit::Conflict);
}

/// An expectation conflicts with another version and with a missing record; one that holds leaves
/// the record and its version alone.
pub async fn expect_needs_exactly_that_version_and_changes_nothing(store: Arc<dyn Store>) {
    let v1 = create(&*store, "a", b"1").await;
    must_commit(&*store, |c| {
        c.expect(Key::record("a"), v1);
    })
    .await;
    assert_eq!(read(&*store, "a").await, Some((b"1".to_vec(), v1)));
    for (path, wrong) in [("a", Version(v1.0 + 1)), ("b", v1), ("b", Version(0))] {
        let refused = commit(&*store, |c| {
            c.expect(Key::record(path), wrong);
            c.put(Key::record("other"), record(b"x"), Expected::Absent);
        })
        .await;
        assert_eq!(refused, Commit::Conflict, "expect({path}, {wrong:?})");
    }
    assert_eq!(read(&*store, "other").await, None);
}

/// Through many lives of one key, no version comes twice.
pub async fn a_deleted_and_recreated_record_never_repeats_a_version(store: Arc<dyn Store>) {
    let mut seen = BTreeSet::new();
    for life in 0..40_u8 {
        let mut now = create(&*store, "a", &[life]).await;
        assert!(
            seen.insert(now),
            "version {now:?} came again in life {life}"
        );
        for _ in 0..life % 3 {
            must_commit(&*store, |c| {
                c.put(Key::record("a"), record(&[life]), Expected::At(now));
            })
            .await;
            now = version(&*store, "a").await;
            assert!(
                seen.insert(now),
                "version {now:?} came again in life {life}"
            );
        }
        must_commit(&*store, |c| {
            c.delete(Key::record("a"), now);
        })
        .await;
    }
}

/// Whoever read a record before it was deleted and created again can do nothing to the new one.
pub async fn a_version_from_before_a_deletion_is_never_right_again(store: Arc<dyn Store>) {
    let old = create(&*store, "a", b"old").await;
    must_commit(&*store, |c| {
        c.delete(Key::record("a"), old);
    })
    .await;
    let new = create(&*store, "a", b"new").await;
    for attempt in 0..3 {
        let refused = commit(&*store, |c| match attempt {
            0 => drop(c.put(Key::record("a"), record(b"x"), Expected::At(old))),
            1 => drop(c.delete(Key::record("a"), old)),
            _ => drop(c.expect(Key::record("a"), old)),
        })
        .await;
        assert_eq!(refused, Commit::Conflict);
    }
    assert_eq!(read(&*store, "a").await, Some((b"new".to_vec(), new)));
}

/// Empty, zeros, all byte values, text in any script.
pub async fn records_hold_any_bytes(store: Arc<dyn Store>) {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let contents: [&[u8]; 4] = [b"", &[0, 0, 0], &all_bytes, "naïve ✓".as_bytes()];
    for (n, bytes) in contents.into_iter().enumerate() {
        create(&*store, &format!("r/{n}"), bytes).await;
        must_commit(&*store, |c| {
            c.append(Key::event(format!("e/{n}")), record(bytes));
        })
        .await;
    }
    for (n, bytes) in contents.into_iter().enumerate() {
        let kept = read(&*store, &format!("r/{n}")).await.map(|r| r.0);
        assert_eq!(kept.as_deref(), Some(bytes));
        let kept = event(&*store, &format!("e/{n}")).await.map(|r| r.0);
        assert_eq!(kept.as_deref(), Some(bytes));
    }
}

/// [`RECORD_BYTES_MAX`] bytes go in and come back, as a record and as an event.
pub async fn a_record_may_be_as_long_as_the_limit(store: Arc<dyn Store>) {
    let longest: Vec<u8> = (0..=255).cycle().take(RECORD_BYTES_MAX).collect();
    must_commit(&*store, |c| {
        c.put(Key::record("a"), record(&longest), Expected::Absent);
        c.append(Key::event("a"), record(&longest));
    })
    .await;
    assert!(read(&*store, "a").await.is_some_and(|r| r.0 == longest));
    assert!(event(&*store, "a").await.is_some_and(|r| r.0 == longest));
}

/// [`KEY_BYTES_MAX`] bytes, of every character allowed.
pub async fn a_key_may_be_as_long_as_the_limit(store: Arc<dyn Store>) {
    let longest: String = ('!'..='~').cycle().take(KEY_BYTES_MAX).collect();
    let neighbour: String = longest.chars().take(KEY_BYTES_MAX - 1).collect();
    create(&*store, &longest, b"longest").await;
    create(&*store, &neighbour, b"neighbour").await;
    assert_eq!(
        read(&*store, &longest).await.map(|r| r.0),
        Some(b"longest".to_vec())
    );
    let listed = scan(&*store, Space::Records, &neighbour, None, 10).await;
    assert_eq!(listed, [neighbour, longest]);
}
