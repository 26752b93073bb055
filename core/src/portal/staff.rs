//! What the people of the office may ask and do from the command line.

use super::attempts::AttemptKind;
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::{
    AccountId, EndReason, Gate, GateStatus, Lane, Listing, LoginId, Membership, OrganizationId,
    RosterEntry,
};
use crate::rules::claim::{ClaimEvidence, digest_evidence, may_be_claimed};
use crate::secret::same_digest;
use crate::store::records::{entry_key, gate_key, statistic_cell};
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
    /// Whether a birthdate is on record, so that the person can claim by it.
    pub has_birthdate: bool,
    /// One per (organization, role).
    pub memberships: Vec<Membership>,
    /// Where the roster says the person lands.
    pub default_organization: OrganizationId,
    /// Uncredited claim attempts.
    pub claim_failures: u32,
    /// Uncredited log-in attempts.
    pub log_in_failures: u32,
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
    /// The account may be claimed: listed, not held, not claimed yet.
    pub claimable: bool,
}

/// What taking a claim back did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetClaim {
    /// The roster has no such number.
    Unknown,
    /// There was nothing to take back.
    NotClaimed,
    /// Every session has ended, the password is dead, the person can claim again.
    Reset {
        /// Whether the person can claim by birthdate.
        has_birthdate: bool,
    },
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
        let entry = entry.value;
        let details = self.open_details(&key, &entry)?;
        let gate = match entry.account {
            Some(account) => self.read::<Gate>(&gate_key(account)).await?,
            None => None,
        };
        let mut failures = [0; 2];
        for (count, kind) in failures
            .iter_mut()
            .zip([AttemptKind::Claim, AttemptKind::LogIn])
        {
            let lane = self.read::<Lane>(&self.lane_key(kind, &key, true)?).await?;
            *count = lane.map_or(0, |lane| lane.value.failures);
        }
        let [claim_failures, log_in_failures] = failures;
        Ok(Some(PersonReport {
            login_id: details.login_id,
            given_name: details.given_name,
            family_name: details.family_name,
            listing: entry.listing,
            claimed: entry.claimed,
            status: gate.map(|gate| gate.value.status),
            account: entry.account,
            has_birthdate: entry.birthdate.is_some(),
            memberships: entry.memberships,
            default_organization: entry.default_organization,
            claim_failures,
            log_in_failures,
        }))
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
            });
        };
        let entry = entry.value;
        let digests = digest_evidence(evidence, &key, self.keys(), entry.evidence_key)?;
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
            claimable: may_be_claimed(&entry),
        })
    }

    /// Takes a claim back: every session ends, the password dies, the person can claim again and then
    /// has the same account.
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
            let has_birthdate = entry.value.birthdate.is_some();
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
            self.forget_failures(&mut changes, &key).await?;
            let now = self.now();
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
                return Ok(ResetClaim::Reset { has_birthdate });
            }
        }
        contended()
    }

    async fn forget_failures(
        &self,
        changes: &mut ChangeSet,
        key: &crate::model::EntryKey,
    ) -> Result<()> {
        for kind in [AttemptKind::Claim, AttemptKind::LogIn] {
            let lane_key = self.lane_key(kind, key, true)?;
            if let Some(lane) = self.read::<Lane>(&lane_key).await? {
                let cleared = Lane {
                    failures: 0,
                    ..lane.value
                };
                put(changes, lane_key, &cleared, Some(lane.version));
            }
        }
        Ok(())
    }
}
