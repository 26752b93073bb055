//! The header on the host's own pages: the same as on ours, in a shadow tree of its own, so that
//! neither style reaches the other's page.

use http::StatusCode;
use narthex_core::model::{OrganizationId, Profile};
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::{Ctx, Site};
use crate::guard::live_session;
use crate::host::host_ctx;
use crate::problem::Fault;
use crate::reply::Reply;

use super::view::Shell;

#[derive(Serialize)]
struct HeaderView {
    shell: Shell,
    login_url: String,
}

/// `GET /header?location=/timetable/10001/week&lang=en`: the fragment, for the session of the request and the
/// page of the host at `location`. Who has no session gets a link to the log-in.
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut status = StatusCode::OK;
    let session = match live_session(ctx).await {
        Ok(session) => Some(session),
        Err(fault) => {
            match fault.refusal() {
                // Another tab is about to have the new token: the script asks again.
                Some(Refusal::TokenReplaced) => status = StatusCode::CONFLICT,
                Some(_) => {}
                None => return Err(fault),
            }
            None
        }
    };
    let location = ctx.query_value("location").unwrap_or_default();
    let at = (Site::HostPage, location.as_str());
    let page = host_ctx(ctx.shared, ctx.t, ctx.headers, at, session);
    let profile = profile_of(&page).await?;
    let html = fragment(&page, profile.as_ref()).await?;
    Ok(Reply::page(status, ctx.t, html))
}

/// Who the page of the host is for.
pub(crate) async fn profile_of(page: &Ctx<'_>) -> narthex_core::Result<Option<Profile>> {
    match &page.session {
        None => Ok(None),
        Some(session) => match page.portal().profile(&session.verified).await {
            Ok(profile) => Ok(Some(profile)),
            // It ended between the check and here.
            Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        },
    }
}

/// The header of a page of the host, and the script that looks after it.
pub(crate) async fn fragment(page: &Ctx<'_>, profile: Option<&Profile>) -> Result<String, Fault> {
    let location = page.location();
    let shell = match profile {
        None => Shell::bare(page.shared, page.t, "host", ""),
        Some(profile) => {
            let organization = organization_of(page, profile);
            Shell::for_person(page, "host", "", profile, organization.as_ref()).await?
        }
    };
    let account = profile.map(|profile| profile.account);
    let view = HeaderView {
        shell,
        login_url: page.login_url(account, location.as_ref(), None)?,
    };
    Ok(page
        .shared
        .renderer
        .render(page.t, "host_header.html", &view)?)
}

/// The organization a page of the host is of: the one its location names, if the person belongs to
/// it; else the person's default.
pub(crate) fn organization_of(page: &Ctx<'_>, profile: &Profile) -> Option<OrganizationId> {
    let named = page
        .location()
        .and_then(|location| location.organization().cloned());
    match named {
        Some(organization) => Some(organization).filter(|id| profile.is_member(id)),
        None => profile.default_organization.clone(),
    }
}
