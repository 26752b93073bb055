//! How often a secret may be guessed (P5). NIST SP 800-63B-4 §3.2.2 allows at most 100 consecutive
//! failures; a false refusal costs a person a walk to the office, a false pass costs an account.

use std::time::Duration;

use crate::model::{Lane, Now, Timestamp};
use crate::policy::LanePolicy;
use crate::rules::time::FUTURE_TOLERANCE;

/// May one more attempt be made in this lane?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneVerdict {
    /// Yes, once the lane has been written with this attempt counted as a failure.
    Reserve(Lane),
    /// Not now: the answer is the same as to a wrong secret, after the same work.
    Exhausted {
        /// What the lane becomes where a clock had been wrong.
        rewrite: Option<Lane>,
    },
}

/// Counts an attempt before its secret is compared.
pub fn reserve(lane: Option<&Lane>, policy: &LanePolicy, now: Now) -> LaneVerdict {
    let lane = lane.copied().unwrap_or_default();
    if lane.failures >= policy.free_failures {
        if lane.last_failure_at > now.earliest.plus(FUTURE_TOLERANCE) {
            let restarted = Lane {
                last_failure_at: now.earliest,
                ..lane
            };
            return LaneVerdict::Exhausted {
                rewrite: Some(restarted),
            };
        }
        let open_at = lane.last_failure_at.plus(wait_after(lane.failures, policy));
        if now.earliest < open_at {
            return LaneVerdict::Exhausted { rewrite: None };
        }
    }
    LaneVerdict::Reserve(Lane {
        failures: lane.failures.saturating_add(1),
        // By the reading that waits are judged by: a clock that was set forward and put right again
        // must not shut the lane for as long as it was wrong.
        last_failure_at: now.earliest,
    })
}

/// What the lane becomes after a success whose own reservation made it `reserved`: guesses reserved
/// later stay counted.
pub fn credit(current: &Lane, reserved: &Lane) -> Lane {
    Lane {
        failures: current.failures.saturating_sub(reserved.failures),
        ..*current
    }
}

/// How long a lane stays shut after its `failures`-th failure: doubles from the first wait up to the
/// longest.
pub fn wait_after(failures: u32, policy: &LanePolicy) -> Duration {
    let Some(doublings) = failures.checked_sub(policy.free_failures) else {
        return Duration::ZERO;
    };
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    policy
        .first_wait
        .saturating_mul(factor)
        .min(policy.longest_wait)
}

/// The beginning of the budget window that `now` lies in.
pub fn window_start(now: Now, window: Duration) -> Timestamp {
    let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1);
    let at = now.latest.as_millis();
    Timestamp::from_millis(at - at % window_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> LanePolicy {
        LanePolicy {
            free_failures: 10,
            first_wait: Duration::from_secs(3600),
            longest_wait: Duration::from_secs(24 * 3600),
        }
    }

    fn now(s: u64) -> Now {
        Now::exactly(Timestamp::from_millis(1_700_000_000_000 + s * 1000))
    }

    fn fail(lane: &mut Option<Lane>, at: Now) -> bool {
        match reserve(lane.as_ref(), &policy(), at) {
            LaneVerdict::Reserve(next) => {
                *lane = Some(next);
                true
            }
            LaneVerdict::Exhausted { rewrite } => {
                *lane = rewrite.or(*lane);
                false
            }
        }
    }

    #[test]
    fn ten_tries_then_an_hour_doubling_to_a_day() {
        let mut lane = None;
        let mut clock = 0;
        for _ in 0..10 {
            assert!(fail(&mut lane, now(clock)));
        }
        for hours in [1, 2, 4, 8, 16, 24, 24, 24] {
            assert!(
                !fail(&mut lane, now(clock + hours * 3600 - 1)),
                "open before {hours} h"
            );
            clock += hours * 3600;
            assert!(fail(&mut lane, now(clock)), "shut after {hours} h");
        }
    }

    #[test]
    fn no_number_of_failures_overflows_the_wait() {
        let longest = policy().longest_wait;
        for failures in [42, 43, 1_000, u32::MAX] {
            assert_eq!(wait_after(failures, &policy()), longest);
        }
    }

    #[test]
    fn a_success_keeps_the_guesses_that_were_reserved_after_it() {
        let mine = Lane {
            failures: 4,
            last_failure_at: now(0).latest,
        };
        let later = Lane {
            failures: 7,
            last_failure_at: now(1).latest,
        };
        assert_eq!(credit(&mine, &mine).failures, 0);
        assert_eq!(credit(&later, &mine).failures, 3);
    }

    #[test]
    fn a_clock_set_forward_does_not_shorten_the_wait_and_one_set_back_does_not_stretch_it() {
        let full = Lane {
            failures: 10,
            last_failure_at: now(0).latest,
        };
        let wall_behind = Now {
            latest: now(7200).latest,
            earliest: now(60).latest,
        };
        assert!(matches!(
            reserve(Some(&full), &policy(), wall_behind),
            LaneVerdict::Exhausted { .. }
        ));
        let mut ahead = Some(Lane {
            failures: 10,
            last_failure_at: now(1_000_000).latest,
        });
        assert!(!fail(&mut ahead, now(0)));
        assert!(
            fail(&mut ahead, now(3600)),
            "a failure from the future must wait from now on"
        );
    }

    #[test]
    fn a_clock_that_was_far_ahead_and_is_put_right_shuts_a_lane_no_longer_than_its_wait() {
        // Process time stays where the wall was; the wall is right again.
        let put_right = |s| Now {
            latest: now(2_592_000).latest,
            earliest: now(s).latest,
        };
        let mut lane = None;
        for _ in 0..10 {
            assert!(fail(&mut lane, put_right(0)));
        }
        assert!(!fail(&mut lane, put_right(3599)));
        assert!(fail(&mut lane, put_right(3600)));
    }
}
