//! Recovery: a code, then the answers, then a new password (RC-01 to RC-05, SQ-01). Codes are no
//! passwords: they hold 80 random bits, so that a keyed digest is enough (ASVS 6.5.2).

use crate::model::{
    Gate, GateStatus, Now, Recovery, RecoveryCode, RecoveryCodeKind, RecoveryStep,
    SecurityAnswersRecord, Timestamp,
};
use crate::policy::RecoveryPolicy;
use crate::rules::time::is_from_the_future;
use crate::secret::same_digest;

/// How many codes a person is shown once, to keep.
pub const SAVED_CODES: usize = 8;

/// A recovery lives as long as so many steps, however often one of them is taken again.
const STEPS_MAX: u32 = 3;

/// When a code from staff is too late; saved ones wait until they are needed.
pub fn code_expires_at(code: &RecoveryCode, policy: &RecoveryPolicy) -> Option<Timestamp> {
    match code.kind {
        RecoveryCodeKind::Issued => Some(code.issued_at.plus(policy.issued_code_lifetime)),
        RecoveryCodeKind::Saved => None,
    }
}

/// Whether a code may still be used (RC-02).
pub fn code_is_current(code: &RecoveryCode, policy: &RecoveryPolicy, now: Now) -> bool {
    let too_late = code_expires_at(code, policy).is_some_and(|end| now.latest >= end);
    !too_late && !is_from_the_future(code.issued_at, now)
}

/// The code that was presented, if it is one of `codes` and may still be used. All of them are
/// compared, whatever the others say; `presented` is the digest under the key of each.
pub fn matching<'c>(
    codes: &'c [RecoveryCode],
    presented: impl Fn(&RecoveryCode) -> Option<[u8; 32]>,
    policy: &RecoveryPolicy,
    now: Now,
) -> Option<&'c RecoveryCode> {
    let mut found = None;
    for code in codes {
        let same = presented(code).is_some_and(|digest| same_digest(&digest, &code.digest));
        if same & code_is_current(code, policy, now) {
            found = Some(code);
        }
    }
    found
}

/// The codes of a gate with `fresh` ones in the place of all of their kind.
pub fn replace_kind(codes: &[RecoveryCode], fresh: Vec<RecoveryCode>) -> Vec<RecoveryCode> {
    let replaced = |code: &RecoveryCode| fresh.iter().any(|new| new.kind == code.kind);
    let kept = codes.iter().filter(|code| !replaced(code)).cloned();
    let mut codes: Vec<_> = kept.collect();
    codes.extend(fresh);
    codes
}

/// Whether the answers are asked for: policy can turn questions off, and some people have none.
pub fn asks_questions(required: usize, answers: Option<&SecurityAnswersRecord>) -> bool {
    required > 0 && answers.is_some_and(|answers| !answers.questions.is_empty())
}

/// What becomes of a step that is asked for with a recovery ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryVerdict {
    /// Go on.
    Valid,
    /// Too late, another browser, or what the ticket rests on has changed.
    Expired,
    /// The account was recovered with this ticket: the way on is the log-in page.
    Done,
}

/// When the next step is too late: each step has its time, and all of them together have theirs.
pub fn expires_at(recovery: &Recovery, policy: &RecoveryPolicy) -> Timestamp {
    let whole = recovery.opened_at.plus(policy.step_timeout * STEPS_MAX);
    recovery.step_at.plus(policy.step_timeout).min(whole)
}

