//! Erasing a person reaches every place that tells of them, stays in force over imports, and leaves
//! everybody else as they are.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_executor::block_on;
use narthex_core::host::{KeyPurpose, KeyRing};
use narthex_core::model::roster::RosterPerson;
use narthex_core::model::{Listing, Role};
use narthex_core::portal::{
    CreatedPerson, Delivery, ErasedPerson, ImportOptions, ImportReport, IssuedRecoveryCode,
    NewPerson, Outgoing, PersonStatusChange, ResetClaim,
};
use narthex_core::rules::details::{DetailsChange, DetailsField};
use narthex_core::store::snapshot::{Kept, Snapshots};
use narthex_core::store::{
    Cell, ChangeSet, Commit, Key, MemoryStore, Record, Space, Store, StoreError, Version,
};
use narthex_core::{AccountId, Asker, Error, Portal, Refusal, Timestamp};
use support::*;

/// The person to erase, who had another number before; and somebody who stays.
const ERASED: usize = 0;
const FORMER: usize = 40;
const STAYS: usize = 2;

/// Who asks, wherever a future is kept for a while.
fn anybody() -> &'static Asker {
    static ANYBODY: std::sync::LazyLock<Asker> = std::sync::LazyLock::new(asker);
    &ANYBODY
}

type Held = BTreeMap<(Space, String), Vec<u8>>;

fn everything(store: &MemoryStore) -> Held {
    let mut snapshot = store.snapshot().unwrap();
    let mut all = Held::new();
    loop {
        let page = snapshot.next_page().unwrap();
        if page.is_empty() {
            return all;
        }
        for item in page {
            let space = item.space();
            let bytes = match item.kept {
                Kept::Record(record) | Kept::Event(record) => record.0,
                Kept::Cell(value) => value.to_le_bytes().to_vec(),
            };
            all.insert((space, item.path), bytes);
        }
    }
}

/// The paths that name a person: in the path, or in what is kept there.
fn naming(all: &Held, names: &[Vec<u8>]) -> BTreeSet<(Space, String)> {
    let holds = |bytes: &[u8]| {
        let mut found = names.iter().filter(|name| {
            let hex = data_encoding::HEXLOWER.encode(name);
            let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
            has(name) || has(hex.as_bytes())
        });
        found.next().is_some()
    };
    let naming = all
        .iter()
        .filter(|((_, path), kept)| holds(path.as_bytes()) || holds(kept));
    naming.map(|(place, _)| place.clone()).collect()
}

fn kinds(places: &BTreeSet<(Space, String)>) -> BTreeSet<(Space, String)> {
    let kind = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let kinds = places.iter().map(|(space, path)| match space {
        Space::Events => (*space, String::new()),
        _ => (*space, kind(path)),
    });
    kinds.collect()
}

/// Everything that only this person's records have: account, keys of entries, selectors.
fn names(all: &Held, account: AccountId, numbers: &[usize], house: &House) -> Vec<Vec<u8>> {
    let mut names = vec![account.as_bytes().to_vec()];
    let own = format!("account-families/{}/", account.to_hex());
    for (space, path) in all.keys() {
        if let Some(selector) = path.strip_prefix(&own)
            && *space == Space::Records
        {
            names.push(data_encoding::HEXLOWER.decode(selector.as_bytes()).unwrap());
        }
    }
    for number in numbers {
        names.push(entry_digest(house, *number));
    }
    names
}

/// What names a number in the store.
fn entry_digest(house: &House, n: usize) -> Vec<u8> {
    let keys = KeyRing::from_text(&house.keys).unwrap();
    let id = keys.current(KeyPurpose::Names);
    let parts = [b"entry".as_slice(), number(n).as_str().as_bytes()].map(<[u8]>::to_vec);
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    keys.mac(KeyPurpose::Names, id, &parts).unwrap().to_vec()
}

fn listed(former: bool) -> Vec<RosterPerson> {
    let mut people: Vec<_> = (0..6).map(|n| person(n, "north")).collect();
    if former {
        people[ERASED].login_id = number(FORMER);
    }
    people
}

async fn take(portal: &Portal, people: Vec<RosterPerson>) -> ImportReport {
    let batch = batch(people);
    let options = ImportOptions::default();
    portal.import_roster(batch, options, &|_| {}).await.unwrap()
}

