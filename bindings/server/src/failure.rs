//! How a command ends: the exit codes that `narthex --help` lists.

use std::fmt::Display;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

/// How a command ended that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0.
    Done,
    /// 3: the answer is no, or there are findings to look at.
    Refused,
}

impl Outcome {
    /// Done, or refused.
    pub(crate) fn yes(yes: bool) -> Self {
        if yes { Self::Done } else { Self::Refused }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Refused => Self::from(3),
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// 1: something did not work.
    pub(crate) fn failed(message: impl Display) -> Self {
        let message = message.to_string();
        Self { code: 1, message }
    }

    /// 2: what was asked for cannot be asked for.
    pub(crate) fn usage(message: impl Display) -> Self {
        let message = message.to_string();
        Self { code: 2, message }
    }

    /// Says it on stderr.
    pub(crate) fn tell(&self, json: bool) -> ExitCode {
        if json {
            let told = serde_json::json!({ "error": self.message, "exit": self.code });
            eprintln!("{told}");
        } else {
            eprintln!("narthex: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

/// "`what`: `error`", as a failure.
pub(crate) fn failed(what: &str, error: &dyn Display) -> Failure {
    Failure::failed(format!("{what}: {error}"))
}

impl From<narthex::OpenError> for Failure {
    fn from(error: narthex::OpenError) -> Self {
        Self::failed(error)
    }
}

impl From<narthex::core::Error> for Failure {
    fn from(error: narthex::core::Error) -> Self {
        Self::failed(error)
    }
}
