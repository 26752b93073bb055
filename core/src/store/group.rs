//! For stores with one writer: the bounded queue before it, and groups of change sets that share a
//! flush.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

use super::{Change, ChangeSet, Commit, StoreError};

/// The most change sets that wait for the writer; one more is refused.
pub const PENDING_SETS_MAX: usize = 4096;
/// The most bytes of keys and values that wait for the writer. Greater than the greatest valid
/// set, so that no set is refused by an empty queue.
pub const PENDING_BYTES_MAX: usize = 128 * 1024 * 1024;
/// The most change sets that share one flush.
pub const GROUP_SETS_MAX: usize = 256;
/// A group that has reached so many bytes takes no further set, so that small sets do not wait for
/// many large ones.
pub const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A change set, and who waits for its outcome.
#[derive(Debug)]
pub struct Job {
    /// What is asked for.
    pub changes: ChangeSet,
    bytes: usize,
    answer: oneshot::Sender<Result<Commit, StoreError>>,
}

impl Job {
    fn new(changes: ChangeSet) -> (Self, oneshot::Receiver<Result<Commit, StoreError>>) {
        let (answer, outcome) = oneshot::channel();
        let bytes = changes.changes().iter().map(bytes_of).sum();
        let job = Self {
            changes,
            bytes,
            answer,
        };
        (job, outcome)
    }

    fn answer(self, outcome: Result<Commit, StoreError>) {
        // Whoever asked may be gone: what was decided stands all the same.
        let _gone = self.answer.send(outcome);
    }
}

fn bytes_of(change: &Change) -> usize {
    match change {
        Change::Put { key, record, .. } => key.path().len() + record.0.len(),
        Change::Append { key, event } => key.path().len() + event.0.len(),
        Change::Delete { key, .. } | Change::Expect { key, .. } | Change::DropEvent { key } => {
            key.path().len()
        }
        Change::Add { cell, .. } | Change::Raise { cell, .. } | Change::DropCell { cell } => {
            cell.path().len()
        }
    }
}

/// Jobs in the order they came.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// Queues `changes`, which must be valid, and waits for what becomes of them. Whoever stops
    /// waiting takes nothing back.
    ///
    /// # Errors
    /// The queue is full or closed, or the writer failed.
    pub async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        let (job, outcome) = Job::new(changes);
        self.push(job)?;
        outcome.await.unwrap_or_else(|_| {
            Err(StoreError::unknown(
                "the writer of the store ended before it answered",
            ))
        })
    }

    /// Puts a job at the end, or says why not. Never waits.
    fn push(&self, job: Job) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.closed {
            return Err(StoreError::not_applied("the store is being closed"));
        }
        let bytes = state.bytes.saturating_add(job.bytes);
        if state.jobs.len() >= PENDING_SETS_MAX || bytes > PENDING_BYTES_MAX {
            return Err(StoreError::not_applied(
                "too many changes wait to be written: the disk does not keep up, try again later",
            ));
        }
        state.bytes = bytes;
        state.jobs.push_back(job);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// The next group, as soon as there is one. Empty once the queue is closed and drained.
    fn next_group(&self) -> Vec<Job> {
        let mut state = self.state();
        while state.jobs.is_empty() && !state.closed {
            state = self
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let mut group = Vec::new();
        let mut bytes = 0;
        while group.len() < GROUP_SETS_MAX && bytes < GROUP_BYTES_MAX {
            let Some(job) = state.jobs.pop_front() else {
                break;
            };
            bytes += job.bytes;
            group.push(job);
        }
        state.bytes = state.bytes.saturating_sub(bytes);
        group
    }

    /// Takes no further job; those that wait are still handed out.
    pub fn close(&self) {
        self.state().closed = true;
        self.ready.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a group failed.
#[derive(Debug)]
pub enum Failure {
    /// Nothing of it was begun.
    NotBegun(StoreError),
    /// Before the commit was asked for: nothing of it can be there.
    Before(String),
    /// In the commit: it may be there. What was decided about each set is still known.
    During(String, Vec<Commit>),
    /// The engine panicked: it may be there.
    Panicked,
}

/// The writer: hands each group to `commit`, which decides its sets in order and makes them durable,
/// and tells what became of them. Ends once the queue is closed and drained.
///
/// Nothing is told before all that it was judged against is durable: a refusal may rest on an earlier
/// set of the same group.
pub fn run(queue: &Queue, mut commit: impl FnMut(&[Job]) -> Result<Vec<Commit>, Failure>) {
    let _ended = Ended(queue);
    loop {
        let group = queue.next_group();
        if group.is_empty() {
            return;
        }
        let decided = commit(&group);
        answer(group, decided);
    }
}

/// However the writer ends, nobody waits for it any longer.
struct Ended<'a>(&'a Queue);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.close();
        while !self.0.next_group().is_empty() {}
    }
}

