//! The suite that every store passes, on real files.
#![expect(clippy::unwrap_used, reason = "tests")]

use narthex_conformance::store_suite::Opened;
use narthex_sled::SledStore;

fn open() -> Opened {
    let directory = tempfile::tempdir().unwrap();
    Opened::reopenable(move || SledStore::open(directory.path().join("narthex.sled")).unwrap())
}

narthex_conformance::store_suite!(open(), reopen);

mod temporary {
    use super::*;

    narthex_conformance::store_suite!(SledStore::temporary().unwrap(), block_on = on_tokio);

    fn on_tokio(future: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).build().unwrap();
        runtime.block_on(async { tokio::spawn(future).await.unwrap() });
    }
}
