//! The three steps of a claim.

use http::StatusCode;
use narthex_core::Refusal;
use narthex_core::portal::ClaimTicket;
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::rules::question::{BANK, SecurityAnswers};
use narthex_core::secret::TicketId;
use serde::Serialize;

use crate::claim_cookie::{ClaimCookie, remember};
use crate::context::Ctx;
use crate::pages::view::millis;
use crate::problem::{Fault, Issue, Problem};
use crate::reply::Reply;

use super::password::{RequirementDocument, read_password, requirement_list};

#[derive(Serialize)]
struct ClaimDocument {
    claim: String,
    login_id: String,
    given_name: String,
    family_name: String,
    organization: String,
    expires_in_ms: u64,
    requirements: Vec<RequirementDocument>,
    questions_required: usize,
}

/// `POST /claim`
pub(crate) async fn begin(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let evidence = ClaimEvidence::parse(
        ctx.json.text("given_name")?,
        ctx.json.text("family_name")?,
        ctx.json.text("birthdate")?,
        ctx.json.text("login_id")?,
    )
    .map_err(|issues| {
        let issue = |(field, error): (narthex_core::rules::claim::ClaimField, _)| {
            let error: narthex_core::model::InvalidInput = error;
            Issue::new(field.code(), "invalid_value", error.0)
        };
        Problem::invalid(issues.into_iter().map(issue).collect())
    })?;
    let browser = ClaimCookie::browser(ctx)?;
    let ticket = ctx
        .portal()
        .begin_claim(evidence, &browser, &ctx.asker)
        .await?;
    let left = ticket.expires_at().since(ctx.portal().now().latest);
    let document = ClaimDocument {
        claim: ticket.id().expose(),
        login_id: ticket.login_id().to_owned(),
        given_name: ticket.given_name().to_owned(),
        family_name: ticket.family_name().to_owned(),
        organization: ticket.organization().to_string(),
        expires_in_ms: millis(left),
        requirements: requirement_list(ticket.requirements()),
        questions_required: ctx.portal().questions_required(),
    };
    let reply = Reply::json(StatusCode::CREATED, &document);
    Ok(remember(ctx, reply, &browser, ticket.id()))
}

/// The claim the body names, else the latest of this browser.
async fn open_claim(ctx: &Ctx<'_>) -> Result<(ClaimCookie, ClaimTicket), Fault> {
    let cookie = ClaimCookie::read(ctx).ok_or(Refusal::ClaimExpired)?;
    let id = match ctx.json.optional_text("claim")? {
        Some(text) => TicketId::parse(text).ok_or(Refusal::ClaimExpired)?,
        None => cookie.latest,
    };
    let ticket = ctx.portal().claim_ticket(id, &cookie.browser).await?;
    Ok((cookie, ticket))
}

/// `POST /claim/password`
pub(crate) async fn password(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let password = read_password(ctx, "password")?;
    let (cookie, ticket) = open_claim(ctx).await?;
    ctx.portal()
        .set_claim_password(&ticket, &cookie.browser, password)
        .await?;
    Ok(Reply::nothing())
}

/// `POST /claim/questions`: the last step.
pub(crate) async fn questions(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut answers = SecurityAnswers::new();
    for item in ctx.json.objects("answers")? {
        item.only(&["question", "answer"])?;
        answers = answers.with(item.text("question")?, item.text("answer")?);
    }
    let (cookie, ticket) = open_claim(ctx).await?;
    ctx.portal()
        .finish_claim(&ticket, &cookie.browser, answers, &ctx.asker)
        .await?;
    Ok(Reply::nothing())
}

#[derive(Serialize)]
struct Question {
    id: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct BankDocument {
    bank: Vec<Question>,
    required: usize,
}

/// `GET /questions`
pub(crate) fn bank(ctx: &Ctx<'_>) -> Reply {
    let document = BankDocument {
        bank: BANK
            .iter()
            .map(|q| Question {
                id: q.id,
                text: q.text,
            })
            .collect(),
        required: ctx.portal().questions_required(),
    };
    Reply::json(StatusCode::OK, &document)
}
