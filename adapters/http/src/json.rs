//! JSON bodies, strictly: one object, known fields, each once, each of its type, nothing deep
//! (WB-17, A43). Texts of errors name fields, never values: a value may be a password in the wrong
//! place.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::problem::{Issue, Problem, Said};
use crate::texts::Text;

/// How deep a body may nest: an object, a list in it, objects in that.
const DEPTH_MAX: u8 = 3;
/// The most members of one object and items of one list.
const WIDTH_MAX: usize = 32;
/// The longest text, in bytes.
const TEXT_BYTES_MAX: usize = 2048;

/// A JSON value as sent.
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Option<u64>),
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Object(Object),
}

/// The members of an object.
#[derive(Default)]
pub(crate) struct Object {
    path: String,
    members: Vec<(String, Node)>,
}

impl Object {
    /// Reads a body: one object with no other members than `known`.
    ///
    /// # Errors
    /// Not JSON, not an object, too deep, a member that is unknown or given twice.
    pub(crate) fn parse(body: &[u8], known: &[&str]) -> Result<Self, Problem> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let node = NodeSeed(DEPTH_MAX)
            .deserialize(&mut deserializer)
            .and_then(|node| deserializer.end().map(|()| node))
            .map_err(|error| malformed(&error))?;
        match node {
            Node::Object(object) => {
                object.only(known)?;
                Ok(object)
            }
            _ => Err(issue("", "wrong_type", |t| t.json_not_object)),
        }
    }

    /// Refuses members that are not in `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self
            .members
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = name.chars().take(40).collect();
                Err(issue(&self.field(&name), "unknown_field", |t| {
                    t.field_unknown
                }))
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Problem> {
        self.optional_text(name)?
            .ok_or_else(|| issue(&self.field(name), "missing_field", |t| t.field_missing))
    }

    /// A text that may be missing or null.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.get(name) {
            None | Some(Node::Null) => Ok(None),
            Some(Node::Text(text)) if text.len() <= TEXT_BYTES_MAX => Ok(Some(text)),
            Some(Node::Text(_)) => Err(issue(&self.field(name), "too_long", |t| t.field_too_long)),
            Some(_) => Err(issue(&self.field(name), "wrong_type", |t| t.json_not_text)),
        }
    }

    /// A whole number that must be there.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Problem> {
        match self.get(name) {
            None => Err(issue(&self.field(name), "missing_field", |t| {
                t.field_missing
            })),
            Some(Node::Number(Some(number))) => Ok(*number),
            Some(_) => Err(issue(&self.field(name), "wrong_type", |t| {
                t.json_not_number
            })),
        }
    }

    /// `true` or `false`; missing is `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some(Node::Null) => Ok(false),
            Some(Node::Bool(value)) => Ok(*value),
            Some(_) => Err(issue(&self.field(name), "wrong_type", |t| t.json_not_bool)),
        }
    }

    /// A list of objects that must be there.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<&Object>, Problem> {
        let wrong = || issue(&self.field(name), "wrong_type", |t| t.json_not_list);
        match self.get(name) {
            None => Err(issue(&self.field(name), "missing_field", |t| {
                t.field_missing
            })),
            Some(Node::List(items)) => items
                .iter()
                .map(|item| match item {
                    Node::Object(object) => Ok(object),
                    _ => Err(wrong()),
                })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    fn get(&self, name: &str) -> Option<&Node> {
        self.members
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, node)| node)
    }

    fn field(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn name_paths(&mut self) {
        for (name, node) in &mut self.members {
            if let Node::List(items) = node {
                for (i, item) in items.iter_mut().enumerate() {
                    if let Node::Object(object) = item {
                        object.path = format!("{name}[{i}]");
                    }
                }
            }
        }
    }
}

fn issue(field: &str, code: &'static str, text: Text) -> Problem {
    let said = Said::Filled(text, vec![("field", field.to_owned())]);
    Problem::malformed(Issue::new(field, code, said))
}

/// The reason, without anything of what was sent: our own words where we said no, else the place.
fn malformed(error: &serde_json::Error) -> Problem {
    let said = error.to_string();
    let known: [(&str, Text); 3] = [
        (DUPLICATE, |t| t.json_duplicate),
        (TOO_DEEP, |t| t.json_too_deep),
        (TOO_WIDE, |t| t.json_too_wide),
    ];
    for (mark, text) in known {
        if said.starts_with(mark) {
            return issue("", mark, text);
        }
    }
    let (line, column) = (error.line().to_string(), error.column().to_string());
    let place = vec![("line", line), ("column", column)];
    let said = Said::Filled(|t| t.json_malformed, place);
    Problem::malformed(Issue::new("", "malformed_json", said))
}

const DUPLICATE: &str = "duplicate_field";
const TOO_DEEP: &str = "too_deep";
const TOO_WIDE: &str = "too_wide";

