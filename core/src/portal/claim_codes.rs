//! Claim codes: issued by the office, printed in a letter, typed once (CL-06). The store has a keyed digest.

use super::staff_desk::{Once, Warrant};
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::host::{KeyError, KeyPurpose};
use crate::model::{
    ClaimCodeRecord, EntryKey, LoginId, Now, OrganizationId, RosterEntry, Timestamp,
};
use crate::rules::claim::{claim_code_digest, claim_code_is_live, may_be_claimed};
use crate::secret::{ClaimCode, same_digest};
use crate::store::records::{claim_code_key, entry_key};
use crate::store::{ChangeSet, Commit, Space};

/// Entries looked at in one page of a scan.
const SCAN_KEYS: u32 = 512;

/// A code that was just issued: shown once, for the letter.
#[derive(Clone, Debug)]
pub struct IssuedClaimCode {
    /// The student number.
    pub login_id: String,
    /// First Name, as the roster writes it.
    pub given_name: String,
    /// Last Name, as the roster writes it.
    pub family_name: String,
    /// Where the person lands after the first log-in.
    pub organization: OrganizationId,
    /// The code.
    pub code: ClaimCode,
    /// From then on it is worth nothing.
    pub expires_at: Timestamp,
    /// Whether the claim asks the birthdate too: it is on record.
    pub needs_birthdate: bool,
}

/// What asking for a code did.
#[derive(Clone, Debug)]
pub enum IssueClaimCode {
    /// The roster has no such number.
    Unknown,
    /// The account has been claimed, or the person is not listed as active.
    NotClaimable,
    /// A code; one that was issued before is worth nothing now.
    Issued(IssuedClaimCode),
}

