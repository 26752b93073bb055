//! Defaults are decisions; `docs/defaults.md` says why each is what it is.

use std::time::Duration;

use crate::model::{NamedNetwork, OrganizationId, Role};
use crate::rules::question::SecurityAnswers;
use crate::rules::resume::AppPrefix;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Every rule that an operator may set.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// How long sessions live.
    pub session: SessionPolicy,
    /// What a new password must be.
    pub password: PasswordPolicy,
    /// How an account is claimed.
    pub claim: ClaimPolicy,
    /// Security questions.
    pub questions: QuestionPolicy,
    /// How an account is recovered.
    pub recovery: RecoveryPolicy,
    /// How often may be guessed.
    pub attempts: AttemptPolicy,
    /// When held imports hold.
    pub roster: RosterPolicy,
    /// Who is staff.
    pub staff: StaffPolicy,
    /// Where people may come back to, besides the portal's own screens.
    pub apps: Vec<AppPrefix>,
    /// What people are told of their accounts.
    pub messages: MessagePolicy,
    /// How long records of the past are kept.
    pub retention: RetentionPolicy,
}

/// A rule that no portal can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy's {rule} {message}")]
pub struct InvalidPolicy {
    /// Which: `"session.inactivity_timeout"`.
    pub rule: &'static str,
    /// What is wrong with it.
    pub message: &'static str,
}

impl Policy {
    /// Whether a portal can be kept by these rules: nobody could log in, claim, or recover where a span
    /// ends as it begins.
    ///
    /// # Errors
    /// The first rule that cannot be kept.
    pub fn judge(&self) -> Result<(), InvalidPolicy> {
        let session = &self.session;
        let spans = [
            ("session.inactivity_timeout", session.inactivity_timeout),
            (
                "session.shared_computer_timeout",
                session.shared_computer_timeout,
            ),
            ("session.absolute_timeout", session.absolute_timeout),
            ("claim.step_timeout", self.claim.step_timeout),
            ("claim.code_lifetime", self.claim.code_lifetime),
            ("recovery.step_timeout", self.recovery.step_timeout),
            (
                "recovery.issued_code_lifetime",
                self.recovery.issued_code_lifetime,
            ),
            ("attempts.window", self.attempts.window),
        ];
        let organizations = session.organization_timeouts.iter();
        let organizations = organizations.map(|(_, span)| ("session.organization_timeouts", *span));
        let none = |(rule, span): (&'static str, Duration)| span.is_zero().then_some(rule);
        let message = "is no time at all";
        if let Some(rule) = spans.into_iter().chain(organizations).find_map(none) {
            return Err(InvalidPolicy { rule, message });
        }
        if session.families_max == 0 {
            let (rule, message) = ("session.families_max", "lets nobody be logged in");
            return Err(InvalidPolicy { rule, message });
        }
        if self.questions.required > SecurityAnswers::COUNT_MAX {
            let (rule, message) = ("questions.required", "is more than 5");
            return Err(InvalidPolicy { rule, message });
        }
        Ok(())
    }
}

/// How long sessions live.
#[derive(Clone, Debug)]
pub struct SessionPolicy {
    /// Ended after so long without activity in any tab (S12). NIST SP 800-63B-4 asks for at most 1 h at
    /// AAL2 (SHOULD); 4 h is what a school day needs.
    #[doc(alias = "idle_timeout")]
    pub inactivity_timeout: Duration,
    /// The same for a log-in on a shared computer.
    pub shared_computer_timeout: Duration,
    /// Stricter timeouts of single organizations: the strictest of a person's organizations counts.
    pub organization_timeouts: Vec<(OrganizationId, Duration)>,
    /// Ended after so long in any case (ASVS 7.3.2).
    #[doc(alias = "overall_timeout")]
    pub absolute_timeout: Duration,
    /// The most browsers a person is logged in with at a time; one more ends the oldest (SE-17).
    pub families_max: usize,
    /// So long after the password was typed, it is not asked for again before what a borrowed session
    /// must not do (SE-13, ASVS 7.5.1).
    pub fresh_for: Duration,
    /// Activity is written at most so often per family; a restart may cut a session short by this much.
    pub activity_write_interval: Duration,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            inactivity_timeout: 4 * HOUR,
            shared_computer_timeout: 20 * MINUTE,
            organization_timeouts: Vec::new(),
            absolute_timeout: 24 * HOUR,
            families_max: 50,
            fresh_for: 15 * MINUTE,
            activity_write_interval: MINUTE,
        }
    }
}

