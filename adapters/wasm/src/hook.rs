//! The hooks of the WIT package, and what can be granted.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of `narthex:portal` that this host speaks.
pub const WIT_VERSION: &str = "0.1.0";
pub(crate) const PACKAGE: &str = "narthex:portal/";

/// What a guest is: one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// World `password-policy`: sees a candidate password, and can be granted nothing.
    PasswordRule,
    /// World `claim-check`.
    ClaimOpinion,
    /// World `log-in-check`.
    LogInOpinion,
    /// World `event-sink`.
    EventSink,
    /// World `landing-page`.
    LandingStatistic,
}

impl Hook {
    /// Every hook.
    pub const ALL: [Self; 5] = [
        Self::PasswordRule,
        Self::ClaimOpinion,
        Self::LogInOpinion,
        Self::EventSink,
        Self::LandingStatistic,
    ];

    /// The stable snake_case word.
    pub fn code(self) -> &'static str {
        match self {
            Self::PasswordRule => "password_rule",
            Self::ClaimOpinion => "claim_opinion",
            Self::LogInOpinion => "log_in_opinion",
            Self::EventSink => "event_sink",
            Self::LandingStatistic => "landing_statistic",
        }
    }

    /// The world it is written for.
    pub fn world(self) -> &'static str {
        match self {
            Self::PasswordRule => "password-policy",
            Self::ClaimOpinion => "claim-check",
            Self::LogInOpinion => "log-in-check",
            Self::EventSink => "event-sink",
            Self::LandingStatistic => "landing-page",
        }
    }

    /// The interface it exports, and the function of it that is the hook.
    pub(crate) fn export(self) -> (&'static str, &'static str) {
        match self {
            Self::PasswordRule => ("password-rule", "check"),
            Self::ClaimOpinion => ("claim-opinion", "claim"),
            Self::LogInOpinion => ("log-in-opinion", "log-in"),
            Self::EventSink => ("events", "observe"),
            Self::LandingStatistic => ("landing-statistic", "lines"),
        }
    }

    /// What a fault means: a no, or that the guest is left out.
    pub fn fault_denies(self) -> bool {
        match self {
            Self::PasswordRule | Self::ClaimOpinion | Self::LogInOpinion => true,
            Self::EventSink | Self::LandingStatistic => false,
        }
    }

    /// What may be granted to it.
    pub fn grantable(self) -> &'static [Capability] {
        match self {
            // It sees passwords: no way out for them.
            Self::PasswordRule => &[],
            _ => &[Capability::Log],
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What a guest may import: asked for by the guest, granted by the operator. Granted is what is put
/// into the linker; what is not is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Lines in the operator's log.
    Log,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 1] = [Self::Log];

    /// The stable snake_case word, and the name of its interface.
    pub fn code(self) -> &'static str {
        match self {
            Self::Log => "log",
        }
    }

    /// What it lets a guest do, for the operator.
    pub fn means(self) -> &'static str {
        match self {
            Self::Log => "write lines into this server's log",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// `narthex:portal/<interface>@<version>`.
pub(crate) fn interface(name: &str) -> String {
    format!("{PACKAGE}{name}@{WIT_VERSION}")
}
