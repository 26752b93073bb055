//! When there is no other page: calm, and with a way on.

use http::{Method, StatusCode};
use narthex_core::Refusal;
use serde::Serialize;

use crate::context::{Ctx, Shared};
use crate::problem::{Fault, Problem};
use crate::query;
use crate::reply::Reply;
use crate::routes::Action;
use crate::service::without_ended_session;
use crate::texts::{Texts, fill};

use super::view::Shell;

#[derive(Serialize)]
struct ErrorView<'a> {
    shell: Shell,
    text: &'a str,
    issues: Vec<String>,
    request: String,
    again_url: String,
}

#[derive(Serialize)]
struct ReplacedView {
    shell: Shell,
    again_url: String,
}

/// A page about `problem`, for which there is no context.
pub(crate) fn bare(
    shared: &Shared,
    t: &'static Texts,
    problem: &Problem,
    request_id: &str,
) -> Reply {
    render(shared, t, problem, request_id, "")
}

fn render(
    shared: &Shared,
    t: &'static Texts,
    problem: &Problem,
    request_id: &str,
    again_url: &str,
) -> Reply {
    let text = (problem.title)(t);
    let mut shell = Shell::bare(shared, t, "error", text);
    shell.mark_error();
    let view = ErrorView {
        shell,
        text,
        issues: problem
            .issues
            .iter()
            .map(|issue| issue.text.in_language(t))
            .collect(),
        request: fill(t.error_request, &[("request_id", request_id)]),
        again_url: again_url.to_owned(),
    };
    let html = shared
        .renderer
        .render(t, "error.html", &view)
        // Never silent, even if the page about errors has one.
        .unwrap_or_else(|_| format!("<!doctype html><title>{}</title>", t.internal));
    Reply::page(problem.status, t, html).problem_headers(problem)
}

/// What a page route answers to a fault: mostly the way to the log-in, else a page that says it.
pub(crate) fn answer(ctx: &Ctx<'_>, fault: &Fault) -> Reply {
    match navigation(ctx, fault) {
        Ok(Some(reply)) => reply,
        Ok(None) | Err(_) => {
            let problem = fault.problem();
            let again = match problem.code {
                "form_token" => ctx.link(ctx.path),
                _ => String::new(),
            };
            render(ctx.shared, ctx.t, &problem, ctx.request_id, &again)
        }
    }
}

fn navigation(ctx: &Ctx<'_>, fault: &Fault) -> Result<Option<Reply>, Fault> {
    // A form that was not accepted leads back to its page, not to the address it was sent to.
    let location = match ctx.route.action {
        Action::LogOut => None,
        _ => ctx.location(),
    };
    Ok(match fault.refusal() {
        Some(Refusal::NotLoggedIn) => Some(Reply::see_other(&ctx.login_url(
            None,
            location.as_ref(),
            None,
        )?)),
        Some(Refusal::SessionEnded { reason, account }) => {
            let url = ctx.login_url(*account, location.as_ref(), Some(reason.code()))?;
            Some(without_ended_session(ctx, Reply::see_other(&url), *reason))
        }
        Some(Refusal::TokenReplaced) => Some(replaced(ctx)?),
        _ if fault.problem().code == "family_mismatch" => {
            Some(Reply::see_other(&ctx.link("/?notice=another_person")))
        }
        _ => None,
    })
}

/// Another tab has just got a newer token: this page loads again once, a second later, when the
/// cookie is there. The cookie is left alone: it may be the new one already.
fn replaced(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let word = ctx.retry_word();
    let again_url = if ctx.route.method == Method::GET {
        if ctx.query_value(word).is_some() {
            return Ok(Reply::see_other(&ctx.login_url(
                None,
                ctx.location().as_ref(),
                None,
            )?));
        }
        let query = query::without(ctx.query, &[word]);
        let query = query.map(|query| format!("{query}&")).unwrap_or_default();
        let again = format!("{}?{query}{word}=1", ctx.path);
        if ctx.is_on_host() {
            again
        } else {
            ctx.link(&again)
        }
    } else {
        ctx.link("/?retry=1")
    };
    let view = ReplacedView {
        shell: Shell::bare(ctx.shared, ctx.t, "replaced", ctx.t.replaced_title),
        again_url,
    };
    let html = ctx.shared.renderer.render(ctx.t, "replaced.html", &view)?;
    Ok(Reply::page(StatusCode::CONFLICT, ctx.t, html))
}
