//! What stands between a URL and a portal.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use narthex::core::model::roster::{RosterBatch, RosterOrganization};
use narthex::core::model::{OrganizationId, OrganizationKind};
use narthex::core::policy::Policy;
use narthex::core::portal::ImportOptions;
use narthex::{OpenError, OpenOptions, StoreUrl};

fn options(folder: &Path) -> OpenOptions {
    OpenOptions::new(StoreUrl::Redb(folder.join("store").join("portal.redb")))
}

async fn organizations(folder: &Path) -> usize {
    let portal = narthex::open(options(folder)).await.unwrap();
    portal.organizations().await.unwrap().len()
}

#[tokio::test]
async fn what_was_kept_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let portal = narthex::open(options(folder.path())).await.unwrap();
    let school = RosterOrganization {
        id: OrganizationId::parse("north-high").unwrap(),
        name: "North High".to_owned(),
        kind: OrganizationKind::School,
        parent: None,
        contacts: Vec::new(),
    };
    let batch = RosterBatch {
        source: "office".to_owned(),
        organizations: vec![school],
        ..RosterBatch::default()
    };
    let import = portal.import_roster(batch, ImportOptions::default(), &|_| ());
    import.await.unwrap();
    drop(portal);
    assert_eq!(organizations(folder.path()).await, 1);
}

#[tokio::test]
async fn the_keys_of_a_store_are_in_another_folder_by_default() {
    let folder = tempfile::tempdir().unwrap();
    organizations(folder.path()).await;
    assert!(
        folder
            .path()
            .join("store-keys")
            .join("portal.keys")
            .exists()
    );
    let in_store: Vec<_> = std::fs::read_dir(folder.path().join("store"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(in_store, ["portal.redb"]);
}

#[tokio::test]
async fn a_store_without_its_keys_is_refused_and_no_new_keys_are_made() {
    let folder = tempfile::tempdir().unwrap();
    organizations(folder.path()).await;
    let keys = folder.path().join("store-keys").join("portal.keys");
    std::fs::remove_file(&keys).unwrap();
    let error = narthex::open(options(folder.path())).await.unwrap_err();
    assert!(matches!(error, OpenError::KeysMissing { .. }), "{error}");
    assert!(
        error.to_string().contains("put the key file back"),
        "{error}"
    );
    assert!(!keys.exists());
}

#[tokio::test]
async fn a_store_that_is_open_elsewhere_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let holder = narthex::open(options(folder.path())).await.unwrap();
    let error = narthex::open(options(folder.path())).await.unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("stop it first"), "{error}");
    drop(holder);
    assert_eq!(organizations(folder.path()).await, 0);
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    organizations(folder.path()).await;
    let store = folder.path().join("store").join("portal.redb");
    std::fs::write(&store, "a letter, not a store\n".repeat(400)).unwrap();
    assert!(narthex::open(options(folder.path())).await.is_err());
    assert!(
        std::fs::read_to_string(&store)
            .unwrap()
            .starts_with("a letter")
    );
}

#[tokio::test]
async fn hash_settings_below_the_floor_open_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut cheap = options(folder.path());
    cheap.hashing.params.memory_kib = 1024;
    let error = narthex::open(cheap).await.unwrap_err();
    assert!(matches!(error, OpenError::Hashing(_)), "{error}");
    assert!(!folder.path().join("store").exists());
}

#[tokio::test]
async fn rules_that_no_portal_can_keep_open_nothing_and_are_named() {
    type Spoil = fn(&mut Policy);
    let spoiled: [(&str, Spoil); 11] = [
        ("session.inactivity_timeout", |policy| {
            policy.session.inactivity_timeout = Duration::ZERO;
        }),
        ("session.shared_computer_timeout", |policy| {
            policy.session.shared_computer_timeout = Duration::ZERO;
        }),
        ("session.absolute_timeout", |policy| {
            policy.session.absolute_timeout = Duration::ZERO;
        }),
        ("session.organization_timeouts", |policy| {
            let north = OrganizationId::parse("north-high").unwrap();
            policy.session.organization_timeouts = vec![(north, Duration::ZERO)];
        }),
        ("session.families_max", |policy| {
            policy.session.families_max = 0;
        }),
        ("claim.step_timeout", |policy| {
            policy.claim.step_timeout = Duration::ZERO;
        }),
        ("claim.code_lifetime", |policy| {
            policy.claim.code_lifetime = Duration::ZERO;
        }),
        ("recovery.step_timeout", |policy| {
            policy.recovery.step_timeout = Duration::ZERO;
        }),
        ("recovery.issued_code_lifetime", |policy| {
            policy.recovery.issued_code_lifetime = Duration::ZERO;
        }),
        ("attempts.window", |policy| {
            policy.attempts.window = Duration::ZERO;
        }),
        ("questions.required", |policy| policy.questions.required = 6),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (rule, spoil) in spoiled {
        let mut options = options(folder.path());
        spoil(&mut options.policy);
        let refused = narthex::open(options).await.unwrap_err();
        assert!(matches!(refused, OpenError::Policy(wrong) if wrong.rule == rule));
        assert!(refused.to_string().starts_with("the policy's "));
    }
    assert!(!folder.path().join("store").exists());
}
