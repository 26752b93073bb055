//! The storms of the core, on the disk.

#[path = "../../../core/tests/support/storms.rs"]
mod storms;
#[path = "../../../core/tests/support/mod.rs"]
mod support;

use std::sync::Arc;

use narthex_sled::SledStore;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cl01_a_thousand_tasks_claim_one_entry_and_one_wins() {
    let store = SledStore::temporary().unwrap();
    storms::a_thousand_claims_of_one_entry(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a13_a_thousand_wrong_passwords_at_once_are_never_compared_more_than_ten_times() {
    let store = SledStore::temporary().unwrap();
    storms::a_thousand_wrong_passwords(Arc::new(store)).await;
}
