//! Where the person is logged in, ending it there, and the password once more.

use http::StatusCode;
use serde::Serialize;

use crate::context::Ctx;
use crate::pages::view::millis;
use crate::problem::Fault;
use crate::reply::Reply;

use super::password::read_password;
use super::session::renewed;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BrowserDocument {
    family: String,
    /// Whether it is the one that asks.
    current: bool,
    /// Browser and system; empty where it said nothing.
    browser: String,
    began_ms_ago: u64,
    seen_ms_ago: u64,
    expires_in_ms: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BrowsersDocument {
    /// The latest activity first.
    sessions: Vec<BrowserDocument>,
}

/// `GET /sessions`
pub(crate) async fn list(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let families = ctx.portal().families(&ctx.session()?.verified).await?;
    let now = ctx.portal().now().latest;
    let sessions = families.into_iter().map(|family| BrowserDocument {
        family: family.handle,
        current: family.current,
        browser: family.client_label,
        began_ms_ago: millis(now.since(family.started_at)),
        seen_ms_ago: millis(now.since(family.last_seen)),
        expires_in_ms: millis(family.expires_at.since(now)),
    });
    let document = BrowsersDocument {
        sessions: sessions.collect(),
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// `DELETE /sessions/{family}`: one other browser; ended already is as good as ended.
pub(crate) async fn end(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let proof = ctx.portal().fresh(&ctx.session()?.verified)?;
    let family = ctx.param("family");
    ctx.portal().end_family(&proof, family, &ctx.asker).await?;
    Ok(Reply::nothing())
}

/// `DELETE /sessions`: all others.
pub(crate) async fn end_others(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let proof = ctx.portal().fresh(&ctx.session()?.verified)?;
    let changed = ctx.portal().end_other_families(&proof, &ctx.asker).await?;
    renewed(ctx, &changed)
}

/// `POST /session/confirm`: the current password once more.
pub(crate) async fn confirm(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let password = read_password(ctx, "password")?;
    let session = &ctx.session()?.verified;
    let again = ctx
        .portal()
        .reauthenticate(session, password, &ctx.asker)
        .await?;
    renewed(ctx, &again)
}
