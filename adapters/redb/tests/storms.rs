//! A thousand at once on one account, on the disk (P2, P5): one winner, and never more comparisons than
//! the budget.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../core/tests/support/mod.rs"]
mod support;

use std::sync::Arc;

use narthex_core::{Error, Portal, Refusal};
use narthex_redb::RedbStore;
use support::*;

const TASKS: usize = 1_000;

async fn house_with_one_person(folder: &tempfile::TempDir) -> (House, Portal) {
    let store = RedbStore::open(folder.path().join("store.redb")).unwrap();
    let mut house = House::new(Arc::new(store));
    house.policy.attempts.source_attempts_max = 10 * TASKS as u64;
    let portal = house.open().await;
    import(&portal, 1).await;
    (house, portal)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cl01_a_thousand_tasks_claim_one_entry_and_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let (_house, portal) = house_with_one_person(&folder).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|i| {
            let portal = portal.clone();
            tokio::spawn(async move {
                let text = format!("password of task number {i}");
                (claim(&portal, 0, &text).await, text)
            })
        })
        .collect();
    let mut winner = None;
    for task in tasks {
        let (outcome, text) = task.await.unwrap();
        match outcome {
            Ok(_) => assert!(winner.replace(text).is_none(), "two claims won"),
            Err(
                Error::Refused(
                    Refusal::AlreadyClaimed | Refusal::ClaimNotMatched | Refusal::ClaimExpired,
                )
                | Error::Contended { .. },
            ) => {}
            Err(Error::Busy { .. }) => {}
            Err(error) => panic!("neither won nor refused: {error}"),
        }
    }
    let winner = winner.expect("nobody won");
    assert!(
        log_in(&portal, 0, &winner).await.is_ok(),
        "the winner's password must work"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a13_a_thousand_wrong_passwords_at_once_are_never_compared_more_than_ten_times() {
    let folder = tempfile::tempdir().unwrap();
    let (house, portal) = house_with_one_person(&folder).await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|i| {
            let portal = portal.clone();
            tokio::spawn(async move { log_in(&portal, 0, &format!("wrong {i}")).await })
        })
        .collect();
    for task in tasks {
        let error = task
            .await
            .unwrap()
            .expect_err("a wrong password was let in");
        let expected = Error::Refused(Refusal::LoginFailed);
        assert!(
            error.refusal() == expected.refusal()
                || matches!(error, Error::Busy { .. } | Error::Contended { .. }),
            "{error}"
        );
    }
    let budget = u64::from(house.policy.attempts.log_in.free_failures);
    assert_eq!(house.hasher.comparisons(), budget, "no more, and none lost");
    house.clock.advance(house.policy.attempts.log_in.first_wait);
    assert!(log_in(&portal, 0, PASSWORD).await.is_ok());
}
