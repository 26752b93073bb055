//! The rules an operator sets, from the frozen values of `narthex._policy`.

use std::time::Duration;

use narthex::core::Policy;
use narthex::core::model::{Cidr, CidrError, NamedNetwork, OrganizationId, Role};
use narthex::core::policy::{
    ClaimProof, InvalidPolicy, LanePolicy, PasswordProfile, SeasonPolicy, SessionPolicy,
};
use narthex::core::rules::resume::{AppOrganization, AppPrefix};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::invalid_argument;

/// `narthex.Policy`
#[derive(FromPyObject)]
pub(crate) struct PolicyArgument {
    session: SessionArgument,
    password: PasswordArgument,
    claim: ClaimArgument,
    questions: QuestionArgument,
    recovery: RecoveryArgument,
    attempts: AttemptArgument,
    roster: RosterArgument,
    staff: StaffArgument,
    retention: RetentionArgument,
    apps: Vec<AppArgument>,
}

#[derive(FromPyObject)]
struct SessionArgument {
    inactivity_timeout: Duration,
    shared_computer_timeout: Duration,
    organization_timeouts: Vec<(String, Duration)>,
    absolute_timeout: Duration,
    fresh_for: Duration,
    families_max: usize,
    activity_write_interval: Duration,
}

#[derive(FromPyObject)]
struct PasswordArgument {
    profile: String,
    organization_profiles: Vec<(String, String)>,
    context_words: Vec<String>,
}

#[derive(FromPyObject)]
struct ClaimArgument {
    proof: String,
    step_timeout: Duration,
    code_lifetime: Duration,
    keep_birthdate: bool,
}

#[derive(FromPyObject)]
struct QuestionArgument {
    required: usize,
}

#[derive(FromPyObject)]
struct RecoveryArgument {
    issued_code_lifetime: Duration,
    step_timeout: Duration,
}

#[derive(FromPyObject)]
struct AttemptArgument {
    window: Duration,
    source_attempts_max: u64,
    whole_attempts_max: u64,
    log_in: LaneArgument,
    claim: LaneArgument,
    recovery: LaneArgument,
    recovery_answers: LaneArgument,
    networks: Vec<NetworkArgument>,
    known_browser_lifetime: Duration,
    season: SeasonArgument,
}

#[derive(FromPyObject)]
struct NetworkArgument {
    cidr: String,
    people: u32,
}

#[derive(FromPyObject)]
struct SeasonArgument {
    told_percent: u64,
    told_min: u64,
    code_percent: u64,
    code_min: u64,
    source_max: u64,
    source_code_at: u64,
}

#[derive(FromPyObject)]
struct LaneArgument {
    free_failures: u32,
    first_wait: Duration,
    longest_wait: Duration,
}

#[derive(FromPyObject)]
struct RosterArgument {
    deactivation_percent_max: u32,
    deactivation_count_min: u32,
}

#[derive(FromPyObject)]
struct StaffArgument {
    roles: Vec<String>,
    districts: bool,
}

#[derive(FromPyObject)]
struct RetentionArgument {
    ended_families: Duration,
    events: Duration,
    messages: Duration,
}

#[derive(FromPyObject)]
struct AppArgument {
    prefix: String,
    organization: Option<String>,
    from_path: bool,
}

impl LaneArgument {
    fn lane(&self) -> LanePolicy {
        LanePolicy {
            free_failures: self.free_failures,
            first_wait: self.first_wait,
            longest_wait: self.longest_wait,
        }
    }
}

fn organization(py: Python<'_>, id: &str, name: &str) -> PyResult<OrganizationId> {
    OrganizationId::parse(id).map_err(|error| invalid_argument(py, name, error.0))
}

fn profile(py: Python<'_>, word: &str, name: &str) -> PyResult<PasswordProfile> {
    match word {
        "nist" => Ok(PasswordProfile::Nist),
        "classic" => Ok(PasswordProfile::Classic),
        _ => {
            let message = "is neither \"nist\" nor \"classic\"";
            Err(invalid_argument(py, name, message))
        }
    }
}

fn proof(py: Python<'_>, word: &str) -> PyResult<ClaimProof> {
    match word {
        "facts" => Ok(ClaimProof::Facts),
        "facts_and_code" => Ok(ClaimProof::FactsAndCode),
        _ => {
            let message = "is neither \"facts\" nor \"facts_and_code\"";
            Err(invalid_argument(py, "policy.claim.proof", message))
        }
    }
}

fn proof_word(proof: ClaimProof) -> &'static str {
    match proof {
        ClaimProof::Facts => "facts",
        ClaimProof::FactsAndCode => "facts_and_code",
    }
}