/// A person of whom every kind of record tells, and a neighbour.
async fn lived_in(house: &House, portal: &Portal) -> AccountId {
    take(portal, listed(true)).await;
    let claimed = claim_as(portal, FORMER, ERASED).await;
    // The number changes: the old one is held.
    take(portal, listed(false)).await;
    claim(portal, STAYS, PASSWORD).await.unwrap();
    log_in(portal, STAYS, PASSWORD).await.unwrap();
    let here = log_in(portal, ERASED, PASSWORD).await.unwrap();
    let gone = log_in(portal, ERASED, PASSWORD).await.unwrap();
    portal.log_out(&gone.token, anybody()).await.unwrap();
    let mut details = DetailsChange::default();
    details
        .set(DetailsField::Email, "zero@home.example")
        .unwrap();
    let changed = portal.change_details(&here.session, &details, anybody());
    changed.await.unwrap();
    // A browser that is known has a lane of its own.
    let mut known = asker();
    known.known_browser = here.known_browser;
    let wrong = narthex_core::portal::LogIn {
        login_id: number(ERASED),
        password: password("not this one at all"),
        shared_computer: false,
        presented: None,
    };
    portal.log_in(wrong, &known).await.unwrap_err();
    log_in(portal, ERASED, "not this one at all")
        .await
        .unwrap_err();
    // A message was shown at the log-in, another is on its way.
    let outbox = portal.outbox(None).await.unwrap();
    let own =
        |out: &&Outgoing| out.message.account == claimed && out.message.kind.is_told_at_log_in();
    let first = outbox.iter().find(own).unwrap();
    let delivery = Delivery::ShowAtLogIn;
    portal.settle_message(&first.id, delivery).await.unwrap();
    let new = password(OTHER_PASSWORD);
    let changed = portal.change_password(&here.session, password(PASSWORD), new, anybody());
    changed.await.unwrap();
    // A recovery under way, a claim taken back, and one begun anew.
    let issued = portal.issue_recovery_code(&number(ERASED), anybody()).await;
    let IssuedRecoveryCode::Issued { code, .. } = issued.unwrap() else {
        unreachable!("there is an account");
    };
    let recovering = browser(portal);
    let who = number(ERASED);
    let begun = portal.begin_recovery(&who, &code, &recovering, anybody());
    begun.await.unwrap();
    let reset = portal
        .reset_claim(&number(ERASED), anybody())
        .await
        .unwrap();
    let ResetClaim::Reset(letter) = reset else {
        unreachable!("it was claimed");
    };
    let code = letter.code.expose();
    let typed = narthex_core::rules::claim::ClaimEvidence::parse_with_code(
        "Given0",
        "Family0",
        &birthdate(ERASED),
        "s-0",
        &code,
    );
    let claiming = browser(portal);
    portal
        .begin_claim(typed.unwrap(), &claiming, anybody())
        .await
        .unwrap();
    house.clock.advance(std::time::Duration::from_secs(1));
    claimed
}

async fn claim_as(portal: &Portal, number: usize, who: usize) -> AccountId {
    let browser = browser(portal);
    let evidence = narthex_core::rules::claim::ClaimEvidence::parse(
        &format!("Given{who}"),
        &format!("Family{who}"),
        &birthdate(who),
        &format!("S-{number}"),
    );
    let ticket = portal.begin_claim(evidence.unwrap(), &browser, anybody());
    let ticket = ticket.await.unwrap();
    let ticket = portal.set_claim_password(&ticket, &browser, password(PASSWORD));
    let ticket = ticket.await.unwrap();
    let claimed = portal.finish_claim(&ticket, &browser, answers(), anybody());
    claimed.await.unwrap().account
}

struct School {
    house: House,
    store: Arc<MemoryStore>,
    portal: Portal,
    account: AccountId,
}

fn school() -> School {
    let store = Arc::new(MemoryStore::new());
    let mut house = House::new(Arc::clone(&store) as Arc<dyn Store>);
    house.policy.messages.deliver = true;
    let portal = block_on(house.open());
    let account = block_on(lived_in(&house, &portal));
    School {
        house,
        store,
        portal,
        account,
    }
}

fn erase(portal: &Portal) -> ErasedPerson {
    block_on(portal.erase_person(&number(ERASED), anybody())).unwrap()
}

