//! A claim under way.

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
