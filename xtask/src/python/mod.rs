//! The Python package, as somebody gets it who installs it: in a new environment, from its wheel.

mod wheel;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser;
use crate::tools::{now, python_environment, root, run, target};

pub(crate) use wheel::{bench, wheel};

/// What builds the wheel.
const MATURIN: &str = "maturin>=1.16,<2";

/// Builds the wheel, installs it into a new environment, and runs all its tests there: those of the
/// package, its types and stubs, those of the examples, and these in a browser.
///
/// # Errors
/// What failed, or which command installs what is missing.
pub(crate) fn test() -> Result<(), String> {
    let package = package();
    let environment = Environment::new("environment")?;
    environment.pip(&["--group", "test", MATURIN])?;
    let wheels = emptied(&place().join("wheels"))?;
    timed("the wheel was built (without optimization)", || {
        run(environment
            .tool("maturin")
            .args(["build", "--quiet", "--profile", "dev", "--out"])
            .arg(&wheels))
    })?;
    let wheel = only(&wheels, ".whl")?;
    timed("pip installed the wheel", || environment.pip_file(&wheel))?;
    run(environment.tool("pytest").arg("--quiet"))?;
    // A warning of what Django deprecates is not ours.
    run(environment
        .tool("python")
        .args(["-W", "ignore", "tests/djangos_own.py"])
        .arg(place().join("django")))?;
    let cache = place().join("mypy");
    let mypy = |folder: &Path, arguments: &[&str]| {
        run(environment
            .tool("mypy")
            .arg("--config-file")
            .arg(package.join("pyproject.toml"))
            .arg("--cache-dir")
            .arg(cache.join(folder.file_name().unwrap_or_default()))
            .args(arguments)
            .current_dir(folder))
    };
    mypy(&package, &["--package", "narthex"])?;
    mypy(&package, &["benches", "tests"])?;
    for (example, files) in [
        ("fastapi-diary", "main.py"),
        ("flask-diary", "app.py"),
        ("django-diary", "diary"),
    ] {
        mypy(&root().join("examples").join(example), &[files])?;
    }
    run(environment
        .tool("stubtest")
        .args(["narthex._narthex", "--ignore-missing-stub"]))?;
    timed("the examples in a browser", || {
        let mut npm = browser::npm("test:python")?;
        run(npm.env("NARTHEX_PYTHON", environment.programs.join("python")))
    })
}

/// The folder of the package.
fn package() -> PathBuf {
    root().join("bindings/python")
}

/// Where environments and wheels are made.
fn place() -> PathBuf {
    target().join("python")
}

/// A virtual environment of its own.
struct Environment {
    /// The folder of its programs.
    programs: PathBuf,
}

impl Environment {
    /// A new one; what was there under this name is gone.
    fn new(name: &str) -> Result<Self, String> {
        let folder = place().join(name);
        let made = Self {
            programs: python_environment(&folder)?,
        };
        made.pip(&["--upgrade", "pip"])?;
        Ok(made)
    }

    /// One of its programs, run in the folder of the package.
    fn tool(&self, name: &str) -> Command {
        let mut tool = Command::new(self.programs.join(name));
        tool.current_dir(package());
        tool
    }

    fn pip(&self, what: &[&str]) -> Result<(), String> {
        run(self.tool("pip").args(["install", "--quiet"]).args(what))
    }

    fn pip_file(&self, file: &Path) -> Result<(), String> {
        run(self.tool("pip").args(["install", "--quiet"]).arg(file))
    }
}

/// Does it, and says how long it took.
fn timed(what: &str, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let begun = now();
    work()?;
    let took = now().saturating_sub(begun);
    println!("{what} in {:.1} s", took.as_secs_f64());
    Ok(())
}

/// The folder, with nothing in it.
fn emptied(folder: &Path) -> Result<PathBuf, String> {
    if folder.exists() {
        let removed = std::fs::remove_dir_all(folder);
        removed.map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(folder.to_owned())
}

/// The only file of a folder that ends so.
fn only(folder: &Path, ending: &str) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let file = files.find(|path| path.to_string_lossy().ends_with(ending));
    file.ok_or_else(|| format!("there is no {ending} in {}", folder.display()))
}
