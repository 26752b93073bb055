//! Each security requirement is shown by tests, or has a reason: `docs/requirements.toml` says which,
//! `docs/requirements.md` is made of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// So many tests of a row are named; the others are counted.
const NAMED_MAX: usize = 4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The names of all tests, rules in the browser and scenarios, with the file each stands in.
fn tests() -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for folder in [
        "core", "adapters", "bindings", "fuzz", "benches", "examples", "xtask",
    ] {
        collect(&root().join(folder), &mut names);
    }
    assert!(names.len() > 400, "only {} tests were found", names.len());
    names
}

fn collect(folder: &Path, names: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let built = ["target", "node_modules", "corpus", ".venv", "__pycache__"];
            if !built.contains(&name.as_str()) {
                collect(&path, names);
            }
            continue;
        }
        let found = match path.extension().and_then(|e| e.to_str()) {
            Some("rs") => functions(&fs::read_to_string(&path).unwrap(), "fn "),
            Some("py") => functions(&fs::read_to_string(&path).unwrap(), "def test_"),
            Some("mjs") => browser_rules(&fs::read_to_string(&path).unwrap()),
            Some("json") if folder.ends_with("scenarios") => {
                vec![name.trim_end_matches(".json").to_owned()]
            }
            _ => continue,
        };
        let file = path
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        names.extend(found.into_iter().map(|name| (name, file.clone())));
    }
}

/// Functions that are tests, by the attribute above them or by their name.
fn functions(text: &str, keyword: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = keyword.starts_with("def");
    for line in text.lines().map(str::trim) {
        let declared = line.trim_start_matches("async ").strip_prefix(keyword);
        match declared.and_then(|rest| rest.split(['(', '<']).next()) {
            Some(name) if is_test => names.push(name.to_owned()),
            _ => {}
        }
        if line.starts_with("#[") {
            is_test |= line.contains("test");
        } else if declared.is_some() {
            is_test = keyword.starts_with("def");
        }
    }
    names
}

/// `rule("...")` and `test("...")`, on one line or over two.
fn browser_rules(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for start in ["rule(", "test("] {
        for (at, _) in text.match_indices(start) {
            let rest = text.get(at + start.len()..).unwrap().trim_start();
            let Some(quote) = rest.chars().next().filter(|c| ['"', '`'].contains(c)) else {
                continue;
            };
            names.extend(
                rest.get(1..)
                    .unwrap()
                    .split(quote)
                    .next()
                    .map(str::to_owned),
            );
        }
    }
    names
}

/// Whether a test is named after the row `id`: `pw01_...`, `wb08_wb09_a24_...`, `S13 A54 ...`.
fn is_named_after(name: &str, id: &str) -> bool {
    let id = id.replace('-', "").to_lowercase();
    name.split(['_', ' '])
        .map(|word| word.replace('-', "").to_lowercase())
        .take_while(|word| is_an_id(word))
        .any(|word| word == id)
}

fn is_an_id(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let letters = word.len() - digits.len();
    (1..=2).contains(&letters) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn shown_by(
    id: &str,
    row: &toml::Table,
    tests: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let begins: Vec<&str> = row.get("tests").map_or_else(Vec::new, |named| {
        named
            .as_array()
            .unwrap()
            .iter()
            .map(|begin| begin.as_str().unwrap())
            .collect()
    });
    for begin in &begins {
        let there = tests.keys().any(|name| name.starts_with(begin));
        assert!(there, "{id}: no test begins with `{begin}`");
    }
    tests
        .iter()
        .filter(|(name, _)| {
            is_named_after(name, id) || begins.iter().any(|begin| name.starts_with(begin))
        })
        .map(|(name, file)| (name.clone(), file.clone()))
        .collect()
}

#[test]
fn every_requirement_is_shown_by_a_test_or_has_a_reason() {
    let file = fs::read_to_string(root().join("docs/requirements.toml")).unwrap();
    let groups: toml::Table = file.parse().unwrap();
    let tests = tests();
    let mut document = String::from(
        "# Requirements and what shows them\n\n\
         Made of `docs/requirements.toml` by `core/tests/requirements.rs`; the names are those of tests, of rules \
         in the browser\nand of scenarios. What the standards say is in OWASP ASVS 5.0 and NIST SP 800-63B-4; \
         A01 to A56 are attacks that happened.\n",
    );
    let mut open = Vec::new();
    for (group, rows) in &groups {
        let title = group.replace('-', " ");
        write!(
            document,
            "\n## {title}\n\n| id | requirement | shown by |\n| --- | --- | --- |\n"
        )
        .unwrap();
        for (id, row) in rows.as_table().unwrap() {
            let row = row.as_table().unwrap();
            let what = row.get("what").and_then(|what| what.as_str()).unwrap();
            let reason = row.get("reason").map(|reason| reason.as_str().unwrap());
            let shown = shown_by(id, row, &tests);
            let cell = match (shown.is_empty(), reason) {
                (false, None) => named(&shown),
                (true, Some(reason)) => format!("*{reason}*"),
                (false, Some(_)) => panic!("{id} has tests and a reason: drop the reason"),
                (true, None) => {
                    open.push(id.clone());
                    continue;
                }
            };
            writeln!(document, "| {id} | {what} | {cell} |").unwrap();
        }
    }
    assert!(
        open.is_empty(),
        "neither a test nor a reason: {}",
        open.join(" ")
    );
    expect_test::expect_file!["../../docs/requirements.md"].assert_eq(&document);
}

fn named(shown: &[(String, String)]) -> String {
    let mut cell: Vec<String> = shown
        .iter()
        .take(NAMED_MAX)
        .map(|(name, file)| format!("[`{name}`](../{file})"))
        .collect();
    if let Some(more) = shown.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        cell.push(format!("and {more} more"));
    }
    cell.join(", ")
}
