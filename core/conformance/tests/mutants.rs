//! The suite can fail: each of these stores breaks one rule, and the rule finds it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use narthex_conformance::store_suite::{
    Opened, block_on, cells, check, check_race, check_reopening, events, races, records, reopening,
    scans, sets,
};
use narthex_core::store::{
    Cell, Change, ChangeSet, Commit, Expected, Key, MemoryStore, Record, Space, Store, StoreError,
    Version,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    IgnoresCaps,
    RefusesTheLastPlaceUnderACap,
    CapsCredits,
    IgnoresExpectations,
    AppliesBeforeValidating,
    ChecksCapsFirst,
    CountsVersionsPerKey,
    ChecksThenActs,
    AcceptsRepeatedKeys,
    CutsLongRecords,
    OverwritesEvents,
    TearsDroppedCommits,
    ListsTheCursorAgain,
    IgnoresTheLimit,
    EndsPrefixesTooLate,
    SkipsToTheCursorOutside,
    ReadsEventsAsRecords,
    ListsRecordsAsEvents,
    LowersOnRaise,
}

/// A right store behind a wrong one.
#[derive(Debug)]
struct Mutant {
    inner: MemoryStore,
    fault: Fault,
    /// For each key: its version counted from 1 at creation, and the true one.
    counted: Mutex<BTreeMap<String, (u64, Version)>>,
}

impl Mutant {
    fn new(fault: Fault) -> Self {
        Self {
            inner: MemoryStore::new(),
            fault,
            counted: Mutex::default(),
        }
    }

    async fn one_by_one(&self, changes: &[Change]) -> Result<Commit, StoreError> {
        for change in changes {
            let outcome = self.inner.commit(set_of([change.clone()])).await?;
            if outcome != Commit::Committed {
                return Ok(outcome);
            }
        }
        Ok(Commit::Committed)
    }

    async fn caps_first(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        for change in changes.changes() {
            if let Change::Add {
                cell,
                n,
                cap: Some(cap),
            } = change
                && self.inner.read_cell(cell).await?.saturating_add_signed(*n) > *cap
            {
                return Ok(Commit::CapReached(cell.clone()));
            }
        }
        self.inner.commit(changes).await
    }

    /// Judges, lets others go first, and then writes whatever it found.
    async fn check_then_act(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        let mut forced = ChangeSet::new();
        for change in changes.changes() {
            let Change::Put {
                key,
                record,
                expected,
            } = change
            else {
                forced.push(change.clone());
                continue;
            };
            let found = self.inner.get(key).await?.map(|(_, version)| version);
            let as_expected = match expected {
                Expected::Absent => found.is_none(),
                Expected::At(version) => found == Some(*version),
            };
            if !as_expected {
                return Ok(Commit::Conflict);
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
            let found = self.inner.get(key).await?.map(|(_, version)| version);
            let now = found.map_or(Expected::Absent, Expected::At);
            forced.put(key.clone(), record.clone(), now);
        }
        self.inner.commit(forced).await
    }

    async fn counting_versions_per_key(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        let known = self.counted.lock().unwrap().clone();
        let truly = |key: &Key, version: Version| match known.get(key.path()) {
            Some((counted, truth)) if *counted == version.0 => *truth,
            _ => Version(u64::MAX),
        };
        let translated = set_of(
            changes
                .changes()
                .iter()
                .cloned()
                .map(|change| match change {
                    Change::Put {
                        key,
                        record,
                        expected: Expected::At(at),
                    } => Change::Put {
                        expected: Expected::At(truly(&key, at)),
                        key,
                        record,
                    },
                    Change::Delete { key, version } => Change::Delete {
                        version: truly(&key, version),
                        key,
                    },
                    Change::Expect { key, version } => Change::Expect {
                        version: truly(&key, version),
                        key,
                    },
                    other => other,
                }),
        );
        let outcome = self.inner.commit(translated).await?;
        if outcome == Commit::Committed {
            for change in changes.changes() {
                self.count(change).await?;
            }
        }
        Ok(outcome)
    }

    async fn count(&self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Put { key, .. } => {
                let truth = self.inner.get(key).await?.unwrap().1;
                let mut known = self.counted.lock().unwrap();
                let count = known.get(key.path()).map_or(0, |(count, _)| *count);
                known.insert(key.path().to_owned(), (count + 1, truth));
            }
            Change::Delete { key, .. } => {
                self.counted.lock().unwrap().remove(key.path());
            }
            _ => {}
        }
        Ok(())
    }

