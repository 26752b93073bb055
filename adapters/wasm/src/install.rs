//! Where an operator's plugins are installed: a folder for each, with the component that was looked
//! at, what was granted, and its compiled form.
//!
//! ```text
//! plugins/mascot/plugin.wasm      the component
//! plugins/mascot/plugin.toml      digest, grants, limits, settings; sealed
//! plugins/mascot/plain.cwasm     compiled here; sealed (`with-fuel.cwasm` where fuel is a limit)
//! plugins/mascot/disabled         there: it is not run
//! ```
//!
//! Both seals are HMACs under a key that is kept apart from the folder: who can write the folder alone
//! can take a plugin away, and cannot put one in, change one or give it more.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use narthex_core::hook::{Code, Hooks};
use sha2::Sha256;
use wasmtime::component::Component;
use zeroize::Zeroizing;

use crate::fault::LoadError;
use crate::guest::{Description, Guest, GuestOptions, asked, exports};
use crate::hook::{Capability, Hook};
use crate::host::{Host, Machine};
use crate::limits::Limits;
use crate::manifest::{Digest, Manifest};
use crate::signature::{SignatureError, Signed};
use crate::trusted;

/// The most plugins that are installed.
const PLUGINS_MAX: usize = 64;
const SEAL_LINE: &str = "# seal ";

/// What an installer seals with: 32 bytes that are not kept in the folder.
pub struct InstallKey(Zeroizing<[u8; 32]>);

impl InstallKey {
    /// From bytes that the host keeps, or derives from what it keeps.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl std::fmt::Debug for InstallKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstallKey(hidden)")
    }
}

/// The folder with everything that is installed.
#[derive(Debug)]
pub struct PluginFolder {
    path: PathBuf,
    key: InstallKey,
    /// The languages of the pages.
    languages: Vec<String>,
}

/// What a component is and asks for, found out without giving it anything.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it is.
    pub hook: Hook,
    /// Names what was looked at.
    pub digest: Digest,
    /// What it tells of itself.
    pub description: Description,
    /// What it asks for.
    pub asks: Vec<Capability>,
}

/// How a plugin is installed.
#[derive(Clone, Debug)]
pub struct AddOptions {
    /// Its name here; absent: the one it tells.
    pub name: Option<Code>,
    /// What it is granted: all that it asks for, or it is not installed.
    pub grants: Vec<Capability>,
    /// What one call may use.
    pub limits: Limits,
    /// The operator's settings for it.
    pub settings: std::collections::BTreeMap<String, String>,
    /// The digest that the operator expects; absent: what is given is what is meant.
    pub digest: Option<Digest>,
    /// The author's signature; absent: nobody vouches for it but the operator.
    pub signed: Option<Signed>,
}

/// Why something was not done with the folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A file or folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// Too long.
    #[error("the component has more than {} bytes", Limits::COMPONENT_BYTES_MAX)]
    TooLarge,
    /// Another component than expected.
    #[error(
        "the component is {found}, not {expected}: get the right one, or look at it and give its own digest"
    )]
    OtherDigest {
        /// What the operator expects.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// Its author does not vouch for it.
    #[error("the component was not installed: {0}")]
    Signature(#[from] SignatureError),
    /// The name is taken.
    #[error("{0} is installed already: remove it first, or choose another name with --name")]
    Exists(Code),
    /// Nobody of this name.
    #[error("no plugin is called {0}; see `narthex plugin list`")]
    Unknown(String),
    /// Too many.
    #[error("{PLUGINS_MAX} plugins are installed: remove one first")]
    TooMany,
    /// What is kept was changed, or sealed with another key.
    #[error(
        "{plugin}: {what} is not what was installed here (or the key file is another): remove the plugin and add it again"
    )]
    Changed {
        /// Whose.
        plugin: String,
        /// Which file.
        what: &'static str,
    },
    /// Too many or too long settings.
    #[error("the settings have more than {} bytes", Limits::SETTINGS_BYTES_MAX)]
    Settings,
    /// The guest was not loaded.
    #[error("{plugin}: {source}")]
    Guest {
        /// Which.
        plugin: String,
        /// Why.
        source: LoadError,
    },
    /// Together they cannot be installed.
    #[error(transparent)]
    Hooks(#[from] narthex_core::hook::HooksError),
}

type Outcome<T> = Result<T, InstallError>;

