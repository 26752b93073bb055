#![doc = include_str!("../README.md")]

mod doors;
pub mod keeping;
mod keys;
mod open;
#[cfg(feature = "oneroster")]
mod roster;
mod store_url;
#[cfg(all(feature = "oneroster", feature = "http"))]
pub mod uploads;

#[cfg(feature = "argon2")]
pub use narthex_argon2 as argon2;
pub use narthex_core as core;
pub use narthex_core::rules::resume::{AppOrganization, AppPrefix};
pub use narthex_core::{
    AccountId, Asker, Birthdate, Check, EndReason, Error, LoginId, Membership, OrganizationId,
    Password, Policy, Portal, Refusal, ResumeLocation, Role, SessionToken, VerifiedSession,
};
#[cfg(feature = "http")]
pub use narthex_http as http;
#[cfg(feature = "hyper")]
pub use narthex_hyper as hyper;
#[cfg(feature = "axum")]
pub use narthex_hyper::axum;
#[cfg(feature = "tower")]
pub use narthex_hyper::tower;
#[cfg(feature = "oneroster")]
pub use narthex_oneroster as oneroster;
#[cfg(feature = "outbox")]
pub use narthex_outbox as outbox;
#[cfg(feature = "redb")]
pub use narthex_redb as redb;
#[cfg(feature = "sled")]
pub use narthex_sled as sled;
#[cfg(feature = "plugins")]
pub use narthex_wasm as wasm;

pub use doors::{SystemClock, SystemEntropy};
pub use keys::{KeyFile, KeyFileError};
pub use open::{
    Host, House, OpenError, OpenOptions, doors, doors_and_snapshots, open_house_with, open_with,
};
#[cfg(feature = "argon2")]
pub use open::{open, open_house};
#[cfg(feature = "oneroster")]
pub use roster::{RosterError, import_roster};
pub use store_url::{StoreUrl, StoreUrlError};