impl Portal {
    /// Issues a claim code to the person with this number.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn issue_claim_code(
        &self,
        login_id: &LoginId,
        asker: &Asker,
    ) -> Result<IssueClaimCode> {
        let key = self.entry_key(login_id)?;
        let issued = self.issue_for(&key, |_| true, Warrant::Operator, asker);
        // Without a mark nothing is stale.
        Ok(issued.await?.done().unwrap_or(IssueClaimCode::Unknown))
    }

    /// Issues a claim code to everybody of an organization who has not claimed yet, in order of family
    /// name. One commit per person: who stops it halfway has issued half of them.
    ///
    /// # Errors
    /// As [`Self::issue_claim_code`].
    pub async fn issue_claim_codes(
        &self,
        organization: &OrganizationId,
        asker: &Asker,
    ) -> Result<Vec<IssuedClaimCode>> {
        let belongs = |entry: &RosterEntry| {
            let mut memberships = entry.memberships.iter();
            memberships.any(|m| m.organization == *organization)
        };
        let mut issued = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let keys = self
                .store()
                .scan(Space::Records, "entry/", cursor.as_deref(), SCAN_KEYS)
                .await?;
            let Some(last) = keys.last() else { break };
            cursor = Some(last.path().to_owned());
            for key in &keys {
                let hex = key
                    .path()
                    .strip_prefix("entry/")
                    .and_then(EntryKey::from_hex);
                if let Some(entry) = hex
                    && let Once::Done(IssueClaimCode::Issued(one)) = self
                        .issue_for(&entry, belongs, Warrant::Operator, asker)
                        .await?
                {
                    issued.push(one);
                }
            }
        }
        issued.sort_by(|a, b| {
            let name = |one: &IssuedClaimCode| (one.family_name.clone(), one.given_name.clone());
            name(a).cmp(&name(b))
        });
        Ok(issued)
    }

    pub(super) async fn issue_for(
        &self,
        key: &EntryKey,
        wanted: impl Fn(&RosterEntry) -> bool + Send,
        warrant: Warrant<'_>,
        asker: &Asker,
    ) -> Result<Once<IssueClaimCode>> {
        for _ in 0..CONTENTION_MAX {
            let Some(entry) = self.read::<RosterEntry>(&entry_key(key)).await? else {
                return Ok(Once::Done(IssueClaimCode::Unknown));
            };
            let mut changes = ChangeSet::new();
            if !self.may_act(warrant, &entry.value, &mut changes).await? {
                return Ok(Once::Done(IssueClaimCode::Unknown));
            }
            if !may_be_claimed(&entry.value) || !wanted(&entry.value) {
                return Ok(Once::Done(IssueClaimCode::NotClaimable));
            }
            changes.expect(entry_key(key), entry.version);
            let now = self.now();
            let issued = self
                .put_claim_code(&mut changes, key, &entry.value, now)
                .await?;
            if self.is_stale(warrant, key, &entry.value).await? {
                return Ok(Once::Stale);
            }
            let (kind, account) = (EventKind::ClaimCodeIssued, entry.value.account);
            let detail = warrant.detail("");
            self.audit(&mut changes, now, kind, account, asker, &detail)?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(Once::Done(IssueClaimCode::Issued(issued)));
            }
        }
        contended()
    }

    /// A fresh code for `entry` as it will stand after the commit; an older one dies with it.
    pub(super) async fn put_claim_code(
        &self,
        changes: &mut ChangeSet,
        key: &EntryKey,
        entry: &RosterEntry,
        now: Now,
    ) -> Result<IssuedClaimCode> {
        let code = ClaimCode::generate(self.entropy())?;
        let code_key = self.keys().current(KeyPurpose::TokenDigest);
        let record = ClaimCodeRecord {
            claim_generation: entry.claim_generation,
            code_key,
            code_digest: claim_code_digest(&code, key, self.keys(), code_key)?,
            issued_at: now.latest,
        };
        let before = self.read::<ClaimCodeRecord>(&claim_code_key(key)).await?;
        let version = before.map(|before| before.version);
        put(changes, claim_code_key(key), &record, version);
        let details = self.open_details(key, entry)?;
        Ok(IssuedClaimCode {
            login_id: details.login_id,
            given_name: details.preferred_given_name.unwrap_or(details.given_name),
            family_name: details.preferred_family_name.unwrap_or(details.family_name),
            organization: entry.default_organization.clone(),
            code,
            expires_at: record.issued_at.plus(self.policy().claim.code_lifetime),
            needs_birthdate: entry.birthdate.is_some(),
        })
    }

    /// A claim that is finished leaves no code behind.
    pub(super) async fn spend_claim_code(
        &self,
        changes: &mut ChangeSet,
        key: &EntryKey,
    ) -> Result<()> {
        let code = claim_code_key(key);
        if let Some(record) = self.read::<ClaimCodeRecord>(&code).await? {
            changes.delete(code, record.version);
        }
        Ok(())
    }

    pub(super) fn claim_code_is_right(
        &self,
        code: &ClaimCode,
        key: &EntryKey,
        record: &ClaimCodeRecord,
        entry: &RosterEntry,
    ) -> Result<bool> {
        let digest = match claim_code_digest(code, key, self.keys(), record.code_key) {
            Ok(digest) => digest,
            // Issued before the store was put back, or by another house's keys: worth nothing.
            Err(KeyError::Unknown(..)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let live = claim_code_is_live(record, entry, &self.policy().claim, self.now());
        Ok(same_digest(&digest, &record.code_digest) & live)
    }

    /// When the code of an entry is worth nothing any more; `None`: it has no live one.
    pub(super) async fn claim_code_expires_at(
        &self,
        key: &EntryKey,
        entry: &RosterEntry,
    ) -> Result<Option<Timestamp>> {
        let record = self.read::<ClaimCodeRecord>(&claim_code_key(key)).await?;
        let policy = &self.policy().claim;
        let live = record
            .map(|record| record.value)
            .filter(|record| claim_code_is_live(record, entry, policy, self.now()))
            .filter(|_| may_be_claimed(entry));
        Ok(live.map(|record| record.issued_at.plus(policy.code_lifetime)))
    }
}