#[test]
fn erasing_reaches_every_key_space_and_leaves_only_digests_that_keep_an_import_out() {
    let School {
        house,
        store,
        portal,
        account,
    } = school();
    let before = everything(&store);
    let names = names(&before, account, &[ERASED, FORMER], &house);
    let told = naming(&before, &names);
    // Every kind of record that can tell of a person does: a kind that is new belongs here, and into
    // the search that erasing goes by.
    let record = |kind: &str| (Space::Records, kind.to_owned());
    let mut every: BTreeSet<_> = [
        "account-families",
        "answers",
        "claim-code",
        "entry",
        "family",
        "gate",
        "known",
        "lane",
        "message",
        "outbox",
        "person",
        "recovery",
        "source",
        "ticket",
    ]
    .map(record)
    .into();
    every.insert((Space::Cells, "seen".to_owned()));
    every.insert((Space::Events, String::new()));
    assert_eq!(kinds(&told), every);

    let erased = erase(&portal);
    assert!(
        matches!(erased, ErasedPerson::Erased { records, events } if records > 15 && events > 8)
    );
    let after = everything(&store);
    let left = naming(&after, &names);
    assert_eq!(kinds(&left), [record("erased")].into(), "{left:?}");
    // Whatever told of nobody but them is gone, and nothing else has changed but the counts.
    let changed: BTreeSet<_> = before
        .iter()
        .filter(|(place, kept)| after.get(*place) != Some(kept))
        .map(|(place, _)| place.clone())
        .collect();
    let others = changed.difference(&told).cloned().collect();
    let count = (Space::Cells, "stat".to_owned());
    assert_eq!(kinds(&others), [count].into(), "{others:?}");
    let mut snapshot = store.snapshot().unwrap();
    let report = portal.check_records(&mut *snapshot, &mut |_| {}).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(block_on(portal.audit_report()).unwrap().is_whole());
    assert!(block_on(log_in(&portal, STAYS, PASSWORD)).is_ok());
    assert!(matches!(erase(&portal), ErasedPerson::Before(at) if at >= START));
}

#[test]
fn no_import_brings_back_who_was_erased_until_a_human_says_so() {
    let School {
        portal, account, ..
    } = school();
    erase(&portal);
    let code = |report: &ImportReport| -> Vec<&'static str> {
        report.findings.iter().map(|finding| finding.code).collect()
    };
    // The same row; the same row with a new number; another human with the number.
    let mut renumbered = listed(false);
    renumbered[ERASED].login_id = number(77);
    let mut another = listed(false);
    another[ERASED].source_id = "row-of-another".into();
    another[ERASED].given_name = "Ninian".into();
    let mut formerly = listed(true);
    formerly[ERASED].source_id = "row-of-another".into();
    for people in [listed(false), renumbered, another, formerly] {
        let report = block_on(take(&portal, people));
        assert_eq!((report.added, report.left_out), (0, 1));
        assert_eq!(code(&report), ["person_erased"]);
    }
    for n in [ERASED, FORMER, 77] {
        assert!(block_on(portal.person(&number(n))).unwrap().is_none());
    }
    let new = NewPerson::new(
        number(ERASED),
        "Ada",
        "Byron",
        organization("north"),
        Role::Other,
    );
    let created = block_on(portal.create_person(&new.unwrap(), anybody())).unwrap();
    assert!(matches!(created, CreatedPerson::Erased(_)));

    assert!(block_on(portal.readmit_number(&number(FORMER), anybody())).unwrap());
    assert!(!block_on(portal.readmit_number(&number(ERASED), anybody())).unwrap());
    let report = block_on(take(&portal, listed(false)));
    assert_eq!((report.added, report.left_out), (1, 0));
    let again = block_on(claim(&portal, ERASED, PASSWORD)).unwrap();
    assert_ne!(again.account, account, "an account is never used again");
    let session = block_on(log_in(&portal, ERASED, PASSWORD)).unwrap().session;
    let profile = block_on(portal.profile(&session)).unwrap();
    assert_eq!(profile.details.email, None);
}

#[test]
fn who_was_never_claimed_is_erased_too_and_a_number_nobody_has_is_unknown() {
    let School {
        house,
        store,
        portal,
        ..
    } = school();
    let digest = entry_digest(&house, 4);
    assert!(!naming(&everything(&store), std::slice::from_ref(&digest)).is_empty());
    let erased = block_on(portal.erase_person(&number(4), anybody())).unwrap();
    assert!(matches!(erased, ErasedPerson::Erased { events: 0, .. }));
    let left = naming(&everything(&store), &[digest]);
    assert_eq!(kinds(&left), [(Space::Records, "erased".to_owned())].into());
    let nobody = block_on(portal.erase_person(&number(99), anybody())).unwrap();
    assert_eq!(nobody, ErasedPerson::Unknown);
}

