//! One source of settings, and where in it a setting stands.

use std::ffi::OsString;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::file::File;
use crate::failure::Failure;

/// Where settings come from.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A file, with its text.
    File(PathBuf, String),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

/// One source of settings.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) values: File,
    place: Place,
    /// The setting, where the layer is a single one.
    setting: Option<&'static str>,
    /// As it is written, where the layer is a single one.
    text: String,
}

/// How a setting is written in a variable.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Number,
    /// `true` or `false`.
    Flag,
    /// Comma separated.
    List,
}

/// Settings that a variable may hold; lists of tables are for the file.
pub(super) const SETTINGS: &[(&str, Kind)] = &[
    ("base_url", Kind::Text),
    ("listen", Kind::Text),
    ("trusted_proxies", Kind::List),
    ("cookie_suffix", Kind::Text),
    ("store.url", Kind::Text),
    ("store.keys", Kind::Text),
    ("site.name", Kind::Text),
    ("site.language", Kind::Text),
    ("site.theme", Kind::Text),
    ("session.inactivity_timeout", Kind::Text),
    ("session.shared_computer_timeout", Kind::Text),
    ("session.absolute_timeout", Kind::Text),
    ("password.profile", Kind::Text),
    ("password.context_words", Kind::List),
    ("claim.policy", Kind::Text),
    ("claim.code_lifetime", Kind::Text),
    ("claim.keep_birthdate", Kind::Flag),
    ("questions.required", Kind::Number),
    ("hash.memory_kib", Kind::Number),
    ("hash.iterations", Kind::Number),
    ("hash.parallelism", Kind::Number),
    ("hash.workers", Kind::Number),
    ("hash.queue", Kind::Number),
    ("limits.connections_max", Kind::Number),
    ("limits.connections_per_address_max", Kind::Number),
    ("management.listen", Kind::Text),
    ("plugins.folder", Kind::Text),
    ("roster.deactivation_percent_max", Kind::Number),
    ("staff.roles", Kind::List),
    ("staff.districts", Kind::Flag),
    ("mail.server", Kind::Text),
    ("mail.from", Kind::Text),
    ("mail.login", Kind::Text),
    ("mail.password", Kind::Text),
    ("webhook.url", Kind::Text),
    ("webhook.secret", Kind::Text),
];

/// Variables that are no settings.
const OTHERS: [&str; 3] = ["NARTHEX_LOG", "NARTHEX_LOG_FORMAT", "NARTHEX_KILLS"];

/// `session.inactivity_timeout` -> `NARTHEX_SESSION_INACTIVITY_TIMEOUT`.
pub(super) fn variable(setting: &str) -> String {
    format!("NARTHEX_{}", setting.replace('.', "_").to_ascii_uppercase())
}

/// The layers of the `NARTHEX_*` variables: `NARTHEX_X`, or `NARTHEX_X_FILE` with the path of a
/// file that holds the value.
pub(super) fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<Layer>, Failure> {
    let mut layers = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with("NARTHEX_")) else {
            continue;
        };
        let named = |name: &str| {
            let found = SETTINGS
                .iter()
                .find(|(setting, _)| variable(setting) == name);
            found.map(|(setting, _)| *setting)
        };
        let in_file = name.strip_suffix("_FILE").and_then(named);
        let Some(setting) = in_file.or_else(|| named(name)) else {
            if !OTHERS.contains(&name) {
                // Not refused: service managers and clusters put variables of their own beside
                // ours.
                tracing::warn!(name, "this variable is no setting of narthex");
            }
            continue;
        };
        let place = Place::Variable(name.to_owned());
        let text = value.to_str().ok_or_else(|| place.told("is not UTF-8"))?;
        let text = if in_file.is_some() {
            let read = std::fs::read_to_string(text);
            let read = read.map_err(|error| place.told(&format!("({text}): {error}")))?;
            read.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            text.to_owned()
        };
        layers.push(Layer::single(setting, &text, place)?);
    }
    Ok(layers)
}

impl Layer {
    /// The settings of the file at `path`.
    pub(super) fn file(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
        let values = toml::from_str(&text).map_err(|error| in_file(path, &text, &error))?;
        let mut values: File = values;
        // A path in a file is meant from where the file is.
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Some(keys) = values.store.as_mut().and_then(|store| store.keys.as_mut()) {
            *keys = folder.join(&*keys);
        }
        let plugins = values.plugins.as_mut().and_then(|p| p.folder.as_mut());
        if let Some(plugins) = plugins {
            *plugins = folder.join(&*plugins);
        }
        let site = values.site.iter_mut().filter_map(|s| s.theme.as_mut());
        let own = values.organizations.iter_mut().flatten();
        for theme in site.chain(own.filter_map(|o| o.theme.as_mut())) {
            *theme = folder.join(&*theme);
        }
        Ok(Self {
            values,
            place: Place::File(path.to_owned(), text),
            setting: None,
            text: String::new(),
        })
    }

