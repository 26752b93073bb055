#![doc = include_str!("../README.md")]

mod engine;
mod error;
mod medium;
mod snapshot;
mod store;
mod tables;
mod temporary;
mod writer;

pub use narthex_core::store::OpenError;
pub use store::{CACHE_BYTES, RedbStore};
pub use temporary::TemporaryStore;
