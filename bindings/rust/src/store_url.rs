//! The one home of store URLs.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a portal keeps its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// `memory:` forgets at the end of the process.
    Memory,
    /// `redb:///path`: the embedded store, one file on this machine.
    Redb(PathBuf),
    /// `sled:///path`: one folder on this machine; safe against a crash of the process, not against
    /// a power cut.
    Sled(PathBuf),
}

/// Why a store URL was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreUrlError {
    /// The kind of store is known, but not built in.
    #[error("{0}: stores are not in this build yet; use redb:///path, sled:///path or memory:")]
    NotYet(&'static str),
    /// The path is missing or not absolute.
    #[error("the store URL {0:?} needs an absolute path: redb:///var/lib/narthex/portal.redb")]
    Path(String),
    /// `memory:` takes nothing.
    #[error("the store URL has something after `memory:`, which takes nothing")]
    Memory,
    /// None of the kinds known.
    #[error("the store URL {0:?} is none of `memory:`, `redb:///path` and `sled:///path`")]
    Kind(String),
}

impl StoreUrl {
    /// From `memory:`, `redb:///absolute/path` or `sled:///absolute/path`. The path is taken as it stands: nothing is
    /// decoded.
    ///
    /// # Errors
    /// Says what is wrong and what is taken.
    pub fn parse(text: &str) -> Result<Self, StoreUrlError> {
        match text.split_once(':') {
            Some(("memory", "" | "//")) => Ok(Self::Memory),
            Some(("memory", _)) => Err(StoreUrlError::Memory),
            Some(("redb", rest)) => Ok(Self::Redb(path(rest, text)?)),
            Some(("sled", rest)) => Ok(Self::Sled(path(rest, text)?)),
            Some(("postgres" | "postgresql", _)) => Err(StoreUrlError::NotYet("postgres")),
            // What follows may be a password.
            _ => Err(StoreUrlError::Kind(match text.split_once(':') {
                Some((kind, _)) => format!("{kind}:..."),
                None => text.split('@').next_back().unwrap_or_default().to_owned(),
            })),
        }
    }

    /// Where on this machine it is; `memory:` is nowhere.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::Redb(path) | Self::Sled(path) => Some(path),
        }
    }
}

fn path(rest: &str, whole: &str) -> Result<PathBuf, StoreUrlError> {
    let path = rest.strip_prefix("//").map(PathBuf::from);
    let path = path.filter(|p| p.is_absolute() && p.file_name().is_some());
    path.filter(|_| !rest.ends_with('/')).ok_or_else(|| {
        let (kind, rest) = whole.split_once(':').unwrap_or_default();
        // Before an `@` there may be a password.
        StoreUrlError::Path(match rest.rsplit_once('@') {
            Some((_, after)) => format!("{kind}:...@{after}"),
            None => whole.to_owned(),
        })
    })
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Redb(path) => write!(f, "redb://{}", path.display()),
            Self::Sled(path) => write!(f, "sled://{}", path.display()),
        }
    }
}

impl std::str::FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_url_survives_its_written_form() {
        for text in [
            "memory:",
            "redb:///var/lib/school/portal.redb",
            "sled:///var/lib/school/portal.sled",
        ] {
            assert_eq!(StoreUrl::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_url_that_is_not_taken_says_what_is() {
        for (text, told) in [
            ("", "redb:///path"),
            ("portal.redb", "redb:///path"),
            ("mysql://db", "redb:///path"),
            ("memory:x", "takes nothing"),
            ("redb:", "absolute path"),
            ("redb:portal.redb", "absolute path"),
            ("redb://portal.redb", "absolute path"),
            ("redb:///", "absolute path"),
            ("redb:///var/lib/", "absolute path"),
            ("sled:", "absolute path"),
            ("sled://portal.sled", "absolute path"),
            ("sled:///", "absolute path"),
            ("postgres://db/portal", "not in this build yet"),
        ] {
            let error = StoreUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn what_else_stands_in_a_url_is_not_told() {
        for text in [
            "mysql://school:four-wet-pianos@db/portal",
            "postgres://school:four-wet-pianos@db/portal",
            "memory://school:four-wet-pianos@db/portal",
            "mysql:school:four-wet-pianos@db",
            "school/four-wet-pianos@db",
            "redb://school:four-wet-pianos@db/portal",
            "sled:school:four-wet-pianos@db",
        ] {
            let error = StoreUrl::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("pianos"), "{error}");
        }
    }
}
