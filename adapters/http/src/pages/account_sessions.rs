//! Where the person is logged in; ending one other browser, or all of them (SE-11).

use http::StatusCode;
use narthex_core::portal::FamilySummary;
use narthex_core::{Error, Refusal, Timestamp};
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::texts::fill;

use super::login::with_session;
use super::proof;
use super::view::{FormView, Shell, page};

/// What the button for all other browsers sends.
const OTHERS: &str = "others";

#[derive(Serialize)]
struct BrowserView {
    handle: String,
    name: String,
    began: String,
    seen: String,
    current: bool,
}

#[derive(Serialize)]
struct SessionsView {
    shell: Shell,
    form: FormView,
    /// Whether the form asks for the password.
    confirm: bool,
    browsers: Vec<BrowserView>,
    others: usize,
}

/// `GET /account/sessions`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let form = FormView::new(ctx, &[], &[proof::FIELD]);
    render(ctx, StatusCode::OK, form, proof::asks(ctx)?).await
}

async fn render(
    ctx: &Ctx<'_>,
    status: StatusCode,
    form: FormView,
    confirm: bool,
) -> Result<Reply, Fault> {
    let session = &ctx.session()?.verified;
    let profile = ctx.portal().profile(session).await?;
    let families = ctx.portal().families(session).await?;
    let title = ctx.t.sessions_title;
    let mut shell = Shell::for_person(ctx, "sessions", title, &profile, None).await?;
    if !form.is_good() {
        shell.mark_error();
    }
    let browsers: Vec<_> = families.iter().map(|family| view(ctx, family)).collect();
    let view = SessionsView {
        shell,
        form,
        confirm,
        others: browsers.iter().filter(|b| !b.current).count(),
        browsers,
    };
    page(ctx, status, "account_sessions.html", &view)
}

fn view(ctx: &Ctx<'_>, family: &FamilySummary) -> BrowserView {
    let now = ctx.portal().now().latest;
    let ago = |at: Timestamp| fill(ctx.t.time_ago, &[("span", &ctx.t.span(now.since(at)))]);
    let name = match family.client_label.as_str() {
        "" => ctx.t.sessions_unknown,
        label => label,
    };
    BrowserView {
        handle: family.handle.clone(),
        name: name.to_owned(),
        began: fill(ctx.t.sessions_began, &[("ago", &ago(family.started_at))]),
        seen: match family.current {
            true => ctx.t.sessions_now.to_owned(),
            false => fill(ctx.t.sessions_seen, &[("ago", &ago(family.last_seen))]),
        },
        current: family.current,
    }
}

/// `POST /account/sessions`
pub(crate) async fn end(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut form = FormView::new(ctx, &[], &[proof::FIELD]);
    let proven = match proof::prove(ctx, &mut form).await? {
        Ok(proven) => proven,
        Err(refused) => {
            let reply = render(ctx, refused.status, form, true).await?;
            return Ok(refused.headers(reply));
        }
    };
    let fresh = proven.fresh(ctx)?;
    if ctx.form.get("which") == OTHERS {
        let renewed = ctx.portal().end_other_families(&fresh, &ctx.asker).await?;
        let reply = Reply::see_other(&ctx.link("/account/sessions?notice=others_ended"));
        return Ok(with_session(ctx, reply, &renewed));
    }
    let which = ctx.form.get("which");
    let to = match ctx.portal().end_family(&fresh, which, &ctx.asker).await {
        Ok(()) => "/account/sessions?notice=one_ended",
        // No browser of this person: the list says so by itself.
        Err(Error::Refused(Refusal::NotPermitted)) => "/account/sessions",
        Err(error) => return Err(error.into()),
    };
    Ok(proven.hand_out(ctx, Reply::see_other(&ctx.link(to))))
}
