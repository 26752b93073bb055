//! Attempts are reserved durably before a secret is compared (P5), in two change sets: first the
//! network's and the whole's budget, before an identity is looked at; then the identity's lane.
//! Known browsers and named networks have lanes of their own, so that who fills the ordinary lane from
//! outside shuts nobody out of them.

use subtle::ConstantTimeEq as _;

use super::hooks::Opposition;
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{EntryKey, Lane, NamedNetwork, Now, wider_network};
use crate::policy::{AttemptPolicy, LanePolicy};
use crate::rules::attempts::{LaneVerdict, credit, ease, reserve, window_start};
use crate::rules::time::is_from_the_future;
use crate::secret::{KnownBrowser, KnownMark};
use crate::store::records::{budget_cell, known_lane_key};
use crate::store::{Cell, ChangeSet, Commit, Key};

/// Uncredited attempts in a window that a named network has for each of its people: a class of beginners
/// that types everything wrong three times passes.
pub const NAMED_ATTEMPTS_PER_PERSON: u64 = 4;

/// An IPv6 customer has a /56 or a /48 of /64s: bits, and how many times the budget of one /64 all of
/// them have together.
const WIDER_NETWORKS: [(u8, u64); 2] = [(56, 2), (48, 5)];

/// What is asked for. Each kind has budgets of its own, so that claims cannot use up what log-ins need,
/// and each kind of secret has its own lane per identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptKind {
    /// Number and password.
    LogIn,
    /// The same from a named network: who fills the lane from outside keeps nobody out at school.
    LogInInside,
    /// The password again, within a session: `current` at a password change, and step-up.
    StepUp,
    /// A claim by facts.
    Claim,
    /// The same, from a named network: who fills the lane from outside keeps nobody out at school.
    ClaimInside,
    /// A claim with a code: nobody guesses it, and nobody shuts this lane.
    ClaimCode,
    /// Number and recovery code.
    Recovery,
    /// The answers, after a right recovery code.
    RecoveryAnswers,
}

impl AttemptKind {
    /// All of them: whose failures staff clear.
    pub(super) const ALL: [Self; 8] = [
        Self::LogIn,
        Self::LogInInside,
        Self::StepUp,
        Self::Claim,
        Self::ClaimInside,
        Self::ClaimCode,
        Self::Recovery,
        Self::RecoveryAnswers,
    ];

    /// Names its budgets (*format*) and is told in the audit.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::LogIn => "log-in",
            Self::LogInInside => "log-in-inside",
            Self::StepUp => "step-up",
            Self::Claim => "claim",
            Self::ClaimInside => "claim-inside",
            Self::ClaimCode => "claim-code",
            Self::Recovery => "recovery",
            Self::RecoveryAnswers => "recovery-answers",
        }
    }

    /// Names its lane (*format*). Two ways to guess at one secret share one (A12).
    pub(super) fn lane(self) -> &'static str {
        match self {
            Self::LogIn | Self::StepUp => "log-in",
            other => other.code(),
        }
    }

    /// Whether it is a guess at the password.
    pub(super) fn guesses_password(self) -> bool {
        matches!(self, Self::LogIn | Self::LogInInside | Self::StepUp)
    }

    pub(super) fn lane_policy(self, policy: &AttemptPolicy) -> &LanePolicy {
        match self {
            Self::LogIn | Self::LogInInside | Self::StepUp => &policy.log_in,
            Self::Claim | Self::ClaimInside => &policy.claim,
            Self::ClaimCode => &LanePolicy::OPEN,
            Self::Recovery => &policy.recovery,
            Self::RecoveryAnswers => &policy.recovery_answers,
        }
    }
}

/// The budgets that were charged: given back by a success, in the window that was charged.
#[derive(Debug)]
pub(super) struct Charge {
    cells: Vec<Cell>,
}

impl Charge {
    pub(super) fn give_back(&self, changes: &mut ChangeSet) {
        for cell in &self.cells {
            changes.add(cell.clone(), -1, None);
        }
    }
}

/// What became of the identity's reservation.
#[derive(Debug)]
pub(super) enum Reservation {
    /// One comparison may be made.
    Made(ReservedLane),
    /// None may: the decoy runs, and the answer is that to a wrong secret.
    Exhausted,
}

/// A lane with this attempt counted in it.
#[derive(Debug)]
pub(super) struct ReservedLane {
    key: Key,
    lane: Lane,
}