fn answer(group: Vec<Job>, decided: Result<Vec<Commit>, Failure>) {
    match decided {
        Ok(decided) => {
            for (job, outcome) in group.into_iter().zip(decided) {
                job.answer(Ok(outcome));
            }
        }
        Err(Failure::NotBegun(error)) => {
            for job in group {
                job.answer(Err(StoreError::not_applied(error.message.clone())));
            }
        }
        Err(Failure::Before(message)) => {
            for job in group {
                let message = format!("the change could not be written: {message}");
                job.answer(Err(StoreError::not_applied(message)));
            }
        }
        Err(Failure::During(message, decided)) => {
            for (job, outcome) in group.into_iter().zip(decided) {
                let message = format!("the change was written but not confirmed: {message}");
                job.answer(Err(match outcome {
                    Commit::Committed => StoreError::unknown(message),
                    // Whatever became of the group, a refused set was no part of it.
                    Commit::Conflict | Commit::CapReached(_) => StoreError::not_applied(message),
                }));
            }
        }
        Err(Failure::Panicked) => {
            for job in group {
                job.answer(Err(StoreError::unknown("writing the change broke off")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Applied, Expected, KEY_BYTES_MAX, Key, OPERATIONS_MAX, RECORD_BYTES_MAX, Record,
    };

    fn job(record_bytes: usize) -> Job {
        let mut changes = ChangeSet::new();
        let record = Record(vec![0; record_bytes]);
        changes.put(Key::record("k"), record, Expected::Absent);
        Job::new(changes).0
    }

    #[test]
    fn one_set_more_than_may_wait_is_refused_until_some_have_left() {
        let queue = Queue::default();
        for _ in 0..PENDING_SETS_MAX {
            queue.push(job(1)).unwrap();
        }
        let refused = queue.push(job(1)).unwrap_err();
        assert_eq!(refused.applied, Applied::No);
        assert_eq!(queue.next_group().len(), GROUP_SETS_MAX);
        queue.push(job(1)).unwrap();
    }

    #[test]
    fn more_bytes_than_may_wait_are_refused_until_some_have_left() {
        let queue = Queue::default();
        let mut pushed = 0;
        while queue.push(job(RECORD_BYTES_MAX)).is_ok() {
            pushed += 1;
        }
        assert_eq!(pushed, PENDING_BYTES_MAX / (RECORD_BYTES_MAX + 1));
        let group = queue.next_group();
        assert_eq!(group.len(), GROUP_BYTES_MAX / RECORD_BYTES_MAX);
        queue.push(job(RECORD_BYTES_MAX)).unwrap();
    }

    #[test]
    fn the_greatest_valid_set_finds_room_in_an_empty_queue() {
        let greatest = OPERATIONS_MAX * (RECORD_BYTES_MAX + KEY_BYTES_MAX);
        assert!(greatest <= PENDING_BYTES_MAX);
    }

    #[test]
    fn a_closed_queue_takes_nothing_and_hands_out_what_waits() {
        let queue = Queue::default();
        queue.push(job(1)).unwrap();
        queue.close();
        assert!(queue.push(job(1)).is_err());
        assert_eq!(queue.next_group().len(), 1);
        assert!(queue.next_group().is_empty());
    }
}
