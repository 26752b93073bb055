//! Serves the narthex portal on sockets with hyper: HTTP/1.1 and HTTP/2 (prior knowledge), limits
//! on everything, a graceful stop. Only this crate knows sockets; only `narthex-http` knows HTML
//! and JSON.
//!
//! * **Slow clients are cut off**: [`Limits`] names every size and every wait.
//! * **One request may fail, the house stands**: a handler that panics is a 500.
//! * **A client that leaves cuts nothing short**: a request that may change something runs to
//!   its end; one that only reads is dropped.
//! * **Event streams** are kept alive with comments, counted, and ended when the server stops.
//!
//! ```no_run
//! # async fn example(portal: narthex_http::PortalService) -> std::io::Result<()> {
//! use narthex_hyper::{Limits, Server};
//!
//! let server = Server::bind("127.0.0.1:8080", portal, Limits::default()).await?;
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//! let report = server.serve(async { stopped.await.unwrap_or(()) }).await;
//! # drop(stop);
//! assert_eq!(report.cut, 0);
//! # Ok(())
//! # }
//! ```

mod answer;
#[cfg(feature = "axum")]
pub mod axum;
mod limits;
#[cfg(feature = "tower")]
mod maintenance;
mod seats;
mod server;
mod service;
#[cfg(feature = "tower")]
pub mod tower;
mod watch;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use narthex_http::{Body, Peer, PortalService};

pub use limits::Limits;
pub use server::{Server, StopReport};

/// What answers requests: the portal, or an application that has the portal among its own routes.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers `request`, whose body is whole and within the limits, to the socket's `peer`.
    fn handle(
        &self,
        request: Request<Bytes>,
        peer: Peer,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// How many bytes of the body of a request with this head are worth reading, where that is more than
    /// [`Limits::body_bytes_max`]: who asks is known to be allowed to send so much.
    fn body_bytes_max(&self, head: &Parts) -> impl Future<Output = usize> + Send;
}

impl Handler for PortalService {
    async fn handle(&self, request: Request<Bytes>, peer: Peer) -> Response<Body> {
        Self::handle(self, request, peer).await
    }

    async fn body_bytes_max(&self, head: &Parts) -> usize {
        Self::body_bytes_max(self, head).await
    }
}
