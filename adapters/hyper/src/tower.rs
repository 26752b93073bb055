//! The portal inside somebody else's server: as a tower service beside the application's routes
//! ([`Mount`]), and as a layer around those of them that want a session ([`ProtectLayer`]).
//!
//! [`ProtectLayer`] puts a [`Visit`] and, where there is a session, a
//! [`VerifiedSession`](narthex_core::VerifiedSession) into the request's extensions. Its answers may
//! not be kept by a browser or a proxy: `Cache-Control: no-store`, unless the application itself has
//! said `private` or `no-store`.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Extensions, HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::Either;
use hyper::body::Body as HttpBody;
use narthex_http::{Admission, Body, Peer, PortalService};
use tokio::sync::{mpsc, watch};
use tower_layer::Layer;
use tower_service::Service;

pub use narthex_http::{Entry, Visit};

pub use crate::answer::Answer;
use crate::limits::Limits;
pub use crate::maintenance::maintain;
use crate::seats::Seats;
use crate::service::{BoxError, House, plain, serve_mounted};

type Answering<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// The portal as a tower service, for a server that is not ours. Cheap to clone.
///
/// It must be told who asks: budgets of attempts are counted by network. With axum serve
/// `into_make_service_with_connect_info::<SocketAddr>()`; elsewhere call [`Mounted::for_peer`] for
/// each connection, or put a [`Peer`] into the extensions of each request. A request without one is
/// answered with 500, and the log says why.
///
/// Reading headers slowly, and too many connections, are for the server to limit; of [`Limits`] only
/// those of bodies and event streams count here.
#[derive(Clone)]
pub struct Mount {
    house: Arc<House<PortalService>>,
    stop: Arc<watch::Sender<bool>>,
}

impl std::fmt::Debug for Mount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mount({:?})", self.house.handler)
    }
}

impl Mount {
    /// The portal with the limits of [`Limits::default`].
    pub fn new(portal: PortalService) -> Self {
        Self::with_limits(portal, Limits::default())
    }

    /// The portal with these limits.
    pub fn with_limits(portal: PortalService, limits: Limits) -> Self {
        let (stop, stopping) = watch::channel(false);
        // Whoever stops the server waits for its connections, and so for the requests on them.
        let (alive, _) = mpsc::channel(1);
        let house = House {
            handler: portal,
            limits,
            seats: Seats::default(),
            stop: stopping,
            alive,
        };
        Self {
            house: Arc::new(house),
            stop: Arc::new(stop),
        }
    }

    /// Ends the event streams, which a graceful stop of the server would wait for.
    pub fn stop(&self) {
        // Nobody listens: then there is no stream to end.
        let _ = self.stop.send(true);
    }

    async fn answer<B>(self, request: Request<B>) -> Response<Answer>
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let (mut parts, body) = request.into_parts();
        let Some(peer) = peer_of(&parts.extensions) else {
            tracing::error!(
                "a request for the portal does not say who asks: serve with \
                 into_make_service_with_connect_info::<SocketAddr>(), or put a narthex Peer into \
                 the request's extensions"
            );
            let text = "This server is not set up completely. Please write to who runs it.\n";
            return plain(StatusCode::INTERNAL_SERVER_ERROR, text, None);
        };
        parts.uri = whole_uri(&parts.extensions, &parts.uri).clone();
        let request = Request::from_parts(parts, body);
        serve_mounted(self.house, peer.address.to_canonical(), request).await
    }
}

impl<B> Service<Request<B>> for Mount
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mount = self.clone();
        Box::pin(async move { Ok(mount.answer(request).await) })
    }
}

/// `mount.layer(application)`: the portal's own paths ([`PortalService::owns`]) are answered by the
/// portal, all others by the application.
impl<S> Layer<S> for Mount {
    type Service = Mounted<S>;

    fn layer(&self, inner: S) -> Mounted<S> {
        Mounted {
            mount: self.clone(),
            inner,
            peer: None,
        }
    }
}

/// An application with the portal among its paths; made by [`Mount`] as a layer.
#[derive(Clone, Debug)]
pub struct Mounted<S> {
    mount: Mount,
    inner: S,
    peer: Option<Peer>,
}

impl<S: Clone> Mounted<S> {
    /// The same application for one connection: its requests come from `address`.
    #[must_use]
    pub fn for_peer(&self, address: IpAddr) -> Self {
        Self {
            peer: Some(Peer { address }),
            ..self.clone()
        }
    }
}

