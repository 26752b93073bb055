//! The humans to write to.

use http::StatusCode;
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;

use super::view::{ContactsView, Shell, humans, page};

#[derive(Serialize)]
struct HelpView {
    shell: Shell,
    humans: Vec<ContactsView>,
}

/// `GET /help`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let all = ctx.organizations().await?;
    let shell = match &ctx.session {
        Some(session) => {
            let profile = ctx.portal().profile(&session.verified).await?;
            Shell::for_person(ctx, "help", ctx.t.help_title, &profile, None).await?
        }
        None => Shell::new(ctx, "help", ctx.t.help_title)?,
    };
    let view = HelpView {
        shell,
        humans: humans(ctx.shared, &all, |_| true),
    };
    page(ctx, StatusCode::OK, "help.html", &view)
}
