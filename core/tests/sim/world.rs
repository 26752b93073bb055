//! The model, and what happens next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use narthex_core::host::{KeyPurpose, KeyRing};
use narthex_core::model::{EndReason, EntryKey, Lane};
use narthex_core::policy::LanePolicy;
use narthex_core::rules::attempts::failures;
use narthex_core::store::records::Stored;
use narthex_core::store::{Key, Store};
use narthex_core::{Asker, Portal, SessionToken};

use crate::budgets::SOURCE_ATTEMPTS_MAX;
use crate::dice::Dice;
use crate::faulty_store::FaultyStore;
use crate::recovery::ModelRecovery;
use crate::support::*;

pub(crate) const PEOPLE: usize = 14;
/// The first people are the offices: one person in each school.
pub(crate) const OFFICES: usize = 2;
pub(crate) const SCHOOLS: [&str; 2] = ["north", "south"];
const BROWSERS: usize = 20;
pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;
/// Families and tickets are swept so long after they began.
pub(crate) const SWEPT_MS: u64 = 31 * 24 * HOUR_MS;

/// What the model knows of a row of the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModelRow {
    Listed,
    /// Missing from the last file, with too many others to be believed.
    Held,
    Missing,
}

/// What the model knows of a lane of attempts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ModelLane {
    /// Consecutive failures, and when the last was.
    pub(crate) failures: u64,
    pub(crate) last: u64,
}

/// What the model knows of a person.
#[derive(Clone, Debug)]
pub(crate) struct ModelPerson {
    pub(crate) password: Option<String>,
    pub(crate) listed: bool,
    pub(crate) row: ModelRow,
    /// The first is where the roster says the person lands.
    pub(crate) schools: Vec<&'static str>,
    pub(crate) chosen: Option<&'static str>,
    pub(crate) lanes: BTreeMap<&'static str, ModelLane>,
    /// A family is live only if it was confirmed in this era.
    pub(crate) era: u64,
    pub(crate) era_reason: Option<EndReason>,
    /// Raised with every new password.
    pub(crate) generation: u64,
    pub(crate) saved_codes: Vec<String>,
    /// From the office, and when.
    pub(crate) issued_code: Option<(String, u64)>,
    pub(crate) dead_codes: Vec<String>,
}

/// What the model knows of a family.
#[derive(Clone, Debug)]
pub(crate) struct ModelFamily {
    pub(crate) person: usize,
    pub(crate) token: SessionToken,
    /// Tokens of this family that were replaced.
    pub(crate) replaced: Vec<SessionToken>,
    pub(crate) era: u64,
    pub(crate) started: u64,
    /// When the password was typed last.
    pub(crate) proven: u64,
    pub(crate) seen: u64,
    pub(crate) ended: Option<EndReason>,
}

pub(crate) struct Simulation {
    pub(crate) dice: Dice,
    pub(crate) house: House,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) portal: Portal,
    pub(crate) people: Vec<ModelPerson>,
    pub(crate) browsers: Vec<Option<usize>>,
    pub(crate) families: Vec<ModelFamily>,
    pub(crate) recoveries: Vec<ModelRecovery>,
    /// The model's own time: never goes back.
    pub(crate) now: u64,
    pub(crate) wall: u64,
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

fn schools_of(n: usize) -> Vec<&'static str> {
    match n {
        0..OFFICES => vec![SCHOOLS[n]],
        // Some belong to both.
        _ if n.is_multiple_of(5) => vec![SCHOOLS[n % 2], SCHOOLS[1 - n % 2]],
        _ => vec![SCHOOLS[n % 2]],
    }
}

impl Simulation {
    pub(crate) fn new(seed: u64) -> Self {
        let store = Arc::new(FaultyStore::new(seed));
        let mut house = House::new(Arc::clone(&store) as Arc<dyn Store>);
        house.policy.attempts.source_attempts_max = SOURCE_ATTEMPTS_MAX;
        house.policy.attempts.whole_attempts_max = u64::MAX;
        house.policy.retention.ended_families = Duration::from_secs(30 * 24 * 3600);
        let person = |n| ModelPerson {
            password: None,
            listed: true,
            row: ModelRow::Listed,
            schools: schools_of(n),
            chosen: None,
            lanes: BTreeMap::new(),
            era: 0,
            era_reason: None,
            generation: 0,
            saved_codes: Vec::new(),
            issued_code: None,
            dead_codes: Vec::new(),
        };
        let portal = block_on(house.open());
        let start = START.as_millis();
        let mut simulation = Self {
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            house,
            store,
            portal,
            people: (0..PEOPLE).map(person).collect(),
            browsers: vec![None; BROWSERS],
            families: Vec::new(),
            recoveries: Vec::new(),
            now: start,
            wall: start,
            counts: BTreeMap::new(),
        };
        simulation.import_everybody();
        simulation
    }

