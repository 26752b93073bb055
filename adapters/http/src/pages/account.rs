//! Account details: what the school says, and what the person says of themselves (S7, S17).

use http::StatusCode;
use narthex_core::model::{OrganizationId, Profile};
use narthex_core::rules::details::{DetailsChange, DetailsField, reaches_elsewhere};
use narthex_core::{Error, Refusal, VerifiedSession};
use serde::Serialize;

use crate::context::Ctx;
use crate::details;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::texts::LANGUAGES;

use super::proof;
use super::view::{ContactsView, FormView, Shell, humans_for_person, page};

#[derive(Serialize)]
struct LanguageChoice {
    code: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct AccountView {
    shell: Shell,
    form: FormView,
    /// Whether the form asks for the password.
    confirm: bool,
    /// As the school has it.
    name: String,
    languages: Vec<LanguageChoice>,
    humans: Vec<ContactsView>,
}

const FIELDS: [&str; 5] = [
    "preferred_name",
    "email",
    "phone",
    "language",
    "default_organization",
];

/// `GET /account`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = ctx.portal().profile(&ctx.session()?.verified).await?;
    let mut form = FormView::new(ctx, &[], &FIELDS);
    for field in DetailsField::ALL {
        let value = field.of(&profile.details).unwrap_or_default();
        form.set(field.code(), value);
    }
    if let Some(organization) = &profile.default_organization {
        form.set("default_organization", organization.as_str());
    }
    render(ctx, StatusCode::OK, form, &profile, false).await
}

async fn render(
    ctx: &Ctx<'_>,
    status: StatusCode,
    mut form: FormView,
    profile: &Profile,
    confirm: bool,
) -> Result<Reply, Fault> {
    form.add(proof::FIELD);
    let mut shell = Shell::for_person(ctx, "account", ctx.t.account_title, profile, None).await?;
    if !form.is_good() {
        shell.mark_error();
    }
    let languages = LANGUAGES.into_iter().map(|t| LanguageChoice {
        code: t.lang,
        name: t.language_name,
    });
    let view = AccountView {
        shell,
        form,
        confirm,
        name: format!("{} {}", profile.given_name, profile.family_name),
        languages: languages.collect(),
        humans: humans_for_person(ctx, profile).await?,
    };
    page(ctx, status, "account.html", &view)
}

/// `POST /account`
pub(crate) async fn save(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let session = &ctx.session()?.verified;
    let profile = ctx.portal().profile(session).await?;
    let mut form = FormView::new(ctx, &FIELDS, &[]);
    let change = read(ctx, &mut form);
    if !form.is_good() {
        return render(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, &profile, false).await;
    }
    let after = change.applied_to(profile.details.clone());
    if !reaches_elsewhere(&profile.details, &after) {
        return saved(ctx, session, &change, form, &profile).await;
    }
    match proof::prove(ctx, &mut form).await? {
        Ok(proven) => {
            let reply = saved(ctx, proven.session(), &change, form, &profile).await?;
            Ok(proven.hand_out(ctx, reply))
        }
        Err(refused) => {
            let reply = render(ctx, refused.status, form, &profile, true).await?;
            Ok(refused.headers(reply))
        }
    }
}

/// The change that the form asks for; what cannot be taken is noted beside its field.
fn read(ctx: &Ctx<'_>, form: &mut FormView) -> DetailsChange {
    let mut change = DetailsChange::default();
    for field in DetailsField::ALL {
        if let Some(typed) = ctx.form.sent(field.code())
            && let Err(error) = details::set(&mut change, field, typed)
        {
            form.wrong(field.code(), ctx.t.invalid(error.0));
        }
    }
    match OrganizationId::parse(ctx.form.get("default_organization")) {
        Ok(organization) => change.default_organization = Some(organization),
        Err(_) => form.wrong("default_organization", ctx.t.default_organization_wrong),
    }
    change
}

async fn saved(
    ctx: &Ctx<'_>,
    session: &VerifiedSession,
    change: &DetailsChange,
    mut form: FormView,
    before: &Profile,
) -> Result<Reply, Fault> {
    let changed = ctx.portal().change_details(session, change, &ctx.asker);
    match changed.await {
        Ok(()) => {
            let reply = Reply::see_other(&ctx.link("/account?notice=saved"));
            let after = change.applied_to(before.details.clone());
            if after.language == before.details.language {
                return Ok(reply);
            }
            Ok(details::in_language(ctx, reply, after.language.as_deref()))
        }
        Err(Error::Refused(Refusal::NotPermitted)) => {
            form.wrong("default_organization", ctx.t.default_organization_wrong);
            render(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, before, false).await
        }
        Err(error) => Err(error.into()),
    }
}
