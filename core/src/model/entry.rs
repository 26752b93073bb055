//! The roster entry: a person who has been prepared and may claim.

use super::{AccountId, Membership, OrganizationId, Timestamp};

/// Names an entry: a keyed digest of its login id (key purpose `names`), so that a store dump does not
/// list the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey(pub [u8; 32]);

impl EntryKey {
    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// From 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

/// Whether the roster lists this person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Listed: may claim, may log in.
    Active,
    /// Missing from the last complete import, or curtailed there: neither.
    Inactive,
    /// Two different people share the number: not claimable until a human decides.
    Held,
}

/// A pre-provisioned person. Evidence is kept as keyed digests only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// Raised by every change of a claim fact, of the number or of the status: tickets name it.
    pub claim_generation: u64,
    /// Whether the roster lists this person.
    pub listing: Listing,
    /// Whether the account has been claimed (and not been reset since).
    pub claimed: bool,
    /// The account, once one was made; a re-claim keeps it.
    pub account: Option<AccountId>,
    /// The key ids' purpose is `evidence`.
    pub evidence_key: u32,
    /// Digests of (given or preferred) x (family or preferred); unused slots are keyed
    /// digests too, of nothing that anybody types.
    pub name_pairs: [[u8; 32]; 4],
    /// Digest of the birthdate, bound to this entry; absent when the roster has none.
    pub birthdate: Option<[u8; 32]>,
    /// One per (organization, role).
    pub memberships: Vec<Membership>,
    /// Where the person lands after the first log-in.
    pub default_organization: OrganizationId,
    /// Sealed [`EntryDetails`]: names are not readable in a store dump.
    pub details: Vec<u8>,
    /// When the office disabled the person; absent: it did not. No import changes it.
    pub disabled_at: Option<Timestamp>,
}

impl RosterEntry {
    /// Whether the person may claim and be logged in: the roster lists them, and the office has not
    /// disabled them (SE-08).
    pub fn is_open(&self) -> bool {
        (self.listing == Listing::Active) & self.disabled_at.is_none()
    }
}

/// What a person is shown of their entry.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct EntryDetails {
    /// The student number in canonical form.
    pub login_id: String,
    /// As the roster writes it.
    pub given_name: String,
    /// As the roster writes it.
    pub family_name: String,
    /// Another given name the person goes by.
    pub preferred_given_name: Option<String>,
    /// Another family name the person goes by.
    pub preferred_family_name: Option<String>,
    /// The source that lists the person, and its key there.
    pub source: String,
    /// The source's own key of this person.
    pub source_id: String,
}
