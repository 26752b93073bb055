//! What comes out of rosters: the samples as they are, and the samples broken in every way seen.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail like tests"
)]

mod caps;
mod common;
mod dates;
mod editions;
mod malformed;
mod plain;
mod samples;
mod sds;
mod secrets;
