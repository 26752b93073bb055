//! The rules: pure functions of (state, input, policy, now). No clock, randomness, I/O or async.

pub mod attempts;
pub mod claim;
pub mod password;
pub mod question;
pub mod resume;
pub mod roster;
pub mod session;
pub mod text;
pub mod time;
