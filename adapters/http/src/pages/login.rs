//! The door: log in, log out, and where `/` leads (S1, S11, S14, S15).

use http::StatusCode;
use narthex_core::model::{LoginId, Profile, ResumeLocation};
use narthex_core::portal::{LogIn, LoggedIn};
use narthex_core::rules::resume::Resume;
use narthex_core::secret::Password;
use narthex_core::{EndReason, Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::details;
use crate::guard::family_mismatch;
use crate::problem::{Fault, Problem};
use crate::reply::Reply;
use crate::service::{wipe_session, without_ended_session};

use super::view::{
    ContactsView, FormView, Limits, Shell, humans_for_anybody, landing_url, page as render,
};

#[derive(Serialize)]
struct LogInView {
    shell: Shell,
    form: FormView,
    return_to: String,
    tag: String,
    shared_computer: bool,
    limits: Limits,
    humans: Vec<ContactsView>,
}

/// `GET /`
pub(crate) async fn home(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let Some(token) = ctx.presented() else {
        return Ok(Reply::see_other(&ctx.link("/login")));
    };
    let session = ctx.portal().verify_session(&token).await?;
    let profile = ctx.portal().profile(&session).await?;
    let mut url = landing_url(ctx, profile.default_organization.as_ref());
    if let Some(word) = ctx
        .query_value("notice")
        .filter(|w| ctx.t.notice(w).is_some())
    {
        url = format!("{url}?notice={word}");
    }
    Ok(Reply::see_other(&url))
}

/// `GET /login`
pub(crate) async fn page(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut why = ctx
        .query_value("reason")
        .and_then(|code| EndReason::from_code(&code));
    let mut ended = None;
    if let Some(token) = ctx.presented() {
        match ctx.portal().verify_session(&token).await {
            Ok(session) => {
                let profile = ctx.portal().profile(&session).await?;
                return Ok(Reply::see_other(&resume_url(ctx, &profile)?));
            }
            Err(Error::Refused(Refusal::SessionEnded { reason, .. })) => {
                why = Some(reason);
                ended = Some(reason);
            }
            // Token replaced: the cookie may be the new one by now. Not logged in: worth nothing.
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut form = FormView::new(ctx, &[], &["login_id", "password"]);
    if let Some(number) = &ctx.pre.prefill {
        form.set("login_id", number);
    }
    let reply = show(ctx, StatusCode::OK, form, why).await?;
    Ok(match ended {
        Some(reason) => without_ended_session(ctx, reply, reason),
        None => reply,
    })
}

async fn show(
    ctx: &Ctx<'_>,
    status: StatusCode,
    form: FormView,
    why: Option<EndReason>,
) -> Result<Reply, Fault> {
    let (location, tag) = wanted(ctx);
    let mut shell = Shell::new(ctx, "login", ctx.t.login_title)?;
    if let Some(why) = why {
        shell.say(ctx.t.end_reason(why));
    }
    if !form.is_good() {
        shell.mark_error();
    }
    let organization = location.as_ref().and_then(ResumeLocation::organization);
    shell.at(ctx, organization);
    let view = LogInView {
        shell,
        form,
        return_to: location
            .as_ref()
            .map_or("", ResumeLocation::as_str)
            .to_owned(),
        tag: tag.unwrap_or_default(),
        shared_computer: ctx.form.is_ticked("shared_computer"),
        limits: Limits::new(ctx),
        humans: humans_for_anybody(ctx, organization).await?,
    };
    render(ctx, status, "login.html", &view)
}

/// Where one wants to go back to, from the form or from the query (`next` is what Django says).
fn wanted(ctx: &Ctx<'_>) -> (Option<ResumeLocation>, Option<String>) {
    let (text, tag) = if ctx.route.is_unsafe() {
        (
            Some(ctx.form.get("return_to").to_owned()),
            Some(ctx.form.get("for").to_owned()),
        )
    } else {
        let text = ctx
            .query_value("return_to")
            .or_else(|| ctx.query_value("next"));
        (text, ctx.query_value("for"))
    };
    let location = text.and_then(|text| ctx.parse_location(&text));
    let tag = tag.filter(|tag| !tag.is_empty() && tag.len() <= 128);
    (location, tag)
}

fn resume_url(ctx: &Ctx<'_>, profile: &Profile) -> Result<String, Fault> {
    let (location, tag) = wanted(ctx);
    let (organization, notice) = match ctx.portal().resume(profile, location, tag.as_deref())? {
        Resume::Location(location) => return Ok(ctx.place(&location)),
        Resume::LandingPage(organization) => (organization, ""),
        Resume::MembershipLost(organization) => (organization, "?notice=membership_lost"),
    };
    Ok(format!(
        "{}{notice}",
        landing_url(ctx, organization.as_ref())
    ))
}

/// `POST /login`
pub(crate) async fn log_in(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut form = FormView::new(ctx, &["login_id"], &["password"]);
    if ctx.stale_form {
        form.refuse(ctx.t.form_token);
        return show(ctx, StatusCode::FORBIDDEN, form, None).await;
    }
    let typed = ctx.form.get("login_id");
    let login_id = LoginId::parse(typed);
    let password = Password::parse(ctx.form.get("password"));
    if typed.trim().is_empty() {
        form.wrong("login_id", ctx.t.login_missing_id);
    } else if let Err(error) = &login_id {
        form.wrong("login_id", ctx.t.invalid(error.0));
    }
    if ctx.form.get("password").is_empty() {
        form.wrong("password", ctx.t.login_missing_password);
    } else if let Err(error) = &password {
        form.wrong("password", ctx.t.invalid(error.0));
    }
    let (Ok(login_id), Ok(password)) = (login_id, password) else {
        return show(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, None).await;
    };
    let request = LogIn {
        login_id,
        password,
        shared_computer: ctx.form.is_ticked("shared_computer"),
        presented: ctx.presented(),
    };
    match ctx.portal().log_in(request, &ctx.asker).await {
        Ok(logged_in) => {
            let reply = Reply::see_other(&resume_url(ctx, &logged_in.profile)?);
            let reply = with_session(ctx, reply, &logged_in);
            let language = logged_in.profile.details.language.as_deref();
            Ok(details::after_log_in(ctx, reply, language))
        }
        Err(error) => {
            let problem = Problem::from(&error);
            let text = match &error {
                Error::Refused(Refusal::LoginFailed) => ctx.t.login_failed,
                Error::Refused(Refusal::Throttled { .. }) => ctx.t.throttled,
                Error::Busy { .. } => ctx.t.busy,
                _ => return Err(error.into()),
            };
            form.refuse(text);
            let reply = show(ctx, problem.status, form, None).await?;
            Ok(reply.problem_headers(&problem))
        }
    }
}

/// Hands the browser its new token. The number that was filled in has done its work.
pub(crate) fn with_session(ctx: &Ctx<'_>, reply: Reply, logged_in: &LoggedIn) -> Reply {
    let cookies = &ctx.shared.cookies;
    let mut reply = reply.cookie(cookies.set(CookieKind::Session, &logged_in.token.expose()));
    if let Some(known) = &logged_in.known_browser {
        let lifetime = ctx.portal().policy().attempts.known_browser_lifetime;
        reply = reply.cookie(cookies.set_for(CookieKind::Known, &known.expose(), lifetime));
    }
    if ctx.pre.prefill.is_some() {
        return reply.cookie(cookies.set(CookieKind::Pre, &ctx.pre.nonce));
    }
    reply
}

/// `POST /logout`
pub(crate) async fn log_out(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    if let Some(token) = ctx.presented() {
        if ctx.portal().family_tag(token.selector())? != ctx.form.get("family") {
            return Err(family_mismatch().into());
        }
        match ctx.portal().log_out(&token, &ctx.asker).await {
            Ok(()) | Err(Error::Refused(Refusal::NotLoggedIn | Refusal::SessionEnded { .. })) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let reply = Reply::see_other(&ctx.link("/login?notice=logged_out"));
    Ok(wipe_session(ctx, reply))
}
