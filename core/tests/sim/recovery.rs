//! Recovery: codes from the office and codes that were kept, the answers, a new password.

use futures_executor::block_on;
use narthex_core::model::EndReason;
use narthex_core::portal::{IssuedRecoveryCode, RecoveryTicket};
use narthex_core::rules::code::RecoveryCodeText;
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::{BrowserSecret, Error, Refusal};
use zeroize::Zeroizing;

use crate::support::*;
use crate::world::{HOUR_MS, MINUTE_MS, PEOPLE, Simulation, millis};

const UNDER_WAY: usize = 12;

/// A recovery that somebody began.
pub(crate) struct ModelRecovery {
    person: usize,
    browser: BrowserSecret,
    ticket: RecoveryTicket,
    code: String,
    era: u64,
    generation: u64,
    opened: u64,
    step_at: u64,
    /// The answers were right.
    proven: bool,
    done: bool,
}

/// What a step with a ticket must lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Valid,
    Expired,
    Done,
}

fn counts(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::RecoveryFailed | Refusal::AnswersNotMatched
    )
}

impl Simulation {
    fn recovery_verdict(&self, r: &ModelRecovery) -> Verdict {
        let person = &self.people[r.person];
        if r.done {
            return Verdict::Done;
        }
        let too_late = self.now >= (r.step_at + 10 * MINUTE_MS).min(r.opened + 30 * MINUTE_MS);
        let issued = person.issued_code.iter().map(|(code, _)| code);
        let code_is_there = person
            .saved_codes
            .iter()
            .chain(issued)
            .any(|c| *c == r.code);
        let same = r.era == person.era && r.generation == person.generation;
        match !too_late && same && code_is_there {
            true => Verdict::Valid,
            false => Verdict::Expired,
        }
    }

    pub(crate) fn issue_recovery_code(&mut self) {
        let n = self.dice.index(PEOPLE);
        let usable = self.is_usable(n);
        let now = self.now;
        let outcome = block_on(self.portal.issue_recovery_code(&number(n), &asker()));
        let issued = match outcome {
            Ok(IssuedRecoveryCode::Issued { code, expires_at }) => {
                assert!(usable, "a code for an account that nobody can use");
                let lifetime = millis(self.house.policy.recovery.issued_code_lifetime);
                assert_eq!(expires_at.as_millis(), now + lifetime);
                Some((code.expose().to_string(), now))
            }
            Ok(_) => {
                assert!(!usable, "no code for a person who needs one");
                return;
            }
            Err(error) => match self.store.landed(&error, "gate/") {
                // Made, and nobody knows it.
                true => None,
                false => return,
            },
        };
        let person = &mut self.people[n];
        let before = std::mem::replace(&mut person.issued_code, issued);
        person.dead_codes.extend(before.map(|(code, _)| code));
        self.count("recovery codes issued");
    }

    pub(crate) fn renew_recovery_codes(&mut self) {
        let Some((f, session)) = self.live_session() else {
            return;
        };
        let proof = self.portal.fresh(&session);
        assert_eq!(proof.is_ok(), self.is_fresh(f), "freshness");
        let Ok(proof) = proof else { return };
        let outcome = block_on(self.portal.renew_recovery_codes(&proof, &asker()));
        let codes = match outcome {
            Ok(codes) => codes,
            Err(error) => match self.store.landed(&error, "gate/") {
                true => Vec::new(),
                false => return,
            },
        };
        let person = &mut self.people[self.families[f].person];
        person.dead_codes.append(&mut person.saved_codes);
        let texts = codes.iter().map(|code| code.expose().to_string());
        person.saved_codes.extend(texts);
        self.count("recovery codes kept");
    }

    /// A code to try: mostly one that is there, sometimes one that died, or that never was.
    fn some_code(&mut self, n: usize) -> String {
        let person = &self.people[n];
        let of = |codes: &[String], dice: &mut crate::dice::Dice| {
            (!codes.is_empty()).then(|| codes[dice.index(codes.len())].clone())
        };
        let issued = person.issued_code.as_ref().map(|(code, _)| code.clone());
        let found = match self.dice.roll(8) {
            0..=2 => issued,
            3..=5 => of(&person.saved_codes, &mut self.dice),
            6 => of(&person.dead_codes, &mut self.dice),
            _ => None,
        };
        found.unwrap_or_else(|| {
            let signs =
                Zeroizing::new([(); 16].map(|()| u8::try_from(self.dice.roll(256)).unwrap()));
            RecoveryCodeText::from_random(&signs).expose().to_string()
        })
    }

    fn is_right_code(&self, n: usize, code: &str) -> bool {
        let person = &self.people[n];
        let lifetime = millis(self.house.policy.recovery.issued_code_lifetime);
        let issued = person.issued_code.as_ref();
        let is_issued = issued.is_some_and(|(c, at)| c == code && self.now < at + lifetime);
        is_issued || person.saved_codes.iter().any(|c| c == code)
    }

