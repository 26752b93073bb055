//! A password change whose answer did not arrive: a second click on Save cancels the first answer, and
//! with it the new token. The family must not be lost with it (S8).

use super::attempts::{AttemptKind, Reservation};
use super::table::FamilySlot;
use super::{Asker, CONTENTION_MAX, LoggedIn, Portal, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::model::{Family, Gate, LoginId, Person, RosterEntry};
use crate::secret::{Password, SessionToken};
use crate::store::records::{entry_key, family_key, gate_key, person_key, seen_cell};
use crate::store::{ChangeSet, Commit};

impl Portal {
    /// Goes on with the family of a token that has been replaced, under a new one. The proof is the
    /// password in force, as at a log-in and with its budgets: the replaced token only says which
    /// family.
    ///
    /// # Errors
    /// [`Refusal::TokenReplaced`] if the password is wrong or was tried too often, or a hook is against
    /// it as against a log-in; what
    /// [`Portal::verify_session`] says of a family that has ended.
    pub async fn renew_lost_token(
        &self,
        lost: &SessionToken,
        password: Password,
        asker: &Asker,
    ) -> Result<LoggedIn> {
        let selector = lost.selector();
        let Some(family) = self.read::<Family>(&family_key(selector)).await? else {
            return Err(Refusal::NotLoggedIn.into());
        };
        let account = family.value.account;
        let Some(person) = self.read::<Person>(&person_key(account)).await? else {
            return Err(Refusal::NotLoggedIn.into());
        };
        let entry = person.value.entry;
        let Some(listed) = self.read::<RosterEntry>(&entry_key(&entry)).await? else {
            return Err(Refusal::NotLoggedIn.into());
        };
        let admission = self.admit(&entry)?;
        let charge = self.charge(AttemptKind::LogIn, &entry, asker).await?;
        let details = self.open_details(&entry, &listed.value)?;
        let Ok(login_id) = LoginId::parse(&details.login_id) else {
            return Err(Refusal::NotLoggedIn.into());
        };
        let against = self.against_log_in(&login_id, asker).await;
        let reservation = self
            .reserve_lane(AttemptKind::LogIn, &entry, true, &against, asker)
            .await?;
        let gate = self.read::<Gate>(&gate_key(account)).await?;
        let compared = self
            .compare(
                admission.hash(),
                &password,
                Some(account),
                gate,
                &reservation,
            )
            .await?;
        let (Some(proof), Reservation::Made(lane)) = (compared, &reservation) else {
            return Err(Refusal::TokenReplaced.into());
        };
        let token = SessionToken::renew(selector, self.entropy())?;
        let mut digest = family.value.token_digest;
        for _ in 0..CONTENTION_MAX {
            let profile = self.profile_from(account, &entry, &listed.value).await?;
            let judged = self.judge_kept(selector, digest).await?;
            let generation = judged.gate.value.credential_generation;
            if generation != proof.gate.value.credential_generation {
                return Err(Refusal::TokenReplaced.into());
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
            let kind = EventKind::LoggedIn;
            self.audit(&mut changes, now, kind, Some(account), asker, "renewed")?;
            if self.commit(changes).await? == Commit::Committed {
                let session = self.assertion(selector, &FamilySlot::of(&family));
                return Ok(LoggedIn {
                    token,
                    session,
                    profile,
                    known_browser: None,
                });
            }
            // Somebody changed the family: judged again under the token it has now.
            if let Some(now) = self.read::<Family>(&family_key(selector)).await? {
                digest = now.value.token_digest;
            }
        }
        contended()
    }
}
