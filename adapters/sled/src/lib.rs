#![doc = include_str!("../README.md")]

mod engine;
mod error;
mod folder;
mod layout;
mod shown;
mod snapshot;
mod store;
mod temporary;
mod writer;

pub use narthex_core::store::OpenError;
pub use store::{CACHE_BYTES, SledStore};
pub use temporary::TemporaryStore;
