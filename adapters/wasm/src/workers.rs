//! Threads of one guest: what waits for them is bounded, and no other guest waits for them.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// The stack of a thread: the guest's own, and room for the host under it.
const STACK_BYTES: usize = 4 << 20;

/// The threads end when this is dropped and what waits is done.
#[derive(Debug)]
pub(crate) struct Workers(SyncSender<Job>);

impl Workers {
    pub(crate) fn start(name: &str, threads: usize, queue: usize) -> io::Result<Self> {
        let (sender, receiver) = sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..threads {
            let receiver = Arc::clone(&receiver);
            thread::Builder::new()
                .name(format!("plugin-{name}"))
                .stack_size(STACK_BYTES)
                .spawn(move || work(&receiver))?;
        }
        Ok(Self(sender))
    }

    /// Whether the job is taken; no if too many wait.
    pub(crate) fn take(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.0.try_send(Box::new(job)).is_ok()
    }
}

fn work(receiver: &Mutex<Receiver<Job>>) {
    loop {
        let next = receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = next else { return };
        // Whoever waits for a job that panicked sees its sender dropped: a fault like any other.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a call of a plugin panicked in the host");
        }
    }
}
