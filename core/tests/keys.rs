//! Keys are rotated while people are logged in: nobody notices, what was sealed opens, and a key goes
//! only when nothing needs it (CR-01, PW-18).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use narthex_core::host::{KeyPurpose, KeyRing};
use narthex_core::model::roster::RosterPerson;
use narthex_core::portal::{
    ImportOptions, ImportReport, IssueClaimCode, IssuedRecoveryCode, KEY_CHANGES_MAX,
    KeyChangeRefused,
};
use narthex_core::rules::details::{DetailsChange, DetailsField};
use narthex_core::store::backup;
use narthex_core::store::snapshot::Snapshots;
use narthex_core::store::{MemoryStore, Store};
use narthex_core::{Asker, Portal};
use support::*;

const ALL: [KeyPurpose; 5] = [
    KeyPurpose::TokenDigest,
    KeyPurpose::Evidence,
    KeyPurpose::Pepper,
    KeyPurpose::Details,
    KeyPurpose::Tags,
];

fn take(portal: &Portal, people: Vec<RosterPerson>) -> ImportReport {
    let (batch, options) = (batch(people), ImportOptions::default());
    block_on(portal.import_roster(batch, options, &|_| {})).unwrap()
}

fn listed() -> Vec<RosterPerson> {
    (0..4).map(|n| person(n, "north")).collect()
}

struct School {
    house: House,
    store: Arc<MemoryStore>,
    portal: Portal,
}

fn school() -> School {
    let store = Arc::new(MemoryStore::new());
    let house = House::new(Arc::clone(&store) as Arc<dyn Store>);
    let portal = block_on(house.open());
    take(&portal, listed());
    School {
        house,
        store,
        portal,
    }
}

impl School {
    fn rotate(&mut self, purposes: &[KeyPurpose]) {
        self.house.clock.advance(Duration::from_secs(1));
        let change = self.portal.begin_key_change().unwrap();
        let (mut ring, now) = (self.portal.key_ring(), self.portal.now().latest);
        for purpose in purposes {
            ring.rotate(*purpose, now, &self.house.entropy).unwrap();
        }
        self.house.keys = ring.to_text().to_string();
        change.take_up(ring).unwrap();
        self.house.clock.advance(Duration::from_secs(1));
    }

    /// As the command does it: what nothing needs goes. Gives what had to stay, and what for.
    fn prune(&mut self) -> Vec<(KeyPurpose, Vec<&'static str>)> {
        let change = self.portal.begin_key_change().unwrap();
        let mut ring = self.portal.key_ring();
        let mut kept = Vec::new();
        for key in block_on(self.portal.key_report()).unwrap() {
            if key.uses.is_empty() && !key.current {
                assert!(ring.remove(key.purpose, key.id));
            } else if !key.current {
                let uses = key.uses.iter().map(|found| found.what).collect();
                kept.push((key.purpose, uses));
            }
        }
        self.house.keys = ring.to_text().to_string();
        change.take_up(ring).unwrap();
        kept
    }

    fn reopened(&self) -> Portal {
        block_on(self.house.open())
    }
}

