//! Which portal a command is about.

use std::path::{Path, PathBuf};

use clap::Args;
use narthex::core::model::Contact;
use narthex::{OpenOptions, StoreUrl};

use crate::config::{Config, Overrides};
use crate::failure::Failure;

/// Where the portal's records are. Without any of these: `./narthex.toml` if it is there, else the
/// demo's `./narthex-data`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PlaceArgs {
    /// The configuration of `narthex serve`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "store"])]
    pub(crate) config: Option<PathBuf>,
    /// The folder of `narthex demo`
    #[arg(long, value_name = "DIR", conflicts_with = "store")]
    pub(crate) data: Option<PathBuf>,
    /// A store: redb:///absolute/path, or sled:///absolute/path
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<StoreUrl>,
    /// The key file of the store
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) keys: Option<PathBuf>,
}

/// The folder of a demo: the store and its keys in folders of their own.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder(PathBuf);

/// Where the demo keeps its data unless it is told otherwise.
pub(crate) const DATA_FOLDER: &str = "narthex-data";
/// Where `serve` looks for its configuration unless it is told otherwise.
pub(crate) const CONFIG_FILE: &str = "narthex.toml";

impl DataFolder {
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        let absolute = std::path::absolute(path)
            .map_err(|e| Failure::failed(format!("the folder {}: {e}", path.display())))?;
        Ok(Self(absolute))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::new(StoreUrl::Redb(self.store()));
        options.keys = Some(self.keys());
        options
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys").join("portal.keys")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store").join("portal.redb")
    }
}

impl PlaceArgs {
    /// Where people find the portal, as far as its configuration says.
    pub(crate) fn base_url(&self) -> Result<Option<String>, Failure> {
        Ok(self.configuration()?.and_then(|config| config.base_url()))
    }

    /// The humans to write to, as far as the configuration names them.
    pub(crate) fn help(&self) -> Result<Vec<Contact>, Failure> {
        Ok(self
            .configuration()?
            .map(|config| config.help())
            .unwrap_or_default())
    }

    pub(crate) fn configuration(&self) -> Result<Option<Config>, Failure> {
        if self.store.is_some() || self.data.is_some() {
            return Ok(None);
        }
        let found = Path::new(CONFIG_FILE).exists().then(|| CONFIG_FILE.into());
        let path = self.config.clone().or(found);
        path.map(|path| Config::load(Some(&path), Overrides::default()))
            .transpose()
    }

    /// What the arguments name.
    pub(crate) fn options(&self) -> Result<OpenOptions, Failure> {
        if let Some(url) = &self.store {
            let mut options = OpenOptions::new(url.clone());
            options.keys.clone_from(&self.keys);
            return Ok(options);
        }
        if let Some(data) = &self.data {
            return Ok(DataFolder::at(data)?.options());
        }
        match self.configuration()? {
            Some(config) => config.options(),
            None => Ok(DataFolder::at(Path::new(DATA_FOLDER))?.options()),
        }
    }
}

/// Whether there is no such store yet.
pub(crate) fn is_missing(url: &StoreUrl) -> bool {
    url.path().is_some_and(|path| !path.exists())
}

/// Where a server that holds the store takes commands: beside it.
pub(crate) fn control_socket(url: &StoreUrl) -> Option<PathBuf> {
    Some(url.path()?.with_added_extension("sock"))
}
