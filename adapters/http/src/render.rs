//! HTML from templates: escaped by default, and nothing undefined goes unnoticed.

use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::texts::{EN, fill};

const TEMPLATES: [(&str, &str); 15] = [
    ("base.html", include_str!("templates/base.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("account.html", include_str!("templates/account.html")),
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
    ("landing.html", include_str!("templates/landing.html")),
    ("login.html", include_str!("templates/login.html")),
    ("password.html", include_str!("templates/password.html")),
    ("replaced.html", include_str!("templates/replaced.html")),
];

/// The templates, ready.
pub(crate) struct Renderer(Environment<'static>);

impl Renderer {
    pub(crate) fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_global("t", Value::from(Serde(&EN)));
        environment.add_filter("fill", fill_filter);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        Ok(Self(environment))
    }

    /// Renders `template` with the fields of `view`.
    pub(crate) fn render(
        &self,
        template: &str,
        view: &impl Serialize,
    ) -> Result<String, minijinja::Error> {
        let view = Value::from(Serde(view));
        self.0.get_template(template)?.render(view)
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
