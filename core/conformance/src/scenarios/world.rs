//! What a scenario happens in: store, clock, keys, people. Outlives the portals that are opened on
//! it.

use std::collections::BTreeMap;
use std::sync::Arc;

use narthex_core::host::KeyRing;
use narthex_core::model::roster::RosterBatch;
use narthex_core::model::{OrganizationId, Timestamp};
use narthex_core::portal::{
    Doors, HoldDecision, HoldScope, ImportOptions, IssueClaimCode, IssuedClaimCode,
    IssuedRecoveryCode, ResetClaim, SettledHold,
};
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::{Asker, BrowserSecret, LoginId, Password, Policy, Portal};

use zeroize::Zeroizing;

use super::format::{Action, Facts, Scenario};
use super::roster::Roster;
use super::store::TurnTakingStore;
use crate::{ManualClock, TestEntropy, TestHasher};

/// 2026-03-02T08:00:00Z, a Monday.
const MORNING: Timestamp = Timestamp::from_millis(1_772_438_400_000);
const HASH_QUEUE: usize = 1_000;

/// Store, clock, entropy, hasher, keys, policy and people of one scenario.
#[derive(Debug)]
pub struct World {
    store: Arc<TurnTakingStore>,
    clock: ManualClock,
    entropy: TestEntropy,
    hasher: TestHasher,
    keys: Zeroizing<String>,
    policy: Policy,
    roster: Roster,
    portal: Portal,
    /// The last claim code that was issued to each person, as their letter has it.
    codes: BTreeMap<String, Zeroizing<String>>,
}

/// What is counted while a front door answers.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    comparisons: u64,
    decoys: u64,
    hashes: u64,
    commits: u64,
}

impl Counts {
    /// What was added since `before`, as facts.
    pub fn since(self, before: Self, facts: &mut Facts) {
        facts.comparisons = Some(self.comparisons - before.comparisons);
        facts.decoys = Some(self.decoys - before.decoys);
        facts.work = Some(self.comparisons + self.decoys - before.comparisons - before.decoys);
        facts.hashes = Some(self.hashes - before.hashes);
        facts.commits = Some(self.commits - before.commits);
    }

