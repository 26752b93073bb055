//! What a roster adapter hands to the core: organizations and people, already parsed, not yet judged.

use super::{Birthdate, Contact, LoginId, Membership, OrganizationId, OrganizationKind};

/// One reading of one source: everything the files held that could be understood.
#[derive(Debug, Default)]
pub struct RosterBatch {
    /// Names the source; the keys of people are (source, source id).
    pub source: String,
    /// Whether a person missing here is missing in the source (bulk), or merely unchanged (delta).
    pub complete: bool,
    /// In the order of the file.
    pub organizations: Vec<RosterOrganization>,
    /// In the order of the file.
    pub people: Vec<RosterPerson>,
    /// What a delta says of people, in the order of the file: whatever it does not mention stays.
    pub changes: Vec<RosterChange>,
}

/// What a delta says of one person.
#[derive(Clone, Debug)]
pub struct RosterChange {
    /// The source's own key of this person.
    pub source_id: String,
    /// Marked as deleted: the person becomes inactive, and nothing else here counts.
    pub gone: bool,
    /// Number, names and access, where they are told.
    pub facts: Option<RosterFacts>,
    /// The birthdate, where it is told.
    pub birthdate: BirthdateChange,
    /// Where the person belongs, where it is told.
    pub memberships: MembershipChange,
    /// Where the person lands after the first log-in, where it is told.
    pub default_organization: Option<OrganizationId>,
    /// Where in the input this stands.
    pub place: Place,
}

impl From<RosterPerson> for RosterChange {
    /// A row that tells everything.
    fn from(person: RosterPerson) -> Self {
        Self {
            source_id: person.source_id,
            gone: false,
            facts: Some(RosterFacts {
                login_id: person.login_id,
                given_name: person.given_name,
                family_name: person.family_name,
                preferred_given_name: person.preferred_given_name,
                preferred_family_name: person.preferred_family_name,
                enabled: person.enabled,
            }),
            birthdate: BirthdateChange::Is(person.birthdate),
            memberships: MembershipChange::Are(person.memberships),
            default_organization: Some(person.default_organization),
            place: person.place,
        }
    }
}

/// What stands in one row about a person, besides birthdate and memberships.
#[derive(Clone, Debug)]
pub struct RosterFacts {
    /// The student number.
    pub login_id: LoginId,
    /// As written in the source, spaces tidied.
    pub given_name: String,
    /// As written in the source, spaces tidied.
    pub family_name: String,
    /// Another given name the person goes by.
    pub preferred_given_name: Option<String>,
    /// Another family name the person goes by.
    pub preferred_family_name: Option<String>,
    /// `false`: listed, but access is curtailed in the source.
    pub enabled: bool,
}

/// What a delta says of a birthdate. `Debug` hides it.
#[derive(Clone, Debug)]
pub enum BirthdateChange {
    /// Nothing: it stays.
    Kept,
    /// It is this one, or the source has none.
    Is(Option<Birthdate>),
}

/// What a delta says of memberships.
#[derive(Clone, Debug)]
pub enum MembershipChange {
    /// All of them are told.
    Are(Vec<Membership>),
    /// Some came, some went; the others stay.
    Adjust {
        /// New or confirmed.
        joined: Vec<Membership>,
        /// Ended.
        left: Vec<Membership>,
    },
}

/// An organization as its source knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterOrganization {
    /// Made by [`OrganizationId::from_source_id`].
    pub id: OrganizationId,
    /// What people read.
    pub name: String,
    /// School, district, ...
    pub kind: OrganizationKind,
    /// The organization above.
    pub parent: Option<OrganizationId>,
    /// The humans to write to, where the source names them.
    pub contacts: Vec<Contact>,
}

/// A person as the source knows them. `Debug` hides the birthdate.
#[derive(Clone, Debug)]
pub struct RosterPerson {
    /// The source's own key of this person.
    pub source_id: String,
    /// The student number.
    pub login_id: LoginId,
    /// As written in the source, spaces tidied.
    pub given_name: String,
    /// As written in the source, spaces tidied.
    pub family_name: String,
    /// Another given name the person goes by.
    pub preferred_given_name: Option<String>,
    /// Another family name the person goes by.
    pub preferred_family_name: Option<String>,
    /// Absent: cannot be claimed by birthdate.
    pub birthdate: Option<Birthdate>,
    /// One per (organization, role), at least one.
    pub memberships: Vec<Membership>,
    /// Where the person lands after the first log-in; one of `memberships`.
    pub default_organization: OrganizationId,
    /// `false`: listed, but access is curtailed in the source.
    pub enabled: bool,
    /// Where in the input this person stands, for findings: file and line.
    pub place: Place,
}

/// Where something stands in a roster input.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// File name inside the folder or zip.
    pub file: String,
    /// 1-based; 0 where the finding is about the whole file.
    pub line: u64,
    /// Column header, where the finding is about one value.
    pub column: Option<String>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Understood in spite of a deviation.
    Note,
    /// Something was left out or held; the rest goes on.
    Warning,
    /// The import cannot go on.
    Error,
}

/// One thing the reader of a roster should know. Never holds a birthdate or a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// A stable snake_case word for programs.
    pub code: &'static str,
    /// Where.
    pub place: Place,
    /// The offending value, masked where it is secret, cut at 80 characters, control characters escaped.
    pub value: Option<String>,
    /// What is wrong and what was done.
    pub message: String,
}