impl<S, B, R> Service<Request<B>> for Mounted<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Either<Answer, R>>;
    type Error = S::Error;
    type Future = Answering<Self::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        let path = whole_uri(request.extensions(), request.uri()).path();
        if self.mount.house.handler.owns(path) {
            let mount = self.mount.clone();
            Box::pin(async move { Ok(mount.answer(request).await.map(Either::Left)) })
        } else {
            let answer = self.inner.call(request);
            Box::pin(async move { Ok(answer.await?.map(Either::Right)) })
        }
    }
}

/// Lets in who has a live session.
///
/// * A navigation without one leads to the log-in, which leads back here; a script is answered 401
///   with a problem document. Where the path names an organization, who does not belong to it is
///   refused, as from one that is not there.
/// * What changes something must come from a page of this origin (`Sec-Fetch-Site`, `Origin`).
/// * Navigations that a person began, and what changes something, count as activity.
#[derive(Clone, Debug)]
pub struct ProtectLayer {
    portal: PortalService,
    entry: Entry,
}

impl ProtectLayer {
    /// Around pages for who has a session.
    pub fn new(portal: PortalService) -> Self {
        Self {
            portal,
            entry: Entry::Person,
        }
    }

    /// Around pages for anybody, on which who has a session is known.
    pub fn for_anybody(portal: PortalService) -> Self {
        Self {
            portal,
            entry: Entry::Anybody,
        }
    }
}

impl<S> Layer<S> for ProtectLayer {
    type Service = Protect<S>;

    fn layer(&self, inner: S) -> Protect<S> {
        Protect {
            layer: self.clone(),
            inner,
        }
    }
}

/// A protected application; made by [`ProtectLayer`].
#[derive(Clone, Debug)]
pub struct Protect<S> {
    layer: ProtectLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Protect<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Either<Answer, R>>;
    type Error = S::Error;
    type Future = Answering<Self::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let ProtectLayer { portal, entry } = self.layer.clone();
        // The service that was polled ready is the one to call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let uri = whole_uri(&parts.extensions, &parts.uri);
            let location = uri.path_and_query().map_or("/", |text| text.as_str());
            match portal.admit(&parts, location, entry).await {
                Admission::Answered(response) => Ok(response.map(|body| Either::Left(whole(body)))),
                Admission::Admitted(visit) => {
                    if let Some(session) = visit.session() {
                        parts.extensions.insert(session.clone());
                    }
                    parts.extensions.insert(visit);
                    let mut response = inner.call(Request::from_parts(parts, body)).await?;
                    keep_private(response.headers_mut());
                    Ok(response.map(Either::Right))
                }
            }
        })
    }
}

/// An answer of the guard, which never streams.
pub(crate) fn whole(body: Body) -> Answer {
    match body {
        Body::Full(bytes) => Answer::whole(bytes, None),
        Body::Events(_) => Answer::whole(bytes::Bytes::new(), None),
    }
}

/// What a person sees is not kept where the next one may find it (WB-07).
fn keep_private(headers: &mut HeaderMap) {
    let said = headers.get_all(CACHE_CONTROL).iter();
    let private = said.filter_map(|value| value.to_str().ok()).any(|value| {
        let mut directives = value.split(',').map(str::trim);
        directives.any(|directive| {
            directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("private")
        })
    });
    if !private {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Who asks: as the server's own type says it, or axum's.
fn peer_of(extensions: &Extensions) -> Option<Peer> {
    let peer = extensions.get::<Peer>().copied();
    #[cfg(feature = "axum")]
    let peer = peer.or_else(|| {
        let address = extensions.get::<::axum::extract::ConnectInfo<std::net::SocketAddr>>()?;
        Some(Peer {
            address: address.0.ip(),
        })
    });
    peer
}

/// The URI as the browser sent it: axum cuts that of what is nested.
#[cfg_attr(
    not(feature = "axum"),
    expect(unused_variables, reason = "only axum keeps it in the extensions")
)]
fn whole_uri<'r>(extensions: &'r Extensions, uri: &'r Uri) -> &'r Uri {
    #[cfg(feature = "axum")]
    if let Some(whole) = extensions.get::<::axum::extract::OriginalUri>() {
        return &whole.0;
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wb07_protected_answers_are_not_kept_unless_the_application_keeps_them_private() {
        for (said, kept) in [
            (None, "no-store"),
            (Some("public, max-age=60"), "no-store"),
            (Some("max-age=60"), "no-store"),
            (Some("Private, max-age=60"), "Private, max-age=60"),
            (Some("no-store"), "no-store"),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static(said));
            }
            keep_private(&mut headers);
            assert_eq!(headers.get(CACHE_CONTROL).unwrap(), kept, "{said:?}");
        }
    }
}