fn file<T>(path: &Path, result: io::Result<T>) -> Outcome<T> {
    result.map_err(|source| InstallError::File {
        path: path.to_owned(),
        source,
    })
}

impl PluginFolder {
    /// The folder at `path`; it need not be there yet. `languages` are those of the pages.
    pub fn new(path: PathBuf, key: InstallKey, languages: &[&str]) -> Self {
        Self {
            path,
            key,
            languages: languages.iter().map(|l| (*l).to_owned()).collect(),
        }
    }

    /// Reads a component from a file.
    ///
    /// # Errors
    /// It is not there, or too large.
    pub fn read_component(path: &Path) -> Outcome<Vec<u8>> {
        let opened = file(path, fs::File::open(path))?;
        let mut bytes = Vec::new();
        let mut most = opened.take(Limits::COMPONENT_BYTES_MAX + 1);
        file(path, most.read_to_end(&mut bytes))?;
        match bytes.len() as u64 > Limits::COMPONENT_BYTES_MAX {
            true => Err(InstallError::TooLarge),
            false => Ok(bytes),
        }
    }

    /// Says what a component is and asks for. It is run for that, in an instance that is given nothing.
    ///
    /// # Errors
    /// It is no guest of this host.
    pub fn examine(host: &Host, component: &[u8], limits: &Limits) -> Result<Report, LoadError> {
        host.compile(component, limits)?.examine()
    }

    /// Installs a component: compiles it, tries it with its settings, and writes it down. Nothing is left
    /// behind of one that is not taken.
    ///
    /// # Errors
    /// Says what to do about it.
    #[cfg(feature = "compile")]
    pub fn add(&self, host: &Host, component: &[u8], options: AddOptions) -> Outcome<Manifest> {
        let digest = Digest::of(component);
        if let Some(expected) = options.digest.filter(|expected| *expected != digest) {
            return Err(InstallError::OtherDigest {
                expected,
                found: digest,
            });
        }
        if let Some(Signed { key, signature }) = &options.signed {
            key.verify(component, signature)?;
        }
        let sizes = options.settings.iter().map(|(k, v)| k.len() + v.len());
        if sizes.sum::<usize>() > Limits::SETTINGS_BYTES_MAX {
            return Err(InstallError::Settings);
        }
        if self.names()?.len() >= PLUGINS_MAX {
            return Err(InstallError::TooMany);
        }
        let said = |source| InstallError::Guest {
            plugin: options
                .name
                .as_ref()
                .map_or("the plugin".into(), Code::to_string),
            source,
        };
        options.limits.check().map_err(|e| said(e.into()))?;
        let machine = host.machine_for(&options.limits).map_err(said)?;
        // Compiled once: what is tried is what is kept.
        let code = machine.compile(component).map_err(said)?;
        let sealed = trusted::seal(&self.key, &machine, &digest, &code).map_err(said)?;
        let compiled = trusted::open(&self.key, &machine, &digest, &sealed).map_err(said)?;
        let report = Report::of(&machine, &compiled, digest, &options.limits).map_err(said)?;
        let name = options.name.clone().unwrap_or(report.description.name);
        let manifest = Manifest {
            name: name.clone(),
            hook: report.hook,
            version: report.description.version,
            summary: report.description.summary,
            digest,
            signed_by: options.signed.as_ref().map(|signed| signed.key.to_string()),
            grants: options.grants.clone(),
            limits: options.limits.clone(),
            settings: options.settings.clone(),
        };
        Guest::of(Arc::clone(&machine), &compiled, self.options(&manifest)).map_err(said)?;
        self.write(&manifest, component, &machine, &sealed)?;
        Ok(manifest)
    }

    #[cfg(feature = "compile")]
    fn write(
        &self,
        manifest: &Manifest,
        component: &[u8],
        machine: &Machine,
        sealed: &[u8],
    ) -> Outcome<()> {
        let place = self.place(&manifest.name);
        if place.exists() {
            return Err(InstallError::Exists(manifest.name.clone()));
        }
        file(&self.path, make_private(&self.path))?;
        let building = self.path.join(format!(".{}.new", manifest.name));
        if building.exists() {
            // Of an installation that was cut short.
            file(&building, fs::remove_dir_all(&building))?;
        }
        file(&building, make_private(&building))?;
        let text = manifest.to_text().map_err(|e| InstallError::File {
            path: building.clone(),
            source: io::Error::other(e),
        })?;
        let text = format!("{text}{SEAL_LINE}{}\n", self.seal_of(&text));
        for (name, bytes) in [
            ("plugin.wasm".to_owned(), component),
            ("plugin.toml".to_owned(), text.as_bytes()),
            (compiled_name(machine), sealed),
        ] {
            let path = building.join(name);
            file(&path, write_durably(&path, bytes))?;
        }
        file(&place, fs::rename(&building, &place))?;
        file(&place, sync_names(&place))
    }

