//! Runs a scenario through a front door and says where the two differ.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;
use narthex_core::store::Store;
use serde_json::Value;
use zeroize::Zeroizing;

use super::codes::Codes;
use super::format::{Action, Deed, Expect, Facts, GroupExpect, Says, Scenario, What};
use super::roster::Roster;
use super::store::TurnTakingStore;
use super::world::World;
use crate::front_door::{Answer, FrontDoor, Request, Visitor};

/// Schedules tried for a scenario in which things happen at the same time.
pub const SEEDS_OF_RACES: u64 = 12;

/// Where a front door differs from a scenario.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The scenario's file.
    pub file: String,
    /// The step, counted from 1; 0: the scenario could not be set up.
    pub step: usize,
    /// The seed of the schedule and of all randomness.
    pub seed: u64,
    /// The step as written, and what differs.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            step,
            seed,
            message,
        } = self;
        write!(f, "{file}, step {step}, SEED={seed}:\n{message}")
    }
}

/// Runs `scenario` through a new front door: once, or under several schedules if it has races.
/// `Ok(false)`: it does not apply to this way in.
///
/// # Errors
/// The first difference.
pub fn check(
    scenario: &Scenario,
    new_door: &dyn Fn() -> Box<dyn FrontDoor>,
) -> Result<bool, Failure> {
    check_on(scenario, new_door, &super::in_memory)
}

/// As [`check`], on new, empty stores of another kind.
///
/// # Errors
/// As [`check`].
pub fn check_on(
    scenario: &Scenario,
    new_door: &dyn Fn() -> Box<dyn FrontDoor>,
    new_store: &dyn Fn() -> Arc<dyn Store>,
) -> Result<bool, Failure> {
    let seeds = if scenario.has_races() {
        SEEDS_OF_RACES
    } else {
        1
    };
    for seed in 1..=seeds {
        let mut door = new_door();
        if !scenario.applies_to(door.way()) {
            return Ok(false);
        }
        let store = TurnTakingStore::over(new_store(), seed);
        futures_executor::block_on(run_on(store, scenario, &mut *door, seed))?;
    }
    Ok(true)
}

/// Runs `scenario` through `door` under one seed.
///
/// # Errors
/// The first difference.
pub async fn run(scenario: &Scenario, door: &mut dyn FrontDoor, seed: u64) -> Result<(), Failure> {
    run_on(TurnTakingStore::seeded(seed), scenario, door, seed).await
}

async fn run_on(
    store: TurnTakingStore,
    scenario: &Scenario,
    door: &mut dyn FrontDoor,
    seed: u64,
) -> Result<(), Failure> {
    let failure = |step, message| Failure {
        file: format!("scenarios/{}.json", scenario.name),
        step,
        seed,
        message,
    };
    let world = World::on(store, scenario, seed)
        .await
        .map_err(|error| failure(0, error))?;
    door.open(world.portal()).await;
    let mut stage = Stage {
        world,
        door,
        answers: BTreeMap::new(),
        codes: Codes::default(),
    };
    for (number, step) in (1..).zip(&scenario.steps) {
        let played = match &step.what {
            What::One(deed) => stage.one(deed).await,
            What::Together { deeds, expect } => stage.together(deeds, expect).await,
        };
        let told = |difference| {
            format!(
                "  why: {}\n  step: {}\n{difference}",
                scenario.why, step.written
            )
        };
        played.map_err(|difference| failure(number, told(difference)))?;
    }
    Ok(())
}

struct Stage<'a> {
    world: World,
    door: &'a mut dyn FrontDoor,
    answers: BTreeMap<String, Answer>,
    codes: Codes,
}

