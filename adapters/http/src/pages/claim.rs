//! Claim, first page: who you are; and the way back from somebody else's claim (S2, S3).

use http::StatusCode;
use narthex_core::model::OrganizationId;
use narthex_core::rules::claim::{ClaimEvidence, ClaimField};
use narthex_core::secret::TicketId;
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::problem::{Fault, Problem};
use crate::reply::Reply;
use crate::texts::Texts;
use crate::ticket_cookie::{TicketCookie, remember, remember_refused};

use super::view::{ContactsView, FormView, Shell, humans_for_anybody, page};

const FIELDS: [&str; 7] = [
    "given_name",
    "family_name",
    "birth_month",
    "birth_day",
    "birth_year",
    "login_id",
    "claim_code",
];

/// Where one is: "Step 1 of 3".
#[derive(Serialize)]
pub(crate) struct Progress {
    step: usize,
    steps: usize,
    names: Vec<&'static str>,
}

impl Progress {
    pub(crate) fn new(step: usize, names: Vec<&'static str>) -> Self {
        Self {
            step,
            steps: names.len(),
            names,
        }
    }

    pub(crate) fn at(ctx: &Ctx<'_>, step: usize) -> Self {
        let mut names = vec![ctx.t.step_who, ctx.t.step_password];
        if ctx.portal().questions_required() > 0 {
            names.push(ctx.t.step_questions);
        }
        Self::new(step, names)
    }
}

#[derive(Serialize)]
struct ClaimView {
    shell: Shell,
    form: FormView,
    progress: Progress,
    code_required: bool,
    humans: Vec<ContactsView>,
}

/// `GET /claim`
pub(crate) async fn begin_page(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    show(ctx, StatusCode::OK, FormView::new(ctx, &[], &FIELDS)).await
}

async fn show(ctx: &Ctx<'_>, status: StatusCode, form: FormView) -> Result<Reply, Fault> {
    let mut shell = Shell::new(ctx, "claim", ctx.t.claim_title)?;
    if !form.is_good() {
        shell.mark_error();
    }
    let named = ctx.query_value("organization");
    let organization = named.and_then(|id| OrganizationId::parse(&id).ok());
    shell.at(ctx, organization.as_ref());
    let view = ClaimView {
        shell,
        form,
        progress: Progress::at(ctx, 1),
        code_required: ctx.portal().claim_code_required(),
        humans: humans_for_anybody(ctx, organization.as_ref()).await?,
    };
    page(ctx, status, "claim.html", &view)
}

/// `POST /claim`
pub(crate) async fn begin(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut form = FormView::new(ctx, &FIELDS, &[]);
    if ctx.stale_form {
        form.refuse(ctx.t.form_token);
        return show(ctx, StatusCode::FORBIDDEN, form).await;
    }
    let evidence = read_evidence(ctx, &mut form);
    let (Some(evidence), true) = (evidence, form.is_good()) else {
        return show(ctx, StatusCode::UNPROCESSABLE_ENTITY, form).await;
    };
    let browser = TicketCookie::browser(ctx, CookieKind::Claim)?;
    match ctx
        .portal()
        .begin_claim(evidence, &browser, &ctx.asker)
        .await
    {
        Ok(ticket) => {
            let url = ctx.link(&format!("/claim/password?claim={}", ticket.id().expose()));
            Ok(remember(
                ctx,
                Reply::see_other(&url),
                CookieKind::Claim,
                &browser,
                ticket.id(),
            ))
        }
        Err(error) => {
            let problem = Problem::from(&error);
            let text = match &error {
                Error::Refused(Refusal::ClaimNotMatched) => ctx.t.claim_not_matched,
                Error::Refused(Refusal::Throttled { .. }) => ctx.t.throttled,
                Error::Busy { .. } => ctx.t.busy,
                _ => return Err(error.into()),
            };
            form.refuse(text);
            let reply = show(ctx, problem.status, form).await?;
            let reply = reply.problem_headers(&problem);
            Ok(match &error {
                Error::Refused(Refusal::ClaimNotMatched) => remember_refused(ctx, reply, &browser),
                _ => reply,
            })
        }
    }
}

/// The facts and the code; what cannot be understood is noted beside its field. Says nothing about
/// any roster.
fn read_evidence(ctx: &Ctx<'_>, form: &mut FormView) -> Option<ClaimEvidence> {
    let code = ctx.form.get("claim_code");
    if code.trim().is_empty() && ctx.portal().claim_code_required() {
        form.wrong("claim_code", ctx.t.claim_code_missing);
    }
    typed_evidence(ctx, form)
}

