//! What did not work, as data: the body of refusals in JSON (RFC 9457) and the text of error pages.

use std::time::Duration;

use http::StatusCode;
use narthex_core::model::InvalidInput;
use narthex_core::rules::password::PasswordRequirement;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::texts::{Text, Texts, fill};

/// Something to say, before it is known in which language.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// A text as it stands.
    Plain(Text),
    /// A text with values filled in.
    Filled(Text, Vec<(&'static str, String)>),
    /// What the core says of an input.
    Invalid(&'static str),
    /// A stated requirement that is not met.
    Requirement(PasswordRequirement),
}

impl Said {
    /// The words.
    pub(crate) fn in_language(&self, t: &Texts) -> String {
        match self {
            Self::Plain(text) => text(t).to_owned(),
            Self::Filled(text, values) => {
                let values: Vec<_> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
                fill(text(t), &values)
            }
            Self::Invalid(text) => t.invalid(text),
            Self::Requirement(requirement) => t.requirement(*requirement),
        }
    }
}

/// One thing that is wrong with what was sent.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    /// The field in JSON and in forms; empty where it is about all of them.
    pub(crate) field: String,
    /// A stable snake_case word.
    pub(crate) code: &'static str,
    /// What a person reads.
    pub(crate) text: Said,
}

impl Issue {
    pub(crate) fn new(field: &str, code: &'static str, text: Said) -> Self {
        Self {
            field: field.to_owned(),
            code,
            text,
        }
    }

    /// An issue whose text stands as it is.
    pub(crate) fn plain(field: &str, code: &'static str, text: Text) -> Self {
        Self::new(field, code, Said::Plain(text))
    }

    /// A field whose value the core cannot take.
    pub(crate) fn invalid(field: &str, error: &InvalidInput) -> Self {
        Self::new(field, "invalid_value", Said::Invalid(error.0))
    }
}

/// Why there is no other answer.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: Text,
    pub(crate) issues: Vec<Issue>,
    /// Why a session ended.
    pub(crate) reason: Option<&'static str>,
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct IssueDocument {
    /// The field in JSON and in forms; empty where it is about all of them.
    field: String,
    /// A stable snake_case word.
    code: &'static str,
    /// What a person reads.
    text: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Document<'a> {
    code: &'a str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
    issues: Vec<IssueDocument>,
    request_id: &'a str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, title: Text) -> Self {
        Self {
            status,
            code,
            title,
            issues: Vec::new(),
            reason: None,
            retry_after: None,
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", |t| t.not_found)
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", |t| {
            t.internal
        })
    }

    /// A request that cannot be understood, with what is wrong about it.
    pub(crate) fn malformed(issue: Issue) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "malformed_request", |t| {
            t.malformed
        });
        problem.issues.push(issue);
        problem
    }

    /// Fields that cannot be taken as they are.
    pub(crate) fn invalid(issues: Vec<Issue>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut problem = Self::new(status, "invalid_fields", |t| t.invalid_fields);
        problem.issues = issues;
        problem
    }

    /// Whole seconds to wait, at least one.
    pub(crate) fn retry_after_s(&self) -> Option<u64> {
        self.retry_after.map(|wait| {
            wait.as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0))
                .max(1)
        })
    }

    /// The problem document.
    pub(crate) fn to_json(&self, t: &Texts, request_id: &str) -> Vec<u8> {
        let issue = |issue: &Issue| IssueDocument {
            field: issue.field.clone(),
            code: issue.code,
            text: issue.text.in_language(t),
        };
        let document = Document {
            code: self.code,
            title: (self.title)(t),
            status: self.status.as_u16(),
            reason: self.reason,
            retry_after_s: self.retry_after_s(),
            issues: self.issues.iter().map(issue).collect(),
            request_id,
        };
        serde_json::to_vec(&document).unwrap_or_else(|_| b"{}".to_vec())
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let (status, title): (StatusCode, Text) = match refusal {
            Refusal::AlreadyClaimed => (StatusCode::CONFLICT, |t| t.already_claimed),
            Refusal::AlreadyRecovered => (StatusCode::CONFLICT, |t| t.already_recovered),
            Refusal::AnswersNotMatched => (StatusCode::FORBIDDEN, |t| t.answers_not_matched),
            Refusal::AnswersUnacceptable(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, |t| t.answers_unacceptable)
            }
            Refusal::ClaimExpired => (StatusCode::GONE, |t| t.claim_expired),
            Refusal::ClaimNotMatched => (StatusCode::FORBIDDEN, |t| t.claim_not_matched),
            Refusal::ClaimStepMissing => (StatusCode::CONFLICT, |t| t.claim_step_missing),
            Refusal::LoginFailed => (StatusCode::UNAUTHORIZED, |t| t.login_failed),
            Refusal::NotLoggedIn => (StatusCode::UNAUTHORIZED, |t| t.not_logged_in),
            Refusal::NotPermitted => (StatusCode::FORBIDDEN, |t| t.not_permitted),
            Refusal::PasswordUnacceptable(_) => (StatusCode::UNPROCESSABLE_ENTITY, |t| {
                t.password_unacceptable
            }),
            Refusal::ReauthenticationNeeded => {
                (StatusCode::FORBIDDEN, |t| t.reauthentication_needed)
            }
            Refusal::RecoveryExpired => (StatusCode::GONE, |t| t.recovery_expired),
            Refusal::RecoveryFailed => (StatusCode::FORBIDDEN, |t| t.recovery_failed),
            Refusal::RecoveryStepMissing => (StatusCode::CONFLICT, |t| t.recovery_step_missing),
            Refusal::SessionEnded { .. } => (StatusCode::UNAUTHORIZED, |t| t.session_ended),
            Refusal::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, |t| t.throttled),
            Refusal::TokenReplaced => (StatusCode::UNAUTHORIZED, |t| t.token_replaced),
        };
        let mut problem = Self::new(status, refusal.code(), title);
        match refusal {
            Refusal::Throttled { retry_after } => problem.retry_after = Some(*retry_after),
            Refusal::SessionEnded { reason, .. } => problem.reason = Some(reason.code()),
            Refusal::PasswordUnacceptable(issues) => {
                problem.issues = password_issues("password", issues);
            }
            Refusal::AnswersUnacceptable(issues) => problem.issues = answer_issues(issues),
            _ => {}
        }
        problem
    }
}

