//! What `cargo xtask test` is made of.

use std::process::Command;
use std::time::Duration;

use crate::tools::{cargo, ensure, find, root, run};

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result<(), String>,
}

const STEPS: [Step; 6] = [
    Step {
        name: "lint",
        what: "formatting, clippy and rustdoc, with warnings denied",
        run: lint,
    },
    Step {
        name: "rust",
        what: "all Rust tests, 200 kills of the server among them",
        run: rust,
    },
    Step {
        name: "fuzz-corpora",
        what: "the fuzz targets over their corpora",
        run: fuzz_corpora,
    },
    Step {
        name: "browser",
        what: "the rules S1-S18 in a real Chromium",
        run: browser,
    },
    Step {
        name: "release",
        what: "the release build that `cargo run --release` runs",
        run: release,
    },
    Step {
        name: "bench",
        what: "the benchmarks, quickly: do they run and print",
        run: quick_bench,
    },
];

/// All steps, or those named.
///
/// # Errors
/// The first step that failed, and how to run it alone.
pub(crate) fn test(arguments: &[String]) -> Result<(), String> {
    if arguments.iter().any(|argument| argument == "--list") {
        for step in &STEPS {
            println!("{:14} {}", step.name, step.what);
        }
        return Ok(());
    }
    if let Some(unknown) = arguments
        .iter()
        .find(|a| STEPS.iter().all(|s| s.name != **a))
    {
        return Err(format!(
            "there is no step `{unknown}`; see: cargo xtask test --list"
        ));
    }
    let chosen = |step: &&Step| arguments.is_empty() || arguments.iter().any(|a| a == step.name);
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for step in STEPS.iter().filter(chosen) {
        println!("\n== {}: {}", step.name, step.what);
        let begun = now();
        (step.run)().map_err(|error| {
            format!(
                "step `{0}`: {error}\nAlone: cargo xtask test {0}",
                step.name
            )
        })?;
        times.push((step.name, now().saturating_sub(begun)));
    }
    println!("\nAll steps passed:");
    for (name, time) in &times {
        println!("  {name:14} {:>5} s", time.as_secs());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("  {:14} {:>5} s", "in all", total.as_secs());
    Ok(())
}

fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "times the steps of a test run")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

fn lint() -> Result<(), String> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    run(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn rust() -> Result<(), String> {
    run(cargo(&["test", "--workspace", "--no-fail-fast"]).env("NARTHEX_KILLS", "200"))
}

fn fuzz_corpora() -> Result<(), String> {
    // A workspace of its own: the lint step does not reach it. One target directory for both, so that
    // what they share is built once.
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), std::path::PathBuf::from);
    let manifest = ["--manifest-path", "fuzz/Cargo.toml"];
    run(cargo(&["fmt", "--check"]).args(manifest))?;
    run(cargo(&["clippy", "--all-targets"])
        .args(manifest)
        .args(["--", "-D", "warnings"])
        .env("CARGO_TARGET_DIR", &target))?;
    run(cargo(&["test"])
        .args(manifest)
        .env("CARGO_TARGET_DIR", &target))
}

fn browser() -> Result<(), String> {
    let chromium = ensure(
        &["chromium", "chromium-browser", "google-chrome"],
        &["chromium", "fonts-dejavu-core"],
    )?;
    ensure(&["node"], &["nodejs", "npm"])?;
    let npm = ensure(&["npm"], &["npm"])?;
    let folder = root().join("bindings/server/browser");
    run(&mut cargo(&[
        "build",
        "-p",
        "narthex-server",
        "--example",
        "portal_under_test",
    ]))?;
    run(Command::new(&npm)
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(&folder))?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), std::path::PathBuf::from);
    run(Command::new(&npm)
        .arg("test")
        .current_dir(&folder)
        .env("CHROMIUM", chromium)
        .env(
            "NARTHEX_UNDER_TEST",
            target.join("debug/examples/portal_under_test"),
        ))
}

fn release() -> Result<(), String> {
    run(&mut cargo(&["build", "--release"]))
}

fn quick_bench() -> Result<(), String> {
    bench(&["--quick".to_owned()])
}

/// The benchmarks.
///
/// # Errors
/// One did not build or did not run.
pub(crate) fn bench(arguments: &[String]) -> Result<(), String> {
    let mut command = cargo(&["bench", "--package", "narthex-benches"]);
    if arguments.iter().any(|argument| argument == "--quick") {
        command.env("NARTHEX_BENCH_QUICK", "1");
    }
    run(&mut command)
}

/// Each fuzz target for a while.
///
/// # Errors
/// cargo-fuzz is not there, or a target found something.
pub(crate) fn fuzz(arguments: &[String]) -> Result<(), String> {
    if find("cargo-fuzz").is_none() {
        return Err("cargo-fuzz is needed: cargo install cargo-fuzz".into());
    }
    let seconds = arguments.first().map_or("60", String::as_str);
    for target in [
        "return_to",
        "roster_csv",
        "cookie_header",
        "record_decoding",
    ] {
        run(Command::new("cargo")
            .args(["+nightly", "fuzz", "run", target, "--"])
            .arg(format!("-max_total_time={seconds}"))
            .current_dir(root().join("fuzz")))?;
    }
    Ok(())
}
