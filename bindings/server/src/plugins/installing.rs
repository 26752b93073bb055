//! Where plugins are installed, and what they are sealed with.

use std::path::PathBuf;

use narthex::core::host::{KeyPurpose, KeyRing};
use narthex::wasm::{InstallKey, PluginFolder};
use narthex::{KeyFile, Portal};

use crate::config::Config;
use crate::failure::Failure;
use crate::place::PlaceArgs;

use super::default_folder;

const SEALS: &[u8] = b"plugin-install";
/// The languages of the pages.
const LANGUAGES: [&str; 2] = ["en", "es"];

pub(super) fn folder_at(path: PathBuf, key: InstallKey) -> PluginFolder {
    PluginFolder::new(path, key, &LANGUAGES)
}

/// From the keys of the portal: who has the folder alone cannot seal.
pub(super) fn install_key(portal: &Portal) -> Result<InstallKey, Failure> {
    Ok(InstallKey::new(portal.tag(&[SEALS])?))
}

/// The same without opening the portal, which a running server may have.
fn install_key_of(ring: &KeyRing) -> Result<InstallKey, Failure> {
    let id = ring.current(KeyPurpose::Tags);
    let bytes = ring.mac(KeyPurpose::Tags, id, &[SEALS]);
    Ok(InstallKey::new(bytes.map_err(Failure::failed)?))
}

/// Where the plugins of a place are.
pub(super) fn path_of(place: &PlaceArgs) -> Result<PathBuf, Failure> {
    let configured = place
        .configuration()?
        .and_then(|config: Config| config.plugins_folder());
    let path = match configured {
        Some(path) => Some(path),
        None => default_folder(&place.options()?.url),
    };
    path.ok_or_else(|| Failure::usage("a store in memory has no plugins"))
}

/// The folder of a place, to read and to write.
pub(super) fn folder_of(place: &PlaceArgs) -> Result<PluginFolder, Failure> {
    let options = place.options()?;
    let Some(keys) = options.keys_path()? else {
        return Err(Failure::usage("a store in memory has no plugins"));
    };
    let ring = KeyFile::load(&keys)
        .map_err(|error| {
            Failure::failed(format!(
                "{error}. Plugins are sealed with the store's keys: start the server once, which makes them"
            ))
        })?
        .ring;
    Ok(folder_at(path_of(place)?, install_key_of(&ring)?))
}

/// The folder of a place, to list it and to put plugins out: without keys.
pub(super) fn unsealed_folder_of(place: &PlaceArgs) -> Result<PluginFolder, Failure> {
    Ok(folder_at(path_of(place)?, InstallKey::new([0; 32])))
}
