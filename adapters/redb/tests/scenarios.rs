//! The front-door corpus on this store.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use narthex_core::store::Store;
use narthex_redb::RedbStore;

fn new_store() -> Arc<dyn Store> {
    Arc::new(RedbStore::temporary().unwrap())
}

narthex_conformance::front_door_scenarios!(
    narthex_conformance::RustFrontDoor::boxed,
    store = new_store
);
