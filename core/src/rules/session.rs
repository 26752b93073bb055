//! Whether a session may still be used (S8, S10, S12; ASVS 7.3, 7.4).

use std::time::Duration;

use crate::model::{EndReason, Ended, Family, Gate, GateStatus, Now, Timestamp};
use crate::policy::SessionPolicy;
use crate::rules::time::is_from_the_future;
use crate::secret::same_digest;

/// What the records say about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionVerdict {
    /// May be used.
    Live,
    /// The family goes on under another token.
    TokenReplaced,
    /// Ended before, and that is on record.
    Ended(EndReason),
    /// Ends now: to be committed before it is told.
    EndsNow(EndReason),
    /// The family is ahead of the gate: the two were not read at one moment. Read again.
    ReadAgain,
}

/// May `family` still be used at `now`? Four hours end it, and not a millisecond less.
#[doc(alias = "idle timeout")]
pub fn judge_session(
    family: &Family,
    gate: Option<&Gate>,
    presented_digest: &[u8; 32],
    last_activity: Timestamp,
    policy: &SessionPolicy,
    now: Now,
) -> SessionVerdict {
    if let Some(Ended { reason, .. }) = family.ended {
        return SessionVerdict::Ended(reason);
    }
    let Some(gate) = gate else {
        return SessionVerdict::Ended(EndReason::Disabled);
    };
    if family.session_epoch < gate.session_epoch {
        return SessionVerdict::Ended(gate.epoch_reason);
    }
    if family.session_epoch > gate.session_epoch {
        return SessionVerdict::ReadAgain;
    }
    match gate.status {
        GateStatus::Active => {}
        GateStatus::Disabled => return SessionVerdict::Ended(EndReason::Disabled),
        GateStatus::Reset => return SessionVerdict::Ended(EndReason::StaffReset),
    }
    if let Some(reason) = timed_out(
        family.started_at,
        last_activity,
        family.inactivity_timeout,
        policy.absolute_timeout,
        now,
    ) {
        return SessionVerdict::EndsNow(reason);
    }
    // After the lifetime: a forged secret must not learn more than that the session is not his.
    if !same_digest(&family.token_digest, presented_digest) {
        return SessionVerdict::TokenReplaced;
    }
    SessionVerdict::Live
}

/// Why time has ended a session, if it has. One rule for the warm table and for the store.
pub fn timed_out(
    started_at: Timestamp,
    last_activity: Timestamp,
    inactivity_timeout: Duration,
    absolute_timeout: Duration,
    now: Now,
) -> Option<EndReason> {
    let last_activity = last_activity.max(started_at);
    if is_from_the_future(last_activity, now) {
        return Some(EndReason::AbsoluteTimeout);
    }
    if now.latest.since(last_activity) >= inactivity_timeout {
        return Some(EndReason::Inactivity);
    }
    (now.latest.since(started_at) >= absolute_timeout).then_some(EndReason::AbsoluteTimeout)
}

/// Which families end so that a new one has room: the oldest, until with it there are `most`. One answer
/// for each of `began`.
pub fn too_many(began: &[Timestamp], most: usize) -> Vec<bool> {
    let surplus = (began.len() + 1).saturating_sub(most);
    let mut by_age: Vec<(usize, &Timestamp)> = began.iter().enumerate().collect();
    by_age.sort_by_key(|(_, began)| **began);
    by_age.truncate(surplus);
    (0..began.len())
        .map(|i| by_age.iter().any(|(oldest, _)| *oldest == i))
        .collect()
}

/// Whether who they are was proven a short while ago: what a borrowed session must not do asks for it.
pub fn is_fresh(authenticated_at: Timestamp, fresh_for: Duration, now: Now) -> bool {
    !is_from_the_future(authenticated_at, now) && now.latest.since(authenticated_at) < fresh_for
}

/// When the session will end if nobody does anything.
pub fn expires_at(
    started_at: Timestamp,
    last_activity: Timestamp,
    inactivity_timeout: Duration,
    policy: &SessionPolicy,
) -> Timestamp {
    let idle = last_activity.max(started_at).plus(inactivity_timeout);
    idle.min(started_at.plus(policy.absolute_timeout))
}

