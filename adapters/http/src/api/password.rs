//! The stated requirements, and a new password.

use http::StatusCode;
use narthex_core::rules::password::PasswordRequirement;
use narthex_core::secret::Password;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::claim_cookie::ClaimCookie;
use crate::context::Ctx;
use crate::problem::{Fault, Issue, Problem, password_issues};
use crate::reply::Reply;
use crate::texts::EN;

#[derive(Serialize)]
pub(crate) struct RequirementDocument {
    code: &'static str,
    text: String,
}

pub(crate) fn requirement_list(list: &[PasswordRequirement]) -> Vec<RequirementDocument> {
    list.iter()
        .map(|requirement| RequirementDocument {
            code: requirement.code(),
            text: requirement.text(),
        })
        .collect()
}

#[derive(Serialize)]
struct RequirementsDocument {
    requirements: Vec<RequirementDocument>,
    advice: &'static str,
}

/// `GET /password/requirements`: of the person logged in, else of the claim under way.
pub(crate) async fn requirements(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let list = match (ctx.presented(), ClaimCookie::read(ctx)) {
        (Some(token), _) => {
            let session = ctx.portal().verify_session(&token).await?;
            ctx.portal().password_requirements(&session).await?
        }
        (None, Some(cookie)) => {
            let ticket = ctx
                .portal()
                .claim_ticket(cookie.latest, &cookie.browser)
                .await?;
            ticket.requirements().to_vec()
        }
        (None, None) => return Err(Refusal::NotLoggedIn.into()),
    };
    let document = RequirementsDocument {
        requirements: requirement_list(&list),
        advice: EN.password_advice,
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// A password member of the body.
pub(crate) fn read_password(ctx: &Ctx<'_>, name: &str) -> Result<Password, Fault> {
    Password::parse(ctx.json.text(name)?)
        .map_err(|error| Problem::invalid(vec![Issue::new(name, "invalid_value", error.0)]).into())
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
