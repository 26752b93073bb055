//! A seeded simulation against a small reference model: many people, browsers and tabs, clock jumps,
//! restarts, imports, conflicts and store faults. A failure prints `SEED=...`, and that is all one needs:
//! `SEED=... cargo test -p narthex-core --test sim`. `STEPS=...` makes it longer.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_executor::block_on;
use narthex_core::host::{KeyPurpose, KeyRing};
use narthex_core::model::{EndReason, EntryKey, Lane, Listing};
use narthex_core::portal::{ImportOptions, LogIn, ResetClaim};
use narthex_core::store::records::Stored;
use narthex_core::store::{
    Cell, Change, ChangeSet, Commit, Key, MemoryStore, Record, Space, Store, StoreError, Version,
};
use narthex_core::{Error, Portal, Refusal, SessionToken};
use support::*;

const STEPS: u64 = 50_000;
const PEOPLE: usize = 12;
const BROWSERS: usize = 20;
const HOUR_MS: u64 = 3_600_000;

/// xorshift: the simulation's own dice, so that a seed means the same for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.roll(length as u64)).unwrap()
    }
}

/// Fails, refuses and loses answers, as told by its own dice; remembers what it did about the last
/// commit whose answer was lost.
#[derive(Debug)]
struct FaultyStore {
    inner: MemoryStore,
    dice: AtomicU64,
    /// One call in so many fails; 0: none.
    one_in: AtomicU64,
    lost: Mutex<Option<(ChangeSet, bool)>>,
}

