//! The rules of [`narthex_core::store::snapshot::Snapshots`]: a store that can be backed up while it
//! serves passes [`a_snapshot_is_of_one_moment`].
#![expect(
    clippy::unwrap_used,
    reason = "a rule fails by panicking: that is what a test harness sees"
)]

use futures_executor::block_on;
use narthex_core::store::snapshot::{Item, Kept, PAGE_ITEMS_MAX, Snapshot, Snapshots};
use narthex_core::store::{Cell, ChangeSet, Commit, Expected, Key, Record, Store, Version};

/// Enough for several pages of each space.
const EACH: usize = 2 * PAGE_ITEMS_MAX + 100;
const SET: usize = 100;

fn record(n: usize, text: &str) -> Record {
    Record(format!("{text} {n}").into_bytes())
}

fn commit(store: &dyn Store, changes: ChangeSet) {
    assert_eq!(block_on(store.commit(changes)).unwrap(), Commit::Committed);
}

fn fill(store: &dyn Store) {
    for first in (0..EACH).step_by(SET) {
        let mut changes = ChangeSet::new();
        for n in first..(first + SET).min(EACH) {
            let path = format!("r/{n:05}");
            changes.put(Key::record(path), record(n, "first"), Expected::Absent);
            changes.raise(Cell::new(format!("c/{n:05}")), n as u64 + 1);
            changes.append(Key::event(format!("e/{n:05}")), record(n, "event"));
        }
        commit(store, changes);
    }
}

fn version(store: &dyn Store, path: &str) -> Version {
    block_on(store.get(&Key::record(path))).unwrap().unwrap().1
}

/// Changes, removes and adds, in everything.
fn change_everything(store: &dyn Store) {
    for n in 0..EACH {
        let path = format!("r/{n:05}");
        let version = version(store, &path);
        let mut changes = ChangeSet::new();
        match n % 3 {
            0 => changes.delete(Key::record(path), version),
            _ => changes.put(
                Key::record(path),
                record(n, "second"),
                Expected::At(version),
            ),
        };
        let cell = Cell::new(format!("c/{n:05}"));
        match n % 4 {
            0 => changes.drop_cell(cell),
            _ => changes.add(cell, 7, None),
        };
        if n.is_multiple_of(2) {
            changes.drop_event(Key::event(format!("e/{n:05}")));
        }
        let new = Key::record(format!("r/{n:05}/new"));
        changes.put(new, record(n, "new"), Expected::Absent);
        changes.append(Key::event(format!("e/{n:05}/new")), record(n, "new"));
        commit(store, changes);
    }
}

fn as_filled() -> Vec<Item> {
    let each = |space: &'static str, kept: fn(usize) -> Kept| {
        (0..EACH).map(move |n| Item {
            path: format!("{space}/{n:05}"),
            kept: kept(n),
        })
    };
    each("r", |n| Kept::Record(record(n, "first")))
        .chain(each("c", |n| Kept::Cell(n as u64 + 1)))
        .chain(each("e", |n| Kept::Event(record(n, "event"))))
        .collect()
}

fn rest(snapshot: &mut dyn Snapshot) -> Vec<Item> {
    let mut items = Vec::new();
    loop {
        let page = snapshot.next_page().unwrap();
        assert!(page.len() <= PAGE_ITEMS_MAX, "a page is too long");
        if page.is_empty() {
            return items;
        }
        items.extend(page);
    }
}

/// What a snapshot shows is the state at the moment it was taken, in order, whatever is changed before
/// and while it is read; and a second snapshot has its own moment.
///
/// # Panics
/// It does not.
pub fn a_snapshot_is_of_one_moment(store: &impl Snapshots) {
    assert!(rest(&mut *store.snapshot().unwrap()).is_empty());
    fill(store);
    let mut first = store.snapshot().unwrap();
    let mut untouched = store.snapshot().unwrap();
    let mut seen = first.next_page().unwrap();
    change_everything(store);
    let mut second = store.snapshot().unwrap();
    seen.extend(rest(&mut *first));
    assert!(seen == as_filled(), "the snapshot moved while it was read");
    let late = rest(&mut *untouched);
    assert!(late == as_filled(), "the snapshot moved before it was read");
    let changed = rest(&mut *second);
    let news = changed.iter().filter(|item| item.path.ends_with("/new"));
    assert_eq!(news.count(), 2 * EACH);
    let removed = EACH.div_ceil(3) + EACH.div_ceil(2);
    let cells = changed.iter().filter(|item| item.path.starts_with("c/"));
    assert_eq!(cells.count(), EACH - EACH.div_ceil(4));
    let old = changed
        .iter()
        .filter(|item| !item.path.ends_with("/new") && !item.path.starts_with("c/"));
    assert_eq!(old.count(), 2 * EACH - removed);
}

/// Snapshots taken while others write hold each change set whole or not at all.
///
/// # Panics
/// One does not.
pub fn a_snapshot_holds_every_set_whole(store: &impl Snapshots) {
    const SETS: usize = 400;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..SETS {
                let mut changes = ChangeSet::new();
                let key = Key::record(format!("a/{n:05}"));
                changes.put(key, record(n, "whole"), Expected::Absent);
                changes.raise(Cell::new("count"), n as u64 + 1);
                changes.append(Key::event(format!("z/{n:05}")), record(n, "whole"));
                commit(store, changes);
            }
        });
        let mut looks = 0;
        while !writer.is_finished() || looks == 0 {
            let items = rest(&mut *store.snapshot().unwrap());
            let count = items.iter().find_map(|item| match item.kept {
                Kept::Cell(count) => Some(count),
                _ => None,
            });
            let count = usize::try_from(count.unwrap_or(0)).unwrap();
            let records = items.iter().filter(|item| item.path.starts_with("a/"));
            let events = items.iter().filter(|item| item.path.starts_with("z/"));
            assert_eq!((records.count(), events.count()), (count, count));
            looks += 1;
        }
    });
}
