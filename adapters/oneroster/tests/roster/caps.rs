//! Caps hold before anything large is kept, whatever a zip declares about itself.

use std::io::Cursor;

use narthex_oneroster::{Limits, ReadError, ReadOptions, Reading, read, read_zip};

use crate::common::*;

fn with(change: impl FnOnce(&mut Limits)) -> ReadOptions {
    let mut options = options();
    change(&mut options.limits);
    options
}

#[track_caller]
fn too_large(result: Result<Reading, ReadError>, cap: &str) {
    let error = result.expect_err("over a cap");
    let ReadError::TooLarge { name, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(name, cap);
    assert!(error.to_string().contains(cap));
}

/// The sample as a zip, with `users.csv` replaced.
fn zip_with_users(users: &[u8]) -> Vec<u8> {
    let files = Files::oneroster().set("users.csv", users);
    zipped(
        files
            .0
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    )
    .into_inner()
}

#[test]
fn bytes_of_a_file_and_of_all_files_are_capped() {
    let sample = Files::oneroster;
    let users = sample().0["users.csv"].len() as u64;
    assert!(
        sample()
            .read_with(&with(|l| l.file_bytes_max = users))
            .is_ok()
    );
    too_large(
        sample().read_with(&with(|l| l.file_bytes_max = users - 1)),
        "file_bytes_max",
    );
    let all = sample().0.values().map(|bytes| bytes.len() as u64).sum();
    assert!(
        sample()
            .read_with(&with(|l| l.total_bytes_max = all))
            .is_ok()
    );
    too_large(
        sample().read_with(&with(|l| l.total_bytes_max = all - 1)),
        "total_bytes_max",
    );
}

#[test]
fn a_zip_bomb_is_stopped_by_what_it_declares() {
    let bomb = zip_with_users(&vec![b'a'; 4 << 20]);
    assert!(bomb.len() < 64 << 10);
    let options = with(|l| l.file_bytes_max = 1 << 20);
    too_large(read_zip(Cursor::new(bomb), &options), "file_bytes_max");
}

#[test]
fn a_zip_bomb_that_lies_about_its_size_is_stopped_where_the_lie_ends() {
    let mut bomb = zip_with_users(&vec![b'a'; 4 << 20]);
    let (truth, lie) = ((4_u32 << 20).to_le_bytes(), 1_000_u32.to_le_bytes());
    let places: Vec<usize> = (0..bomb.len() - 4)
        .filter(|at| bomb[*at..*at + 4] == truth)
        .collect();
    assert!(!places.is_empty(), "the size stands in the headers");
    for at in places {
        bomb[at..at + 4].copy_from_slice(&lie);
    }
    let options = with(|l| l.file_bytes_max = 1 << 20);
    let error = read_zip(Cursor::new(bomb), &options).unwrap_err();
    // The unpacker gives no byte more than was declared; what it gives is counted besides.
    assert!(matches!(error, ReadError::Read { .. }), "{error}");
}

#[test]
fn files_are_counted_before_any_is_opened() {
    let many: Vec<String> = (0..50).map(|n| format!("{n}.txt")).collect();
    let zip = || zipped(many.iter().map(|name| (name.as_str(), b"".as_slice())));
    too_large(read_zip(zip(), &with(|l| l.files_max = 49)), "files_max");
    assert!(matches!(
        read_zip(zip(), &with(|l| l.files_max = 50)),
        Err(ReadError::NotARoster)
    ));
    too_large(
        read(&sample_path(ONEROSTER), &with(|l| l.files_max = 3)),
        "files_max",
    );
    too_large(
        Files::oneroster().read_with(&with(|l| l.files_max = 3)),
        "files_max",
    );
}

#[test]
fn a_zip_with_an_endless_list_of_files_is_not_listed_to_its_end() {
    let many: Vec<String> = (0..40_000).map(|n| format!("{n}.txt")).collect();
    let zip = zipped(many.iter().map(|name| (name.as_str(), b"".as_slice())));
    too_large(read_zip(zip, &with(|l| l.files_max = 5)), "files_max");
    let length = zip_with_users(b"x").len() as u64;
    let options = with(|l| l.zip_bytes_max = length - 1);
    too_large(
        read_zip(Cursor::new(zip_with_users(b"x")), &options),
        "zip_bytes_max",
    );
}

#[test]
fn rows_and_columns_are_capped() {
    assert!(
        Files::oneroster()
            .read_with(&with(|l| l.rows_max = 98))
            .is_ok()
    );
    too_large(
        Files::oneroster().read_with(&with(|l| l.rows_max = 97)),
        "rows_max",
    );
    too_large(
        Files::oneroster().read_with(&with(|l| l.columns_max = 21)),
        "columns_max",
    );
}

#[test]
fn a_row_or_value_over_its_cap_is_left_out_and_the_next_one_is_read() {
    let files = Files::oneroster().value("users.csv", 3, "middleName", &"x".repeat(2_000_000));
    let reading = files.read();
    assert_eq!(news(&reading)[0], "row_too_long users.csv:3 - -");
    everybody_but(&reading, &Files::oneroster(), &["13002"]);
    let files = Files::oneroster().value("users.csv", 3, "middleName", &"x".repeat(70_000));
    let reading = files.read();
    assert_eq!(news(&reading)[0], "field_too_long users.csv:3 middleName -");
    everybody_but(&reading, &Files::oneroster(), &["13002"]);
}

#[test]
fn findings_are_listed_up_to_a_cap_and_counted_beyond() {
    let reading = Files::oneroster()
        .read_with(&with(|l| l.findings_per_code_max = 5))
        .unwrap();
    let missing = reading
        .findings
        .iter()
        .filter(|f| f.code == "birthdate_missing")
        .count();
    assert_eq!(missing, 5);
    let more = reading
        .findings
        .iter()
        .find(|f| f.code == "findings_more")
        .unwrap();
    assert!(
        more.message
            .starts_with("7 more findings `birthdate_missing`"),
        "{}",
        more.message
    );
}

#[test]
fn a_folder_inside_the_zip_is_told_and_read() {
    let files = Files::oneroster();
    let nested: Vec<(String, Vec<u8>)> = files
        .0
        .iter()
        .map(|(name, bytes)| (format!("export/{name}"), bytes.clone()))
        .collect();
    let mut members: Vec<(&str, &[u8])> = nested
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    members.push(("__MACOSX/export/._users.csv", b"junk"));
    let reading = read_zip(zipped(members.clone()), &options()).unwrap();
    assert_eq!(news(&reading), ["nested_folder :0 - export"]);
    assert_eq!(people(&reading), people(&files.read()));

    members.push(("old/users.csv", b"junk"));
    let error = read_zip(zipped(members), &options()).unwrap_err();
    assert!(matches!(error, ReadError::SeveralRosters { .. }), "{error}");
}

#[test]
fn paths_that_lead_out_of_the_zip_are_told_and_not_read() {
    for path in [
        "../users.csv",
        "/users.csv",
        "a/../../users.csv",
        "..\\users.csv",
        "C:\\users.csv",
    ] {
        let files = Files::oneroster();
        let members = files
            .0
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let zip = zipped(members.chain([(path, b"sourcedId\nevil".as_slice())]));
        let reading = read_zip(zip, &options()).unwrap();
        assert_eq!(news(&reading), [format!("path_unsafe {path}:0 - {path}")]);
        assert_eq!(people(&reading), people(&files.clone().read()));
    }
}

#[test]
fn what_is_no_roster_is_refused_with_what_to_give_instead() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path(), &options()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("users.csv, orgs.csv and roles.csv"),
        "{error}"
    );
    let file = folder.path().join("roster.xml");
    std::fs::write(&file, "<x/>").unwrap();
    assert!(matches!(
        read(&file, &options()),
        Err(ReadError::NotARoster)
    ));
    std::fs::write(&file, "PK not really").unwrap();
    assert!(matches!(
        read(&file, &options()),
        Err(ReadError::Zip { .. })
    ));
    let nowhere = folder.path().join("nowhere");
    assert!(matches!(
        read(&nowhere, &options()),
        Err(ReadError::Open { .. })
    ));
}

