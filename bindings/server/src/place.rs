//! Which portal a command is about.

use std::path::{Path, PathBuf};

use clap::Args;
use narthex::core::Portal;
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
    /// A store: redb:///absolute/path
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
        options.keys = Some(self.0.join("keys").join("portal.keys"));
        options
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store").join("portal.redb")
    }
}

impl PlaceArgs {
    /// Opens the portal that the arguments name, which must be there.
    pub(crate) async fn open(&self) -> Result<Portal, Failure> {
        let options = self.options()?;
        if is_missing(&options.url) {
            let told = "say which one with --config, --data or --store";
            let url = &options.url;
            return Err(Failure::usage(format!("there is no store {url}: {told}")));
        }
        Ok(narthex::open(options).await?)
    }

    /// Opens the portal that the arguments name; makes its store if it is not there.
    pub(crate) async fn open_or_make(&self) -> Result<Portal, Failure> {
        Ok(narthex::open(self.options()?).await?)
    }

    /// Opens the portal that the arguments name, or an empty one that is forgotten.
    pub(crate) async fn open_or_imagine(&self) -> Result<Portal, Failure> {
        let mut options = self.options()?;
        if is_missing(&options.url) {
            (options.url, options.keys) = (StoreUrl::Memory, None);
        }
        Ok(narthex::open(options).await?)
    }

    fn options(&self) -> Result<OpenOptions, Failure> {
        if let Some(url) = &self.store {
            let mut options = OpenOptions::new(url.clone());
            options.keys.clone_from(&self.keys);
            return Ok(options);
        }
        if let Some(data) = &self.data {
            return Ok(DataFolder::at(data)?.options());
        }
        let found = Path::new(CONFIG_FILE).exists().then(|| CONFIG_FILE.into());
        match self.config.clone().or(found) {
            Some(path) => Config::load(Some(&path), Overrides::default())?.options(),
            None => Ok(DataFolder::at(Path::new(DATA_FOLDER))?.options()),
        }
    }
}

fn is_missing(url: &StoreUrl) -> bool {
    matches!(url, StoreUrl::Redb(path) if !path.exists())
}
