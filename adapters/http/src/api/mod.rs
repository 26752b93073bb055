//! JSON, under `/api/v1`.

pub(crate) mod account;
pub(crate) mod claim;
pub(crate) mod events;
pub(crate) mod organizations;
pub(crate) mod password;
pub(crate) mod session;
