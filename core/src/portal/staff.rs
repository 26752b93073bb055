//! What the people of the office may ask and do: from the command line, and at the desk
//! (`staff_desk.rs`).

use super::attempts::AttemptKind;
use super::{Asker, CONTENTION_MAX, IssuedClaimCode, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::{
    AccountId, EndReason, EntryKey, Gate, GateStatus, Lane, Listing, LoginId, Membership,
    OrganizationId, RosterEntry, Timestamp,
};
use crate::rules::attempts::{failures, forgive, shut_until};
use crate::rules::claim::{ClaimEvidence, digest_evidence, may_be_claimed};
use crate::secret::same_digest;
use crate::store::records::{entry_key, gate_key, known_lanes_of, statistic_cell};
use crate::store::{ChangeSet, Commit};

/// What is known of a person: no secret, no birthdate.
#[derive(Clone, Debug)]
pub struct PersonReport {
    /// The student number.
    pub login_id: String,
    /// As the roster writes it.
    pub given_name: String,
    /// As the roster writes it.
    pub family_name: String,
    /// Whether the roster lists the person.
    pub listing: Listing,
    /// Whether the account has been claimed.
    pub claimed: bool,
    /// Whether the account can be used, where there is one.
    pub status: Option<GateStatus>,
    /// Names the account, where there is one.
    pub account: Option<AccountId>,
    /// When the office disabled the person; absent: it did not.
    pub disabled_at: Option<Timestamp>,
    /// Whether a birthdate is on record, so that the person can claim by it.
    pub has_birthdate: bool,
    /// One per (organization, role).
    pub memberships: Vec<Membership>,
    /// Where the roster says the person lands.
    pub default_organization: OrganizationId,
    /// Uncredited claim attempts by facts, wherever they came from.
    pub claim_failures: u32,
    /// Claim attempts with a wrong code.
    pub claim_code_failures: u32,
    /// When the claim code that was issued is worth nothing any more; absent: there is no live one.
    pub claim_code_expires_at: Option<Timestamp>,
    /// Uncredited log-in attempts, wherever they came from.
    pub log_in_failures: u32,
    /// Until then a claim by facts is refused whatever is typed, from outside, from named networks or
    /// from both: each has a lane of its own. Absent: from neither.
    pub claim_shut_until: Option<Timestamp>,
    /// Until then a log-in is refused whatever is typed, from outside, from named networks or in a known
    /// browser: each has a lane of its own, and this is the last to open. Absent: nowhere.
    pub log_in_shut_until: Option<Timestamp>,
    /// The roster that lists the person, and the name of the person's row in it.
    pub source_row: (String, String),
}

/// Which facts agree with the roster; never what the roster says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvidenceReport {
    /// The number is in the roster.
    pub listed: bool,
    /// First Name and Last Name belong to it.
    pub names_match: bool,
    /// The birthdate belongs to it.
    pub birthdate_matches: bool,
    /// A birthdate is on record.
    pub has_birthdate: bool,
    /// The account may be claimed: listed, not held, not disabled, not claimed yet.
    pub claimable: bool,
    /// The office disabled the person.
    pub disabled: bool,
}

/// What taking a claim back did.
#[derive(Clone, Debug)]
pub enum ResetClaim {
    /// The roster has no such number.
    Unknown,
    /// There was nothing to take back.
    NotClaimed,
    /// Every session has ended, the password is dead, the person can claim again: with this code at
    /// once, without one only where the birthdate is on record.
    Reset(IssuedClaimCode),
}

