//! What a person says of themselves, as pages and programs send it (S17).

use narthex_core::model::InvalidInput;
use narthex_core::rules::details::{DetailsChange, DetailsField};

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::language;
use crate::reply::Reply;

/// Sets a field as typed. A language has to be one of ours: the pages could not speak another.
pub(crate) fn set(
    change: &mut DetailsChange,
    field: DetailsField,
    typed: &str,
) -> Result<(), InvalidInput> {
    let typed = typed.trim();
    if field == DetailsField::Language && !typed.is_empty() && language::known(typed).is_none() {
        return Err(InvalidInput("please choose a language of the list"));
    }
    change.set(field, typed)
}

/// This browser speaks the person's language from now on; without one, what the browser prefers.
pub(crate) fn in_language(ctx: &Ctx<'_>, reply: Reply, language: Option<&str>) -> Reply {
    let cookies = &ctx.shared.cookies;
    reply.cookie(match language.and_then(language::known) {
        Some(t) => cookies.set(CookieKind::Language, t.lang),
        None => cookies.wipe(CookieKind::Language),
    })
}

/// Who has chosen a language reads in it after a log-in in any browser; who has not keeps what this
/// browser was told before.
pub(crate) fn after_log_in(ctx: &Ctx<'_>, reply: Reply, language: Option<&str>) -> Reply {
    match language {
        Some(_) => in_language(ctx, reply, language),
        None => reply,
    }
}