    /// The names of what is installed, in order.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn names(&self) -> Outcome<Vec<Code>> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => file(&self.path, entries)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = file(&self.path, entry)?.file_name();
            names.extend(name.to_str().and_then(|name| Code::parse(name).ok()));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What was written down of one.
    ///
    /// # Errors
    /// It is not there, or was changed.
    pub fn manifest(&self, name: &str) -> Outcome<Manifest> {
        let name = self.known(name)?;
        let path = self.place(&name).join("plugin.toml");
        let text = file(&path, fs::read_to_string(&path))?;
        let changed = || InstallError::Changed {
            plugin: name.to_string(),
            what: "plugin.toml",
        };
        let (text, seal) = text.rsplit_once(SEAL_LINE).ok_or_else(changed)?;
        let given = data_encoding::HEXLOWER
            .decode(seal.trim_end().as_bytes())
            .unwrap_or_default();
        self.mac_of(text)
            .and_then(|mac| mac.verify_slice(&given).ok())
            .ok_or_else(changed)?;
        let manifest: Manifest = toml::from_str(text).map_err(|_| changed())?;
        match manifest.name == name {
            true => Ok(manifest),
            // A folder that was renamed.
            false => Err(changed()),
        }
    }

    /// Loads one, whether or not it is disabled. What was compiled before is used if it is whole and of
    /// this engine; else the component is compiled again, where there is a compiler.
    ///
    /// # Errors
    /// It was changed, or is not taken.
    pub fn load(&self, host: &Host, name: &str) -> Outcome<Guest> {
        let manifest = self.manifest(name)?;
        let said = |source| InstallError::Guest {
            plugin: manifest.name.to_string(),
            source,
        };
        let machine = host.machine_for(&manifest.limits).map_err(said)?;
        let component = self.compiled(&machine, &manifest)?;
        let guest = Guest::of(machine, &component, self.options(&manifest)).map_err(said)?;
        match guest.hook() == manifest.hook {
            true => Ok(guest),
            false => Err(InstallError::Changed {
                plugin: manifest.name.to_string(),
                what: "plugin.wasm",
            }),
        }
    }

    fn compiled(&self, machine: &Machine, manifest: &Manifest) -> Outcome<Component> {
        let place = self.place(&manifest.name);
        let path = place.join(compiled_name(machine));
        if let Ok(sealed) = fs::read(&path)
            && let Ok(component) = trusted::open(&self.key, machine, &manifest.digest, &sealed)
        {
            return Ok(component);
        }
        self.compile_again(machine, manifest, &path)
    }

    #[cfg(feature = "compile")]
    fn compile_again(
        &self,
        machine: &Machine,
        manifest: &Manifest,
        path: &Path,
    ) -> Outcome<Component> {
        let source = self.place(&manifest.name).join("plugin.wasm");
        let component = Self::read_component(&source)?;
        let plugin = manifest.name.to_string();
        if Digest::of(&component) != manifest.digest {
            return Err(InstallError::Changed {
                plugin,
                what: "plugin.wasm",
            });
        }
        tracing::warn!(
            plugin,
            "compiled again: what was compiled before is of another version, or was changed"
        );
        let said = |source| InstallError::Guest {
            plugin: plugin.clone(),
            source,
        };
        let code = machine.compile(&component).map_err(said)?;
        let sealed = trusted::seal(&self.key, machine, &manifest.digest, &code).map_err(said)?;
        // Where it cannot be kept it is compiled again at the next start.
        if let Err(error) = write_durably(path, &sealed) {
            tracing::warn!(plugin, %error, "the compiled form could not be kept");
        }
        trusted::open(&self.key, machine, &manifest.digest, &sealed).map_err(said)
    }

