//! The rules of [`narthex_core::store::Store`], one function each; a store that breaks one panics.
//!
//! ```
//! # mod example {
//! use narthex_core::store::MemoryStore;
//!
//! narthex_conformance::store_suite!(MemoryStore::new());
//! # }
//! ```
//!
//! The first argument is an expression that opens a fresh, empty store; it is evaluated once per
//! test. It gives a store, or an [`Opened`] that also holds what must outlive the store. Then may
//! come:
//!
//! * `block_on = f`: a `fn` of [`BlockOn`] that drives the store's futures, for a store that needs
//!   its own runtime. It is called from several threads at once.
//! * `reopen`: also prove what must hold after the store was closed and opened again. The first
//!   argument must then give an [`Opened::reopenable`].
#![expect(
    clippy::expect_used,
    reason = "a rule fails by panicking: that is what a test harness sees"
)]

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use narthex_core::store::{Cell, ChangeSet, Commit, Expected, Key, Record, Space, Store, Version};

pub mod cells;
pub mod events;
pub mod races;
pub mod records;
pub mod reopening;
pub mod scans;
pub mod sets;

/// What drives a future to its end on the calling thread.
pub type BlockOn = fn(Pin<Box<dyn Future<Output = ()> + Send>>);

/// The default [`BlockOn`]: no runtime at all.
pub fn block_on(future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    futures_executor::block_on(future);
}

/// A store under test, with what must outlive it (a temporary directory, a server).
pub struct Opened {
    // Before the guard: fields are dropped in this order.
    store: Option<Arc<dyn Store>>,
    open_again: Option<OpenAgain>,
    _guard: Option<Box<dyn Any + Send>>,
}

type OpenAgain = Box<dyn Fn() -> Arc<dyn Store> + Send>;

impl Opened {
    /// `store`, and `guard` to be dropped after it.
    pub fn guarded(store: impl Store, guard: impl Any + Send) -> Self {
        Self {
            store: Some(Arc::new(store)),
            open_again: None,
            _guard: Some(Box::new(guard)),
        }
    }

    /// A store that `open` opens, and opens again over the same data after it was dropped. What
    /// `open` owns is dropped after the store.
    pub fn reopenable<S: Store>(open: impl Fn() -> S + Send + 'static) -> Self {
        let open: OpenAgain = Box::new(move || Arc::new(open()));
        Self {
            store: Some(open()),
            open_again: Some(open),
            _guard: None,
        }
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().expect("the store is open"))
    }

    /// Drops the store and opens it again.
    pub fn reopen(&mut self) {
        let open = self.open_again.as_ref();
        let open = open.expect("`reopen` needs an `Opened::reopenable`");
        self.store = None;
        self.store = Some(open());
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opened").field(&self.store).finish()
    }
}

impl<S: Store> From<S> for Opened {
    fn from(store: S) -> Self {
        Self::guarded(store, ())
    }
}

