//! Guests as the hooks of the core.

use std::sync::Arc;

use async_trait::async_trait;
use narthex_core::event::AuditEvent;
use narthex_core::hook::{
    Candidate, ClaimOpinion, Code, EventSink, ExtraRequirement, HookFault, Hooks, LandingStatistic,
    LogInOpinion, Opinion, PasswordRule, PasswordVerdict, Question, STATISTIC_LINES_MAX,
    StatisticLine, is_plain_text,
};
use narthex_core::portal::{Count, Statistics};
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance};
use zeroize::Zeroizing;

use crate::fault::{Fault, FaultKind};
use crate::guest::{Core, Guest};
use crate::hook::Hook;
use crate::room::Room;
use crate::wire;

impl Guest {
    /// Puts the guest among `hooks`, in the place of what it is.
    pub fn join(self: &Arc<Self>, hooks: &mut Hooks) {
        let guest = Arc::clone(self);
        match self.hook() {
            Hook::PasswordRule => hooks.password_rules.push(guest),
            Hook::ClaimOpinion => hooks.claim_opinions.push(guest),
            Hook::LogInOpinion => hooks.log_in_opinions.push(guest),
            Hook::EventSink => hooks.event_sinks.push(guest),
            Hook::LandingStatistic => hooks.landing_statistics.push(guest),
        }
    }

    fn fault(&self, fault: Fault) -> HookFault {
        HookFault {
            hook: self.name().to_string(),
            why: fault.0.code().to_owned(),
        }
    }

    async fn opinion(&self, question: &Question) -> Result<Opinion, HookFault> {
        let question = wire::Question {
            login_id: question.login_id.clone(),
            source: question.source.clone(),
            browser: question.browser.clone(),
            at: question.at.as_millis(),
        };
        let answered = self.ask(move |core| {
            let (opinion,): (wire::Opinion,) = core.call((question,))?;
            match opinion {
                wire::Opinion::Abstain => Ok(Opinion::Abstain),
                wire::Opinion::Refuse(code) => {
                    core.meters.refused();
                    let code = Code::parse(&code).map_err(|_| Fault(FaultKind::Answer))?;
                    tracing::info!(plugin = %core.name, hook = %core.hook, %code, "refused");
                    Ok(Opinion::Refuse(code))
                }
            }
        });
        answered.await.map_err(|fault| self.fault(fault))
    }
}

#[async_trait]
impl PasswordRule for Guest {
    fn name(&self) -> &Code {
        self.name()
    }

    fn requirements(&self) -> &[&'static ExtraRequirement] {
        self.requirements()
    }

    async fn check(&self, candidate: Candidate<'_>) -> Result<PasswordVerdict, HookFault> {
        let candidate = Zeroizing::new(candidate.text().to_owned());
        let stated = self.requirements.clone();
        let answered = self.ask(move |core| {
            let (verdict,): (wire::Verdict,) = core.call((candidate.as_str(),))?;
            let wire::Verdict::Breaks(codes) = verdict else {
                return Ok(PasswordVerdict::Meets);
            };
            core.meters.refused();
            let broken: Option<Vec<_>> =
                codes.iter().map(|code| stated_as(&stated, code)).collect();
            match broken {
                Some(broken) if !broken.is_empty() => Ok(PasswordVerdict::Breaks(broken)),
                _ => Err(Fault(FaultKind::Answer)),
            }
        });
        answered.await.map_err(|fault| self.fault(fault))
    }
}

fn stated_as(
    stated: &[&'static ExtraRequirement],
    code: &str,
) -> Option<&'static ExtraRequirement> {
    let found = stated.iter().find(|one| one.own_code().as_str() == code);
    found.copied()
}

#[async_trait]
impl ClaimOpinion for Guest {
    fn name(&self) -> &Code {
        self.name()
    }

    async fn claim(&self, question: &Question) -> Result<Opinion, HookFault> {
        self.opinion(question).await
    }
}

#[async_trait]
impl LogInOpinion for Guest {
    fn name(&self) -> &Code {
        self.name()
    }

    async fn log_in(&self, question: &Question) -> Result<Opinion, HookFault> {
        self.opinion(question).await
    }
}

impl EventSink for Guest {
    fn name(&self) -> &Code {
        self.name()
    }

    fn observe(&self, event: &AuditEvent) {
        let event = wire::Event {
            at: event.at.as_millis(),
            kind: event.kind.code().to_owned(),
            account: event.account.map(|account| account.to_hex()),
            source: event.source.clone(),
            request_id: event.request_id.clone(),
            detail: event.detail.clone(),
        };
        self.tell(move |core: &Core| core.call((event,)));
    }
}

#[async_trait]
impl LandingStatistic for Guest {
    fn name(&self) -> &Code {
        self.name()
    }

    async fn lines(
        &self,
        told: &Statistics,
        language: &str,
    ) -> Result<Vec<StatisticLine>, HookFault> {
        let people = told.people.iter().map(|people| wire::People {
            role: people.role.code().to_owned(),
            listed: count(people.listed),
            claimed: count(people.claimed),
        });
        let told = wire::Told {
            organization: told.organization.to_string(),
            people: people.collect(),
            log_ins_today: count(told.log_ins_today),
        };
        let language = language.to_owned();
        let answered = self.ask(move |core| {
            let (lines,): (Vec<wire::Line>,) = core.call((told, language.as_str()))?;
            let plain =
                |line: &wire::Line| is_plain_text(&line.label) && is_plain_text(&line.value);
            if lines.len() > STATISTIC_LINES_MAX || !lines.iter().all(plain) {
                return Err(Fault(FaultKind::Answer));
            }
            let lines = lines.into_iter();
            Ok(lines
                .map(|wire::Line { label, value }| StatisticLine { label, value })
                .collect())
        });
        answered.await.map_err(|fault| self.fault(fault))
    }
}

fn count(count: Count) -> wire::Count {
    match count {
        Count::Exactly(n) => wire::Count::Exactly(n),
        Count::FewerThan(n) => wire::Count::FewerThan(n),
    }
}

/// Whether the function has the type of its hook.
pub(crate) fn check_type(
    hook: Hook,
    instance: &Instance,
    store: &mut Store<Room>,
    export: &ComponentExportIndex,
) -> wasmtime::Result<()> {
    match hook {
        Hook::PasswordRule => {
            instance.get_typed_func::<(&str,), (wire::Verdict,)>(store, export)?;
        }
        Hook::ClaimOpinion | Hook::LogInOpinion => {
            instance.get_typed_func::<(wire::Question,), (wire::Opinion,)>(store, export)?;
        }
        Hook::EventSink => {
            instance.get_typed_func::<(wire::Event,), ()>(store, export)?;
        }
        Hook::LandingStatistic => {
            instance.get_typed_func::<(wire::Told, &str), (Vec<wire::Line>,)>(store, export)?;
        }
    }
    Ok(())
}
