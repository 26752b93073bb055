//! What every form for a new password shows: the stated requirements, and "Suggest one".

use narthex_core::rules::password::{PasswordRequirement, SYMBOLS};
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;

/// A stated requirement. The script marks what is met while one types; what it cannot know, the
/// server judges.
#[derive(Serialize)]
struct RequirementView {
    code: &'static str,
    text: String,
    /// The characters asked for, where it is about their number.
    least: Option<usize>,
}

/// The requirements of a new password and a suggestion that meets them.
#[derive(Serialize)]
pub(crate) struct NewPasswordView {
    requirements: Vec<RequirementView>,
    signs: &'static str,
    /// This page with a suggestion: the way without a script.
    suggest_url: String,
    suggestion: Option<String>,
}

impl NewPasswordView {
    /// `page` is the path of the form's page, with what its query must have.
    pub(crate) async fn new(
        ctx: &Ctx<'_>,
        list: &[PasswordRequirement],
        page: &str,
    ) -> Result<Self, Fault> {
        let suggestion = match ctx.query_value("suggest") {
            Some(_) => suggestion(ctx, list).await?,
            None => None,
        };
        let view = |requirement: &PasswordRequirement| RequirementView {
            code: requirement.code(),
            text: ctx.t.requirement(*requirement),
            least: match requirement {
                PasswordRequirement::MinimumLength(n) => Some(*n),
                _ => None,
            },
        };
        let and = if page.contains('?') { '&' } else { '?' };
        Ok(Self {
            requirements: list.iter().map(view).collect(),
            signs: SYMBOLS,
            suggest_url: ctx.link(&format!("{page}{and}suggest=1")),
            suggestion,
        })
    }
}

/// A few words of the reader's language by chance, as `list` asks for.
pub(crate) async fn suggestion(
    ctx: &Ctx<'_>,
    list: &[PasswordRequirement],
) -> Result<Option<String>, Fault> {
    let words: Vec<&str> = ctx.t.word_list().lines().collect();
    let suggested = ctx.portal().suggest_password(&words, list).await?;
    Ok(suggested.map(|words| words.to_string()))
}
