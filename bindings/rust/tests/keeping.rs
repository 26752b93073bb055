//! Backups, restores, moves and the clock, on stores on the disk.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../../../core/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex::core::portal::CheckReport;
use narthex::core::store::backup::BackupError;
use narthex::core::{Error, Portal, Refusal, SessionToken, Timestamp};
use narthex::keeping::{self, KeepingError, Target};
use narthex::{Host, House, OpenOptions, StoreUrl, SystemEntropy};
use narthex_conformance::{ManualClock, TestHasher};
use support::{OTHER_PASSWORD, PASSWORD, START, claim, import, log_in, password};

/// A folder, the machine's clock, and stores in both kinds.
struct Place {
    folder: tempfile::TempDir,
    clock: ManualClock,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: ManualClock::at(START),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self, kind: &str, name: &str) -> StoreUrl {
        let path = self.path("stores").join(name);
        StoreUrl::parse(&format!("{kind}://{}", path.display())).unwrap()
    }

    fn keys(&self, name: &str) -> PathBuf {
        self.path("keys").join(name)
    }

    async fn open(&self, url: &StoreUrl, keys: &str) -> House {
        let mut options = OpenOptions::new(url.clone());
        options.keys = Some(self.keys(keys));
        let mut host = Host::system(Arc::new(TestHasher::new(64)));
        host.clock = Arc::new(self.clock.clone());
        narthex::open_house_with(options, host).await.unwrap()
    }

    fn target(&self, url: &StoreUrl, keys: &str) -> Target {
        Target {
            url: url.clone(),
            keys: Some(self.keys(keys)),
        }
    }

    async fn restore(&self, backup: &Path, target: &Target) -> Result<(), KeepingError> {
        keeping::restore(backup, target, &SystemEntropy, &mut |_, _| {})
            .await
            .map(drop)
    }
}

fn back_up(house: &House, path: &Path) {
    keeping::back_up(house, path, &mut |_, _| {}).unwrap();
}

fn check(house: &House) -> CheckReport {
    let mut snapshot = house.snapshots.snapshot().unwrap();
    house
        .portal
        .check_records(&mut *snapshot, &mut |_| {})
        .unwrap()
}

async fn is_live(portal: &Portal, token: &SessionToken) -> bool {
    match portal.verify_session(token).await {
        Ok(_) => true,
        Err(Error::Refused(Refusal::NotLoggedIn | Refusal::SessionEnded { .. })) => false,
        Err(error) => panic!("a session that is over must be refused in good order: {error}"),
    }
}

async fn ended_sessions_stay_ended(from: &str, to: &str) {
    let place = Place::new();
    let old = place.url(from, "old");
    let house = place.open(&old, "portal.keys").await;
    import(&house.portal, 3).await;
    claim(&house.portal, 0, PASSWORD).await.unwrap();
    let ended_later = log_in(&house.portal, 0, PASSWORD).await.unwrap().token;
    let never_ended = log_in(&house.portal, 0, PASSWORD).await.unwrap().token;
    let backup = place.path("monday.backup");
    back_up(&house, &backup);
    let asker = narthex::core::Asker::default();
    house.portal.log_out(&ended_later, &asker).await.unwrap();
    let session = house.portal.verify_session(&never_ended).await.unwrap();
    let (current, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    let changed = house.portal.change_password(&session, current, new, &asker);
    let never_ended = changed.await.unwrap().token;
    claim(&house.portal, 1, PASSWORD).await.unwrap();
    drop(house);

    let new = place.url(to, "new");
    place
        .restore(&backup, &place.target(&new, "portal.keys"))
        .await
        .unwrap();
    let house = place.open(&new, "portal.keys").await;
    assert!(
        !is_live(&house.portal, &ended_later).await,
        "ended after the backup"
    );
    assert!(
        !is_live(&house.portal, &never_ended).await,
        "all sessions are out"
    );
    assert!(
        log_in(&house.portal, 0, OTHER_PASSWORD).await.is_err(),
        "made later"
    );
    let back = log_in(&house.portal, 0, PASSWORD).await.unwrap();
    assert!(
        is_live(&house.portal, &back.token).await,
        "its password is back"
    );
    assert!(
        claim(&house.portal, 0, PASSWORD).await.is_err(),
        "its claim is back"
    );
    claim(&house.portal, 1, PASSWORD).await.unwrap();
    assert_eq!(check(&house).findings, []);
    drop(house);
    // And the store that was in use before is void too, should somebody start it again.
    let house = place.open(&old, "portal.keys").await;
    assert!(!is_live(&house.portal, &never_ended).await);
}

#[tokio::test]
async fn p01_a_session_ended_after_the_backup_stays_ended_after_the_restore() {
    for (from, to) in [
        ("redb", "redb"),
        ("redb", "sled"),
        ("sled", "redb"),
        ("sled", "sled"),
    ] {
        ended_sessions_stay_ended(from, to).await;
    }
}

#[tokio::test]
async fn p01_a_copy_is_another_incarnation_and_the_original_goes_on() {
    let place = Place::new();
    let house = place.open(&place.url("redb", "old"), "old.keys").await;
    import(&house.portal, 2).await;
    claim(&house.portal, 0, PASSWORD).await.unwrap();
    let token = log_in(&house.portal, 0, PASSWORD).await.unwrap().token;
    let new = place.url("sled", "new");
    let target = place.target(&new, "new.keys");
    keeping::copy(&house, &target, &SystemEntropy, &mut |_, _| {})
        .await
        .unwrap();
    assert!(is_live(&house.portal, &token).await, "nobody is disturbed");
    let copy = place.open(&new, "new.keys").await;
    assert!(!is_live(&copy.portal, &token).await, "but not in the copy");
    log_in(&copy.portal, 0, PASSWORD).await.unwrap();
    assert_eq!(check(&copy).findings, []);
}

#[tokio::test]
async fn a_damaged_or_foreign_backup_makes_no_store_and_leaves_the_keys() {
    let place = Place::new();
    let house = place.open(&place.url("redb", "old"), "portal.keys").await;
    import(&house.portal, 2).await;
    let backup = place.path("monday.backup");
    back_up(&house, &backup);
    let other = place.open(&place.url("redb", "other"), "other.keys").await;
    drop((house, other));
    let new = place.url("redb", "new");
    let keys = fs::read(place.keys("portal.keys")).unwrap();
    let good = fs::read(&backup).unwrap();
    for (at, bit) in [(0, 1), (20, 4), (good.len() / 2, 32), (good.len() - 1, 1)] {
        let mut bytes = good.clone();
        *bytes.get_mut(at).unwrap() ^= bit;
        let damaged = place.path("damaged.backup");
        fs::write(&damaged, bytes).unwrap();
        let target = place.target(&new, "portal.keys");
        let restored = place.restore(&damaged, &target).await;
        assert!(restored.is_err(), "a bit at {at}");
    }
    let error = place
        .restore(&backup, &place.target(&new, "other.keys"))
        .await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, KeepingError::Backup(BackupError::OtherKeys)),
        "{error}"
    );
    assert!(!new.path().unwrap().exists());
    assert_eq!(fs::read(place.keys("portal.keys")).unwrap(), keys);
    place
        .restore(&backup, &place.target(&new, "portal.keys"))
        .await
        .unwrap();
    assert_ne!(fs::read(place.keys("portal.keys")).unwrap(), keys);
    let again = place
        .restore(&backup, &place.target(&new, "portal.keys"))
        .await;
    assert!(
        matches!(again, Err(KeepingError::There(_))),
        "a store is never replaced"
    );
}

