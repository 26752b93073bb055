//! Plugins: what is installed beside a store, in the server that runs and on the command line.
//!
//! The host of WASM guests is heavy to build, so it comes with the feature `plugins`. A build without it
//! does not serve a portal that has plugins: what they refuse would be allowed.

#[cfg(feature = "plugins")]
mod bench;
#[cfg(feature = "plugins")]
mod commands;
#[cfg(feature = "plugins")]
mod installing;
#[cfg(feature = "plugins")]
mod meters;
#[cfg(feature = "plugins")]
mod templates;
#[cfg(feature = "plugins")]
mod trying;

#[cfg_attr(not(feature = "plugins"), path = "without.rs")]
mod running;

use std::path::PathBuf;

use narthex::StoreUrl;
use serde::{Deserialize, Serialize};

#[cfg(feature = "plugins")]
pub(crate) use commands::run;
#[cfg(feature = "plugins")]
pub(crate) use meters::PluginCollector;
pub(crate) use running::Plugins;
#[cfg(not(feature = "plugins"))]
pub(crate) use running::no_command;

use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::Failure;

/// Where plugins are installed unless the configuration says where: beside the store.
pub(crate) fn default_folder(url: &StoreUrl) -> Option<PathBuf> {
    Some(url.path()?.with_added_extension("plugins"))
}

/// Whether anything is installed there that is not disabled.
#[cfg_attr(
    feature = "plugins",
    expect(dead_code, reason = "for builds that cannot run them")
)]
pub(crate) fn any_installed(folder: &std::path::Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .any(|path| path.join("plugin.toml").exists() && !path.join("disabled").exists())
}

/// Has a running server take what is installed now.
#[derive(Deserialize, Serialize)]
pub(crate) struct Reload {}

/// What it runs from now on.
#[derive(Deserialize, Serialize)]
pub(crate) struct Reloaded {
    pub(crate) plugins: Vec<String>,
}

impl Operation for Reload {
    type Reply = Reloaded;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Reloaded, Failure> {
        let plugins = desk.plugins.reload(&desk.portal).await?;
        Ok(Reloaded { plugins })
    }
}

impl Reply for Reloaded {
    fn tell(&self) {
        match self.plugins.is_empty() {
            true => say!("The running server has no plugins now."),
            false => say!("The running server now has: {}.", self.plugins.join(", ")),
        }
    }
}
