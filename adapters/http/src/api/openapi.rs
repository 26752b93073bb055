//! The OpenAPI 3.1 document of the JSON routes. It is checked in and pinned to the route table, the
//! documents and the refusals by a test: `UPDATE_EXPECT=1 cargo test -p narthex-http openapi`.

use http::StatusCode;

use crate::reply::{JSON, Reply};

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod description;
#[cfg(test)]
mod document;

const DOCUMENT: &str = include_str!("../../openapi.json");

/// `GET /openapi.json`
pub(crate) fn show() -> Reply {
    Reply::with_body(StatusCode::OK, JSON, DOCUMENT)
}
