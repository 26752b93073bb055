//! Pages: server-rendered, every flow works without a script.

pub(crate) mod account;
pub(crate) mod app;
pub(crate) mod claim;
pub(crate) mod claim_steps;
pub(crate) mod error;
pub(crate) mod help;
pub(crate) mod landing;
pub(crate) mod login;
pub(crate) mod password;
pub(crate) mod view;
