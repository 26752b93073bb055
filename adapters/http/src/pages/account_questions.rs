//! Other security questions: all of them at once, with fresh proof (SE-13).

use http::StatusCode;
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::{Fault, Problem};
use crate::reply::Reply;

use super::claim_steps::{Choice, Slot, note_answer_issues, question_fields, slots};
use super::proof::{self, NotProven, Proof};
use super::view::{ContactsView, FormView, Shell, humans_for_person, page};

#[derive(Serialize)]
struct QuestionsView {
    shell: Shell,
    form: FormView,
    /// Whether the form asks for the password.
    confirm: bool,
    slots: Vec<Slot>,
    bank: Vec<Choice>,
    humans: Vec<ContactsView>,
}

/// `GET /account/questions`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut form = FormView::new(ctx, &[], &question_fields(ctx));
    let set = ctx.portal().questions_set(&ctx.session()?.verified).await?;
    for ((question, _), id) in slots(ctx).zip(&set) {
        form.set(question, id);
    }
    render(ctx, StatusCode::OK, form, proof::asks(ctx)?).await
}

async fn render(
    ctx: &Ctx<'_>,
    status: StatusCode,
    mut form: FormView,
    confirm: bool,
) -> Result<Reply, Fault> {
    form.add(proof::FIELD);
    let profile = ctx.portal().profile(&ctx.session()?.verified).await?;
    let title = ctx.t.questions_title;
    let mut shell = Shell::for_person(ctx, "questions", title, &profile, None).await?;
    if !form.is_good() {
        shell.mark_error();
    }
    let view = QuestionsView {
        shell,
        form,
        confirm,
        slots: Slot::all(ctx),
        bank: Choice::all(ctx),
        humans: humans_for_person(ctx, &profile).await?,
    };
    page(ctx, status, "account_questions.html", &view)
}

/// `POST /account/questions`
pub(crate) async fn save(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    if ctx.portal().questions_required() == 0 {
        return Err(Refusal::NotPermitted.into());
    }
    // Answers are shown again to who typed them, as in a claim: one that was too short should not cost
    // the others.
    let mut form = FormView::new(ctx, &question_fields(ctx), &[]);
    let mut answers = SecurityAnswers::new();
    for (question, answer) in slots(ctx) {
        let (id, text) = (ctx.form.get(question), ctx.form.get(answer));
        if id.is_empty() {
            form.wrong(question, ctx.t.question_missing);
        }
        if text.trim().is_empty() {
            form.wrong(answer, ctx.t.answer_missing);
        }
        answers = answers.with(id, text);
    }
    if !form.is_good() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return render(ctx, status, form, proof::asks(ctx)?).await;
    }
    match proof::prove(ctx, &mut form).await? {
        Ok(proven) => {
            let reply = set(ctx, &proven, form, &answers).await?;
            Ok(proven.hand_out(ctx, reply))
        }
        Err(refused) => not_proven(ctx, refused, form).await,
    }
}

async fn not_proven(ctx: &Ctx<'_>, refused: NotProven, form: FormView) -> Result<Reply, Fault> {
    let reply = render(ctx, refused.status, form, true).await?;
    Ok(refused.headers(reply))
}

async fn set(
    ctx: &Ctx<'_>,
    proven: &Proof,
    mut form: FormView,
    answers: &SecurityAnswers,
) -> Result<Reply, Fault> {
    let fresh = proven.fresh(ctx)?;
    match ctx
        .portal()
        .set_questions(&fresh, answers, &ctx.asker)
        .await
    {
        Ok(()) => Ok(Reply::see_other(&ctx.link("/account?notice=saved"))),
        Err(Error::Refused(Refusal::AnswersUnacceptable(issues))) => {
            note_answer_issues(ctx, &mut form, &issues);
            render(ctx, StatusCode::UNPROCESSABLE_ENTITY, form, false).await
        }
        Err(error @ Error::Busy { .. }) => {
            form.refuse(ctx.t.busy);
            let problem = Problem::from(&error);
            let reply = render(ctx, problem.status, form, false).await?;
            Ok(reply.problem_headers(&problem))
        }
        Err(error) => Err(error.into()),
    }
}
