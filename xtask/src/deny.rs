//! Which crates may be part of narthex, and whether any has a known flaw: `deny.toml`, by cargo-deny.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{cargo, find, root, run, target};

/// The manifests of what has a lock file of its own.
fn workspaces() -> Result<Vec<PathBuf>, String> {
    let listed = Command::new("git")
        .args(["ls-files", "Cargo.lock", "*/Cargo.lock"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("git did not start: {error}"))?;
    let locks = String::from_utf8_lossy(&listed.stdout);
    let manifests: Vec<PathBuf> = locks
        .lines()
        .map(|lock| PathBuf::from(lock).with_file_name("Cargo.toml"))
        .collect();
    match manifests.is_empty() {
        true => Err("git lists no Cargo.lock here: run this in a checkout".into()),
        false => Ok(manifests),
    }
}

/// Licences, bans and sources of every workspace, then the advisories of RustSec.
///
/// # Errors
/// A crate that may not be part of it, or has a known flaw; or cargo-deny cannot be had. Without the
/// network the advisories are not asked, which is said.
pub(crate) fn deny() -> Result<(), String> {
    let workspaces = workspaces()?;
    let tool = cargo_deny()?;
    let check = |manifest: &Path, checks: &[&str]| {
        let mut command = Command::new(&tool);
        command
            .arg("--manifest-path")
            .arg(manifest)
            .arg("--config")
            .arg(root().join("deny.toml"))
            .args([
                "check",
                "--allow",
                "license-not-encountered",
                "--allow",
                "license-exception-not-encountered",
            ])
            .args(checks)
            .current_dir(root());
        command
    };
    for manifest in &workspaces {
        run(&mut check(manifest, &["licenses", "bans", "sources"]))?;
    }
    if !reaches_advisories(&tool)? {
        println!(
            "\nNOT CHECKED: advisories. The database of RustSec could not be fetched; run this again \
             where https://github.com can be reached."
        );
        return Ok(());
    }
    for manifest in &workspaces {
        run(&mut check(manifest, &["advisories"]))?;
    }
    Ok(())
}

fn reaches_advisories(tool: &PathBuf) -> Result<bool, String> {
    let fetched = Command::new(tool)
        .args(["fetch", "db"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("cargo-deny did not start: {error}"))?;
    Ok(fetched.status.success())
}

/// On the `PATH`, from an earlier run, or built now.
fn cargo_deny() -> Result<PathBuf, String> {
    if let Some(found) = find("cargo-deny") {
        return Ok(found);
    }
    let tools = target().join("tools");
    let built = tools.join("bin/cargo-deny");
    if !built.is_file() {
        println!(
            "cargo-deny is built once into {}: some minutes",
            tools.display()
        );
        let mut install = cargo(&["install", "--locked", "cargo-deny", "--root"]);
        run(install.arg(&tools))?;
    }
    Ok(built)
}