impl Portal {
    /// Charges the asker's networks and the whole, always with weight 1. Only this may be seen by who
    /// asks. Each kind has budgets of its own: claims, which cost no hash, cannot use up what log-ins
    /// need. Named networks and known browsers have a whole of their own: who asks from everywhere at
    /// once uses up neither.
    pub(super) async fn charge(
        &self,
        kind: AttemptKind,
        entry: &EntryKey,
        asker: &Asker,
    ) -> Result<Charge> {
        let policy = &self.policy().attempts;
        let now = self.now();
        let window = window_start(now, policy.window);
        let (sources, whole) = self.budgets(kind, entry, asker)?;
        let kind = kind.code();
        let mut changes = ChangeSet::new();
        let mut cells = Vec::new();
        let source = format!("source-{kind}");
        for (id, max) in &sources {
            let cell = budget_cell(window, &source, id);
            changes.add(cell.clone(), 1, Some(*max));
            cells.push(cell);
        }
        let cell = budget_cell(window, &format!("whole-{kind}"), whole);
        changes.add(cell.clone(), 1, Some(policy.whole_attempts_max));
        cells.push(cell);
        match self.commit(changes).await? {
            Commit::Committed => Ok(Charge { cells }),
            Commit::CapReached(_) => {
                let retry_after = window.plus(policy.window).since(now.latest);
                Err(Refusal::Throttled { retry_after }.into())
            }
            Commit::Conflict => contended(),
        }
    }

    /// Counts one attempt as failed in the lane of an identity; one that a hook is against is counted and
    /// not made. An id that the roster does not know makes
    /// the same writes, in one of the shared lanes.
    pub(super) async fn reserve_lane(
        &self,
        kind: AttemptKind,
        entry: &EntryKey,
        known: bool,
        against: &Opposition,
        asker: &Asker,
    ) -> Result<Reservation> {
        let mark = match kind.guesses_password() {
            true => self.known_mark(entry, asker)?,
            false => None,
        };
        let inside = kind.guesses_password() && self.named_network(asker).is_some();
        let key = match mark {
            Some(mark) if known => known_lane_key(entry, &mark.id),
            _ if inside => self.lane_key(AttemptKind::LogInInside, entry, known)?,
            _ => self.lane_key(kind, entry, known)?,
        };
        let policy = kind.lane_policy(&self.policy().attempts);
        for _ in 0..CONTENTION_MAX {
            let lane = self.read::<Lane>(&key).await?;
            let now = self.now();
            let version = lane.as_ref().map(|lane| lane.version);
            let mut changes = ChangeSet::new();
            self.audit(
                &mut changes,
                now,
                EventKind::AttemptReserved,
                None,
                asker,
                kind.code(),
            )?;
            for reason in against.reasons() {
                let kind = EventKind::HookRefused;
                self.audit(&mut changes, now, kind, None, asker, reason)?;
            }
            let reservation = match reserve(lane.as_ref().map(|lane| &lane.value), policy, now) {
                LaneVerdict::Reserve(lane) => {
                    put(&mut changes, key.clone(), &lane, version);
                    Reservation::Made(ReservedLane {
                        key: key.clone(),
                        lane,
                    })
                }
                LaneVerdict::Exhausted { rewrite } => {
                    if let Some(lane) = rewrite {
                        put(&mut changes, key.clone(), &lane, version);
                    }
                    // The same cost as a reservation: one durable commit.
                    Reservation::Exhausted
                }
            };
            if self.commit(changes).await? == Commit::Committed {
                // Who is refused by a hook costs and reads as one whose tries are used up.
                return Ok(match against.exists() {
                    true => Reservation::Exhausted,
                    false => reservation,
                });
            }
        }
        contended()
    }

    /// Takes this attempt, and the failures before it, off the lane: part of the success's change set.
    pub(super) async fn credit_lane(
        &self,
        changes: &mut ChangeSet,
        reserved: &ReservedLane,
    ) -> Result<()> {
        self.settle_lane(changes, reserved, credit).await
    }

    /// Leaves of this attempt what a wild miss weighs: part of the change set that tells of it.
    pub(super) async fn ease_lane(
        &self,
        changes: &mut ChangeSet,
        reserved: &ReservedLane,
    ) -> Result<()> {
        self.settle_lane(changes, reserved, ease).await
    }

    /// Leaves the attempt as it was counted; writes what [`Self::ease_lane`] writes, at the same cost.
    pub(super) async fn keep_lane(
        &self,
        changes: &mut ChangeSet,
        reserved: &ReservedLane,
    ) -> Result<()> {
        self.settle_lane(changes, reserved, |current, _| *current)
            .await
    }

