//! Hooks refuse more and never allow more; one that does not answer is a no where it judges.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use narthex_core::event::{AuditEvent, EventKind};
use narthex_core::hook::{
    Candidate, ClaimOpinion, Code, EventSink, ExtraRequirement, HookFault, Hooks, HooksError,
    LandingStatistic, LogInOpinion, Opinion, PasswordRule, PasswordVerdict, Question,
    REQUIREMENTS_PER_RULE_MAX, StatisticLine,
};
use narthex_core::portal::Statistics;
use narthex_core::rules::suggestion::LIST_WORDS;
use narthex_core::store::Space;
use narthex_core::{Error, Portal, Refusal};
use support::{
    House, OTHER_PASSWORD, PASSWORD, asker, browser, claim, evidence, import, log_in, organization,
    password,
};

/// One plugin that is every hook, and answers as it is told.
#[derive(Debug)]
struct Plugin {
    name: Code,
    requirements: Vec<&'static ExtraRequirement>,
    answer: Answer,
    asked: Mutex<Vec<String>>,
    events: Mutex<Vec<EventKind>>,
    checks: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Good,
    Refuse,
    RefuseNothing,
    RefuseForeign,
    Fault,
}

fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

fn stated(rule: &str, own: &str) -> &'static ExtraRequirement {
    let texts = [("en", "No school mascot"), ("es", "Ninguna mascota")];
    ExtraRequirement::state(&code(rule), &code(own), &texts).unwrap()
}

impl Plugin {
    fn new(answer: Answer) -> Arc<Self> {
        Arc::new(Self {
            name: code("mascot"),
            requirements: vec![stated("mascot", "no_mascot")],
            answer,
            asked: Mutex::default(),
            events: Mutex::default(),
            checks: AtomicUsize::new(0),
        })
    }

    fn fault(&self) -> HookFault {
        HookFault {
            hook: self.name.to_string(),
            why: "trap".into(),
        }
    }

    fn opinion(&self, question: &Question) -> Result<Opinion, HookFault> {
        self.asked.lock().unwrap().push(question.login_id.clone());
        match self.answer {
            Answer::Good => Ok(Opinion::Abstain),
            Answer::Fault => Err(self.fault()),
            _ => Ok(Opinion::Refuse(code("not_today"))),
        }
    }
}

#[narthex_conformance::front_door::async_trait]
impl PasswordRule for Plugin {
    fn name(&self) -> &Code {
        &self.name
    }

    fn requirements(&self) -> &[&'static ExtraRequirement] {
        &self.requirements
    }

    async fn check(&self, candidate: Candidate<'_>) -> Result<PasswordVerdict, HookFault> {
        self.checks.fetch_add(1, Ordering::Relaxed);
        match self.answer {
            Answer::Good => Ok(PasswordVerdict::Meets),
            Answer::Refuse if !candidate.text().contains("tiger") => Ok(PasswordVerdict::Meets),
            Answer::Refuse => Ok(PasswordVerdict::Breaks(self.requirements.clone())),
            Answer::RefuseNothing => Ok(PasswordVerdict::Breaks(Vec::new())),
            Answer::RefuseForeign => {
                Ok(PasswordVerdict::Breaks(vec![stated("other", "no_mascot")]))
            }
            Answer::Fault => Err(self.fault()),
        }
    }
}

#[narthex_conformance::front_door::async_trait]
impl ClaimOpinion for Plugin {
    fn name(&self) -> &Code {
        &self.name
    }

    async fn claim(&self, question: &Question) -> Result<Opinion, HookFault> {
        self.opinion(question)
    }
}

#[narthex_conformance::front_door::async_trait]
impl LogInOpinion for Plugin {
    fn name(&self) -> &Code {
        &self.name
    }

    async fn log_in(&self, question: &Question) -> Result<Opinion, HookFault> {
        self.opinion(question)
    }
}

impl EventSink for Plugin {
    fn name(&self) -> &Code {
        &self.name
    }

    fn observe(&self, event: &AuditEvent) {
        self.events.lock().unwrap().push(event.kind);
    }
}

#[narthex_conformance::front_door::async_trait]
impl LandingStatistic for Plugin {
    fn name(&self) -> &Code {
        &self.name
    }

    async fn lines(
        &self,
        told: &Statistics,
        language: &str,
    ) -> Result<Vec<StatisticLine>, HookFault> {
        let line = |value: &str| StatisticLine {
            label: format!("{} in {language}", told.organization),
            value: value.to_owned(),
        };
        match self.answer {
            Answer::Fault => Err(self.fault()),
            Answer::Good => Ok(vec![line("7"), line(""), line("two\nlines")]),
            _ => Ok(vec![line("7"); 100]),
        }
    }
}