impl NetworkArgument {
    fn network(self, py: Python<'_>, place: usize) -> PyResult<NamedNetwork> {
        let name = format!("policy.attempts.networks[{place}]");
        let wrong = |message: &str| invalid_argument(py, &name, message);
        let cidr = self.cidr.parse::<Cidr>();
        let cidr = cidr.map_err(|error: CidrError| wrong(&error.to_string()))?;
        if !cidr.is_countable() {
            return Err(wrong("is narrower than /64: budgets count IPv6 by the /64"));
        }
        let people = self.people;
        Ok(NamedNetwork { cidr, people })
    }
}

fn profile_word(profile: PasswordProfile) -> &'static str {
    match profile {
        PasswordProfile::Nist => "nist",
        PasswordProfile::Classic => "classic",
    }
}

impl PolicyArgument {
    pub(crate) fn into_policy(self, py: Python<'_>) -> PyResult<Policy> {
        let mut policy = Policy {
            session: SessionPolicy {
                inactivity_timeout: self.session.inactivity_timeout,
                shared_computer_timeout: self.session.shared_computer_timeout,
                organization_timeouts: Vec::new(),
                absolute_timeout: self.session.absolute_timeout,
                fresh_for: self.session.fresh_for,
                families_max: self.session.families_max,
                activity_write_interval: self.session.activity_write_interval,
            },
            ..Policy::default()
        };
        for (id, timeout) in self.session.organization_timeouts {
            let id = organization(py, &id, "policy.session.organization_timeouts")?;
            policy.session.organization_timeouts.push((id, timeout));
        }
        policy.password.profile = profile(py, &self.password.profile, "policy.password.profile")?;
        for (id, word) in self.password.organization_profiles {
            let name = "policy.password.organization_profiles";
            let id = organization(py, &id, name)?;
            let one = (id, profile(py, &word, name)?);
            policy.password.organization_profiles.push(one);
        }
        policy.password.context_words = self.password.context_words;
        policy.claim.proof = proof(py, &self.claim.proof)?;
        policy.claim.step_timeout = self.claim.step_timeout;
        policy.claim.code_lifetime = self.claim.code_lifetime;
        policy.claim.keep_birthdate = self.claim.keep_birthdate;
        policy.questions.required = self.questions.required;
        policy.attempts.window = self.attempts.window;
        policy.attempts.source_attempts_max = self.attempts.source_attempts_max;
        policy.attempts.whole_attempts_max = self.attempts.whole_attempts_max;
        policy.attempts.log_in = self.attempts.log_in.lane();
        policy.attempts.claim = self.attempts.claim.lane();
        policy.attempts.recovery = self.attempts.recovery.lane();
        policy.attempts.recovery_answers = self.attempts.recovery_answers.lane();
        for (place, network) in self.attempts.networks.into_iter().enumerate() {
            policy.attempts.networks.push(network.network(py, place)?);
        }
        policy.attempts.known_browser_lifetime = self.attempts.known_browser_lifetime;
        policy.attempts.season = SeasonPolicy {
            told_percent: self.attempts.season.told_percent,
            told_min: self.attempts.season.told_min,
            code_percent: self.attempts.season.code_percent,
            code_min: self.attempts.season.code_min,
            source_max: self.attempts.season.source_max,
            source_code_at: self.attempts.season.source_code_at,
        };
        policy.recovery.issued_code_lifetime = self.recovery.issued_code_lifetime;
        policy.recovery.step_timeout = self.recovery.step_timeout;
        policy.roster.deactivation_percent_max = self.roster.deactivation_percent_max;
        policy.roster.deactivation_count_min = self.roster.deactivation_count_min;
        let roles = self.staff.roles.iter().map(|word| Role::from_code(word));
        let roles: Option<_> = roles.collect();
        policy.staff.roles = roles.ok_or_else(|| {
            let message = "has what is no role: see narthex.ROLES";
            invalid_argument(py, "policy.staff.roles", message)
        })?;
        policy.staff.districts = self.staff.districts;
        policy.retention.ended_families = self.retention.ended_families;
        policy.retention.events = self.retention.events;
        policy.retention.messages = self.retention.messages;
        for (place, app) in self.apps.into_iter().enumerate() {
            policy
                .apps
                .push(app.prefix(py, &format!("policy.apps[{place}]"))?);
        }
        let wrong = |wrong: InvalidPolicy| {
            invalid_argument(py, &format!("policy.{}", wrong.rule), wrong.message)
        };
        policy.judge().map_err(wrong)?;
        Ok(policy)
    }
}

