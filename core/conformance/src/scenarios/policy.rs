//! What a scenario's policy may say; everything else stays at its default.

use std::collections::BTreeMap;

use narthex_core::OrganizationId;
use narthex_core::policy::{LanePolicy, PasswordProfile, Policy};
use narthex_core::rules::resume::AppPrefix;
use serde::Deserialize;

use super::span::Span;

/// A stated profile.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// 15 characters, no classes.
    Nist,
    /// 8 characters with classes.
    Classic,
}

impl From<Profile> for PasswordProfile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Nist => Self::Nist,
            Profile::Classic => Self::Classic,
        }
    }
}

/// Failures of one identity, and how long it then waits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// Failures before the first wait.
    pub free_failures: u32,
    /// Doubles with every further failure.
    pub first_wait: Span,
    /// Up to this.
    pub longest_wait: Span,
}

impl From<Lane> for LanePolicy {
    fn from(lane: Lane) -> Self {
        Self {
            free_failures: lane.free_failures,
            first_wait: lane.first_wait.length(),
            longest_wait: lane.longest_wait.length(),
        }
    }
}

/// A prefix under which a host serves its own pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Begins and ends with `/`.
    pub prefix: String,
    /// The organization of every page there.
    pub organization: Option<String>,
}

/// The differences from the default policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyOverrides {
    /// Ended after so long without activity.
    pub inactivity_timeout: Option<Span>,
    /// Stricter ones, by organization.
    pub organization_timeouts: BTreeMap<String, Span>,
    /// Ended after so long in any case.
    pub absolute_timeout: Option<Span>,
    /// Stated requirements.
    pub password_profile: Option<Profile>,
    /// Stated requirements, by organization.
    pub organization_profiles: BTreeMap<String, Profile>,
    /// Security questions at a claim.
    pub questions: Option<usize>,
    /// Uncredited attempts from one network in a window.
    pub source_attempts_max: Option<u64>,
    /// Uncredited attempts altogether in a window.
    pub whole_attempts_max: Option<u64>,
    /// Log-in and `current`.
    pub log_in_lane: Option<Lane>,
    /// Claim.
    pub claim_lane: Option<Lane>,
    /// Where people may come back to, besides the portal's own screens.
    pub apps: Vec<App>,
}

impl PolicyOverrides {
    /// The policy.
    ///
    /// # Errors
    /// An organization id that is none.
    pub fn policy(&self) -> Result<Policy, String> {
        let mut policy = Policy::default();
        let session = &mut policy.session;
        if let Some(span) = self.inactivity_timeout {
            session.inactivity_timeout = span.length();
        }
        if let Some(span) = self.absolute_timeout {
            session.absolute_timeout = span.length();
        }
        for (id, span) in &self.organization_timeouts {
            session
                .organization_timeouts
                .push((organization(id)?, span.length()));
        }
        if let Some(profile) = self.password_profile {
            policy.password.profile = profile.into();
        }
        for (id, profile) in &self.organization_profiles {
            let profile = (*profile).into();
            policy
                .password
                .organization_profiles
                .push((organization(id)?, profile));
        }
        if let Some(required) = self.questions {
            policy.questions.required = required;
        }
        let attempts = &mut policy.attempts;
        attempts.source_attempts_max = self
            .source_attempts_max
            .unwrap_or(attempts.source_attempts_max);
        attempts.whole_attempts_max = self
            .whole_attempts_max
            .unwrap_or(attempts.whole_attempts_max);
        attempts.log_in = self.log_in_lane.map_or(attempts.log_in, Into::into);
        attempts.claim = self.claim_lane.map_or(attempts.claim, Into::into);
        for app in &self.apps {
            policy.apps.push(AppPrefix {
                prefix: app.prefix.clone(),
                organization: app.organization.as_deref().map(organization).transpose()?,
            });
        }
        Ok(policy)
    }
}

fn organization(id: &str) -> Result<OrganizationId, String> {
    OrganizationId::parse(id).map_err(|error| format!("organization {id:?}: {error}"))
}
