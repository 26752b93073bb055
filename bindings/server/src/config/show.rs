//! The settings in force, with where each comes from.

use std::time::Duration;

use narthex::core::policy::PasswordProfile;
use serde::Serialize;

use super::Config;
use super::layer::SETTINGS;

/// One setting in force.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// Its name in the file.
    pub(crate) setting: &'static str,
    /// Its value as it would be written in a file; none where it is not set and has no default.
    pub(crate) value: Option<String>,
    /// The file with line and column, the variable, the flag, or `default`.
    pub(crate) origin: String,
}

/// Settings that are lists of tables: shown by how many there are.
const TABLES: [&str; 5] = ["networks", "organizations", "apps", "help", "catalogue"];

const DAY_S: u64 = 24 * 3600;

/// Settings that are never shown.
const SECRETS: [&str; 2] = ["mail.password", "webhook.secret"];

impl Config {
    /// Every setting, in the order of the file.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let settings = SETTINGS.iter().map(|(setting, _)| *setting).chain(TABLES);
        let shown = settings.map(|setting| Shown {
            setting,
            value: self.in_force(setting),
            origin: self.place(setting).unwrap_or_else(|| "default".to_owned()),
        });
        shown.collect()
    }

    fn in_force(&self, setting: &'static str) -> Option<String> {
        let values = &self.values;
        let (policy, hashing, limits) = (self.policy(), self.hashing(), self.limits());
        let store = values.store.as_ref();
        let session = &policy.session;
        let tables = |count: usize| (count > 0).then(|| format!("{count} of them"));
        match setting {
            "base_url" => values.base_url.as_ref().map(|url| text(&url.0.to_string())),
            "listen" => Some(text(&self.listen().to_string())),
            "trusted_proxies" => {
                let proxies = values.trusted_proxies.iter().flatten();
                Some(list(proxies.map(|proxy| proxy.0.to_string())))
            }
            "cookie_suffix" => values.cookie_suffix.as_deref().map(text),
            "store.url" => {
                let url = store.and_then(|store| store.url.as_ref());
                url.map(|url| text(&without_password(&url.0.to_string())))
            }
            "store.keys" => {
                let keys = self
                    .options()
                    .ok()
                    .and_then(|options| options.keys_path().ok())?;
                keys.map(|keys| text(&keys.display().to_string()))
            }
            "site.name" => self
                .settings()
                .ok()
                .map(|settings| text(&settings.site_name)),
            "session.inactivity_timeout" => Some(span(session.inactivity_timeout)),
            "session.shared_computer_timeout" => Some(span(session.shared_computer_timeout)),
            "session.absolute_timeout" => Some(span(session.absolute_timeout)),
            "password.profile" => Some(text(match policy.password.profile {
                PasswordProfile::Nist => "nist",
                PasswordProfile::Classic => "classic",
            })),
            "password.context_words" => Some(list(policy.password.context_words.into_iter())),
            "claim.code_lifetime" => Some(span(policy.claim.code_lifetime)),
            "claim.keep_birthdate" => Some(policy.claim.keep_birthdate.to_string()),
            "questions.required" => Some(policy.questions.required.to_string()),
            "hash.memory_kib" => Some(hashing.params.memory_kib.to_string()),
            "hash.iterations" => Some(hashing.params.iterations.to_string()),
            "hash.parallelism" => Some(hashing.params.parallelism.to_string()),
            "hash.workers" => Some(hashing.workers.to_string()),
            "hash.queue" => Some(hashing.queue.to_string()),
            "limits.connections_max" => Some(limits.connections_max.to_string()),
            "limits.connections_per_address_max" => {
                Some(limits.connections_per_peer_max.to_string())
            }
            "management.listen" => self.management().map(|address| text(&address.to_string())),
            "roster.deactivation_percent_max" => {
                Some(policy.roster.deactivation_percent_max.to_string())
            }
            "staff.roles" => {
                let roles = policy.staff.roles.iter();
                Some(list(roles.map(|role| role.code().to_owned())))
            }
            "staff.districts" => Some(policy.staff.districts.to_string()),
            "networks" => tables(policy.attempts.networks.len()),
            "apps" => tables(policy.apps.len()),
            "organizations" => tables(values.organizations.iter().flatten().count()),
            "help" => tables(values.help.iter().flatten().count()),
            "catalogue" => tables(usize::from(values.catalogue.is_some())),
            "site.language" => {
                let language = values.site.as_ref().and_then(|site| site.language);
                Some(text(language.map(|set| set.0).unwrap_or_default().code()))
            }
            _ => self.written(setting),
        }
    }

    /// As the topmost layer writes it: for settings without a default.
    fn written(&self, setting: &str) -> Option<String> {
        let written = self.layers.iter().find_map(|layer| layer.written(setting));
        match SECRETS.contains(&setting) {
            true => written.map(|_| text("***")),
            false => written,
        }
    }
}

fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(items: impl Iterator<Item = String>) -> String {
    toml::Value::Array(items.map(toml::Value::String).collect()).to_string()
}

fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (number, unit) = match seconds {
        _ if seconds.is_multiple_of(DAY_S) && seconds > DAY_S => (seconds / DAY_S, "d"),
        _ if seconds.is_multiple_of(3600) => (seconds / 3600, "h"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "m"),
        _ => (seconds, "s"),
    };
    text(&format!("{number}{unit}"))
}

/// A store URL may carry a password: `scheme://user:password@host`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    match authority.rsplit_once('@') {
        Some((who, host)) => {
            let name = who.split_once(':').map_or(who, |(name, _)| name);
            format!("{scheme}://{name}:***@{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_store_url_is_not_shown() {
        for (url, shown) in [
            ("redb:///var/lib/x@y/p.redb", "redb:///var/lib/x@y/p.redb"),
            ("memory:", "memory:"),
            (
                "postgres://me:se:cret@db:5432/p",
                "postgres://me:***@db:5432/p",
            ),
            ("postgres://me:se@cret@db/p", "postgres://me:***@db/p"),
            ("postgres://db/p", "postgres://db/p"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    /// What a configuration must say, and where things are on a machine.
    const OF_ONES_OWN: [&str; 4] = ["base_url", "store.url", "store.keys", "claim.policy"];

    #[test]
    fn the_template_names_every_setting_and_switches_nothing_on() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/narthex.example.toml");
        let template = std::fs::read_to_string(path).unwrap();
        let of_template = Config::of(Some(path.as_ref()), std::iter::empty(), Vec::new()).unwrap();
        let needed = [
            ("NARTHEX_BASE_URL", "https://portal.school.example"),
            ("NARTHEX_STORE_URL", "memory:"),
            ("NARTHEX_CLAIM_POLICY", "facts+code"),
        ];
        let needed = needed.map(|(name, value)| (name.into(), value.into()));
        let by_default = Config::of(None, needed.into_iter(), Vec::new()).unwrap();
        let default = by_default.shown();
        for (shown, default) in of_template.shown().into_iter().zip(&default) {
            let setting = shown.setting;
            if !OF_ONES_OWN.contains(&setting) {
                assert_eq!(shown.value, default.value, "{setting}");
            }
            let key = setting.rsplit('.').next().unwrap();
            let named = |line: &str| {
                let line = line.trim_start_matches("# ").trim_start_matches('[');
                line.strip_prefix(key)
                    .is_some_and(|rest| rest.starts_with([' ', ']', '.']))
            };
            assert!(template.lines().any(named), "{setting} is not in it");
        }
    }

    #[test]
    fn every_setting_is_shown_with_its_default_or_as_not_set() {
        let config = Config::of(None, std::iter::empty(), Vec::new()).unwrap();
        let shown = config.shown();
        assert_eq!(shown.len(), SETTINGS.len() + TABLES.len());
        assert!(shown.iter().all(|shown| shown.origin == "default"));
        let value = |setting| {
            let one = shown.iter().find(|shown| shown.setting == setting);
            one.unwrap().value.clone()
        };
        assert_eq!(
            value("session.inactivity_timeout").as_deref(),
            Some("\"4h\"")
        );
        assert_eq!(value("password.profile").as_deref(), Some("\"nist\""));
        assert_eq!(value("limits.connections_max").as_deref(), Some("4096"));
        assert_eq!(value("site.language").as_deref(), Some("\"en\""));
        assert_eq!(value("trusted_proxies").as_deref(), Some("[]"));
        for unset in ["base_url", "store.url", "management.listen", "help"] {
            assert_eq!(value(unset), None, "{unset}");
        }
    }
}
