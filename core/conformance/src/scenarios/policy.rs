//! What a scenario's policy may say; everything else stays at its default.

use std::collections::BTreeMap;

use narthex_core::OrganizationId;
use narthex_core::model::NamedNetwork;
use narthex_core::policy::{ClaimProof, LanePolicy, PasswordProfile, Policy};
use narthex_core::rules::resume::{AppOrganization, AppPrefix};
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

/// What a claim must prove.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum Proof {
    /// The facts; a code where there is no birthdate.
    #[serde(rename = "facts")]
    Facts,
    /// The facts and a code.
    #[serde(rename = "facts+code")]
    FactsAndCode,
}

/// A network that the operator named.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its addresses.
    pub cidr: String,
    /// How many people are behind it.
    pub people: u32,
}

/// How many near misses an organization bears.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeasonLimits {
    /// Staff are told at so many at the least.
    pub told_min: u64,
    /// A code is needed at so many at the least.
    pub code_min: u64,
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
    /// Recovery codes.
    pub recovery_lane: Option<Lane>,
    /// Answers after a right code.
    pub answers_lane: Option<Lane>,
    /// How long a code from staff lives.
    pub issued_code_lifetime: Option<Span>,
    /// The most browsers a person is logged in with.
    pub families_max: Option<usize>,
    /// How long the password is not asked for again.
    pub fresh_for: Option<Span>,
    /// What a claim must prove.
    pub claim_policy: Option<Proof>,
    /// Whether the birthdate stays on record after a claim.
    pub keep_birthdate: bool,
    /// How long a claim code can be used.
    pub claim_code_lifetime: Option<Span>,
    /// Networks behind which many people are.
    pub networks: Vec<Named>,
    /// How many near misses an organization bears.
    pub season: Option<SeasonLimits>,
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
        attempts.recovery = self.recovery_lane.map_or(attempts.recovery, Into::into);
        attempts.recovery_answers = self
            .answers_lane
            .map_or(attempts.recovery_answers, Into::into);
        if let Some(span) = self.issued_code_lifetime {
            policy.recovery.issued_code_lifetime = span.length();
        }
        let session = &mut policy.session;
        session.families_max = self.families_max.unwrap_or(session.families_max);
        if let Some(span) = self.fresh_for {
            policy.session.fresh_for = span.length();
        }
        let attempts = &mut policy.attempts;
        if let Some(season) = self.season {
            (attempts.season.told_min, attempts.season.code_min) =
                (season.told_min, season.code_min);
        }
        for named in &self.networks {
            let cidr = named.cidr.parse().map_err(|error| format!("{error}"))?;
            attempts.networks.push(NamedNetwork {
                cidr,
                people: named.people,
            });
        }
        let claim = &mut policy.claim;
        if let Some(Proof::FactsAndCode) = self.claim_policy {
            claim.proof = ClaimProof::FactsAndCode;
        }
        claim.keep_birthdate = self.keep_birthdate;
        if let Some(span) = self.claim_code_lifetime {
            claim.code_lifetime = span.length();
        }
        for app in &self.apps {
            let named = match app.organization.as_deref() {
                None => AppOrganization::Default,
                Some("from_path") => AppOrganization::FromPath,
                Some(id) => AppOrganization::Fixed(organization(id)?),
            };
            let app = AppPrefix::parse(&app.prefix, named)
                .map_err(|error| format!("prefix {:?}: {error}", app.prefix))?;
            policy.apps.push(app);
        }
        Ok(policy)
    }
}

fn organization(id: &str) -> Result<OrganizationId, String> {
    OrganizationId::parse(id).map_err(|error| format!("organization {id:?}: {error}"))
}
