//! Schools: what people may choose, and what the office of one school sees (P8).

use futures_executor::block_on;
use narthex_core::{Error, Refusal};

use crate::support::*;
use crate::world::{OFFICES, PEOPLE, SCHOOLS, Simulation};

impl Simulation {
    pub(crate) fn choose_school(&mut self) {
        let Some((f, session)) = self.live_session() else {
            return;
        };
        let n = self.families[f].person;
        let school = SCHOOLS[self.dice.index(SCHOOLS.len())];
        let belongs = self.people[n].schools.contains(&school);
        let (id, asker) = (organization(school), asker());
        let choose = self.portal.set_default_organization(&session, &id, &asker);
        let chosen = match block_on(choose) {
            Ok(()) => {
                assert!(belongs, "chose a school of others");
                true
            }
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::NotPermitted);
                assert!(!belongs, "not permitted to choose one's own school");
                false
            }
            Err(error) => self.store.landed(&error, "person/"),
        };
        if chosen {
            self.people[n].chosen = Some(school);
            self.count("chose a school");
        }
    }

    pub(crate) fn find_at_the_desk(&mut self) {
        // Mostly the offices; sometimes somebody who has no business there.
        let office = self.dice.index(OFFICES);
        let found = match self.dice.once_in(4) {
            true => self.live_session(),
            false => {
                let own = |f: &usize| self.families[*f].person == office;
                let f = self.browsers.iter().flatten().copied().find(own);
                f.and_then(|f| self.session_of(f))
            }
        };
        let Some((f, session)) = found else { return };
        let n = self.families[f].person;
        let Ok(proof) = self.portal.fresh(&session) else {
            assert!(!self.is_fresh(f));
            return;
        };
        let asker = asker();
        let target = self.dice.index(PEOPLE);
        match block_on(self.portal.staff_desk(&proof, &asker).find(&number(target))) {
            Ok(report) => {
                assert!(n < OFFICES, "a pupil at the desk");
                let school = SCHOOLS[n];
                let reached = self.people[target].schools.contains(&school);
                assert_eq!(report.is_some(), reached, "{n} looks at {target}");
                if let Some(report) = report {
                    assert_eq!(report.person.login_id, number(target).as_str());
                    let claimed = self.people[target].password.is_some();
                    assert_eq!(report.person.claimed, claimed);
                    assert!(report.may_act == (target != n));
                }
                self.count(match reached {
                    true => "desk: found",
                    false => "desk: of another school",
                });
            }
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::NotPermitted);
                assert!(n >= OFFICES, "the office is not let in");
            }
            Err(_) => self.store.forget_lost(),
        }
    }
}