#[test]
fn cr01_all_keys_are_rotated_and_nobody_is_logged_out_or_loses_a_step() {
    let mut school = school();
    let portal = school.portal.clone();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let before = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let mut details = DetailsChange::default();
    details
        .set(DetailsField::Email, "zero@home.example")
        .unwrap();
    let asker = asker();
    block_on(portal.change_details(&before.session, &details, &asker)).unwrap();
    let letter = block_on(portal.issue_claim_code(&number(2), &asker)).unwrap();
    let IssueClaimCode::Issued(letter) = letter else {
        unreachable!("not claimed yet");
    };
    let issued = block_on(portal.issue_recovery_code(&number(0), &asker)).unwrap();
    let IssuedRecoveryCode::Issued { code, .. } = issued else {
        unreachable!("there is an account");
    };
    let claiming = browser(&portal);
    let ticket = block_on(portal.begin_claim(evidence(1), &claiming, &asker)).unwrap();
    let ticket = block_on(portal.set_claim_password(&ticket, &claiming, password(PASSWORD)));
    let ticket = ticket.unwrap();
    assert!(block_on(is_live(&portal, &before.token)) && is_warm(&portal, &before.token));

    // All but the tags, which open pages carry: those ask to be loaded again.
    let quiet: Vec<_> = ALL.into_iter().filter(|p| *p != KeyPurpose::Tags).collect();
    school.rotate(&quiet);
    assert!(is_warm(&portal, &before.token), "not even looked up again");
    for portal in [portal.clone(), school.reopened()] {
        assert!(block_on(is_live(&portal, &before.token)));
        let session = block_on(portal.verify_session(&before.token)).unwrap();
        let profile = block_on(portal.profile(&session)).unwrap();
        assert_eq!(profile.details.email.as_deref(), Some("zero@home.example"));
        assert!(block_on(log_in(&portal, 0, PASSWORD)).is_ok());
    }
    // A claim and a recovery go on where they were; codes on paper are good.
    let claimed = portal.finish_claim(&ticket, &claiming, answers(), &asker);
    block_on(claimed).unwrap();
    assert!(block_on(log_in(&portal, 1, PASSWORD)).is_ok());
    let code_text = letter.code.expose();
    block_on(claim_with(&portal, 2, PASSWORD, Some(&code_text))).unwrap();
    let secret = browser(&portal);
    let (who, entry) = (number(0), &code);
    let begun = block_on(portal.begin_recovery(&who, entry, &secret, &asker)).unwrap();
    school.rotate(&[KeyPurpose::TokenDigest]);
    let typed = answers();
    let answered = portal.answer_recovery_questions(&begun, &secret, &typed, &asker);
    assert!(block_on(answered).is_ok());
    // New sessions are of the new key.
    let after = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    assert!(block_on(is_live(&portal, &after.token)));
    school.rotate(&[KeyPurpose::Tags]);
    assert!(block_on(is_live(&portal, &after.token)));
}

