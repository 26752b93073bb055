//! The three steps of a claim.

use http::StatusCode;
use narthex_core::Refusal;
use narthex_core::portal::ClaimTicket;
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::secret::TicketId;
use serde::Serialize;

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::pages::view::millis;
use crate::problem::{Fault, Issue, Problem};
use crate::reply::Reply;
use crate::ticket_cookie::{TicketCookie, remember, remember_refused};

use super::password::{RequirementDocument, read_password, requirement_list};
use super::questions::read_answers;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ClaimDocument {
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
    let code = ctx.json.optional_text("claim_code")?.unwrap_or_default();
    // Who has a code may have no birthdate in the roster.
    let birthdate = match code {
        "" => ctx.json.text("birthdate")?,
        _ => ctx.json.optional_text("birthdate")?.unwrap_or_default(),
    };
    let evidence = ClaimEvidence::parse_with_code(
        ctx.json.text("given_name")?,
        ctx.json.text("family_name")?,
        birthdate,
        ctx.json.text("login_id")?,
        code,
    )
    .map_err(|issues| {
        let issue = |(field, error): (narthex_core::rules::claim::ClaimField, _)| {
            let error: narthex_core::model::InvalidInput = error;
            Issue::invalid(field.code(), &error)
        };
        Problem::invalid(issues.into_iter().map(issue).collect())
    })?;
    if evidence.code().is_none() && ctx.portal().claim_code_required() {
        let issue = Issue::plain("claim_code", "missing_field", |t| t.claim_code_missing);
        return Err(Problem::invalid(vec![issue]).into());
    }
    let browser = TicketCookie::browser(ctx, CookieKind::Claim)?;
    let begun = ctx
        .portal()
        .begin_claim(evidence, &browser, &ctx.asker)
        .await;
    let ticket = match begun {
        Ok(ticket) => ticket,
        Err(narthex_core::Error::Refused(refusal @ Refusal::ClaimNotMatched)) => {
            let reply = Reply::problem(&(&refusal).into(), ctx.t, ctx.request_id);
            return Ok(remember_refused(ctx, reply, &browser));
        }
        Err(error) => return Err(error.into()),
    };
    let left = ticket.expires_at().since(ctx.portal().now().latest);
    let document = ClaimDocument {
        claim: ticket.id().expose(),
        login_id: ticket.login_id().to_owned(),
        given_name: ticket.given_name().to_owned(),
        family_name: ticket.family_name().to_owned(),
        organization: ticket.organization().to_string(),
        expires_in_ms: millis(left),
        requirements: requirement_list(ctx.t, ticket.requirements()),
        questions_required: ctx.portal().questions_required(),
    };
    let reply = Reply::json(StatusCode::CREATED, &document);
    Ok(remember(
        ctx,
        reply,
        CookieKind::Claim,
        &browser,
        ticket.id(),
    ))
}

/// The claim the body names, else the latest of this browser.
async fn open_claim(ctx: &Ctx<'_>) -> Result<(TicketCookie, ClaimTicket), Fault> {
    let cookie = TicketCookie::read(ctx, CookieKind::Claim).ok_or(Refusal::ClaimExpired)?;
    let id = match ctx.json.optional_text("claim")? {
        Some(text) => TicketId::parse(text).ok_or(Refusal::ClaimExpired)?,
        None => cookie.latest.ok_or(Refusal::ClaimExpired)?,
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
    let answers = read_answers(ctx)?;
    let (cookie, ticket) = open_claim(ctx).await?;
    ctx.portal()
        .finish_claim(&ticket, &cookie.browser, answers, &ctx.asker)
        .await?;
    Ok(Reply::nothing())
}