    async fn in_halves(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        let (first, second) = changes.changes().split_at(changes.changes().len() / 2);
        let outcome = self.inner.commit(set_of(first.iter().cloned())).await?;
        let mut waited = false;
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            let ready = std::mem::replace(&mut waited, true);
            if ready {
                // Long enough that readers see it on a busy machine too.
                std::thread::sleep(std::time::Duration::from_millis(2));
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        if outcome != Commit::Committed {
            return Ok(outcome);
        }
        self.inner.commit(set_of(second.iter().cloned())).await
    }

    /// The set as this mutant understands it.
    async fn misread(&self, change: Change) -> Result<Option<Change>, StoreError> {
        Ok(Some(match (self.fault, change) {
            (Fault::IgnoresCaps, Change::Add { cell, n, .. }) => Change::Add { cell, n, cap: None },
            (Fault::RefusesTheLastPlaceUnderACap, Change::Add { cell, n, cap }) => Change::Add {
                cell,
                n,
                cap: cap.map(|cap| cap.saturating_sub(1)),
            },
            (Fault::IgnoresExpectations, Change::Expect { .. }) => return Ok(None),
            (
                Fault::CutsLongRecords,
                Change::Put {
                    key,
                    mut record,
                    expected,
                },
            ) => {
                record.0.truncate(64 * 1024);
                Change::Put {
                    key,
                    record,
                    expected,
                }
            }
            (Fault::OverwritesEvents, Change::Append { key, event }) => {
                self.inner
                    .commit(set_of([Change::DropEvent { key: key.clone() }]))
                    .await?;
                Change::Append { key, event }
            }
            (Fault::LowersOnRaise, Change::Raise { cell, value }) => {
                self.inner
                    .commit(set_of([Change::DropCell { cell: cell.clone() }]))
                    .await?;
                Change::Raise { cell, value }
            }
            (_, change) => change,
        }))
    }

    async fn refuses_credit(&self, changes: &ChangeSet) -> Result<Option<Cell>, StoreError> {
        for change in changes.changes() {
            if let Change::Add {
                cell,
                cap: Some(cap),
                ..
            } = change
                && self.inner.read_cell(cell).await? > *cap
            {
                return Ok(Some(cell.clone()));
            }
        }
        Ok(None)
    }
}

fn set_of(changes: impl IntoIterator<Item = Change>) -> ChangeSet {
    let mut set = ChangeSet::new();
    for change in changes {
        set.push(change);
    }
    set
}

#[async_trait]
impl Store for Mutant {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        let found = self.inner.get(key).await?;
        match self.fault {
            Fault::ReadsEventsAsRecords if found.is_none() => {
                self.inner.get(&Key::event(key.path())).await
            }
            Fault::CountsVersionsPerKey if key.space() == Space::Records => {
                let known = self.counted.lock().unwrap();
                let counted = known.get(key.path()).map_or(0, |(count, _)| *count);
                Ok(found.map(|(record, _)| (record, Version(counted))))
            }
            _ => Ok(found),
        }
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.inner.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        match self.fault {
            Fault::AppliesBeforeValidating => return self.one_by_one(changes.changes()).await,
            Fault::ChecksCapsFirst => return self.caps_first(changes).await,
            Fault::ChecksThenActs => return self.check_then_act(changes).await,
            Fault::CountsVersionsPerKey => return self.counting_versions_per_key(changes).await,
            Fault::TearsDroppedCommits => return self.in_halves(changes).await,
            Fault::CapsCredits => {
                if let Some(cell) = self.refuses_credit(&changes).await? {
                    return Ok(Commit::CapReached(cell));
                }
            }
            Fault::AcceptsRepeatedKeys if changes.validate().is_err() => {
                let first = changes.changes().first().cloned();
                return self.inner.commit(set_of(first)).await;
            }
            _ => {}
        }
        let mut misread = ChangeSet::new();
        for change in changes.changes() {
            if let Some(change) = self.misread(change.clone()).await? {
                misread.push(change);
            }
        }
        self.inner.commit(misread).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        let all = self.inner.scan(space, "", None, u32::MAX).await?;
        let taken = |mut keys: Vec<Key>| {
            keys.truncate(limit as usize);
            keys
        };
        match self.fault {
            Fault::ListsTheCursorAgain => {
                let from = all.into_iter().filter(|k| k.path().starts_with(prefix));
                Ok(taken(
                    from.filter(|k| cursor.is_none_or(|c| k.path() >= c))
                        .collect(),
                ))
            }
            Fault::IgnoresTheLimit => self.inner.scan(space, prefix, cursor, u32::MAX).await,
            Fault::EndsPrefixesTooLate => {
                let from = all.into_iter().filter(|k| k.path() >= prefix);
                Ok(taken(
                    from.filter(|k| cursor.is_none_or(|c| k.path() > c))
                        .collect(),
                ))
            }
            Fault::SkipsToTheCursorOutside => {
                let skip = cursor.map_or("", |c| if c < prefix { "~" } else { c });
                self.inner.scan(space, prefix, Some(skip), limit).await
            }
            Fault::ListsRecordsAsEvents if space == Space::Events => {
                let records = self
                    .inner
                    .scan(Space::Records, prefix, cursor, limit)
                    .await?;
                Ok(records.iter().map(|k| Key::event(k.path())).collect())
            }
            _ => self.inner.scan(space, prefix, cursor, limit).await,
        }
    }
}

fn finds(fault: Fault, run: impl FnOnce(Mutant)) {
    let outcome = catch_unwind(AssertUnwindSafe(|| run(Mutant::new(fault))));
    assert!(
        outcome.is_err(),
        "no rule found a store that has the fault {fault:?}"
    );
}

