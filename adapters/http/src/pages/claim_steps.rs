//! Claim, second and third page: a password, then security questions (S4-S6).

use http::StatusCode;
use narthex_core::model::TicketStep;
use narthex_core::portal::ClaimTicket;
use narthex_core::rules::question::{
    AnswerIssue, AnswerProblem, BANK, SecurityAnswers, SecurityQuestion,
};
use narthex_core::secret::{Password, TicketId};
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::problem::{Fault, Problem, answer_issues, password_issues};
use crate::reply::Reply;
use crate::ticket_cookie::TicketCookie;

use super::claim::Progress;
use super::new_password::NewPasswordView;
use super::view::{ContactsView, FormView, Shell, humans_for_anybody, page};

#[derive(Serialize)]
struct Whose {
    claim: String,
    name: String,
    login_id: String,
    lasts: String,
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

#[derive(Serialize)]
pub(crate) struct Choice {
    id: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct QuestionsView {
    shell: Shell,
    form: FormView,
    progress: Progress,
    whose: Whose,
    slots: Vec<Slot>,
    bank: Vec<Choice>,
    humans: Vec<ContactsView>,
}

/// The fields of one question of a form.
#[derive(Serialize)]
pub(crate) struct Slot {
    number: usize,
    question: &'static str,
    answer: &'static str,
}

impl Slot {
    /// As many as the policy asks for.
    pub(crate) fn all(ctx: &Ctx<'_>) -> Vec<Self> {
        let slot = |(i, (question, answer))| Self {
            number: i + 1,
            question,
            answer,
        };
        slots(ctx).enumerate().map(slot).collect()
    }
}

impl Choice {
    /// The whole bank.
    pub(crate) fn all(ctx: &Ctx<'_>) -> Vec<Self> {
        let choice = |question: &SecurityQuestion| Self {
            id: question.id,
            text: ctx.t.question(question),
        };
        BANK.iter().map(choice).collect()
    }
}

const SLOTS: [(&str, &str); 5] = [
    ("question_1", "answer_1"),
    ("question_2", "answer_2"),
    ("question_3", "answer_3"),
    ("question_4", "answer_4"),
    ("question_5", "answer_5"),
];

/// The claim a page or form is about: the form's own, else the one in the address, else the latest
/// of this browser. `Err`: the way on, where there is none.
async fn open_claim(ctx: &Ctx<'_>) -> Result<Result<(TicketCookie, ClaimTicket), Reply>, Fault> {
    let Some(cookie) = TicketCookie::read(ctx, CookieKind::Claim) else {
        return Ok(Err(Reply::see_other(
            &ctx.link("/claim?notice=claim_expired"),
        )));
    };
    let id = if ctx.route.is_unsafe() {
        TicketId::parse(ctx.form.get("claim"))
    } else {
        match ctx.query_value("claim") {
            Some(text) => TicketId::parse(&text),
            None => cookie.latest,
        }
    };
    let Some(id) = id else {
        return Ok(Err(Reply::see_other(
            &ctx.link("/claim?notice=claim_expired"),
        )));
    };
    match ctx.portal().claim_ticket(id, &cookie.browser).await {
        Ok(ticket) => Ok(Ok((cookie, ticket))),
        Err(error) => Ok(Err(way_on(ctx, error)?)),
    }
}

/// Where a claim that cannot go on leads.
fn way_on(ctx: &Ctx<'_>, error: Error) -> Result<Reply, Fault> {
    let to = match &error {
        Error::Refused(Refusal::AlreadyClaimed) => "/login?notice=already_claimed",
        Error::Refused(Refusal::ClaimExpired) => "/claim?notice=claim_expired",
        Error::Refused(Refusal::ClaimStepMissing) => "/claim/password",
        _ => return Err(error.into()),
    };
    Ok(Reply::see_other(&ctx.link(to)))
}

fn whose(ctx: &Ctx<'_>, ticket: &ClaimTicket) -> Whose {
    let left = ticket.expires_at().since(ctx.portal().now().latest);
    Whose {
        claim: ticket.id().expose(),
        name: format!("{} {}", ticket.given_name(), ticket.family_name()),
        login_id: ticket.login_id().to_owned(),
        lasts: ctx.t.span(left),
    }
}

/// `GET /claim/password`
pub(crate) async fn password_page(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    match open_claim(ctx).await? {
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
    ticket: &ClaimTicket,
) -> Result<Reply, Fault> {
    let mut shell = Shell::new(ctx, "claim-password", ctx.t.make_password_title)?;
    if !form.is_good() {
        shell.mark_error();
    }
    let url = format!("/claim/password?claim={}", ticket.id().expose());
    let view = PasswordView {
        shell,
        form,
        progress: Progress::at(ctx, 2),
        whose: whose(ctx, ticket),
        new_password: NewPasswordView::new(ctx, ticket.requirements(), &url).await?,
        humans: humans_for_anybody(ctx, Some(ticket.organization())).await?,
    };
    page(ctx, status, "claim_password.html", &view)
}

/// `POST /claim/password`
pub(crate) async fn password(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (cookie, ticket) = match open_claim(ctx).await? {
        Ok(open) => open,
        Err(reply) => return Ok(reply),
    };
    let mut form = FormView::new(ctx, &[], &["password"]);
    let typed = ctx.form.get("password");
    let password = match Password::parse(typed) {
        Ok(password) => password,
        Err(_) => {
            let text = if typed.is_empty() {
                ctx.t.password_missing
            } else {
                ctx.t.password_too_long
            };
            form.wrong("password", text);
            return show_password(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, &ticket).await;
        }
    };
    match ctx
        .portal()
        .set_claim_password(&ticket, &cookie.browser, password)
        .await
    {
        Ok(next) if ctx.portal().questions_required() == 0 => {
            finish(ctx, &cookie, &next, SecurityAnswers::new()).await?
        }
        Ok(next) => {
            let url = format!("/claim/questions?claim={}", next.id().expose());
            Ok(Reply::see_other(&ctx.link(&url)))
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

/// `GET /claim/questions`
pub(crate) async fn questions_page(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    match open_claim(ctx).await? {
        Ok((_, ticket)) if ticket.step() == TicketStep::Identified => {
            let url = format!("/claim/password?claim={}", ticket.id().expose());
            Ok(Reply::see_other(&ctx.link(&url)))
        }
        Ok((_, ticket)) => {
            let form = FormView::new(ctx, &[], &question_fields(ctx));
            show_questions(ctx, StatusCode::OK, form, &ticket).await
        }
        Err(reply) => Ok(reply),
    }
}

pub(crate) fn slots(ctx: &Ctx<'_>) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
    SLOTS.into_iter().take(ctx.portal().questions_required())
}

pub(crate) fn question_fields(ctx: &Ctx<'_>) -> Vec<&'static str> {
    slots(ctx)
        .flat_map(|(question, answer)| [question, answer])
        .collect()
}

async fn show_questions(
    ctx: &Ctx<'_>,
    status: StatusCode,
    form: FormView,
    ticket: &ClaimTicket,
) -> Result<Reply, Fault> {
    let mut shell = Shell::new(ctx, "claim-questions", ctx.t.questions_title)?;
    if !form.is_good() {
        shell.mark_error();
    }
    let view = QuestionsView {
        shell,
        form,
        progress: Progress::at(ctx, 3),
        whose: whose(ctx, ticket),
        slots: Slot::all(ctx),
        bank: Choice::all(ctx),
        humans: humans_for_anybody(ctx, Some(ticket.organization())).await?,
    };
    page(ctx, status, "claim_questions.html", &view)
}

/// `POST /claim/questions`
pub(crate) async fn questions(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (cookie, ticket) = match open_claim(ctx).await? {
        Ok(open) => open,
        Err(reply) => return Ok(reply),
    };
    // Answers are kept in the form that is shown again to who typed them: they are no passwords,
    // and one that was too short should not cost the others.
    let mut form = FormView::new(ctx, &question_fields(ctx), &[]);
    let mut answers = SecurityAnswers::new();
    for (question, answer) in slots(ctx) {
        let (question_id, answer_text) = (ctx.form.get(question), ctx.form.get(answer));
        if question_id.is_empty() {
            form.wrong(question, ctx.t.question_missing);
        }
        if answer_text.trim().is_empty() {
            form.wrong(answer, ctx.t.answer_missing);
        }
        answers = answers.with(question_id, answer_text);
    }
    if !form.is_good() {
        return show_questions(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, &ticket).await;
    }
    match finish(ctx, &cookie, &ticket, answers).await? {
        Ok(reply) => Ok(reply),
        Err(Fault::Engine(Error::Refused(Refusal::AnswersUnacceptable(issues)))) => {
            note_answer_issues(ctx, &mut form, &issues);
            show_questions(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, &ticket).await
        }
        Err(Fault::Engine(error @ Error::Busy { .. })) => {
            form.refuse(ctx.t.busy);
            let problem = Problem::from(&error);
            let reply = show_questions(ctx, problem.status, form, &ticket).await?;
            Ok(reply.problem_headers(&problem))
        }
        Err(fault) => Err(fault),
    }
}

/// Notes what is wrong with answers beside their fields.
pub(crate) fn note_answer_issues(ctx: &Ctx<'_>, form: &mut FormView, issues: &[AnswerIssue]) {
    let texts = answer_issues(issues);
    for (issue, text) in issues.iter().zip(texts) {
        let (question, answer) = SLOTS
            .get(issue.index)
            .copied()
            .unwrap_or(("question_1", "answer_1"));
        let field = match issue.problem {
            AnswerProblem::UnknownQuestion | AnswerProblem::RepeatedQuestion => question,
            _ => answer,
        };
        form.wrong(field, text.text.in_language(ctx.t));
    }
}

/// Finishes the claim: to the log-in, with the number filled in. What the form can say again comes
/// back as the inner error.
async fn finish(
    ctx: &Ctx<'_>,
    cookie: &TicketCookie,
    ticket: &ClaimTicket,
    answers: SecurityAnswers,
) -> Result<Result<Reply, Fault>, Fault> {
    let finished = ctx
        .portal()
        .finish_claim(ticket, &cookie.browser, answers, &ctx.asker)
        .await;
    match finished {
        Ok(claimed) => {
            let prefill = ctx
                .pre
                .with_prefill(ctx.portal(), claimed.login_id.as_str())?;
            let reply = Reply::see_other(&ctx.link("/login?notice=claimed"))
                .cookie(ctx.shared.cookies.set(CookieKind::Pre, &prefill));
            Ok(Ok(reply))
        }
        Err(error @ (Error::Refused(Refusal::AnswersUnacceptable(_)) | Error::Busy { .. })) => {
            Ok(Err(error.into()))
        }
        Err(Error::Refused(Refusal::ClaimStepMissing)) => {
            let url = format!("/claim/password?claim={}", ticket.id().expose());
            Ok(Ok(Reply::see_other(&ctx.link(&url))))
        }
        Err(error) => Ok(Ok(way_on(ctx, error)?)),
    }
}
