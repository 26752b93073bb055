//! Cells: `u64` without a version.

use std::sync::Arc;

use narthex_core::store::{Cell, Commit, Store};

use super::{cell, commit, must_commit};

async fn add(store: &dyn Store, path: &str, n: i64, cap: Option<u64>) -> Commit {
    commit(store, |c| {
        c.add(Cell::new(path), n, cap);
    })
    .await
}

async fn raise(store: &dyn Store, path: &str, value: u64) {
    must_commit(store, |c| {
        c.raise(Cell::new(path), value);
    })
    .await;
}

/// Up and down, each cell for itself.
pub async fn a_cell_adds_up(store: Arc<dyn Store>) {
    for n in [5, 7, -4] {
        assert_eq!(add(&*store, "a", n, None).await, Commit::Committed);
    }
    assert_eq!(add(&*store, "b", 1, None).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, 8);
    assert_eq!(cell(&*store, "b").await, 1);
}

/// Taking away more than is there leaves 0.
pub async fn a_cell_stops_at_zero(store: Arc<dyn Store>) {
    assert_eq!(add(&*store, "a", 3, None).await, Commit::Committed);
    assert_eq!(add(&*store, "a", -5, None).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, 0);
    assert_eq!(
        add(&*store, "never-written", i64::MIN, None).await,
        Commit::Committed
    );
    assert_eq!(cell(&*store, "never-written").await, 0);
    assert_eq!(add(&*store, "a", 2, None).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, 2);
}

/// Adding to the greatest value leaves it; it can be taken from again.
pub async fn a_cell_stops_at_the_greatest_value(store: Arc<dyn Store>) {
    raise(&*store, "a", u64::MAX - 1).await;
    assert_eq!(add(&*store, "a", i64::MAX, None).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, u64::MAX);
    assert_eq!(add(&*store, "a", 1, None).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, u64::MAX);
    assert_eq!(add(&*store, "a", i64::MIN, None).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, u64::MAX - (1 << 63));
}

/// A result equal to the cap is taken, one more is refused, and the refusal changes nothing.
pub async fn a_cap_may_be_reached_and_not_passed(store: Arc<dyn Store>) {
    let refused = || Commit::CapReached(Cell::new("a"));
    assert_eq!(add(&*store, "a", 11, Some(10)).await, refused());
    assert_eq!(cell(&*store, "a").await, 0);
    assert_eq!(add(&*store, "a", 9, Some(10)).await, Commit::Committed);
    assert_eq!(add(&*store, "a", 2, Some(10)).await, refused());
    assert_eq!(add(&*store, "a", 1, Some(10)).await, Commit::Committed);
    assert_eq!(add(&*store, "a", 1, Some(10)).await, refused());
    assert_eq!(cell(&*store, "a").await, 10);
    assert_eq!(add(&*store, "a", 1, Some(11)).await, Commit::Committed);
    assert_eq!(add(&*store, "a", 1, Some(0)).await, refused());
    assert_eq!(cell(&*store, "a").await, 11);
    assert_eq!(add(&*store, "a", -1, None).await, Commit::Committed);
    assert_eq!(add(&*store, "a", 1, Some(11)).await, Commit::Committed);
}

/// A credit goes through even where the cell is above its cap.
pub async fn taking_away_is_never_refused_by_a_cap(store: Arc<dyn Store>) {
    raise(&*store, "a", 100).await;
    assert_eq!(add(&*store, "a", -1, Some(10)).await, Commit::Committed);
    assert_eq!(add(&*store, "a", -1, Some(0)).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, 98);
    assert_eq!(
        add(&*store, "a", 1, Some(98)).await,
        Commit::CapReached(Cell::new("a"))
    );
}

/// Only a positive amount can be refused.
pub async fn adding_nothing_is_never_refused_by_a_cap(store: Arc<dyn Store>) {
    raise(&*store, "a", 100).await;
    assert_eq!(add(&*store, "a", 0, Some(10)).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, 100);
}

/// `None` refuses nothing.
pub async fn without_a_cap_nothing_is_refused(store: Arc<dyn Store>) {
    for _ in 0..3 {
        assert_eq!(add(&*store, "a", i64::MAX, None).await, Commit::Committed);
    }
    assert_eq!(cell(&*store, "a").await, u64::MAX);
}

/// The result stops at the greatest value, which is not above a cap of the greatest value.
pub async fn the_greatest_cap_refuses_nothing(store: Arc<dyn Store>) {
    raise(&*store, "a", u64::MAX).await;
    assert_eq!(
        add(&*store, "a", 1, Some(u64::MAX)).await,
        Commit::Committed
    );
    let refused = add(&*store, "a", 1, Some(u64::MAX - 1)).await;
    assert_eq!(refused, Commit::CapReached(Cell::new("a")));
    assert_eq!(cell(&*store, "a").await, u64::MAX);
}

/// A cell is at least every value it was raised to.
pub async fn raise_never_lowers(store: Arc<dyn Store>) {
    let steps = [
        (5, 5),
        (3, 5),
        (9, 9),
        (0, 9),
        (9, 9),
        (u64::MAX, u64::MAX),
        (1, u64::MAX),
    ];
    for (value, least) in steps {
        raise(&*store, "a", value).await;
        assert_eq!(cell(&*store, "a").await, least);
    }
}

/// It reads 0, is not listed, its cap is free again; dropping what is not there is no conflict.
pub async fn a_dropped_cell_reads_zero_again(store: Arc<dyn Store>) {
    assert_eq!(add(&*store, "a", 10, Some(10)).await, Commit::Committed);
    for path in ["a", "a", "never-written"] {
        must_commit(&*store, |c| {
            c.drop_cell(Cell::new(path));
        })
        .await;
        assert_eq!(cell(&*store, path).await, 0);
    }
    assert!(
        super::scan(&*store, narthex_core::store::Space::Cells, "", None, 9)
            .await
            .is_empty()
    );
    assert_eq!(add(&*store, "a", 10, Some(10)).await, Commit::Committed);
    assert_eq!(cell(&*store, "a").await, 10);
}
