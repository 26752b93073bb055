//! What did not work, as data: the body of refusals in JSON (RFC 9457) and the text of error pages.

use std::time::Duration;

use http::StatusCode;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::texts::EN;

/// One thing that is wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Issue {
    /// The field in JSON and in forms; empty where it is about all of them.
    pub(crate) field: String,
    /// A stable snake_case word.
    pub(crate) code: &'static str,
    /// What a person reads.
    pub(crate) text: String,
}

impl Issue {
    pub(crate) fn new(field: &str, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            code,
            text: text.into(),
        }
    }
}

/// Why there is no other answer.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) issues: Vec<Issue>,
    /// Why a session ended.
    pub(crate) reason: Option<&'static str>,
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Serialize)]
struct Document<'a> {
    code: &'a str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
    issues: &'a [Issue],
    request_id: &'a str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
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
        Self::new(StatusCode::NOT_FOUND, "not_found", EN.not_found)
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", EN.internal)
    }

    /// A request that cannot be understood, with what is wrong about it.
    pub(crate) fn malformed(issue: Issue) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "malformed_request", EN.malformed);
        problem.issues.push(issue);
        problem
    }

    /// Fields that cannot be taken as they are.
    pub(crate) fn invalid(issues: Vec<Issue>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut problem = Self::new(status, "invalid_fields", EN.invalid_fields);
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
    pub(crate) fn to_json(&self, request_id: &str) -> Vec<u8> {
        let document = Document {
            code: self.code,
            title: self.title,
            status: self.status.as_u16(),
            reason: self.reason,
            retry_after_s: self.retry_after_s(),
            issues: &self.issues,
            request_id,
        };
        serde_json::to_vec(&document).unwrap_or_else(|_| b"{}".to_vec())
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let (status, title) = match refusal {
            Refusal::AlreadyClaimed => (StatusCode::CONFLICT, EN.already_claimed),
            Refusal::AnswersUnacceptable(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, EN.answers_unacceptable)
            }
            Refusal::ClaimExpired => (StatusCode::GONE, EN.claim_expired),
            Refusal::ClaimNotMatched => (StatusCode::FORBIDDEN, EN.claim_not_matched),
            Refusal::ClaimStepMissing => (StatusCode::CONFLICT, EN.claim_step_missing),
            Refusal::LoginFailed => (StatusCode::UNAUTHORIZED, EN.login_failed),
            Refusal::NotLoggedIn => (StatusCode::UNAUTHORIZED, EN.not_logged_in),
            Refusal::NotPermitted => (StatusCode::FORBIDDEN, EN.not_permitted),
            Refusal::PasswordUnacceptable(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, EN.password_unacceptable)
            }
            Refusal::ReauthenticationNeeded => (StatusCode::FORBIDDEN, EN.reauthentication_needed),
            Refusal::SessionEnded { .. } => (StatusCode::UNAUTHORIZED, EN.session_ended),
            Refusal::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, EN.throttled),
            Refusal::TokenReplaced => (StatusCode::UNAUTHORIZED, EN.token_replaced),
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
        .map(|issue| Issue::new(field, issue.code(), issue.text()))
        .collect()
}

/// What is wrong with answers, as issues of `answers[i]`.
pub(crate) fn answer_issues(issues: &[narthex_core::rules::question::AnswerIssue]) -> Vec<Issue> {
    use narthex_core::rules::question::AnswerProblem;
    issues
        .iter()
        .map(|issue| {
            let text = match issue.problem {
                AnswerProblem::Count => EN.answer_count,
                AnswerProblem::UnknownQuestion => EN.answer_unknown_question,
                AnswerProblem::RepeatedQuestion => EN.answer_repeated_question,
                AnswerProblem::TooShort => EN.answer_too_short,
                AnswerProblem::TooLong => EN.answer_too_long,
                AnswerProblem::TooEasy => EN.answer_too_easy,
                AnswerProblem::AboutYou => EN.answer_about_you,
                AnswerProblem::SameAnswer => EN.answer_same,
            };
            let field = match issue.problem {
                AnswerProblem::Count => "answers".to_owned(),
                _ => format!("answers[{}]", issue.index),
            };
            Issue::new(&field, issue.problem.code(), text)
        })
        .collect()
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Busy { source } => Self {
                retry_after: Some(source.retry_after),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", EN.busy)
            },
            Error::Contended { .. } => Self {
                retry_after: Some(Duration::from_secs(1)),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "contended", EN.contended)
            },
            Error::Store(_) => {
                let title = if error.may_have_applied() {
                    EN.store_unknown
                } else {
                    EN.store_unavailable
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