    pub(crate) fn step(&mut self) {
        let faults = self.dice.once_in(4);
        self.store.set_faults(faults);
        match self.dice.roll(1_000) {
            0..=99 => self.claim(),
            100..=279 => self.log_in(),
            280..=499 => self.visit(),
            500..=559 => self.activity(),
            560..=609 => self.change_password(),
            610..=629 => self.step_up(),
            630..=664 => self.log_out(),
            665..=674 => self.end_others(),
            675..=694 => self.choose_school(),
            695..=719 => self.find_at_the_desk(),
            720..=749 => self.issue_recovery_code(),
            750..=774 => self.renew_recovery_codes(),
            775..=819 => self.begin_recovery(),
            820..=854 => self.answer_questions(),
            855..=884 => self.finish_recovery(),
            885..=944 => self.let_time_pass(),
            945..=954 => self.set_the_wall_clock(),
            955..=961 => self.restart(),
            962..=977 => self.import(),
            978..=983 => self.settle_holds(),
            984..=989 => self.reset_claim(),
            _ => self.maintain(),
        }
        self.store.set_faults(false);
        self.everything_warm_is_live();
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(crate) fn asker(&mut self) -> Asker {
        // Most come from one address.
        let host = self.dice.roll(10).saturating_sub(5);
        Asker {
            source: format!("192.0.2.{host}"),
            ..Asker::default()
        }
    }

    // What the model says.

    pub(crate) fn verdict(&self, family: &ModelFamily, seen: u64) -> Result<(), EndReason> {
        let person = &self.people[family.person];
        if let Some(reason) = family.ended {
            return Err(reason);
        }
        if family.era != person.era {
            return Err(person.era_reason.unwrap());
        }
        if self.now - seen >= 4 * HOUR_MS {
            return Err(EndReason::Inactivity);
        }
        if self.now - family.started >= 24 * HOUR_MS {
            return Err(EndReason::AbsoluteTimeout);
        }
        Ok(())
    }

    /// Whether the person may use the account.
    pub(crate) fn is_usable(&self, n: usize) -> bool {
        self.people[n].password.is_some() && self.people[n].listed
    }

    pub(crate) fn earliest(&self) -> u64 {
        self.now.min(self.wall)
    }

    fn lane_policy(&self, kind: &str) -> LanePolicy {
        let attempts = &self.house.policy.attempts;
        match kind {
            "log-in" => attempts.log_in,
            "recovery" => attempts.recovery,
            "recovery-answers" => attempts.recovery_answers,
            other => panic!("{other}"),
        }
    }

    pub(crate) fn lane_is_open(&self, n: usize, kind: &str) -> bool {
        let policy = self.lane_policy(kind);
        let lane = self.people[n].lanes.get(kind).copied().unwrap_or_default();
        let Some(beyond) = lane.failures.checked_sub(policy.free_failures.into()) else {
            return true;
        };
        let doublings = u32::try_from(beyond).unwrap().min(20);
        let wait = (millis(policy.first_wait) << doublings).min(millis(policy.longest_wait));
        // Failures and waits go by the wall while it is behind; one that lies ahead of it by more than
        // five minutes starts its wait again.
        self.earliest() >= lane.last + wait
    }

    /// After a refusal or a fault, the lane has been charged at most once more, and never less.
    pub(crate) fn follow_lane(&mut self, n: usize, kind: &'static str) {
        let kept = self.lane(n, kind);
        let failures = kept.map_or(0, |lane| u64::from(failures(&lane)));
        let lane = self.people[n].lanes.entry(kind).or_default();
        let before = lane.failures;
        let credited_unseen = failures == 0;
        assert!(
            failures <= before + 1,
            "{kind} charged twice: {before} -> {failures}"
        );
        assert!(
            failures >= before || credited_unseen,
            "{kind} under-counted: {before} -> {failures}"
        );
        lane.failures = failures;
        // Where a failure lay ahead of the wall, its wait began again.
        lane.last = kept.map_or(0, |lane| lane.last_failure_at.as_millis());
        let last = lane.last;
        if failures > before {
            assert_eq!(last, self.earliest());
        }
    }

    /// A success takes every failure before it back.
    pub(crate) fn clear_lane(&mut self, n: usize, kind: &'static str) {
        self.people[n].lanes.remove(kind);
        assert_eq!(self.lane(n, kind).map_or(0, |lane| failures(&lane)), 0);
    }

    /// What the store holds: read past the faults.
    fn lane(&self, n: usize, kind: &str) -> Option<Lane> {
        let keys = KeyRing::from_text(&self.house.keys).unwrap();
        let id = keys.current(KeyPurpose::Names);
        let number = number(n);
        let parts = [b"entry".as_slice(), number.as_str().as_bytes()];
        let entry = EntryKey(keys.mac(KeyPurpose::Names, id, &parts).unwrap());
        let key = Key::record(format!("lane/{kind}/{}", entry.to_hex()));
        let (record, _) = block_on(self.store.inner.get(&key)).unwrap()?;
        Some(Lane::decode(&record).unwrap())
    }

    /// Everything that holds of the warm table whatever happened: it never says live where the model
    /// says ended.
    fn everything_warm_is_live(&self) {
        for family in self.families.iter().rev().take(40) {
            if is_warm(&self.portal, &family.token) {
                let verdict = self.verdict(family, family.seen);
                assert_eq!(
                    verdict,
                    Ok(()),
                    "warm, but the model says ended: {family:?}"
                );
            }
            for old in &family.replaced {
                assert!(!is_warm(&self.portal, old), "a replaced token is warm");
            }
        }
    }

    // What the model learns.

    pub(crate) fn new_era(&mut self, n: usize, reason: EndReason) {
        self.people[n].era += 1;
        self.people[n].era_reason = Some(reason);
    }

    pub(crate) fn new_password(&mut self, n: usize, password: Option<String>) {
        self.people[n].password = password;
        self.people[n].generation += 1;
    }

    pub(crate) fn codes_die(&mut self, n: usize) {
        let person = &mut self.people[n];
        person.dead_codes.append(&mut person.saved_codes);
        person
            .dead_codes
            .extend(person.issued_code.take().map(|(code, _)| code));
    }

    /// A session that was judged and found ended by time stays so: its tombstone is durable.
    pub(crate) fn settle(&mut self, f: usize, reason: EndReason) {
        if matches!(reason, EndReason::Inactivity | EndReason::AbsoluteTimeout) {
            self.families[f].ended = Some(reason);
        }
    }

    pub(crate) fn pick_family(&mut self) -> Option<usize> {
        if self.families.is_empty() {
            return None;
        }
        // Mostly those that a browser holds, sometimes any from the past.
        let b = self.dice.index(BROWSERS);
        match self.browsers[b] {
            Some(f) if !self.dice.once_in(12) => Some(f),
            _ => Some(self.dice.index(self.families.len())),
        }
    }

    /// Nobody holds a token of this family.
    pub(crate) fn forget(&mut self, f: usize) {
        for held in &mut self.browsers {
            if *held == Some(f) {
                *held = None;
            }
        }
        let token = self.families[f].token.clone();
        assert!(!is_warm(&self.portal, &token));
        self.families.remove(f);
        for held in self.browsers.iter_mut().flatten() {
            if *held > f {
                *held -= 1;
            }
        }
    }

    /// The family goes on under a new token; `None`: the token got lost with its answer, so nobody can
    /// use the family any more.
    pub(crate) fn renewed(&mut self, f: usize, token: Option<SessionToken>) {
        let now = self.now;
        let family = &mut self.families[f];
        let old = family.token.clone();
        family.replaced.push(old);
        match token {
            None => self.forget(f),
            Some(token) => {
                family.token = token;
                family.seen = now;
            }
        }
    }

    pub(crate) fn random_browser(&mut self) -> usize {
        self.dice.index(BROWSERS)
    }
}
