//! Everything a row of the route table asks for, checked before its handler runs.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use narthex_core::{Check, Refusal};
use tracing::warn;

use crate::answered::SessionFound;
use crate::context::{Ctx, Session, Site};
use crate::csrf::{Binding, Provenance, provenance, token_is_right};
use crate::forms::Form;
use crate::json::Object;
use crate::problem::{Fault, Issue, Problem, Said};
use crate::routes::{Action, BodyKind, Who};
use crate::upload::{self, UploadedFile};

/// In this order: where it comes from, what it carries, who is asking, whose form it is.
pub(crate) async fn guard(ctx: &mut Ctx<'_>, body: &Bytes) -> Result<(), Fault> {
    if ctx.route.is_unsafe() {
        check_provenance(ctx)?;
    }
    read_body(ctx, body)?;
    match ctx.route.who {
        Who::Anyone => {}
        Who::Known => ctx.session = live_session(ctx).await.ok(),
        Who::Person => {
            ctx.session = Some(live_session(ctx).await?);
            read_file(ctx, body).await?;
            check_family(ctx)?;
        }
    }
    if let BodyKind::Form(_) | BodyKind::Upload(_) = ctx.route.body {
        ctx.stale_form = !form_token_is_right(ctx)?;
        if ctx.stale_form && !ctx.route.shows_stale_form_again() {
            let status = StatusCode::FORBIDDEN;
            return Err(Problem::new(status, "form_token", |t| t.form_token).into());
        }
    }
    if ctx.session.is_some() {
        note_activity(ctx).await?;
    }
    Ok(())
}

/// What a request to a page of the host must pass. Its body is the host's.
pub(crate) async fn guard_host(ctx: &mut Ctx<'_>, who: Who) -> Result<(), Fault> {
    if ctx.route.is_unsafe() {
        check_provenance(ctx)?;
    }
    match live_session(ctx).await {
        Ok(session) => ctx.session = Some(session),
        Err(fault) if who == Who::Person => return Err(fault),
        Err(_) => return Ok(()),
    }
    check_family(ctx)?;
    note_activity(ctx).await
}

