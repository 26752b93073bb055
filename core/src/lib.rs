//! **Narthex decides; the host acts.** Nothing under [`rules`] reads a clock, draws randomness or
//! touches storage: a rule is a function of (state, input, policy, now). [`Portal`] is the only async
//! code: read, decide, commit, and start over (with fresh proof, bounded) if someone else committed
//! first.
//!
//! The four doors to the outside are in [`host`]: clock, entropy, password hasher, key ring. What keeps
//! records is behind [`store::Store`].

pub mod error;
pub mod event;
pub mod hook;
pub mod host;
pub mod model;
pub mod policy;
pub mod portal;
pub mod rules;
pub mod secret;
pub mod store;

pub use error::{Error, Refusal, Result};
pub use model::{
    AccountId, Birthdate, EndReason, LoginId, Membership, Now, OrganizationId, ResumeLocation,
    Role, Selector, Timestamp,
};
pub use policy::Policy;
pub use portal::{Asker, Check, Doors, Portal, VerifiedSession};
pub use secret::{BrowserSecret, ClaimCode, KnownBrowser, Password, SessionToken, TicketId};
