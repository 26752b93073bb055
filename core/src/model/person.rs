//! The person behind an account.

use super::{AccountId, EntryKey, Membership, OrganizationId, Timestamp};

/// What the person owns themselves (the roster owns the rest).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The roster entry this account came from.
    pub entry: EntryKey,
    /// When the account was claimed; after a reset, when it was claimed anew.
    pub claimed_at: Timestamp,
    /// The organization that `/` leads to; absent: the roster's.
    pub default_organization: Option<OrganizationId>,
    /// Sealed [`PersonDetails`]; empty: none given.
    pub details: Vec<u8>,
}

/// What a person says of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonDetails {
    /// How the person wants to be called.
    pub preferred_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Language of the pages: a tag as in `lang`.
    pub language: Option<String>,
}

/// What pages and programs may know of who is logged in. Read afresh for every use: a membership that
/// was taken away is gone at the next request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Names the account for ever.
    pub account: AccountId,
    /// The student number.
    pub login_id: String,
    /// First Name.
    pub given_name: String,
    /// Last Name.
    pub family_name: String,
    /// One per (organization, role), from the roster.
    pub memberships: Vec<Membership>,
    /// Where `/` leads to; always one of `memberships`, absent only when there are none.
    pub default_organization: Option<OrganizationId>,
    /// What the person says of themselves.
    pub details: PersonDetails,
}

impl Profile {
    /// How the person is called: as they chose, else First Name.
    pub fn called(&self) -> &str {
        let chosen = self.details.preferred_name.as_deref();
        chosen.unwrap_or(&self.given_name)
    }

    /// Whether the person belongs to `organization` in any role.
    pub fn is_member(&self, organization: &OrganizationId) -> bool {
        self.memberships
            .iter()
            .any(|m| &m.organization == organization)
    }
}

/// Answers to security questions, all of them in one hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityAnswersRecord {
    /// Which questions, in the order the answers were hashed.
    pub questions: Vec<String>,
    /// Raised when the answers are replaced; bound into the seal.
    pub generation: u64,
    /// The finished hash under the pepper.
    pub sealed_hash: Vec<u8>,
}