#[test]
fn a_damaged_zip_is_an_error_and_not_half_a_roster() {
    let mut bytes = zip_with_users(&Files::oneroster().0["users.csv"]);
    let at = bytes
        .windows(9)
        .position(|window| window == b"users.csv")
        .unwrap()
        + 60;
    bytes[at] ^= 0x55;
    let result = read_zip(Cursor::new(bytes), &options());
    assert!(
        matches!(result, Err(ReadError::Read { .. } | ReadError::Zip { .. })),
        "{result:?}"
    );
}

#[test]
fn dp04_a_file_that_unpacks_to_too_many_times_its_size_is_not_unpacked() {
    // A header and millions of the same row: 1 to 1,000, far below the caps on bytes.
    let mut users = Files::oneroster().0["users.csv"].clone();
    let row = users.split(|b| *b == b'\n').nth(1).unwrap().to_vec();
    for _ in 0..100_000 {
        users.extend_from_slice(&row);
        users.push(b'\n');
    }
    let bomb = zip_with_users(&users);
    let ratio = users.len() as u64 / bomb.len() as u64;
    assert!(ratio > 100, "{ratio}");
    let read = |max| read_zip(Cursor::new(bomb.clone()), &with(|l| l.ratio_max = max));
    too_large(read(100), "ratio_max");
    assert!(read(1_032).is_ok());
    // The sample itself is far from the default.
    let sample = zip_with_users(&Files::oneroster().0["users.csv"]);
    assert!(read_zip(Cursor::new(sample), &with(|l| l.ratio_max = 50)).is_ok());
}

