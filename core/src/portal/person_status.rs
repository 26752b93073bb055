//! Disabling a person, and enabling them again (SE-08): the office's word, which no import undoes.

use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::{EndReason, Gate, GateStatus, Listing, LoginId, RosterEntry};
use crate::store::records::{entry_key, gate_key};
use crate::store::{ChangeSet, Commit};

/// What disabling or enabling a person came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonStatusChange {
    /// The roster has no such number.
    Unknown,
    /// It was so already.
    AsBefore,
    /// It is so now.
    Changed {
        /// Sessions that were live and ended.
        sessions_ended: usize,
        /// Whether the roster lists the person: who is not listed cannot log in, enabled or not.
        listed: bool,
    },
}

impl Portal {
    /// From now on the person neither claims, nor logs in, nor recovers, and is told what a wrong
    /// password is told (P7); every session has ended. Claims and recoveries under way and claim codes
    /// die with it. An import changes nothing of it.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn disable_person(
        &self,
        login_id: &LoginId,
        asker: &Asker,
    ) -> Result<PersonStatusChange> {
        self.set_disabled(login_id, true, asker).await
    }

    /// Takes [`Self::disable_person`] back: the same password is good again, no session is.
    ///
    /// # Errors
    /// As [`Self::disable_person`].
    pub async fn enable_person(
        &self,
        login_id: &LoginId,
        asker: &Asker,
    ) -> Result<PersonStatusChange> {
        self.set_disabled(login_id, false, asker).await
    }

    async fn set_disabled(
        &self,
        login_id: &LoginId,
        disabled: bool,
        asker: &Asker,
    ) -> Result<PersonStatusChange> {
        let key = self.entry_key(login_id)?;
        for _ in 0..CONTENTION_MAX {
            let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
                return Ok(PersonStatusChange::Unknown);
            };
            if entry.value.disabled_at.is_some() == disabled {
                return Ok(PersonStatusChange::AsBefore);
            }
            let now = self.now();
            let mut changes = ChangeSet::new();
            let next = RosterEntry {
                disabled_at: disabled.then_some(now.latest),
                claim_generation: entry.value.claim_generation + 1,
                ..entry.value
            };
            put(&mut changes, entry_key(&key), &next, Some(entry.version));
            let mut sessions_ended = 0;
            if let Some(account) = next.account {
                sessions_ended = self.live_families(account).await?.len();
                if let Some(gate) = self.read::<Gate>(&gate_key(account)).await?
                    && let Some(status) = followed(gate.value.status, &next)
                {
                    let behind = Gate {
                        status,
                        session_epoch: gate.value.session_epoch + 1,
                        epoch_reason: EndReason::Disabled,
                        ..gate.value
                    };
                    put(&mut changes, gate_key(account), &behind, Some(gate.version));
                }
            }
            let kind = EventKind::AccountStatusChanged;
            let detail = match disabled {
                true => "disabled_by_office",
                false => "enabled_by_office",
            };
            self.audit(&mut changes, now, kind, next.account, asker, detail)?;
            if self.commit(changes).await? == Commit::Committed {
                if let Some(account) = next.account.filter(|_| disabled) {
                    self.0.notices.all_ended(account, None, EndReason::Disabled);
                }
                return Ok(PersonStatusChange::Changed {
                    sessions_ended,
                    listed: next.listing == Listing::Active,
                });
            }
        }
        contended()
    }
}

/// What the gate becomes when the entry has become as it is; `None`: it stays.
fn followed(status: GateStatus, entry: &RosterEntry) -> Option<GateStatus> {
    match (status, entry.claimed && entry.is_open()) {
        (GateStatus::Active, false) => Some(GateStatus::Disabled),
        (GateStatus::Disabled, true) => Some(GateStatus::Active),
        _ => None,
    }
}