    pub(crate) fn begin_recovery(&mut self) {
        let n = self.dice.index(PEOPLE);
        let code = self.some_code(n);
        let is_dead = self.people[n].dead_codes.contains(&code);
        let all_right =
            self.is_usable(n) && self.is_right_code(n, &code) && self.lane_is_open(n, "recovery");
        let (asker, browser) = (self.asker(), browser(&self.portal));
        let budget = self.budget("recovery", &asker);
        let text = RecoveryCodeText::parse(&code).unwrap();
        let number = number(n);
        let begin = self.portal.begin_recovery(&number, &text, &browser, &asker);
        let outcome = block_on(begin);
        self.follow_budget(&budget, &outcome, counts);
        match outcome {
            Ok(ticket) => {
                assert!(all_right, "begun: {:?}", self.people[n]);
                self.clear_lane(n, "recovery");
                self.recoveries.push(ModelRecovery {
                    person: n,
                    browser,
                    ticket,
                    code,
                    era: self.people[n].era,
                    generation: self.people[n].generation,
                    opened: self.now,
                    step_at: self.now,
                    proven: false,
                    done: false,
                });
                if self.recoveries.len() > UNDER_WAY {
                    self.recoveries.remove(0);
                }
                self.count("begun a recovery");
            }
            Err(Error::Refused(Refusal::Throttled { .. })) => {}
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::RecoveryFailed);
                assert!(
                    !all_right,
                    "refused, though all was right: {:?}",
                    self.people[n]
                );
                self.follow_lane(n, "recovery");
                if is_dead {
                    self.count("begun none with a dead code");
                }
            }
            Err(error) => {
                // A ticket that nobody holds changes nothing.
                self.store.landed(&error, "recovery/");
                self.follow_lane(n, "recovery");
                self.count("recovery faults");
            }
        }
    }

    fn pick_recovery(&mut self) -> Option<usize> {
        match self.recoveries.len() {
            0 => None,
            // Mostly the one begun last.
            length if self.dice.once_in(4) => Some(self.dice.index(length)),
            length => Some(length - 1),
        }
    }

    /// What is told where the ticket does not carry on.
    fn is_told(&self, r: usize, refusal: &Refusal) -> bool {
        let recovery = &self.recoveries[r];
        match self.recovery_verdict(recovery) {
            Verdict::Valid => false,
            Verdict::Expired => *refusal == Refusal::RecoveryExpired,
            // Swept after a while.
            Verdict::Done => {
                *refusal == Refusal::AlreadyRecovered
                    || self.now - recovery.step_at > HOUR_MS / 6
                        && *refusal == Refusal::RecoveryExpired
            }
        }
    }

    pub(crate) fn answer_questions(&mut self) {
        let Some(r) = self.pick_recovery() else {
            return;
        };
        let recovery = &self.recoveries[r];
        let (n, valid) = (
            recovery.person,
            self.recovery_verdict(recovery) == Verdict::Valid,
        );
        let (proven, ticket) = (recovery.proven, recovery.ticket.clone());
        let right = !self.dice.once_in(3);
        let given = match right {
            true => answers(),
            false => SecurityAnswers::new()
                .with("first_toy", "Vellum")
                .with("story", "somebody else's"),
        };
        let open = self.lane_is_open(n, "recovery-answers");
        let asker = self.asker();
        let budget = self.budget("recovery-answers", &asker);
        let browser = &self.recoveries[r].browser;
        let answer = self
            .portal
            .answer_recovery_questions(&ticket, browser, &given, &asker);
        let outcome = block_on(answer);
        if !(valid && proven) {
            self.follow_budget(&budget, &outcome, counts);
        }
        match outcome {
            Ok(_) => {
                assert!(valid && (proven || right && open), "answered");
                if !proven {
                    self.clear_lane(n, "recovery-answers");
                    self.answered(r);
                }
            }
            Err(Error::Refused(Refusal::Throttled { .. })) => {}
            Err(Error::Refused(Refusal::AnswersNotMatched)) => {
                assert!(valid && !proven && !(right && open), "refused");
                self.follow_lane(n, "recovery-answers");
                self.count("wrong answers");
            }
            Err(Error::Refused(refusal)) => {
                assert!(self.is_told(r, &refusal), "{refusal:?}");
                self.count("ended recoveries asked for");
            }
            Err(error) => {
                if self.store.landed(&error, "recovery/") {
                    self.answered(r);
                }
                self.follow_lane(n, "recovery-answers");
                self.count("recovery faults");
            }
        }
    }

    fn answered(&mut self, r: usize) {
        let now = self.now;
        let recovery = &mut self.recoveries[r];
        (recovery.proven, recovery.step_at) = (true, now);
    }

    pub(crate) fn finish_recovery(&mut self) {
        let Some(r) = self.pick_recovery() else {
            return;
        };
        let recovery = &self.recoveries[r];
        let (n, valid) = (
            recovery.person,
            self.recovery_verdict(recovery) == Verdict::Valid,
        );
        let (proven, ticket) = (recovery.proven, recovery.ticket.clone());
        let new = format!("recovered with roll {}", self.dice.roll(1 << 30));
        let asker = self.asker();
        let finish = self.portal.finish_recovery(
            &ticket,
            &self.recoveries[r].browser,
            password(&new),
            &asker,
        );
        match block_on(finish) {
            Ok(recovered) => {
                assert!(valid && proven, "recovered");
                assert_eq!(recovered.login_id, number(n).as_str());
            }
            Err(Error::Refused(Refusal::RecoveryStepMissing)) => {
                assert!(valid && !proven);
                return;
            }
            Err(Error::Refused(refusal)) => {
                assert!(self.is_told(r, &refusal), "{refusal:?}");
                self.count("ended recoveries asked for");
                return;
            }
            Err(error) => {
                self.count("recovery faults");
                if !self.store.landed(&error, "gate/") {
                    return;
                }
            }
        }
        self.new_era(n, EndReason::Recovered);
        self.new_password(n, Some(new));
        self.codes_die(n);
        self.clear_lane(n, "log-in");
        let now = self.now;
        let recovery = &mut self.recoveries[r];
        (recovery.done, recovery.step_at) = (true, now);
        self.count("recovered");
    }
}
