//! The one writer: a transaction per change set, one flush per group, then all answers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use narthex_core::store::Commit;
use narthex_core::store::group::{self, Failure, Job, Queue};

use crate::engine::{Engine, Handle};
use crate::layout;

/// Writes until the queue is closed and drained.
pub(crate) fn run(queue: &Queue, engine: &Engine) {
    group::run(queue, |group| {
        let handle = engine.handle().map_err(Failure::NotBegun)?;
        let written = catch_unwind(AssertUnwindSafe(|| write(engine, &handle, group)));
        match written.unwrap_or(Err(Failure::Panicked)) {
            Ok(decided) => {
                engine.show();
                Ok(decided)
            }
            Err(failure) => {
                engine.give_up(handle);
                Err(failure)
            }
        }
    });
}

fn write(engine: &Engine, handle: &Handle, group: &[Job]) -> Result<Vec<Commit>, Failure> {
    let keys = group.iter().flat_map(|job| layout::written(&job.changes));
    let noted = engine.note(handle, keys);
    noted.map_err(|error| Failure::Before(error.to_string()))?;
    let mut decided = Vec::with_capacity(group.len());
    let mut changed = false;
    for job in group {
        match layout::decide(&handle.database, &job.changes) {
            Ok(outcome) => {
                changed |= outcome == Commit::Committed && !job.changes.is_empty();
                decided.push(outcome);
            }
            Err(error) => return Err(broken_off(group, decided, &error)),
        }
    }
    if changed && let Err(error) = handle.database.flush() {
        return Err(Failure::During(error.to_string(), decided));
    }
    Ok(decided)
}

/// A transaction failed: it and what was decided before it may come to be durable. What comes after
/// it in the group was not begun, and is no part of it, like a refused set.
fn broken_off(group: &[Job], mut decided: Vec<Commit>, error: &sled::Error) -> Failure {
    decided.push(Commit::Committed);
    decided.resize(group.len(), Commit::Conflict);
    Failure::During(error.to_string(), decided)
}
