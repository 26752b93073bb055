//! Pages: server-rendered, every flow works without a script.

pub(crate) mod account;
pub(crate) mod account_codes;
pub(crate) mod account_questions;
pub(crate) mod account_sessions;
pub(crate) mod app;
pub(crate) mod claim;
pub(crate) mod claim_steps;
pub(crate) mod error;
pub(crate) mod header;
pub(crate) mod help;
pub(crate) mod landing;
pub(crate) mod login;
pub(crate) mod messages;
pub(crate) mod new_password;
pub(crate) mod password;
pub(crate) mod proof;
pub(crate) mod recovery;
pub(crate) mod recovery_steps;
pub(crate) mod staff;
pub(crate) mod staff_roster;
pub(crate) mod staff_statistics;
pub(crate) mod view;
