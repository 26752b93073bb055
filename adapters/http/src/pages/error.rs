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
use crate::texts::{EN, fill};

use super::view::Shell;

#[derive(Serialize)]
struct ErrorView<'a> {
    shell: Shell,
    text: &'a str,
    issues: Vec<&'a str>,
    request: String,
    again_url: String,
}

#[derive(Serialize)]
struct ReplacedView {
    shell: Shell,
    again_url: String,
}

/// A page about `problem`, for which there is no context.
pub(crate) fn bare(shared: &Shared, problem: &Problem, request_id: &str) -> Reply {
    render(shared, problem, request_id, "")
}

fn render(shared: &Shared, problem: &Problem, request_id: &str, again_url: &str) -> Reply {
    let mut shell = Shell::bare(shared, "error", problem.title);
    shell.mark_error();
    let view = ErrorView {
        shell,
        text: problem.title,
        issues: problem
            .issues
            .iter()
            .map(|issue| issue.text.as_str())
            .collect(),
        request: fill(EN.error_request, &[("request_id", request_id)]),
        again_url: again_url.to_owned(),
    };
    let html = shared
        .renderer
        .render("error.html", &view)
        // Never silent, even if the page about errors has one.
        .unwrap_or_else(|_| format!("<!doctype html><title>{}</title>", EN.internal));
    Reply::page(problem.status, html).problem_headers(problem)
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
            render(ctx.shared, &problem, ctx.request_id, &again)
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
    let again_url = if ctx.route.method == Method::GET {
        if ctx.query_value("retry").is_some() {
            return Ok(Reply::see_other(&ctx.login_url(
                None,
                ctx.location().as_ref(),
                None,
            )?));
        }
        let query = query::without(ctx.query, &["retry"]);
        let query = query.map(|query| format!("{query}&")).unwrap_or_default();
        ctx.link(&format!("{}?{query}retry=1", ctx.path))
    } else {
        ctx.link("/?retry=1")
    };
    let view = ReplacedView {
        shell: Shell::bare(ctx.shared, "replaced", EN.replaced_title),
        again_url,
    };
    let html = ctx.shared.renderer.render("replaced.html", &view)?;
    Ok(Reply::page(StatusCode::CONFLICT, html))
}
