//! How often a secret may be guessed (P5). NIST SP 800-63B-4 §3.2.2 allows at most 100 consecutive
//! failures; a false refusal costs a person a walk to the office, a false pass costs an account.

use std::time::Duration;

use crate::model::{Lane, Now, Timestamp};
use crate::policy::LanePolicy;
use crate::rules::time::FUTURE_TOLERANCE;

/// What one try weighs in its lane, in tenths: lanes are counted in tenths of a try.
const TRY_TENTHS: u64 = 10;
/// What a wild miss weighs: a stranger who knows nothing must not shut a child's lane in ten posts.
const WILD_TENTHS: u64 = 1;

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

/// Until when the lane refuses whatever is tried; `None`: it is open.
pub fn shut_until(lane: &Lane, policy: &LanePolicy, now: Now) -> Option<Timestamp> {
    match reserve(Some(lane), policy, now) {
        LaneVerdict::Reserve(_) => None,
        LaneVerdict::Exhausted { rewrite } => {
            let lane = rewrite.unwrap_or(*lane);
            let wait = wait_after(failures(&lane), policy);
            Some(lane.last_failure_at.plus(wait))
        }
    }
}

/// Counts an attempt before its secret is compared.
pub fn reserve(lane: Option<&Lane>, policy: &LanePolicy, now: Now) -> LaneVerdict {
    let lane = lane.copied().unwrap_or_default();
    let failures = failures(&lane);
    if failures >= policy.free_failures {
        if lane.last_failure_at > now.earliest.plus(FUTURE_TOLERANCE) {
            let restarted = Lane {
                last_failure_at: now.earliest,
                ..lane
            };
            return LaneVerdict::Exhausted {
                rewrite: Some(restarted),
            };
        }
        let open_at = lane.last_failure_at.plus(wait_after(failures, policy));
        if now.earliest < open_at {
            return LaneVerdict::Exhausted { rewrite: None };
        }
    }
    LaneVerdict::Reserve(Lane {
        reserved: lane.reserved.saturating_add(TRY_TENTHS),
        // By the reading that waits are judged by: a clock that was set forward and put right again
        // must not shut the lane for as long as it was wrong.
        last_failure_at: now.earliest,
        ..lane
    })
}

/// Whole tries in the lane that no success has cleared.
pub fn failures(lane: &Lane) -> u32 {
    let tenths = lane.reserved.saturating_sub(lane.cleared);
    u32::try_from(tenths / TRY_TENTHS).unwrap_or(u32::MAX)
}

/// What the lane becomes after a success whose own reservation made it `reserved`: everything up to
/// and including that reservation is cleared, guesses reserved later stay counted, however many
/// successes fall together.
pub fn credit(current: &Lane, reserved: &Lane) -> Lane {
    Lane {
        cleared: current.cleared.max(reserved.reserved),
        ..*current
    }
}

/// What the lane becomes after a wild miss whose own reservation made it `reserved`: only a tenth of
/// it stays. One that a success has cleared meanwhile gives nothing back, and a success never clears
/// less than it would have: guesses are over-counted at most.
pub fn ease(current: &Lane, reserved: &Lane) -> Lane {
    if current.cleared >= reserved.reserved {
        return *current;
    }
    Lane {
        cleared: current.cleared.saturating_add(TRY_TENTHS - WILD_TENTHS),
        ..*current
    }
}

