//! The tests in a real browser: of the server, and of the Python examples.

use std::path::PathBuf;
use std::process::Command;

use crate::tools::{ensure, root, run};

/// The folder of the tests.
pub(crate) fn folder() -> PathBuf {
    root().join("bindings/server/browser")
}

/// `npm run SCRIPT` there, with everything it needs installed.
///
/// # Errors
/// What could not be installed, and which command installs it.
pub(crate) fn npm(script: &str) -> Result<Command, String> {
    let chromium = ensure(
        &["chromium", "chromium-browser", "google-chrome"],
        &["chromium", "fonts-dejavu-core"],
    )?;
    ensure(&["node"], &["nodejs", "npm"])?;
    let npm = ensure(&["npm"], &["npm"])?;
    run(Command::new(&npm)
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(folder()))?;
    let mut command = Command::new(npm);
    command
        .args(["run", script])
        .current_dir(folder())
        .env("CHROMIUM", chromium);
    Ok(command)
}