fn check_provenance(ctx: &Ctx<'_>) -> Result<(), Fault> {
    let jar = &ctx.jar;
    let has_cookies = [&jar.session, &jar.claim, &jar.recovery, &jar.pre]
        .into_iter()
        .any(Option::is_some);
    let allowed = match provenance(ctx.headers, ctx.base()) {
        Provenance::Ours => true,
        Provenance::Elsewhere => false,
        // A program, not a browser: it keeps no cookie of ours that somebody could ride on.
        Provenance::Unsaid => (ctx.route.is_api() || ctx.is_on_host()) && !has_cookies,
    };
    if allowed {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", |t| t.cross_site).into())
}

fn read_body(ctx: &mut Ctx<'_>, body: &Bytes) -> Result<(), Fault> {
    match ctx.route.body {
        BodyKind::None if body.is_empty() => {}
        BodyKind::None => {
            return Err(
                Problem::malformed(Issue::plain("", "unexpected_body", |t| t.malformed)).into(),
            );
        }
        BodyKind::Form(fields) => {
            check_media_type(ctx.headers, "application/x-www-form-urlencoded")?;
            let mut known = fields.to_vec();
            known.push("form_token");
            if ctx.route.who == Who::Person {
                known.push("family");
            }
            ctx.form = Form::parse(body, &known)?;
        }
        // Once it is known who brings it.
        BodyKind::Upload(_) | BodyKind::File => {}
        BodyKind::Json(members) => {
            check_media_type(ctx.headers, "application/json")?;
            ctx.json = Object::parse(body, members)?;
        }
    }
    Ok(())
}

async fn read_file(ctx: &mut Ctx<'_>, body: &Bytes) -> Result<(), Fault> {
    match ctx.route.body {
        BodyKind::Upload(fields) => {
            let known = [fields, &["form_token", "family"]].concat();
            let (form, file) = upload::parse(ctx.headers, body.clone(), &known).await?;
            (ctx.form, ctx.file) = (form, file);
        }
        BodyKind::File => {
            let kind = ctx.headers.get(CONTENT_TYPE);
            let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
            let essence = kind.split(';').next().unwrap_or("").trim();
            let known = ["application/zip", "text/csv", "application/octet-stream"];
            if !known
                .iter()
                .any(|known| essence.eq_ignore_ascii_case(known))
            {
                return Err(wrong_media_type("application/zip, text/csv").into());
            }
            let named = ctx.query_value("file_name").unwrap_or_default();
            ctx.file = Some(UploadedFile::new(&named, body.clone()));
        }
        _ => {}
    }
    Ok(())
}

/// Exactly `expected`, at most with `charset=utf-8`; said once.
fn check_media_type(headers: &HeaderMap, expected: &'static str) -> Result<(), Fault> {
    let mut said = headers.get_all(CONTENT_TYPE).iter();
    let value = said
        .next()
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let (essence, parameter) = match value.split_once(';') {
        Some((essence, parameter)) => (essence.trim(), parameter.trim()),
        None => (value, ""),
    };
    let charset = parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8");
    if essence.eq_ignore_ascii_case(expected) && charset && said.next().is_none() {
        return Ok(());
    }
    Err(wrong_media_type(expected).into())
}

pub(crate) fn wrong_media_type(expected: &'static str) -> Problem {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let mut problem = Problem::new(status, "unsupported_media_type", |t| t.malformed);
    let values = vec![("expected", expected.to_owned())];
    let text = Said::Filled(|t| t.unsupported_media_type, values);
    problem
        .issues
        .push(Issue::new("", "unsupported_media_type", text));
    problem
}

/// The live session of the request. Where there is one, this is the warm path: no store, no await.
pub(crate) async fn live_session(ctx: &Ctx<'_>) -> Result<Session, Fault> {
    let token = ctx.presented().ok_or(Refusal::NotLoggedIn)?;
    let portal = ctx.portal();
    let (verified, found) = match portal.check(&token) {
        Check::Live(session) => (session, SessionFound::Warm),
        Check::AskStore => (portal.verify_session(&token).await?, SessionFound::Cold),
    };
    Ok(Session {
        found,
        family: portal.family_tag(verified.selector())?,
        expires_in: verified.expires_at().since(portal.now().latest),
        verified,
    })
}

/// A script names the family its page was rendered for, a form does too: another one means that
/// somebody logged in again in this browser meanwhile.
fn check_family(ctx: &Ctx<'_>) -> Result<(), Fault> {
    let family = &ctx.session()?.family;
    let said = match ctx.route.body {
        BodyKind::Form(_) | BodyKind::Upload(_) => Some(ctx.form.get("family")),
        _ => match ctx.headers.get("narthex-family") {
            None => None,
            Some(value) => Some(value.to_str().unwrap_or("")),
        },
    };
    match said {
        Some(said) if said != family => Err(family_mismatch().into()),
        _ => Ok(()),
    }
}

pub(crate) fn family_mismatch() -> Problem {
    Problem::new(StatusCode::CONFLICT, "family_mismatch", |t| {
        t.family_mismatch
    })
}

fn form_token_is_right(ctx: &Ctx<'_>) -> Result<bool, Fault> {
    let selector = match (&ctx.session, ctx.route.action) {
        (Some(session), _) => Some(session.verified.selector()),
        // Log-out works for a session that has just ended: the form is bound to its family all the
        // same. Without a session there is nothing to end, and nothing to protect.
        (None, Action::LogOut) => match ctx.presented() {
            Some(token) => Some(token.selector()),
            None => return Ok(true),
        },
        (None, _) => None,
    };
    let binding = match selector {
        Some(selector) => Binding::Family(selector),
        None => Binding::Pre(&ctx.pre.nonce),
    };
    Ok(token_is_right(
        ctx.portal(),
        binding,
        ctx.form.get("form_token"),
    )?)
}

/// Navigations a person began, and what changes something. A browser too old to say so, or a
/// program, is believed; a page that fetches in the background is not.
async fn note_activity(ctx: &mut Ctx<'_>) -> Result<(), Fault> {
    let began_by_a_person = match ctx.headers.get("sec-fetch-user") {
        Some(value) => value.as_bytes() == b"?1",
        None => !["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"]
            .iter()
            .any(|name| ctx.headers.contains_key(*name)),
    };
    let reads = began_by_a_person && ctx.site != Site::HostFetch;
    let counts = ctx.route.is_activity() && (ctx.route.is_unsafe() || reads);
    let Some(session) = ctx.session.as_mut().filter(|_| counts) else {
        return Ok(());
    };
    let portal = &ctx.shared.portal;
    match portal
        .record_activity(&session.verified, Duration::ZERO)
        .await
    {
        Ok(()) => {
            let now = portal.now().latest;
            let absolute = portal.policy().session.absolute_timeout;
            let whole = session.verified.started_at().plus(absolute).since(now);
            session.expires_in = session.verified.inactivity_timeout().min(whole);
            Ok(())
        }
        // The session ended between the check and here: that is the answer.
        Err(error @ narthex_core::Error::Refused(_)) => Err(error.into()),
        Err(failure) => {
            warn!(request_id = ctx.request_id, error = %failure, "activity was not kept");
            Ok(())
        }
    }
}
