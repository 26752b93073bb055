//! The suite every narthex store passes, and the front-door scenarios every way in passes.
//!
//! * [`store_suite!`] proves a [`narthex_core::store::Store`].
//! * [`crash`] proves that a store on a disk survives kill -9.
//! * [`full_disk`] proves that it refuses on a full disk, and recovers by itself.
//! * [`snapshots`] proves that it can be backed up while it serves.
//! * [`front_door_scenarios!`] proves a [`front_door::FrontDoor`], by the corpus in [`scenarios`].
//! * [`hasher`] and [`doors`] are fast, deterministic stand-ins for the outside, for anybody's tests.

#[cfg(unix)]
pub mod crash;
pub mod doors;
pub mod front_door;
pub mod front_door_rust;
#[cfg(unix)]
pub mod full_disk;
pub mod hasher;
pub mod scenarios;
pub mod snapshots;
pub mod store_suite;

pub use doors::{ManualClock, TestEntropy};
pub use front_door_rust::RustFrontDoor;
pub use hasher::TestHasher;
