//! Account details.

use http::StatusCode;
use narthex_core::Refusal;
use narthex_core::model::OrganizationId;
use narthex_core::rules::details::{DetailsChange, DetailsField};
use serde::Serialize;

use crate::context::Ctx;
use crate::details;
use crate::problem::{Fault, Issue, Problem};
use crate::reply::Reply;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct MembershipDocument {
    organization: String,
    role: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AccountDocument {
    account: String,
    login_id: String,
    given_name: String,
    family_name: String,
    default_organization: Option<String>,
    preferred_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    language: Option<String>,
    memberships: Vec<MembershipDocument>,
}

/// `GET /account`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = ctx.portal().profile(&ctx.session()?.verified).await?;
    let memberships = profile.memberships.iter().map(|m| MembershipDocument {
        organization: m.organization.to_string(),
        role: m.role.code(),
    });
    let document = AccountDocument {
        account: profile.account.to_hex(),
        login_id: profile.login_id.clone(),
        given_name: profile.given_name.clone(),
        family_name: profile.family_name.clone(),
        default_organization: profile
            .default_organization
            .as_ref()
            .map(ToString::to_string),
        preferred_name: profile.details.preferred_name.clone(),
        email: profile.details.email.clone(),
        phone: profile.details.phone.clone(),
        language: profile.details.language.clone(),
        memberships: memberships.collect(),
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// `PATCH /account`: what is not named stays, what is an empty text is cleared.
pub(crate) async fn save(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut change = DetailsChange::default();
    let mut issues = Vec::new();
    for field in DetailsField::ALL {
        if let Some(typed) = ctx.json.optional_text(field.code())?
            && let Err(error) = details::set(&mut change, field, typed)
        {
            issues.push(Issue::invalid(field.code(), &error));
        }
    }
    if !issues.is_empty() {
        return Err(Problem::invalid(issues).into());
    }
    if let Some(id) = ctx.json.optional_text("default_organization")? {
        let organization = OrganizationId::parse(id).map_err(|_| Refusal::NotPermitted)?;
        change.default_organization = Some(organization);
    }
    let session = &ctx.session()?.verified;
    ctx.portal()
        .change_details(session, &change, &ctx.asker)
        .await?;
    let reply = show(ctx).await?;
    Ok(
        match ctx.json.optional_text(DetailsField::Language.code())? {
            Some(language) => details::in_language(ctx, reply, Some(language.trim())),
            None => reply,
        },
    )
}