impl AppArgument {
    fn prefix(self, py: Python<'_>, name: &str) -> PyResult<AppPrefix> {
        let organization = self.organization.as_deref();
        let organization = organization
            .map(|id| self::organization(py, id, name))
            .transpose()?;
        let organization = match (organization, self.from_path) {
            (None, false) => AppOrganization::Default,
            (None, true) => AppOrganization::FromPath,
            (Some(id), false) => AppOrganization::Fixed(id),
            (Some(_), true) => {
                let message = "has an organization and takes it from the path: one of the two";
                return Err(invalid_argument(py, name, message));
            }
        };
        AppPrefix::parse(&self.prefix, organization)
            .map_err(|error| invalid_argument(py, name, error.0))
    }
}

/// The defaults of the engine, by group and name: `narthex.Policy()` must say the same.
#[pyfunction]
pub(crate) fn default_policy(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let policy = Policy::default();
    let whole = PyDict::new(py);
    let group = |name: &str| -> PyResult<Bound<'_, PyDict>> {
        let group = PyDict::new(py);
        whole.set_item(name, &group)?;
        Ok(group)
    };
    let session = group("session")?;
    session.set_item("inactivity_timeout", policy.session.inactivity_timeout)?;
    session.set_item(
        "shared_computer_timeout",
        policy.session.shared_computer_timeout,
    )?;
    session.set_item("absolute_timeout", policy.session.absolute_timeout)?;
    session.set_item(
        "activity_write_interval",
        policy.session.activity_write_interval,
    )?;
    group("password")?.set_item("profile", profile_word(policy.password.profile))?;
    let claim = group("claim")?;
    claim.set_item("proof", proof_word(policy.claim.proof))?;
    claim.set_item("step_timeout", policy.claim.step_timeout)?;
    claim.set_item("code_lifetime", policy.claim.code_lifetime)?;
    claim.set_item("keep_birthdate", policy.claim.keep_birthdate)?;
    group("questions")?.set_item("required", policy.questions.required)?;
    session.set_item("fresh_for", policy.session.fresh_for)?;
    session.set_item("families_max", policy.session.families_max)?;
    let recovery = group("recovery")?;
    recovery.set_item("issued_code_lifetime", policy.recovery.issued_code_lifetime)?;
    recovery.set_item("step_timeout", policy.recovery.step_timeout)?;
    let attempts = group("attempts")?;
    attempts.set_item("window", policy.attempts.window)?;
    attempts.set_item("source_attempts_max", policy.attempts.source_attempts_max)?;
    attempts.set_item("whole_attempts_max", policy.attempts.whole_attempts_max)?;
    for (name, lane) in [
        ("log_in", policy.attempts.log_in),
        ("claim", policy.attempts.claim),
        ("recovery", policy.attempts.recovery),
        ("recovery_answers", policy.attempts.recovery_answers),
    ] {
        let told = PyDict::new(py);
        told.set_item("free_failures", lane.free_failures)?;
        told.set_item("first_wait", lane.first_wait)?;
        told.set_item("longest_wait", lane.longest_wait)?;
        attempts.set_item(name, told)?;
    }
    attempts.set_item(
        "known_browser_lifetime",
        policy.attempts.known_browser_lifetime,
    )?;
    let season = PyDict::new(py);
    season.set_item("told_percent", policy.attempts.season.told_percent)?;
    season.set_item("told_min", policy.attempts.season.told_min)?;
    season.set_item("code_percent", policy.attempts.season.code_percent)?;
    season.set_item("code_min", policy.attempts.season.code_min)?;
    season.set_item("source_max", policy.attempts.season.source_max)?;
    season.set_item("source_code_at", policy.attempts.season.source_code_at)?;
    attempts.set_item("season", season)?;
    let roles = policy.staff.roles.iter().map(Role::code);
    let staff = group("staff")?;
    staff.set_item("roles", PyTuple::new(py, roles.collect::<Vec<_>>())?)?;
    staff.set_item("districts", policy.staff.districts)?;
    let roster = group("roster")?;
    roster.set_item(
        "deactivation_percent_max",
        policy.roster.deactivation_percent_max,
    )?;
    roster.set_item(
        "deactivation_count_min",
        policy.roster.deactivation_count_min,
    )?;
    let retention = group("retention")?;
    retention.set_item("ended_families", policy.retention.ended_families)?;
    retention.set_item("events", policy.retention.events)?;
    retention.set_item("messages", policy.retention.messages)?;
    Ok(whole)
}
