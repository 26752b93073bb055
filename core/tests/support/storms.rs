//! A thousand at once on one account, over any store (P2, P5): one winner, and never more comparisons
//! than the budget. For the tests of the core and of stores on a disk.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use narthex_core::store::Store;
use narthex_core::{Error, Portal, Refusal};

use crate::support::*;

const TASKS: usize = 1_000;

pub(crate) async fn house_with_one_person(store: Arc<dyn Store>) -> (House, Portal) {
    let mut house = House::new(store);
    house.policy.attempts.source_attempts_max = 10 * TASKS as u64;
    let portal = house.open().await;
    import(&portal, 1).await;
    (house, portal)
}

pub(crate) async fn a_thousand_claims_of_one_entry(store: Arc<dyn Store>) {
    let (_house, portal) = house_with_one_person(store).await;
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

pub(crate) async fn a_thousand_wrong_passwords(store: Arc<dyn Store>) {
    let (house, portal) = house_with_one_person(store).await;
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
    // Now even the right one is not compared, and the answer is the same.
    let exhausted = log_in(&portal, 0, PASSWORD)
        .await
        .expect_err("the budget is used up");
    assert_eq!(exhausted.refusal(), Some(&Refusal::LoginFailed));
    assert_eq!(house.hasher.comparisons(), budget);
    house.clock.advance(house.policy.attempts.log_in.first_wait);
    assert!(log_in(&portal, 0, PASSWORD).await.is_ok());
}
