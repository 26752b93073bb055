//! Forms that a borrowed session must not be able to send: they ask for the password where it was not
//! typed a short while ago (SE-13). One page, one form: nothing that was typed is lost on the way.

use http::StatusCode;
use narthex_core::portal::{LoggedIn, Reauthenticated};
use narthex_core::secret::Password;
use narthex_core::{Error, Refusal, VerifiedSession};

use crate::context::Ctx;
use crate::problem::{Fault, Problem};
use crate::reply::Reply;

use super::login::with_session;
use super::view::FormView;

/// The field for the current password.
pub(crate) const FIELD: &str = "current";

/// A session that was fresh, or has just been made so.
pub(crate) struct Proof {
    session: VerifiedSession,
    renewed: Option<LoggedIn>,
}

impl Proof {
    pub(crate) fn session(&self) -> &VerifiedSession {
        &self.session
    }

    /// What the portal asks for.
    pub(crate) fn fresh(&self, ctx: &Ctx<'_>) -> Result<Reauthenticated<'_>, Fault> {
        Ok(ctx.portal().fresh(&self.session)?)
    }

    /// The browser gets its newer token, whatever became of the form.
    pub(crate) fn hand_out(&self, ctx: &Ctx<'_>, reply: Reply) -> Reply {
        match &self.renewed {
            Some(renewed) => with_session(ctx, reply, renewed),
            None => reply,
        }
    }
}

/// Why there is no proof: the form says what is wrong.
pub(crate) struct NotProven {
    pub(crate) status: StatusCode,
    problem: Option<Problem>,
}

impl NotProven {
    pub(crate) fn headers(&self, reply: Reply) -> Reply {
        match &self.problem {
            Some(problem) => reply.problem_headers(problem),
            None => reply,
        }
    }
}

/// Whether the page's form has to ask for the password.
pub(crate) fn asks(ctx: &Ctx<'_>) -> Result<bool, Fault> {
    Ok(ctx.portal().fresh(&ctx.session()?.verified).is_err())
}

/// The proof for the form that was sent; else `form` says what is missing.
pub(crate) async fn prove(
    ctx: &Ctx<'_>,
    form: &mut FormView,
) -> Result<Result<Proof, NotProven>, Fault> {
    let session = &ctx.session()?.verified;
    if ctx.portal().fresh(session).is_ok() {
        let session = session.clone();
        return Ok(Ok(Proof {
            session,
            renewed: None,
        }));
    }
    let unreadable = |form: &mut FormView, text| {
        form.wrong(FIELD, text);
        Ok(Err(NotProven {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problem: None,
        }))
    };
    let typed = ctx.form.get(FIELD);
    if typed.is_empty() {
        return unreadable(form, ctx.t.confirm_missing);
    }
    let Ok(current) = Password::parse(typed) else {
        return unreadable(form, ctx.t.password_too_long);
    };
    match ctx
        .portal()
        .reauthenticate(session, current, &ctx.asker)
        .await
    {
        Ok(renewed) => Ok(Ok(Proof {
            session: renewed.session.clone(),
            renewed: Some(renewed),
        })),
        Err(error) => {
            let problem = Problem::from(&error);
            form.refuse(match &error {
                Error::Refused(Refusal::LoginFailed) => ctx.t.current_password_wrong,
                Error::Refused(Refusal::Throttled { .. }) => ctx.t.throttled,
                Error::Busy { .. } => ctx.t.busy,
                _ => return Err(error.into()),
            });
            // 403 and not 401: the person is logged in, it is the field that is wrong.
            let status = match problem.status {
                StatusCode::UNAUTHORIZED => StatusCode::FORBIDDEN,
                status => status,
            };
            Ok(Err(NotProven {
                status,
                problem: Some(problem),
            }))
        }
    }
}
