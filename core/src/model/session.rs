//! The records that decide a session.

use std::time::Duration;

use super::{AccountId, Timestamp};

/// Why a session is no longer accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// Lived as long as any session may.
    AbsoluteTimeout,
    /// The account was disabled, by staff or by the roster.
    Disabled,
    /// Ended from another browser.
    EndedElsewhere,
    /// Nobody did anything for too long.
    Inactivity,
    /// The person logged out here.
    LogOut,
    /// Another person, or the same one, logged in over it in this browser.
    LoggedInAgain,
    /// The password was changed in another browser.
    PasswordChanged,
    /// The account was claimed anew.
    ReClaimed,
    /// The account was recovered.
    Recovered,
    /// Staff reset the account.
    StaffReset,
}

impl EndReason {
    /// Every reason, in code order.
    pub const ALL: [Self; 10] = [
        Self::AbsoluteTimeout,
        Self::Disabled,
        Self::EndedElsewhere,
        Self::Inactivity,
        Self::LogOut,
        Self::LoggedInAgain,
        Self::PasswordChanged,
        Self::ReClaimed,
        Self::Recovered,
        Self::StaffReset,
    ];

    /// The stable code for JSON, URLs and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::AbsoluteTimeout => "absolute_timeout",
            Self::Disabled => "disabled",
            Self::EndedElsewhere => "ended_elsewhere",
            Self::Inactivity => "inactivity",
            Self::LogOut => "log_out",
            Self::LoggedInAgain => "logged_in_again",
            Self::PasswordChanged => "password_changed",
            Self::ReClaimed => "re_claimed",
            Self::Recovered => "recovered",
            Self::StaffReset => "staff_reset",
        }
    }

    /// The reason of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// Whether the account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateStatus {
    /// Can log in.
    Active,
    /// Cannot, until enabled again.
    Disabled,
    /// Was reset by staff: waits for a new claim.
    Reset,
}

/// What decides about every session of an account. Apart from names, so that editing a name conflicts
/// with nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Families with a smaller epoch have ended. Never goes down.
    pub session_epoch: u64,
    /// Why the epoch was raised last.
    pub epoch_reason: EndReason,
    /// Whether the account can be used.
    pub status: GateStatus,
    /// Raised with every new credential; bound into its seal.
    pub credential_generation: u64,
    /// The finished password hash (PHC string) under the pepper.
    pub sealed_credential: Vec<u8>,
    /// Recovery codes, each written as a [`RecoveryCode`](super::RecoveryCode).
    pub recovery_codes: Vec<Vec<u8>>,
}

/// How and when a family ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub reason: EndReason,
    /// When.
    pub at: Timestamp,
}

/// What one log-in started in one cookie jar; its tabs share it. Holds when things happened, never
/// until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Whose.
    pub account: AccountId,
    /// The gate's epoch when this family was last confirmed.
    pub session_epoch: u64,
    /// The key id's purpose is `token_digest`.
    pub token_key: u32,
    /// Keyed digest of the token's secret.
    pub token_digest: [u8; 32],
    /// When the person logged in.
    pub started_at: Timestamp,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// How long without activity ends it.
    pub inactivity_timeout: Duration,
    /// Set once; a tombstone is never revived.
    pub ended: Option<Ended>,
    /// A short description of the browser, for lists.
    pub client_label: String,
}

/// Attempts of one identity in one kind, in tenths of a try. Both counters only grow, so that every
/// reservation has a place of its own and a success clears exactly what came up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Lane {
    /// Everything that was ever reserved.
    pub reserved: u64,
    /// So much of it is no longer counted.
    pub cleared: u64,
    /// When the last attempt was reserved.
    pub last_failure_at: Timestamp,
}
