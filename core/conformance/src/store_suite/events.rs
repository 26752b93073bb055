//! Events: appended once, only ever dropped.

use std::sync::Arc;

use narthex_core::store::{Commit, Key, Store, Version};

use super::{commit, event, must_commit, record};

async fn append(store: &dyn Store, path: &str, bytes: &[u8]) -> Commit {
    commit(store, |c| {
        c.append(Key::event(path), record(bytes));
    })
    .await
}

async fn drop_event(store: &dyn Store, path: &str) -> Commit {
    commit(store, |c| {
        c.drop_event(Key::event(path));
    })
    .await
}

/// `get` reads it; its version is 0, however many there are.
pub async fn an_event_is_read_back_at_version_zero(store: Arc<dyn Store>) {
    assert_eq!(
        append(&*store, "1/a", b"logged in").await,
        Commit::Committed
    );
    assert_eq!(
        append(&*store, "1/b", b"logged out").await,
        Commit::Committed
    );
    let first = (b"logged in".to_vec(), Version(0));
    let second = (b"logged out".to_vec(), Version(0));
    assert_eq!(event(&*store, "1/a").await, Some(first));
    assert_eq!(event(&*store, "1/b").await, Some(second));
}

/// What happened is never written over, not even by the same.
pub async fn appending_twice_is_a_conflict(store: Arc<dyn Store>) {
    assert_eq!(
        append(&*store, "1", b"what happened").await,
        Commit::Committed
    );
    assert_eq!(
        append(&*store, "1", b"another story").await,
        Commit::Conflict
    );
    assert_eq!(
        append(&*store, "1", b"what happened").await,
        Commit::Conflict
    );
    let kept = event(&*store, "1").await.map(|e| e.0);
    assert_eq!(kept, Some(b"what happened".to_vec()));
}

/// Dropped events are gone, the others stay.
pub async fn a_dropped_event_is_gone_and_may_come_again(store: Arc<dyn Store>) {
    assert_eq!(append(&*store, "1", b"one").await, Commit::Committed);
    assert_eq!(append(&*store, "2", b"two").await, Commit::Committed);
    assert_eq!(drop_event(&*store, "1").await, Commit::Committed);
    assert_eq!(event(&*store, "1").await, None);
    assert!(event(&*store, "2").await.is_some());
    assert_eq!(append(&*store, "1", b"again").await, Commit::Committed);
}

/// Two nodes that clean up at once do not fight.
pub async fn dropping_an_absent_event_is_no_conflict(store: Arc<dyn Store>) {
    assert_eq!(drop_event(&*store, "1").await, Commit::Committed);
    must_commit(&*store, |c| {
        c.drop_event(Key::event("1"));
        c.append(Key::event("2"), record(b"two"));
    })
    .await;
    assert!(event(&*store, "2").await.is_some());
}
