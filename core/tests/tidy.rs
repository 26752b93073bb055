//! The arrows of the house: who may know whom, and what is deliberately absent.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        .parse()
        .unwrap()
}

fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = manifest(folder);
    let table = manifest.get("dependencies").and_then(|d| d.as_table());
    table
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

fn ours(folder: &str) -> BTreeSet<String> {
    dependencies(folder)
        .into_iter()
        .filter(|name| name.starts_with("narthex"))
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_core_knows_nobody() {
    assert_eq!(ours("core"), set(&[]));
    let forbidden = [
        "tokio",
        "hyper",
        "http",
        "redb",
        "sled",
        "argon2",
        "getrandom",
        "rand",
    ];
    for name in forbidden {
        assert!(
            !dependencies("core").contains(name),
            "core depends on {name}"
        );
    }
}

#[test]
fn adapters_know_the_core_and_not_each_other_but_for_hyper_and_http() {
    assert_eq!(ours("core/conformance"), set(&["narthex-core"]));
    for adapter in [
        "outbox",
        "argon2",
        "redb",
        "sled",
        "oneroster",
        "http",
        "wasm",
    ] {
        assert_eq!(
            ours(&format!("adapters/{adapter}")),
            set(&["narthex-core"]),
            "{adapter}"
        );
    }
    let hyper = ours("adapters/hyper");
    assert!(
        hyper.contains("narthex-http") && hyper.is_subset(&set(&["narthex-core", "narthex-http"]))
    );
}

#[test]
fn the_server_reaches_the_engine_through_the_rust_binding() {
    assert_eq!(ours("bindings/server"), set(&["narthex"]));
    // Its module for tests brings the clock and the scenarios of the conformance suite along.
    let python = set(&["narthex", "narthex-conformance"]);
    assert_eq!(ours("bindings/python"), python);
    let allowed = set(&[
        "narthex-core",
        "narthex-argon2",
        "narthex-redb",
        "narthex-sled",
        "narthex-oneroster",
        "narthex-outbox",
        "narthex-http",
        "narthex-hyper",
        "narthex-wasm",
    ]);
    assert!(
        ours("bindings/rust").is_subset(&allowed),
        "{:?}",
        ours("bindings/rust")
    );
}

fn sources(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "node_modules" {
            sources(&path, extension, found);
        } else if name.ends_with(extension) {
            found.push(path);
        }
    }
}

/// The code of a file without its tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or("");
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn rules_read_no_clock_draw_no_randomness_and_await_nothing() {
    let mut files = Vec::new();
    sources(&root().join("core/src/rules"), ".rs", &mut files);
    assert!(files.len() >= 8);
    for file in files {
        let code = code(&file);
        for word in [
            "async ",
            ".await",
            "Entropy",
            "dyn Clock",
            "dyn Store",
            "std::time::Instant",
        ] {
            assert!(!code.contains(word), "{} has `{word}`", file.display());
        }
    }
}

#[test]
fn only_http_knows_html_and_only_hyper_knows_sockets() {
    for (folder, words) in [
        (
            "core/src",
            &["<html", "text/html", "TcpListener", "std::fs"][..],
        ),
        ("adapters/argon2/src", &["text/html", "TcpListener"]),
        ("adapters/redb/src", &["text/html", "TcpListener"]),
        ("adapters/sled/src", &["text/html", "TcpListener"]),
        ("adapters/oneroster/src", &["text/html", "TcpListener"]),
        (
            "adapters/http/src",
            &["TcpListener", "TcpStream", "tokio::net", "std::fs"],
        ),
        ("adapters/hyper/src", &["<html", "text/html"]),
    ] {
        let mut files = Vec::new();
        sources(&root().join(folder), ".rs", &mut files);
        assert!(!files.is_empty(), "{folder}");
        for file in files {
            let code = code(&file);
            for word in words {
                assert!(!code.contains(word), "{} has `{word}`", file.display());
            }
        }
    }
}

#[test]
fn the_top_level_is_the_layout() {
    let allowed = [
        "adapters",
        "benches",
        "bindings",
        "core",
        "docs",
        "examples",
        "fuzz",
        "target",
        "xtask",
        "narthex-data",
        "Cargo.toml",
        "Cargo.lock",
        "clippy.toml",
        "rustfmt.toml",
        "deny.toml",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "README.md",
        "ARCHITECTURE.md",
        "STYLE.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(
            name.starts_with('.') || allowed.contains(&name.as_str()),
            "{name} at the top level"
        );
    }
}

#[test]
fn the_python_package_carries_the_same_licences() {
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let ours = fs::read(root().join(name)).unwrap();
        let carried = fs::read(root().join("bindings/python").join(name)).unwrap();
        assert!(ours == carried, "bindings/python/{name} is another text");
    }
}

#[test]
fn every_member_of_the_workspace_has_a_comment_and_the_lints() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = text
        .split("members = [")
        .nth(1)
        .unwrap()
        .split(']')
        .next()
        .unwrap();
    for line in members.lines().filter(|line| line.contains('"')) {
        assert!(line.contains("# "), "no comment: {line}");
        let folder = line.split('"').nth(1).unwrap();
        let lints = manifest(folder).get("lints").cloned().unwrap();
        if folder == "adapters/wasm" {
            // `forbid` cannot be lifted for one call, `deny` can: all else is the workspace's.
            let workspace: toml::Table = text.parse().unwrap();
            let mut wanted = workspace["workspace"]["lints"].clone();
            wanted["rust"]["unsafe_code"] = "deny".into();
            assert_eq!(lints, wanted, "{folder} has lints of its own");
            continue;
        }
        let inherits = lints.get("workspace").is_some();
        assert!(inherits, "{folder} does not take the workspace's lints");
    }
}

#[test]
fn a48_only_one_file_of_the_wasm_host_is_unsafe_and_it_is_one_call() {
    let mut files = Vec::new();
    sources(&root().join("adapters/wasm/src"), ".rs", &mut files);
    for file in files {
        let wanted = usize::from(file.ends_with("trusted.rs"));
        let found = code(&file).matches("unsafe {").count();
        assert_eq!(found, wanted, "{}", file.display());
    }
}

#[test]
fn no_document_names_a_path_of_a_machine() {
    let mut files = Vec::new();
    for extension in [
        ".md", ".rs", ".toml", ".json", ".js", ".mjs", ".html", ".css",
    ] {
        for folder in [
            "adapters", "benches", "bindings", "core", "docs", "examples", "fuzz", "xtask",
        ] {
            sources(&root().join(folder), extension, &mut files);
        }
    }
    let private = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for path in private {
            assert!(!text.contains(path), "{} names {path}", file.display());
        }
    }
}