#[tokio::test]
async fn p10_no_name_number_birthdate_or_password_can_be_read_in_a_backup() {
    let place = Place::new();
    let house = place.open(&place.url("redb", "old"), "portal.keys").await;
    let who = 12_345_678;
    let batch = support::batch(vec![support::person(who, "north")]);
    let options = narthex::core::portal::ImportOptions::default();
    house
        .portal
        .import_roster(batch, options, &|_| {})
        .await
        .unwrap();
    claim(&house.portal, who, PASSWORD).await.unwrap();
    log_in(&house.portal, who, PASSWORD).await.unwrap();
    let backup = place.path("monday.backup");
    back_up(&house, &backup);
    let bytes = fs::read(&backup).unwrap();
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(has(b"narthex backup 1\n"), "it is looked through");
    let birthdate = support::birthdate(who);
    for text in [
        "Given1234",
        "Family1234",
        "12345678",
        &birthdate,
        PASSWORD,
        "Vellum",
    ] {
        assert!(!has(text.as_bytes()), "{text} is readable");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_backup_never_replaces_a_file() {
    let place = Place::new();
    let house = place.open(&place.url("redb", "old"), "portal.keys").await;
    let backup = place.path("monday.backup");
    fs::write(&backup, "something else").unwrap();
    let error = keeping::back_up(&house, &backup, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, KeepingError::There(_)), "{error}");
    assert_eq!(fs::read_to_string(&backup).unwrap(), "something else");
}

#[tokio::test]
async fn a39_accepting_a_clock_that_went_back_logs_everybody_out_first() {
    for kind in ["redb", "sled"] {
        let place = Place::new();
        let url = place.url(kind, "old");
        let mut options = OpenOptions::new(url.clone());
        options.keys = Some(place.keys("portal.keys"));
        let year = std::time::Duration::from_secs(365 * 24 * 3600);
        place.clock.set_wall(START.plus(year));
        let house = place.open(&url, "portal.keys").await;
        import(&house.portal, 1).await;
        claim(&house.portal, 0, PASSWORD).await.unwrap();
        let token = log_in(&house.portal, 0, PASSWORD).await.unwrap().token;
        house.portal.maintain().await.unwrap();
        drop(house);
        place.clock.set_wall(START);
        let house = place.open(&url, "portal.keys").await;
        assert!(
            house.portal.now().latest >= START.plus(year),
            "never by itself"
        );
        assert!(is_live(&house.portal, &token).await);
        drop(house);

        let accepted = keeping::accept_clock(&options, &place.clock, &SystemEntropy);
        assert!(accepted.await.unwrap().all_out);
        let house = place.open(&url, "portal.keys").await;
        assert_eq!(house.portal.now().latest, START);
        assert!(!is_live(&house.portal, &token).await, "no time revives it");
        drop(house);
        place
            .clock
            .set_wall(Timestamp::from_millis(START.as_millis() + 5));
        let accepted = keeping::accept_clock(&options, &place.clock, &SystemEntropy);
        assert!(
            !accepted.await.unwrap().all_out,
            "forward ends nobody's session"
        );
    }
}