impl Stage<'_> {
    async fn one(&mut self, deed: &Deed) -> Result<(), String> {
        for time in 1..=deed.times {
            let before = self.world.counts();
            let mut answer = match deed.action.is_the_worlds() {
                true => self.worlds(&deed.action).await?,
                false => self.ask(deed).await?,
            };
            self.codes.remember(&deed.action, &answer.facts.codes);
            self.world.counts().since(before, &mut answer.facts);
            self.compare(&answer, &deed.expect)
                .map_err(|difference| match deed.times {
                    1 => difference,
                    times => format!("  time {time} of {times}\n{difference}"),
                })?;
            if let Some(label) = &deed.label {
                self.answers.insert(label.clone(), answer);
            }
        }
        Ok(())
    }

    async fn together(&mut self, deeds: &[Deed], expect: &GroupExpect) -> Result<(), String> {
        let before = self.world.counts();
        let each = deeds
            .iter()
            .flat_map(|deed| (0..deed.times).map(move |_| deed));
        let answers = join_all(each.map(|deed| self.ask(deed))).await;
        let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
        for answer in answers {
            *outcomes.entry(answer?.outcome).or_default() += 1;
        }
        let made = self.world.counts().comparisons_since(before);
        let right = expect
            .exactly
            .iter()
            .all(|(outcome, n)| outcomes.get(outcome).copied().unwrap_or(0) == *n)
            && outcomes.keys().all(|outcome| {
                expect.exactly.contains_key(outcome) || expect.rest.contains(outcome)
            });
        if !right {
            return Err(format!("  outcomes: {outcomes:?}"));
        }
        let exact = expect.comparisons.is_none_or(|n| n == made);
        if !exact || expect.comparisons_max.is_some_and(|max| made > max) {
            return Err(format!("  comparisons: {made}"));
        }
        Ok(())
    }

    async fn worlds(&mut self, action: &Action) -> Result<Answer, String> {
        let mut facts = Facts::default();
        if self.world.act(action, &mut facts).await? {
            self.door.open(self.world.portal()).await;
        }
        Ok(Answer {
            outcome: "ok".to_owned(),
            facts,
            shown: String::new(),
            untold: &[],
        })
    }

    /// One deed, as one request or, for a whole claim, as three.
    async fn ask(&self, deed: &Deed) -> Result<Answer, String> {
        let visitor = Visitor {
            browser: deed.by.clone(),
            network: deed.network.clone(),
        };
        let mut last = None;
        for request in requests(&deed.action, &self.world, &self.codes)? {
            let answer = self.door.ask(&visitor, request).await;
            let refused = answer.outcome != "ok";
            last = Some(answer);
            if refused {
                break;
            }
        }
        last.ok_or_else(|| format!("nothing to ask for: {:?}", deed.action))
    }

    fn compare(&self, answer: &Answer, expect: &Expect) -> Result<(), String> {
        let mut lines = Vec::new();
        let outcome = expect.outcome.as_deref().unwrap_or("ok");
        if answer.outcome != outcome {
            lines.push(format!(
                "  outcome: expected {outcome}, got {}",
                answer.outcome
            ));
        }
        let (expected, got) = (object(&expect.facts)?, object(&answer.facts)?);
        for (fact, value) in &expected {
            if answer.untold.contains(&fact.as_str()) {
                continue;
            }
            match got.get(fact) {
                Some(told) if told == value => {}
                Some(told) => lines.push(format!("  {fact}: expected {value}, got {told}")),
                None => lines.push(format!("  {fact}: expected {value}, got nothing")),
            }
        }
        if let Some(label) = &expect.looks_like {
            match self.answers.get(label) {
                None => lines.push(format!("  no answer before is labelled {label}")),
                Some(other) if other.shown == answer.shown => {}
                Some(other) => lines.push(format!(
                    "  does not look like {label}:\n    {}\n    {}",
                    other.shown, answer.shown
                )),
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        lines.push(format!("  the answer: {answer:?}"));
        Err(lines.join("\n"))
    }
}

fn object(facts: &Facts) -> Result<serde_json::Map<String, Value>, String> {
    match serde_json::to_value(facts) {
        Ok(Value::Object(map)) => Ok(map),
        other => Err(format!("facts are no object: {other:?}")),
    }
}

type Answers = Option<Vec<(String, String)>>;

/// What a deed asks of the front door, with everything filled in from the fixture.
fn requests(action: &Action, world: &World, codes: &Codes) -> Result<Vec<Request>, String> {
    let roster = world.roster();
    let secret = |text: &str| Zeroizing::new(text.to_owned());
    let password = |who: &str, typed: &Option<String>| -> Result<_, String> {
        let own = roster.person(who)?.password;
        Ok(Zeroizing::new(typed.clone().unwrap_or(own)))
    };
    let answers = |who: &str, typed: &Answers| -> Result<_, String> {
        let own = roster.person(who)?.answers;
        Ok(typed.clone().unwrap_or(own))
    };
    let request = match action {
        Action::Claim {
            who,
            says,
            password: typed,
            answers: given,
        } => {
            let (claim, ticket_of) = (who.clone(), None);
            return Ok(vec![
                begin(who, says, world)?,
                Request::ClaimPassword {
                    claim: claim.clone(),
                    ticket_of: ticket_of.clone(),
                    password: password(who, typed)?,
                },
                Request::ClaimAnswers {
                    claim,
                    ticket_of,
                    answers: answers(who, given)?,
                },
            ]);
        }
        Action::BeginClaim { who, says } => begin(who, says, world)?,
        Action::ClaimPassword {
            who,
            password: typed,
            ticket_of,
        } => Request::ClaimPassword {
            claim: who.clone(),
            ticket_of: ticket_of.clone(),
            password: password(who, typed)?,
        },
        Action::ClaimAnswers {
            who,
            answers: given,
            ticket_of,
        } => Request::ClaimAnswers {
            claim: who.clone(),
            ticket_of: ticket_of.clone(),
            answers: answers(who, given)?,
        },
        Action::AbandonClaim { who } => Request::AbandonClaim { claim: who.clone() },
        Action::LogIn {
            who,
            login_id,
            password: typed,
            shared_computer,
            from,
            return_to,
        } => Request::LogIn {
            login_id: login_id.clone().unwrap_or(roster.person(who)?.login_id),
            password: password(who, typed)?,
            shared_computer: *shared_computer,
            from: from.clone(),
            return_to: return_to.clone(),
        },
        Action::Visit { at, background } => Request::Visit {
            at: at.clone(),
            background: *background,
        },
        Action::ChangePassword { current, new } => Request::ChangePassword {
            current: secret(current),
            new: secret(new),
        },
        Action::LogOut => Request::LogOut,
        Action::Activity { idle } => Request::Activity { idle_ms: idle.0 },
        Action::ChooseDefault { organization } => Request::ChooseDefault {
            organization: organization.clone(),
        },
        Action::ChangeDetails { field, value } => Request::ChangeDetails {
            field: field.clone(),
            value: value.clone(),
        },
        Action::Reauthenticate { password } => Request::Reauthenticate {
            password: secret(password),
        },
        Action::Sessions => Request::Sessions,
        Action::EndSession { of } => Request::EndSession { of: of.clone() },
        Action::EndOtherSessions => Request::EndOtherSessions,
        Action::SetQuestions { answers } => Request::SetQuestions {
            answers: answers.clone(),
        },
        Action::RenewRecoveryCodes { .. } => Request::RenewRecoveryCodes,
        Action::Recover { .. }
        | Action::BeginRecovery { .. }
        | Action::RecoveryAnswers { .. }
        | Action::RecoveryPassword { .. } => return recovery(action, roster, codes),
        Action::Watch => Request::Watch,
        Action::Hear => Request::Hear,
        Action::CopyCookies { from, which } => Request::CopyCookies {
            from: from.clone(),
            which: *which,
        },
        Action::PlantSession => Request::PlantSession,
        other => return Err(format!("no browser does this: {other:?}")),
    };
    Ok(vec![request])
}

fn recovery(action: &Action, roster: &Roster, codes: &Codes) -> Result<Vec<Request>, String> {
    let begin = |who: &str, login_id: &Option<String>, code: &str| -> Result<_, String> {
        let own = roster.person(who)?.login_id;
        Ok(Request::BeginRecovery {
            recovery: who.to_owned(),
            login_id: login_id.clone().unwrap_or(own),
            code: codes.find(who, code)?.into(),
        })
    };
    let answer = |who: &str, typed: &Answers, ticket_of: &Option<String>| -> Result<_, String> {
        let own = roster.person(who)?.answers;
        Ok(Request::RecoveryAnswers {
            recovery: who.to_owned(),
            ticket_of: ticket_of.clone(),
            answers: typed.clone().unwrap_or(own),
        })
    };
    let password = |who: &str, typed: &str, ticket_of: &Option<String>| Request::RecoveryPassword {
        recovery: who.to_owned(),
        ticket_of: ticket_of.clone(),
        password: Zeroizing::new(typed.to_owned()),
    };
    Ok(match action {
        Action::Recover {
            who,
            code,
            answers,
            password: typed,
        } => vec![
            begin(who, &None, code)?,
            answer(who, answers, &None)?,
            password(who, typed, &None),
        ],
        Action::BeginRecovery {
            who,
            login_id,
            code,
        } => vec![begin(who, login_id, code)?],
        Action::RecoveryAnswers {
            who,
            answers,
            ticket_of,
        } => vec![answer(who, answers, ticket_of)?],
        Action::RecoveryPassword {
            who,
            password: typed,
            ticket_of,
        } => vec![password(who, typed, ticket_of)],
        other => return Err(format!("this is no recovery: {other:?}")),
    })
}

fn begin(who: &str, says: &Says, world: &World) -> Result<Request, String> {
    let person = world.roster().person(who)?;
    let claim_code = match says.claim_code.as_deref() {
        Some("issued") => world.claim_code(who)?,
        typed => typed.unwrap_or_default().to_owned(),
    };
    let or = |typed: &Option<String>, own: &str| typed.clone().unwrap_or_else(|| own.to_owned());
    let birthdate = person.birthdate.clone().unwrap_or_default();
    Ok(Request::BeginClaim {
        claim: who.to_owned(),
        given_name: or(&says.given_name, &person.given_name),
        family_name: or(&says.family_name, &person.family_name),
        birthdate: or(&says.birthdate, &birthdate),
        login_id: or(&says.login_id, &person.login_id),
        claim_code,
    })
}
