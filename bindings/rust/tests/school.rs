//! A real roster, read, imported and claimed: 86 of 86 students, however they spell themselves.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use narthex::core::model::roster::{RosterBatch, RosterPerson};
use narthex::core::model::{Birthdate, Role};
use narthex::core::portal::{ImportOptions, LogIn};
use narthex::core::rules::claim::ClaimEvidence;
use narthex::core::rules::question::SecurityAnswers;
use narthex::core::{Asker, BrowserSecret, Password, Policy, Portal};
use narthex::oneroster::{Date, ReadOptions, read};
use narthex::{Host, OpenOptions, RosterError, SystemEntropy};
use narthex_conformance::TestHasher;

const PASSWORD: &str = "seven leagues of lace";

fn sample(name: &str) -> RosterBatch {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/rosters")
        .join(name);
    let today = Date::from_ymd(2026, 9, 1).unwrap();
    read(&path, &ReadOptions::new(today)).unwrap().batch
}

async fn school(batch: RosterBatch) -> Portal {
    let mut options = OpenOptions::new("memory:".parse().unwrap());
    options.policy = Policy::default();
    options.policy.attempts.source_attempts_max = 100_000;
    let host = Host::system(std::sync::Arc::new(TestHasher::new(8)));
    let portal = narthex::open_with(options, host).await.unwrap();
    portal
        .import_roster(batch, ImportOptions::default(), &|_| {})
        .await
        .unwrap();
    portal
}

/// Claims and logs in as `person`, typing names as `spelled`.
async fn claims(portal: &Portal, person: &RosterPerson, spelled: impl Fn(&str) -> String) {
    let (browser, asker) = (
        BrowserSecret::generate(&SystemEntropy).unwrap(),
        Asker::default(),
    );
    let evidence = ClaimEvidence::parse(
        &spelled(&person.given_name),
        &spelled(&person.family_name),
        &person.birthdate.as_ref().map(Birthdate::expose).unwrap(),
        person.login_id.as_str(),
    )
    .unwrap();
    let ticket = portal
        .begin_claim(evidence, &browser, &asker)
        .await
        .unwrap();
    let password = Password::parse(PASSWORD).unwrap();
    let ticket = portal
        .set_claim_password(&ticket, &browser, password.clone())
        .await
        .unwrap();
    let answers = SecurityAnswers::new()
        .with("first_toy", "Vellum")
        .with("story", "Zeno's lane");
    let claimed = portal
        .finish_claim(&ticket, &browser, answers, &asker)
        .await
        .unwrap();
    assert_eq!(claimed.default_organization, person.default_organization);

    let request = LogIn {
        login_id: person.login_id.clone(),
        password,
        shared_computer: false,
        presented: None,
    };
    let profile = portal.log_in(request, &asker).await.unwrap().profile;
    assert_eq!(
        profile.default_organization.as_ref(),
        Some(&person.default_organization)
    );
    let school = profile
        .memberships
        .iter()
        .find(|m| m.organization == person.default_organization);
    assert_eq!(school.unwrap().role, Role::Student);
    assert_eq!(
        (&profile.given_name, &profile.family_name),
        (&person.given_name, &person.family_name)
    );
}

async fn all_claim(name: &str, spelled: impl Fn(&str) -> String) {
    let batch = sample(name);
    let students: Vec<_> = batch
        .people
        .iter()
        .filter(|p| p.birthdate.is_some())
        .cloned()
        .collect();
    assert_eq!(students.len(), 86, "{name}");
    let portal = school(batch).await;
    for person in &students {
        claims(&portal, person, &spelled).await;
    }
    assert_eq!(portal.roster_status().await.unwrap().claimed, 86);
}

#[tokio::test]
async fn s02_all_86_claim_with_exact_data_from_folder_zip_and_school_data_sync() {
    for name in [
        "oneroster-v1p2-98-users",
        "oneroster-v1p2-98-users/package.zip",
        "sds-v1-100-users",
    ] {
        all_claim(name, str::to_owned).await;
    }
}

