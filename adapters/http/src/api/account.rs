//! Account details.

use http::StatusCode;
use narthex_core::Refusal;
use narthex_core::model::OrganizationId;
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;

#[derive(Serialize)]
struct MembershipDocument {
    organization: String,
    role: &'static str,
}

#[derive(Serialize)]
struct AccountDocument {
    account: String,
    login_id: String,
    given_name: String,
    family_name: String,
    default_organization: Option<String>,
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
        memberships: memberships.collect(),
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// `PATCH /account`
pub(crate) async fn save(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let organization = OrganizationId::parse(ctx.json.text("default_organization")?)
        .map_err(|_| Refusal::NotPermitted)?;
    let session = &ctx.session()?.verified;
    ctx.portal()
        .set_default_organization(session, &organization, &ctx.asker)
        .await?;
    show(ctx).await
}
