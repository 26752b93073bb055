//! Security questions: the bank, which ones the person has, and other ones.

use http::StatusCode;
use narthex_core::Error;
use narthex_core::rules::question::{BANK, SecurityAnswers, SecurityQuestion};
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::texts::Texts;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Question {
    id: &'static str,
    text: &'static str,
}

pub(crate) fn question_list(
    t: &Texts,
    questions: impl Iterator<Item = &'static SecurityQuestion>,
) -> Vec<Question> {
    let document = |question: &'static SecurityQuestion| Question {
        id: question.id,
        text: t.question(question),
    };
    questions.map(document).collect()
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BankDocument {
    bank: Vec<Question>,
    required: usize,
    /// Of who is logged in: which questions they have answered. Never the answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<Vec<String>>,
}

/// `GET /questions`
pub(crate) async fn bank(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let set = match ctx.presented() {
        Some(token) => match ctx.portal().verify_session(&token).await {
            Ok(session) => Some(ctx.portal().questions_set(&session).await?),
            // Readable for who claims in a browser whose session has ended, too.
            Err(Error::Refused(_)) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    let document = BankDocument {
        bank: question_list(ctx.t, BANK.iter()),
        required: ctx.portal().questions_required(),
        set,
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

/// The answers of a body.
pub(crate) fn read_answers(ctx: &Ctx<'_>) -> Result<SecurityAnswers, Fault> {
    let mut answers = SecurityAnswers::new();
    for item in ctx.json.objects("answers")? {
        item.only(&["question", "answer"])?;
        answers = answers.with(item.text("question")?, item.text("answer")?);
    }
    Ok(answers)
}

/// `PUT /questions`: replaces all of them.
pub(crate) async fn save(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let answers = read_answers(ctx)?;
    let proof = ctx.portal().fresh(&ctx.session()?.verified)?;
    ctx.portal()
        .set_questions(&proof, &answers, &ctx.asker)
        .await?;
    Ok(Reply::nothing())
}
