//! What hooks are asked, and what their silence means: no where they judge, nothing where they add.

use std::sync::{Arc, PoisonError};

use zeroize::Zeroizing;

use super::{Asker, Portal, VerifiedSession};
use crate::error::Result;
use crate::event::AuditEvent;
use crate::hook::{
    Candidate, Code, HookFault, Hooks, HooksError, Opinion, PasswordVerdict, Question,
    STATISTIC_LINES_MAX, StatisticLine, is_plain_text,
};
use crate::model::{LoginId, OrganizationId};
use crate::rules::password::PasswordRequirement;
use crate::rules::suggestion::suggest;
use crate::secret::Password;
use crate::store::{Change, ChangeSet};

/// Suggestions that are shown to the hooks before none is made.
const SUGGESTIONS_MAX: u32 = 8;

/// What hooks have against an attempt: for the audit, and never for who asks.
#[derive(Debug, Default)]
pub(super) struct Opposition(Vec<String>);

impl Opposition {
    /// Nobody was asked.
    pub(super) const NONE: Self = Self(Vec::new());

    fn hear(&mut self, hook: &Code, said: Result<Opinion, HookFault>) {
        match said {
            Ok(Opinion::Abstain) => {}
            Ok(Opinion::Refuse(reason)) => self.0.push(format!("{hook} {reason}")),
            Err(_) => self.0.push(format!("{hook} fault")),
        }
    }

    pub(super) fn exists(&self) -> bool {
        !self.0.is_empty()
    }

    /// Each with the hook's name.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Portal {
    /// Puts `hooks` in the place of those before: what is asked from now on asks these.
    ///
    /// # Errors
    /// They cannot be installed together; those before stay.
    pub fn set_hooks(&self, hooks: Hooks) -> Result<(), HooksError> {
        hooks.check()?;
        let mut place = self.0.hooks.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, Arc::new(hooks));
        drop(place);
        // Only now: what goes may do anything, and ask for the lock.
        drop(before);
        Ok(())
    }

    /// The hooks that are installed.
    pub fn hooks(&self) -> Arc<Hooks> {
        Arc::clone(&self.0.hooks.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What password rules state beside the profile.
    pub(super) fn extra_requirements(&self) -> Vec<PasswordRequirement> {
        let hooks = self.hooks();
        let rules = hooks.password_rules.iter();
        rules
            .flat_map(|rule| rule.requirements())
            .map(|stated| PasswordRequirement::Extra(stated))
            .collect()
    }

    /// What `candidate` breaks of it. A rule without a verdict is a requirement that is not met.
    pub(super) async fn extra_issues(&self, candidate: &Password) -> Vec<PasswordRequirement> {
        let mut issues = Vec::new();
        for rule in &self.hooks().password_rules {
            match rule.check(Candidate::new(candidate.expose())).await {
                Ok(PasswordVerdict::Meets) => {}
                Ok(PasswordVerdict::Breaks(broken)) => {
                    let stated = rule.requirements();
                    let before = issues.len();
                    let own = broken.iter().filter(|one| stated.contains(one));
                    issues.extend(own.map(|one| PasswordRequirement::Extra(one)));
                    if issues.len() == before {
                        issues.push(PasswordRequirement::Unchecked);
                    }
                }
                Err(_) => issues.push(PasswordRequirement::Unchecked),
            }
        }
        issues.dedup();
        issues
    }

    /// A few words of `list` by chance that meet `requirements`, and what hooks ask of a password. `None`:
    /// the list is too short, or none of a few was taken by every hook.
    ///
    /// # Errors
    /// There is no randomness.
    pub async fn suggest_password(
        &self,
        list: &[&str],
        requirements: &[PasswordRequirement],
    ) -> Result<Option<Zeroizing<String>>> {
        for _ in 0..SUGGESTIONS_MAX {
            let random = Zeroizing::new(self.random()?);
            let Some(words) = suggest(list, requirements, &random) else {
                break;
            };
            let Ok(candidate) = Password::parse(&words) else {
                break;
            };
            if self.extra_issues(&candidate).await.is_empty() {
                return Ok(Some(words));
            }
        }
        Ok(None)
    }

    fn question(&self, login_id: &LoginId, asker: &Asker) -> Question {
        Question {
            login_id: login_id.as_str().to_owned(),
            source: asker.source.clone(),
            browser: asker.client_label.clone(),
            at: self.now().latest,
        }
    }

    /// Which hooks are against this log-in. All are asked, so that the first to refuse does not show
    /// in the time.
    pub(super) async fn against_log_in(&self, login_id: &LoginId, asker: &Asker) -> Opposition {
        let hooks = self.hooks();
        let mut against = Opposition::default();
        if hooks.log_in_opinions.is_empty() {
            return against;
        }
        let question = self.question(login_id, asker);
        for hook in &hooks.log_in_opinions {
            against.hear(hook.name(), hook.log_in(&question).await);
        }
        against
    }

    /// Which hooks are against this claim.
    pub(super) async fn against_claim(&self, login_id: &LoginId, asker: &Asker) -> Opposition {
        let hooks = self.hooks();
        let mut against = Opposition::default();
        if hooks.claim_opinions.is_empty() {
            return against;
        }
        let question = self.question(login_id, asker);
        for hook in &hooks.claim_opinions {
            against.hear(hook.name(), hook.claim(&question).await);
        }
        against
    }

    /// The events of `changes`, if somebody listens.
    pub(super) fn events_to_tell(&self, changes: &ChangeSet) -> Vec<AuditEvent> {
        if self.hooks().event_sinks.is_empty() {
            return Vec::new();
        }
        let changes = changes.changes().iter();
        changes
            .filter_map(|change| match change {
                Change::Append { event, .. } => AuditEvent::decode(event).ok(),
                _ => None,
            })
            .collect()
    }

    pub(super) fn tell_sinks(&self, events: &[AuditEvent]) {
        if events.is_empty() {
            return;
        }
        for sink in &self.hooks().event_sinks {
            for event in events {
                sink.observe(event);
            }
        }
    }

    /// What hooks add to the statistics of an organization, in the language of the reader.
    ///
    /// # Errors
    /// As [`Self::statistics`]; a hook that does not answer is left out.
    pub async fn more_statistics(
        &self,
        session: &VerifiedSession,
        organization: &OrganizationId,
        language: &str,
    ) -> Result<Vec<StatisticLine>> {
        let hooks = self.hooks();
        if hooks.landing_statistics.is_empty() {
            return Ok(Vec::new());
        }
        let told = self.statistics(session, organization).await?;
        let mut lines = Vec::new();
        for hook in &hooks.landing_statistics {
            let added = hook.lines(&told, language).await.unwrap_or_default();
            let added = added.into_iter().take(STATISTIC_LINES_MAX);
            lines.extend(added.filter(|l| is_plain_text(&l.label) && is_plain_text(&l.value)));
        }
        Ok(lines)
    }
}
