//! The suite every narthex store passes, and the front-door scenarios every way in passes.
//!
//! * [`store_suite!`] proves a [`narthex_core::store::Store`].
//! * [`front_door_scenarios!`] proves a [`front_door::FrontDoor`], by the corpus in [`scenarios`].
//! * [`hasher`] and [`doors`] are fast, deterministic stand-ins for the outside, for anybody's tests.

pub mod doors;
pub mod front_door;
pub mod front_door_rust;
pub mod hasher;
pub mod scenarios;
pub mod store_suite;

pub use doors::{ManualClock, TestEntropy};
pub use front_door_rust::RustFrontDoor;
pub use hasher::TestHasher;