#[test]
fn cr01_a_key_goes_only_when_nothing_needs_it() {
    let mut school = school();
    let portal = school.portal.clone();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let secret = browser(&portal);
    block_on(portal.begin_claim(evidence(1), &secret, &asker())).unwrap();
    assert_eq!(school.prune(), [], "there is one key of each");
    school.rotate(&ALL);
    let kept = school.prune();
    let expected = [
        (
            KeyPurpose::TokenDigest,
            vec!["claims under way", "sessions"],
        ),
        (KeyPurpose::Evidence, vec!["claim facts"]),
        (KeyPurpose::Pepper, vec!["answers", "passwords"]),
        (KeyPurpose::Details, vec!["names"]),
        (KeyPurpose::Tags, vec!["claims under way"]),
    ];
    assert_eq!(kept, expected);
    // Sealed anew; listed anew; and a day later sessions and claims are over.
    let looked = std::sync::atomic::AtomicUsize::new(0);
    let count = |_, of| looked.store(of, std::sync::atomic::Ordering::Relaxed);
    let done = block_on(portal.reseal(&count)).unwrap();
    assert_eq!(
        (done.looked_at, done.resealed),
        (7, 6),
        "a person who gave no details has no seal"
    );
    assert_eq!(looked.into_inner(), 7);
    assert_eq!(block_on(portal.reseal(&|_, _| {})).unwrap().resealed, 0);
    assert!(is_warm(&portal, &session.token) || block_on(is_live(&portal, &session.token)));
    let report = take(&portal, listed());
    assert_eq!((report.changed, report.unchanged), (4, 0));
    school.house.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(school.prune(), []);
    let text = school.house.keys.clone();
    assert_eq!(
        text.lines().filter(|line| !line.starts_with('#')).count(),
        6
    );
    // The old keys are gone, and nothing misses them.
    for portal in [portal, school.reopened()] {
        assert!(block_on(log_in(&portal, 0, PASSWORD)).is_ok());
        let mut snapshot = school.store.snapshot().unwrap();
        let report = portal.check_records(&mut *snapshot, &mut |_| {}).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
    block_on(claim(&school.portal, 1, PASSWORD)).unwrap();
}

#[test]
fn an_import_after_a_rotation_changes_nobody_and_renews_what_it_lists() {
    let mut school = school();
    let portal = school.portal.clone();
    let letter = block_on(portal.issue_claim_code(&number(2), &asker())).unwrap();
    let IssueClaimCode::Issued(letter) = letter else {
        unreachable!("not claimed yet");
    };
    let secret = browser(&portal);
    let ticket = block_on(portal.begin_claim(evidence(1), &secret, &asker())).unwrap();
    school.rotate(&[KeyPurpose::Evidence]);
    take(&portal, listed());
    // Letters that were printed and claims under way go on: no fact has changed.
    let code = letter.code.expose();
    block_on(claim_with(&portal, 2, PASSWORD, Some(&code))).unwrap();
    let next = portal.set_claim_password(&ticket, &secret, password(PASSWORD));
    assert!(block_on(next).is_ok());
    assert_eq!(school.prune(), []);
    assert_eq!(
        take(&portal, listed()).unchanged,
        4,
        "and the next one writes nothing"
    );
    // A fact that did change in the same import is seen.
    let secret = browser(&portal);
    let ticket = block_on(portal.begin_claim(evidence(3), &secret, &asker())).unwrap();
    school.rotate(&[KeyPurpose::Evidence]);
    let mut people = listed();
    if let Some(person) = people.last_mut() {
        person.family_name = "Another".into();
    }
    take(&portal, people);
    let next = portal.set_claim_password(&ticket, &secret, password(PASSWORD));
    assert!(block_on(next).is_err());
}

#[test]
fn a_backup_is_good_under_any_key_that_is_left_and_under_no_other() {
    let mut school = school();
    let mut bytes = Vec::new();
    let mut snapshot = school.store.snapshot().unwrap();
    school
        .portal
        .back_up(&mut *snapshot, &mut bytes, &mut |_| {})
        .unwrap();
    school.rotate(&ALL);
    let ring = KeyRing::from_text(&school.house.keys).unwrap();
    assert!(backup::verify(bytes.as_slice(), &ring).is_ok());
    let mut pruned = ring.clone();
    for id in ring.ids(KeyPurpose::Tags).skip(1) {
        pruned.remove(KeyPurpose::Tags, id);
    }
    assert!(backup::verify(bytes.as_slice(), &pruned).is_err());
}

#[test]
fn keys_change_one_at_a_time_and_not_for_ever() {
    let mut school = school();
    let portal = school.portal.clone();
    let change = portal.begin_key_change().unwrap();
    assert_eq!(
        portal.begin_key_change().unwrap_err(),
        KeyChangeRefused::UnderWay
    );
    drop(change);
    for _ in 0..KEY_CHANGES_MAX {
        school.rotate(&[KeyPurpose::Details]);
    }
    assert_eq!(
        portal.begin_key_change().unwrap_err(),
        KeyChangeRefused::TooMany
    );
    let report = block_on(portal.person(&number(0))).unwrap();
    assert!(report.is_some(), "names of the first key still open");
    assert!(school.reopened().begin_key_change().is_ok());
    assert_eq!(Asker::default().source, "");
}

#[test]
fn a_session_whose_key_is_gone_is_not_warm_any_more() {
    let mut school = school();
    let portal = school.portal.clone();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let token = block_on(log_in(&portal, 0, PASSWORD)).unwrap().token;
    assert!(block_on(is_live(&portal, &token)) && is_warm(&portal, &token));
    let used = portal.key_ring().current(KeyPurpose::TokenDigest);
    school.rotate(&[KeyPurpose::TokenDigest]);
    assert!(is_warm(&portal, &token));
    let change = portal.begin_key_change().unwrap();
    let mut ring = portal.key_ring();
    assert!(ring.remove(KeyPurpose::TokenDigest, used));
    change.take_up(ring).unwrap();
    assert!(!is_warm(&portal, &token) && !block_on(is_live(&portal, &token)));
}