/// Whether a ticket still carries its recovery: it names account, generation and epoch, the answers and
/// the code, and dies with any of them (A29).
pub fn judge_recovery(
    recovery: &Recovery,
    gate: Option<&Gate>,
    codes: &[RecoveryCode],
    answers_generation: u64,
    browser_digest: &[u8; 32],
    policy: &RecoveryPolicy,
    now: Now,
) -> RecoveryVerdict {
    if !same_digest(&recovery.browser_digest, browser_digest) {
        return RecoveryVerdict::Expired;
    }
    // Told only to the browser that went all the way.
    if recovery.step == RecoveryStep::Spent {
        return RecoveryVerdict::Done;
    }
    let Some(gate) = gate else {
        return RecoveryVerdict::Expired;
    };
    let too_late =
        now.latest >= expires_at(recovery, policy) || is_from_the_future(recovery.step_at, now);
    let unchanged = gate.status == GateStatus::Active
        && gate.credential_generation == recovery.credential_generation
        && gate.session_epoch == recovery.session_epoch
        && answers_generation == recovery.answers_generation
        && codes
            .iter()
            .any(|code| same_digest(&code.digest, &recovery.code_digest));
    if too_late || !unchanged {
        return RecoveryVerdict::Expired;
    }
    RecoveryVerdict::Valid
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{AccountId, EndReason, EntryKey};

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + ms)
    }

    fn code(kind: RecoveryCodeKind, fill: u8) -> RecoveryCode {
        RecoveryCode {
            kind,
            key: 1,
            digest: [fill; 32],
            issued_at: at(0),
        }
    }

    fn gate() -> Gate {
        Gate {
            session_epoch: 4,
            epoch_reason: EndReason::PasswordChanged,
            status: GateStatus::Active,
            credential_generation: 3,
            sealed_credential: Vec::new(),
            recovery_codes: Vec::new(),
        }
    }

    fn recovery() -> Recovery {
        Recovery {
            account: AccountId::from_bytes([1; 16]),
            entry: EntryKey([2; 32]),
            credential_generation: 3,
            session_epoch: 4,
            answers_generation: 1,
            code_digest: [7; 32],
            browser_digest: [5; 32],
            step: RecoveryStep::CodeProven,
            opened_at: at(0),
            step_at: at(0),
        }
    }

    fn judge(recovery: &Recovery, gate: Option<&Gate>, answers: u64, ms: u64) -> RecoveryVerdict {
        let codes = [code(RecoveryCodeKind::Saved, 7)];
        let policy = RecoveryPolicy::default();
        let now = Now::exactly(at(ms));
        judge_recovery(recovery, gate, &codes, answers, &[5; 32], &policy, now)
    }

    #[test]
    fn rc02_a_code_from_staff_lives_a_day_and_a_saved_one_until_it_is_needed() {
        let policy = RecoveryPolicy::default();
        let current =
            |kind, now: Timestamp| code_is_current(&code(kind, 1), &policy, Now::exactly(now));
        let end = at(0).plus(DAY);
        assert!(current(RecoveryCodeKind::Issued, end.minus(MS)));
        assert!(!current(RecoveryCodeKind::Issued, end));
        assert!(current(RecoveryCodeKind::Saved, end.plus(400 * DAY)));
        // Made by a clock that was wrong: keeps nothing open.
        let before = at(0).minus(Duration::from_secs(301));
        assert!(!current(RecoveryCodeKind::Saved, before));
        assert!(!current(RecoveryCodeKind::Issued, before));
    }

    #[test]
    fn a_code_matches_by_its_own_key_only() {
        let codes = [
            code(RecoveryCodeKind::Issued, 1),
            code(RecoveryCodeKind::Saved, 2),
            RecoveryCode {
                key: 9,
                ..code(RecoveryCodeKind::Saved, 3)
            },
        ];
        let find = |fill: u8| {
            let policy = RecoveryPolicy::default();
            let digest = |code: &RecoveryCode| (code.key == 1).then_some([fill; 32]);
            matching(&codes, digest, &policy, Now::exactly(at(1))).map(|code| code.digest[0])
        };
        assert_eq!(find(1), Some(1));
        assert_eq!(find(2), Some(2));
        assert_eq!(find(3), None);
        assert_eq!(find(4), None);
    }

    #[test]
    fn new_codes_replace_those_of_their_kind_and_no_others() {
        let (issued, saved) = (RecoveryCodeKind::Issued, RecoveryCodeKind::Saved);
        let before = [code(issued, 1), code(saved, 2), code(saved, 3)];
        let fills =
            |codes: Vec<RecoveryCode>| codes.iter().map(|code| code.digest[0]).collect::<Vec<_>>();
        let with_issued = replace_kind(&before, vec![code(issued, 9)]);
        assert_eq!(fills(with_issued), [2, 3, 9]);
        let with_saved = replace_kind(&before, vec![code(saved, 8), code(saved, 9)]);
        assert_eq!(fills(with_saved), [1, 8, 9]);
    }

    #[test]
    fn sq02_questions_are_asked_if_policy_has_them_and_the_person_too() {
        let answers = |questions: &[&str]| SecurityAnswersRecord {
            questions: questions.iter().map(|q| (*q).to_owned()).collect(),
            generation: 1,
            sealed_hash: Vec::new(),
        };
        assert!(asks_questions(2, Some(&answers(&["story"]))));
        assert!(!asks_questions(0, Some(&answers(&["story"]))));
        assert!(!asks_questions(2, Some(&answers(&[]))));
        assert!(!asks_questions(2, None));
    }

    #[test]
    fn each_step_has_ten_minutes_and_all_of_them_thirty() {
        let gate = gate();
        assert_eq!(
            judge(&recovery(), Some(&gate), 1, 599_999),
            RecoveryVerdict::Valid
        );
        assert_eq!(
            judge(&recovery(), Some(&gate), 1, 600_000),
            RecoveryVerdict::Expired
        );
        let renewed = Recovery {
            step_at: at(1_500_000),
            ..recovery()
        };
        assert_eq!(
            judge(&renewed, Some(&gate), 1, 1_799_999),
            RecoveryVerdict::Valid
        );
        assert_eq!(
            judge(&renewed, Some(&gate), 1, 1_800_000),
            RecoveryVerdict::Expired
        );
    }

    #[test]
    fn a29_a_recovery_dies_with_everything_it_names() {
        let valid = |recovery: &Recovery, gate: Option<&Gate>, answers| {
            judge(recovery, gate, answers, 1) == RecoveryVerdict::Valid
        };
        assert!(valid(&recovery(), Some(&gate()), 1));
        assert!(!valid(&recovery(), None, 1));
        assert!(!valid(&recovery(), Some(&gate()), 2));
        let generation = Gate {
            credential_generation: 4,
            ..gate()
        };
        let epoch = Gate {
            session_epoch: 5,
            ..gate()
        };
        let disabled = Gate {
            status: GateStatus::Disabled,
            ..gate()
        };
        for changed in [generation, epoch, disabled] {
            assert!(!valid(&recovery(), Some(&changed), 1), "{changed:?}");
        }
        let other_code = Recovery {
            code_digest: [8; 32],
            ..recovery()
        };
        let other_browser = Recovery {
            browser_digest: [6; 32],
            ..recovery()
        };
        assert!(!valid(&other_code, Some(&gate()), 1));
        assert!(!valid(&other_browser, Some(&gate()), 1));
    }

    #[test]
    fn who_went_all_the_way_is_told_so_and_nobody_else_is() {
        let spent = Recovery {
            step: RecoveryStep::Spent,
            ..recovery()
        };
        assert_eq!(judge(&spent, None, 0, 9_999_999), RecoveryVerdict::Done);
        let elsewhere = Recovery {
            browser_digest: [6; 32],
            ..spent
        };
        assert_eq!(judge(&elsewhere, None, 0, 1), RecoveryVerdict::Expired);
    }
}
