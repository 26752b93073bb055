//! Where a host adds to the portal what the portal does not know: more stated requirements of a
//! password, a second opinion on a claim or a log-in, a listener to the audit, a line of statistics.
//!
//! A hook can refuse more and never allow more. One that does not answer (a [`HookFault`]) is a no where
//! it judges, and is left out where it only adds (ASVS 16.5.3). Plugins in plain Rust implement these
//! traits; those in WASM come through `narthex-wasm`, which implements them too.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::event::AuditEvent;
use crate::model::{InvalidInput, Timestamp};
use crate::portal::Statistics;

/// The longest code of a requirement, an opinion or a hook, in bytes.
pub const CODE_BYTES_MAX: usize = 32;
/// The most requirements that one rule states.
pub const REQUIREMENTS_PER_RULE_MAX: usize = 8;
/// The longest text of a requirement or of a statistic, in bytes.
pub const TEXT_BYTES_MAX: usize = 200;
/// The most lines that one hook adds to the statistics of a landing page.
pub const STATISTIC_LINES_MAX: usize = 8;
/// The most rules, opinions, sinks and statistics of one kind.
pub const HOOKS_PER_KIND_MAX: usize = 16;

/// A hook did not answer, or not as it must. Never a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hook {hook} did not answer: {why}")]
pub struct HookFault {
    /// Which.
    pub hook: String,
    /// A word or two for the log; nothing of what was asked.
    pub why: String,
}

/// A snake_case word: what a hook may answer instead of free text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

impl Code {
    /// 1 to [`CODE_BYTES_MAX`] of `a-z`, `0-9` and `_`, a letter first.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let good = text.len() <= CODE_BYTES_MAX
            && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && text.bytes().all(plain);
        match good {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidInput(
                "a code is 1 to 32 of a-z, 0-9 and _, a letter first",
            )),
        }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A requirement that a [`PasswordRule`] states: it joins the list that a person reads.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExtraRequirement {
    /// `rule.code`: the name of the rule, a dot, the rule's own code.
    code: String,
    own: Code,
    /// By language, a tag as in HTML's `lang`; the first is for readers of any other.
    texts: Vec<(String, String)>,
}

impl ExtraRequirement {
    /// The requirement `own` of the rule `rule`. Requirements live as long as the process: stated
    /// again, alike, it is the same one.
    ///
    /// # Errors
    /// No text, or one that is empty, longer than [`TEXT_BYTES_MAX`] or has control characters.
    pub fn state(
        rule: &Code,
        own: &Code,
        texts: &[(&str, &str)],
    ) -> Result<&'static Self, InvalidInput> {
        static STATED: Mutex<Vec<&'static ExtraRequirement>> = Mutex::new(Vec::new());
        if texts.is_empty() || !texts.iter().all(|(_, text)| is_plain_text(text)) {
            return Err(InvalidInput(
                "the text of a requirement is 1 to 200 bytes without control characters",
            ));
        }
        let texts = texts.iter().map(|(l, t)| ((*l).into(), (*t).into()));
        let wanted = Self {
            code: format!("{rule}.{own}"),
            own: own.clone(),
            texts: texts.collect(),
        };
        let mut stated = STATED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = stated.iter().find(|known| ***known == wanted) {
            return Ok(known);
        }
        let kept: &'static Self = Box::leak(Box::new(wanted));
        stated.push(kept);
        Ok(kept)
    }

    /// The stable code: `rule.own`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The code as the rule says it.
    pub fn own_code(&self) -> &Code {
        &self.own
    }

    /// What a reader of `language` reads.
    pub fn text(&self, language: &str) -> &str {
        let own = self.texts.iter().find(|(known, _)| known == language);
        own.or(self.texts.first())
            .map_or("", |(_, text)| text.as_str())
    }
}

/// Whether a text of a hook may stand on a page: not empty, one line, not too long.
pub fn is_plain_text(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

/// A password that somebody wants to have. Only a [`PasswordRule`] sees one.
pub struct Candidate<'a>(&'a str);

impl<'a> Candidate<'a> {
    /// For who tries a rule out; the portal makes its own.
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// As it would be hashed: normalized, nothing cut.
    pub fn text(&self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Candidate(hidden)")
    }
}

/// What a rule says of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// It meets what the rule states.
    Meets,
    /// It breaks these, of those that the rule states: at least one.
    Breaks(Vec<&'static ExtraRequirement>),
}

/// More stated requirements of a new password. A fault is a no.
#[async_trait]
pub trait PasswordRule: fmt::Debug + Send + Sync + 'static {
    /// Names the rule in codes, metrics and the log.
    fn name(&self) -> &Code;

    /// What it asks for: the same from the moment it is installed.
    fn requirements(&self) -> &[&'static ExtraRequirement];

    /// Judges a candidate.
    ///
    /// # Errors
    /// No verdict: the password is not taken.
    async fn check(&self, candidate: Candidate<'_>) -> Result<PasswordVerdict, HookFault>;
}

/// Who asks to claim or to log in. No secret, no name, no birthdate; and nothing of whether the
/// portal knows the number: an opinion is asked of everybody alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The number that was typed, in its canonical form.
    pub login_id: String,
    /// The network the request comes from; empty for the command line.
    pub source: String,
    /// A short description of the browser.
    pub browser: String,
    /// When, on the portal's clock.
    pub at: Timestamp,
}

