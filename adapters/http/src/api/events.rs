//! Server-sent events of one family: a hint to look, never the authority.

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use narthex_core::portal::Notice;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::service::Body;

/// How soon a browser asks again after the stream broke.
const RETRY_MS: u32 = 5000;

/// `GET /events`
pub(crate) fn stream(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    if !ctx.shared.settings.events {
        return Ok(Reply::nothing());
    }
    let session = ctx.session()?;
    let notices = ctx.portal().subscribe(&session.verified);
    let hello = format!("retry: {RETRY_MS}\nevent: hello\ndata: {{}}\n\n");
    let hello = stream::once(future::ready(Bytes::from(hello)));
    let told = notices.map(|notice| {
        Bytes::from(match notice {
            Notice::PasswordChanged => "event: password_changed\ndata: {}\n\n".to_owned(),
            Notice::Ended(reason) => {
                format!(
                    "event: ended\ndata: {{\"reason\":\"{}\"}}\n\n",
                    reason.code()
                )
            }
        })
    });
    let mut reply = Reply::new(StatusCode::OK);
    reply
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // For reverse proxies that would collect the stream first.
    let buffering = HeaderName::from_static("x-accel-buffering");
    reply
        .headers
        .insert(buffering, HeaderValue::from_static("no"));
    reply.body = Body::Events(Box::pin(hello.chain(told)));
    Ok(reply)
}
