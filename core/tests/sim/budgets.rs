//! The budgets of networks: each attempt is counted before anything is looked at, a success is given
//! back, and only a full budget answers `throttled` (P5).

use futures_executor::block_on;
use narthex_core::model::Now;
use narthex_core::rules::attempts::window_start;
use narthex_core::store::Store as _;
use narthex_core::store::records::budget_cell;
use narthex_core::{Asker, Error, Refusal, Result, Timestamp};

use crate::world::Simulation;

pub(crate) const SOURCE_ATTEMPTS_MAX: u64 = 6;

/// The budget as it was before an attempt.
pub(crate) struct Budget {
    kind: &'static str,
    source: String,
    before: u64,
}

impl Budget {
    pub(crate) fn is_spent(&self) -> bool {
        self.before >= SOURCE_ATTEMPTS_MAX
    }
}

impl Simulation {
    fn spent(&self, kind: &str, source: &str) -> u64 {
        let window = window_start(
            Now::exactly(Timestamp::from_millis(self.now)),
            self.house.policy.attempts.window,
        );
        let cell = budget_cell(window, &format!("source-{kind}"), source);
        block_on(self.store.inner.read_cell(&cell)).unwrap()
    }

    pub(crate) fn budget(&self, kind: &'static str, asker: &Asker) -> Budget {
        Budget {
            kind,
            source: asker.source.clone(),
            before: self.spent(kind, &asker.source),
        }
    }

    /// Compares what was charged with what was answered. `counted`: whether a refusal came after the
    /// charge; some are told before.
    pub(crate) fn follow_budget<T>(
        &mut self,
        budget: &Budget,
        outcome: &Result<T>,
        counted: impl Fn(&Refusal) -> bool,
    ) {
        let after = self.spent(budget.kind, &budget.source);
        let (kind, before) = (budget.kind, budget.before);
        let more = after.checked_sub(before);
        match outcome {
            Ok(_) => {
                assert!(!budget.is_spent(), "{kind}: answered over the budget");
                assert_eq!(more, Some(0), "{kind}: a success is given back");
            }
            Err(Error::Refused(Refusal::Throttled { .. })) => {
                assert!(budget.is_spent(), "{kind}: throttled at {before}");
                assert_eq!(more, Some(0), "{kind}: a throttled one is not charged");
                self.count("over the budget");
            }
            Err(Error::Refused(refusal)) if counted(refusal) => {
                assert!(!budget.is_spent(), "{kind}: looked at over the budget");
                assert_eq!(more, Some(1), "{kind}: {refusal:?} must count");
            }
            Err(Error::Refused(_)) => assert_eq!(more, Some(0), "{kind}"),
            // What a fault left behind is over-counted at most.
            Err(_) => assert!(matches!(more, Some(0 | 1)), "{kind}: {before} -> {after}"),
        }
    }
}
