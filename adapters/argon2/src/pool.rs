//! Threads that hash, each with an arena of its own, and the queue before them.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use futures_util::lock::OwnedMutexGuard;
use narthex_core::host::HashFault;

use crate::arena::Arena;
use crate::phc::fault;
use crate::places::{Place, Places};

/// At most 15 bytes, or Linux cuts it.
const THREAD_NAME: &str = "narthex-argon2";
const STACK_BYTES: usize = 256 * 1024;

/// The turn of one admission. It holds the admission's place, also after the admission is gone.
pub(crate) type Turn = OwnedMutexGuard<Place>;

/// Owns the threads; dropping it ends them.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What a pool is made with.
#[derive(Debug)]
pub(crate) struct PoolPlan {
    pub(crate) workers: usize,
    pub(crate) idle: Duration,
    /// Blocks that each arena keeps between jobs.
    pub(crate) blocks_kept: usize,
    pub(crate) places: Arc<Places>,
}

/// What the callers and the threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    idle: Duration,
    blocks_kept: usize,
    places: Arc<Places>,
    arena_bytes: Arc<AtomicUsize>,
    /// Threads do not survive a fork; neither does a lock another thread held.
    process: u32,
}

#[derive(Debug)]
struct Queue {
    /// Ids rise from front to back.
    jobs: VecDeque<Job>,
    next_id: u64,
    open: bool,
    workers_alive: usize,
}

struct Job {
    id: u64,
    work: Box<dyn FnOnce(&mut Arena) + Send>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({})", self.id)
    }
}

impl Pool {
    /// Starts the threads. They allocate nothing before their first job.
    pub(crate) fn start(plan: PoolPlan) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                next_id: 0,
                open: true,
                workers_alive: plan.workers,
            }),
            wake: Condvar::new(),
            idle: plan.idle,
            blocks_kept: plan.blocks_kept,
            places: plan.places,
            arena_bytes: Arc::default(),
            process: std::process::id(),
        });
        // If a thread cannot be started, dropping the pool ends those that were.
        let mut pool = Self {
            shared,
            threads: Vec::with_capacity(plan.workers),
        };
        for _ in 0..plan.workers {
            let shared = Arc::clone(&pool.shared);
            let thread = Builder::new()
                .name(THREAD_NAME.to_owned())
                .stack_size(STACK_BYTES);
            pool.threads.push(thread.spawn(move || shared.work())?);
        }
        Ok(pool)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Pool {
    /// Waits for the jobs that run; those that wait are answered with a fault at once.
    fn drop(&mut self) {
        if self.shared.is_forked() {
            // The threads are in the other process: joining them would never return.
            std::mem::forget(std::mem::take(&mut self.threads));
            return;
        }
        self.shared.close();
        for thread in self.threads.drain(..) {
            // A worker that panicked outside a job has nothing more to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Runs `work` on a worker, when it is its turn. A future that is dropped before that takes its
    /// job out of the queue; one that is dropped later does not stop it. Either way `turn`, and
    /// with it the place, is given back when no thread can use memory for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce(&mut Arena) -> Result<T, HashFault> + Send + 'static,
    ) -> Result<T, HashFault> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |arena: &mut Arena| {
            let result = catch_unwind(AssertUnwindSafe(|| work(arena))).unwrap_or_else(|_| {
                arena.release();
                Err(fault("the hash worker panicked"))
            });
            // Before the answer: who has it can count on the place.
            drop(turn);
            // The caller may be gone.
            let _ = reply.send(result);
        });
        let mut waiting = Waiting {
            shared: self,
            id: Some(self.submit(job)?),
        };
        let result = answer.await;
        waiting.id = None;
        result.unwrap_or_else(|_| Err(fault("the hasher was shut down")))
    }

    pub(crate) fn arena_bytes(&self) -> usize {
        self.arena_bytes.load(Ordering::Relaxed)
    }

    fn submit(&self, work: Box<dyn FnOnce(&mut Arena) + Send>) -> Result<u64, HashFault> {
        if self.is_forked() {
            return Err(fault(
                "the hasher was made before a fork: make one in each process",
            ));
        }
        let mut queue = self.lock();
        if !queue.open {
            return Err(fault("the hasher was shut down"));
        }
        let id = queue.next_id;
        queue.next_id += 1;
        queue.jobs.push_back(Job { id, work });
        drop(queue);
        self.wake.notify_one();
        Ok(id)
    }

    fn cancel(&self, id: u64) {
        let mut queue = self.lock();
        let at = queue.jobs.binary_search_by_key(&id, |job| job.id);
        let job = at.ok().and_then(|at| queue.jobs.remove(at));
        // Its drop gives a place back and wipes a secret; the lock is not needed for that.
        drop(queue);
        drop(job);
    }

    fn close(&self) {
        let mut queue = self.lock();
        queue.open = false;
        let jobs = std::mem::take(&mut queue.jobs);
        drop(queue);
        drop(jobs);
        self.wake.notify_all();
    }

    fn work(&self) {
        let _alive = Alive(self);
        let mut arena = Arena::new(self.blocks_kept, Arc::clone(&self.arena_bytes));
        while let Some(job) = self.next_job(&mut arena) {
            let start = stopwatch();
            (job.work)(&mut arena);
            self.places.measured(start.elapsed());
            arena.settle();
        }
    }

    /// Waits for a job; gives up the arena when none comes for long. `None` when the pool closes.
    fn next_job(&self, arena: &mut Arena) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if !queue.open {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if arena.is_empty() {
                queue = self
                    .wake
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (guard, waited) = self
                .wake
                .wait_timeout(queue, self.idle)
                .unwrap_or_else(PoisonError::into_inner);
            queue = guard;
            if waited.timed_out() && queue.jobs.is_empty() {
                drop(queue);
                arena.release();
                queue = self.lock();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing between lock and unlock leaves the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }
}

/// Closes the queue when the last worker ends, however it ends: nobody waits for nobody.
struct Alive<'a>(&'a Shared);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.workers_alive -= 1;
        let last = queue.workers_alive == 0;
        drop(queue);
        if last {
            self.0.close();
        }
    }
}

/// Takes a job out of the queue if its caller goes away.
struct Waiting<'a> {
    shared: &'a Shared,
    id: Option<u64>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.cancel(id);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures a hash, only to tell callers when to come back; no rule sees it"
)]
fn stopwatch() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
