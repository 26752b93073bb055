//! HTML from templates: escaped by default, and nothing undefined goes unnoticed.

use minijinja::value::{Kwargs, Serde};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use crate::texts::{LANGUAGES, Texts, fill};

const TEMPLATES: [(&str, &str); 26] = [
    ("base.html", include_str!("templates/base.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("account.html", include_str!("templates/account.html")),
    (
        "account_codes.html",
        include_str!("templates/account_codes.html"),
    ),
    (
        "account_questions.html",
        include_str!("templates/account_questions.html"),
    ),
    (
        "account_sessions.html",
        include_str!("templates/account_sessions.html"),
    ),
    ("app.html", include_str!("templates/app.html")),
    ("claim.html", include_str!("templates/claim.html")),
    (
        "claim_password.html",
        include_str!("templates/claim_password.html"),
    ),
    (
        "claim_questions.html",
        include_str!("templates/claim_questions.html"),
    ),
    ("downloads.html", include_str!("templates/downloads.html")),
    ("error.html", include_str!("templates/error.html")),
    ("header.html", include_str!("templates/header.html")),
    ("help.html", include_str!("templates/help.html")),
    (
        "host_header.html",
        include_str!("templates/host_header.html"),
    ),
    ("landing.html", include_str!("templates/landing.html")),
    ("login.html", include_str!("templates/login.html")),
    ("password.html", include_str!("templates/password.html")),
    ("recover.html", include_str!("templates/recover.html")),
    (
        "recover_password.html",
        include_str!("templates/recover_password.html"),
    ),
    (
        "recover_questions.html",
        include_str!("templates/recover_questions.html"),
    ),
    ("replaced.html", include_str!("templates/replaced.html")),
    ("staff.html", include_str!("templates/staff.html")),
    (
        "staff_roster.html",
        include_str!("templates/staff_roster.html"),
    ),
    (
        "staff_statistics.html",
        include_str!("templates/staff_statistics.html"),
    ),
    ("warning.html", include_str!("templates/warning.html")),
];

/// The templates, ready, in each language.
pub(crate) struct Renderer(Vec<(&'static str, Environment<'static>)>);

impl Renderer {
    pub(crate) fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(format_html);
        environment.add_filter("fill", fill_filter);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        let in_language = |t: &&'static Texts| {
            let mut environment = environment.clone();
            environment.add_global("t", Value::from(Serde(*t)));
            (t.lang, environment)
        };
        Ok(Self(LANGUAGES.iter().map(in_language).collect()))
    }

    /// Renders `template` in a language with the fields of `view`.
    pub(crate) fn render(
        &self,
        t: &Texts,
        template: &str,
        view: &impl Serialize,
    ) -> Result<String, minijinja::Error> {
        let view = Value::from(Serde(view));
        self.environment(t)?.get_template(template)?.render(view)
    }

    fn environment(&self, t: &Texts) -> Result<&Environment<'static>, minijinja::Error> {
        let found = self.0.iter().find(|(lang, _)| *lang == t.lang);
        let missing = || minijinja::Error::new(ErrorKind::TemplateNotFound, "no such language");
        found
            .map(|(_, environment)| environment)
            .ok_or_else(missing)
    }
}

/// `{{ t.greeting | fill(name=...) }}`
fn fill_filter(text: &str, values: Kwargs) -> Result<String, minijinja::Error> {
    let mut filled = Vec::new();
    for name in values.args() {
        filled.push((name, values.get::<Value>(name)?.to_string()));
    }
    values.assert_all_used()?;
    let pairs: Vec<(&str, &str)> = filled.iter().map(|(n, v)| (*n, v.as_str())).collect();
    Ok(fill(text, &pairs))
}

/// Escapes as HTML asks for in text and in quoted attributes. Unlike the default it leaves `/`
/// alone, so that a link in the source reads as a link.
fn format_html(out: &mut Output, state: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    let text = match value.as_str() {
        Some(text) if !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Html) => text,
        _ => return minijinja::escape_formatter(out, state, value),
    };
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, special) = rest.split_at(at);
        out.write_str(before)?;
        let mut letters = special.chars();
        out.write_str(match letters.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            _ => "&#x27;",
        })?;
        rest = letters.as_str();
    }
    out.write_str(rest)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::EN;

    fn render(source: &str) -> Result<String, minijinja::Error> {
        let view = minijinja::context! { text => "<a href=\"/x?a=1&b='2'\">é</a>" };
        let renderer = Renderer::new().unwrap();
        let environment = renderer.environment(&EN).unwrap();
        environment.render_named_str("x.html", source, view)
    }

    #[test]
    fn what_comes_from_outside_is_escaped_in_text_and_attributes() {
        let escaped = "&lt;a href=&quot;/x?a=1&amp;b=&#x27;2&#x27;&quot;&gt;é&lt;/a&gt;";
        assert_eq!(render("{{ text }}").unwrap(), escaped);
        assert_eq!(render("{{ '{x}' | fill(x=text) }}").unwrap(), escaped);
    }

    #[test]
    fn a_word_that_is_not_defined_is_an_error() {
        assert!(render("{{ missing }}").is_err());
        assert!(render("{% if missing %}x{% endif %}").is_err());
        assert!(render("{{ t.no_such_text }}").is_err());
        assert!(render("{{ t.login_title }}").is_ok());
    }
}
