//! A claim under way, and the code of a claim letter.

use super::{EntryKey, Timestamp};

/// How far a claim has come. Steps are taken in this order only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketStep {
    /// The evidence matched.
    Identified,
    /// A password has been made and hashed; it is not a credential yet.
    PasswordSet,
    /// The claim was finished with this ticket.
    Spent,
}

/// The record of a claim under way: reserves nothing, cancels nothing, bound to one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Who is being claimed.
    pub entry: EntryKey,
    /// The entry's generation when the evidence matched: another one voids the ticket.
    pub claim_generation: u64,
    /// Keyed digest of the browser's claim cookie.
    pub browser_digest: [u8; 32],
    /// How far the claim has come.
    pub step: TicketStep,
    /// The finished, peppered hash, bound to this ticket; empty before `PasswordSet`.
    pub sealed_hash: Vec<u8>,
    /// When the evidence matched.
    pub opened_at: Timestamp,
    /// When the last step was taken.
    pub step_at: Timestamp,
}

/// The record of an issued claim code: one per entry, so that a new one is the end of the old. It is
/// worth nothing once the entry's generation is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimCodeRecord {
    /// The entry's generation when the code was issued.
    pub claim_generation: u64,
    /// The key id's purpose is `token_digest`: a store that was put back voids its codes.
    pub code_key: u32,
    /// Keyed digest of the code, bound to its entry.
    pub code_digest: [u8; 32],
    /// When it was issued.
    pub issued_at: Timestamp,
}