/// The lane with nothing counted in it: staff open it at once.
pub fn forgive(current: &Lane) -> Lane {
    Lane {
        cleared: current.reserved,
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

    fn lane(tries: u64, at: Timestamp) -> Lane {
        Lane {
            reserved: tries * TRY_TENTHS,
            cleared: 0,
            last_failure_at: at,
        }
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
    fn a_lane_says_until_when_it_is_shut() {
        let until = |tries, at| shut_until(&lane(tries, now(0).latest), &policy(), at);
        assert_eq!(until(9, now(0)), None);
        assert_eq!(until(10, now(0)), Some(now(3600).latest));
        assert_eq!(until(11, now(0)), Some(now(7200).latest));
        assert_eq!(until(10, now(3600)), None);
        let ahead = lane(10, now(90_000).latest);
        let shut = shut_until(&ahead, &policy(), now(0));
        assert_eq!(shut, Some(now(3600).latest), "a clock had been wrong");
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
        let mine = lane(4, now(0).latest);
        let later = lane(7, now(1).latest);
        assert_eq!(failures(&credit(&mine, &mine)), 0);
        assert_eq!(failures(&credit(&later, &mine)), 3);
    }

    #[test]
    fn two_successes_that_fall_together_clear_no_guess_between_or_after_them() {
        // Reserved in this order: five wrong, a success, two wrong, a success, three wrong.
        let (first, second, all) = (lane(6, now(0).latest), lane(9, now(0).latest), 12);
        let whole = lane(all, now(0).latest);
        for (one, other) in [(first, second), (second, first)] {
            let credited = credit(&credit(&whole, &one), &other);
            assert_eq!(failures(&credited), 3, "in whichever order they are told");
        }
        // The first alone leaves what came after it.
        assert_eq!(failures(&credit(&whole, &first)), 6);
    }

    #[test]
    fn a_wild_miss_leaves_a_tenth_of_a_try() {
        let mut current = None;
        for _ in 0..100 {
            assert!(fail(&mut current, now(0)), "shut by wild misses");
            let own = current.unwrap();
            current = Some(ease(&own, &own));
        }
        assert_eq!(failures(&current.unwrap()), 10);
        assert!(
            !fail(&mut current, now(0)),
            "a hundred of them weigh ten tries"
        );
    }

    /// Every order in which four tries reserve and are then settled as success, near or wild miss:
    /// what stays counted is never less than what it should be.
    #[test]
    fn p05_no_order_of_successes_and_wild_misses_under_counts() {
        const TRIES: usize = 4;
        for kinds in 0..3_usize.pow(4) {
            let kind = |n: usize| kinds / 3_usize.pow(u32::try_from(n).unwrap()) % 3;
            for order in orders(TRIES) {
                let mut current = None;
                let mut own = Vec::new();
                for _ in 0..TRIES {
                    assert!(fail(&mut current, now(0)));
                    own.push(current.unwrap());
                }
                let mut current = current.unwrap();
                for n in &order {
                    current = match kind(*n) {
                        0 => current,
                        1 => ease(&current, &own[*n]),
                        _ => credit(&current, &own[*n]),
                    };
                }
                // After the last success by reservation: near misses whole, wild ones a tenth.
                let last = (0..TRIES).rev().find(|n| kind(*n) == 2);
                let due: u64 = (last.map_or(0, |n| n + 1)..TRIES)
                    .map(|n| {
                        if kind(n) == 0 {
                            TRY_TENTHS
                        } else {
                            WILD_TENTHS
                        }
                    })
                    .sum();
                let counted = current.reserved - current.cleared;
                assert!(
                    counted >= due,
                    "kinds {kinds}, {order:?}: {counted} < {due}"
                );
            }
        }
    }

    fn orders(n: usize) -> Vec<Vec<usize>> {
        let Some(last) = n.checked_sub(1) else {
            return vec![Vec::new()];
        };
        let mut all = Vec::new();
        for shorter in orders(last) {
            for place in 0..n {
                let mut longer = shorter.clone();
                longer.insert(place, last);
                all.push(longer);
            }
        }
        all
    }

    #[test]
    fn staff_clear_a_lane_at_once() {
        let full = lane(25, now(0).latest);
        assert_eq!(failures(&forgive(&full)), 0);
        assert_eq!(forgive(&full).reserved, full.reserved);
    }

    #[test]
    fn a_clock_set_forward_does_not_shorten_the_wait_and_one_set_back_does_not_stretch_it() {
        let full = lane(10, now(0).latest);
        let wall_behind = Now {
            latest: now(7200).latest,
            earliest: now(60).latest,
        };
        assert!(matches!(
            reserve(Some(&full), &policy(), wall_behind),
            LaneVerdict::Exhausted { .. }
        ));
        let mut ahead = Some(lane(10, now(1_000_000).latest));
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