#[test]
fn a42_zips_inside_a_zip_are_not_unpacked() {
    let inner = zip_with_users(&vec![b'a'; 4 << 20]);
    let middle: Vec<(String, Vec<u8>)> = (0..16)
        .map(|n| (format!("lib {n}.zip"), inner.clone()))
        .collect();
    let members = middle
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let error = read_zip(zipped(members), &options()).unwrap_err();
    assert!(matches!(error, ReadError::NotARoster), "{error}");
}

#[test]
fn an_encrypted_file_is_refused_and_says_what_to_do() {
    let mut bytes = zip_with_users(&Files::oneroster().0["users.csv"]);
    // Bit 0 of the general purpose flags, in every local header and directory entry.
    for (magic, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        for at in 0..bytes.len() - 4 {
            if &bytes[at..at + 4] == magic {
                bytes[at + flags] |= 1;
            }
        }
    }
    let error = read_zip(Cursor::new(bytes), &options()).unwrap_err();
    assert!(matches!(error, ReadError::Zip { .. }), "{error}");
    assert!(error.to_string().contains("without a password"), "{error}");
}

#[test]
fn two_files_of_one_name_in_a_zip_are_refused() {
    // The writer refuses a name twice: another one of the same length takes it in the bytes.
    let files = Files::oneroster();
    let members = files
        .0
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let mut bytes = zipped(members.chain([("usars.csv", b"x".as_slice())])).into_inner();
    for at in 0..bytes.len() - 9 {
        if &bytes[at..at + 9] == b"usars.csv" {
            bytes[at + 2] = b'e';
        }
    }
    let error = read_zip(Cursor::new(bytes), &options()).unwrap_err();
    assert!(matches!(error, ReadError::Zip { .. }), "{error}");
}

#[test]
fn dp04_a_line_without_an_end_is_read_up_to_its_cap_and_no_further() {
    let endless = "x".repeat(8 << 20);
    let files = Files::oneroster().append("users.csv", &endless);
    let reading = files.read();
    assert_eq!(news(&reading), ["row_too_long users.csv:100 - -"]);
    assert_eq!(reading.batch.people.len(), 98);
}
