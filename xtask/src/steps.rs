//! What `cargo xtask test` is made of.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::browser;
use crate::tools::{cargo, find, now, python_environment, root, run, target};

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result<(), String>,
}

const STEPS: [Step; 9] = [
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
        name: "wasm",
        what: "the plugin host, the server with plugins, guests in Rust, C, JavaScript and Python",
        run: crate::wasm::test,
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
        name: "openapi",
        what: "requests made up from openapi.json: nothing but documented answers",
        run: openapi,
    },
    Step {
        name: "python",
        what: "the Python package in a fresh environment: tests, types, stubs, documents, examples",
        run: crate::python::test,
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

fn lint() -> Result<(), String> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--exclude",
        "narthex-wasm",
        "--exclude",
        "wasm-embed",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    run(cargo(&[
        "doc",
        "--workspace",
        "--exclude",
        "narthex-wasm",
        "--exclude",
        "wasm-embed",
        "--no-deps",
        "--quiet",
    ])
    .env("RUSTDOCFLAGS", "-D warnings"))
}

/// The longest test, which waits for disks and processes: it runs beside all others.
const KILLS: &str = "what_was_acknowledged_holds_after_any_kill";

fn rust() -> Result<(), String> {
    let test = |more: &[&str]| {
        let mut command = cargo(&["test", "--workspace"]);
        command.args(["--exclude", "narthex-wasm", "--exclude", "wasm-embed"]);
        command.args(more).env("NARTHEX_KILLS", "200");
        command
    };
    run(&mut test(&["--no-run"]))?;
    let mut kills = test(&["--quiet", "--test", "kill_minus_nine"]);
    let mut others = test(&["--no-fail-fast", "--", "--skip", KILLS]);
    let (kills, others) = std::thread::scope(|scope| {
        let kills = scope.spawn(move || run(&mut kills));
        let others = run(&mut others);
        let died = || Err("the thread that waits for the kills has died".to_owned());
        (kills.join().unwrap_or_else(|_panic| died()), others)
    });
    others.and(kills)
}

fn fuzz_corpora() -> Result<(), String> {
    // A workspace of its own: the lint step does not reach it. One target directory for both, so that
    // what they share is built once.
    let target = target();
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
    let under_test = portal_under_test()?;
    run(browser::npm("test")?.env("NARTHEX_UNDER_TEST", under_test))
}

/// Builds the portal that is driven from outside.
fn portal_under_test() -> Result<PathBuf, String> {
    run(&mut cargo(&[
        "build",
        "-p",
        "narthex-server",
        "--example",
        "portal_under_test",
    ]))?;
    Ok(target().join("debug/examples/portal_under_test"))
}

fn openapi() -> Result<(), String> {
    let folder = root().join("bindings/server/openapi");
    let programs = python_environment(&target().join("openapi-python"))?;
    run(Command::new(programs.join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(["-r", "requirements.txt"])
        .current_dir(&folder))?;
    run(Command::new(programs.join("python"))
        .arg("check.py")
        .arg(portal_under_test()?)
        .current_dir(&folder))
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
    for (folder, target) in [
        ("fuzz", "return_to"),
        ("fuzz", "roster_csv"),
        ("fuzz", "cookie_header"),
        ("fuzz", "record_decoding"),
        ("fuzz/guests", "host_abi"),
    ] {
        run(Command::new("cargo")
            .args(["+nightly", "fuzz", "run", "--fuzz-dir", ".", target, "--"])
            .arg(format!("-max_total_time={seconds}"))
            .current_dir(root().join(folder)))?;
    }
    Ok(())
}