fn rule(plugin: &Arc<Plugin>) -> Hooks {
    Hooks {
        password_rules: vec![Arc::clone(plugin) as Arc<dyn PasswordRule>],
        ..Hooks::default()
    }
}

async fn school() -> (House, Portal) {
    let house = House::in_memory();
    let portal = house.open().await;
    import(&portal, 4).await;
    (house, portal)
}

fn issues(error: Error) -> Vec<String> {
    match error {
        Error::Refused(Refusal::PasswordUnacceptable(issues)) => {
            issues.iter().map(|issue| issue.code().to_owned()).collect()
        }
        other => vec![other.to_string()],
    }
}

#[tokio::test]
async fn a_rule_of_the_host_is_stated_and_judges_wherever_a_password_is_made() {
    let (_house, portal) = school().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    let session = log_in(&portal, 0, PASSWORD).await.unwrap().session;
    let plugin = Plugin::new(Answer::Refuse);
    portal.set_hooks(rule(&plugin)).unwrap();

    let listed = portal.password_requirements(&session).await.unwrap();
    let codes: Vec<_> = listed.iter().map(|r| r.code()).collect();
    assert_eq!(
        codes,
        [
            "minimum_length",
            "not_common",
            "not_about_you",
            "mascot.no_mascot",
            "not_the_current"
        ]
    );
    let extra = ExtraRequirement::state(
        &code("mascot"),
        &code("no_mascot"),
        &[("en", "No school mascot"), ("es", "Ninguna mascota")],
    );
    assert!(
        std::ptr::eq(extra.unwrap(), plugin.requirements[0]),
        "stated once"
    );
    assert_eq!(plugin.requirements[0].text("es"), "Ninguna mascota");
    assert_eq!(plugin.requirements[0].text("fr"), "No school mascot");

    let change = |new: &str| {
        let (current, new) = (password(PASSWORD), password(new));
        let (portal, session) = (portal.clone(), session.clone());
        async move {
            portal
                .change_password(&session, current, new, &asker())
                .await
        }
    };
    // Every requirement it breaks is told at once, the profile's first.
    let all = issues(change("tiger").await.unwrap_err());
    assert_eq!(all, ["minimum_length", "mascot.no_mascot"]);
    let refused = change("seven tigers of lace").await.unwrap_err();
    assert_eq!(issues(refused), ["mascot.no_mascot"]);
    change(OTHER_PASSWORD).await.unwrap();

    let browser = browser(&portal);
    let ticket = portal
        .begin_claim(evidence(2), &browser, &asker())
        .await
        .unwrap();
    assert!(
        ticket
            .requirements()
            .iter()
            .any(|r| r.code() == "mascot.no_mascot")
    );
    let refused = portal
        .set_claim_password(&ticket, &browser, password("seven tigers of lace"))
        .await;
    assert_eq!(issues(refused.unwrap_err()), ["mascot.no_mascot"]);

    portal.set_hooks(Hooks::default()).unwrap();
    claim(&portal, 2, "seven tigers of lace").await.unwrap();
}

#[tokio::test]
async fn a_suggested_password_is_one_that_the_rules_of_the_host_take() {
    let (_house, portal) = school().await;
    let list: Vec<String> = (0..LIST_WORDS)
        .map(|n| match n % 4 {
            0 => format!("tiger{n}"),
            _ => format!("heron{n}"),
        })
        .collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let suggested = async |answer| {
        portal.set_hooks(rule(&Plugin::new(answer))).unwrap();
        let mut all = Vec::new();
        for _ in 0..30 {
            all.push(portal.suggest_password(&list, &[]).await.unwrap());
        }
        all.into_iter().flatten().collect::<Vec<_>>()
    };
    let free = suggested(Answer::Good).await;
    assert_eq!(free.len(), 30);
    assert!(free.iter().any(|words| words.contains("tiger")));
    let ruled = suggested(Answer::Refuse).await;
    assert!(ruled.len() > 15, "{}", ruled.len());
    assert!(ruled.iter().all(|words| !words.contains("tiger")));
    let silent = suggested(Answer::Fault).await;
    assert!(silent.is_empty(), "what no rule has taken is not suggested");
}

#[tokio::test]
async fn az04_a_rule_without_a_verdict_takes_no_password() {
    let (_house, portal) = school().await;
    for answer in [Answer::Fault, Answer::RefuseNothing, Answer::RefuseForeign] {
        portal.set_hooks(rule(&Plugin::new(answer))).unwrap();
        let refused = claim(&portal, 0, PASSWORD).await.unwrap_err();
        assert_eq!(issues(refused), ["unchecked"], "{answer:?}");
    }
    // With a rule that answers beside it, too.
    let mut both = rule(&Plugin::new(Answer::Fault));
    both.password_rules.push(Arc::new(Plugin {
        name: code("other"),
        requirements: vec![stated("other", "no_mascot")],
        ..Arc::into_inner(Plugin::new(Answer::Good)).unwrap()
    }));
    portal.set_hooks(both).unwrap();
    let refused = claim(&portal, 0, PASSWORD).await.unwrap_err();
    assert_eq!(issues(refused), ["unchecked"]);
}

