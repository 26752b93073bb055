//! The configuration of `serve`: defaults < file < `NARTHEX_*` < flags. Whatever is wrong is told
//! with its place: file, line, column and key, or the variable, or the flag.

mod file;
mod layer;
mod outbox;
mod show;
mod theme;
mod value;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use narthex::core::Policy;
use narthex::core::model::{Contact, NamedNetwork};
use narthex::http::Settings;
use narthex::hyper::Limits;
use narthex::uploads::RosterFiles;
use narthex::{OpenOptions, StoreUrl};

use self::file::{File, Over};
use self::layer::{Layer, Place};
pub(crate) use self::show::Shown;
use crate::failure::Failure;

/// What the flags of `serve` say: (setting, value, flag).
pub(crate) type Overrides = Vec<(&'static str, String, &'static str)>;

/// The settings in force.
#[derive(Debug)]
pub(crate) struct Config {
    values: File,
    /// The topmost first.
    layers: Vec<Layer>,
}

const LISTEN: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(
    std::net::Ipv4Addr::LOCALHOST,
    8080,
));
const CONNECTIONS: std::ops::RangeInclusive<usize> = 16..=1_000_000;
/// Said where none is chosen: there is no silent default.
const CLAIM_POLICIES: &str = "what must a person prove to claim an account? \"facts\": names, number \
    and birthdate; quick, but classmates know them and a birthdate is soon guessed. \"facts+code\": \
    also the code of a letter (`narthex person claim-code --org X --unclaimed --print FILE.html`)";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Config {
    /// Reads the file at `path`, the environment and `flags`.
    pub(crate) fn load(path: Option<&Path>, flags: Overrides) -> Result<Self, Failure> {
        Self::of(path, std::env::vars_os(), flags)
    }

    fn of(
        path: Option<&Path>,
        environment: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
        flags: Overrides,
    ) -> Result<Self, Failure> {
        let mut layers = Vec::new();
        for (setting, value, flag) in flags {
            layers.push(Layer::single(setting, &value, Place::Flag(flag))?);
        }
        layers.extend(layer::environment(environment)?);
        if let Some(path) = path {
            layers.push(Layer::file(path)?);
        }
        let mut values = File::default();
        for layer in &layers {
            values = values.over(layer.values.clone());
        }
        let config = Self { values, layers };
        config.check()?;
        Ok(config)
    }

    /// Rules that a single value cannot break alone.
    fn check(&self) -> Result<(), Failure> {
        let policy = self.policy();
        let session = &policy.session;
        let month = 30 * DAY;
        for (setting, span) in [
            ("session.inactivity_timeout", session.inactivity_timeout),
            (
                "session.shared_computer_timeout",
                session.shared_computer_timeout,
            ),
            ("session.absolute_timeout", session.absolute_timeout),
        ] {
            if !(MINUTE..=month).contains(&span) {
                return Err(self.wrong(setting, "must be between 1m and 30d"));
            }
        }
        if session.inactivity_timeout > session.absolute_timeout {
            let (setting, told) = match self.place("session.absolute_timeout") {
                Some(_) => (
                    "session.absolute_timeout",
                    "shorter than session.inactivity_timeout",
                ),
                None => (
                    "session.inactivity_timeout",
                    "longer than session.absolute_timeout",
                ),
            };
            return Err(self.wrong(setting, &format!("must not be {told}")));
        }
        if policy.questions.required > 5 {
            let told = "must be 0 (no security questions) to 5";
            return Err(self.wrong("questions.required", told));
        }
        let limits = self.limits();
        for (setting, most) in [
            ("limits.connections_max", limits.connections_max),
            (
                "limits.connections_per_address_max",
                limits.connections_per_peer_max,
            ),
        ] {
            if !CONNECTIONS.contains(&most) {
                return Err(self.wrong(setting, "must be between 16 and 1000000"));
            }
        }
        if self.management() == Some(self.listen()) {
            let told = "must be another address or port than `listen`: what monitors read is not \
                        for everybody";
            return Err(self.wrong("management.listen", told));
        }
        if !(DAY..=365 * DAY).contains(&policy.claim.code_lifetime) {
            return Err(self.wrong("claim.code_lifetime", "must be between 1d and 365d"));
        }
        for network in &policy.attempts.networks {
            if !network.cidr.is_countable() {
                let told = format!("{}: an IPv6 network is a /64 or wider", network.cidr);
                return Err(self.wrong("networks", &told));
            }
            if network.people == 0 {
                return Err(self.wrong("networks", &format!("{}: people is 0", network.cidr)));
            }
        }
        if policy.roster.deactivation_percent_max > 100 {
            return Err(self.wrong("roster.deactivation_percent_max", "must be 0 to 100"));
        }
        if let Err(error) = narthex::argon2::Argon2Hasher::new(self.hashing()) {
            let set = [
                "hash.memory_kib",
                "hash.iterations",
                "hash.parallelism",
                "hash.workers",
            ];
            let setting = set.into_iter().find(|s| self.place(s).is_some());
            return Err(self.wrong(setting.unwrap_or("hash"), &error.to_string()));
        }
        Ok(())
    }

    /// Where to listen.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.values.listen.map_or(LISTEN, |listen| listen.0)
    }

    /// Where monitors ask, if they may.
    pub(crate) fn management(&self) -> Option<SocketAddr> {
        let management = self.values.management.as_ref();
        management.and_then(|m| m.listen).map(|listen| listen.0)
    }

    /// Where plugins are installed, if it is said.
    pub(crate) fn plugins_folder(&self) -> Option<PathBuf> {
        let plugins = self.values.plugins.as_ref();
        plugins.and_then(|plugins| plugins.folder.clone())
    }

    /// What one server allows.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        let set = self.values.limits.clone().unwrap_or_default();
        limits.connections_max = set.connections_max.unwrap_or(limits.connections_max);
        let per_address = set.connections_per_address_max;
        limits.connections_per_peer_max = per_address.unwrap_or(limits.connections_per_peer_max);
        limits
    }

    /// Where people find the portal, if it is said.
    pub(crate) fn base_url(&self) -> Option<String> {
        self.values.base_url.as_ref().map(|url| url.0.to_string())
    }

    /// The humans to write to where an organization names none.
    pub(crate) fn help(&self) -> Vec<Contact> {
        let help = self.values.help.clone().unwrap_or_default();
        help.into_iter().map(Contact::from).collect()
    }

    /// What is opened.
    pub(crate) fn options(&self) -> Result<OpenOptions, Failure> {
        let store = self.values.store.clone().unwrap_or_default();
        let url = store.url.ok_or_else(|| {
            self.missing(
                "store.url",
                "redb:///var/lib/narthex/portal.redb, or memory:",
            )
        })?;
        if self
            .values
            .claim
            .as_ref()
            .and_then(|c| c.policy.as_ref())
            .is_none()
        {
            return Err(self.missing("claim.policy", CLAIM_POLICIES));
        }
        let mut options = OpenOptions::new(url.0);
        if options.url != StoreUrl::Memory {
            options.keys = store.keys;
        }
        options.policy = self.policy();
        options.hashing = self.hashing();
        Ok(options)
    }

    /// What the pages need.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let values = &self.values;
        let base_url = values.base_url.clone().ok_or_else(|| {
            self.missing(
                "base_url",
                "where people find the portal: https://portal.school.example",
            )
        })?;
        let mut settings = Settings::new(&base_url.0.to_string())
            .map_err(|error| self.wrong("base_url", &error.to_string()))?;
        settings.base_url = base_url.0;
        settings.roster_reader = Some(Arc::new(RosterFiles::default()));
        let proxies = values.trusted_proxies.clone().unwrap_or_default();
        settings.trusted_proxies = proxies.into_iter().map(|proxy| proxy.0).collect();
        let site = values.site.clone().unwrap_or_default();
        if let Some(name) = site.name {
            settings.site_name = name;
        }
        if let Some(language) = site.language {
            settings.language = language.0;
        }
        settings.theme = site.theme.as_deref().map(theme::load).transpose()?;
        for own in values.organizations.clone().unwrap_or_default() {
            if let Some(folder) = own.theme {
                let look = (own.id.0, theme::load(&folder)?);
                settings.organization_themes.push(look);
            }
        }
        if let Some(suffix) = values.cookie_suffix.clone() {
            settings.cookie_suffix = suffix;
        }
        if let Some(catalogue) = values.catalogue.clone() {
            settings.catalogue = catalogue.into();
        }
        settings.help = self.help();
        Ok(settings)
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        let session = self.values.session.clone().unwrap_or_default();
        let set = |to: &mut Duration, from: Option<value::Span>| {
            if let Some(span) = from {
                *to = span.0;
            }
        };
        set(
            &mut policy.session.inactivity_timeout,
            session.inactivity_timeout,
        );
        set(
            &mut policy.session.shared_computer_timeout,
            session.shared_computer_timeout,
        );
        set(
            &mut policy.session.absolute_timeout,
            session.absolute_timeout,
        );
        let password = self.values.password.clone().unwrap_or_default();
        if let Some(profile) = password.profile {
            policy.password.profile = profile.0;
        }
        policy.password.context_words = password.context_words.unwrap_or_default();
        for own in self.values.organizations.clone().unwrap_or_default() {
            if let Some(timeout) = own.inactivity_timeout {
                let strict = (own.id.0.clone(), timeout.0);
                policy.session.organization_timeouts.push(strict);
            }
            if let Some(profile) = own.password_profile {
                policy
                    .password
                    .organization_profiles
                    .push((own.id.0, profile.0));
            }
        }
        let apps = self.values.apps.iter().flatten();
        policy.apps = apps.map(|app| app.0.clone()).collect();
        let claim = self.values.claim.clone().unwrap_or_default();
        policy.claim.proof = claim.policy.map_or(policy.claim.proof, |proof| proof.0);
        set(&mut policy.claim.code_lifetime, claim.code_lifetime);
        policy.claim.keep_birthdate = claim.keep_birthdate.unwrap_or_default();
        for network in self.values.networks.clone().unwrap_or_default() {
            policy.attempts.networks.push(NamedNetwork {
                cidr: network.cidr.0,
                people: network.people,
            });
        }
        if let Some(required) = self.values.questions.as_ref().and_then(|q| q.required) {
            policy.questions.required = required;
        }
        let held = self.values.roster.as_ref();
        if let Some(percent) = held.and_then(|r| r.deactivation_percent_max) {
            policy.roster.deactivation_percent_max = percent;
        }
        let staff = self.values.staff.as_ref();
        if let Some(roles) = staff.and_then(|s| s.roles.as_ref()) {
            policy.staff.roles = roles.iter().map(|role| role.0.clone()).collect();
        }
        if let Some(districts) = staff.and_then(|s| s.districts) {
            policy.staff.districts = districts;
        }
        policy.messages.deliver = self.values.mail.is_some() || self.values.webhook.is_some();
        policy
    }

    fn hashing(&self) -> narthex::argon2::HashSettings {
        let hash = self.values.hash.clone().unwrap_or_default();
        let mut settings = narthex::argon2::HashSettings::default();
        let params = &mut settings.params;
        params.memory_kib = hash.memory_kib.unwrap_or(params.memory_kib);
        params.iterations = hash.iterations.unwrap_or(params.iterations);
        params.parallelism = hash.parallelism.unwrap_or(params.parallelism);
        settings.workers = hash.workers.unwrap_or(settings.workers);
        settings.queue = hash.queue.unwrap_or(settings.queue);
        settings
    }

    fn place(&self, setting: &str) -> Option<String> {
        self.layers.iter().find_map(|layer| layer.place_of(setting))
    }

    fn wrong(&self, setting: &str, told: &str) -> Failure {
        let place = self
            .place(setting)
            .unwrap_or_else(|| "by default".to_owned());
        Failure::usage(format!("{place}: `{setting}` {told}"))
    }

    fn missing(&self, setting: &str, example: &str) -> Failure {
        let variable = layer::variable(setting);
        let places = self.layers.iter().find_map(Layer::file_name);
        let file = places.unwrap_or_else(|| "the configuration (--config FILE)".to_owned());
        Failure::usage(format!(
            "{file}: `{setting}` is missing: {example}; set it there, or as {variable}"
        ))
    }
}
