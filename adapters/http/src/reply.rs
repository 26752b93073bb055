//! What a handler answers, before the headers every response has.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONTENT_LANGUAGE, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use narthex_core::Refusal;
use serde::Serialize;

use crate::answered::Answered;
use crate::problem::Problem;
use crate::service::Body;
use crate::texts::Texts;

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";

/// An answer in the making.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// For logs and metrics.
    pub(crate) answered: Answered,
    /// A secret was wrong: the answer leaves on the grid.
    on_grid: bool,
}

/// Answers to wrong secrets leave a whole number of these after their request came, so that none of the
/// ways to be wrong can be told from another by its time (EN-02).
pub const FAILED_ANSWER_GRID: Duration = Duration::from_millis(50);

/// Marks a response, in its extensions, that the host releases on a grid of [`FAILED_ANSWER_GRID`]
/// counted from the arrival of the request. This crate has no timer; `narthex-hyper` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnGrid;

impl Reply {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Body::Full(Bytes::new()),
            answered: Answered::default(),
            on_grid: false,
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
    pub(crate) fn page(status: StatusCode, t: &Texts, html: String) -> Self {
        Self::with_body(status, HTML, html).spoken(t)
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
    pub(crate) fn problem(problem: &Problem, t: &Texts, request_id: &str) -> Self {
        let body = problem.to_json(t, request_id);
        let reply = Self::with_body(problem.status, PROBLEM_JSON, body);
        reply.spoken(t).problem_headers(problem)
    }

    /// Says which language the words are in, and what that depended on.
    fn spoken(mut self, t: &Texts) -> Self {
        let language = HeaderValue::from_static(t.lang);
        self.headers.insert(CONTENT_LANGUAGE, language);
        let varies = HeaderValue::from_static("accept-language, cookie");
        self.headers.insert(VARY, varies);
        self
    }

    /// The headers a problem asks for, in JSON and on a page.
    pub(crate) fn problem_headers(mut self, problem: &Problem) -> Self {
        self.answered.code = Some(problem.code);
        self.on_grid |= Refusal::AFTER_A_SECRET.contains(&problem.code);
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
        response.extensions_mut().insert(self.answered);
        if self.on_grid {
            response.extensions_mut().insert(OnGrid);
        }
        response
    }
}