/// The facts as typed, with a code or without; else `form` says what is wrong with them.
pub(super) fn typed_evidence(ctx: &Ctx<'_>, form: &mut FormView) -> Option<ClaimEvidence> {
    let code = ctx.form.get("claim_code");
    let parts = ["birth_month", "birth_day", "birth_year"].map(|part| ctx.form.get(part));
    let has_code = !code.trim().is_empty();
    // Who has a code may have no birthdate in the roster.
    let birthdate = match parts.map(str::trim) {
        ["", "", ""] if has_code => Ok(String::new()),
        [month, day, year] => birthdate(ctx.t, month, day, year),
    };
    // A date that is no date is told below; the code must not hide it.
    let date = match &birthdate {
        Ok(date) => date.as_str(),
        Err(_) => "?",
    };
    let evidence = ClaimEvidence::parse_with_code(
        ctx.form.get("given_name"),
        ctx.form.get("family_name"),
        date,
        ctx.form.get("login_id"),
        code,
    );
    let issues = match evidence {
        Ok(evidence) => return Some(evidence),
        Err(issues) => issues,
    };
    for (field, problem) in issues {
        match (field, &birthdate) {
            (ClaimField::GivenName, _) => form.wrong("given_name", ctx.t.invalid(problem.0)),
            (ClaimField::FamilyName, _) => form.wrong("family_name", ctx.t.invalid(problem.0)),
            (ClaimField::LoginId, _) => form.wrong("login_id", ctx.t.invalid(problem.0)),
            (ClaimField::ClaimCode, _) => form.wrong("claim_code", ctx.t.invalid(problem.0)),
            (ClaimField::Birthdate, Ok(_)) => form.wrong("birth_day", ctx.t.invalid(problem.0)),
            (ClaimField::Birthdate, Err((field, text))) => form.wrong(field, *text),
        }
    }
    None
}

/// `YYYY-MM-DD` from three fields; else which of them is wrong.
fn birthdate(
    t: &Texts,
    month: &str,
    day: &str,
    year: &str,
) -> Result<String, (&'static str, &'static str)> {
    let (month, day, year) = (month.trim(), day.trim(), year.trim());
    if month.is_empty() && day.is_empty() && year.is_empty() {
        return Err(("birth_month", t.birthdate_missing));
    }
    let number = |text: &str, length: usize| {
        let digits = (1..=length).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if digits {
            text.parse::<u16>().ok()
        } else {
            None
        }
    };
    let month = number(month, 2)
        .filter(|month| (1..=12).contains(month))
        .ok_or(("birth_month", t.birth_month_wrong))?;
    let day = number(day, 2)
        .filter(|day| (1..=31).contains(day))
        .ok_or(("birth_day", t.birth_day_wrong))?;
    let year = number(year, 4)
        .filter(|_| year.len() == 4)
        .ok_or(("birth_year", t.birth_year_wrong))?;
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}

/// `POST /claim/abandon`: "Not you?"
pub(crate) async fn abandon(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let reply = Reply::see_other(&ctx.link("/claim?notice=started_over"));
    let (Some(cookie), Some(ticket)) = (
        TicketCookie::read(ctx, CookieKind::Claim),
        TicketId::parse(ctx.form.get("claim")),
    ) else {
        return Ok(reply);
    };
    match ctx.portal().abandon_claim(ticket, &cookie.browser).await {
        Ok(()) | Err(Error::Refused(_)) => Ok(reply),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::EN;

    #[test]
    fn three_fields_make_a_date_or_say_which_one_is_wrong() {
        assert_eq!(birthdate(&EN, "12", " 3 ", "2012").unwrap(), "2012-12-03");
        assert_eq!(birthdate(&EN, "02", "30", "2009").unwrap(), "2009-02-30");
        for (month, day, year, field) in [
            ("", "", "", "birth_month"),
            ("13", "1", "2012", "birth_month"),
            ("Dec", "1", "2012", "birth_month"),
            ("1", "", "2012", "birth_day"),
            ("1", "32", "2012", "birth_day"),
            ("1", "-1", "2012", "birth_day"),
            ("1", "1", "12", "birth_year"),
            ("1", "1", "20120", "birth_year"),
        ] {
            assert_eq!(
                birthdate(&EN, month, day, year).unwrap_err().0,
                field,
                "{month}/{day}/{year}"
            );
        }
    }
}