/// The requirements a new password breaks, as issues of `field`.
pub(crate) fn password_issues(
    field: &str,
    issues: &[narthex_core::rules::password::PasswordIssue],
) -> Vec<Issue> {
    issues
        .iter()
        .map(|issue| Issue::new(field, issue.code(), Said::Requirement(*issue)))
        .collect()
}

/// What is wrong with answers, as issues of `answers[i]`.
pub(crate) fn answer_issues(issues: &[narthex_core::rules::question::AnswerIssue]) -> Vec<Issue> {
    use narthex_core::rules::question::AnswerProblem;
    issues
        .iter()
        .map(|issue| {
            let text: Text = match issue.problem {
                AnswerProblem::Count => |t| t.answer_count,
                AnswerProblem::UnknownQuestion => |t| t.answer_unknown_question,
                AnswerProblem::RepeatedQuestion => |t| t.answer_repeated_question,
                AnswerProblem::TooShort => |t| t.answer_too_short,
                AnswerProblem::TooLong => |t| t.answer_too_long,
                AnswerProblem::TooEasy => |t| t.answer_too_easy,
                AnswerProblem::AboutYou => |t| t.answer_about_you,
                AnswerProblem::SameAnswer => |t| t.answer_same,
            };
            let field = match issue.problem {
                AnswerProblem::Count => "answers".to_owned(),
                _ => format!("answers[{}]", issue.index),
            };
            Issue::plain(&field, issue.problem.code(), text)
        })
        .collect()
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Busy { source } => Self {
                retry_after: Some(source.retry_after),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", |t| t.busy)
            },
            Error::Contended { .. } => Self {
                retry_after: Some(Duration::from_secs(1)),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "contended", |t| {
                    t.contended
                })
            },
            Error::Store(_) => {
                let title: Text = if error.may_have_applied() {
                    |t| t.store_unknown
                } else {
                    |t| t.store_unavailable
                };
                Self {
                    retry_after: Some(Duration::from_secs(5)),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title)
                }
            }
            _ => Self::internal(),
        }
    }
}

/// What a handler could not do: becomes a page or a problem document, as the route is one or the
/// other.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The engine said no, or could not.
    Engine(Error),
    /// The request is wrong.
    Problem(Box<Problem>),
    /// A page did not render: a mistake of ours.
    Render(minijinja::Error),
}

impl Fault {
    /// As data.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Engine(error) => error.into(),
            Self::Problem(problem) => (**problem).clone(),
            Self::Render(_) => Problem::internal(),
        }
    }

    /// The refusal behind it, if there is one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Engine(error) => error.refusal(),
            _ => None,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(refusal.into())
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<minijinja::Error> for Fault {
    fn from(error: minijinja::Error) -> Self {
        Self::Render(error)
    }
}