    /// One setting, written as in a variable.
    pub(super) fn single(setting: &'static str, text: &str, place: Place) -> Result<Self, Failure> {
        let kind = SETTINGS.iter().find(|(known, _)| *known == setting);
        let kind = kind.map_or(Kind::Text, |(_, kind)| *kind);
        let value = match kind {
            Kind::Text => toml::Value::String(text.to_owned()),
            Kind::Number => {
                let number = text.trim().parse::<i64>();
                let number =
                    number.map_err(|_| place.told(&format!("{text:?} is not a number")))?;
                toml::Value::Integer(number)
            }
            Kind::Flag => {
                let flag = text.trim().parse::<bool>();
                let flag =
                    flag.map_err(|_| place.told(&format!("{text:?} is neither true nor false")))?;
                toml::Value::Boolean(flag)
            }
            Kind::List => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                let items = items.map(|item| toml::Value::String(item.to_owned()));
                toml::Value::Array(items.collect())
            }
        };
        let mut table = value;
        for name in setting.rsplit('.') {
            table = toml::Value::Table([(name.to_owned(), table)].into_iter().collect());
        }
        let values = table.try_into::<File>();
        let values = values.map_err(|error| place.told(error.message()))?;
        Ok(Self {
            values,
            place,
            setting: Some(setting),
            text: text.to_owned(),
        })
    }

    /// Where `setting` stands in this layer, if it does.
    pub(super) fn place_of(&self, setting: &str) -> Option<String> {
        match (&self.place, self.setting) {
            (Place::File(path, text), _) => {
                let document = DeTable::parse(text).ok()?;
                let span = find(document.get_ref(), setting)?;
                Some(at(path, text, span.start))
            }
            (place, Some(own)) if own == setting => Some(place.to_string()),
            _ => None,
        }
    }

    /// `setting` as it is written in this layer, if it is.
    pub(super) fn written(&self, setting: &str) -> Option<String> {
        match (&self.place, self.setting) {
            (Place::File(_, text), _) => {
                let document = text.parse::<toml::Table>().ok()?;
                let mut names = setting.split('.');
                let value = names.try_fold(toml::Value::Table(document), |value, name| {
                    value.as_table()?.get(name).cloned()
                });
                value.map(|value| value.to_string())
            }
            (_, Some(own)) if own == setting => Some(self.text.clone()),
            _ => None,
        }
    }

    /// The name of the file, where the layer is one.
    pub(super) fn file_name(&self) -> Option<String> {
        match &self.place {
            Place::File(path, _) => Some(path.display().to_string()),
            _ => None,
        }
    }
}

impl Place {
    fn told(&self, what: &str) -> Failure {
        Failure::usage(format!("{self}: {what}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, _) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "{name} (environment)"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// "`file:line:column: key: what`".
pub(super) fn in_file(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let start = error.span().map_or(0, |span| span.start);
    let place = at(path, text, start);
    let document = DeTable::parse_recoverable(text).0;
    let mut key = String::new();
    key_at(document.get_ref(), start, &mut key);
    let key = if key.is_empty() {
        key
    } else {
        format!("`{key}`: ")
    };
    Failure::usage(format!("{place}: {key}{}", error.message()))
}

/// Lines and columns begin at 1; columns count characters.
pub(super) fn at(path: &Path, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(begin..).unwrap_or("").chars().count() + 1;
    format!("{}:{line}:{column}", path.display())
}

/// Where the key of `setting` stands.
fn find(table: &DeTable<'_>, setting: &str) -> Option<Range<usize>> {
    let (name, rest) = match setting.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (setting, None),
    };
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    match (rest, value.get_ref()) {
        (None, _) => Some(key.span()),
        (Some(rest), DeValue::Table(table)) => find(table, rest),
        _ => None,
    }
}

/// The key that stands, or whose value stands, at `offset`.
fn key_at(table: &DeTable<'_>, offset: usize, path: &mut String) {
    for (key, value) in table {
        let here = key.span().contains(&offset) || value.span().contains(&offset);
        let below = match value.get_ref() {
            DeValue::Table(table) => Some(vec![table]),
            DeValue::Array(items) => {
                let tables = items.iter().filter_map(|item| match item.get_ref() {
                    DeValue::Table(table) => Some(table),
                    _ => None,
                });
                Some(tables.collect())
            }
            _ => None,
        };
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key.get_ref());
        let named = path.len();
        for table in below.into_iter().flatten() {
            key_at(table, offset, path);
            if path.len() > named {
                return;
            }
        }
        if here {
            return;
        }
        path.truncate(length);
    }
}
