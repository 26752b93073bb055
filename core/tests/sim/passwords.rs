//! Logging in, and what takes the password once more.

use std::time::Duration;

use futures_executor::block_on;
use narthex_core::model::EndReason;
use narthex_core::portal::LogIn;
use narthex_core::{Error, Refusal};

use crate::support::*;
use crate::world::{ModelFamily, PEOPLE, Simulation, millis};

const WRONG: &str = "certainly not the password";

fn wrong_password(refusal: &Refusal) -> bool {
    *refusal == Refusal::LoginFailed
}

impl Simulation {
    /// The password in force, or a wrong one; and whether it is right.
    fn typed(&mut self, n: usize) -> (String, bool) {
        match &self.people[n].password {
            Some(password) if !self.dice.once_in(4) => (password.clone(), true),
            _ => (WRONG.to_owned(), false),
        }
    }

    pub(crate) fn log_in(&mut self) {
        let (n, b) = (self.dice.index(PEOPLE), self.random_browser());
        let (text, right) = self.typed(n);
        let (asker, presented) = (self.asker(), self.browsers[b]);
        let request = LogIn {
            login_id: number(n),
            password: password(&text),
            shared_computer: false,
            presented: presented.map(|f| self.families[f].token.clone()),
        };
        let open = self.lane_is_open(n, "log-in");
        let budget = self.budget("log-in", &asker);
        let outcome = block_on(self.portal.log_in(request, &asker));
        self.follow_budget(&budget, &outcome, wrong_password);
        let all_right = right && open && self.is_usable(n);
        match outcome {
            Ok(logged_in) => {
                assert!(
                    all_right,
                    "let in: right {right} open {open} {:?}",
                    self.people[n]
                );
                self.end_presented(presented);
                self.clear_lane(n, "log-in");
                self.families.push(ModelFamily {
                    person: n,
                    token: logged_in.token,
                    replaced: Vec::new(),
                    era: self.people[n].era,
                    started: self.now,
                    proven: self.now,
                    seen: self.now,
                    ended: None,
                });
                self.browsers[b] = Some(self.families.len() - 1);
                self.count("logged in");
            }
            Err(Error::Refused(Refusal::Throttled { .. })) => {}
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::LoginFailed);
                assert!(
                    !all_right,
                    "refused, though all was right: {:?} at {}",
                    self.people[n], self.now,
                );
                self.count(if open { "refused" } else { "throttled" });
                self.follow_lane(n, "log-in");
            }
            Err(error) => {
                if self.store.landed(&error, "family/") {
                    self.end_presented(presented);
                }
                self.follow_lane(n, "log-in");
                self.count("log-in faults");
            }
        }
    }

    fn end_presented(&mut self, presented: Option<usize>) {
        if let Some(f) = presented {
            let family = self.families[f].clone();
            match self.verdict(&family, family.seen) {
                Ok(()) => self.families[f].ended = Some(EndReason::LoggedInAgain),
                Err(reason) => self.settle(f, reason),
            }
        }
    }

    pub(crate) fn change_password(&mut self) {
        let Some((f, session)) = self.live_session() else {
            return;
        };
        let n = self.families[f].person;
        let (current, right) = self.typed(n);
        let new = format!("the new one of roll {}", self.dice.roll(1 << 30));
        let open = self.lane_is_open(n, "log-in");
        let asker = self.asker();
        let budget = self.budget("step-up", &asker);
        let change =
            self.portal
                .change_password(&session, password(&current), password(&new), &asker);
        let outcome = block_on(change);
        self.follow_budget(&budget, &outcome, wrong_password);
        match outcome {
            Ok(changed) => {
                assert!(right && open, "changed with right {right} open {open}");
                self.clear_lane(n, "log-in");
                self.new_era(n, EndReason::PasswordChanged);
                self.new_password(n, Some(new));
                self.renewed(f, Some(changed.token));
                let family = &mut self.families[f];
                (family.era, family.proven) = (self.people[n].era, self.now);
                self.count("changed password");
            }
            Err(Error::Refused(Refusal::Throttled { .. })) => {}
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::LoginFailed);
                assert!(!(right && open), "refused, though all was right");
                self.follow_lane(n, "log-in");
            }
            Err(error) => {
                if self.store.landed(&error, "gate/") {
                    self.new_era(n, EndReason::PasswordChanged);
                    self.new_password(n, Some(new));
                    self.renewed(f, None);
                }
                self.follow_lane(n, "log-in");
                self.count("change faults");
            }
        }
    }

    pub(crate) fn step_up(&mut self) {
        let Some((f, session)) = self.live_session() else {
            return;
        };
        let n = self.families[f].person;
        let (current, right) = self.typed(n);
        let open = self.lane_is_open(n, "log-in");
        let asker = self.asker();
        let budget = self.budget("step-up", &asker);
        let outcome = block_on(
            self.portal
                .reauthenticate(&session, password(&current), &asker),
        );
        self.follow_budget(&budget, &outcome, wrong_password);
        match outcome {
            Ok(again) => {
                assert!(right && open, "proven with right {right} open {open}");
                self.clear_lane(n, "log-in");
                self.renewed(f, Some(again.token));
                self.families[f].proven = self.now;
                self.count("stepped up");
            }
            Err(Error::Refused(Refusal::Throttled { .. })) => {}
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::LoginFailed);
                assert!(!(right && open), "refused, though all was right");
                self.follow_lane(n, "log-in");
            }
            Err(error) => {
                if self.store.landed(&error, "family/") {
                    self.renewed(f, None);
                }
                self.follow_lane(n, "log-in");
            }
        }
    }

    /// Whether the password of this family was typed a short while ago.
    pub(crate) fn is_fresh(&self, f: usize) -> bool {
        let fresh_for: Duration = self.house.policy.session.fresh_for;
        self.now - self.families[f].proven < millis(fresh_for)
    }

    pub(crate) fn end_others(&mut self) {
        let Some((f, session)) = self.live_session() else {
            return;
        };
        let fresh = self.is_fresh(f);
        let proof = self.portal.fresh(&session);
        assert_eq!(proof.is_ok(), fresh, "freshness");
        let Ok(proof) = proof else { return };
        let n = self.families[f].person;
        let outcome = block_on(self.portal.end_other_families(&proof, &asker()));
        let token = match outcome {
            Ok(kept) => Some(kept.token),
            Err(error) => {
                assert!(error.refusal().is_none(), "{error}");
                if !self.store.landed(&error, "gate/") {
                    return;
                }
                None
            }
        };
        self.new_era(n, EndReason::EndedElsewhere);
        self.families[f].era = self.people[n].era;
        self.renewed(f, token);
        self.count("ended others");
    }
}
