//! The repository's own commands: one entry for people and for CI.

mod browser;
mod deny;
mod python;
mod steps;
mod tools;
mod wasm;

use std::process::ExitCode;

const HELP: &str = "\
The repository's own commands.

  cargo xtask test            everything that must pass, installing or starting what it needs
  cargo xtask test --list     the steps of it
  cargo xtask test STEP...    some steps only, for instance: cargo xtask test lint browser
  cargo xtask bench [--quick] the benchmarks: one table each, `ours | peer | ratio | goal`
  cargo xtask bench-python    the same from Python: Django's sessions, signed cookies, middleware
  cargo xtask wheel           the Python package to hand out: source and manylinux wheel, both tried
  cargo xtask deny            licences, sources and known flaws of every dependency (cargo-deny)
  cargo xtask fuzz [SECONDS]  each fuzz target for so long (60; needs a nightly and cargo-fuzz)

`cargo xtask test` needs rustup's stable Rust; for the browser tests also Chromium and Node.js, for the
Python package a Python (3.10 or later) with venv, for guests clang, lld and rustup's target
wasm32-unknown-unknown, which it installs where it may (apt-get as root), and otherwise says how to. It
takes packages from crates.io, npm and PyPI.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match command {
        "test" => steps::test(rest),
        "bench" => steps::bench(rest),
        "bench-python" => python::bench(rest),
        "wheel" => python::wheel(),
        "deny" => deny::deny(),
        "fuzz" => steps::fuzz(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!(
            "there is no command `{other}`; try: cargo xtask help"
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}