/// When the person was last active, from what a browser says it was idle for: the server subtracts from
/// its own clock, never before the family began and never in the future.
pub fn activity_at(idle_for: Duration, family_started_at: Timestamp, now: Now) -> Timestamp {
    now.latest.minus(idle_for).max(family_started_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AccountId;

    const HOUR: Duration = Duration::from_secs(3600);
    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + ms)
    }

    fn family() -> Family {
        Family {
            account: AccountId::from_bytes([1; 16]),
            session_epoch: 3,
            token_key: 1,
            token_digest: [7; 32],
            started_at: at(0),
            authenticated_at: at(0),
            inactivity_timeout: 4 * HOUR,
            ended: None,
            client_label: String::new(),
        }
    }

    fn gate() -> Gate {
        Gate {
            session_epoch: 3,
            epoch_reason: EndReason::PasswordChanged,
            status: GateStatus::Active,
            credential_generation: 1,
            sealed_credential: Vec::new(),
            recovery_codes: Vec::new(),
        }
    }

    fn judge(
        family: &Family,
        gate: Option<&Gate>,
        seen: Timestamp,
        now: Timestamp,
    ) -> SessionVerdict {
        let policy = SessionPolicy::default();
        judge_session(family, gate, &[7; 32], seen, &policy, Now::exactly(now))
    }

    #[test]
    fn four_hours_of_inactivity_end_a_session_and_not_a_millisecond_less() {
        let end = at(0).plus(4 * HOUR);
        assert_eq!(
            judge(&family(), Some(&gate()), at(0), end.minus(MS)),
            SessionVerdict::Live
        );
        assert_eq!(
            judge(&family(), Some(&gate()), at(0), end),
            SessionVerdict::EndsNow(EndReason::Inactivity)
        );
    }

    #[test]
    fn activity_extends_up_to_the_absolute_timeout_and_not_beyond() {
        let day = at(0).plus(24 * HOUR);
        assert_eq!(
            judge(&family(), Some(&gate()), day.minus(MS), day.minus(MS)),
            SessionVerdict::Live
        );
        assert_eq!(
            judge(&family(), Some(&gate()), day.minus(MS), day),
            SessionVerdict::EndsNow(EndReason::AbsoluteTimeout)
        );
    }

    #[test]
    fn a_family_behind_its_gate_has_ended_with_the_gates_reason() {
        let ahead = Gate {
            session_epoch: 4,
            ..gate()
        };
        assert_eq!(
            judge(&family(), Some(&ahead), at(0), at(1)),
            SessionVerdict::Ended(EndReason::PasswordChanged)
        );
        let behind = Gate {
            session_epoch: 2,
            ..gate()
        };
        assert_eq!(
            judge(&family(), Some(&behind), at(0), at(1)),
            SessionVerdict::ReadAgain
        );
    }

    #[test]
    fn a_missing_disabled_or_reset_gate_admits_nobody() {
        let disabled = Gate {
            status: GateStatus::Disabled,
            ..gate()
        };
        let reset = Gate {
            status: GateStatus::Reset,
            ..gate()
        };
        for gate in [None, Some(&disabled), Some(&reset)] {
            assert!(matches!(
                judge(&family(), gate, at(0), at(1)),
                SessionVerdict::Ended(_)
            ));
        }
    }

    #[test]
    fn a_tombstone_tells_its_reason_whatever_else_is_true() {
        let ended = Ended {
            reason: EndReason::LogOut,
            at: at(5),
        };
        let family = Family {
            ended: Some(ended),
            ..family()
        };
        assert_eq!(
            judge(&family, Some(&gate()), at(9), at(10)),
            SessionVerdict::Ended(EndReason::LogOut)
        );
    }

    #[test]
    fn another_secret_is_a_replaced_token() {
        let policy = SessionPolicy::default();
        let verdict = judge_session(
            &family(),
            Some(&gate()),
            &[8; 32],
            at(0),
            &policy,
            Now::exactly(at(1)),
        );
        assert_eq!(verdict, SessionVerdict::TokenReplaced);
    }

    #[test]
    fn se17_the_oldest_make_room_and_no_more_of_them_than_needed() {
        let began = [at(5), at(1), at(9), at(1)];
        assert_eq!(too_many(&began, 5), [false; 4]);
        assert_eq!(too_many(&began, 4), [false, true, false, false]);
        assert_eq!(too_many(&began, 2), [true, true, false, true]);
        assert_eq!(too_many(&began, 0), [true; 4]);
        assert_eq!(too_many(&[], 1), [false; 0]);
    }

    #[test]
    fn se13_a_proof_is_fresh_for_a_while_and_one_from_the_future_never_is() {
        let fresh = |now: Timestamp| is_fresh(at(0), HOUR, Now::exactly(now));
        assert!(fresh(at(0).plus(HOUR).minus(MS)));
        assert!(!fresh(at(0).plus(HOUR)));
        assert!(!fresh(at(0).minus(Duration::from_secs(301))));
    }

    #[test]
    fn activity_recorded_in_the_future_keeps_nothing_alive() {
        let seen = at(0).plus(6 * 60 * 1000 * MS);
        assert!(matches!(
            judge(&family(), Some(&gate()), seen, at(0)),
            SessionVerdict::EndsNow(_)
        ));
    }

    #[test]
    fn a54_idle_time_is_subtracted_from_our_clock_and_never_reaches_into_the_future() {
        let now = Now::exactly(at(10_000));
        assert_eq!(activity_at(Duration::ZERO, at(0), now), at(10_000));
        assert_eq!(activity_at(4_000 * MS, at(0), now), at(6_000));
        assert_eq!(activity_at(Duration::MAX, at(0), now), at(0));
    }
}
