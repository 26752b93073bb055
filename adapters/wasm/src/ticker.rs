//! The epoch: goes on every millisecond while a call is under way, and rests otherwise.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// Between two ticks.
const TICK: Duration = Duration::from_millis(1);

/// Moves the epoch of one engine.
#[derive(Debug)]
pub(crate) struct Ticker {
    under_way: Arc<AtomicUsize>,
    thread: Thread,
}

/// A call is under way as long as this lives.
#[derive(Debug)]
pub(crate) struct UnderWay<'t>(&'t AtomicUsize);

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let under_way = Arc::new(AtomicUsize::new(0));
        let (engine, count) = (engine.weak(), Arc::downgrade(&under_way));
        let handle = thread::Builder::new()
            .name("narthex-wasm-epoch".into())
            .spawn(move || tick(&engine, &count))?;
        Ok(Self {
            under_way,
            thread: handle.thread().clone(),
        })
    }

    pub(crate) fn begin(&self) -> UnderWay<'_> {
        if self.under_way.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        UnderWay(&self.under_way)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.thread.unpark();
    }
}

fn tick(engine: &wasmtime::EngineWeak, count: &Weak<AtomicUsize>) {
    loop {
        let Some(under_way) = count.upgrade() else {
            return;
        };
        if under_way.load(Ordering::SeqCst) == 0 {
            drop(under_way);
            // A call that begins now has left its token: parking returns at once.
            thread::park_timeout(Duration::from_secs(1));
            continue;
        }
        drop(under_way);
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}
