//! The front-door scenarios: one corpus, as data, that every way into the portal passes.
//!
//! Each file in `scenarios/` is one rule or one attack.
//! [`front_door_scenarios!`](crate::front_door_scenarios) makes a test of each for a way in:
//!
//! ```
//! narthex_conformance::front_door_scenarios!(narthex_conformance::RustFrontDoor::boxed);
//! ```
//!
//! Everything outside is deterministic: a clock set by hand, entropy and a schedule from a seed. A
//! failure names file, step, difference and seed, and that is all one needs to see it again.

mod codes;
mod corpus;
mod format;
mod policy;
mod roster;
mod runner;
mod span;
mod store;
mod world;

pub use codes::Codes;
pub use corpus::{FILES, corpus, in_memory, scenario};
pub use format::{Action, Cookies, Deed, Expect, Facts, GroupExpect, Says, Scenario, Step, What};
pub use policy::{App, Lane, Named, PolicyOverrides, Profile, Proof, SeasonLimits};
pub use roster::{FixturePerson, Roster};
pub use runner::{Failure, SEEDS_OF_RACES, check, check_on, run};
pub use span::Span;
pub use store::TurnTakingStore;
pub use world::{Counts, World};
