//! The rules: pure functions of (state, input, policy, now). No clock, randomness, I/O or async.

pub mod attempts;
pub mod claim;
pub mod code;
pub mod details;
pub mod password;
pub mod question;
pub mod recovery;
pub mod resume;
pub mod roster;
pub mod roster_findings;
pub mod season;
pub mod session;
pub mod staff;
pub mod suggestion;
pub mod text;
pub mod time;
