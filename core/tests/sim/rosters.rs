//! Rosters: people are listed, moved, left out, held and confirmed; the same again touches nothing.

use futures_executor::block_on;
use narthex_core::model::roster::RosterPerson;
use narthex_core::model::{EndReason, Listing, Membership, Role};
use narthex_core::portal::{HoldDecision, HoldScope, ImportOptions};
use narthex_core::store::Store as _;
use narthex_core::store::records::statistic_cell;

use crate::support::*;
use crate::world::{ModelRow, OFFICES, PEOPLE, SCHOOLS, Simulation};

fn role(n: usize) -> Role {
    match n < OFFICES {
        true => Role::Administrator,
        false => Role::Student,
    }
}

impl Simulation {
    fn row(&self, n: usize) -> RosterPerson {
        let of = &self.people[n];
        let membership = |school: &&str| Membership {
            organization: organization(school),
            role: role(n),
        };
        RosterPerson {
            memberships: of.schools.iter().map(membership).collect(),
            enabled: of.listed,
            ..person(n, of.schools[0])
        }
    }

    pub(crate) fn import_everybody(&mut self) {
        self.bring_in(&(0..PEOPLE).collect::<Vec<_>>());
    }

    /// Imports these people until nothing cuts it off any more; then once again, which must touch nothing
    /// but the audit.
    fn bring_in(&mut self, people: &[usize]) {
        let import = |simulation: &Self| {
            let rows = people.iter().map(|n| simulation.row(*n)).collect();
            let options = ImportOptions::default();
            let portal = &simulation.portal;
            block_on(portal.import_roster(batch(rows), options, &|_| {}))
        };
        while let Err(error) = import(self) {
            assert!(self.store.has_faults(), "{error}");
            self.store.forget_lost();
            self.count("imports cut off");
            let faults = !self.dice.once_in(3);
            self.store.set_faults(faults);
        }
        self.store.set_faults(false);
        let again = import(self).unwrap();
        let changed = again.added + again.changed + again.deactivated;
        assert_eq!(changed, 0, "the same again: {again:?}");
        self.store.forget_lost();
    }

    pub(crate) fn import(&mut self) {
        match self.dice.roll(4) {
            0 => self.leave_a_school_out(),
            1 => self.move_somebody(),
            _ => self.list_or_unlist_somebody(),
        }
        self.count("imports");
        self.follows_the_roster();
    }

    fn list_or_unlist_somebody(&mut self) {
        let n = self.dice.index(PEOPLE);
        // Most people are listed at most times.
        let listed = !self.people[n].listed || self.dice.roll(3) > 0;
        let before = std::mem::replace(&mut self.people[n].listed, listed);
        self.import_everybody();
        if before != listed {
            self.listing_changed(n);
        }
        self.everybody_is_listed_again();
    }

    fn move_somebody(&mut self) {
        let n = OFFICES + self.dice.index(PEOPLE - OFFICES);
        let [north, south] = SCHOOLS;
        self.people[n].schools = match self.dice.roll(3) {
            0 => vec![north],
            1 => vec![south],
            _ => vec![south, north],
        };
        self.import_everybody();
        self.everybody_is_listed_again();
    }

    fn everybody_is_listed_again(&mut self) {
        for person in &mut self.people {
            person.row = ModelRow::Listed;
        }
    }

    /// A file without one of the schools: five missing people are too many to be believed.
    fn leave_a_school_out(&mut self) {
        let school = SCHOOLS[self.dice.index(SCHOOLS.len())];
        let stays = |n: &usize| self.people[*n].schools[0] != school;
        let listed: Vec<usize> = (0..PEOPLE).filter(stays).collect();
        if listed.is_empty() {
            return;
        }
        self.bring_in(&listed);
        for n in listed {
            self.people[n].row = ModelRow::Listed;
        }
        let gone = |n: &usize| {
            let person = &self.people[*n];
            person.schools[0] == school && person.row != ModelRow::Missing
        };
        let gone: Vec<usize> = (0..PEOPLE).filter(gone).collect();
        let min = self.house.policy.roster.deactivation_count_min as usize;
        if gone.len() >= min {
            for n in gone {
                self.people[n].row = ModelRow::Held;
            }
            self.count("held");
        } else {
            for n in gone {
                self.leave(n);
            }
        }
    }

    /// The person is no longer in the roster.
    fn leave(&mut self, n: usize) {
        self.people[n].row = ModelRow::Missing;
        if std::mem::replace(&mut self.people[n].listed, false) {
            self.listing_changed(n);
        }
    }

    fn listing_changed(&mut self, n: usize) {
        if self.people[n].password.is_some() {
            self.new_era(n, EndReason::Disabled);
        }
    }

    pub(crate) fn settle_holds(&mut self) {
        let confirm = self.dice.once_in(2);
        let decision = match confirm {
            true => HoldDecision::Confirm,
            false => HoldDecision::Discard,
        };
        let scope = HoldScope::default();
        while let Err(error) = block_on(self.portal.settle_holds(decision, &scope, &|_| {})) {
            assert!(self.store.has_faults(), "{error}");
            self.store.forget_lost();
            let faults = !self.dice.once_in(3);
            self.store.set_faults(faults);
        }
        self.store.set_faults(false);
        self.store.forget_lost();
        let held = |n: &usize| self.people[*n].row == ModelRow::Held;
        for n in (0..PEOPLE).filter(held).collect::<Vec<_>>() {
            match decision {
                HoldDecision::Confirm => self.leave(n),
                HoldDecision::Discard => self.people[n].row = ModelRow::Listed,
            }
            self.count(match confirm {
                true => "holds confirmed",
                false => "holds discarded",
            });
        }
        assert!(block_on(self.portal.roster_holds()).unwrap().is_empty());
        self.follows_the_roster();
    }

    /// What the portal says of everybody, and the counts that are kept beside.
    fn follows_the_roster(&self) {
        for (n, person) in self.people.iter().enumerate() {
            let report = block_on(self.portal.person(&number(n))).unwrap().unwrap();
            assert_eq!(report.listing == Listing::Active, person.listed, "{n}");
            assert_eq!(
                report.claimed,
                person.password.is_some(),
                "an import changed what a person did"
            );
        }
        for school in SCHOOLS {
            for kept_role in [Role::Administrator, Role::Student] {
                let there = self.people.iter().enumerate().filter(|(n, person)| {
                    person.listed && role(*n) == kept_role && person.schools.contains(&school)
                });
                let there: Vec<_> = there.collect();
                let claimed = there.iter().filter(|(_, p)| p.password.is_some()).count();
                for (what, expected) in [("listed", there.len()), ("claimed", claimed)] {
                    let cell = statistic_cell(organization(school), what, kept_role.code());
                    let kept = block_on(self.store.inner.read_cell(&cell)).unwrap();
                    assert_eq!(kept, expected as u64, "{what} {kept_role:?} of {school}");
                }
            }
        }
        let held = self.people.iter().any(|p| p.row == ModelRow::Held);
        let holds = block_on(self.portal.roster_holds()).unwrap();
        assert_eq!(!holds.is_empty(), held, "{holds:?}");
    }
}
