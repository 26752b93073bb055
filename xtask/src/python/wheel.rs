//! What is handed out: a source distribution, and a wheel for every Linux of the last ten years.

use std::path::Path;

use super::{Environment, MATURIN, emptied, only, place, timed};
use crate::tools::{root, run, target};

/// glibc 2.17 and later: what Rust's own standard library asks for.
const PLATFORM: &str = "manylinux2014";
/// Links against an old glibc on a new machine.
const LINKER: &str = "ziglang>=0.14,<1";

/// Builds the source distribution and the wheel, and tries each in an environment that has nothing else.
///
/// # Errors
/// What failed.
pub(crate) fn wheel() -> Result<(), String> {
    let tools = Environment::new("wheel-tools")?;
    tools.pip(&[MATURIN, LINKER])?;
    let out = emptied(&target().join("dist"))?;
    run(tools.tool("maturin").args(["sdist", "--out"]).arg(&out))?;
    timed("the wheel was built", || {
        let mut maturin = tools.tool("maturin");
        maturin
            .args(["build", "--quiet", "--zig"])
            .args(["--compatibility", PLATFORM, "--out"])
            .arg(&out);
        // maturin looks for zig's Python on the PATH.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = vec![tools.programs.clone()];
        folders.extend(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).map_err(|error| error.to_string())?;
        run(maturin.env("PATH", path))
    })?;
    let (wheel, source) = (only(&out, ".whl")?, only(&out, ".tar.gz")?);
    if !wheel.to_string_lossy().contains("manylinux_2_17") {
        return Err(format!("{} is not tagged {PLATFORM}", wheel.display()));
    }
    try_out("wheel-tried", "pip installed the wheel", &wheel)?;
    try_out("sdist-tried", "pip built and installed the source", &source)?;
    for file in [&wheel, &source] {
        let size = std::fs::metadata(file).map_err(|error| error.to_string())?;
        println!("{} ({} KiB)", file.display(), size.len() / 1024);
    }
    Ok(())
}

/// Installs it where there is nothing else, and takes the tour of `docs/python.md`.
fn try_out(environment: &str, what: &str, file: &Path) -> Result<(), String> {
    let alone = Environment::new(environment)?;
    timed(what, || alone.pip_file(file))?;
    run(alone
        .tool("python")
        .args(["-m", "doctest"])
        .arg(root().join("docs/python.md"))
        // Not from the folder of the package: what was installed is tried.
        .current_dir(place()))?;
    println!("the tour of docs/python.md passed");
    Ok(())
}

/// The benchmarks beside what Python applications use otherwise, on an optimized build.
///
/// # Errors
/// What failed.
pub(crate) fn bench(arguments: &[String]) -> Result<(), String> {
    let environment = Environment::new("bench")?;
    environment.pip(&["--group", "bench", MATURIN])?;
    let wheels = emptied(&place().join("bench-wheels"))?;
    timed("the wheel was built", || {
        run(environment
            .tool("maturin")
            .args(["build", "--quiet", "--out"])
            .arg(&wheels))
    })?;
    environment.pip_file(&only(&wheels, ".whl")?)?;
    run(environment
        .tool("python")
        .arg("benches/compare.py")
        .args(arguments))
}
