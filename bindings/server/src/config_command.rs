//! `narthex config`: the settings in force, whether they are good, a file to begin with.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::config::ConfigCommand;
use crate::config::{Config, Shown};
use crate::failure::{Failure, Outcome};
use crate::paint::Paint;
use crate::place::CONFIG_FILE;

/// Every setting with its default and what it does.
pub(crate) const TEMPLATE: &str = include_str!("../narthex.example.toml");

/// How systemd runs it.
const UNIT: &str = include_str!("../packaging/narthex.service");

/// Runs a `config` command.
pub(crate) fn run(command: ConfigCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        ConfigCommand::Show { config } => show(&load(config)?, json),
        ConfigCommand::Validate { config } => {
            let config = load(config)?;
            config.options()?;
            config.settings()?;
            if json {
                say!("{}", json!({ "good": true }));
            } else {
                say!("The configuration is good.");
            }
            Ok(Outcome::Done)
        }
        ConfigCommand::Template => {
            say!("{}", TEMPLATE.trim_end());
            Ok(Outcome::Done)
        }
        ConfigCommand::Unit => {
            say!("{}", UNIT.trim_end());
            Ok(Outcome::Done)
        }
    }
}

/// The file that is named, or the usual one; with neither, defaults and environment.
fn load(path: Option<PathBuf>) -> Result<Config, Failure> {
    let usual = Path::new(CONFIG_FILE);
    let found = usual.exists().then(|| usual.to_owned());
    Config::load(path.or(found).as_deref(), Vec::new())
}

fn show(config: &Config, json: bool) -> Result<Outcome, Failure> {
    let shown = config.shown();
    if json {
        let told = serde_json::to_string(&json!({ "settings": shown }));
        say!("{}", told.map_err(Failure::failed)?);
        return Ok(Outcome::Done);
    }
    let paint = Paint::for_stdout();
    let width = shown
        .iter()
        .map(|shown| shown.setting.len())
        .max()
        .unwrap_or(0);
    for Shown {
        setting,
        value,
        origin,
    } in &shown
    {
        let value = value.as_deref().unwrap_or("-");
        say!(
            "{setting:<width$}  {}  {}",
            paint.strong(value),
            paint.faint(origin)
        );
    }
    Ok(Outcome::Done)
}
