//! Recovery, first page: number and code; and where each step leads (RC-01 to RC-05).

use http::StatusCode;
use narthex_core::model::{InvalidInput, LoginId};
use narthex_core::portal::RecoveryTicket;
use narthex_core::rules::code::RecoveryCodeText;
use narthex_core::secret::TicketId;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::problem::{Fault, Problem};
use crate::reply::Reply;
use crate::ticket_cookie::{TicketCookie, remember};

use super::claim::Progress;
use super::view::{ContactsView, FormView, Shell, humans_for_anybody, page};

const FIELDS: [&str; 2] = ["login_id", "code"];

#[derive(Serialize)]
struct RecoverView {
    shell: Shell,
    form: FormView,
    progress: Progress,
    humans: Vec<ContactsView>,
}

/// Where one is in a recovery.
pub(crate) fn progress(ctx: &Ctx<'_>, questions: bool, last: bool) -> Progress {
    let mut names = vec![ctx.t.step_code];
    if questions {
        names.push(ctx.t.step_questions);
    }
    names.push(ctx.t.step_new_password);
    let step = match (last, questions) {
        (true, _) => names.len(),
        (false, _) => 2,
    };
    Progress::new(step, names)
}

/// `GET /recover`
pub(crate) async fn begin_page(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut form = FormView::new(ctx, &[], &FIELDS);
    if let Some(number) = &ctx.pre.prefill {
        form.set("login_id", number);
    }
    show(ctx, StatusCode::OK, form).await
}

async fn show(ctx: &Ctx<'_>, status: StatusCode, form: FormView) -> Result<Reply, Fault> {
    let mut shell = Shell::new(ctx, "recover", ctx.t.recover_title)?;
    if !form.is_good() {
        shell.mark_error();
    }
    let mut names = vec![ctx.t.step_code];
    if ctx.portal().questions_required() > 0 {
        names.push(ctx.t.step_questions);
    }
    names.push(ctx.t.step_new_password);
    let view = RecoverView {
        shell,
        form,
        progress: Progress::new(1, names),
        humans: humans_for_anybody(ctx, None).await?,
    };
    page(ctx, status, "recover.html", &view)
}

/// `POST /recover`
pub(crate) async fn begin(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    // The code is shown again to who typed it: it has to be compared with a paper, sign by sign.
    let mut form = FormView::new(ctx, &FIELDS, &[]);
    if ctx.stale_form {
        form.refuse(ctx.t.form_token);
        return show(ctx, StatusCode::FORBIDDEN, form).await;
    }
    let login_id = LoginId::parse(ctx.form.get("login_id"));
    let code = RecoveryCodeText::parse(ctx.form.get("code"));
    let mut wrong = |field, error: Option<&InvalidInput>| {
        if let Some(error) = error {
            form.wrong(field, ctx.t.invalid(error.0));
        }
    };
    wrong("login_id", login_id.as_ref().err());
    wrong("code", code.as_ref().err());
    let (Ok(login_id), Ok(code)) = (login_id, code) else {
        return show(ctx, StatusCode::UNPROCESSABLE_ENTITY, form).await;
    };
    let browser = TicketCookie::browser(ctx, CookieKind::Recovery)?;
    match ctx
        .portal()
        .begin_recovery(&login_id, &code, &browser, &ctx.asker)
        .await
    {
        Ok(ticket) => {
            let reply = Reply::see_other(&next_step(ctx, &ticket));
            let kind = CookieKind::Recovery;
            Ok(remember(ctx, reply, kind, &browser, ticket.id()))
        }
        Err(error) => {
            let problem = Problem::from(&error);
            form.refuse(match &error {
                Error::Refused(Refusal::RecoveryFailed) => ctx.t.recovery_failed,
                Error::Refused(Refusal::Throttled { .. }) => ctx.t.throttled,
                _ => return Err(error.into()),
            });
            let reply = show(ctx, problem.status, form).await?;
            Ok(reply.problem_headers(&problem))
        }
    }
}

/// The page of the step that comes next.
pub(crate) fn next_step(ctx: &Ctx<'_>, ticket: &RecoveryTicket) -> String {
    let step = match ticket.questions().is_empty() {
        true => "password",
        false => "questions",
    };
    ctx.link(&format!(
        "/recover/{step}?recovery={}",
        ticket.id().expose()
    ))
}

/// The recovery a page or form is about: the form's own, else the one in the address, else the latest
/// of this browser. `Err`: the way on, where there is none.
pub(crate) async fn open(
    ctx: &Ctx<'_>,
) -> Result<Result<(TicketCookie, RecoveryTicket), Reply>, Fault> {
    let expired = || Reply::see_other(&ctx.link("/recover?notice=recovery_expired"));
    let Some(cookie) = TicketCookie::read(ctx, CookieKind::Recovery) else {
        return Ok(Err(expired()));
    };
    let id = if ctx.route.is_unsafe() {
        TicketId::parse(ctx.form.get("recovery"))
    } else {
        match ctx.query_value("recovery") {
            Some(text) => TicketId::parse(&text),
            None => cookie.latest,
        }
    };
    let Some(id) = id else {
        return Ok(Err(expired()));
    };
    match ctx.portal().recovery_ticket(id, &cookie.browser).await {
        Ok(ticket) => Ok(Ok((cookie, ticket))),
        Err(error) => Ok(Err(way_on(ctx, error)?)),
    }
}

/// Where a recovery that cannot go on leads.
pub(crate) fn way_on(ctx: &Ctx<'_>, error: Error) -> Result<Reply, Fault> {
    let to = match &error {
        Error::Refused(Refusal::AlreadyRecovered) => "/login?notice=already_recovered",
        Error::Refused(Refusal::RecoveryExpired) => "/recover?notice=recovery_expired",
        Error::Refused(Refusal::RecoveryStepMissing) => "/recover/questions",
        _ => return Err(error.into()),
    };
    Ok(Reply::see_other(&ctx.link(to)))
}
