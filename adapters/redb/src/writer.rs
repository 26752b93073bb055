//! The one writer: a group of change sets, one transaction, one flush, then all answers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use narthex_core::store::Commit;
use narthex_core::store::group::{self, Failure, Job, Queue};
use redb::{CommitError, Database};

use crate::engine::{Engine, Trouble};
use crate::tables::{self, Tables};

/// Writes until the queue is closed and drained.
pub(crate) fn run(queue: &Queue, engine: &Engine) {
    group::run(queue, |group| {
        let decided = engine.work(|database| commit_catching_panics(database, group));
        decided.map_err(|trouble| match trouble {
            Trouble::NotOpen(error) => Failure::NotBegun(error),
            Trouble::Failed(failure) => failure,
        })
    });
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
