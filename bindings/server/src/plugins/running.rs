//! The plugins of a portal that is served.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use narthex::Portal;
use narthex::wasm::{Guest, Host, HostOptions, PluginFolder};

use super::installing::{folder_at, install_key};
use crate::failure::Failure;

/// What runs. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plugins(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    host: Option<Host>,
    folder: Option<PathBuf>,
    guests: Vec<Arc<Guest>>,
}

impl Plugins {
    /// Loads what is installed in `folder`, and has the portal ask it.
    pub(crate) async fn start(
        &self,
        folder: Option<PathBuf>,
        portal: &Portal,
    ) -> Result<(), Failure> {
        self.lock().folder = folder;
        self.reload(portal).await.map(drop)
    }

    /// Loads what is installed now; if that cannot be, what ran before goes on.
    pub(crate) async fn reload(&self, portal: &Portal) -> Result<Vec<String>, Failure> {
        let Some(path) = self.lock().folder.clone() else {
            return Ok(Vec::new());
        };
        let folder = folder_at(path, install_key(portal)?);
        let host = self.lock().host.clone();
        let loading = tokio::task::spawn_blocking(move || load(&folder, host));
        let (host, hooks, guests) = loading.await.map_err(Failure::failed)??;
        portal.set_hooks(hooks).map_err(Failure::failed)?;
        let names = guests
            .iter()
            .map(|guest| guest.name().to_string())
            .collect();
        let mut running = self.lock();
        running.host = host;
        running.guests = guests;
        Ok(names)
    }

    /// What runs now.
    pub(crate) fn guests(&self) -> Vec<Arc<Guest>> {
        self.lock().guests.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Loaded = (Option<Host>, narthex::core::hook::Hooks, Vec<Arc<Guest>>);

fn load(folder: &PluginFolder, host: Option<Host>) -> Result<Loaded, Failure> {
    if folder.names().map_err(Failure::failed)?.is_empty() {
        // No engine where there is nothing for it.
        return Ok((host, narthex::core::hook::Hooks::default(), Vec::new()));
    }
    let host = match host {
        Some(host) => host,
        None => Host::start(HostOptions::default()).map_err(Failure::failed)?,
    };
    let (hooks, guests) = folder.hooks(&host).map_err(|error| {
        Failure::failed(format!(
            "{error}. Nobody is let in without what it would have refused; to go on without it: narthex \
             plugin disable NAME"
        ))
    })?;
    Ok((Some(host), hooks, guests))
}
