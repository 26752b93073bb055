//! What somebody else commits in the very moment before a commit: proofs that were good a moment ago.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_executor::block_on;
use narthex_core::model::{AccountId, EndReason, Gate};
use narthex_core::store::records::{Stored, gate_key};
use narthex_core::store::{
    Cell, Change, ChangeSet, Commit, Expected, Key, MemoryStore, Record, Space, Store, StoreError,
    Version,
};
use narthex_core::{Error, Refusal};
use support::*;

type Deed = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Lets something happen right before the first commit that writes a record of `kind`.
#[derive(Default)]
struct Between {
    inner: Arc<MemoryStore>,
    before: Mutex<Option<(&'static str, Deed)>>,
}

impl std::fmt::Debug for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Between")
    }
}

impl Between {
    fn before(&self, kind: &'static str, deed: Deed) {
        *self.before.lock().unwrap() = Some((kind, deed));
    }

    fn deed_before(&self, changes: &ChangeSet) -> Option<Deed> {
        let mut before = self.before.lock().unwrap();
        let writes = |kind: &str| {
            changes.changes().iter().any(
                |change| matches!(change, Change::Put { key, .. } if key.path().starts_with(kind)),
            )
        };
        if !before.as_ref().is_some_and(|(kind, _)| writes(kind)) {
            return None;
        }
        before.take().map(|(_, deed)| deed)
    }
}

#[async_trait]
impl Store for Between {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        self.inner.get(key).await
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        self.inner.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        if let Some(deed) = self.deed_before(&changes) {
            deed().await;
        }
        self.inner.commit(changes).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.inner.scan(space, prefix, cursor, limit).await
    }
}

async fn gate(store: &dyn Store, account: AccountId) -> (Gate, Version) {
    let (record, version) = store.get(&gate_key(account)).await.unwrap().unwrap();
    (Gate::decode(&record).unwrap(), version)
}

fn is_refused<T>(result: Result<T, Error>, refusal: &Refusal) {
    match result {
        Err(Error::Refused(told)) => assert_eq!(&told, refusal),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("admitted, and not refused with {}", refusal.code()),
    }
}

#[test]
fn p03_a_log_in_that_is_overtaken_by_a_password_change_is_refused() {
    block_on(async {
        let store = Arc::new(Between::default());
        let house = House::new(Arc::clone(&store) as Arc<dyn Store>);
        let portal = house.open().await;
        import(&portal, 1).await;
        claim(&portal, 0, PASSWORD).await.unwrap();
        let elsewhere = house
            .open_over(Arc::clone(&store.inner) as Arc<dyn Store>)
            .await;
        let other = log_in(&elsewhere, 0, PASSWORD).await.unwrap();
        let change = move || -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(async move {
                let (current, new) = (password(PASSWORD), password(OTHER_PASSWORD));
                elsewhere
                    .change_password(&other.session, current, new, &asker())
                    .await
                    .unwrap();
            })
        };
        store.before("family/", Box::new(change));
        is_refused(log_in(&portal, 0, PASSWORD).await, &Refusal::LoginFailed);
    });
}

#[test]
fn p03_a_log_in_that_is_overtaken_by_an_end_of_all_sessions_is_live_when_it_is_told() {
    block_on(async {
        let store = Arc::new(Between::default());
        let house = House::new(Arc::clone(&store) as Arc<dyn Store>);
        let portal = house.open().await;
        import(&portal, 1).await;
        claim(&portal, 0, PASSWORD).await.unwrap();
        let office = house
            .open_over(Arc::clone(&store.inner) as Arc<dyn Store>)
            .await;
        let end = move || -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(async move {
                let ended = office.end_families_of(&number(0), None, &asker()).await;
                assert_eq!(ended.unwrap(), Some(0));
            })
        };
        store.before("family/", Box::new(end));
        let logged_in = log_in(&portal, 0, PASSWORD).await.unwrap();
        assert!(is_live(&portal, &logged_in.token).await, "behind its gate");
    });
}

#[test]
fn p03_a_proof_of_a_password_that_is_no_longer_the_persons_changes_nothing() {
    block_on(async {
        let store = Arc::new(Between::default());
        let house = House::new(Arc::clone(&store) as Arc<dyn Store>);
        let portal = house.open().await;
        import(&portal, 1).await;
        let account = claim(&portal, 0, PASSWORD).await.unwrap().account;
        let session = log_in(&portal, 0, PASSWORD).await.unwrap().session;
        // A generation of its own, as a later way to replace a credential might leave it.
        let inner = Arc::clone(&store.inner);
        let raise = move || -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(async move {
                let (mut gate, version) = gate(&*inner, account).await;
                gate.credential_generation += 1;
                let mut changes = ChangeSet::new();
                changes.put(gate_key(account), gate.encode(), Expected::At(version));
                assert_eq!(inner.commit(changes).await.unwrap(), Commit::Committed);
            })
        };
        store.before("gate/", Box::new(raise));
        let (current, new) = (password(PASSWORD), password(OTHER_PASSWORD));
        let changed = portal
            .change_password(&session, current, new, &asker())
            .await;
        is_refused(changed, &Refusal::LoginFailed);
    });
}

#[test]
fn p04_a_reset_leaves_every_session_behind_whatever_becomes_of_the_account() {
    block_on(async {
        let house = House::in_memory();
        let portal = house.open().await;
        import(&portal, 1).await;
        let account = claim(&portal, 0, PASSWORD).await.unwrap().account;
        let (before, _) = gate(&*house.store, account).await;
        portal.reset_claim(&number(0), &asker()).await.unwrap();
        let (after, _) = gate(&*house.store, account).await;
        assert_eq!(after.session_epoch, before.session_epoch + 1);
        assert_eq!(after.epoch_reason, EndReason::StaffReset);
        assert_eq!(
            after.credential_generation,
            before.credential_generation + 1
        );
    });
}