impl FaultyStore {
    fn hits(&self, kind: u64) -> bool {
        let one_in = self.one_in.load(Ordering::SeqCst);
        let mut dice = Dice(self.dice.load(Ordering::SeqCst));
        let hit = one_in > 0 && dice.roll(one_in * kind) == 0;
        self.dice.store(dice.0, Ordering::SeqCst);
        hit
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn get(&self, key: &Key) -> Result<Option<(Record, Version)>, StoreError> {
        if self.hits(8) {
            return Err(StoreError::not_applied("simulated read fault"));
        }
        self.inner.get(key).await
    }

    async fn read_cell(&self, cell: &Cell) -> Result<u64, StoreError> {
        if self.hits(8) {
            return Err(StoreError::not_applied("simulated read fault"));
        }
        self.inner.read_cell(cell).await
    }

    async fn commit(&self, changes: ChangeSet) -> Result<Commit, StoreError> {
        if self.hits(1) {
            return Ok(Commit::Conflict);
        }
        if self.hits(3) {
            return Err(StoreError::not_applied("simulated write fault"));
        }
        if self.hits(3) {
            let mut lands = Dice(self.dice.load(Ordering::SeqCst));
            let lands = lands.roll(2) == 0;
            let outcome = match lands {
                true => self.inner.commit(changes.clone()).await?,
                false => Commit::Conflict,
            };
            *self.lost.lock().unwrap() = Some((changes, outcome == Commit::Committed));
            return Err(StoreError::unknown("simulated loss of the answer"));
        }
        self.inner.commit(changes).await
    }

    async fn scan(
        &self,
        space: Space,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.inner.scan(space, prefix, cursor, limit).await
    }
}

/// What the model knows of a person.
#[derive(Clone, Default, Debug)]
struct ModelPerson {
    password: Option<String>,
    listed: bool,
    /// Consecutive failures in the log-in lane, and when the last was.
    failures: u64,
    last_failure: u64,
    /// A family is live only if it was confirmed in this era.
    era: u64,
    era_reason: Option<EndReason>,
}

/// What the model knows of a family.
#[derive(Clone, Debug)]
struct ModelFamily {
    person: usize,
    token: SessionToken,
    /// Tokens of this family that were replaced.
    replaced: Vec<SessionToken>,
    era: u64,
    started: u64,
    seen: u64,
    ended: Option<EndReason>,
}

struct Simulation {
    dice: Dice,
    house: House,
    store: Arc<FaultyStore>,
    portal: Portal,
    people: Vec<ModelPerson>,
    browsers: Vec<Option<usize>>,
    families: Vec<ModelFamily>,
    /// The model's own time: never goes back.
    now: u64,
    wall: u64,
    counts: BTreeMap<&'static str, u64>,
}

/// What the last operation did if its answer was lost.
fn landed(store: &FaultyStore, error: &Error, prefix: &str) -> Option<bool> {
    let lost = store.lost.lock().unwrap().take();
    if !error.may_have_applied() {
        return Some(false);
    }
    let (changes, applied) = lost?;
    let puts = |change: &Change| matches!(change, Change::Put { key, .. } if key.path().starts_with(prefix));
    // A fence puts a record back unchanged and tells of nothing.
    let tells = |change: &Change| matches!(change, Change::Append { .. });
    let decisive = changes.changes().iter().any(puts) && changes.changes().iter().any(tells);
    Some(decisive && applied)
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let store = Arc::new(FaultyStore {
            inner: MemoryStore::new(),
            dice: AtomicU64::new(seed | 1),
            one_in: AtomicU64::new(0),
            lost: Mutex::new(None),
        });
        let mut house = House::new(Arc::clone(&store) as Arc<dyn Store>);
        house.policy.attempts.source_attempts_max = u64::MAX;
        house.policy.attempts.whole_attempts_max = u64::MAX;
        house.policy.retention.ended_families = Duration::from_secs(30 * 24 * 3600);
        let portal = block_on(async {
            let portal = house.open().await;
            import(&portal, PEOPLE).await;
            portal
        });
        let people = vec![
            ModelPerson {
                listed: true,
                ..ModelPerson::default()
            };
            PEOPLE
        ];
        let start = START.as_millis();
        Self {
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            house,
            store,
            portal,
            people,
            browsers: vec![None; BROWSERS],
            families: Vec::new(),
            now: start,
            wall: start,
            counts: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        let fault_free = self.dice.roll(4) > 0;
        self.store
            .one_in
            .store(if fault_free { 0 } else { 12 }, Ordering::SeqCst);
        match self.dice.roll(100) {
            0..=9 => self.claim(),
            10..=29 => self.log_in(),
            30..=64 => self.visit(),
            65..=72 => self.activity(),
            73..=78 => self.change_password(),
            79..=84 => self.log_out(),
            85..=92 => self.let_time_pass(),
            93..=94 => self.set_the_wall_clock(),
            95 => self.restart(),
            96..=97 => self.import(),
            98 => self.reset_claim(),
            _ => self.maintain(),
        }
        self.store.one_in.store(0, Ordering::SeqCst);
        self.everything_warm_is_live();
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    // What the model says.

    fn verdict(&self, family: &ModelFamily, seen: u64) -> Result<(), EndReason> {
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

    fn lane_is_open(&self, person: &ModelPerson) -> bool {
        if person.failures < 10 {
            return true;
        }
        let doublings = u32::try_from(person.failures - 10).unwrap().min(20);
        let wait = (30_000_u64 << doublings).min(HOUR_MS);
        // Failures and waits go by the wall while it is behind; one that lies ahead of it by more than
        // five minutes starts its wait again.
        self.earliest() >= person.last_failure + wait
    }

    fn earliest(&self) -> u64 {
        self.now.min(self.wall)
    }

    /// Everything that holds of the warm table whatever happened: it never says live where the model
    /// says ended.
    fn everything_warm_is_live(&mut self) {
        for i in self.families.len().saturating_sub(40)..self.families.len() {
            let family = &self.families[i];
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

    // What happens.

    fn claim(&mut self) {
        let n = self.dice.index(PEOPLE);
        let text = format!("a password of roll {}", self.dice.roll(1 << 30));
        let outcome = block_on(claim(&self.portal, n, &text));
        let person = &mut self.people[n];
        let applied = match &outcome {
            Ok(_) => true,
            Err(error) => landed(&self.store, error, "gate/").unwrap(),
        };
        if applied {
            assert!(
                person.listed && person.password.is_none(),
                "person {n} claimed twice"
            );
            person.password = Some(text);
            person.era += 1;
            person.era_reason = Some(EndReason::ReClaimed);
            self.count("claimed");
        } else if let Err(Error::Refused(refusal)) = outcome {
            // A full claim lane may refuse too: faults leave reservations behind.
            assert!(
                matches!(refusal, Refusal::ClaimNotMatched | Refusal::ClaimExpired),
                "{refusal:?}"
            );
        }
    }

    fn log_in(&mut self) {
        let (n, b) = (self.dice.index(PEOPLE), self.dice.index(BROWSERS));
        let right = self.dice.roll(4) > 0;
        let known = self.people[n].password.clone();
        let text = match (&known, right) {
            (Some(password), true) => password.clone(),
            _ => "certainly not the password".to_owned(),
        };
        let presented = self.browsers[b];
        let request = LogIn {
            login_id: number(n),
            password: password(&text),
            shared_computer: false,
            presented: presented.map(|f| self.families[f].token.clone()),
        };
        let open = self.lane_is_open(&self.people[n]);
        let outcome = block_on(self.portal.log_in(request, &asker()));
        let usable = known.is_some() && self.people[n].listed;
        match outcome {
            Ok(logged_in) => {
                assert!(
                    usable && right && open,
                    "let in: usable {usable} right {right} open {open}"
                );
                self.end_presented(presented);
                self.people[n].failures = 0;
                self.families.push(ModelFamily {
                    person: n,
                    token: logged_in.token,
                    replaced: Vec::new(),
                    era: self.people[n].era,
                    started: self.now,
                    seen: self.now,
                    ended: None,
                });
                self.browsers[b] = Some(self.families.len() - 1);
                self.count("logged in");
            }
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::LoginFailed);
                assert!(
                    !(usable && right && open),
                    "refused, though all was right: {:?} at {} lane {}",
                    self.people[n],
                    self.now,
                    self.lane_failures(n),
                );
                self.count(if open { "refused" } else { "throttled" });
                self.follow_lane(n);
            }
            Err(error) => {
                if landed(&self.store, &error, "family/").unwrap() {
                    self.end_presented(presented);
                }
                self.follow_lane(n);
                self.count("log-in faults");
            }
        }
    }

    /// After a refusal or a fault, the lane has been charged at most once more, and never less.
    fn follow_lane(&mut self, n: usize) {
        let failures = self.lane_failures(n);
        let before = self.people[n].failures;
        let credited_unseen = failures == 0;
        assert!(
            failures <= before + 1,
            "charged twice: {before} -> {failures}"
        );
        assert!(
            failures >= before || credited_unseen,
            "under-counted: {before} -> {failures}"
        );
        if failures > before {
            let lane = self.lane(n).unwrap();
            assert_eq!(lane.last_failure_at.as_millis(), self.earliest());
        }
        // Where a failure lay ahead of the wall, its wait began again.
        let last = self
            .lane(n)
            .map_or(0, |lane| lane.last_failure_at.as_millis());
        self.people[n].last_failure = last;
        self.people[n].failures = failures;
    }

    fn lane_failures(&self, n: usize) -> u64 {
        self.lane(n).map_or(0, |lane| u64::from(lane.failures))
    }

    /// What the store holds: read past the faults.
    fn lane(&self, n: usize) -> Option<Lane> {
        let keys = KeyRing::from_text(&self.house.keys).unwrap();
        let id = keys.current(KeyPurpose::Names);
        let entry = keys.mac(
            KeyPurpose::Names,
            id,
            &[b"entry", number(n).as_str().as_bytes()],
        );
        let key = Key::record(format!("lane/log-in/{}", EntryKey(entry.unwrap()).to_hex()));
        let (record, _) = block_on(self.store.inner.get(&key)).unwrap()?;
        Some(Lane::decode(&record).unwrap())
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

    /// A session that was judged and found ended by time stays so: its tombstone is durable.
    fn settle(&mut self, f: usize, reason: EndReason) {
        if matches!(reason, EndReason::Inactivity | EndReason::AbsoluteTimeout) {
            self.families[f].ended = Some(reason);
        }
    }

    fn pick_family(&mut self) -> Option<usize> {
        if self.families.is_empty() {
            return None;
        }
        // Mostly those that a browser holds, sometimes any from the past.
        let b = self.dice.index(BROWSERS);
        match self.browsers[b] {
            Some(f) if self.dice.roll(5) > 0 => Some(f),
            _ => Some(self.dice.index(self.families.len())),
        }
    }

    fn visit(&mut self) {
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
            Err(Error::Refused(Refusal::NotLoggedIn))
                if self.now - family.started >= 31 * 24 * HOUR_MS => {}
            Err(Error::Refused(other)) => panic!("{other:?} for {family:?}"),
            Err(error) => {
                // The end by time may have been committed without an answer.
                if landed(&self.store, &error, "family/").unwrap()
                    && let Err(reason) = self.verdict(&family, family.seen)
                {
                    self.settle(f, reason);
                }
                self.count("visit faults");
            }
        }
    }

    fn activity(&mut self) {
        let Some(f) = self.pick_family() else { return };
        let family = self.families[f].clone();
        let Ok(session) = block_on(self.portal.verify_session(&family.token)) else {
            return;
        };
        let idle = Duration::from_millis(self.dice.roll(120_000));
        let at = self
            .now
            .saturating_sub(u64::try_from(idle.as_millis()).unwrap());
        let at = at.max(family.started);
        let fault_free = self.store.one_in.load(Ordering::SeqCst) == 0;
        let outcome = block_on(self.portal.record_activity(&session, idle));
        self.store.lost.lock().unwrap().take();
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
        let one_in = self.store.one_in.swap(0, Ordering::SeqCst);
        let session = block_on(self.portal.verify_session(&self.families[f].token));
        self.store.one_in.store(one_in, Ordering::SeqCst);
        let seen = session.map_or(0, |session| session.last_activity().as_millis());
        assert!(seen <= self.now, "activity in the future");
        seen
    }

    fn kept_activity(&self, f: usize) -> u64 {
        let cell = narthex_core::store::records::seen_cell(self.families[f].token.selector());
        block_on(self.store.inner.read_cell(&cell)).unwrap()
    }

    fn change_password(&mut self) {
        let Some(f) = self.pick_family() else { return };
        let family = self.families[f].clone();
        let n = family.person;
        let Ok(session) = block_on(self.portal.verify_session(&family.token)) else {
            return;
        };
        let right = self.dice.roll(4) > 0;
        let current = match (&self.people[n].password, right) {
            (Some(password), true) => password.clone(),
            _ => "certainly not the password".to_owned(),
        };
        let new = format!("the new one of roll {}", self.dice.roll(1 << 30));
        let open = self.lane_is_open(&self.people[n]);
        let outcome = block_on(self.portal.change_password(
            &session,
            password(&current),
            password(&new),
            &asker(),
        ));
        match outcome {
            Ok(changed) => {
                assert!(right && open, "changed with right {right} open {open}");
                self.people[n].failures = 0;
                self.new_era(n, EndReason::PasswordChanged);
                self.people[n].password = Some(new);
                let (era, now) = (self.people[n].era, self.now);
                let family = &mut self.families[f];
                family
                    .replaced
                    .push(std::mem::replace(&mut family.token, changed.token));
                (family.era, family.seen) = (era, now);
                self.count("changed password");
            }
            Err(Error::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::LoginFailed);
                assert!(!(right && open), "refused, though all was right");
                self.follow_lane(n);
            }
            Err(error) => {
                if landed(&self.store, &error, "gate/").unwrap() {
                    // The new token got lost with the answer: this family cannot be used any more.
                    self.new_era(n, EndReason::PasswordChanged);
                    self.people[n].password = Some(new);
                    let family = &mut self.families[f];
                    family.replaced.push(family.token.clone());
                    self.forget(f);
                }
                self.follow_lane(n);
                self.count("change faults");
            }
        }
    }

    /// Nobody holds a token of this family.
    fn forget(&mut self, f: usize) {
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

    fn new_era(&mut self, n: usize, reason: EndReason) {
        self.people[n].era += 1;
        self.people[n].era_reason = Some(reason);
    }

    fn log_out(&mut self) {
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
                let swept = self.now - family.started >= 31 * 24 * HOUR_MS;
                assert!(swept || error.refusal().is_none(), "{error}");
                if landed(&self.store, &error, "family/").unwrap() {
                    match verdict {
                        Ok(()) => self.families[f].ended = Some(EndReason::LogOut),
                        Err(reason) => self.settle(f, reason),
                    }
                }
            }
        }
    }

    fn let_time_pass(&mut self) {
        let span = match self.dice.roll(6) {
            0..=2 => self.dice.roll(90_000),
            3 => self.dice.roll(HOUR_MS),
            4 => self.dice.roll(5 * HOUR_MS),
            _ => [4 * HOUR_MS - 1, 4 * HOUR_MS, 30_000][self.dice.index(3)],
        };
        self.house.clock.advance(Duration::from_millis(span));
        self.wall += span;
        self.now = (self.now + span).max(self.wall);
        assert_eq!(self.portal.now().latest.as_millis(), self.now);
    }

    fn set_the_wall_clock(&mut self) {
        let jump = self.dice.roll(3 * HOUR_MS);
        self.wall = match self.dice.roll(2) {
            0 => self.wall + jump,
            _ => self.wall - jump,
        };
        self.house
            .clock
            .set_wall(narthex_core::Timestamp::from_millis(self.wall));
        self.now = self.now.max(self.wall);
        assert_eq!(
            self.portal.now().latest.as_millis(),
            self.now,
            "time went back"
        );
        self.count("clock jumps");
    }

    /// A stop that was announced: the floor is raised, then the process begins anew.
    fn restart(&mut self) {
        self.store.one_in.store(0, Ordering::SeqCst);
        block_on(self.portal.maintain()).unwrap();
        self.portal = block_on(self.house.open());
        assert_eq!(
            self.portal.now().latest.as_millis(),
            self.now,
            "a restart went back"
        );
        for f in 0..self.families.len() {
            let kept = self.kept_activity(f).max(self.families[f].started);
            let swept = self.now - self.families[f].started >= 31 * 24 * HOUR_MS;
            let family = &mut self.families[f];
            assert!(
                swept || family.seen <= kept + 60_000,
                "more than a minute of activity was lost"
            );
            // What only the process knew is gone: it shortens, never lengthens.
            family.seen = kept;
        }
        self.count("restarts");
    }

    fn import(&mut self) {
        let gone = self.dice.index(PEOPLE);
        let people = (0..PEOPLE).map(|n| {
            let mut person = person(n, if n % 2 == 0 { "north" } else { "south" });
            person.enabled = (n == gone) != self.people[n].listed;
            person
        });
        let batch = batch(people.collect());
        self.store.one_in.store(0, Ordering::SeqCst);
        block_on(
            self.portal
                .import_roster(batch, ImportOptions::default(), &|_| {}),
        )
        .unwrap();
        for n in 0..PEOPLE {
            let listed = (n == gone) != self.people[n].listed;
            let claimed = self.people[n].password.is_some();
            if self.people[n].listed != listed && claimed {
                self.new_era(n, EndReason::Disabled);
            }
            self.people[n].listed = listed;
            let report = block_on(self.portal.person(&number(n))).unwrap().unwrap();
            assert_eq!(report.listing == Listing::Active, listed);
            assert_eq!(
                report.claimed, claimed,
                "an import changed what a person did"
            );
        }
        self.count("imports");
    }

    fn reset_claim(&mut self) {
        let n = self.dice.index(PEOPLE);
        let outcome = block_on(self.portal.reset_claim(&number(n), &asker()));
        let claimed = self.people[n].password.is_some();
        let applied = match &outcome {
            Ok(ResetClaim::Reset { has_birthdate }) => *has_birthdate && claimed,
            Ok(other) => {
                assert_eq!((*other, claimed), (ResetClaim::NotClaimed, false));
                false
            }
            Err(error) => landed(&self.store, error, "gate/").unwrap(),
        };
        if applied {
            self.people[n].password = None;
            self.people[n].failures = 0;
            self.new_era(n, EndReason::StaffReset);
            self.count("resets");
        }
    }

    fn maintain(&mut self) {
        let _ = block_on(self.portal.maintain());
        self.store.lost.lock().unwrap().take();
    }
}

#[test]
fn the_portal_does_what_the_model_says() {
    let from_env = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds: Vec<u64> = from_env("SEED").map_or_else(|| (1..=10).collect(), |seed| vec![seed]);
    let steps = from_env("STEPS").unwrap_or(STEPS) / seeds.len() as u64;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in seeds {
        let run = std::panic::catch_unwind(|| {
            let mut simulation = Simulation::new(seed);
            for _ in 0..steps {
                simulation.step();
            }
            simulation.counts
        });
        match run {
            Ok(more) => {
                for (what, n) in more {
                    *counts.entry(what).or_default() += n;
                }
            }
            Err(panic) => {
                eprintln!("SEED={seed} STEPS={steps} cargo test -p narthex-core --test sim");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{counts:?}");
    if steps >= 1_000 {
        for what in [
            "claimed",
            "logged in",
            "throttled",
            "changed password",
            "ended",
            "restarts",
        ] {
            assert!(
                counts.get(what).is_some_and(|n| *n > 0),
                "the simulation never {what}"
            );
        }
    }
}
