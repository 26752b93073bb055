//! What a handler answers, before the headers every response has.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::problem::Problem;
use crate::service::Body;

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";

/// An answer in the making.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Reply {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Body::Full(Bytes::new()),
        }
    }

    pub(crate) fn with_body(
        status: StatusCode,
        kind: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut reply = Self::new(status);
        reply
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        reply.body = Body::Full(body.into());
        reply
    }

    /// A page.
    pub(crate) fn page(status: StatusCode, html: String) -> Self {
        Self::with_body(status, HTML, html)
    }

    /// A JSON document.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => Self::with_body(status, JSON, bytes),
            Err(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// 303 See Other: the way from every form to the next page.
    pub(crate) fn see_other(location: &str) -> Self {
        match HeaderValue::from_str(location) {
            Ok(location) => Self::new(StatusCode::SEE_OTHER).header(LOCATION, location),
            Err(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// 204 No Content.
    pub(crate) fn nothing() -> Self {
        Self::new(StatusCode::NO_CONTENT)
    }

    /// A problem document.
    pub(crate) fn problem(problem: &Problem, request_id: &str) -> Self {
        let body = problem.to_json(request_id);
        Self::with_body(problem.status, PROBLEM_JSON, body).problem_headers(problem)
    }

    /// The headers a problem asks for, in JSON and on a page.
    pub(crate) fn problem_headers(mut self, problem: &Problem) -> Self {
        if let Some(seconds) = problem.retry_after_s() {
            self.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if problem.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §11.6.1 wants a challenge; ours is the session cookie.
            let challenge = HeaderValue::from_static("Cookie realm=\"narthex\"");
            self.headers.insert(WWW_AUTHENTICATE, challenge);
        }
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// One more `Set-Cookie`.
    pub(crate) fn cookie(mut self, line: Option<HeaderValue>) -> Self {
        if let Some(line) = line {
            self.headers.append(SET_COOKIE, line);
        }
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