    async fn settle_lane(
        &self,
        changes: &mut ChangeSet,
        reserved: &ReservedLane,
        settled: fn(&Lane, &Lane) -> Lane,
    ) -> Result<()> {
        if let Some(current) = self.read::<Lane>(&reserved.key).await? {
            let lane = settled(&current.value, &reserved.lane);
            put(changes, reserved.key.clone(), &lane, Some(current.version));
        }
        Ok(())
    }

    /// The named network that the asker is in.
    pub(super) fn named_network(&self, asker: &Asker) -> Option<&NamedNetwork> {
        NamedNetwork::of(&asker.source, &self.policy().attempts.networks)
    }

    /// What the asker's budgets are counted under, each with its size, and which whole they are part of.
    fn budgets(
        &self,
        kind: AttemptKind,
        entry: &EntryKey,
        asker: &Asker,
    ) -> Result<(Vec<(String, u64)>, &'static str)> {
        let max = self.policy().attempts.source_attempts_max;
        if let Some(network) = self.named_network(asker) {
            let for_all = NAMED_ATTEMPTS_PER_PERSON * u64::from(network.people);
            let shared = (network.cidr.to_string(), max.max(for_all));
            return Ok((vec![shared], "named"));
        }
        let mut sources = vec![(source_name(asker), max)];
        for (bits, times) in WIDER_NETWORKS {
            if let Some(wider) = wider_network(&asker.source, bits) {
                sources.push((wider, max.saturating_mul(times)));
            }
        }
        let known = kind.guesses_password() && self.known_mark(entry, asker)?.is_some();
        Ok((sources, if known { "known" } else { "all" }))
    }

    /// The mark by which the asker's browser is known for this entry: one that was made here, for it,
    /// and not too long ago. Forged and foreign ones are none.
    pub(super) fn known_mark(&self, entry: &EntryKey, asker: &Asker) -> Result<Option<KnownMark>> {
        let now = self.now();
        let mut found = None;
        for mark in asker.known_browser.iter().flat_map(KnownBrowser::marks) {
            let until = mark
                .earned_at
                .plus(self.policy().attempts.known_browser_lifetime);
            let lives = now.latest < until && !is_from_the_future(mark.earned_at, now);
            let right = self.known_tag(entry, &mark.id, mark.earned_at.as_millis())?;
            if lives && bool::from(right.ct_eq(&mark.tag)) {
                found = found.or(Some(*mark));
            }
        }
        Ok(found)
    }

    /// What the browser keeps after a log-in to `entry`: its other accounts stay known.
    pub(super) fn earn_known_browser(
        &self,
        entry: &EntryKey,
        asker: &Asker,
        now: Now,
    ) -> Result<KnownBrowser> {
        let before = self.known_mark(entry, asker)?;
        let id = match &before {
            Some(mark) => mark.id,
            None => self.random()?,
        };
        let mark = KnownMark {
            id,
            earned_at: now.latest,
            tag: self.known_tag(entry, &id, now.latest.as_millis())?,
        };
        let known = asker.known_browser.clone().unwrap_or_default();
        Ok(known.with(mark, before.as_ref()))
    }

    fn known_tag(&self, entry: &EntryKey, id: &[u8; 16], earned_ms: u64) -> Result<[u8; 16]> {
        let parts = [
            b"known-browser".as_slice(),
            &entry.0,
            id,
            &earned_ms.to_le_bytes(),
        ];
        let tag = self.tag(&parts)?;
        Ok(std::array::from_fn(|place| {
            tag.get(place).copied().unwrap_or(0)
        }))
    }

    pub(super) fn lane_key(&self, kind: AttemptKind, entry: &EntryKey, known: bool) -> Result<Key> {
        let kind = kind.lane();
        if known {
            return Ok(Key::record(format!("lane/{kind}/{}", entry.to_hex())));
        }
        let keys = self.keys();
        let id = keys.current(KeyPurpose::Names);
        let digest = keys.mac(KeyPurpose::Names, id, &[b"shared-lane", &entry.0])?;
        let [low, high, ..] = digest;
        // 65,536 lanes for all unknown ids: over-counted only, nothing to flood or evict.
        let lane = u16::from_le_bytes([low, high]);
        Ok(Key::record(format!("lane/{kind}/shared-{lane:04x}")))
    }
}

/// The source of a request as part of a key.
pub(super) fn source_name(asker: &Asker) -> String {
    let name: String = asker
        .source
        .chars()
        .filter(|c| c.is_ascii_hexdigit() || ".:/".contains(*c))
        .collect();
    if name.is_empty() {
        "local".to_owned()
    } else {
        name
    }
}
