//! A store that does not open says why and what to do, and leaves alone what is not its own.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use futures_executor::block_on;
use narthex_core::store::{ChangeSet, Commit, Expected, Key, Record, Store};
use narthex_redb::{OpenError, RedbStore};
use redb::{Database, TableDefinition};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("narthex.redb");
    (directory, path)
}

fn fill(path: &Path) {
    let store = RedbStore::open(path).unwrap();
    for n in 0..20 {
        let mut changes = ChangeSet::new();
        let record = Record(vec![n; 10_000]);
        changes.put(Key::record(format!("r/{n}")), record, Expected::Absent);
        assert_eq!(block_on(store.commit(changes)).unwrap(), Commit::Committed);
    }
}

#[test]
fn a_second_open_is_refused_and_says_what_to_do() {
    let (_directory, path) = place();
    let store = RedbStore::open(&path).unwrap();
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("narthex.redb is in use") && message.contains("Stop that process"));
    drop(store);
    RedbStore::open(&path).unwrap();
}

#[test]
fn a_file_of_something_else_is_refused_and_left_as_it_is() {
    let (_directory, path) = place();
    for contents in [
        "x",
        "a list of pupils, not a store\n",
        &"long ".repeat(10_000),
    ] {
        fs::write(&path, contents).unwrap();
        let error = RedbStore::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), contents);
    }
}

#[test]
fn a_redb_file_of_somebody_else_is_refused() {
    let (_directory, path) = place();
    let table: TableDefinition<'_, &str, &str> = TableDefinition::new("theirs");
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(table)
        .unwrap()
        .insert("a", "b")
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error:?}");
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let (_directory, path) = place();
    drop(RedbStore::open(&path).unwrap());
    let meta: TableDefinition<'_, &str, u64> = TableDefinition::new("narthex");
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(meta)
        .unwrap()
        .insert("format", 7)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = RedbStore::open(&path).unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::NewerFormat {
                found: 7,
                known: 1,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("format 7"));
}

#[test]
fn a_cut_off_file_is_damaged() {
    let (_directory, path) = place();
    fill(&path);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    for kept in [length / 2, length / 8, 5000] {
        file.set_len(kept).unwrap();
        let error = RedbStore::open(&path).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { .. }),
            "{kept} of {length}: {error:?}"
        );
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let (directory, _path) = place();
    let path = directory.path().join("missing").join("narthex.redb");
    let error = RedbStore::open(path).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error:?}");
    let error = RedbStore::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_new_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = place();
    drop(RedbStore::open(&path).unwrap());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_refused_for_that_reason() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = place();
    drop(RedbStore::open(&path).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let allowed = fs::OpenOptions::new().write(true).open(&path);
    let outcome = RedbStore::open(&path);
    match allowed {
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(
                matches!(outcome, Err(OpenError::NoPermission { .. })),
                "{outcome:?}"
            );
        }
        // The superuser may do anything, and then so may the store.
        Ok(_) => drop(outcome.unwrap()),
    }
}

#[test]
fn a_temporary_store_leaves_nothing_behind() {
    let store = RedbStore::temporary().unwrap();
    let debug = format!("{store:?}");
    let start = debug.find('/').unwrap();
    let length = debug[start..].find("narthex.redb").unwrap();
    let directory = PathBuf::from(&debug[start..start + length]);
    assert!(directory.is_dir());
    drop(store);
    assert!(!directory.exists());
}