impl SessionPolicy {
    /// The strictest timeout of the person's organizations and of the shared-computer choice.
    pub fn timeout_for<'a>(
        &self,
        organizations: impl Iterator<Item = &'a OrganizationId>,
        shared_computer: bool,
    ) -> Duration {
        let mut timeout = self.inactivity_timeout;
        for organization in organizations {
            for (id, strict) in &self.organization_timeouts {
                if id == organization {
                    timeout = timeout.min(*strict);
                }
            }
        }
        if shared_computer {
            timeout.min(self.shared_computer_timeout)
        } else {
            timeout
        }
    }
}

/// Which stated requirements a new password must meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordProfile {
    /// At least 15 characters, no composition rules, nothing common, nothing about oneself (NIST SP
    /// 800-63B-4 §3.1.1.2; ASVS 6.2).
    #[default]
    Nist,
    /// At least 8 characters with upper case, lower case, digit and one of `! # $ % _ < = >`; nothing
    /// common, nothing about oneself: what portals of this kind state today.
    Classic,
}

/// What a new password must be.
#[derive(Clone, Debug, Default)]
pub struct PasswordPolicy {
    /// For everybody who belongs to no organization below.
    pub profile: PasswordProfile,
    /// Profiles of single organizations. Who belongs to several meets all of theirs.
    pub organization_profiles: Vec<(OrganizationId, PasswordProfile)>,
    /// Words that no password may be made of, besides the person's own: products, places.
    pub context_words: Vec<String>,
}

impl PasswordPolicy {
    /// All profiles that bind a member of `organizations`.
    pub fn profiles_for<'a>(
        &self,
        organizations: impl Iterator<Item = &'a OrganizationId>,
    ) -> Vec<PasswordProfile> {
        let mut profiles = Vec::new();
        for organization in organizations {
            let own = self
                .organization_profiles
                .iter()
                .find(|(id, _)| id == organization);
            let profile = own.map_or(self.profile, |(_, profile)| *profile);
            if !profiles.contains(&profile) {
                profiles.push(profile);
            }
        }
        if profiles.is_empty() {
            profiles.push(self.profile);
        }
        profiles
    }
}

/// What a claim must prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClaimProof {
    /// Names, number and birthdate; who has no birthdate on record needs a code. A birthdate is about 11
    /// bits, and classmates know it: weak, and quick to begin with.
    #[default]
    Facts,
    /// The facts, and the code of a letter (CL-06).
    FactsAndCode,
}

/// How an account is claimed.
#[derive(Clone, Debug)]
pub struct ClaimPolicy {
    /// What a claim must prove. The server has no default for it: its operator says.
    pub proof: ClaimProof,
    /// Each step of a claim must follow the one before within this time (CL-03).
    pub step_timeout: Duration,
    /// How long a claim code can be used. NIST SP 800-63A-4 allows 21 days for a code sent by post.
    pub code_lifetime: Duration,
    /// Whether the digest of the birthdate stays when the account has been claimed.
    pub keep_birthdate: bool,
}

impl Default for ClaimPolicy {
    fn default() -> Self {
        Self {
            proof: ClaimProof::default(),
            step_timeout: 10 * MINUTE,
            code_lifetime: 21 * 24 * HOUR,
            keep_birthdate: false,
        }
    }
}

/// Security questions: never enough by themselves, only a second gate of recovery.
#[derive(Clone, Debug)]
pub struct QuestionPolicy {
    /// How many are answered at a claim, 0 to 5; 0 turns them off.
    pub required: usize,
}

impl Default for QuestionPolicy {
    fn default() -> Self {
        Self { required: 2 }
    }
}

/// How an account is recovered by who forgot the password.
#[derive(Clone, Debug)]
pub struct RecoveryPolicy {
    /// A code from staff must be used within this time (RC-02).
    pub issued_code_lifetime: Duration,
    /// Each step of a recovery must follow the one before within this time.
    pub step_timeout: Duration,
}

impl Default for RecoveryPolicy {
    fn default() -> Self {
        Self {
            issued_code_lifetime: 24 * HOUR,
            step_timeout: 10 * MINUTE,
        }
    }
}

/// Failures of one identity, and how long it then waits.
#[derive(Clone, Copy, Debug)]
pub struct LanePolicy {
    /// So many failures before the first wait.
    pub free_failures: u32,
    /// The first wait; doubles with every further failure.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl LanePolicy {
    /// Counts, and never waits: for a secret that nobody guesses, and that must not be shut off.
    pub const OPEN: Self = Self {
        free_failures: u32::MAX,
        first_wait: Duration::ZERO,
        longest_wait: Duration::ZERO,
    };
}

