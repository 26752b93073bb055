//! Guessing spread over a whole organization: near misses at claims, counted over a season. A hundred
//! guesses at a birthdate of a known year are 0.3 accounts, so few are borne; many mean that facts alone
//! do not protect the rest.

use std::time::Duration;

use crate::model::{Now, Timestamp};
use crate::policy::SeasonPolicy;
use crate::rules::attempts::window_start;

/// Near misses are counted in spans of this length.
pub const SPAN: Duration = Duration::from_secs(10 * 24 * 3600);
/// So many spans make a season: the one that runs, and the thirty days before it.
pub const SPANS: u32 = 4;

/// What an organization's season has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Season {
    /// Near misses from outside the named networks that no success of the same browser followed, at
    /// most [`SeasonPolicy::source_max`] from one network.
    pub near_misses: u64,
    /// The same from everywhere, however many from one network.
    pub everywhere: u64,
    /// People listed who have not claimed.
    pub unclaimed: u64,
}

impl Season {
    /// At so many near misses from everywhere the audit says `claims_guessed`.
    pub fn told_at(&self, policy: &SeasonPolicy) -> u64 {
        self.share(policy.told_percent, policy.told_min)
    }

    /// At so many, claims from outside the named networks need a code.
    pub fn code_at(&self, policy: &SeasonPolicy) -> u64 {
        self.share(policy.code_percent, policy.code_min)
    }

    /// Whether it does.
    pub fn is_told(&self, policy: &SeasonPolicy) -> bool {
        self.everywhere >= self.told_at(policy)
    }

    /// Whether claims from outside the named networks need a code.
    pub fn needs_code(&self, policy: &SeasonPolicy) -> bool {
        self.near_misses >= self.code_at(policy)
    }

    fn share(&self, percent: u64, least: u64) -> u64 {
        let share = self.unclaimed.saturating_mul(percent).div_ceil(100);
        share.max(least)
    }
}

/// The beginnings of the spans that a season is made of, the present one first.
pub fn spans(now: Now) -> [Timestamp; SPANS as usize] {
    let first = window_start(now, SPAN);
    let mut ago = 0;
    [(); SPANS as usize].map(|()| {
        let start = first.minus(SPAN * ago);
        ago += 1;
        start
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_are_told_at_two_per_cent_and_codes_are_needed_at_five() {
        let policy = SeasonPolicy::default();
        for (unclaimed, told_at, code_at) in [
            (0, 20, 50),
            (200, 20, 50),
            (1_000, 20, 50),
            (1_001, 21, 51),
            (10_000, 200, 500),
        ] {
            let season = |near_misses| Season {
                near_misses,
                everywhere: near_misses,
                unclaimed,
            };
            assert!(!season(told_at - 1).is_told(&policy));
            assert!(season(told_at).is_told(&policy));
            assert_eq!(season(0).told_at(&policy), told_at, "{unclaimed}");
            assert_eq!(season(0).code_at(&policy), code_at, "{unclaimed}");
            assert!(!season(code_at - 1).needs_code(&policy));
            assert!(season(code_at).needs_code(&policy));
        }
    }

    #[test]
    fn a_season_is_at_least_thirty_days_back() {
        let at = |day: u64| Now::exactly(Timestamp::from_millis(day * 24 * 3_600_000));
        for day in 20_000..20_020 {
            let spans = spans(at(day));
            let reach = at(day).latest.since(*spans.last().unwrap());
            assert!(reach >= 3 * SPAN && reach < 4 * SPAN, "{reach:?}");
            assert!(spans.windows(2).all(|pair| pair[0].since(pair[1]) == SPAN));
        }
    }
}
