//! The corpus can fail: every expectation in it is looked at, and front doors that break a rule do
//! not pass its scenarios.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use narthex_conformance::RustFrontDoor;
use narthex_conformance::front_door::{Answer, FrontDoor, Request, Visitor, Way};
use narthex_conformance::scenarios::{What, check, corpus, run, scenario};
use narthex_core::Portal;

#[test]
fn every_expected_outcome_is_looked_at() {
    for scenario in corpus().unwrap() {
        for (index, step) in scenario.steps.iter().enumerate() {
            let mut wrong = scenario.clone();
            wrong.steps.truncate(index + 1);
            match &mut wrong.steps[index].what {
                What::One(deed) => deed.expect.outcome = Some("never".to_owned()),
                What::Together { expect, .. } => {
                    expect.exactly.insert("never".to_owned(), 1);
                }
            }
            let mut door = RustFrontDoor::boxed();
            let failure = futures_executor::block_on(run(&wrong, &mut *door, 1)).unwrap_err();
            assert_eq!(failure.step, index + 1, "{failure}\n{}", step.written);
        }
    }
}

#[test]
fn every_expected_fact_is_looked_at() {
    for scenario in corpus().unwrap() {
        for (index, step) in scenario.steps.iter().enumerate() {
            let What::One(deed) = &step.what else {
                continue;
            };
            let facts = serde_json::to_value(&deed.expect.facts).unwrap();
            for fact in facts.as_object().unwrap().keys() {
                let mut wrong = scenario.clone();
                wrong.steps.truncate(index + 1);
                let What::One(deed) = &mut wrong.steps[index].what else {
                    continue;
                };
                let mut altered = facts.clone();
                altered[fact] = another(&facts[fact]);
                deed.expect.facts = serde_json::from_value(altered).unwrap();
                let mut door = RustFrontDoor::boxed();
                let run = futures_executor::block_on(run(&wrong, &mut *door, 1));
                let failure =
                    run.expect_err(&format!("{} is not looked at: {}", fact, step.written));
                assert_eq!(failure.step, index + 1, "{failure}");
                assert!(failure.message.contains(fact), "{failure}");
            }
        }
    }
}

/// A value of the same shape that is not the same.
fn another(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::from(format!("{text}x")),
        Value::Number(number) => Value::from(number.as_u64().unwrap_or(0) + 1),
        Value::Array(items) if items.first().is_some_and(Value::is_number) => {
            items.iter().map(another).collect()
        }
        Value::Array(items) => items.iter().cloned().chain(["x".into()]).collect(),
        Value::Object(members) if members.values().all(Value::is_string) => {
            serde_json::json!({"nobody": "x"})
        }
        Value::Object(_) => serde_json::json!({"nobody": ["1", "1"]}),
        Value::Null | Value::Bool(_) => Value::from("x"),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A way to be wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Sessions live on after a password change elsewhere.
    KeepsOldSessions,
    /// Nobody is ever inactive.
    IgnoresTheClock,
    /// The old password still opens.
    KeepsOldPassword,
    /// The way back leads to the landing page.
    ForgetsTheLocation,
    /// Says that a number is not in the roster.
    TellsUnknownNumbers,
    /// Any restart brings sessions back that had been logged out.
    RevivesAtRestart,
    /// Every spelling of a number is an identity of its own.
    CountsSpellings,
    /// A second finish of a claim is fine too.
    ClaimsTwice,
    /// The notice of a lost membership is not shown.
    SaysNothingOfLostMemberships,
}

/// The Rust library behind a door that is wrong in one way.
struct Broken {
    inner: Box<dyn FrontDoor>,
    fault: Fault,
    /// By browser: the last page that was shown to it.
    shown: Mutex<BTreeMap<String, Answer>>,
    first_password: Mutex<Option<(String, String)>>,
    restarts: u32,
}

impl Broken {
    fn boxed(fault: Fault) -> Box<dyn FrontDoor> {
        Box::new(Self {
            inner: RustFrontDoor::boxed(),
            fault,
            shown: Mutex::default(),
            first_password: Mutex::default(),
            restarts: 0,
        })
    }

    fn last_page(&self, visitor: &Visitor) -> Option<Answer> {
        locked(&self.shown).get(&visitor.browser).cloned()
    }