/// Runs one rule that needs nothing but a store.
pub fn check<F>(opened: impl Into<Opened>, block_on: BlockOn, rule: fn(Arc<dyn Store>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let opened = opened.into();
    block_on(Box::pin(rule(opened.store())));
}

/// Runs one rule that needs many threads.
pub fn check_race(opened: impl Into<Opened>, block_on: BlockOn, rule: fn(&races::Racers)) {
    let opened = opened.into();
    rule(&races::Racers::new(opened.store(), block_on));
}

/// Runs one rule about closing and opening again.
pub fn check_reopening<F>(opened: impl Into<Opened>, block_on: BlockOn, rule: fn(Opened) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    block_on(Box::pin(rule(opened.into())));
}

/// One `#[test]` for each rule of the store contract: see [the module](mod@crate::store_suite).
#[macro_export]
macro_rules! store_suite {
    ($open:expr $(,)?) => {
        $crate::store_suite!($open, block_on = $crate::store_suite::block_on);
    };
    ($open:expr, reopen $(,)?) => {
        $crate::store_suite!($open, block_on = $crate::store_suite::block_on, reopen);
    };
    ($open:expr, block_on = $block_on:expr, reopen $(,)?) => {
        $crate::store_suite!($open, block_on = $block_on);
        $crate::__store_rules! { check_reopening, $open, $block_on;
            reopening::everything_is_there_after_reopening
            reopening::versions_go_on_after_reopening
            reopening::a_conflict_is_still_a_conflict_after_reopening
        }
    };
    ($open:expr, block_on = $block_on:expr $(,)?) => {
        $crate::__store_rules! { check, $open, $block_on;
            records::an_empty_store_has_nothing
            records::a_record_is_read_back_as_it_was_put
            records::put_absent_needs_the_record_to_be_absent
            records::put_at_needs_exactly_that_version
            records::every_put_gives_another_version
            records::delete_needs_exactly_that_version
            records::expect_needs_exactly_that_version_and_changes_nothing
            records::a_deleted_and_recreated_record_never_repeats_a_version
            records::a_version_from_before_a_deletion_is_never_right_again
            records::records_hold_any_bytes
            records::a_record_may_be_as_long_as_the_limit
            records::a_key_may_be_as_long_as_the_limit
            cells::a_cell_adds_up
            cells::a_cell_stops_at_zero
            cells::a_cell_stops_at_the_greatest_value
            cells::a_cap_may_be_reached_and_not_passed
            cells::taking_away_is_never_refused_by_a_cap
            cells::adding_nothing_is_never_refused_by_a_cap
            cells::without_a_cap_nothing_is_refused
            cells::the_greatest_cap_refuses_nothing
            cells::raise_never_lowers
            cells::a_dropped_cell_reads_zero_again
            events::an_event_is_read_back_at_version_zero
            events::appending_twice_is_a_conflict
            events::a_dropped_event_is_gone_and_may_come_again
            events::dropping_an_absent_event_is_no_conflict
            sets::an_empty_set_commits
            sets::a_set_of_every_operation_commits_whole
            sets::the_longest_set_commits_whole
            sets::a_conflict_leaves_nothing_behind
            sets::a_cap_reached_leaves_nothing_behind
            sets::a_conflict_comes_before_a_cap
            sets::the_refused_cell_is_named
            sets::one_path_may_occur_in_every_space
            sets::a_key_twice_in_one_set_is_an_error
            sets::too_many_operations_are_an_error
            sets::too_long_a_value_is_an_error
            sets::a_bad_key_is_an_error
            sets::a_key_of_another_space_is_an_error
            sets::the_spaces_do_not_mix
            sets::a_dropped_commit_is_whole_or_not_at_all
            scans::a_scan_is_in_byte_order
            scans::a_scan_lists_only_its_prefix
            scans::a_prefix_ends_where_its_neighbour_begins
            scans::a_scan_goes_on_after_its_cursor
            scans::a_cursor_need_not_exist
            scans::a_cursor_outside_the_prefix_neither_skips_nor_adds
            scans::a_limit_is_kept
            scans::pages_list_each_key_once
            scans::what_was_removed_is_not_listed
        }
        $crate::__store_rules! { check_race, $open, $block_on;
            races::a_cap_holds_exactly_when_all_add_at_once
            races::one_of_many_creations_wins
            races::parallel_increments_lose_nothing
            races::crossed_expectations_never_both_hold
            races::an_expectation_fails_once_its_record_was_changed
            races::a_set_is_never_seen_in_part
            races::what_was_acknowledged_is_read_by_everybody
        }
    };
}

/// One `#[test]` per listed rule.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_rules {
    ($check:ident, $open:expr, $block_on:expr; $($module:ident :: $rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::store_suite::$check(
                    $open,
                    $block_on,
                    $crate::store_suite::$module::$rule,
                );
            }
        )*
    };
}

fn set(build: impl FnOnce(&mut ChangeSet)) -> ChangeSet {
    let mut changes = ChangeSet::new();
    build(&mut changes);
    changes
}

async fn commit(store: &dyn Store, build: impl FnOnce(&mut ChangeSet)) -> Commit {
    store
        .commit(set(build))
        .await
        .expect("a valid set is decided")
}

async fn must_commit(store: &dyn Store, build: impl FnOnce(&mut ChangeSet)) {
    assert_eq!(commit(store, build).await, Commit::Committed);
}

/// Creates the record `path` and returns its version.
async fn create(store: &dyn Store, path: &str, bytes: &[u8]) -> Version {
    let key = Key::record(path);
    must_commit(store, |c| {
        c.put(key.clone(), record(bytes), Expected::Absent);
    })
    .await;
    version(store, path).await
}

async fn read(store: &dyn Store, path: &str) -> Option<(Vec<u8>, Version)> {
    let found = store
        .get(&Key::record(path))
        .await
        .expect("a read is answered");
    found.map(|(record, version)| (record.0, version))
}

async fn version(store: &dyn Store, path: &str) -> Version {
    read(store, path).await.expect("the record is there").1
}

async fn event(store: &dyn Store, path: &str) -> Option<(Vec<u8>, Version)> {
    let found = store
        .get(&Key::event(path))
        .await
        .expect("a read is answered");
    found.map(|(record, version)| (record.0, version))
}

async fn cell(store: &dyn Store, path: &str) -> u64 {
    let cell = Cell::new(path);
    store.read_cell(&cell).await.expect("a read is answered")
}

async fn scan(
    store: &dyn Store,
    space: Space,
    prefix: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Vec<String> {
    let keys = store
        .scan(space, prefix, cursor, limit)
        .await
        .expect("a scan is answered");
    assert!(
        keys.iter().all(|key| key.space() == space),
        "a key of another space: {keys:?}"
    );
    keys.into_iter().map(|key| key.path().to_owned()).collect()
}

/// Everything a store holds, to compare before and after.
async fn everything(store: &dyn Store) -> Vec<String> {
    let mut all = Vec::new();
    for path in scan(store, Space::Records, "", None, u32::MAX).await {
        all.push(format!("record {path} {:?}", read(store, &path).await));
    }
    for path in scan(store, Space::Events, "", None, u32::MAX).await {
        all.push(format!("event {path} {:?}", event(store, &path).await));
    }
    for path in scan(store, Space::Cells, "", None, u32::MAX).await {
        all.push(format!("cell {path} {}", cell(store, &path).await));
    }
    all
}

fn record(bytes: &[u8]) -> Record {
    Record(bytes.to_vec())
}
