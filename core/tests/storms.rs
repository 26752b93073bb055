//! Many at once on one account: one winner, and never more comparisons than the budget (P2, P5).

#[path = "support/storms.rs"]
mod of_any_store;
mod support;

use std::sync::Arc;

use narthex_conformance::TestHasher;
use narthex_core::host::{AdmittedHash, HashFault, PasswordHasher, QueueFull, Verification};
use narthex_core::portal::HASH_PLACES_PER_IDENTITY_MAX;
use narthex_core::store::MemoryStore;
use narthex_core::{Error, Portal, Refusal};
use support::*;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

async fn house_with_one_person() -> (House, Portal) {
    of_any_store::house_with_one_person(Arc::new(MemoryStore::new())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cl01_a_thousand_tasks_claim_one_entry_and_one_wins() {
    of_any_store::a_thousand_claims_of_one_entry(Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a13_a_thousand_wrong_passwords_at_once_are_compared_ten_times() {
    of_any_store::a_thousand_wrong_passwords(Arc::new(MemoryStore::new())).await;
}

#[tokio::test]
async fn a34_a_birthdate_is_guessed_ten_times_and_not_once_more() {
    let (_house, portal) = house_with_one_person().await;
    let browser = browser(&portal);
    let right = 1 + usize::from(birthdate(0).ends_with("01")) * 27;
    assert_eq!(right, 28, "the fixture's day is the first");
    for day in 2..=28 {
        let guess = narthex_core::rules::claim::ClaimEvidence::parse(
            "Given0",
            "Family0",
            &format!("2012-01-{day:02}"),
            "S-0",
        )
        .unwrap();
        assert!(portal.begin_claim(guess, &browser, &asker()).await.is_err());
    }
    // The right one comes too late now: the lane waits for an hour.
    let refusal = portal
        .begin_claim(evidence(0), &browser, &asker())
        .await
        .unwrap_err();
    assert_eq!(refusal.refusal(), Some(&Refusal::ClaimNotMatched));
}

#[tokio::test]
async fn th08_one_network_is_stopped_visibly_whoever_it_asks_for() {
    let (house, _) = house_with_one_person().await;
    let mut policy = house.policy.clone();
    policy.attempts.source_attempts_max = 20;
    let portal = House { policy, ..house }.open().await;
    let mut throttled = 0;
    for n in 0..30 {
        match log_in(&portal, 1_000 + n, "whatever it may be").await {
            Err(Error::Refused(Refusal::LoginFailed)) => assert!(n < 20),
            Err(Error::Refused(Refusal::Throttled { retry_after })) => {
                assert!(retry_after.as_secs() <= 3600);
                throttled += 1;
            }
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
    assert_eq!(throttled, 10);
}

#[tokio::test]
async fn th09_a_full_hash_queue_charges_nobody() {
    let (house, portal) = house_with_one_person().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    house.hasher.set_queue(0);
    for _ in 0..50 {
        assert!(matches!(
            log_in(&portal, 0, "wrong").await,
            Err(Error::Busy { .. })
        ));
    }
    house.hasher.set_queue(8);
    assert_eq!(
        portal
            .person(&number(0))
            .await
            .unwrap()
            .unwrap()
            .log_in_failures,
        0
    );
    assert!(log_in(&portal, 0, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn pw17_a_hash_of_older_parameters_is_renewed_at_log_in_and_ends_no_session() {
    let (house, portal) = house_with_one_person().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    let before = log_in(&portal, 0, PASSWORD).await.unwrap();
    house.hasher.set_parameters(2);
    let hashes = house.hasher.hashes();
    log_in(&portal, 0, PASSWORD).await.unwrap();
    assert_eq!(house.hasher.hashes(), hashes + 1, "renewed");
    log_in(&portal, 0, PASSWORD).await.unwrap();
    assert_eq!(house.hasher.hashes(), hashes + 1, "once");
    assert!(is_live(&portal, &before.token).await);
}

#[tokio::test]
async fn en02_a_wrong_password_against_an_older_hash_costs_a_decoy_more() {
    let (house, portal) = house_with_one_person().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    log_in(&portal, 0, "wrong").await.unwrap_err();
    assert_eq!((house.hasher.comparisons(), house.hasher.decoys()), (1, 0));
    // The cost is raised: who has no account pays today's, who has one would pay the older.
    house.hasher.set_parameters(2);
    log_in(&portal, 0, "wrong").await.unwrap_err();
    assert_eq!((house.hasher.comparisons(), house.hasher.decoys()), (2, 1));
}

/// Keeps every hash waiting until it is told to go on.
#[derive(Debug)]
struct HeldHasher(TestHasher, Arc<Semaphore>);

struct HeldHash(Box<dyn AdmittedHash>, Arc<Semaphore>);

impl PasswordHasher for HeldHasher {
    fn admit(&self) -> Result<Box<dyn AdmittedHash>, QueueFull> {
        Ok(Box::new(HeldHash(self.0.admit()?, Arc::clone(&self.1))))
    }
}

#[async_trait::async_trait]
impl AdmittedHash for HeldHash {
    async fn hash(&self, secret: Zeroizing<Vec<u8>>, salt: [u8; 16]) -> Result<String, HashFault> {
        let _go = self.1.acquire().await;
        self.0.hash(secret, salt).await
    }

    async fn verify(
        &self,
        secret: Zeroizing<Vec<u8>>,
        phc: Zeroizing<String>,
    ) -> Result<Verification, HashFault> {
        let _go = self.1.acquire().await;
        self.0.verify(secret, phc).await
    }

    async fn decoy(&self, secret: Zeroizing<Vec<u8>>) -> Result<(), HashFault> {
        let _go = self.1.acquire().await;
        self.0.decoy(secret).await
    }
}

#[tokio::test]
async fn cc02_what_is_asked_in_one_name_does_not_keep_everybody_out() {
    let house = House::new(Arc::new(MemoryStore::new()));
    house.hasher.set_queue(64);
    let go = Arc::new(Semaphore::new(64));
    let hasher = Arc::new(HeldHasher(house.hasher.clone(), Arc::clone(&go)));
    let portal = house.open_with(Arc::clone(&house.store), hasher).await;
    import(&portal, 2).await;
    claim(&portal, 1, PASSWORD).await.unwrap();
    let held = go.acquire_many(64).await.unwrap();
    let spawn = |n: usize, text: String| {
        let portal = portal.clone();
        tokio::spawn(async move { log_in(&portal, n, &text).await.map(|_| ()) })
    };
    let storm: Vec<_> = (0..200).map(|i| spawn(0, format!("guess {i}"))).collect();
    let right = spawn(1, PASSWORD.to_owned());
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    let places = HASH_PLACES_PER_IDENTITY_MAX as usize;
    assert_eq!(
        house.hasher.admitted(),
        places + 1,
        "the storm holds its share, and the other one"
    );
    drop(held);
    right.await.unwrap().unwrap();
    let mut busy = 0;
    for task in storm {
        busy += usize::from(matches!(task.await.unwrap(), Err(Error::Busy { .. })));
    }
    assert_eq!(busy, 200 - places);
    assert_eq!(house.hasher.admitted(), 0, "every place is given back");
}
