//! One request in, one response out.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use http::{Request, Response};

use crate::engine::Portal;
use crate::proxies::Peer;
use crate::settings::{Settings, SettingsError};

/// The longest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// The longest request head (names and values of all headers), in bytes.
pub const HEADER_BYTES_MAX: usize = 8 * 1024;

/// What a response carries.
pub enum Body {
    /// All of it.
    Full(Bytes),
    /// Server-sent events, each item one or more whole lines. An adapter may add comment lines between
    /// items to keep the connection alive.
    Events(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

/// The portal as a function of requests. Cheap to clone.
#[derive(Clone)]
pub struct PortalService {
    portal: Portal,
}

impl PortalService {
    /// Ready to answer.
    ///
    /// # Errors
    /// The settings cannot be served.
    pub fn new(portal: Portal, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { portal })
    }

    /// Answers one request. Never fails: what goes wrong is an answer too.
    pub async fn handle(&self, request: Request<Bytes>, _peer: Peer) -> Response<Body> {
        let _ = (&self.portal, request);
        Response::new(Body::Full(Bytes::from_static(b"ok\n")))
    }
}
