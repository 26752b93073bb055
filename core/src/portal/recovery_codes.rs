//! Recovery codes: one from staff, eight for the person to keep (RC-01, RC-02). A code is shown when it
//! is made and never again: the gate keeps digests.

use zeroize::Zeroizing;

use super::log_in::usable_account;
use super::staff_desk::{Once, Warrant};
use super::{Asker, CONTENTION_MAX, Portal, Reauthenticated, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::host::{KeyError, KeyPurpose};
use crate::model::{
    AccountId, Gate, GateStatus, LoginId, RecoveryCode, RecoveryCodeKind, RosterEntry, Timestamp,
};
use crate::rules::code::RecoveryCodeText;
use crate::rules::recovery::{SAVED_CODES, code_is_current, replace_kind};
use crate::store::records::{Stored, entry_key, family_key, gate_key};
use crate::store::{ChangeSet, Commit, Record};

/// What asking for a recovery code on behalf of a person led to.
#[derive(Debug)]
pub enum IssuedRecoveryCode {
    /// The roster has no such number.
    Unknown,
    /// There is no account in use to recover: the person claims it first, or staff enable it.
    NothingToRecover,
    /// For the person, on paper; an earlier one from staff is dead.
    Issued {
        /// Shown once.
        code: RecoveryCodeText,
        /// When it is too late to use it.
        expires_at: Timestamp,
    },
}

impl Portal {
    /// Makes a recovery code for the person with this number. The person stays logged in where they
    /// are, and the password stays as it is until the code is used.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn issue_recovery_code(
        &self,
        login_id: &LoginId,
        asker: &Asker,
    ) -> Result<IssuedRecoveryCode> {
        let issued = self.issue_recovery_code_on(Warrant::Operator, login_id, asker);
        // Without a mark nothing is stale.
        Ok(issued.await?.done().unwrap_or(IssuedRecoveryCode::Unknown))
    }

    pub(super) async fn issue_recovery_code_on(
        &self,
        warrant: Warrant<'_>,
        login_id: &LoginId,
        asker: &Asker,
    ) -> Result<Once<IssuedRecoveryCode>> {
        let key = self.entry_key(login_id)?;
        for _ in 0..CONTENTION_MAX {
            let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
                return Ok(Once::Done(IssuedRecoveryCode::Unknown));
            };
            let mut changes = ChangeSet::new();
            if !self.may_act(warrant, &entry.value, &mut changes).await? {
                return Ok(Once::Done(IssuedRecoveryCode::Unknown));
            }
            let Some(account) = usable_account(&entry.value) else {
                return Ok(Once::Done(IssuedRecoveryCode::NothingToRecover));
            };
            let gate = self.read::<Gate>(&gate_key(account)).await?;
            let Some(gate) = gate.filter(|gate| gate.value.status == GateStatus::Active) else {
                return Ok(Once::Done(IssuedRecoveryCode::NothingToRecover));
            };
            if self.is_stale(warrant, &key, &entry.value).await? {
                return Ok(Once::Stale);
            }
            let now = self.now();
            let text = self.draw_code()?;
            let code = self.kept_code(account, &text, RecoveryCodeKind::Issued, now.latest)?;
            changes.expect(entry_key(&key), entry.version);
            let next = with_codes(gate.value, vec![code]);
            put(&mut changes, gate_key(account), &next, Some(gate.version));
            let kind = EventKind::RecoveryCodesIssued;
            let detail = warrant.detail("issued");
            self.audit(&mut changes, now, kind, Some(account), asker, &detail)?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(Once::Done(IssuedRecoveryCode::Issued {
                    code: text,
                    expires_at: now.latest.plus(self.policy().recovery.issued_code_lifetime),
                }));
            }
        }
        contended()
    }

    /// Makes a new set of codes for the person to keep; the old set is dead.
    ///
    /// # Errors
    /// The session is no longer live, the store did not answer, or others kept committing first.
    pub async fn renew_recovery_codes(
        &self,
        proof: &Reauthenticated<'_>,
        asker: &Asker,
    ) -> Result<Vec<RecoveryCodeText>> {
        let session = proof.session();
        let account = session.account();
        for _ in 0..CONTENTION_MAX {
            let judged = self.judge_again(session).await?;
            let now = self.now();
            let mut texts = Vec::with_capacity(SAVED_CODES);
            let mut codes = Vec::with_capacity(SAVED_CODES);
            for _ in 0..SAVED_CODES {
                let text = self.draw_code()?;
                codes.push(self.kept_code(account, &text, RecoveryCodeKind::Saved, now.latest)?);
                texts.push(text);
            }
            let mut changes = ChangeSet::new();
            let next = with_codes(judged.gate.value, codes);
            let version = Some(judged.gate.version);
            put(&mut changes, gate_key(account), &next, version);
            changes.expect(family_key(session.selector()), judged.family.version);
            let kind = EventKind::RecoveryCodesIssued;
            self.audit(&mut changes, now, kind, Some(account), asker, "saved")?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(texts);
            }
        }
        contended()
    }

    /// How many saved codes the person still has.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn recovery_codes_left(&self, account: AccountId) -> Result<usize> {
        let Some(gate) = self.read::<Gate>(&gate_key(account)).await? else {
            return Ok(0);
        };
        let (policy, now) = (&self.policy().recovery, self.now());
        let codes = codes_of(&gate.value);
        let left = codes.iter().filter(|code| {
            code.kind == RecoveryCodeKind::Saved && code_is_current(code, policy, now)
        });
        Ok(left.count())
    }

    fn draw_code(&self) -> Result<RecoveryCodeText> {
        let random = Zeroizing::new(self.random()?);
        Ok(RecoveryCodeText::from_random(&random))
    }

    fn kept_code(
        &self,
        account: AccountId,
        text: &RecoveryCodeText,
        kind: RecoveryCodeKind,
        issued_at: Timestamp,
    ) -> Result<RecoveryCode> {
        let key = self.keys().current(KeyPurpose::TokenDigest);
        Ok(RecoveryCode {
            kind,
            key,
            digest: self.code_digest(key, account, text)?,
            issued_at,
        })
    }

    /// Bound to the account: the code of one is worthless for another.
    pub(super) fn code_digest(
        &self,
        key: u32,
        account: AccountId,
        text: &RecoveryCodeText,
    ) -> Result<[u8; 32], KeyError> {
        let parts = [
            b"recovery-code".as_slice(),
            account.as_bytes(),
            text.as_bytes(),
        ];
        self.keys().mac(KeyPurpose::TokenDigest, key, &parts)
    }
}

/// The codes of a gate. What is not understood opens nothing.
pub(super) fn codes_of(gate: &Gate) -> Vec<RecoveryCode> {
    gate.recovery_codes
        .iter()
        .filter_map(|bytes| RecoveryCode::decode(&Record(bytes.clone())).ok())
        .collect()
}

fn with_codes(gate: Gate, fresh: Vec<RecoveryCode>) -> Gate {
    let codes = replace_kind(&codes_of(&gate), fresh);
    Gate {
        recovery_codes: codes.iter().map(|code| code.encode().0).collect(),
        ..gate
    }
}
