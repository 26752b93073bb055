//! What happened to the account, for the person to know.

use http::StatusCode;
use serde::Serialize;

use crate::context::Ctx;
use crate::pages::view::millis;
use crate::problem::Fault;
use crate::reply::Reply;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct MessageDocument {
    /// `claimed`, `password_changed` or `recovered`.
    kind: &'static str,
    ms_ago: u64,
    /// Browser and system it was done with; may be empty.
    browser: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct MessagesDocument {
    /// The oldest first.
    messages: Vec<MessageDocument>,
}

/// `GET /messages`
pub(crate) async fn list(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let messages = ctx.portal().messages(&ctx.session()?.verified).await?;
    let now = ctx.portal().now().latest;
    let messages = messages.into_iter().map(|message| MessageDocument {
        kind: message.kind.code(),
        ms_ago: millis(now.since(message.at)),
        browser: message.browser,
    });
    let document = MessagesDocument {
        messages: messages.collect(),
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// `DELETE /messages`
pub(crate) async fn put_away(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let session = &ctx.session()?.verified;
    ctx.portal().put_messages_away(session).await?;
    Ok(Reply::nothing())
}