macro_rules! mutants {
    ($($name:ident: $fault:ident, $check:ident($module:ident::$rule:ident);)*) => {$(
        #[test]
        fn $name() {
            finds(Fault::$fault, |mutant| $check(mutant, block_on, $module::$rule));
        }
    )*};
}

mutants! {
    ignored_caps_are_found: IgnoresCaps, check(cells::a_cap_may_be_reached_and_not_passed);
    ignored_caps_are_found_in_a_race:
        IgnoresCaps, check_race(races::a_cap_holds_exactly_when_all_add_at_once);
    a_cap_one_too_low_is_found:
        RefusesTheLastPlaceUnderACap, check(cells::a_cap_may_be_reached_and_not_passed);
    capped_credits_are_found: CapsCredits, check(cells::taking_away_is_never_refused_by_a_cap);
    ignored_expectations_are_found:
        IgnoresExpectations,
        check(records::expect_needs_exactly_that_version_and_changes_nothing);
    ignored_expectations_are_found_when_crossed:
        IgnoresExpectations, check_race(races::crossed_expectations_never_both_hold);
    ignored_expectations_are_found_when_the_gate_changes:
        IgnoresExpectations, check_race(races::an_expectation_fails_once_its_record_was_changed);
    a_half_applied_conflict_is_found:
        AppliesBeforeValidating, check(sets::a_conflict_leaves_nothing_behind);
    a_half_applied_cap_is_found:
        AppliesBeforeValidating, check(sets::a_cap_reached_leaves_nothing_behind);
    caps_before_conflicts_are_found: ChecksCapsFirst, check(sets::a_conflict_comes_before_a_cap);
    versions_counted_per_key_are_found:
        CountsVersionsPerKey,
        check(records::a_deleted_and_recreated_record_never_repeats_a_version);
    an_old_version_that_is_right_again_is_found:
        CountsVersionsPerKey,
        check(records::a_version_from_before_a_deletion_is_never_right_again);
    check_then_act_is_found: ChecksThenActs, check_race(races::one_of_many_creations_wins);
    lost_updates_are_found: ChecksThenActs, check_race(races::parallel_increments_lose_nothing);
    repeated_keys_are_found: AcceptsRepeatedKeys, check(sets::a_key_twice_in_one_set_is_an_error);
    bad_keys_are_found: AcceptsRepeatedKeys, check(sets::a_bad_key_is_an_error);
    foreign_keys_are_found: AcceptsRepeatedKeys, check(sets::a_key_of_another_space_is_an_error);
    long_sets_are_found: AcceptsRepeatedKeys, check(sets::too_many_operations_are_an_error);
    cut_records_are_found: CutsLongRecords, check(sets::too_long_a_value_is_an_error);
    overwritten_events_are_found:
        OverwritesEvents, check(events::appending_twice_is_a_conflict);
    torn_commits_are_found:
        TearsDroppedCommits, check(sets::a_dropped_commit_is_whole_or_not_at_all);
    torn_reads_are_found: TearsDroppedCommits, check_race(races::a_set_is_never_seen_in_part);
    a_repeated_cursor_is_found: ListsTheCursorAgain, check(scans::a_scan_goes_on_after_its_cursor);
    pages_that_do_not_end_are_found:
        ListsTheCursorAgain, check(scans::pages_list_each_key_once);
    an_ignored_limit_is_found: IgnoresTheLimit, check(scans::a_limit_is_kept);
    a_late_end_of_a_prefix_is_found:
        EndsPrefixesTooLate, check(scans::a_prefix_ends_where_its_neighbour_begins);
    a_cursor_before_the_prefix_is_found:
        SkipsToTheCursorOutside,
        check(scans::a_cursor_outside_the_prefix_neither_skips_nor_adds);
    events_read_as_records_are_found: ReadsEventsAsRecords, check(sets::the_spaces_do_not_mix);
    records_listed_as_events_are_found: ListsRecordsAsEvents, check(sets::the_spaces_do_not_mix);
    lowering_is_found: LowersOnRaise, check(cells::raise_never_lowers);
}

#[test]
fn a_store_that_forgets_at_the_end_is_found() {
    let forgets = Opened::reopenable(MemoryStore::new);
    let rule = reopening::everything_is_there_after_reopening;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        check_reopening(forgets, block_on, rule)
    }));
    assert!(outcome.is_err());
}

#[test]
fn versions_that_begin_again_are_found() {
    let forgets = Opened::reopenable(MemoryStore::new);
    let rule = reopening::versions_go_on_after_reopening;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        check_reopening(forgets, block_on, rule)
    }));
    assert!(outcome.is_err());
}

/// Memory that stays when the store is closed: the reopening rules themselves can be passed.
#[derive(Debug)]
struct Kept(Arc<MemoryStore>);

#[async_trait]
impl Store for Kept {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        self.0.get(key).await
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.0.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        self.0.commit(changes).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.0.scan(space, prefix, cursor, limit).await
    }
}

mod kept {
    use super::*;

    fn open() -> Opened {
        let memory = Arc::new(MemoryStore::new());
        Opened::reopenable(move || Kept(Arc::clone(&memory)))
    }

    narthex_conformance::store_suite!(open(), reopen);
}