impl Portal {
    /// What is known of the person with this number.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn person(&self, login_id: &LoginId) -> Result<Option<PersonReport>> {
        let key = self.entry_key(login_id)?;
        let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
            return Ok(None);
        };
        self.report(&key, entry.value).await.map(Some)
    }

    pub(super) async fn report(&self, key: &EntryKey, entry: RosterEntry) -> Result<PersonReport> {
        let details = self.open_details(key, &entry)?;
        let gate = match entry.account {
            Some(account) => self.read::<Gate>(&gate_key(account)).await?,
            None => None,
        };
        let mut counts = [(0, None); 5];
        for (count, kind) in counts.iter_mut().zip([
            AttemptKind::Claim,
            AttemptKind::ClaimInside,
            AttemptKind::ClaimCode,
            AttemptKind::LogIn,
            AttemptKind::LogInInside,
        ]) {
            let lane = self.read::<Lane>(&self.lane_key(kind, key, true)?).await?;
            if let Some(lane) = lane.map(|lane| lane.value) {
                let policy = kind.lane_policy(&self.policy().attempts);
                *count = (failures(&lane), shut_until(&lane, policy, self.now()));
            }
        }
        let [
            outside,
            inside,
            (claim_code_failures, _),
            mut log_in,
            log_in_inside,
        ] = counts;
        for lane_key in self.keys_with_prefix(&known_lanes_of(key)).await? {
            if let Some(lane) = self.read::<Lane>(&lane_key).await? {
                let until = shut_until(&lane.value, &self.policy().attempts.log_in, self.now());
                log_in.0 = log_in.0.saturating_add(failures(&lane.value));
                log_in.1 = log_in.1.max(until);
            }
        }
        let claim_code_expires_at = self.claim_code_expires_at(key, &entry).await?;
        Ok(PersonReport {
            login_id: details.login_id,
            given_name: details.given_name,
            family_name: details.family_name,
            listing: entry.listing,
            claimed: entry.claimed,
            status: gate.map(|gate| gate.value.status),
            account: entry.account,
            disabled_at: entry.disabled_at,
            has_birthdate: entry.birthdate.is_some(),
            memberships: entry.memberships,
            default_organization: entry.default_organization,
            claim_failures: outside.0.saturating_add(inside.0),
            claim_code_failures,
            claim_code_expires_at,
            log_in_failures: log_in.0.saturating_add(log_in_inside.0),
            claim_shut_until: outside.1.max(inside.1),
            log_in_shut_until: log_in.1.max(log_in_inside.1),
            source_row: (details.source, details.source_id),
        })
    }

    /// Which of the facts that a person typed agree with the roster. For staff only: it charges no
    /// budget and tells facts apart.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn check_evidence(&self, evidence: &ClaimEvidence) -> Result<EvidenceReport> {
        let key = self.entry_key(evidence.login_id())?;
        let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
            return Ok(EvidenceReport {
                listed: false,
                names_match: false,
                birthdate_matches: false,
                has_birthdate: false,
                claimable: false,
                disabled: false,
            });
        };
        self.compare_evidence(evidence, &key, &entry.value)
    }

    pub(super) fn compare_evidence(
        &self,
        evidence: &ClaimEvidence,
        key: &EntryKey,
        entry: &RosterEntry,
    ) -> Result<EvidenceReport> {
        let digests = digest_evidence(evidence, key, self.keys(), entry.evidence_key)?;
        let names = entry
            .name_pairs
            .iter()
            .any(|pair| same_digest(pair, &digests.name_pair));
        Ok(EvidenceReport {
            listed: true,
            names_match: names,
            birthdate_matches: entry
                .birthdate
                .is_some_and(|digest| same_digest(&digest, &digests.birthdate)),
            has_birthdate: entry.birthdate.is_some(),
            claimable: may_be_claimed(entry),
            disabled: entry.disabled_at.is_some(),
        })
    }

    /// Takes a claim back: every session ends, the password dies, the person can claim again and then
    /// has the same account. The code to do so comes with it, in the same commit.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn reset_claim(&self, login_id: &LoginId, asker: &Asker) -> Result<ResetClaim> {
        let key = self.entry_key(login_id)?;
        for _ in 0..CONTENTION_MAX {
            let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
                return Ok(ResetClaim::Unknown);
            };
            let Some(account) = entry.value.account.filter(|_| entry.value.claimed) else {
                return Ok(ResetClaim::NotClaimed);
            };
            let mut changes = ChangeSet::new();
            if let Some(gate) = self.read::<Gate>(&gate_key(account)).await? {
                let reset = Gate {
                    session_epoch: gate.value.session_epoch + 1,
                    epoch_reason: EndReason::StaffReset,
                    status: GateStatus::Reset,
                    credential_generation: gate.value.credential_generation + 1,
                    sealed_credential: Vec::new(),
                    recovery_codes: Vec::new(),
                };
                put(&mut changes, gate_key(account), &reset, Some(gate.version));
            }
            let unclaimed = RosterEntry {
                claimed: false,
                claim_generation: entry.value.claim_generation + 1,
                ..entry.value.clone()
            };
            put(
                &mut changes,
                entry_key(&key),
                &unclaimed,
                Some(entry.version),
            );
            if entry.value.listing == Listing::Active {
                for membership in &entry.value.memberships {
                    let role = membership.role.code();
                    let cell = statistic_cell(&membership.organization, "claimed", role);
                    changes.add(cell, -1, None);
                }
            }
            self.forget_failures(&mut changes, &key, &AttemptKind::ALL)
                .await?;
            let now = self.now();
            let issued = self
                .put_claim_code(&mut changes, &key, &unclaimed, now)
                .await?;
            self.audit(
                &mut changes,
                now,
                EventKind::ClaimReset,
                Some(account),
                asker,
                "",
            )?;
            if self.commit(changes).await? == Commit::Committed {
                self.0
                    .notices
                    .all_ended(account, None, EndReason::StaffReset);
                return Ok(ResetClaim::Reset(issued));
            }
        }
        contended()
    }

    pub(super) async fn forget_failures(
        &self,
        changes: &mut ChangeSet,
        key: &EntryKey,
        kinds: &[AttemptKind],
    ) -> Result<()> {
        let mut lanes = Vec::new();
        for kind in kinds {
            let lane_key = self.lane_key(*kind, key, true)?;
            if !lanes.contains(&lane_key) {
                lanes.push(lane_key);
            }
        }
        if kinds.iter().any(|kind| kind.guesses_password()) {
            lanes.extend(self.keys_with_prefix(&known_lanes_of(key)).await?);
        }
        for lane_key in lanes {
            if let Some(lane) = self.read::<Lane>(&lane_key).await? {
                put(changes, lane_key, &forgive(&lane.value), Some(lane.version));
            }
        }
        Ok(())
    }
}
