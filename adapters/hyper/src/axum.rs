//! Extractors for axum handlers behind a [`ProtectLayer`](crate::tower::ProtectLayer). A handler that
//! is not behind one answers 500, and the log says so: nobody is taken for logged in by mistake.

use axum::extract::FromRequestParts;
use axum::response::IntoResponse;
use http::request::Parts;
use http::{Response, StatusCode};
use narthex_core::model::OrganizationId;
use narthex_core::{Refusal, VerifiedSession};
use narthex_http::Visit;

use crate::answer::Answer;
use crate::service::plain;
use crate::tower::whole;

/// The live session of the request.
#[derive(Clone, Debug)]
pub struct Session(pub VerifiedSession);

/// The live session of the request, if there is one: for pages behind
/// [`ProtectLayer::for_anybody`](crate::tower::ProtectLayer::for_anybody).
#[derive(Clone, Debug)]
pub struct MaybeSession(pub Option<VerifiedSession>);

/// A session whose person typed the password a short while ago; who did not is refused with
/// `reauthentication_needed`.
#[derive(Clone, Debug)]
pub struct FreshSession(pub VerifiedSession);

/// The organization of the page, to which the person belongs: the one that the path names,
/// else the person's default.
#[derive(Clone, Debug)]
pub struct Organization(pub OrganizationId);

/// The header of this page, as HTML: put it where the page's body begins.
#[derive(Clone, Debug)]
pub struct Header(pub String);

/// The answer to a request that an extractor did not take.
#[derive(Debug)]
pub struct Refused(Box<Response<Answer>>);

impl IntoResponse for Refused {
    fn into_response(self) -> axum::response::Response {
        self.0.map(axum::body::Body::new)
    }
}

impl Refused {
    fn because(visit: &Visit, refusal: Refusal) -> Self {
        Self(Box::new(visit.refuse(refusal).map(whole)))
    }

    /// What went wrong is ours: it is logged, and the person may try again.
    fn failed(what: &str, error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "{what}");
        let text = "Something went wrong here. Please try again.\n";
        Self(Box::new(plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            text,
            None,
        )))
    }
}

fn visit(parts: &Parts) -> Result<&Visit, Refused> {
    parts.extensions.get::<Visit>().ok_or_else(|| {
        tracing::error!(
            path = parts.uri.path(),
            "this route is not behind a ProtectLayer"
        );
        let text = "This server is not set up completely. Please write to who runs it.\n";
        Refused(Box::new(plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            text,
            None,
        )))
    })
}

fn session(visit: &Visit) -> Result<VerifiedSession, Refused> {
    let session = visit.session().cloned();
    session.ok_or_else(|| Refused::because(visit, Refusal::NotLoggedIn))
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        session(visit(parts)?).map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for MaybeSession {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        Ok(Self(visit(parts)?.session().cloned()))
    }
}

impl<S: Sync> FromRequestParts<S> for FreshSession {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let visit = visit(parts)?;
        let session = session(visit)?;
        if visit.is_fresh() {
            Ok(Self(session))
        } else {
            Err(Refused::because(visit, Refusal::ReauthenticationNeeded))
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Organization {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let visit = visit(parts)?;
        match visit.organization_or_default().await {
            Ok(Some(organization)) => Ok(Self(organization)),
            Ok(None) => Err(Refused::because(visit, Refusal::NotPermitted)),
            Err(error) => Err(Refused::failed("the organization is not known", &error)),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Header {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let header = visit(parts)?.header().await;
        let header = header.map_err(|error| Refused::failed("there is no header", &error));
        header.map(Self)
    }
}
