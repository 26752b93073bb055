//! Step-up: the current password once more before what a borrowed session must not do (SE-13,
//! ASVS 7.5.1).

use super::attempts::{AttemptKind, Reservation};
use super::hooks::Opposition;
use super::table::FamilySlot;
use super::{Asker, CONTENTION_MAX, LoggedIn, Portal, VerifiedSession, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::model::Family;
use crate::rules::session::is_fresh;
use crate::secret::{Password, SessionToken};
use crate::store::records::{family_key, gate_key, seen_cell};
use crate::store::{ChangeSet, Commit};

/// Proof that the person of a live session proved who they are a short while ago. Only the portal
/// makes one.
#[derive(Debug)]
pub struct Reauthenticated<'s>(&'s VerifiedSession);

impl Reauthenticated<'_> {
    fn assertion(session: &VerifiedSession) -> Reauthenticated<'_> {
        Reauthenticated(session)
    }

    pub(super) fn session(&self) -> &VerifiedSession {
        self.0
    }
}

impl Portal {
    /// Whether the password was typed a short while ago, at log-in or since.
    ///
    /// # Errors
    /// [`Refusal::ReauthenticationNeeded`]: ask for it and call [`Self::reauthenticate`].
    pub fn fresh<'s>(&self, session: &'s VerifiedSession) -> Result<Reauthenticated<'s>> {
        let fresh_for = self.policy().session.fresh_for;
        if is_fresh(session.authenticated_at(), fresh_for, self.now()) {
            Ok(Reauthenticated::assertion(session))
        } else {
            Err(Refusal::ReauthenticationNeeded.into())
        }
    }

    /// Takes the current password once more. The family goes on under a new token: a token is new at
    /// every change of privilege.
    ///
    /// # Errors
    /// [`Refusal::LoginFailed`] if it is wrong (or was tried too often); [`Refusal::Throttled`];
    /// [`crate::Error::Busy`]; the session is no longer live.
    pub async fn reauthenticate(
        &self,
        session: &VerifiedSession,
        current: Password,
        asker: &Asker,
    ) -> Result<LoggedIn> {
        let (entry, listed) = self.own_entry(session).await?;
        let admission = self.admit(&entry)?;
        let charge = self.charge(AttemptKind::StepUp, &entry, asker).await?;
        // The same secret as at the log-in, so the same lane: guesses add up.
        let reservation = self
            .reserve_lane(AttemptKind::StepUp, &entry, true, &Opposition::NONE, asker)
            .await?;
        let (account, selector) = (session.account(), session.selector());
        let gate = self.judge_again(session).await?.gate;
        let compared = self
            .compare(
                admission.hash(),
                &current,
                Some(account),
                Some(gate),
                &reservation,
            )
            .await?;
        let (Some(proof), Reservation::Made(lane)) = (compared, &reservation) else {
            return Err(Refusal::LoginFailed.into());
        };
        let generation = proof.gate.value.credential_generation;
        let token = SessionToken::renew(selector, self.entropy())?;
        for _ in 0..CONTENTION_MAX {
            // Read before the commit: after it nothing may fail.
            let profile = self.profile_from(account, &entry, &listed).await?;
            let judged = self.judge_again(session).await?;
            if judged.gate.value.credential_generation != generation {
                return Err(Refusal::LoginFailed.into());
            }
            let now = self.now();
            let family = Family {
                authenticated_at: now.latest,
                ..self.under_new_token(judged.family.value, &token)?
            };
            let mut changes = ChangeSet::new();
            changes.expect(gate_key(account), judged.gate.version);
            let version = Some(judged.family.version);
            put(&mut changes, family_key(selector), &family, version);
            changes.raise(seen_cell(selector), now.latest.as_millis());
            charge.give_back(&mut changes);
            self.credit_lane(&mut changes, lane).await?;
            let kind = EventKind::Reauthenticated;
            self.audit(&mut changes, now, kind, Some(account), asker, "password")?;
            if self.commit(changes).await? == Commit::Committed {
                let session = self.assertion(selector, &FamilySlot::of(&family));
                return Ok(LoggedIn {
                    token,
                    session,
                    profile,
                    known_browser: None,
                });
            }
        }
        contended()
    }
}
