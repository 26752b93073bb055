//! Log in, who am I, activity, log out.

use std::time::Duration;

use http::StatusCode;
use narthex_core::model::LoginId;
use narthex_core::portal::{LogIn, LoggedIn};
use narthex_core::rules::resume::Resume;
use narthex_core::secret::Password;
use narthex_core::{AccountId, Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::details;
use crate::pages::login::with_session;
use crate::pages::view::{landing_url, millis};
use crate::problem::{Fault, Issue, Problem};
use crate::reply::Reply;
use crate::service::wipe_session;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SessionDocument {
    account: String,
    family: String,
    inactivity_timeout_s: u64,
    expires_in_ms: u64,
    /// The tag of the location that was asked about.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LoggedInDocument {
    #[serde(flatten)]
    session: SessionDocument,
    login_id: String,
    organization: Option<String>,
    /// Where to go now, below the origin.
    resume: String,
    /// Proves that `resume` was this person's place: goes back as `for`, with it as `return_to`, at the
    /// next log-in. Places left later have tags of their own: `GET /session?return_to=`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// The organization that was asked for is no longer the person's.
    membership_lost: bool,
}

/// What a log-in and a password change say of the session they made.
fn document(ctx: &Ctx<'_>, logged_in: &LoggedIn) -> Result<SessionDocument, Fault> {
    let session = &logged_in.session;
    Ok(SessionDocument {
        account: session.account().to_hex(),
        family: ctx.portal().family_tag(session.selector())?,
        inactivity_timeout_s: session.inactivity_timeout().as_secs(),
        expires_in_ms: millis(session.expires_at().since(ctx.portal().now().latest)),
        tag: None,
    })
}

/// `POST /session`
pub(crate) async fn log_in(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let login_id = LoginId::parse(ctx.json.text("login_id")?);
    let password = Password::parse(ctx.json.text("password")?);
    let mut issues = Vec::new();
    if let Err(error) = &login_id {
        issues.push(Issue::invalid("login_id", error));
    }
    if let Err(error) = &password {
        issues.push(Issue::invalid("password", error));
    }
    let (Ok(login_id), Ok(password)) = (login_id, password) else {
        return Err(Problem::invalid(issues).into());
    };
    let location = ctx
        .json
        .optional_text("return_to")?
        .and_then(|text| ctx.parse_location(text));
    let request = LogIn {
        login_id,
        password,
        shared_computer: ctx.json.flag("shared_computer")?,
        presented: ctx.presented(),
    };
    let tag = ctx.json.optional_text("for")?;
    let logged_in = ctx.portal().log_in(request, &ctx.asker).await?;
    let profile = &logged_in.profile;
    let (resume, membership_lost) = match ctx.portal().resume(profile, location, tag)? {
        Resume::Location(location) => (ctx.place(&location), false),
        Resume::LandingPage(organization) => (landing_url(ctx, organization.as_ref()), false),
        Resume::MembershipLost(organization) => (landing_url(ctx, organization.as_ref()), true),
    };
    let document = LoggedInDocument {
        session: document(ctx, &logged_in)?,
        login_id: profile.login_id.clone(),
        organization: profile
            .default_organization
            .as_ref()
            .map(ToString::to_string),
        tag: tag_of(ctx, profile.account, &resume)?,
        resume,
        membership_lost,
    };
    let reply = Reply::json(StatusCode::CREATED, &document);
    let reply = with_session(ctx, reply, &logged_in);
    let language = profile.details.language.as_deref();
    Ok(details::after_log_in(ctx, reply, language))
}

/// `GET /session`: the warm path; says how long is left, and is no activity.
pub(crate) fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let session = ctx.session()?;
    let document = SessionDocument {
        account: session.verified.account().to_hex(),
        family: session.family.clone(),
        inactivity_timeout_s: session.verified.inactivity_timeout().as_secs(),
        expires_in_ms: millis(session.expires_in),
        tag: match ctx.query_value("return_to") {
            Some(location) => tag_of(ctx, session.verified.account(), &location)?,
            None => None,
        },
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// The tag that leads this person, and nobody else, back to a location of ours.
fn tag_of(ctx: &Ctx<'_>, account: AccountId, location: &str) -> Result<Option<String>, Fault> {
    let location = ctx.base().strip(location).unwrap_or(location);
    match ctx.parse_location(location) {
        Some(location) => Ok(Some(ctx.portal().resume_tag(account, &location)?)),
        None => Ok(None),
    }
}

/// `POST /session/activity`: the person was active `idle_ms` ago, by the server's clock.
pub(crate) async fn activity(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let idle = Duration::from_millis(ctx.json.number("idle_ms")?);
    ctx.portal()
        .record_activity(&ctx.session()?.verified, idle)
        .await?;
    Ok(Reply::nothing())
}

/// `DELETE /session`: ended already is as good as ended.
pub(crate) async fn log_out(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let token = ctx.presented().ok_or(Refusal::NotLoggedIn)?;
    if let Some(said) = ctx.headers.get("narthex-family")
        && said.as_bytes() != ctx.portal().family_tag(token.selector())?.as_bytes()
    {
        return Err(crate::guard::family_mismatch().into());
    }
    match ctx.portal().log_out(&token, &ctx.asker).await {
        Ok(()) | Err(Error::Refused(Refusal::SessionEnded { .. })) => {
            Ok(wipe_session(ctx, Reply::nothing()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The answer of `POST /password`.
pub(crate) fn renewed(ctx: &Ctx<'_>, changed: &LoggedIn) -> Result<Reply, Fault> {
    let reply = Reply::json(StatusCode::OK, &document(ctx, changed)?);
    Ok(with_session(ctx, reply, changed))
}
