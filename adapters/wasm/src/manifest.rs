//! What is written down of an installed plugin.

use std::collections::BTreeMap;
use std::fmt;

use narthex_core::hook::Code;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::hook::{Capability, Hook};
use crate::limits::Limits;

/// SHA-256 of a component, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// From its written form.
    ///
    /// # Errors
    /// Says what the form is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let hex = text.strip_prefix("sha256:").map(str::as_bytes);
        let bytes = hex.and_then(|hex| data_encoding::HEXLOWER.decode(hex).ok());
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| "a digest is `sha256:` and 64 hexadecimal digits".to_owned())
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// An installed plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name here.
    #[serde(with = "code")]
    pub name: Code,
    /// What it is.
    pub hook: Hook,
    /// As its author counts.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// The component that was looked at: no other is run under this name.
    pub digest: Digest,
    /// The key of its author, whose signature was right when it was installed; absent: unsigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// What it was granted.
    pub grants: Vec<Capability>,
    /// What one call may use.
    pub limits: Limits,
    /// The operator's settings for it.
    pub settings: BTreeMap<String, String>,
}

impl Manifest {
    /// As it is kept.
    #[cfg(feature = "compile")]
    pub(crate) fn to_text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

mod code {
    use narthex_core::hook::Code;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(code: &Code, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(code.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Code, D::Error> {
        Code::parse(&String::deserialize(d)?).map_err(D::Error::custom)
    }
}