    /// The request as the broken door passes it on.
    fn bend(&self, request: Request) -> Request {
        match (self.fault, request) {
            (
                Fault::KeepsOldPassword,
                Request::LogIn {
                    login_id,
                    password,
                    shared_computer,
                    from,
                    return_to,
                },
            ) => {
                let mut changed = locked(&self.first_password);
                let password = match &mut *changed {
                    Some((old, new)) if *old == *password => new.clone().into(),
                    _ => password,
                };
                Request::LogIn {
                    login_id,
                    password,
                    shared_computer,
                    from,
                    return_to,
                }
            }
            (
                Fault::CountsSpellings,
                Request::LogIn {
                    login_id,
                    password,
                    shared_computer,
                    from,
                    return_to,
                },
            ) => {
                let canonical = login_id == login_id.to_ascii_uppercase().trim();
                let login_id = if canonical {
                    login_id
                } else {
                    "no-such-lane".to_owned()
                };
                Request::LogIn {
                    login_id,
                    password,
                    shared_computer,
                    from,
                    return_to,
                }
            }
            (_, request) => request,
        }
    }
}

#[async_trait]
impl FrontDoor for Broken {
    fn way(&self) -> Way {
        self.inner.way()
    }

    async fn open(&mut self, portal: Portal) {
        self.restarts += 1;
        self.inner.open(portal).await;
    }

    async fn ask(&self, visitor: &Visitor, request: Request) -> Answer {
        if let Request::ChangePassword { current, new } = &request {
            let change = (current.to_string(), new.to_string());
            *locked(&self.first_password) = Some(change);
        }
        if let Request::CopyCookies { from, .. } = &request {
            let page = locked(&self.shown).get(from).cloned();
            page.and_then(|page| locked(&self.shown).insert(visitor.browser.clone(), page));
        }
        let visited = matches!(request, Request::Visit { .. } | Request::LogIn { .. });
        let mut answer = self.inner.ask(visitor, self.bend(request.clone())).await;
        let ended = answer.outcome == "session_ended";
        let reason = answer.facts.reason.clone().unwrap_or_default();
        let page = self.last_page(visitor);
        match (self.fault, page) {
            (Fault::KeepsOldSessions, Some(page)) if ended && reason == "password_changed" => {
                return page;
            }
            (Fault::IgnoresTheClock, Some(page)) if ended && reason == "inactivity" => return page,
            (Fault::RevivesAtRestart, Some(page)) if ended && self.restarts > 1 => return page,
            (Fault::ForgetsTheLocation, _) => {
                if let Request::LogIn { from: Some(_), .. } = &request {
                    answer.facts.location = Some("/o/10001/".to_owned());
                }
            }
            (Fault::TellsUnknownNumbers, _) => {
                if let Request::LogIn { login_id, .. } = &request
                    && login_id == "99999"
                {
                    answer.shown.push_str("this number is not known");
                }
            }
            (Fault::ClaimsTwice, _) if answer.outcome == "already_claimed" => {
                answer.outcome = "ok".to_owned();
            }
            (Fault::SaysNothingOfLostMemberships, _) if answer.facts.notice.is_some() => {
                answer.facts.notice = Some(String::new());
            }
            _ => {}
        }
        if visited && answer.outcome == "ok" {
            locked(&self.shown).insert(visitor.browser.clone(), answer.clone());
        }
        answer
    }
}

#[test]
fn a_front_door_that_breaks_a_rule_does_not_pass_its_scenarios() {
    for (fault, name, step) in [
        (
            Fault::KeepsOldSessions,
            "s08_private_window_is_another_browser",
            5,
        ),
        (Fault::IgnoresTheClock, "s12_four_hours_of_inactivity", 5),
        (
            Fault::IgnoresTheClock,
            "s13_background_reads_are_not_activity",
            9,
        ),
        (
            Fault::KeepsOldPassword,
            "p03_old_password_is_dead_at_once",
            3,
        ),
        (
            Fault::KeepsOldPassword,
            "s10_password_change_ends_other_browsers",
            10,
        ),
        (
            Fault::ForgetsTheLocation,
            "s15_each_tab_returns_to_its_own_organization",
            6,
        ),
        (
            Fault::TellsUnknownNumbers,
            "p07_log_in_refusals_look_and_cost_the_same",
            3,
        ),
        (
            Fault::RevivesAtRestart,
            "a02_revoked_session_stays_revoked_after_restart",
            6,
        ),
        (Fault::CountsSpellings, "a09_spellings_share_one_lane", 2),
        (
            Fault::ClaimsTwice,
            "p02_first_finish_wins_and_keeps_its_password",
            6,
        ),
        (Fault::ClaimsTwice, "a50_claims_race_and_one_wins", 8),
        (
            Fault::SaysNothingOfLostMemberships,
            "s15_lost_membership_leads_to_default_with_a_notice",
            6,
        ),
    ] {
        let scenario = scenario(name).unwrap();
        assert!(check(&scenario, &RustFrontDoor::boxed).unwrap(), "{name}");
        let failure = check(&scenario, &|| Broken::boxed(fault)).expect_err(name);
        assert_eq!(failure.step, step, "{fault:?}: {failure}");
    }
}