fn opinions(plugin: &Arc<Plugin>) -> Hooks {
    Hooks {
        claim_opinions: vec![Arc::clone(plugin) as Arc<dyn ClaimOpinion>],
        log_in_opinions: vec![Arc::clone(plugin) as Arc<dyn LogInOpinion>],
        ..Hooks::default()
    }
}

#[tokio::test]
async fn az04_a_second_opinion_refuses_whom_the_portal_would_take_and_its_silence_too() {
    let (_house, portal) = school().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    for answer in [Answer::Refuse, Answer::Fault] {
        portal.set_hooks(opinions(&Plugin::new(answer))).unwrap();
        let refused = log_in(&portal, 0, PASSWORD).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::LoginFailed), "{answer:?}");
        let refused = claim(&portal, 2, PASSWORD).await.unwrap_err();
        assert_eq!(
            refused.refusal(),
            Some(&Refusal::ClaimNotMatched),
            "{answer:?}"
        );
    }
    portal
        .set_hooks(opinions(&Plugin::new(Answer::Good)))
        .unwrap();
    log_in(&portal, 0, PASSWORD).await.unwrap();
    // Nothing against it is no reason for it.
    let wrong = log_in(&portal, 0, OTHER_PASSWORD).await.unwrap_err();
    assert_eq!(wrong.refusal(), Some(&Refusal::LoginFailed));
    claim(&portal, 2, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn lg01_the_audit_says_which_hook_was_against_an_attempt_and_why() {
    let (house, portal) = school().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    for (answer, reason) in [
        (Answer::Refuse, "mascot not_today"),
        (Answer::Fault, "mascot fault"),
    ] {
        portal.set_hooks(opinions(&Plugin::new(answer))).unwrap();
        log_in(&portal, 0, PASSWORD).await.unwrap_err();
        claim(&portal, 2, PASSWORD).await.unwrap_err();
        let keys = house
            .store
            .scan(Space::Events, "", None, 1000)
            .await
            .unwrap();
        let mut said = Vec::new();
        for key in &keys {
            let (record, _) = house.store.get(key).await.unwrap().unwrap();
            said.push(AuditEvent::decode(&record).unwrap());
        }
        let against = said
            .iter()
            .filter(|event| event.kind == EventKind::HookRefused);
        let told = against.filter(|event| event.detail == reason).count();
        assert_eq!(told, 2, "{reason}: a log-in and a claim");
    }
}

#[tokio::test]
async fn az04_a_lost_token_is_not_renewed_against_a_second_opinion() {
    let (_house, portal) = school().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    let first = log_in(&portal, 0, PASSWORD).await.unwrap();
    let (current, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    let asker = asker();
    let changed = portal.change_password(&first.session, current, new, &asker);
    changed.await.unwrap();
    let renew = || portal.renew_lost_token(&first.token, password(OTHER_PASSWORD), &asker);
    for answer in [Answer::Refuse, Answer::Fault] {
        let plugin = Plugin::new(answer);
        portal.set_hooks(opinions(&plugin)).unwrap();
        let refused = renew().await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::TokenReplaced));
        assert_eq!(*plugin.asked.lock().unwrap(), ["S-0"]);
    }
    portal.set_hooks(Hooks::default()).unwrap();
    renew().await.unwrap();
}

#[tokio::test]
async fn p07_an_opinion_is_asked_of_everybody_alike_and_its_no_costs_what_a_wrong_password_does() {
    let (house, portal) = school().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    let plugin = Plugin::new(Answer::Refuse);
    let work = |before: (u64, u64)| {
        let now = (house.hasher.comparisons(), house.hasher.decoys());
        (now.0 - before.0, now.1 - before.1)
    };
    // The right password, a wrong one, an unclaimed number, an unknown one.
    for (n, text) in [
        (0, PASSWORD),
        (0, OTHER_PASSWORD),
        (2, PASSWORD),
        (77, PASSWORD),
    ] {
        portal.set_hooks(Hooks::default()).unwrap();
        let before = (house.hasher.comparisons(), house.hasher.decoys());
        let _ = log_in(&portal, n, text).await;
        let (compared, decoys) = work(before);
        assert_eq!(compared + decoys, 1);
        portal.set_hooks(opinions(&plugin)).unwrap();
        let before = (house.hasher.comparisons(), house.hasher.decoys());
        let refused = log_in(&portal, n, text).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::LoginFailed));
        assert_eq!(work(before), (0, 1), "never compared, and as much work");
    }
    let asked = plugin.asked.lock().unwrap().clone();
    assert_eq!(asked, ["S-0", "S-0", "S-2", "S-77"]);
}

