//! What can be answered besides success: a [`Refusal`] is the person's, an [`Error`] is ours.

use std::time::Duration;

use crate::host::{HashFault, KeyError, QueueFull};
use crate::model::{AccountId, EndReason};
use crate::rules::password::PasswordIssue;
use crate::rules::question::AnswerIssue;
use crate::store::codec::DecodeError;
use crate::store::{Applied, StoreError};

/// What every fallible method of the portal returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a person may be told: a small closed list with stable codes. None says which part was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The password has been made already: the way on is the log-in page.
    AlreadyClaimed,
    /// The account was recovered in this browser already: the way on is the log-in page.
    AlreadyRecovered,
    /// The answers are not those given before, or there were too many tries.
    AnswersNotMatched,
    /// The claim took too long, belongs to another browser, or what it rests on changed.
    ClaimExpired,
    /// Names, birthdate and number do not belong together, or there were too many tries.
    ClaimNotMatched,
    /// A step of the claim was asked for before the one it rests on.
    ClaimStepMissing,
    /// Number and password do not belong together, or there were too many tries.
    LoginFailed,
    /// There is no session.
    NotLoggedIn,
    /// The person may not do this here.
    NotPermitted,
    /// The new password breaks stated requirements.
    PasswordUnacceptable(Vec<PasswordIssue>),
    /// The recovery took too long, belongs to another browser, or what it rests on changed.
    RecoveryExpired,
    /// Number and code do not belong together, or there were too many tries.
    RecoveryFailed,
    /// A step of the recovery was asked for before the one it rests on.
    RecoveryStepMissing,
    /// The person must log in again before this.
    ReauthenticationNeeded,
    /// The answers break stated requirements.
    AnswersUnacceptable(Vec<AnswerIssue>),
    /// There was a session; it ended.
    SessionEnded {
        /// Why.
        reason: EndReason,
        /// Whose it was, when the token proved it: for the tag of the resume location only.
        account: Option<AccountId>,
    },
    /// Too many tries from this network, or altogether.
    Throttled {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The session goes on under a newer token, which this browser has or is about to get.
    TokenReplaced,
}

impl Refusal {
    /// The codes of those that come after a secret was, or seemed to be, compared. A host answers them a
    /// whole number of some 50 ms after the request came, so that none of the ways to be wrong is told by
    /// its time (EN-02).
    pub const AFTER_A_SECRET: [&'static str; 4] = [
        "answers_not_matched",
        "claim_not_matched",
        "login_failed",
        "recovery_failed",
    ];

    /// The stable snake_case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyClaimed => "already_claimed",
            Self::AlreadyRecovered => "already_recovered",
            Self::AnswersNotMatched => "answers_not_matched",
            Self::AnswersUnacceptable(_) => "answers_unacceptable",
            Self::ClaimExpired => "claim_expired",
            Self::ClaimNotMatched => "claim_not_matched",
            Self::ClaimStepMissing => "claim_step_missing",
            Self::LoginFailed => "login_failed",
            Self::NotLoggedIn => "not_logged_in",
            Self::NotPermitted => "not_permitted",
            Self::PasswordUnacceptable(_) => "password_unacceptable",
            Self::ReauthenticationNeeded => "reauthentication_needed",
            Self::RecoveryExpired => "recovery_expired",
            Self::RecoveryFailed => "recovery_failed",
            Self::RecoveryStepMissing => "recovery_step_missing",
            Self::SessionEnded { .. } => "session_ended",
            Self::Throttled { .. } => "throttled",
            Self::TokenReplaced => "token_replaced",
        }
    }

    /// Every code, in order: the closed list that clients may rely on.
    pub const CODES: [&'static str; 18] = [
        "already_claimed",
        "already_recovered",
        "answers_not_matched",
        "answers_unacceptable",
        "claim_expired",
        "claim_not_matched",
        "claim_step_missing",
        "login_failed",
        "not_logged_in",
        "not_permitted",
        "password_unacceptable",
        "reauthentication_needed",
        "recovery_expired",
        "recovery_failed",
        "recovery_step_missing",
        "session_ended",
        "throttled",
        "token_replaced",
    ];
}

/// Why an operation did not succeed. Nothing here admits anybody.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The person may be told this and no more.
    #[error("refused: {}", .0.code())]
    Refused(Refusal),
    /// Other writers kept winning; nothing was changed.
    #[error("other changes kept coming first ({attempts} times); nothing was changed")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// The hash queue is full; nothing was reserved.
    #[error("busy: {source}")]
    Busy {
        /// When to come back.
        #[from]
        source: QueueFull,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record was not understood.
    #[error(transparent)]
    Record(#[from] DecodeError),
    /// A hash could not be made or checked.
    #[error(transparent)]
    Hash(#[from] HashFault),
    /// A key is missing, or a sealed value does not open.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Error {
    /// Whether the change asked for may have been made all the same.
    pub fn may_have_applied(&self) -> bool {
        matches!(self, Self::Store(e) if e.applied == Applied::Unknown)
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<crate::host::EntropyError> for Error {
    fn from(error: crate::host::EntropyError) -> Self {
        Self::Key(KeyError::Entropy(error))
    }
}
