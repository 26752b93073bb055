//! JSON, under `/api/v1`.

pub(crate) mod account;
pub(crate) mod claim;
pub(crate) mod events;
pub(crate) mod messages;
pub(crate) mod openapi;
pub(crate) mod organizations;
pub(crate) mod password;
pub(crate) mod questions;
pub(crate) mod recovery;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod staff;
