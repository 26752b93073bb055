//! What goes over the socket: one line of JSON asks, lines of JSON answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Progress;
use crate::failure::Failure;

/// The version of this binary: both ends must be of one build, so that a request means the same.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The longest question, in bytes: a roster of a large district, packed.
pub(super) const REQUEST_BYTES_MAX: u64 = 512 << 20;

/// What a client asks. The request is understood only after the versions are compared.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Question<R> {
    pub(super) version: String,
    pub(super) request: R,
}

/// What a server answers: any number of [`Answer::Progress`], then one of the others.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Progress(Progress),
    Done(Value),
    Failed(Failure),
}

/// A line of JSON, with its end.
pub(super) fn line(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut bytes = serde_json::to_vec(value).map_err(Failure::failed)?;
    bytes.push(b'\n');
    Ok(bytes)
}