#[tokio::test]
async fn sinks_hear_of_what_was_committed_and_of_nothing_else() {
    let (_house, portal) = school().await;
    let plugin = Plugin::new(Answer::Good);
    let hooks = Hooks {
        event_sinks: vec![Arc::clone(&plugin) as Arc<dyn EventSink>],
        ..Hooks::default()
    };
    portal.set_hooks(hooks).unwrap();
    let heard = || std::mem::take(&mut *plugin.events.lock().unwrap());
    claim(&portal, 0, PASSWORD).await.unwrap();
    assert_eq!(
        heard(),
        [
            EventKind::AttemptReserved,
            EventKind::ClaimBegun,
            EventKind::Claimed
        ]
    );
    log_in(&portal, 0, OTHER_PASSWORD).await.unwrap_err();
    assert_eq!(heard(), [EventKind::AttemptReserved]);
    log_in(&portal, 0, PASSWORD).await.unwrap();
    assert_eq!(heard(), [EventKind::AttemptReserved, EventKind::LoggedIn]);
    let logged = portal.audit_after(None, 100).await.unwrap();
    assert!(logged.len() >= 6, "the audit has them too");
}

#[tokio::test]
async fn a_statistic_adds_lines_for_members_only_and_its_silence_adds_none() {
    let (_house, portal) = school().await;
    claim(&portal, 0, PASSWORD).await.unwrap();
    let session = log_in(&portal, 0, PASSWORD).await.unwrap().session;
    let lines = async |answer, school: &str| {
        let plugin = Plugin::new(answer);
        let hooks = Hooks {
            landing_statistics: vec![plugin as Arc<dyn LandingStatistic>],
            ..Hooks::default()
        };
        portal.set_hooks(hooks).unwrap();
        portal
            .more_statistics(&session, &organization(school), "es")
            .await
    };
    let good = lines(Answer::Good, "north").await.unwrap();
    assert_eq!(good.len(), 1, "empty texts and line breaks are left out");
    assert_eq!(
        (good[0].label.as_str(), good[0].value.as_str()),
        ("north in es", "7")
    );
    assert_eq!(lines(Answer::Refuse, "north").await.unwrap().len(), 8);
    assert_eq!(lines(Answer::Fault, "north").await.unwrap(), []);
    let foreign = lines(Answer::Good, "south").await.unwrap_err();
    assert_eq!(foreign.refusal(), Some(&Refusal::NotPermitted));
}

#[tokio::test]
async fn hooks_that_do_not_go_together_are_not_taken_and_those_before_stay() {
    let (_house, portal) = school().await;
    let good = Plugin::new(Answer::Refuse);
    portal.set_hooks(rule(&good)).unwrap();
    let with = |requirements| {
        let plugin = Plugin {
            requirements,
            ..Arc::into_inner(Plugin::new(Answer::Good)).unwrap()
        };
        rule(&Arc::new(plugin))
    };
    let mut twice = rule(&good);
    twice.password_rules.extend(rule(&good).password_rules);
    let many: Vec<_> = (0..=REQUIREMENTS_PER_RULE_MAX)
        .map(|n| stated("mascot", &format!("r{n}")))
        .collect();
    for (hooks, error) in [
        (twice, HooksError::Twice(code("mascot"))),
        (
            with(Vec::new()),
            HooksError::Requirements(code("mascot"), 0),
        ),
        (with(many), HooksError::Requirements(code("mascot"), 9)),
        (
            with(vec![stated("other", "no_mascot")]),
            HooksError::Foreign(code("mascot"), "other.no_mascot".into()),
        ),
    ] {
        assert_eq!(portal.set_hooks(hooks).unwrap_err(), error);
    }
    assert_eq!(portal.hooks().password_rules.len(), 1, "those before stay");
}

#[test]
fn codes_and_texts_of_hooks_are_plain() {
    for bad in ["", "Upper", "9lives", "with space", "é", &"a".repeat(33)] {
        assert!(Code::parse(bad).is_err(), "{bad}");
    }
    let (rule, own) = (code("mascot"), code("own"));
    for bad in ["", " ", "two\nlines", &"x".repeat(201)] {
        assert!(
            ExtraRequirement::state(&rule, &own, &[("en", bad)]).is_err(),
            "{bad}"
        );
    }
    assert!(ExtraRequirement::state(&rule, &own, &[]).is_err());
}
