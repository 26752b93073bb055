//! The suite every narthex store passes, and the front-door scenarios every way in passes.
//!
//! * [`store_suite!`] proves a [`narthex_core::store::Store`].
//! * [`hasher`] and [`doors`] are fast, deterministic stand-ins for the outside, for anybody's tests.

pub mod doors;
pub mod hasher;
pub mod store_suite;

pub use doors::{ManualClock, TestEntropy};
pub use hasher::TestHasher;
