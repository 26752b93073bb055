//! The person's organizations, and what they offer.

use http::StatusCode;
use narthex_core::portal::Count;
use serde::Serialize;

use crate::context::Ctx;
use crate::pages::landing::{app_view, entitled, member, roles_in};
use crate::pages::view::memberships;
use crate::problem::Fault;
use crate::reply::Reply;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OrganizationDocument {
    id: String,
    name: String,
    roles: Vec<&'static str>,
    default: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OrganizationsDocument {
    organizations: Vec<OrganizationDocument>,
}

/// `GET /organizations`
pub(crate) async fn list(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = ctx.portal().profile(&ctx.session()?.verified).await?;
    let names = ctx.organization_names().await?;
    let organizations =
        memberships(ctx.t, &profile)
            .into_iter()
            .map(|(id, _)| OrganizationDocument {
                id: id.to_string(),
                name: names.get(id).cloned().unwrap_or_else(|| id.to_string()),
                roles: roles_in(&profile, id)
                    .into_iter()
                    .map(|role| role.code())
                    .collect(),
                default: profile.default_organization.as_ref() == Some(id),
            });
    let document = OrganizationsDocument {
        organizations: organizations.collect(),
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// A count: exact, or "fewer than".
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum CountDocument {
    Exactly(u64),
    FewerThan { fewer_than: u64 },
}

impl From<Count> for CountDocument {
    fn from(count: Count) -> Self {
        match count {
            Count::Exactly(n) => Self::Exactly(n),
            Count::FewerThan(fewer_than) => Self::FewerThan { fewer_than },
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RoleDocument {
    role: &'static str,
    listed: CountDocument,
    claimed: CountDocument,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StatisticsDocument {
    organization: String,
    people: Vec<RoleDocument>,
    log_ins_today: CountDocument,
}

/// `GET /organizations/{organization}/statistics`
pub(crate) async fn statistics(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let organization = ctx.organization_id()?;
    let session = &ctx.session()?.verified;
    let statistics = ctx.portal().statistics(session, &organization).await?;
    let people = statistics.people.iter().map(|people| RoleDocument {
        role: people.role.code(),
        listed: people.listed.into(),
        claimed: people.claimed.into(),
    });
    let document = StatisticsDocument {
        organization: organization.to_string(),
        people: people.collect(),
        log_ins_today: statistics.log_ins_today.into(),
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AppDocument {
    id: String,
    name: String,
    sentence: String,
    url: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AppsDocument {
    apps: Vec<AppDocument>,
}

/// `GET /organizations/{organization}/apps`
pub(crate) async fn apps(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (profile, organization) = member(ctx).await?;
    let apps = entitled(ctx, &profile, &organization)
        .into_iter()
        .map(|app| {
            let view = app_view(ctx, &organization, app);
            AppDocument {
                id: view.id,
                name: view.name,
                sentence: view.sentence,
                url: view.href,
            }
        });
    Ok(Reply::json(
        StatusCode::OK,
        &AppsDocument {
            apps: apps.collect(),
        },
    ))
}
