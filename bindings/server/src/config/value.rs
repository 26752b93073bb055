//! Single values: each says what is allowed.

use std::net::SocketAddr;
use std::time::Duration;

use narthex::StoreUrl;
use narthex::core::policy::{ClaimProof, PasswordProfile};
use narthex::core::{OrganizationId, Role};
use narthex::http::{BaseUrl, Cidr, Language};
use serde::Deserialize;

macro_rules! text_value {
    ($($(#[$doc:meta])* $name:ident($inner:ty) = $parse:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Deserialize)]
            #[serde(try_from = "String")]
            pub(super) struct $name(pub(super) $inner);

            impl TryFrom<String> for $name {
                type Error = String;

                fn try_from(text: String) -> Result<Self, String> {
                    let parse: fn(&str) -> Result<$inner, String> = $parse;
                    parse(&text).map(Self)
                }
            }
        )*
    };
}

text_value! {
    /// `https://host[:port][/path]`.
    BaseUrlText(BaseUrl) = |text| BaseUrl::parse(text).map_err(|e| e.to_string());
    /// `redb:///path`, `memory:`.
    Store(StoreUrl) = |text| StoreUrl::parse(text).map_err(|e| e.to_string());
    /// A network.
    Network(Cidr) = |text| text.parse().map_err(|e: narthex::http::CidrError| e.to_string());
    /// An organization of the roster.
    OrganizationText(OrganizationId) = |text| {
        OrganizationId::parse(text).map_err(|e| e.to_string())
    };
    /// A role of the roster.
    RoleText(Role) = role;
    /// What a claim must prove.
    Proof(ClaimProof) = |text| match text {
        "facts" => Ok(ClaimProof::Facts),
        "facts+code" => Ok(ClaimProof::FactsAndCode),
        _ => Err(format!("{text:?} is not a claim policy: \"facts\" or \"facts+code\"")),
    };
}

/// `address:port`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Listen(pub(super) SocketAddr);

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let told = || format!("{text:?} is not an address and a port: 127.0.0.1:8080, [::1]:8080");
        text.parse().map(Self).map_err(|_| told())
    }
}

/// `nist`, `classic`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Profile(pub(super) PasswordProfile);

impl TryFrom<String> for Profile {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "nist" => Ok(Self(PasswordProfile::Nist)),
            "classic" => Ok(Self(PasswordProfile::Classic)),
            _ => Err(format!(
                "{text:?} is not a password profile: \"nist\" or \"classic\""
            )),
        }
    }
}

/// `en`, `es`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct SiteLanguage(pub(super) Language);

impl TryFrom<String> for SiteLanguage {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let told = || format!("{text:?} is not a language of the pages: \"en\" or \"es\"");
        Language::from_code(&text).map(Self).ok_or_else(told)
    }
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_code(text).ok_or_else(|| {
        format!(
            "{text:?} is not a role: \"student\", \"teacher\", \"administrator\", \"guardian\" or \
             \"other\""
        )
    })
}

/// `4h`, `90m`, `1h30m`, `45s`, `2d`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Span(pub(super) Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let told =
            || format!("{text:?} is not a span of time: \"4h\", \"90m\", \"1h30m\", \"45s\"");
        span(&text).map(Self).ok_or_else(told)
    }
}

fn span(text: &str) -> Option<Duration> {
    let mut seconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let end = unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit.len());
        let (unit, next) = unit.split_at(end);
        let length = match unit {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(length)?;
        seconds = seconds.checked_add(part)?;
        rest = next;
    }
    (seconds > 0).then_some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_units_and_nothing_else() {
        for (text, seconds) in [("4h", 14_400), ("90m", 5400), ("1h30m", 5400), ("45s", 45)] {
            assert_eq!(span(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "4",
            "h",
            "4 h",
            "-4h",
            "4.5h",
            "0h",
            "4H",
            "99999999999999999999h",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
