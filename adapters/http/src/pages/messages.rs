//! What happened to the account, told on the landing page until the person puts it away.

use narthex_core::model::{Message, MessageKind, OrganizationId};

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::texts::fill;

use super::view::landing_url;

/// One line per message.
pub(crate) async fn lines(ctx: &Ctx<'_>) -> Result<Vec<String>, Fault> {
    let messages = ctx.portal().messages(&ctx.session()?.verified).await?;
    Ok(messages.iter().map(|message| line(ctx, message)).collect())
}

fn line(ctx: &Ctx<'_>, message: &Message) -> String {
    let text = match message.kind {
        MessageKind::Claimed => ctx.t.message_claimed,
        MessageKind::PasswordChanged => ctx.t.message_password_changed,
        MessageKind::Recovered => ctx.t.message_recovered,
        MessageKind::NewBrowser => ctx.t.message_new_browser,
    };
    let span = ctx.portal().now().latest.since(message.at);
    let ago = fill(ctx.t.time_ago, &[("span", &ctx.t.span(span))]);
    let browser = match message.browser.as_str() {
        "" => ctx.t.sessions_unknown,
        browser => browser,
    };
    fill(text, &[("ago", &ago), ("browser", browser)])
}

/// `POST /account/messages`: back to the landing page it was read on.
pub(crate) async fn put_away(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let session = &ctx.session()?.verified;
    ctx.portal().put_messages_away(session).await?;
    let organization = OrganizationId::parse(ctx.form.get("organization")).ok();
    Ok(Reply::see_other(&landing_url(ctx, organization.as_ref())))
}
