//! The three steps of a recovery, and the codes for it.

use http::StatusCode;
use narthex_core::Refusal;
use narthex_core::model::LoginId;
use narthex_core::portal::RecoveryTicket;
use narthex_core::rules::code::RecoveryCodeText;
use narthex_core::secret::TicketId;
use serde::Serialize;

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::pages::view::millis;
use crate::problem::{Fault, Issue, Problem};
use crate::reply::Reply;
use crate::ticket_cookie::{TicketCookie, remember};

use super::password::{RequirementDocument, read_password, requirement_list};
use super::questions::{Question, question_list, read_answers};

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RecoveryDocument {
    recovery: String,
    login_id: String,
    given_name: String,
    family_name: String,
    organization: String,
    expires_in_ms: u64,
    /// To be answered next; none: the way on is the new password.
    questions: Vec<Question>,
    requirements: Vec<RequirementDocument>,
}

/// `POST /recovery`
pub(crate) async fn begin(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let login_id = LoginId::parse(ctx.json.text("login_id")?);
    let code = RecoveryCodeText::parse(ctx.json.text("code")?);
    let mut issues = Vec::new();
    if let Err(error) = &login_id {
        issues.push(Issue::invalid("login_id", error));
    }
    if let Err(error) = &code {
        issues.push(Issue::invalid("code", error));
    }
    let (Ok(login_id), Ok(code)) = (login_id, code) else {
        return Err(Problem::invalid(issues).into());
    };
    let browser = TicketCookie::browser(ctx, CookieKind::Recovery)?;
    let ticket = ctx
        .portal()
        .begin_recovery(&login_id, &code, &browser, &ctx.asker)
        .await?;
    let left = ticket.expires_at().since(ctx.portal().now().latest);
    let document = RecoveryDocument {
        recovery: ticket.id().expose(),
        login_id: ticket.login_id().to_owned(),
        given_name: ticket.given_name().to_owned(),
        family_name: ticket.family_name().to_owned(),
        organization: ticket.organization().to_string(),
        expires_in_ms: millis(left),
        questions: question_list(ctx.t, ticket.questions().iter().copied()),
        requirements: requirement_list(ctx.t, ticket.requirements()),
    };
    let reply = Reply::json(StatusCode::CREATED, &document);
    let kind = CookieKind::Recovery;
    Ok(remember(ctx, reply, kind, &browser, ticket.id()))
}

/// The recovery the body names, else the latest of this browser.
async fn open(ctx: &Ctx<'_>) -> Result<(TicketCookie, RecoveryTicket), Fault> {
    let cookie = TicketCookie::read(ctx, CookieKind::Recovery).ok_or(Refusal::RecoveryExpired)?;
    let id = match ctx.json.optional_text("recovery")? {
        Some(text) => TicketId::parse(text).ok_or(Refusal::RecoveryExpired)?,
        None => cookie.latest.ok_or(Refusal::RecoveryExpired)?,
    };
    let ticket = ctx.portal().recovery_ticket(id, &cookie.browser).await?;
    Ok((cookie, ticket))
}

/// `POST /recovery/questions`
pub(crate) async fn questions(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let answers = read_answers(ctx)?;
    let (cookie, ticket) = open(ctx).await?;
    ctx.portal()
        .answer_recovery_questions(&ticket, &cookie.browser, &answers, &ctx.asker)
        .await?;
    Ok(Reply::nothing())
}

/// `POST /recovery/password`: the last step.
pub(crate) async fn password(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let password = read_password(ctx, "password")?;
    let (cookie, ticket) = open(ctx).await?;
    ctx.portal()
        .finish_recovery(&ticket, &cookie.browser, password, &ctx.asker)
        .await?;
    Ok(Reply::nothing())
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CodesLeftDocument {
    /// How many saved codes the person still has.
    left: usize,
}

/// `GET /recovery-codes`
pub(crate) async fn codes_left(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let account = ctx.session()?.verified.account();
    let left = ctx.portal().recovery_codes_left(account).await?;
    Ok(Reply::json(StatusCode::OK, &CodesLeftDocument { left }))
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CodesDocument {
    /// Shown once: those made before are dead.
    codes: Vec<String>,
}

/// `POST /recovery-codes`
pub(crate) async fn make_codes(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let proof = ctx.portal().fresh(&ctx.session()?.verified)?;
    let codes = ctx
        .portal()
        .renew_recovery_codes(&proof, &ctx.asker)
        .await?;
    let codes = codes.iter().map(|code| code.expose().to_string()).collect();
    Ok(Reply::json(StatusCode::CREATED, &CodesDocument { codes }))
}
