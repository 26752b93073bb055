//! Scans: keys of one space, in byte order, page by page.

use std::sync::Arc;

use narthex_core::store::{Cell, ChangeSet, Commit, Expected, Key, Space, Store};

use super::{create, must_commit, record, scan, version};

const SPACES: [Space; 3] = [Space::Records, Space::Cells, Space::Events];

/// Writes `paths` in `space`, in the order given.
async fn fill(store: &dyn Store, space: Space, paths: &[&str]) {
    let mut changes = ChangeSet::new();
    for path in paths {
        let key = Key::new(space, *path);
        match space {
            Space::Records => drop(changes.put(key, record(b"x"), Expected::Absent)),
            Space::Events => drop(changes.append(key, record(b"x"))),
            Space::Cells => drop(changes.add(Cell::new(*path), 1, None)),
        }
    }
    let outcome = store.commit(changes).await;
    assert!(matches!(outcome, Ok(Commit::Committed)), "{outcome:?}");
}

/// By bytes, not by any alphabet: digits, capitals, `_`, small letters, `~`.
pub async fn a_scan_is_in_byte_order(store: Arc<dyn Store>) {
    for space in SPACES {
        fill(
            &*store,
            space,
            &["b", "~", "a", "B", "10", "9", "_", "!", "a/b", "a-b", "aa"],
        )
        .await;
        let listed = scan(&*store, space, "", None, 100).await;
        assert_eq!(
            listed,
            ["!", "10", "9", "B", "_", "a", "a-b", "a/b", "aa", "b", "~"]
        );
    }
}

/// Keys that begin with the prefix, the prefix itself among them.
pub async fn a_scan_lists_only_its_prefix(store: Arc<dyn Store>) {
    for space in SPACES {
        fill(
            &*store,
            space,
            &["gate/1", "gate/2", "gat", "gate", "gates", "family/1", "h"],
        )
        .await;
        let gate = scan(&*store, space, "gate/", None, 100).await;
        assert_eq!(gate, ["gate/1", "gate/2"]);
        let gate = scan(&*store, space, "gate", None, 100).await;
        assert_eq!(gate, ["gate", "gate/1", "gate/2", "gates"]);
        for none in ["gate/3", "zzz", "GATE", "gate/1/", "\u{ff}", "gate\u{7f}"] {
            assert!(
                scan(&*store, space, none, None, 100).await.is_empty(),
                "{none:?}"
            );
        }
    }
}

/// `a/` ends before `a0`, `~` is the last character there is, and both ends are exact.
pub async fn a_prefix_ends_where_its_neighbour_begins(store: Arc<dyn Store>) {
    for space in SPACES {
        let paths = [
            "a", "a.", "a.~", "a/", "a/!", "a/~", "a/~~~~", "a0", "a0/", "~", "~~",
        ];
        fill(&*store, space, &paths).await;
        let listed = scan(&*store, space, "a/", None, 100).await;
        assert_eq!(listed, ["a/", "a/!", "a/~", "a/~~~~"]);
        assert_eq!(scan(&*store, space, "~", None, 100).await, ["~", "~~"]);
        assert_eq!(scan(&*store, space, "a/~~~~", None, 100).await, ["a/~~~~"]);
    }
}

/// The cursor itself is not listed again.
pub async fn a_scan_goes_on_after_its_cursor(store: Arc<dyn Store>) {
    for space in SPACES {
        fill(&*store, space, &["p/", "p/1", "p/2", "p/3", "q"]).await;
        assert_eq!(
            scan(&*store, space, "p/", Some("p/1"), 100).await,
            ["p/2", "p/3"]
        );
        assert_eq!(
            scan(&*store, space, "p/", Some("p/"), 100).await,
            ["p/1", "p/2", "p/3"]
        );
        assert!(
            scan(&*store, space, "p/", Some("p/3"), 100)
                .await
                .is_empty()
        );
        assert_eq!(
            scan(&*store, space, "", Some("p/2"), 100).await,
            ["p/3", "q"]
        );
    }
}

/// What a page ended with may have been removed meanwhile.
pub async fn a_cursor_need_not_exist(store: Arc<dyn Store>) {
    for space in SPACES {
        fill(&*store, space, &["p/1", "p/3"]).await;
        for cursor in ["p/2", "p/10", "p/1!"] {
            let listed = scan(&*store, space, "p/", Some(cursor), 100).await;
            assert_eq!(listed, ["p/3"], "after {cursor}");
        }
    }
}

/// Before the prefix: the whole prefix; after it: nothing.
pub async fn a_cursor_outside_the_prefix_neither_skips_nor_adds(store: Arc<dyn Store>) {
    for space in SPACES {
        fill(&*store, space, &["a", "p/1", "p/2", "z"]).await;
        for before in ["", "a", "p", "p.", "!"] {
            let listed = scan(&*store, space, "p/", Some(before), 100).await;
            assert_eq!(listed, ["p/1", "p/2"], "cursor {before:?}");
        }
        for after in ["p0", "q", "z", "~", "\u{ff}"] {
            assert!(
                scan(&*store, space, "p/", Some(after), 100)
                    .await
                    .is_empty(),
                "{after:?}"
            );
        }
    }
}

/// At most so many, from the beginning; none for 0.
pub async fn a_limit_is_kept(store: Arc<dyn Store>) {
    for space in SPACES {
        fill(&*store, space, &["1", "2", "3"]).await;
        assert!(scan(&*store, space, "", None, 0).await.is_empty());
        assert_eq!(scan(&*store, space, "", None, 1).await, ["1"]);
        assert_eq!(scan(&*store, space, "", None, 3).await.len(), 3);
        assert_eq!(scan(&*store, space, "", None, u32::MAX).await.len(), 3);
    }
}

/// Whatever the size of a page.
pub async fn pages_list_each_key_once(store: Arc<dyn Store>) {
    let paths: Vec<String> = (0..100).map(|n| format!("p/{n:03}")).collect();
    let borrowed: Vec<&str> = paths.iter().map(String::as_str).collect();
    for space in SPACES {
        fill(&*store, space, &borrowed).await;
        fill(&*store, space, &["o", "p", "q"]).await;
        for limit in [1, 7, 50, 100, 101] {
            let mut listed: Vec<String> = Vec::new();
            loop {
                let cursor = listed.last().cloned();
                let page = scan(&*store, space, "p/", cursor.as_deref(), limit).await;
                if page.is_empty() {
                    break;
                }
                listed.extend(page);
                assert!(
                    listed.len() <= paths.len(),
                    "pages of {limit} do not come to an end"
                );
            }
            assert_eq!(listed, paths, "pages of {limit}");
        }
    }
}

/// A deleted record, a dropped cell and a dropped event leave the list.
pub async fn what_was_removed_is_not_listed(store: Arc<dyn Store>) {
    for space in SPACES {
        fill(&*store, space, &["1", "2", "3"]).await;
    }
    let v2 = version(&*store, "2").await;
    must_commit(&*store, |c| {
        c.delete(Key::record("2"), v2);
        c.drop_cell(Cell::new("2"));
        c.drop_event(Key::event("2"));
    })
    .await;
    for space in SPACES {
        assert_eq!(scan(&*store, space, "", None, 100).await, ["1", "3"]);
    }
    create(&*store, "2", b"again").await;
    assert_eq!(
        scan(&*store, Space::Records, "", None, 100).await,
        ["1", "2", "3"]
    );
}
