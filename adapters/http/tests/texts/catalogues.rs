//! The catalogues: whole, the same in every language, and the only place with words.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use toml::{Table, Value};

/// `key` or `table.key` of every text of a language.
fn catalogue(language: &str) -> BTreeMap<String, String> {
    let path = format!("texts/{language}.toml");
    let table: Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let mut texts = BTreeMap::new();
    flatten("", &Value::Table(table), &mut texts);
    texts
}

fn flatten(name: &str, value: &Value, texts: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let dot = if name.is_empty() { "" } else { "." };
                flatten(&format!("{name}{dot}{key}"), value, texts);
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                flatten(&format!("{name}[{i}]"), value, texts);
            }
        }
        other => {
            texts.insert(name.to_owned(), other.as_str().unwrap().to_owned());
        }
    }
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts.map(|part| part.split_once('}').unwrap().0).collect()
}

/// Every file below `src` with one of the endings.
fn sources(endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![Path::new("src").to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            if path.is_dir() {
                left.push(path);
            } else if endings.contains(&ending) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}

#[test]
fn every_language_has_the_same_texts_with_the_same_placeholders() {
    let english = catalogue("en");
    assert!(english.len() > 200);
    for entry in fs::read_dir("texts").unwrap() {
        let path = entry.unwrap().path();
        let language = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let other = catalogue(&language);
        assert_eq!(other["lang"], language);
        let keys: Vec<_> = other.keys().collect();
        assert_eq!(keys, english.keys().collect::<Vec<_>>(), "{language}");
        for (key, text) in &other {
            let expected = placeholders(&english[key]);
            assert_eq!(placeholders(text), expected, "{language}: {key}");
            assert!(!text.trim().is_empty() && text.trim() == text, "{key}");
        }
    }
}

#[test]
fn no_text_lies_unused() {
    let used: String = sources(&["rs", "html"])
        .into_iter()
        .map(|(_, s)| s)
        .collect();
    let words: BTreeSet<&str> = used
        .match_indices("t.")
        .chain(used.match_indices("self."))
        .filter_map(|(at, found)| {
            let rest = used.get(at + found.len()..)?;
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            rest.get(..end?)
        })
        .collect();
    for key in catalogue("en").keys() {
        let field = key.split(['.', '[']).next().unwrap();
        assert!(words.contains(field), "no page says {key}");
    }
}

/// What a template says outside of its tags, expressions and statements.
fn literal_words(template: &str) -> Vec<String> {
    let mut said = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['<', '{']) {
        let (before, inside) = rest.split_at(at);
        said.push_str(before);
        said.push('\n');
        let end = match inside.get(..2) {
            Some("{%") => "%}",
            Some("{{") => "}}",
            Some("{#") => "#}",
            _ => ">",
        };
        rest = skip(inside, end);
    }
    said.push_str(rest);
    let words = said.split(|c: char| !c.is_alphabetic());
    words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// After `end`; an expression within a tag may contain a `>`.
fn skip<'t>(text: &'t str, end: &str) -> &'t str {
    let mut rest = text;
    loop {
        let close = rest.find(end).unwrap() + end.len();
        let open = if end == ">" { rest.find("{") } else { None };
        match open {
            Some(at) if at < close => {
                let inner = if rest[at..].starts_with("{%") {
                    "%}"
                } else {
                    "}}"
                };
                rest = skip(&rest[at..], inner);
            }
            _ => return &rest[close..],
        }
    }
}

#[test]
fn nothing_is_said_in_a_template_that_is_not_in_the_catalogue() {
    assert_eq!(literal_words("<p a=\"{{ x > 1 }}\">Hi {{ y }}</p>"), ["Hi"]);
    let templates = sources(&["html"]);
    assert!(templates.len() >= 15);
    for (path, template) in templates {
        // Two places hold a class or attributes, outside of any tag of their own.
        let plain: String = template
            .lines()
            .filter(|line| !line.starts_with("{% macro describe"))
            .filter(|line| !line.starts_with("{% block width %}"))
            .flat_map(|line| [line, "\n"])
            .collect();
        let words = literal_words(&plain);
        assert!(words.is_empty(), "{path} says {words:?}");
        for attribute in ["aria-label=\"", "title=\"", "alt=\"", "placeholder=\""] {
            for (at, found) in template.match_indices(attribute) {
                let value = &template[at + found.len()..];
                let next = value.chars().next().unwrap();
                assert!(!next.is_alphabetic(), "{path}: {attribute}{value:.20}");
            }
        }
    }
}

#[test]
fn the_script_has_no_words_of_its_own() {
    let scripts = sources(&["js"]);
    assert!(!scripts.is_empty());
    for (path, script) in scripts {
        for line in script
            .lines()
            .filter(|l| !l.trim_start().starts_with(['/', '*']))
        {
            let code = line.split("// ").next().unwrap();
            for text in code.split(['"', '`']).skip(1).step_by(2) {
                let sentence = text.starts_with(char::is_uppercase) && text.contains(' ');
                assert!(!sentence, "{path} says {text:?}");
            }
        }
    }
}