#[tokio::test]
async fn s02_all_86_claim_in_capitals() {
    all_claim("oneroster-v1p2-98-users", str::to_uppercase).await;
}

#[tokio::test]
async fn s02_all_86_claim_with_other_spacing() {
    let spaced = |name: &str| {
        let letters: Vec<String> = name.chars().map(String::from).collect();
        format!("  {} ", letters.join(" "))
    };
    all_claim("oneroster-v1p2-98-users", spaced).await;
}

/// The sample has no accents: the roster is given them, and the people type without.
#[tokio::test]
async fn s02_all_86_claim_without_the_accents_of_the_roster() {
    let mut batch = sample("oneroster-v1p2-98-users");
    let accented = |name: &str| -> String {
        let accent = |c| match c {
            'a' => 'á',
            'e' => 'é',
            'i' => 'ï',
            'o' => 'ö',
            'u' => 'û',
            'n' => 'ñ',
            'c' => 'ç',
            other => other,
        };
        name.chars().map(accent).collect()
    };
    let plain = batch.people.clone();
    for person in &mut batch.people {
        person.given_name = accented(&person.given_name);
        person.family_name = accented(&person.family_name);
    }
    let listed = batch.people.clone();
    assert!(
        listed
            .iter()
            .zip(&plain)
            .filter(|(a, b)| a.given_name != b.given_name)
            .count()
            > 60
    );
    let portal = school(batch).await;
    for (listed, plain) in listed
        .iter()
        .zip(&plain)
        .filter(|(l, _)| l.birthdate.is_some())
    {
        let typed = |name: &str| {
            if name == listed.given_name {
                &plain.given_name
            } else {
                &plain.family_name
            }
            .clone()
        };
        claims(&portal, listed, typed).await;
    }
    assert_eq!(portal.roster_status().await.unwrap().claimed, 86);
}

#[tokio::test]
async fn who_is_listed_but_could_not_be_read_is_not_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    let file = |rows: &str| format!("Student Number,First Name,Last Name,School\n{rows}");
    let options = OpenOptions::new("memory:".parse().unwrap());
    let host = Host::system(std::sync::Arc::new(TestHasher::new(8)));
    let portal = narthex::open_with(options, host).await.unwrap();
    let import = async |rows: &str| {
        std::fs::write(&path, file(rows)).unwrap();
        narthex::import_roster(&portal, &path).await.unwrap()
    };
    assert_eq!(
        import("7101,Ada,Byron,N\n7102,Ben,Okoro,N\n").await.added,
        2
    );
    let unread = import("7101,Ada,Byron,N\n,Ben,Okoro,N\n").await;
    assert_eq!((unread.unchanged, unread.deactivated), (1, 0));
    let whole = import("7101,Ada,Byron,N\n").await;
    assert_eq!((whole.unchanged, whole.deactivated), (1, 1));
}

#[tokio::test]
async fn a_file_that_comes_from_elsewhere_is_refused_in_one_call_too() {
    let portal = school(sample("oneroster-v1p2-98-users")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    let file = "Student Number,First Name,Last Name,School\n7101,Ada,Byron,N\n";
    std::fs::write(&path, file).unwrap();
    let refused = narthex::import_roster(&portal, &path).await;
    let Err(RosterError::Unusable(findings)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(findings[0].code, "source_needed");
}

#[test]
fn an_upload_that_is_too_long_is_refused_packed_or_not() {
    let today = Date::from_ymd(2026, 9, 1).unwrap();
    let mut file = b"Student Number,First Name,Last Name,School\n".to_vec();
    let read = |file: &[u8]| narthex::uploads::read(file, "", ReadOptions::new(today));
    assert!(read(&file).is_ok());
    file.resize(narthex::http::ROSTER_BYTES_MAX + 1, b' ');
    assert!(read(&file).is_err());
    file.splice(..2, *b"PK");
    assert!(read(&file).is_err());
}
