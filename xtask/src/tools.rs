//! Finding, installing and running other programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Time since 1970.
pub(crate) fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "times the steps of a test run")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

/// A cargo command, run from the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    command
}

/// Runs to the end.
///
/// # Errors
/// Names the command that did not start or did not succeed.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    println!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(error) => Err(format!("`{shown}` did not start: {error}")),
    }
}

fn shown(command: &Command) -> String {
    let mut words = vec![
        Path::new(command.get_program())
            .file_name()
            .unwrap_or_default(),
    ];
    words.extend(command.get_args());
    words
        .iter()
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The path of a program, if it is on the `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The first of `names` that is there; else installs `packages` where that is possible.
///
/// # Errors
/// Says which command installs it.
pub(crate) fn ensure(names: &[&str], packages: &[&str]) -> Result<PathBuf, String> {
    let found = || names.iter().find_map(|name| find(name));
    if let Some(path) = found() {
        return Ok(path);
    }
    let name = names.first().copied().unwrap_or("a program");
    let by_hand = install(name, packages)?;
    found().ok_or_else(|| format!("{name} is still not there after: {by_hand}"))
}

/// Installs `packages`, without which there is no `name`; the command that does it.
///
/// # Errors
/// Says which command installs it, where this may not.
pub(crate) fn install(name: &str, packages: &[&str]) -> Result<String, String> {
    let by_hand = format!(
        "apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    let may_install = find("apt-get").is_some() && is_root();
    if !may_install {
        return Err(format!(
            "{name} is needed and not installed. On Debian or Ubuntu, as root: {by_hand}"
        ));
    }
    println!("{name} is not installed: installing it");
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    Ok(by_hand)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// A Python environment in `folder`, as new; its programs are in the folder returned.
///
/// # Errors
/// Says which command installs what is missing.
pub(crate) fn python_environment(folder: &Path) -> Result<PathBuf, String> {
    let python = ensure(&["python3"], &["python3", "python3-venv"])?;
    let make = || {
        run(Command::new(&python)
            .args(["-m", "venv", "--clear"])
            .arg(folder)
            .current_dir(root()))
    };
    if make().is_err() {
        // Debian's python3 has venv, but not what it needs to put pip into it.
        install("python3-venv", &["python3-venv"])?;
        make()?;
    }
    Ok(folder.join("bin"))
}
