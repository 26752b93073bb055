//! What a person may be told of an error, for hosts that write their own screens.

use std::time::Duration;

use narthex_core::Error;

use crate::problem::Problem;
use crate::texts::EN;

/// An error in the words of the pages and of the JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The stable code.
    pub code: &'static str,
    /// One or two plain sentences.
    pub title: &'static str,
    /// The status of the same answer over HTTP.
    pub status: u16,
    /// Why a session ended: the code of an `EndReason`.
    pub reason: Option<&'static str>,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
    /// What is wrong with what was typed.
    pub issues: Vec<ToldIssue>,
}

/// One thing that is wrong with what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldIssue {
    /// The field; empty where it is about all of them.
    pub field: String,
    /// The stable code.
    pub code: &'static str,
    /// One plain sentence.
    pub text: String,
}

/// What a person may be told of `error`, in English. It never says which part was wrong.
pub fn told(error: &Error) -> Told {
    let problem = Problem::from(error);
    let issues = problem.issues.into_iter().map(|issue| ToldIssue {
        field: issue.field,
        code: issue.code,
        text: issue.text.in_language(&EN),
    });
    Told {
        code: problem.code,
        title: (problem.title)(&EN),
        status: problem.status.as_u16(),
        reason: problem.reason,
        retry_after: problem.retry_after,
        issues: issues.collect(),
    }
}
