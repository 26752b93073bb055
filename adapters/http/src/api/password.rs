//! The stated requirements, and a new password.

use http::StatusCode;
use narthex_core::rules::password::PasswordRequirement;
use narthex_core::secret::Password;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::pages::new_password::suggestion;
use crate::problem::{Fault, Issue, Problem, password_issues};
use crate::reply::Reply;
use crate::texts::Texts;
use crate::ticket_cookie::TicketCookie;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RequirementDocument {
    code: &'static str,
    text: String,
}

pub(crate) fn requirement_list(
    t: &Texts,
    list: &[PasswordRequirement],
) -> Vec<RequirementDocument> {
    list.iter()
        .map(|requirement| RequirementDocument {
            code: requirement.code(),
            text: t.requirement(*requirement),
        })
        .collect()
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RequirementsDocument {
    requirements: Vec<RequirementDocument>,
    advice: &'static str,
    /// A few words by chance that meet the requirements: another one at every call.
    suggestion: Option<String>,
}

/// `GET /password/requirements`: of the person logged in, else of the claim under way.
pub(crate) async fn requirements(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let list = match (ctx.presented(), TicketCookie::read(ctx, CookieKind::Claim)) {
        (Some(token), _) => {
            let session = ctx.portal().verify_session(&token).await?;
            ctx.portal().password_requirements(&session).await?
        }
        (None, Some(cookie)) => {
            let latest = cookie.latest.ok_or(Refusal::NotLoggedIn)?;
            let ticket = ctx.portal().claim_ticket(latest, &cookie.browser).await?;
            ticket.requirements().to_vec()
        }
        (None, None) => return Err(Refusal::NotLoggedIn.into()),
    };
    let suggestion = suggestion(ctx, &list).await?;
    let document = RequirementsDocument {
        requirements: requirement_list(ctx.t, &list),
        advice: ctx.t.password_advice,
        suggestion,
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// A password member of the body.
pub(crate) fn read_password(ctx: &Ctx<'_>, name: &str) -> Result<Password, Fault> {
    Password::parse(ctx.json.text(name)?)
        .map_err(|error| Problem::invalid(vec![Issue::invalid(name, &error)]).into())
}

/// `POST /password`
pub(crate) async fn change(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (current, new) = (read_password(ctx, "current")?, read_password(ctx, "new")?);
    let session = &ctx.session()?.verified;
    match ctx
        .portal()
        .change_password(session, current, new, &ctx.asker)
        .await
    {
        Ok(changed) => super::session::renewed(ctx, &changed),
        Err(Error::Refused(refusal @ Refusal::PasswordUnacceptable(_))) => {
            let mut problem = Problem::from(&refusal);
            if let Refusal::PasswordUnacceptable(issues) = &refusal {
                problem.issues = password_issues("new", issues);
            }
            Err(problem.into())
        }
        Err(error) => Err(error.into()),
    }
}
