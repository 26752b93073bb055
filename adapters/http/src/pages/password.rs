//! Change password: current and new; this browser stays in (S7-S10).

use http::StatusCode;
use narthex_core::portal::LoggedIn;
use narthex_core::secret::Password;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::csrf::{Binding, token_is_right};
use crate::problem::{Fault, Problem, password_issues};
use crate::reply::Reply;
use crate::routes::Action;

use super::login::with_session;
use super::new_password::NewPasswordView;
use super::view::{ContactsView, FormView, Shell, humans_for_person, landing_url, page};

#[derive(Serialize)]
struct PasswordView {
    shell: Shell,
    form: FormView,
    new_password: NewPasswordView,
    humans: Vec<ContactsView>,
}

/// `GET /account/password`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    render(
        ctx,
        StatusCode::OK,
        FormView::new(ctx, &[], &["current", "new"]),
    )
    .await
}

async fn render(ctx: &Ctx<'_>, status: StatusCode, form: FormView) -> Result<Reply, Fault> {
    let session = &ctx.session()?.verified;
    let profile = ctx.portal().profile(session).await?;
    let title = ctx.t.change_password_title;
    let mut shell = Shell::for_person(ctx, "password", title, &profile, None).await?;
    if !form.is_good() {
        shell.mark_error();
    }
    let requirements = ctx.portal().password_requirements(session).await?;
    let view = PasswordView {
        shell,
        form,
        new_password: NewPasswordView::new(ctx, &requirements, "/account/password").await?,
        humans: humans_for_person(ctx, &profile).await?,
    };
    page(ctx, status, "password.html", &view)
}

/// `POST /account/password`
pub(crate) async fn save(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut form = FormView::new(ctx, &[], &["current", "new"]);
    let read = |name| match (ctx.form.get(name), Password::parse(ctx.form.get(name))) {
        ("", _) => Err(true),
        (_, Ok(password)) => Ok(password),
        (_, Err(_)) => Err(false),
    };
    let (current, new) = (read("current"), read("new"));
    if let Err(is_empty) = &current {
        form.wrong(
            "current",
            if *is_empty {
                ctx.t.current_password_missing
            } else {
                ctx.t.password_too_long
            },
        );
    }
    if let Err(is_empty) = &new {
        form.wrong(
            "new",
            if *is_empty {
                ctx.t.password_missing
            } else {
                ctx.t.password_too_long
            },
        );
    }
    let (Ok(current), Ok(new)) = (current, new) else {
        return render(ctx, StatusCode::UNPROCESSABLE_ENTITY, form).await;
    };
    let session = &ctx.session()?.verified;
    match ctx
        .portal()
        .change_password(session, current, new, &ctx.asker)
        .await
    {
        Ok(changed) => Ok(saved(ctx, &changed)),
        Err(Error::Refused(Refusal::PasswordUnacceptable(issues))) => {
            form.wrong_all(ctx.t, "new", &password_issues("new", &issues));
            render(ctx, StatusCode::UNPROCESSABLE_ENTITY, form).await
        }
        Err(error) => {
            let problem = Problem::from(&error);
            let text = match &error {
                Error::Refused(Refusal::LoginFailed) => ctx.t.current_password_wrong,
                Error::Refused(Refusal::Throttled { .. }) => ctx.t.throttled,
                Error::Busy { .. } => ctx.t.busy,
                _ => return Err(error.into()),
            };
            form.refuse(text);
            // 403 and not 401: the person is logged in, it is the field that is wrong.
            let status = match problem.status {
                StatusCode::UNAUTHORIZED => StatusCode::FORBIDDEN,
                status => status,
            };
            Ok(render(ctx, status, form).await?.problem_headers(&problem))
        }
    }
}

fn saved(ctx: &Ctx<'_>, changed: &LoggedIn) -> Reply {
    let landing = landing_url(ctx, changed.profile.default_organization.as_ref());
    let reply = Reply::see_other(&format!("{landing}?notice=password_changed"));
    with_session(ctx, reply, changed)
}

/// A second click on Save, without a script: the first was taken and its answer, with the new cookie,
/// was cancelled. The same form is right about the new password, so it gets the answer again.
pub(crate) async fn saved_already(ctx: &Ctx<'_>, fault: &Fault) -> Option<Reply> {
    let replaced = matches!(fault.refusal(), Some(Refusal::TokenReplaced));
    if !replaced || ctx.route.action != Action::PasswordSave {
        return None;
    }
    let lost = ctx.presented()?;
    let binding = Binding::Family(lost.selector());
    let of_this_family = token_is_right(ctx.portal(), binding, ctx.form.get("form_token"));
    if !of_this_family.unwrap_or(false) {
        return None;
    }
    let password = Password::parse(ctx.form.get("new")).ok()?;
    let renewed = ctx.portal().renew_lost_token(&lost, password, &ctx.asker);
    Some(saved(ctx, &renewed.await.ok()?))
}
