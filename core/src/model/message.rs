//! What a person is told about their own account (NIST SP 800-63B-4 §4.6; ASVS 6.3.7).

use super::{AccountId, Timestamp};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// The account was claimed.
    Claimed,
    /// The password was changed by who was logged in.
    PasswordChanged,
    /// A new password was made with a recovery code.
    Recovered,
    /// Somebody logged in from a browser that this account did not know.
    NewBrowser,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Claimed,
        Self::PasswordChanged,
        Self::Recovered,
        Self::NewBrowser,
    ];

    /// The stable snake_case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::PasswordChanged => "password_changed",
            Self::Recovered => "recovered",
            Self::NewBrowser => "new_browser",
        }
    }

    /// Whether the portal's own pages tell it where no channel does. A new browser is not: on the
    /// computers of a school every log-in is from one.
    pub fn is_told_at_log_in(self) -> bool {
        !matches!(self, Self::NewBrowser)
    }
}

/// One thing to tell, committed with the change it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whose account.
    pub account: AccountId,
    /// What.
    pub kind: MessageKind,
    /// When, on the portal's clock.
    pub at: Timestamp,
    /// The browser it was done with, as short as it is kept elsewhere; may be empty.
    pub browser: String,
}
