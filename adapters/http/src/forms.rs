//! HTML form bodies, strictly: the fields a route knows, each once, none over-long (WB-17, WB-18).

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::problem::{Issue, Problem, Said};
use crate::query::{decode, plain};
use crate::texts::Text;

/// The longest value of a field, in bytes: more than the longest password and the longest location.
pub(crate) const FIELD_BYTES_MAX: usize = 2048;

/// The fields of a form, as typed.
#[derive(Default)]
pub(crate) struct Form(BTreeMap<&'static str, Zeroizing<String>>);

impl Form {
    /// Reads a body that may have the fields in `known`, each at most once.
    ///
    /// # Errors
    /// A field that is unknown, given twice, over-long, or not plain UTF-8 text.
    pub(crate) fn parse(body: &[u8], known: &[&'static str]) -> Result<Self, Problem> {
        let mut form = Self::default();
        for pair in body.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let equals = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(equals);
            let name = decode(name).ok_or_else(|| issue("", "not_text", |t| t.field_not_text))?;
            let value = value.get(1..).unwrap_or_default();
            form.insert(&name, decode(value), known)?;
        }
        Ok(form)
    }

    /// Adds a field that came as it is, as files do.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(crate) fn add(
        &mut self,
        name: &str,
        value: &[u8],
        known: &[&'static str],
    ) -> Result<(), Problem> {
        self.insert(name, plain(value), known)
    }

    fn insert(
        &mut self,
        name: &str,
        value: Option<Zeroizing<String>>,
        known: &[&'static str],
    ) -> Result<(), Problem> {
        let Some(name) = known.iter().find(|field| **field == name) else {
            let name: String = name.chars().take(40).collect();
            return Err(issue(&name, "unknown_field", |t| t.field_unknown));
        };
        let value = value.ok_or_else(|| issue(name, "not_text", |t| t.field_not_text))?;
        if value.len() > FIELD_BYTES_MAX {
            return Err(issue(name, "too_long", |t| t.field_too_long));
        }
        if self.0.insert(*name, value).is_some() {
            return Err(issue(name, "duplicate_field", |t| t.field_duplicate));
        }
        Ok(())
    }

    /// The value of a field; empty where it is missing, as browsers send what is not filled in.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.as_str())
    }

    /// The value of a field that was sent, if only empty.
    pub(crate) fn sent(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }

    /// Whether a checkbox is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.get(name) == "on"
    }
}

fn issue(field: &str, code: &'static str, text: Text) -> Problem {
    let said = Said::Filled(text, vec![("field", field.to_owned())]);
    Problem::malformed(Issue::new(field, code, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &[u8]) -> &'static str {
        match Form::parse(body, &["a", "b"]) {
            Ok(_) => "ok",
            Err(problem) => problem.issues[0].code,
        }
    }

    #[test]
    fn wb17_what_a_form_does_not_have_is_refused() {
        assert_eq!(code(b"a=1&b=2"), "ok");
        assert_eq!(code(b""), "ok");
        assert_eq!(code(b"&&a=1&"), "ok");
        assert_eq!(code(b"a=1&a=1"), "duplicate_field");
        assert_eq!(code(b"a=1&%61=1"), "duplicate_field");
        assert_eq!(code(b"a=1&c=1"), "unknown_field");
        assert_eq!(code(b"a[]=1"), "unknown_field");
        assert_eq!(code(b"A=1"), "unknown_field");
        assert_eq!(code(b"a=%ff"), "not_text");
        assert_eq!(code(b"a=\xc3"), "not_text");
        assert_eq!(code(b"a=%00"), "not_text");
        assert_eq!(code(b"a=%2"), "not_text");
        assert_eq!(code(format!("a={}", "x".repeat(2048)).as_bytes()), "ok");
        assert_eq!(
            code(format!("a={}", "x".repeat(2049)).as_bytes()),
            "too_long"
        );
    }

    #[test]
    fn what_was_typed_arrives_as_it_was_typed() {
        let form = Form::parse(b"a=+O%27Neil%20&b=on", &["a", "b"]).unwrap();
        assert_eq!(form.get("a"), " O'Neil ");
        assert!(form.is_ticked("b"));
        assert_eq!(form.get("c"), "");
    }
}
