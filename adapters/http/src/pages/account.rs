//! Account details: what the school says, and what the person may choose (S7).

use http::StatusCode;
use narthex_core::model::{OrganizationId, Profile};
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::texts::EN;

use super::view::{ContactsView, FormView, Shell, humans_for_person, page};

#[derive(Serialize)]
struct AccountView {
    shell: Shell,
    form: FormView,
    humans: Vec<ContactsView>,
}

/// `GET /account`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = ctx.portal().profile(&ctx.session()?.verified).await?;
    let mut form = FormView::new(ctx, &[], &["default_organization"]);
    if let Some(organization) = &profile.default_organization {
        form.set("default_organization", organization.as_str());
    }
    render(ctx, StatusCode::OK, form, &profile).await
}

async fn render(
    ctx: &Ctx<'_>,
    status: StatusCode,
    form: FormView,
    profile: &Profile,
) -> Result<Reply, Fault> {
    let mut shell = Shell::for_person(ctx, "account", EN.account_title, profile, None).await?;
    if !form.is_good() {
        shell.mark_error();
    }
    let humans = humans_for_person(ctx, profile).await?;
    page(
        ctx,
        status,
        "account.html",
        &AccountView {
            shell,
            form,
            humans,
        },
    )
}

/// `POST /account`
pub(crate) async fn save(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let session = &ctx.session()?.verified;
    if let Ok(organization) = OrganizationId::parse(ctx.form.get("default_organization")) {
        let set = ctx
            .portal()
            .set_default_organization(session, &organization, &ctx.asker)
            .await;
        match set {
            Ok(()) => return Ok(Reply::see_other(&ctx.link("/account?notice=saved"))),
            Err(Error::Refused(Refusal::NotPermitted)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let profile = ctx.portal().profile(session).await?;
    let mut form = FormView::new(ctx, &["default_organization"], &[]);
    form.wrong("default_organization", EN.default_organization_wrong);
    render(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, &profile).await
}
