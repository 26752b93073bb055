//! What happens in a session: visits, activity, the end.

use std::time::Duration;

use futures_executor::block_on;
use narthex_core::model::EndReason;
use narthex_core::store::Store as _;
use narthex_core::{Error, Refusal, VerifiedSession};

use crate::support::*;
use crate::world::{HOUR_MS, SWEPT_MS, Simulation};

impl Simulation {
    /// A family that the portal finds live just now. Only time ends others in this call.
    pub(crate) fn live_session(&mut self) -> Option<(usize, VerifiedSession)> {
        let f = self.pick_family()?;
        self.session_of(f)
    }

    pub(crate) fn session_of(&self, f: usize) -> Option<(usize, VerifiedSession)> {
        let session = block_on(self.portal.verify_session(&self.families[f].token)).ok();
        // The end by time is found again by whoever asks next.
        self.store.forget_lost();
        session.map(|session| (f, session))
    }

    pub(crate) fn visit(&mut self) {
        let Some(f) = self.pick_family() else { return };
        let family = self.families[f].clone();
        if let Some(old) = family.replaced.last()
            && self.dice.roll(3) == 0
        {
            let answer = block_on(self.portal.verify_session(old));
            assert!(answer.is_err(), "a replaced token was accepted");
            return;
        }
        match block_on(self.portal.verify_session(&family.token)) {
            Ok(session) => {
                assert_eq!(
                    self.verdict(&family, family.seen),
                    Ok(()),
                    "let in: {family:?}"
                );
                assert_eq!(session.selector(), family.token.selector());
                self.is_who_the_roster_says(&session, family.person);
                self.count("visited");
            }
            Err(Error::Refused(Refusal::SessionEnded { reason, .. })) => {
                let expected = self.verdict(&family, family.seen);
                assert!(
                    expected.is_err(),
                    "put out: {family:?} {reason:?} at {}",
                    self.now
                );
                // Time may have ended it, durably, before something else would have.
                let by_time = match reason {
                    EndReason::Inactivity => self.now - family.seen >= 4 * HOUR_MS,
                    EndReason::AbsoluteTimeout => self.now - family.started >= 24 * HOUR_MS,
                    _ => false,
                };
                assert!(
                    expected == Err(reason) || by_time,
                    "{reason:?}, not {expected:?}"
                );
                self.settle(f, reason);
                self.count("ended");
            }
            // Swept: it could not have been live for a month.
            Err(Error::Refused(Refusal::NotLoggedIn)) if self.now - family.started >= SWEPT_MS => {}
            Err(Error::Refused(other)) => panic!("{other:?} for {family:?}"),
            Err(error) => {
                // The end by time may have been committed without an answer.
                if self.store.landed(&error, "family/")
                    && let Err(reason) = self.verdict(&family, family.seen)
                {
                    self.settle(f, reason);
                }
                self.count("visit faults");
            }
        }
    }

    /// Names, number and schools are those of the roster, whatever moved meanwhile (P8).
    fn is_who_the_roster_says(&mut self, session: &VerifiedSession, n: usize) {
        let Ok(profile) = block_on(self.portal.profile(session)) else {
            assert!(self.store.has_faults(), "a live session has a profile");
            return;
        };
        let person = &self.people[n];
        let mut schools: Vec<&str> = person.schools.clone();
        schools.sort_unstable();
        let of_profile = profile.memberships.iter().map(|m| m.organization.as_str());
        let mut of_profile: Vec<&str> = of_profile.collect();
        of_profile.sort_unstable();
        assert_eq!(profile.login_id, number(n).as_str());
        assert_eq!(of_profile, schools);
        let chosen = person.chosen.filter(|school| schools.contains(school));
        let lands = profile.default_organization.as_ref().map(|o| o.as_str());
        assert_eq!(lands, chosen.or(person.schools.first().copied()));
    }

    pub(crate) fn activity(&mut self) {
        let Some((f, session)) = self.live_session() else {
            return;
        };
        let family = self.families[f].clone();
        let idle = Duration::from_millis(self.dice.roll(120_000));
        let at = self
            .now
            .saturating_sub(u64::try_from(idle.as_millis()).unwrap());
        let at = at.max(family.started);
        let fault_free = !self.store.has_faults();
        let outcome = block_on(self.portal.record_activity(&session, idle));
        self.store.forget_lost();
        // A write whose answer was lost may have landed: a colder look will find it.
        let seen = self.warm_seen(f).max(self.kept_activity(f));
        let most = family.seen.max(at);
        if fault_free {
            outcome.unwrap();
            assert_eq!(seen, most, "activity was not taken as it was");
        }
        assert!(
            seen >= family.seen && seen <= most,
            "{seen} not in {}..={most}",
            family.seen
        );
        self.families[f].seen = seen;
        self.count("activity");
    }

    /// Last activity as the portal goes by it now; asked with a fresh look at store and table.
    fn warm_seen(&self, f: usize) -> u64 {
        let faults = self.store.set_faults(false);
        let session = block_on(self.portal.verify_session(&self.families[f].token));
        self.store.set_faults(faults);
        let seen = session.map_or(0, |session| session.last_activity().as_millis());
        assert!(seen <= self.now, "activity in the future");
        seen
    }

    pub(crate) fn kept_activity(&self, f: usize) -> u64 {
        let cell = narthex_core::store::records::seen_cell(self.families[f].token.selector());
        block_on(self.store.inner.read_cell(&cell)).unwrap()
    }

    pub(crate) fn log_out(&mut self) {
        let Some(f) = self.pick_family() else { return };
        let family = self.families[f].clone();
        let verdict = self.verdict(&family, family.seen);
        match block_on(self.portal.log_out(&family.token, &asker())) {
            Ok(()) => match verdict {
                Ok(()) => {
                    self.families[f].ended = Some(EndReason::LogOut);
                    self.count("logged out");
                }
                Err(reason) => self.settle(f, reason),
            },
            Err(error) => {
                let swept = self.now - family.started >= SWEPT_MS;
                assert!(swept || error.refusal().is_none(), "{error}");
                if self.store.landed(&error, "family/") {
                    match verdict {
                        Ok(()) => self.families[f].ended = Some(EndReason::LogOut),
                        Err(reason) => self.settle(f, reason),
                    }
                }
            }
        }
    }
}