/// A second opinion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Nothing against it. What decides is the portal.
    Abstain,
    /// No, for this reason: for the operator, never told to who asks.
    Refuse(Code),
}

/// A second opinion on claims. Asked before anything is compared; a fault is a no.
#[async_trait]
pub trait ClaimOpinion: fmt::Debug + Send + Sync + 'static {
    /// Names the hook in metrics and the log.
    fn name(&self) -> &Code;

    /// # Errors
    /// No opinion: the claim is refused.
    async fn claim(&self, question: &Question) -> Result<Opinion, HookFault>;
}

/// A second opinion on log-ins. Asked before the password is compared; a fault is a no.
#[async_trait]
pub trait LogInOpinion: fmt::Debug + Send + Sync + 'static {
    /// Names the hook in metrics and the log.
    fn name(&self) -> &Code;

    /// # Errors
    /// No opinion: the log-in is refused.
    async fn log_in(&self, question: &Question) -> Result<Opinion, HookFault>;
}

/// Is told of every audit event after it was committed. Cannot fail what happened.
pub trait EventSink: fmt::Debug + Send + Sync + 'static {
    /// Names the hook in metrics and the log.
    fn name(&self) -> &Code;

    /// Takes an event and returns at once: what takes time is done elsewhere.
    fn observe(&self, event: &AuditEvent);
}

/// A line on the landing page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatisticLine {
    /// What is counted, in the reader's language.
    pub label: String,
    /// The count, or a few words.
    pub value: String,
}

/// More statistics of an organization, for its members. A fault leaves them out.
#[async_trait]
pub trait LandingStatistic: fmt::Debug + Send + Sync + 'static {
    /// Names the hook in metrics and the log.
    fn name(&self) -> &Code;

    /// At most [`STATISTIC_LINES_MAX`] lines for who reads `language`; `told` is what the page says
    /// already, small groups hidden.
    ///
    /// # Errors
    /// No lines.
    async fn lines(
        &self,
        told: &Statistics,
        language: &str,
    ) -> Result<Vec<StatisticLine>, HookFault>;
}

/// What is installed on a portal.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    /// In the order their requirements are stated.
    pub password_rules: Vec<Arc<dyn PasswordRule>>,
    /// All are asked; one refusal is enough.
    pub claim_opinions: Vec<Arc<dyn ClaimOpinion>>,
    /// All are asked; one refusal is enough.
    pub log_in_opinions: Vec<Arc<dyn LogInOpinion>>,
    /// In no order.
    pub event_sinks: Vec<Arc<dyn EventSink>>,
    /// In the order their lines are shown.
    pub landing_statistics: Vec<Arc<dyn LandingStatistic>>,
}

/// These hooks are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HooksError {
    /// More than [`HOOKS_PER_KIND_MAX`] of a kind.
    #[error("more than {HOOKS_PER_KIND_MAX} hooks of one kind: remove some")]
    TooMany,
    /// More than [`REQUIREMENTS_PER_RULE_MAX`] requirements, or none.
    #[error("the rule {0} states {1} requirements; 1 to {REQUIREMENTS_PER_RULE_MAX} are allowed")]
    Requirements(Code, usize),
    /// A requirement that another rule stated under its own name.
    #[error("the rule {0} states {1}, which is not its own")]
    Foreign(Code, String),
    /// The same name twice among hooks of one kind.
    #[error("two hooks of one kind are called {0}")]
    Twice(Code),
}

impl Hooks {
    /// Whether they can be installed together.
    ///
    /// # Errors
    /// Says what to change.
    pub fn check(&self) -> Result<(), HooksError> {
        let kinds: [Vec<&Code>; 5] = [
            self.password_rules.iter().map(|h| h.name()).collect(),
            self.claim_opinions.iter().map(|h| h.name()).collect(),
            self.log_in_opinions.iter().map(|h| h.name()).collect(),
            self.event_sinks.iter().map(|h| h.name()).collect(),
            self.landing_statistics.iter().map(|h| h.name()).collect(),
        ];
        for mut names in kinds {
            if names.len() > HOOKS_PER_KIND_MAX {
                return Err(HooksError::TooMany);
            }
            names.sort_unstable();
            for (one, next) in names.iter().zip(names.iter().skip(1)) {
                if one == next {
                    return Err(HooksError::Twice((*one).clone()));
                }
            }
        }
        for rule in &self.password_rules {
            let (name, stated) = (rule.name(), rule.requirements());
            if !(1..=REQUIREMENTS_PER_RULE_MAX).contains(&stated.len()) {
                return Err(HooksError::Requirements(name.clone(), stated.len()));
            }
            let own = |code: &str| {
                code.split_once('.')
                    .is_some_and(|(r, _)| r == name.as_str())
            };
            if let Some(foreign) = stated.iter().find(|r| !own(r.code())) {
                return Err(HooksError::Foreign(name.clone(), foreign.code().to_owned()));
            }
        }
        Ok(())
    }
}
