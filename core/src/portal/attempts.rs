//! Attempts are reserved durably before a secret is compared (P5), in two change sets: first the
//! network's and the whole's budget, before an identity is looked at; then the identity's lane.

use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{EntryKey, Lane};
use crate::rules::attempts::{LaneVerdict, credit, reserve, window_start};
use crate::store::records::budget_cell;
use crate::store::{Cell, ChangeSet, Commit, Key};

/// Unknown ids share so many lanes: over-counted only, nothing to flood or evict.
const SHARED_LANES: u16 = u16::MAX;

/// What kind of secret is guessed at; each kind has its own lane per identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptKind {
    LogIn,
    Claim,
}

impl AttemptKind {
    fn code(self) -> &'static str {
        match self {
            Self::LogIn => "log-in",
            Self::Claim => "claim",
        }
    }
}

/// The budgets that were charged: given back by a success, in the window that was charged.
#[derive(Debug)]
pub(super) struct Charge {
    cells: [Cell; 2],
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
    /// Charges the network and the whole, always with weight 1. Only this may be seen by who asks. Each
    /// kind has budgets of its own: claims, which cost no hash, cannot use up what log-ins need.
    pub(super) async fn charge(&self, kind: AttemptKind, asker: &Asker) -> Result<Charge> {
        let policy = &self.policy().attempts;
        let now = self.now();
        let window = window_start(now, policy.window);
        let source: String = asker
            .source
            .chars()
            .filter(|c| c.is_ascii_hexdigit() || ".:/".contains(*c))
            .collect();
        let id = if source.is_empty() { "local" } else { &source };
        let kind = kind.code();
        let cells = [
            budget_cell(window, &format!("source-{kind}"), id),
            budget_cell(window, &format!("whole-{kind}"), "all"),
        ];
        let [of_source, of_whole] = cells.clone();
        let mut changes = ChangeSet::new();
        changes.add(of_source, 1, Some(policy.source_attempts_max));
        changes.add(of_whole, 1, Some(policy.whole_attempts_max));
        match self.commit(changes).await? {
            Commit::Committed => Ok(Charge { cells }),
            Commit::CapReached(_) => {
                let retry_after = window.plus(policy.window).since(now.latest);
                Err(Refusal::Throttled { retry_after }.into())
            }
            Commit::Conflict => contended(),
        }
    }

    /// Counts one attempt as failed in the lane of an identity. An id that the roster does not know makes
    /// the same writes, in one of the shared lanes.
    pub(super) async fn reserve_lane(
        &self,
        kind: AttemptKind,
        entry: &EntryKey,
        known: bool,
        asker: &Asker,
    ) -> Result<Reservation> {
        let key = self.lane_key(kind, entry, known)?;
        let policy = match kind {
            AttemptKind::LogIn => &self.policy().attempts.log_in,
            AttemptKind::Claim => &self.policy().attempts.claim,
        };
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
                return Ok(reservation);
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
        if let Some(current) = self.read::<Lane>(&reserved.key).await? {
            let lane = credit(&current.value, &reserved.lane);
            put(changes, reserved.key.clone(), &lane, Some(current.version));
        }
        Ok(())
    }

    pub(super) fn lane_key(&self, kind: AttemptKind, entry: &EntryKey, known: bool) -> Result<Key> {
        let kind = kind.code();
        if known {
            return Ok(Key::record(format!("lane/{kind}/{}", entry.to_hex())));
        }
        let keys = self.keys();
        let id = keys.current(KeyPurpose::Names);
        let digest = keys.mac(KeyPurpose::Names, id, &[b"shared-lane", &entry.0])?;
        let [low, high, ..] = digest;
        let lane = u16::from_le_bytes([low, high]) & SHARED_LANES;
        Ok(Key::record(format!("lane/{kind}/shared-{lane:04x}")))
    }
}