/// How often may be guessed.
#[derive(Clone, Debug)]
pub struct AttemptPolicy {
    /// Budgets count in windows of this length.
    pub window: Duration,
    /// Uncredited attempts from one network in a window.
    pub source_attempts_max: u64,
    /// Uncredited attempts altogether in a window.
    pub whole_attempts_max: u64,
    /// Log-in, `current` at a password change, and step-up: they guess at one secret.
    pub log_in: LanePolicy,
    /// Claim by facts.
    pub claim: LanePolicy,
    /// Recovery by code. Nobody guesses 80 bits; a lane that shuts keeps out none but the person.
    pub recovery: LanePolicy,
    /// Security questions, the second gate of recovery (SQ-07).
    pub recovery_answers: LanePolicy,
    /// Networks behind which many people are: budgets of their own, and lanes of their own for claims and
    /// log-ins.
    pub networks: Vec<NamedNetwork>,
    /// So long a browser is known after a log-in.
    pub known_browser_lifetime: Duration,
    /// Near misses of a whole organization.
    pub season: SeasonPolicy,
}

/// How many near misses at claims an organization bears in a season (30 days).
#[derive(Clone, Copy, Debug)]
pub struct SeasonPolicy {
    /// At this share of the unclaimed, in per cent, the audit says `claims_guessed`...
    pub told_percent: u64,
    /// ... but not before so many.
    pub told_min: u64,
    /// At this share, in per cent, claims from outside the named networks need a code...
    pub code_percent: u64,
    /// ... but not before so many.
    pub code_min: u64,
    /// What one network adds at most: nobody brings an organization there alone.
    pub source_max: u64,
    /// At so many near misses of one network from outside, at most two of them for one person, claims
    /// from that network need a code. A family has few children; who guesses has many.
    pub source_code_at: u64,
}

impl Default for SeasonPolicy {
    fn default() -> Self {
        Self {
            told_percent: 2,
            told_min: 20,
            code_percent: 5,
            code_min: 50,
            source_max: 4,
            source_code_at: 8,
        }
    }
}

impl Default for AttemptPolicy {
    fn default() -> Self {
        Self {
            window: HOUR,
            source_attempts_max: 200,
            whole_attempts_max: 20_000,
            log_in: LanePolicy {
                free_failures: 10,
                first_wait: MINUTE / 2,
                longest_wait: HOUR,
            },
            claim: LanePolicy {
                free_failures: 10,
                first_wait: HOUR,
                longest_wait: 24 * HOUR,
            },
            recovery: LanePolicy::OPEN,
            recovery_answers: LanePolicy {
                free_failures: 5,
                first_wait: 24 * HOUR,
                longest_wait: 24 * HOUR,
            },
            networks: Vec::new(),
            known_browser_lifetime: 90 * 24 * HOUR,
            season: SeasonPolicy::default(),
        }
    }
}

/// When an import holds back.
#[derive(Clone, Debug)]
pub struct RosterPolicy {
    /// A complete import that would deactivate more than this share of an organization's people, in
    /// per cent, leaves them as they are and says so.
    pub deactivation_percent_max: u32,
    /// Fewer missing people than this are believed whatever share they are: in a small organization one
    /// who leaves is a large share.
    pub deactivation_count_min: u32,
}

impl Default for RosterPolicy {
    fn default() -> Self {
        Self {
            deactivation_percent_max: 20,
            deactivation_count_min: 5,
        }
    }
}

/// Who is staff: they help people of the organizations in which they have such a role.
#[derive(Clone, Debug)]
pub struct StaffPolicy {
    /// None: the desk is closed, and only commands help.
    pub roles: Vec<Role>,
    /// Whether such a role in a district counts in the organizations below it too.
    pub districts: bool,
}

impl Default for StaffPolicy {
    fn default() -> Self {
        Self {
            roles: vec![Role::Administrator],
            districts: true,
        }
    }
}

/// What people are told of their accounts.
#[derive(Clone, Debug, Default)]
pub struct MessagePolicy {
    /// Whether somebody empties the outbox (mail, a webhook). Without that, messages wait for the next
    /// log-in.
    pub deliver: bool,
}

/// How long records of the past are kept.
#[derive(Clone, Debug)]
pub struct RetentionPolicy {
    /// Tombstones of sessions, after they could not be valid anyway.
    pub ended_families: Duration,
    /// Audit events.
    pub events: Duration,
    /// Messages that nobody took or looked at.
    pub messages: Duration,
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self {
            ended_families: 7 * 24 * HOUR,
            events: 365 * 24 * HOUR,
            messages: 90 * 24 * HOUR,
        }
    }
}
