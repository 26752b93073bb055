//! Recovery, second and third page: the answers given before, then a new password.

use http::StatusCode;
use narthex_core::portal::RecoveryTicket;
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::secret::Password;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::problem::{Fault, Problem, password_issues};
use crate::reply::Reply;

use super::claim::Progress;
use super::new_password::NewPasswordView;
use super::recovery::{next_step, open, progress, way_on};
use super::view::{ContactsView, FormView, Shell, humans_for_anybody, page};

#[derive(Serialize)]
struct Whose {
    recovery: String,
    name: String,
    login_id: String,
    lasts: String,
}

#[derive(Serialize)]
struct Asked {
    field: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct QuestionsView {
    shell: Shell,
    form: FormView,
    progress: Progress,
    whose: Whose,
    asked: Vec<Asked>,
    humans: Vec<ContactsView>,
}

#[derive(Serialize)]
struct PasswordView {
    shell: Shell,
    form: FormView,
    progress: Progress,
    whose: Whose,
    new_password: NewPasswordView,
    humans: Vec<ContactsView>,
}

const FIELDS: [&str; SecurityAnswers::COUNT_MAX] =
    ["answer_1", "answer_2", "answer_3", "answer_4", "answer_5"];

fn whose(ctx: &Ctx<'_>, ticket: &RecoveryTicket) -> Whose {
    let left = ticket.expires_at().since(ctx.portal().now().latest);
    Whose {
        recovery: ticket.id().expose(),
        name: format!("{} {}", ticket.given_name(), ticket.family_name()),
        login_id: ticket.login_id().to_owned(),
        lasts: ctx.t.span(left),
    }
}

fn fields(ticket: &RecoveryTicket) -> Vec<&'static str> {
    FIELDS.into_iter().take(ticket.questions().len()).collect()
}

/// `GET /recover/questions`
pub(crate) async fn questions_page(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    match open(ctx).await? {
        Ok((_, ticket)) if ticket.questions().is_empty() => {
            Ok(Reply::see_other(&next_step(ctx, &ticket)))
        }
        Ok((_, ticket)) => {
            let form = FormView::new(ctx, &[], &fields(&ticket));
            show_questions(ctx, StatusCode::OK, form, &ticket).await
        }
        Err(reply) => Ok(reply),
    }
}

async fn show_questions(
    ctx: &Ctx<'_>,
    status: StatusCode,
    form: FormView,
    ticket: &RecoveryTicket,
) -> Result<Reply, Fault> {
    let mut shell = Shell::new(ctx, "recover-questions", ctx.t.recover_questions_title)?;
    if !form.is_good() {
        shell.mark_error();
    }
    let asked = FIELDS
        .into_iter()
        .zip(ticket.questions())
        .map(|(field, question)| Asked {
            field,
            text: ctx.t.question(question),
        });
    let view = QuestionsView {
        shell,
        form,
        progress: progress(ctx, true, false),
        whose: whose(ctx, ticket),
        asked: asked.collect(),
        humans: humans_for_anybody(ctx, Some(ticket.organization())).await?,
    };
    page(ctx, status, "recover_questions.html", &view)
}

/// `POST /recover/questions`
pub(crate) async fn questions(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (cookie, ticket) = match open(ctx).await? {
        Ok(open) => open,
        Err(reply) => return Ok(reply),
    };
    let mut form = FormView::new(ctx, &fields(&ticket), &[]);
    let mut answers = SecurityAnswers::new();
    for (field, question) in FIELDS.into_iter().zip(ticket.questions()) {
        if ctx.form.get(field).trim().is_empty() {
            form.wrong(field, ctx.t.answer_missing);
        }
        answers = answers.with(question.id, ctx.form.get(field));
    }
    if !form.is_good() {
        return show_questions(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, &ticket).await;
    }
    let (portal, browser) = (ctx.portal(), &cookie.browser);
    match portal
        .answer_recovery_questions(&ticket, browser, &answers, &ctx.asker)
        .await
    {
        Ok(next) => Ok(Reply::see_other(&next_step(ctx, &next))),
        Err(error) => {
            let problem = Problem::from(&error);
            form.refuse(match &error {
                Error::Refused(Refusal::AnswersNotMatched) => ctx.t.answers_not_matched,
                Error::Refused(Refusal::Throttled { .. }) => ctx.t.throttled,
                Error::Busy { .. } => ctx.t.busy,
                _ => return way_on(ctx, error),
            });
            let reply = show_questions(ctx, problem.status, form, &ticket).await?;
            Ok(reply.problem_headers(&problem))
        }
    }
}

/// `GET /recover/password`
pub(crate) async fn password_page(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    match open(ctx).await? {
        Ok((_, ticket)) if !ticket.questions().is_empty() => {
            Ok(Reply::see_other(&next_step(ctx, &ticket)))
        }
        Ok((_, ticket)) => {
            let form = FormView::new(ctx, &[], &["password"]);
            show_password(ctx, StatusCode::OK, form, &ticket).await
        }
        Err(reply) => Ok(reply),
    }
}

async fn show_password(
    ctx: &Ctx<'_>,
    status: StatusCode,
    form: FormView,
    ticket: &RecoveryTicket,
) -> Result<Reply, Fault> {
    let mut shell = Shell::new(ctx, "recover-password", ctx.t.make_password_title)?;
    if !form.is_good() {
        shell.mark_error();
    }
    let asked = ctx.portal().questions_required() > 0;
    let url = format!("/recover/password?recovery={}", ticket.id().expose());
    let view = PasswordView {
        shell,
        form,
        progress: progress(ctx, asked, true),
        whose: whose(ctx, ticket),
        new_password: NewPasswordView::new(ctx, ticket.requirements(), &url).await?,
        humans: humans_for_anybody(ctx, Some(ticket.organization())).await?,
    };
    page(ctx, status, "recover_password.html", &view)
}

/// `POST /recover/password`
pub(crate) async fn password(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (cookie, ticket) = match open(ctx).await? {
        Ok(open) => open,
        Err(reply) => return Ok(reply),
    };
    let mut form = FormView::new(ctx, &[], &["password"]);
    let typed = ctx.form.get("password");
    let Ok(password) = Password::parse(typed) else {
        let text = match typed.is_empty() {
            true => ctx.t.password_missing,
            false => ctx.t.password_too_long,
        };
        form.wrong("password", text);
        return show_password(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, &ticket).await;
    };
    match ctx
        .portal()
        .finish_recovery(&ticket, &cookie.browser, password, &ctx.asker)
        .await
    {
        Ok(recovered) => {
            let prefill = ctx.pre.with_prefill(ctx.portal(), &recovered.login_id)?;
            let reply = Reply::see_other(&ctx.link("/login?notice=recovered"));
            Ok(reply.cookie(ctx.shared.cookies.set(CookieKind::Pre, &prefill)))
        }
        Err(Error::Refused(Refusal::PasswordUnacceptable(issues))) => {
            form.wrong_all(ctx.t, "password", &password_issues("password", &issues));
            show_password(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, &ticket).await
        }
        Err(error @ Error::Busy { .. }) => {
            form.refuse(ctx.t.busy);
            let problem = Problem::from(&error);
            let reply = show_password(ctx, problem.status, form, &ticket).await?;
            Ok(reply.problem_headers(&problem))
        }
        Err(error) => way_on(ctx, error),
    }
}
