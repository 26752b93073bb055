//! Organizations, memberships and the humans to write to.

use super::OrganizationId;

/// What kind of organization it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganizationKind {
    /// Where people learn.
    School,
    /// What schools belong to.
    District,
    /// Department, state, national, company, ...
    Other,
}

/// A human to write to when the portal cannot help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// A name or an office.
    pub name: String,
    /// What they are there ("Principal", "Office").
    pub role: String,
    /// Mail address, where there is one.
    pub email: Option<String>,
}

/// An organization as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its name in URLs.
    pub id: OrganizationId,
    /// What people read.
    pub name: String,
    /// School, district, ...
    pub kind: OrganizationKind,
    /// The organization above.
    pub parent: Option<OrganizationId>,
    /// The humans to write to.
    pub contacts: Vec<Contact>,
}

/// What a person is in an organization (OneRoster's words).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Learns there.
    Student,
    /// Teaches there.
    Teacher,
    /// Runs it: principal, site, district or system administrator.
    Administrator,
    /// Guardian, parent, relative.
    Guardian,
    /// Aide, counselor, proctor and what else the source names.
    Other,
}

impl Role {
    /// The stable word for records and JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Teacher => "teacher",
            Self::Administrator => "administrator",
            Self::Guardian => "guardian",
            Self::Other => "other",
        }
    }

    /// The role of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "student" => Some(Self::Student),
            "teacher" => Some(Self::Teacher),
            "administrator" => Some(Self::Administrator),
            "guardian" => Some(Self::Guardian),
            "other" => Some(Self::Other),
            _ => None,
        }
    }
}

/// A person belongs to an organization in a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// Where.
    pub organization: OrganizationId,
    /// As what.
    pub role: Role,
}