/// Commits so often, then fails before anything is changed.
#[derive(Debug)]
struct Failing {
    store: Arc<MemoryStore>,
    commits: AtomicUsize,
}

#[async_trait]
impl Store for Failing {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        self.store.get(key).await
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.store.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        let left = self.commits.load(Ordering::Relaxed);
        if left == 0 {
            return Err(StoreError::not_applied("a test's own failure"));
        }
        self.commits.store(left - 1, Ordering::Relaxed);
        self.store.commit(changes).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.store.scan(space, prefix, cursor, limit).await
    }
}

#[test]
fn an_erasing_that_breaks_off_lets_nobody_in_and_goes_on_when_it_is_asked_again() {
    for commits in 1.. {
        let School {
            house,
            store,
            portal,
            ..
        } = school();
        let person = block_on(portal.person(&number(STAYS))).unwrap().unwrap();
        let all = everything(&store);
        let names = names(&all, person.account.unwrap(), &[STAYS], &house);
        let failing = Failing {
            store: Arc::clone(&store),
            commits: AtomicUsize::new(commits),
        };
        let broken = block_on(house.open_over(Arc::new(failing)));
        let (who, asker) = (number(STAYS), asker());
        let erased = block_on(broken.erase_person(&who, &asker));
        let portal = block_on(house.open());
        let no = block_on(log_in(&portal, STAYS, PASSWORD)).unwrap_err();
        assert!(
            matches!(no, Error::Refused(Refusal::LoginFailed)),
            "{commits}"
        );
        let whole = erased.is_ok();
        block_on(portal.erase_person(&who, &asker)).unwrap();
        let left = naming(&everything(&store), &names);
        let only = [(Space::Records, "erased".to_owned())].into();
        assert_eq!(kinds(&left), only, "after {commits} commits: {left:?}");
        if whole {
            assert!(commits > 4, "it takes several commits");
            return;
        }
    }
}

#[test]
fn what_is_given_out_of_a_person_is_all_of_it_and_no_secret() {
    let School {
        portal, account, ..
    } = school();
    let export = block_on(portal.export_person(&number(ERASED), anybody())).unwrap();
    let export = export.unwrap();
    let mut numbers: Vec<_> = export.entries.iter().map(|e| &e.details.login_id).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["S-0", "S-40"]);
    let own = &export.accounts[0];
    assert_eq!((export.accounts.len(), own.account), (1, account));
    assert_eq!(own.details.email.as_deref(), Some("zero@home.example"));
    assert_eq!(own.questions.len(), 2);
    assert_eq!(own.sessions.len(), 2);
    assert_eq!(own.sessions.iter().filter(|s| s.ended.is_some()).count(), 1);
    assert_eq!(export.rows.len(), 1);
    assert_eq!((export.claim_codes.len(), export.claims.len()), (1, 2));
    assert_eq!(
        (export.recoveries.len(), export.known_browsers.len()),
        (1, 1)
    );
    assert!(export.messages.len() >= 2 && !export.tries.is_empty());
    assert!(export.entries.iter().any(|e| e.listing == Listing::Held));
    let kinds: Vec<_> = export
        .events
        .iter()
        .map(|event| event.kind.code())
        .collect();
    for kind in ["claimed", "logged_in", "person_exported"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let told = format!("{export:?}");
    for secret in [PASSWORD, "Vellum", &birthdate(ERASED), "argon2", "sealed"] {
        assert!(!told.contains(secret), "{secret}");
    }
    let nobody = block_on(portal.export_person(&number(99), anybody())).unwrap();
    assert!(nobody.is_none());
}

#[test]
fn what_the_office_did_stays_in_the_audit_and_says_of_nobody() {
    let School { portal, .. } = school();
    let changed = block_on(portal.disable_person(&number(STAYS), anybody())).unwrap();
    assert!(matches!(changed, PersonStatusChange::Changed { .. }));
    erase(&portal);
    block_on(portal.readmit_number(&number(ERASED), anybody())).unwrap();
    let lines = block_on(portal.audit_after(None, 512)).unwrap();
    let events: Vec<_> = lines.into_iter().filter_map(|line| line.event).collect();
    let of = |code: &str| {
        events
            .iter()
            .find(|event| event.kind.code() == code)
            .unwrap()
    };
    assert_eq!(of("person_erased").account, None);
    assert_eq!(of("number_readmitted").account, None);
    assert_eq!(of("account_status_changed").detail, "disabled_by_office");
    assert!(of("person_erased").at >= Timestamp::from_millis(0));
}
