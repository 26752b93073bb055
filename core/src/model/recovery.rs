//! Recovery codes, and a recovery under way.

use super::{AccountId, EntryKey, Timestamp};

/// Where a recovery code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryCodeKind {
    /// From staff: one at a time, and only for a while.
    Issued,
    /// Shown once to the person, who keeps it.
    Saved,
}

/// A recovery code as a gate keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCode {
    /// Where it comes from.
    pub kind: RecoveryCodeKind,
    /// The key id's purpose is `token_digest`.
    pub key: u32,
    /// Keyed digest of account and code.
    pub digest: [u8; 32],
    /// When it was made.
    pub issued_at: Timestamp,
}

/// How far a recovery has come. Steps are taken in this order only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryStep {
    /// The code was right.
    CodeProven,
    /// The answers were right too, or none are asked for.
    AnswersProven,
    /// The account was recovered with this ticket.
    Spent,
}

/// The record of a recovery under way: reserves nothing, cancels nothing, bound to one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Whose account.
    pub account: AccountId,
    /// The roster entry of the account.
    pub entry: EntryKey,
    /// The gate's generation when the code was right: another one voids the ticket.
    pub credential_generation: u64,
    /// The gate's epoch then: another one voids the ticket.
    pub session_epoch: u64,
    /// The generation of the answers then, 0 if there were none: another one voids the ticket.
    pub answers_generation: u64,
    /// Digest of the code that was right: without it in the gate the ticket is void.
    pub code_digest: [u8; 32],
    /// Keyed digest of the browser's recovery cookie.
    pub browser_digest: [u8; 32],
    /// How far the recovery has come.
    pub step: RecoveryStep,
    /// When the code was right.
    pub opened_at: Timestamp,
    /// When the last step was taken.
    pub step_at: Timestamp,
}
