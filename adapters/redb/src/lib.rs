#![doc = include_str!("../README.md")]

mod engine;
mod error;
mod medium;
mod queue;
mod store;
mod tables;
mod temporary;
mod writer;

pub use error::OpenError;
pub use queue::{GROUP_BYTES_MAX, GROUP_SETS_MAX, PENDING_BYTES_MAX, PENDING_SETS_MAX};
pub use store::{CACHE_BYTES, RedbStore};
pub use temporary::TemporaryStore;
