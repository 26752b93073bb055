#![doc = include_str!("../README.md")]

mod doors;
mod keys;
mod open;
mod store_url;

#[cfg(feature = "argon2")]
pub use narthex_argon2 as argon2;
pub use narthex_core as core;
#[cfg(feature = "http")]
pub use narthex_http as http;
#[cfg(feature = "hyper")]
pub use narthex_hyper as hyper;
#[cfg(feature = "oneroster")]
pub use narthex_oneroster as oneroster;
#[cfg(feature = "redb")]
pub use narthex_redb as redb;

pub use doors::{SystemClock, SystemEntropy};
pub use keys::{KeyFile, KeyFileError};
#[cfg(feature = "argon2")]
pub use open::open;
pub use open::{Host, OpenError, OpenOptions, open_with};
pub use store_url::{StoreUrl, StoreUrlError};