    #[cfg(not(feature = "compile"))]
    fn compile_again(
        &self,
        _machine: &Machine,
        manifest: &Manifest,
        _path: &Path,
    ) -> Outcome<Component> {
        Err(InstallError::Guest {
            plugin: manifest.name.to_string(),
            source: LoadError::Compiled,
        })
    }

    /// Loads everything that is not disabled, as hooks of a portal.
    ///
    /// # Errors
    /// One is not taken: none is, for a portal without the rules it should have is not to be opened.
    pub fn hooks(&self, host: &Host) -> Outcome<(Hooks, Vec<Arc<Guest>>)> {
        let mut hooks = Hooks::default();
        let mut guests = Vec::new();
        for name in self.names()? {
            if self.is_disabled(&name) {
                continue;
            }
            let guest = Arc::new(self.load(host, name.as_str())?);
            guest.join(&mut hooks);
            guests.push(guest);
        }
        hooks.check()?;
        Ok((hooks, guests))
    }

    /// Whether it is not run.
    pub fn is_disabled(&self, name: &Code) -> bool {
        self.place(name).join("disabled").exists()
    }

    /// Has it run or not run from the next start, or the next time the hooks are loaded. Needs no key:
    /// a plugin that refuses everybody can always be put out.
    ///
    /// # Errors
    /// It is not there, or the folder cannot be written.
    pub fn set_disabled(&self, name: &str, disabled: bool) -> Outcome<()> {
        let name = self.known(name)?;
        let path = self.place(&name).join("disabled");
        match disabled {
            true => file(&path, write_durably(&path, b"")),
            false => match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => file(&path, removed.and_then(|()| sync_names(&path))),
            },
        }
    }

    /// Takes it away.
    ///
    /// # Errors
    /// It is not there, or the folder cannot be written.
    pub fn remove(&self, name: &str) -> Outcome<()> {
        let name = self.known(name)?;
        let place = self.place(&name);
        let leaving = self.path.join(format!(".{name}.old"));
        if leaving.exists() {
            file(&leaving, fs::remove_dir_all(&leaving))?;
        }
        file(&place, fs::rename(&place, &leaving))?;
        file(&place, sync_names(&place))?;
        file(&leaving, fs::remove_dir_all(&leaving))
    }

    fn options(&self, manifest: &Manifest) -> GuestOptions {
        GuestOptions {
            name: manifest.name.clone(),
            grants: manifest.grants.clone(),
            limits: manifest.limits.clone(),
            settings: manifest.settings.clone(),
            languages: self.languages.clone(),
        }
    }

    fn place(&self, name: &Code) -> PathBuf {
        self.path.join(name.as_str())
    }

    fn known(&self, name: &str) -> Outcome<Code> {
        let unknown = || InstallError::Unknown(crate::guest::one_line(name));
        let name = Code::parse(name).map_err(|_| unknown())?;
        match self.place(&name).is_dir() {
            true => Ok(name),
            false => Err(unknown()),
        }
    }

    fn mac_of(&self, text: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.bytes()).ok()?;
        mac.update(b"narthex plugin manifest 1");
        mac.update(text.as_bytes());
        Some(mac)
    }

    #[cfg(feature = "compile")]
    fn seal_of(&self, text: &str) -> String {
        let mac = self.mac_of(text).map(|mac| mac.finalize().into_bytes());
        data_encoding::HEXLOWER.encode(&mac.unwrap_or_default())
    }
}

impl Report {
    pub(crate) fn of(
        machine: &Arc<Machine>,
        compiled: &Component,
        digest: Digest,
        limits: &Limits,
    ) -> Result<Self, LoadError> {
        let (hook, _) = exports(compiled)?;
        Ok(Self {
            hook,
            digest,
            description: Guest::told(machine, compiled, limits)?,
            asks: asked(compiled, hook)?,
        })
    }
}

fn compiled_name(machine: &Machine) -> String {
    format!("{}.cwasm", machine.kind())
}

#[cfg(feature = "compile")]
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Whole or not at all, and on the disk when it returns. What lies where it is written, of a write that
/// was cut short or put there by somebody, is taken away and not followed.
fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_added_extension("part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut to = fs::File::create_new(&part)?;
    to.write_all(bytes)?;
    to.sync_all()?;
    fs::rename(&part, path)?;
    sync_names(path)
}

/// Has the disk keep under which names things lie beside `path`: a new name is of the folder, not of the file.
fn sync_names(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _no_handle_of_a_folder = path;
    Ok(())
}
