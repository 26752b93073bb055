//! Audit events: committed with what they tell of. No secret, no name, no birthdate in any of them.

use crate::model::{AccountId, Timestamp};
use crate::store::codec::{DecodeError, Reader, Writer};
use crate::store::{Key, Record};

macro_rules! event_kinds {
    ($($(#[$doc:meta])+ $kind:ident = $code:literal,)+) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind {
            $($(#[$doc])+ $kind,)+
        }

        impl EventKind {
            const ALL: &[Self] = &[$(Self::$kind),+];

            /// The stable snake_case code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$kind => $code,)+
                }
            }
        }
    };
}

event_kinds! {
    /// A secret is about to be compared; without a success after it under the same request, it failed.
    AttemptReserved = "attempt_reserved",
    /// A hook was against a log-in or a claim, or did not answer; the detail names it and its reason.
    HookRefused = "hook_refused",
    /// A claim was refused; the detail is what was asked for.
    ClaimMissed = "claim_missed",
    /// Near misses at claims of an organization have become many; the detail names it, and what follows.
    ClaimsGuessed = "claims_guessed",
    /// The office issued a claim code.
    ClaimCodeIssued = "claim_code_issued",
    /// Claim evidence matched; a ticket was opened.
    ClaimBegun = "claim_begun",
    /// A password, answers and an account came into being.
    Claimed = "claimed",
    /// A log-in started a family; or, with the detail `renewed`, gave a family a new token for one that
    /// was lost.
    LoggedIn = "logged_in",
    /// A family ended; the detail is the reason.
    SessionEnded = "session_ended",
    /// A password was changed; all other families ended.
    PasswordChanged = "password_changed",
    /// Staff took a claim back.
    ClaimReset = "claim_reset",
    /// A roster was imported; the detail counts.
    RosterImported = "roster_imported",
    /// A human confirmed or discarded what an import held; the detail says which, and counts.
    RosterHoldSettled = "roster_hold_settled",
    /// The roster or the office disabled or enabled an account; the detail says which.
    AccountStatusChanged = "account_status_changed",
    /// The person changed their details; the detail says which.
    DetailsChanged = "details_changed",
    /// Many families ended at once; the detail says which.
    SessionsEnded = "sessions_ended",
    /// The current password was given once more in a session.
    Reauthenticated = "reauthenticated",
    /// A recovery code was made: by staff, or a set of them for the person; the detail says which.
    RecoveryCodesIssued = "recovery_codes_issued",
    /// A recovery code was right; a recovery is under way.
    RecoveryBegun = "recovery_begun",
    /// The answers were right too.
    RecoveryAnswered = "recovery_answered",
    /// A new password was made by recovery; all families ended.
    Recovered = "recovered",
    /// A person of staff looked at a person; the detail says at what of them, and who looked.
    StaffLooked = "staff_looked",
    /// Staff made failed tries forgotten; the detail says who.
    TriesCleared = "tries_cleared",
    /// A person was prepared by hand; the detail says as what.
    PersonCreated = "person_created",
    /// Everything that is stored about a person was given out.
    PersonExported = "person_exported",
    /// A person was erased: of whom is not told.
    PersonErased = "person_erased",
    /// A number of somebody who was erased may name somebody again.
    NumberReadmitted = "number_readmitted",
    /// The keys were changed or given out; the detail says what was done.
    KeysChanged = "keys_changed",
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
            .iter()
            .find(|k| k.code() == kind)
            .ok_or(DecodeError::Damaged)?;
        let account = r.option(Reader::account)?;
        let event = Self {
            at,
            kind: *kind,
            account,
            source: r.text()?,
            request_id: r.text()?,
            detail: r.text()?,
        };
        r.finish()?;
        Ok(event)
    }
}