struct NodeSeed(u8);

impl<'de> DeserializeSeed<'de> for NodeSeed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor(self.0))
    }
}

struct NodeVisitor(u8);

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(Some(number)))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let below = self
            .0
            .checked_sub(1)
            .ok_or_else(|| A::Error::custom(TOO_DEEP))?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(NodeSeed(below))? {
            if items.len() >= WIDTH_MAX {
                return Err(A::Error::custom(TOO_WIDE));
            }
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let below = self
            .0
            .checked_sub(1)
            .ok_or_else(|| A::Error::custom(TOO_DEEP))?;
        let mut object = Object::default();
        while let Some(name) = map.next_key::<String>()? {
            if object.get(&name).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
            if object.members.len() >= WIDTH_MAX {
                return Err(A::Error::custom(TOO_WIDE));
            }
            let node = map.next_value_seed(NodeSeed(below))?;
            object.members.push((name, node));
        }
        object.name_paths();
        Ok(Node::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(body: &str) -> String {
        let read = || -> Result<(), Problem> {
            let object = Object::parse(body.as_bytes(), &["login_id", "idle_ms", "answers"])?;
            object.text("login_id")?;
            object.number("idle_ms")?;
            for answer in object.objects("answers")? {
                answer.only(&["question", "answer"])?;
                answer.text("question")?;
            }
            Ok(())
        };
        match read() {
            Ok(()) => "ok".to_owned(),
            Err(problem) => format!("{} {}", problem.issues[0].code, problem.issues[0].field),
        }
    }

    #[test]
    fn a43_the_corpus_of_bad_json_is_refused_with_its_place() {
        let good = r#"{"login_id":"a","idle_ms":1,"answers":[{"question":"q"}]}"#;
        assert_eq!(verdict(good), "ok");
        for (body, expected) in [
            ("", "malformed_json "),
            ("{", "malformed_json "),
            ("[]", "wrong_type "),
            ("\"a\"", "wrong_type "),
            ("{} {}", "malformed_json "),
            ("{'login_id':1}", "malformed_json "),
            (r#"{"login_id":"a",}"#, "malformed_json "),
            (r#"{"login_id":"a","login_id":"b"}"#, "duplicate_field "),
            (
                r#"{"login_id":"a","login\u005fid":"b"}"#,
                "duplicate_field ",
            ),
            (r#"{"login_id":["a"]}"#, "wrong_type login_id"),
            (r#"{"login_id":{"a":1}}"#, "wrong_type login_id"),
            (r#"{"login_id":1}"#, "wrong_type login_id"),
            (r#"{"login_id":true}"#, "wrong_type login_id"),
            (r#"{"login_id":null}"#, "missing_field login_id"),
            (r#"{"admin":true}"#, "unknown_field admin"),
            (r#"{"Login_id":"a"}"#, "unknown_field Login_id"),
            (r#"{"login_id":"a","idle_ms":-1}"#, "wrong_type idle_ms"),
            (r#"{"login_id":"a","idle_ms":1.0}"#, "wrong_type idle_ms"),
            (r#"{"login_id":"a","idle_ms":"1"}"#, "wrong_type idle_ms"),
            (r#"{"login_id":"a","idle_ms":1e999}"#, "malformed_json "),
            (
                r#"{"login_id":"a","idle_ms":1,"answers":["x"]}"#,
                "wrong_type answers",
            ),
            (
                r#"{"login_id":"a","idle_ms":1,"answers":[{"x":"y"}]}"#,
                "unknown_field answers[0].x",
            ),
            (r#"{"login_id":[[[["a"]]]]}"#, "too_deep "),
            ("{\"login_id\":\"\u{1}\"}", "malformed_json "),
        ] {
            assert_eq!(verdict(body), expected, "{body}");
        }
        assert_eq!(verdict(&"[".repeat(10_000)), "too_deep ");
        let wide = format!("[{}1]", "1,".repeat(100));
        assert_eq!(verdict(&wide), "too_wide ");
        assert!(Object::parse(b"{\"login_id\":\"\xff\"}", &["login_id"]).is_err());
    }

    #[test]
    fn p10_no_value_is_repeated_in_an_error() {
        for body in [
            r#"{"login_id":hunter2}"#,
            r#"{"login_id":["hunter2"]}"#,
            r#"{"login_id":"a","idle_ms":"hunter2"}"#,
        ] {
            let read = |o: Object| {
                o.text("login_id")
                    .map(drop)
                    .and(o.number("idle_ms").map(drop))
            };
            let problem = Object::parse(body.as_bytes(), &["login_id", "idle_ms"])
                .and_then(read)
                .unwrap_err();
            assert!(!format!("{problem:?}").contains("hunter2"), "{body}");
        }
    }
}
