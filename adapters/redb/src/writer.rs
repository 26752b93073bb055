//! The one writer: a group of change sets, one transaction, one flush, then all answers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use narthex_core::store::{Commit, StoreError};
use redb::{CommitError, Database};

use crate::engine::{Engine, Trouble};
use crate::queue::{Job, Queue};
use crate::tables::{self, Tables};

/// Writes until the queue is closed and drained.
pub(crate) fn run(queue: &Queue, engine: &Engine) {
    let _ended = Ended(queue);
    loop {
        let group = queue.next_group();
        if group.is_empty() {
            return;
        }
        let decided = engine.work(|database| commit_catching_panics(database, &group));
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

/// How a group failed.
enum Failure {
    /// Before the commit was asked for: nothing of it can be there.
    Before(String),
    /// In the commit: it may be there. What was decided about each set is still known.
    During(String, Vec<Commit>),
    /// The engine panicked: it may be there.
    Panicked,
}

fn commit_catching_panics(database: &Database, group: &[Job]) -> Result<Vec<Commit>, Failure> {
    catch_unwind(AssertUnwindSafe(|| commit_group(database, group)))
        .unwrap_or(Err(Failure::Panicked))
}

fn commit_group(database: &Database, group: &[Job]) -> Result<Vec<Commit>, Failure> {
    let before = |error: redb::Error| Failure::Before(error.to_string());
    let transaction = tables::begin(database).map_err(before)?;
    let mut decided = Vec::with_capacity(group.len());
    let mut changed = false;
    {
        let mut tables = Tables::open(&transaction).map_err(before)?;
        for job in group {
            let outcome = tables.decide(&job.changes).map_err(before)?;
            changed |= outcome == Commit::Committed && !job.changes.is_empty();
            decided.push(outcome);
        }
        if changed {
            tables.finish().map_err(before)?;
        }
    }
    if !changed {
        // Judged against what is durable already: there is nothing to flush.
        transaction.abort().map_err(|error| before(error.into()))?;
        return Ok(decided);
    }
    match transaction.commit() {
        Ok(()) => Ok(decided),
        // redb has rolled it back.
        Err(CommitError::TransactionPoisoned) => Err(Failure::Before(
            CommitError::TransactionPoisoned.to_string(),
        )),
        Err(error) => Err(Failure::During(error.to_string(), decided)),
    }
}

/// Nothing is told before all that it was judged against is durable: a refusal may rest on an
/// earlier set of the same group.
fn answer(group: Vec<Job>, decided: Result<Vec<Commit>, Trouble<Failure>>) {
    match decided {
        Ok(decided) => {
            for (job, outcome) in group.into_iter().zip(decided) {
                job.answer(Ok(outcome));
            }
        }
        Err(Trouble::NotOpen(error)) => {
            for job in group {
                job.answer(Err(StoreError::not_applied(error.message.clone())));
            }
        }
        Err(Trouble::Failed(Failure::Before(message))) => {
            for job in group {
                let message = format!("the change could not be written: {message}");
                job.answer(Err(StoreError::not_applied(message)));
            }
        }
        Err(Trouble::Failed(Failure::During(message, decided))) => {
            for (job, outcome) in group.into_iter().zip(decided) {
                let message = format!("the change was written but not confirmed: {message}");
                job.answer(Err(match outcome {
                    Commit::Committed => StoreError::unknown(message),
                    // Whatever became of the group, a refused set was no part of it.
                    Commit::Conflict | Commit::CapReached(_) => StoreError::not_applied(message),
                }));
            }
        }
        Err(Trouble::Failed(Failure::Panicked)) => {
            for job in group {
                job.answer(Err(StoreError::unknown("writing the change broke off")));
            }
        }
    }
}
