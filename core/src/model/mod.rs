//! Plain data: what records hold and what crosses the border, with no behaviour beyond parsing.

mod entry;
mod id;
mod organization;
mod person;
pub mod roster;
mod session;
mod ticket;
mod time;

pub use entry::{EntryDetails, EntryKey, Listing, RosterEntry};
pub use id::{AccountId, Birthdate, InvalidInput, LoginId, OrganizationId, RequestId, Selector};
pub use organization::{Contact, Membership, Organization, OrganizationKind, Role};
pub use person::{Person, Profile, SecurityAnswersRecord};
pub use session::{EndReason, Ended, Family, Gate, GateStatus, Lane};
pub use ticket::{Ticket, TicketStep};
pub use time::{Now, Timestamp};

pub use crate::rules::resume::ResumeLocation;
