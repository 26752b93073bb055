//! Recovery codes to keep: made with fresh proof, shown once, ready to print (RC-01).

use http::StatusCode;
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::texts::fill;

use super::proof;
use super::view::{ContactsView, FormView, Shell, humans_for_person, page};

#[derive(Serialize)]
struct CodesView {
    shell: Shell,
    form: FormView,
    /// Whether the form asks for the password.
    confirm: bool,
    /// What the person has now, in words.
    left: String,
    /// Just made; on no other page and never again.
    codes: Vec<String>,
    humans: Vec<ContactsView>,
}

/// `GET /account/recovery-codes`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let form = FormView::new(ctx, &[], &[proof::FIELD]);
    render(ctx, StatusCode::OK, form, proof::asks(ctx)?, Vec::new()).await
}

async fn render(
    ctx: &Ctx<'_>,
    status: StatusCode,
    form: FormView,
    confirm: bool,
    codes: Vec<String>,
) -> Result<Reply, Fault> {
    let session = &ctx.session()?.verified;
    let profile = ctx.portal().profile(session).await?;
    let left = ctx.portal().recovery_codes_left(session.account()).await?;
    let title = ctx.t.codes_title;
    let mut shell = Shell::for_person(ctx, "recovery-codes", title, &profile, None).await?;
    if !form.is_good() {
        shell.mark_error();
    }
    let view = CodesView {
        shell,
        form,
        confirm,
        left: match left {
            0 => ctx.t.codes_none.to_owned(),
            n => fill(ctx.t.codes_left, &[("n", &n.to_string())]),
        },
        codes,
        humans: humans_for_person(ctx, &profile).await?,
    };
    page(ctx, status, "account_codes.html", &view)
}

/// `POST /account/recovery-codes`: the answer itself shows them, and no address does.
pub(crate) async fn make(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let mut form = FormView::new(ctx, &[], &[proof::FIELD]);
    let proven = match proof::prove(ctx, &mut form).await? {
        Ok(proven) => proven,
        Err(refused) => {
            let reply = render(ctx, refused.status, form, true, Vec::new()).await?;
            return Ok(refused.headers(reply));
        }
    };
    let fresh = proven.fresh(ctx)?;
    let codes = ctx
        .portal()
        .renew_recovery_codes(&fresh, &ctx.asker)
        .await?;
    let shown = codes.iter().map(|code| code.expose().to_string()).collect();
    let reply = render(ctx, StatusCode::OK, form, false, shown).await?;
    Ok(proven.hand_out(ctx, reply))
}
