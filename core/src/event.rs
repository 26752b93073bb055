//! Audit events: committed with what they tell of. No secret, no name, no birthdate in any of them.

use crate::model::{AccountId, Timestamp};
use crate::store::codec::{DecodeError, Reader, Writer};
use crate::store::{Key, Record};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A secret is about to be compared; without a success after it under the same request, it failed.
    AttemptReserved,
    /// Claim evidence matched; a ticket was opened.
    ClaimBegun,
    /// A password, answers and an account came into being.
    Claimed,
    /// A log-in started a family.
    LoggedIn,
    /// A family ended; the detail is the reason.
    SessionEnded,
    /// A password was changed; all other families ended.
    PasswordChanged,
    /// Staff took a claim back.
    ClaimReset,
    /// A roster was imported; the detail counts.
    RosterImported,
    /// The roster disabled or enabled an account; the detail says which.
    AccountStatusChanged,
    /// The person chose another default organization.
    DetailsChanged,
}

impl EventKind {
    const ALL: [Self; 10] = [
        Self::AttemptReserved,
        Self::ClaimBegun,
        Self::Claimed,
        Self::LoggedIn,
        Self::SessionEnded,
        Self::PasswordChanged,
        Self::ClaimReset,
        Self::RosterImported,
        Self::AccountStatusChanged,
        Self::DetailsChanged,
    ];

    /// The stable snake_case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::AttemptReserved => "attempt_reserved",
            Self::ClaimBegun => "claim_begun",
            Self::Claimed => "claimed",
            Self::LoggedIn => "logged_in",
            Self::SessionEnded => "session_ended",
            Self::PasswordChanged => "password_changed",
            Self::ClaimReset => "claim_reset",
            Self::RosterImported => "roster_imported",
            Self::AccountStatusChanged => "account_status_changed",
            Self::DetailsChanged => "details_changed",
        }
    }
}

/// Who, what, when, from where (LG-02).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When, on the portal's clock.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Whose account, where one is known.
    pub account: Option<AccountId>,
    /// The network the request came from; empty for the command line.
    pub source: String,
    /// Ties events, log lines and refusal pages together.
    pub request_id: String,
    /// A code or counts; never free text from outside.
    pub detail: String,
}

const VERSION: u8 = 1;

impl AuditEvent {
    /// The key: time, then random, so that events are kept in order and never collide.
    pub fn key(at: Timestamp, random: [u8; 8]) -> Key {
        Key::event(format!(
            "{:016x}/{:016x}",
            at.as_millis(),
            u64::from_le_bytes(random)
        ))
    }

    /// As kept.
    pub fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.time(self.at).text(self.kind.code());
        w.option(self.account, |w, account| {
            w.fixed(account.as_bytes());
        });
        w.text(&self.source)
            .text(&self.request_id)
            .text(&self.detail);
        Record(w.finish())
    }

    /// From what is kept.
    ///
    /// # Errors
    /// Not an event of this version.
    pub fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let at = r.time()?;
        let kind = r.text()?;
        let kind = EventKind::ALL
            .into_iter()
            .find(|k| k.code() == kind)
            .ok_or(DecodeError::Damaged)?;
        let account = r.option(Reader::account)?;
        let event = Self {
            at,
            kind,
            account,
            source: r.text()?,
            request_id: r.text()?,
            detail: r.text()?,
        };
        r.finish()?;
        Ok(event)
    }
}
