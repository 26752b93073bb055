//! Plain data: what records hold and what crosses the border, with no behaviour beyond parsing.

mod entry;
mod id;
mod message;
mod network;
mod organization;
mod person;
mod recovery;
pub mod roster;
mod session;
mod ticket;
mod time;

pub use entry::{EntryDetails, EntryKey, Listing, RosterEntry};
pub use id::{AccountId, Birthdate, InvalidInput, LoginId, OrganizationId, RequestId, Selector};
pub use message::{Message, MessageKind};
pub(crate) use network::wider_network;
pub use network::{Cidr, CidrError, NamedNetwork};
pub use organization::{Contact, Membership, Organization, OrganizationKind, Role};
pub use person::{Person, PersonDetails, Profile, SecurityAnswersRecord};
pub use recovery::{Recovery, RecoveryCode, RecoveryCodeKind, RecoveryStep};
pub use session::{EndReason, Ended, Family, Gate, GateStatus, Lane};
pub use ticket::{ClaimCodeRecord, Ticket, TicketStep};
pub use time::{Now, Timestamp};

pub use crate::rules::resume::ResumeLocation;