    /// Comparisons made since `before`.
    pub fn comparisons_since(self, before: Self) -> u64 {
        self.comparisons - before.comparisons
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl World {
    /// The world before the first step of a scenario: the roster imported, who has claimed has.
    ///
    /// # Errors
    /// The scenario cannot be set up.
    pub async fn of(scenario: &Scenario, seed: u64) -> Result<Self, String> {
        Self::on(TurnTakingStore::seeded(seed), scenario, seed).await
    }

    /// As [`World::of`], on a store of one's own, which is empty.
    ///
    /// # Errors
    /// As [`World::of`].
    pub async fn on(
        store: TurnTakingStore,
        scenario: &Scenario,
        seed: u64,
    ) -> Result<Self, String> {
        let store = Arc::new(store);
        let entropy = TestEntropy::seeded(seed);
        let clock = ManualClock::at(MORNING);
        let hasher = TestHasher::new(HASH_QUEUE);
        let keys = KeyRing::generate(&entropy).map_err(said)?.to_text();
        let policy = scenario.policy.policy()?;
        let doors = doors(&store, &clock, &entropy, &hasher, &keys)?;
        let portal = Portal::open(doors, policy.clone()).await.map_err(said)?;
        let roster = Roster::named(&scenario.roster)?;
        let mut world = Self {
            store,
            clock,
            entropy,
            hasher,
            keys,
            policy,
            roster,
            portal,
            codes: BTreeMap::new(),
        };
        world.import(world.roster.batch(&[])?).await?;
        for who in &scenario.claimed {
            world
                .claim(who)
                .await
                .map_err(|error| format!("claim of {who}: {error}"))?;
        }
        Ok(world)
    }

    /// The portal that is open now.
    pub fn portal(&self) -> Portal {
        self.portal.clone()
    }

    /// The people.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The claim code in the last letter to a person.
    ///
    /// # Errors
    /// None was issued.
    pub fn claim_code(&self, who: &str) -> Result<String, String> {
        let code = self.codes.get(who).map(|code| code.to_string());
        code.ok_or_else(|| format!("no claim code was issued to {who}"))
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        Counts {
            comparisons: self.hasher.comparisons(),
            decoys: self.hasher.decoys(),
            hashes: self.hasher.hashes(),
            commits: self.store.commits(),
        }
    }

    /// Does what no browser does. `true`: another portal is open now.
    ///
    /// # Errors
    /// It could not be done.
    pub async fn act(&mut self, action: &Action, facts: &mut Facts) -> Result<bool, String> {
        match action {
            Action::AdvanceClock { span } => self.clock.advance(span.length()),
            Action::WallClock { shift } => {
                let wall = self.wall();
                let shifted = match shift.0 < 0 {
                    true => wall.minus(shift.length()),
                    false => wall.plus(shift.length()),
                };
                self.clock.set_wall(shifted);
            }
            Action::Restart => {
                self.restart().await?;
                return Ok(true);
            }
            Action::Maintain => self.portal.maintain().await.map_err(said)?,
            Action::Import {
                people,
                missing,
                source,
                delta,
            } => {
                let batch = match (source, delta) {
                    (Some(source), _) => {
                        let mut theirs = self.roster.clone();
                        theirs.change(people);
                        RosterBatch {
                            source: source.clone(),
                            ..theirs.batch(missing)?
                        }
                    }
                    (None, true) => {
                        self.roster.change(people);
                        self.roster.delta(people.keys(), missing)?
                    }
                    (None, false) => {
                        self.roster.change(people);
                        self.roster.batch(missing)?
                    }
                };
                facts.imported = Some(self.import(batch).await?);
            }
            Action::SettleHolds {
                confirm,
                organization,
            } => {
                let of = organization.as_deref();
                facts.settled = Some(self.settle_holds(*confirm, of).await?);
            }
            Action::ResetClaim { who } => self.reset_claim(who).await?,
            Action::IssueRecoveryCode { who } => {
                facts.codes = vec![self.issue_recovery_code(who).await?];
            }
            Action::IssueClaimCode { who } => self.issue_claim_code(who).await?,
            Action::HashQueue { room } => self.hasher.set_queue(*room),
            Action::HashParameters { are } => self.hasher.set_parameters(*are),
            other => return Err(format!("a browser must do this: {other:?}")),
        }
        Ok(false)
    }

    fn wall(&self) -> Timestamp {
        narthex_core::host::Clock::read(&self.clock).wall
    }

    /// Another process opens the same store and keys.
    async fn restart(&mut self) -> Result<(), String> {
        let doors = doors(
            &self.store,
            &self.clock,
            &self.entropy,
            &self.hasher,
            &self.keys,
        )?;
        self.portal = Portal::open(doors, self.policy.clone())
            .await
            .map_err(said)?;
        Ok(())
    }

    async fn import(&self, batch: RosterBatch) -> Result<[usize; 5], String> {
        let import = self
            .portal
            .import_roster(batch, ImportOptions::default(), &|_| {});
        let report = import.await.map_err(said)?;
        Ok([
            report.added,
            report.changed,
            report.unchanged,
            report.deactivated,
            report.held,
        ])
    }

    async fn settle_holds(
        &self,
        confirm: bool,
        organization: Option<&str>,
    ) -> Result<[usize; 2], String> {
        let decision = if confirm {
            HoldDecision::Confirm
        } else {
            HoldDecision::Discard
        };
        let scope = HoldScope {
            source: None,
            organization: organization
                .map(OrganizationId::parse)
                .transpose()
                .map_err(said)?,
        };
        let settled = self.portal.settle_holds(decision, &scope, &|_| {});
        let settled = settled.await.map_err(said)?;
        let sum = |of: fn(&SettledHold) -> usize| settled.iter().map(of).sum();
        Ok([sum(|hold| hold.deactivated), sum(|hold| hold.stayed)])
    }

    async fn reset_claim(&mut self, who: &str) -> Result<(), String> {
        let login_id = LoginId::parse(&self.roster.person(who)?.login_id).map_err(said)?;
        let reset = self
            .portal
            .reset_claim(&login_id, &Asker::default())
            .await
            .map_err(said)?;
        match reset {
            ResetClaim::Reset(issued) => {
                self.keep_code(who, &issued);
                Ok(())
            }
            other => Err(format!("{who} was not reset: {other:?}")),
        }
    }

    async fn issue_recovery_code(&self, who: &str) -> Result<String, String> {
        let login_id = LoginId::parse(&self.roster.person(who)?.login_id).map_err(said)?;
        let issued = self
            .portal
            .issue_recovery_code(&login_id, &Asker::default())
            .await
            .map_err(said)?;
        match issued {
            IssuedRecoveryCode::Issued { code, .. } => Ok(code.expose().to_string()),
            other => Err(format!("{who} got no code: {other:?}")),
        }
    }

    async fn issue_claim_code(&mut self, who: &str) -> Result<(), String> {
        let login_id = LoginId::parse(&self.roster.person(who)?.login_id).map_err(said)?;
        let asker = Asker::default();
        let issued = self.portal.issue_claim_code(&login_id, &asker).await;
        match issued.map_err(said)? {
            IssueClaimCode::Issued(issued) => {
                self.keep_code(who, &issued);
                Ok(())
            }
            other => Err(format!("{who} got no code: {other:?}")),
        }
    }

    fn keep_code(&mut self, who: &str, issued: &IssuedClaimCode) {
        self.codes.insert(who.to_owned(), issued.code.expose());
    }

    /// A claim that is over before the scenario begins.
    async fn claim(&mut self, who: &str) -> Result<(), String> {
        let person = self.roster.person(who)?;
        let birthdate = person.birthdate.as_deref().unwrap_or_default();
        let code = if birthdate.is_empty() || self.portal.claim_code_required() {
            self.issue_claim_code(who).await?;
            self.claim_code(who)?
        } else {
            String::new()
        };
        let evidence = ClaimEvidence::parse_with_code(
            &person.given_name,
            &person.family_name,
            birthdate,
            &person.login_id,
            &code,
        )
        .map_err(|issues| format!("{issues:?}"))?;
        let asker = Asker::default();
        let browser = BrowserSecret::generate(&self.entropy).map_err(said)?;
        let ticket = self
            .portal
            .begin_claim(evidence, &browser, &asker)
            .await
            .map_err(said)?;
        let password = Password::parse(&person.password).map_err(said)?;
        let ticket = self
            .portal
            .set_claim_password(&ticket, &browser, password)
            .await
            .map_err(said)?;
        let mut answers = SecurityAnswers::new();
        for (question, answer) in person.answers.iter().take(self.portal.questions_required()) {
            answers = answers.with(question, answer);
        }
        let finish = self.portal.finish_claim(&ticket, &browser, answers, &asker);
        finish.await.map(drop).map_err(said)
    }
}

fn doors(
    store: &Arc<TurnTakingStore>,
    clock: &ManualClock,
    entropy: &TestEntropy,
    hasher: &TestHasher,
    keys: &str,
) -> Result<Doors, String> {
    Ok(Doors {
        store: Arc::clone(store) as _,
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(entropy.clone()),
        hasher: Arc::new(hasher.clone()),
        keys: KeyRing::from_text(keys).map_err(said)?,
    })
}
