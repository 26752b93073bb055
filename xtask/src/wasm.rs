//! The plugin host and the server with plugins: heavy to build, so apart from the other Rust tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{cargo, ensure, python_environment, root, run, target};

/// What is built together shares its dependencies' features: wasmtime is compiled once.
const PACKAGES: [&str; 8] = [
    "-p",
    "narthex-wasm",
    "-p",
    "narthex-server",
    "-p",
    "wasm-embed",
    "--features",
    "narthex-server/plugins",
];

/// Clippy, the tests of the host and of the server with plugins, and the authors' templates.
///
/// # Errors
/// The first that failed.
pub(crate) fn test() -> Result<(), String> {
    let target = target();
    rustup_target()?;
    // The core has no clock, randomness or files of its own: it goes wherever WebAssembly goes.
    run(
        cargo(&["check", "-p", "narthex-core", "--target", TRIPLE]).env("RUSTFLAGS", "-D warnings")
    )?;
    let guests = build_guests(&target)?;
    run(cargo(&["clippy"])
        .args(PACKAGES)
        // Its benchmark of log-ins with a plugin.
        .args(["-p", "narthex", "--features", "narthex/plugins"])
        .args(["--all-targets", "--", "-D", "warnings"]))?;
    run(cargo(&["doc", "--no-deps", "--quiet"])
        .args(PACKAGES)
        .env("RUSTDOCFLAGS", "-D warnings"))?;
    let tests = [
        "--lib", "--test", "abi", "--test", "hostile", "--test", "loading", "--test", "folder",
    ];
    let more = [
        "--test",
        "languages",
        "--test",
        "application",
        "--test",
        "plugins",
        "--test",
        "walk",
        "--test",
        "precompiled",
    ];
    run(cargo(&["test"])
        .args(PACKAGES)
        .args(tests)
        .args(more)
        .args(["--", "--include-ignored"])
        .env("NARTHEX_GUESTS", &guests))?;
    // What loads only has no compiler in it: it builds without one, and runs what the tests before
    // have installed.
    let alone = ["-p", "narthex-wasm", "--no-default-features"];
    run(cargo(&["clippy"]).args(alone).args([
        "--lib",
        "--test",
        "precompiled",
        "--",
        "-D",
        "warnings",
    ]))?;
    run(cargo(&["test"])
        .args(alone)
        .args(["--test", "precompiled", "--", "--include-ignored"])
        .env("NARTHEX_GUESTS", guests))
}

/// Builds the templates of `examples/plugins` and the guests of the tests.
fn build_guests(target: &Path) -> Result<PathBuf, String> {
    let folder = target.join("guests");
    let plugins = root().join("examples/plugins");
    let wit = root().join("bindings/wit/0.1.0");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let kiosk = root().join("examples/wasm-embed/guest");
    for (source, crate_name, name) in [
        (plugins.join("rust"), "no_mascot", "rust"),
        (kiosk, "kiosk", "kiosk"),
    ] {
        let to = folder.join(format!("{name}.wasm"));
        rust(&source, crate_name, &[], target, &to)?;
    }
    let sdk = root().join("adapters/wasm/tests/guests/sdk");
    for hook in features(&sdk)? {
        let to = folder.join(format!("sdk-{hook}.wasm"));
        rust(&sdk, "sdk_guest", &["--features", &hook], target, &to)?;
    }
    c(&plugins.join("c"), &folder)?;
    javascript(&plugins.join("javascript"), target, &wit, &folder)?;
    python(&plugins.join("python"), target, &wit, &folder)?;
    Ok(folder)
}

/// The features of a crate: one a hook.
fn features(source: &Path) -> Result<Vec<String>, String> {
    let path = source.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let table = text.lines().skip_while(|line| *line != "[features]");
    let lines = table.skip(1).take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = "));
    let names: Vec<String> = names.map(|(name, _)| name.to_owned()).collect();
    match names.is_empty() {
        true => Err(format!("{} has no features", path.display())),
        false => Ok(names),
    }
}

const TRIPLE: &str = "wasm32-unknown-unknown";

fn rustup_target() -> Result<(), String> {
    run(Command::new("rustup")
        .args(["target", "add", TRIPLE])
        .current_dir(root()))
}

fn rust(
    source: &Path,
    crate_name: &str,
    features: &[&str],
    target: &Path,
    to: &Path,
) -> Result<(), String> {
    let target = target.join("guest-rust");
    run(Command::new("cargo")
        .args(["build", "--release", "--locked", "--target", TRIPLE])
        .args(features)
        .current_dir(source)
        .env("CARGO_TARGET_DIR", &target))?;
    let built = target.join(TRIPLE).join("release").join(crate_name);
    copy(&built.with_added_extension("wasm"), to)
}

fn c(source: &Path, folder: &Path) -> Result<(), String> {
    let clang = ensure(&["clang"], &["clang"])?;
    ensure(&["wasm-ld"], &["lld"])?;
    run(Command::new(clang)
        .args([
            "--target=wasm32-unknown-unknown",
            "-Os",
            "-ffreestanding",
            "-fno-builtin",
        ])
        .args(["-nostdlib", "-Wall", "-Werror", "-Wl,--no-entry", "-o"])
        .arg(folder.join("c.wasm"))
        .arg("no_mascot.c")
        .current_dir(source))
}

/// In a copy: what npm installs stays out of the repository.
fn javascript(source: &Path, target: &Path, wit: &Path, folder: &Path) -> Result<(), String> {
    ensure(&["node"], &["nodejs", "npm"])?;
    let npm = ensure(&["npm"], &["npm"])?;
    let work = target.join("guest-javascript");
    // As new: what npm finds of a run before, it may make less of.
    if work.exists() {
        std::fs::remove_dir_all(&work).map_err(|error| error.to_string())?;
    }
    std::fs::create_dir_all(&work).map_err(|error| error.to_string())?;
    copy(&source.join("package.json"), &work.join("package.json"))?;
    run(Command::new(&npm)
        .args(["install", "--no-audit", "--no-fund"])
        .current_dir(&work))?;
    let throws = root().join("adapters/wasm/tests/guests/throws.js");
    for (from, name) in [
        (source.join("no_mascot.js"), "javascript"),
        (throws, "throws"),
    ] {
        copy(&from, &work.join("no_mascot.js"))?;
        run(Command::new(&npm)
            .args(["run", "build"])
            .current_dir(&work)
            .env("WIT", wit))?;
        copy(
            &work.join("no_mascot.wasm"),
            &folder.join(format!("{name}.wasm")),
        )?;
    }
    Ok(())
}

fn python(source: &Path, target: &Path, wit: &Path, folder: &Path) -> Result<(), String> {
    let programs = python_environment(&target.join("guest-python"))?;
    run(Command::new(programs.join("pip"))
        .args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "componentize-py==0.25.1",
        ])
        .current_dir(source))?;
    run(Command::new(programs.join("componentize-py"))
        .arg("--wit-path")
        .arg(wit)
        .args([
            "--world",
            "password-policy",
            "componentize",
            "--stub-wasi",
            "no_mascot",
            "--output",
        ])
        .arg(folder.join("python.wasm"))
        .current_dir(source)
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let copied = std::fs::copy(from, to);
    copied
        .map(drop)
        .map_err(|error| format!("{}: {error}", from.display()))
}
