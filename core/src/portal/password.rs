//! Changing one's own password: this browser stays in, every other is out (S7-S10, P3, P4).

use super::attempts::{AttemptKind, Charge, Reservation, ReservedLane};
use super::hooks::Opposition;
use super::log_in::Proof;
use super::table::FamilySlot;
use super::{Asker, CONTENTION_MAX, LoggedIn, Portal, VerifiedSession, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::model::{EndReason, EntryKey, Family, Gate, MessageKind, Person, RosterEntry};
use crate::rules::password::{PasswordRequirement, accept, requirements};
use crate::secret::{NewPassword, Password, SessionToken};
use crate::store::records::{entry_key, family_key, gate_key, person_key, seen_cell};
use crate::store::{ChangeSet, Commit, Versioned};

impl Portal {
    /// The stated requirements for this person's next password.
    ///
    /// # Errors
    /// The session is no longer live, or the store did not answer.
    pub async fn password_requirements(
        &self,
        session: &VerifiedSession,
    ) -> Result<Vec<PasswordRequirement>> {
        let (_, entry) = self.own_entry(session).await?;
        let mut list = self.requirements_for(&entry);
        list.push(PasswordRequirement::NotTheCurrent);
        Ok(list)
    }

    /// Replaces the password. This family goes on under a new token; every other ends, unsearched: a new
    /// session epoch leaves all of them behind in one write.
    ///
    /// # Errors
    /// [`Refusal::LoginFailed`] if `current` is wrong (or was tried too often),
    /// [`Refusal::PasswordUnacceptable`] if `new` breaks the stated requirements,
    /// [`Refusal::SessionEnded`] if the session ended meanwhile.
    pub async fn change_password(
        &self,
        session: &VerifiedSession,
        current: Password,
        new: Password,
        asker: &Asker,
    ) -> Result<LoggedIn> {
        let (entry, listed) = self.own_entry(session).await?;
        let same_as_current = current.is(&new);
        let new = self.accept_password(new, &entry, &listed).await;
        let new = match (new, same_as_current) {
            (Ok(new), false) => new,
            (Ok(_), true) => return Err(unacceptable(vec![PasswordRequirement::NotTheCurrent])),
            (Err(error), _) => return Err(error),
        };
        let admission = self.admit(&entry)?;
        let charge = self.charge(AttemptKind::StepUp, &entry, asker).await?;
        let reservation = self
            .reserve_lane(AttemptKind::StepUp, &entry, true, &Opposition::NONE, asker)
            .await?;
        let judged = self.judge_again(session).await?;
        let compared = self
            .compare(
                admission.hash(),
                &current,
                Some(session.account()),
                Some(judged.gate),
                &reservation,
            )
            .await?;
        let (Some(proof), Reservation::Made(lane)) = (compared, &reservation) else {
            return Err(Refusal::LoginFailed.into());
        };
        let phc = admission
            .hash()
            .hash(new.hash_input(), self.random()?)
            .await?;
        self.replace_credential(
            session,
            proof,
            &phc,
            (&entry, &listed),
            &charge,
            lane,
            asker,
        )
        .await
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one commit of everything that was proven before"
    )]
    async fn replace_credential(
        &self,
        session: &VerifiedSession,
        proof: Proof,
        phc: &str,
        (entry, listed): (&EntryKey, &RosterEntry),
        charge: &Charge,
        lane: &ReservedLane,
        asker: &Asker,
    ) -> Result<LoggedIn> {
        let (account, selector) = (session.account(), session.selector());
        let token = SessionToken::renew(selector, self.entropy())?;
        let generation = proof.gate.value.credential_generation + 1;
        let sealed_credential = self.seal_credential(account, generation, phc)?;
        for _ in 0..CONTENTION_MAX {
            // Read before the commit: after it nothing may fail, or a change that was made would be
            // told as one that was not.
            let profile = self.profile_from(account, entry, listed).await?;
            // Every change on behalf of a session names its gate and its family, as judged just now.
            let judged = self.judge_again(session).await?;
            if judged.gate.value.credential_generation + 1 != generation {
                // The proof is void; the epoch says so too, but a proof answers for itself.
                return Err(Refusal::LoginFailed.into());
            }
            let now = self.now();
            let gate = Gate {
                session_epoch: judged.gate.value.session_epoch + 1,
                epoch_reason: EndReason::PasswordChanged,
                credential_generation: generation,
                sealed_credential: sealed_credential.clone(),
                ..judged.gate.value
            };
            let family = Family {
                session_epoch: gate.session_epoch,
                authenticated_at: now.latest,
                ..self.under_new_token(judged.family.value, &token)?
            };
            let mut changes = ChangeSet::new();
            put(
                &mut changes,
                gate_key(account),
                &gate,
                Some(judged.gate.version),
            );
            put(
                &mut changes,
                family_key(selector),
                &family,
                Some(judged.family.version),
            );
            changes.raise(seen_cell(selector), now.latest.as_millis());
            charge.give_back(&mut changes);
            self.credit_lane(&mut changes, lane).await?;
            self.audit(
                &mut changes,
                now,
                EventKind::PasswordChanged,
                Some(account),
                asker,
                "own",
            )?;
            self.tell(
                &mut changes,
                account,
                MessageKind::PasswordChanged,
                asker,
                now,
            )
            .await?;
            if self.commit(changes).await? == Commit::Committed {
                self.0
                    .notices
                    .all_ended(account, Some(selector), EndReason::PasswordChanged);
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

    /// The entry of the person who is logged in.
    pub(super) async fn own_entry(
        &self,
        session: &VerifiedSession,
    ) -> Result<(EntryKey, RosterEntry)> {
        let (key, entry) = self.own_entry_read(session).await?;
        Ok((key, entry.value))
    }

    /// The same, with the version it was read at.
    pub(super) async fn own_entry_read(
        &self,
        session: &VerifiedSession,
    ) -> Result<(EntryKey, Versioned<RosterEntry>)> {
        let person = self.read::<Person>(&person_key(session.account())).await?;
        let Some(person) = person else {
            return Err(Refusal::NotLoggedIn.into());
        };
        let entry = self
            .read::<RosterEntry>(&entry_key(&person.value.entry))
            .await?;
        match entry {
            Some(entry) => Ok((person.value.entry, entry)),
            None => Err(Refusal::NotLoggedIn.into()),
        }
    }

    pub(super) fn requirements_for(&self, entry: &RosterEntry) -> Vec<PasswordRequirement> {
        let organizations = entry.memberships.iter().map(|m| &m.organization);
        let mut list = requirements(&self.policy().password.profiles_for(organizations));
        list.extend(self.extra_requirements());
        list
    }

    /// Judges a candidate against everything that is stated to the person of `entry`.
    pub(super) async fn accept_password(
        &self,
        candidate: Password,
        key: &EntryKey,
        entry: &RosterEntry,
    ) -> Result<NewPassword> {
        let about = self.about(key, entry).await?;
        let words: Vec<&str> = about
            .iter()
            .chain(&self.policy().password.context_words)
            .map(String::as_str)
            .collect();
        let extra = self.extra_issues(&candidate).await;
        match accept(candidate, &self.requirements_for(entry), &words) {
            Ok(password) if extra.is_empty() => Ok(password),
            Ok(_) => Err(unacceptable(extra)),
            Err(mut issues) => {
                issues.extend(extra);
                Err(unacceptable(issues))
            }
        }
    }

    /// What is known of a person that no password or answer may be made of.
    pub(super) async fn about(&self, key: &EntryKey, entry: &RosterEntry) -> Result<Vec<String>> {
        let details = self.open_details(key, entry)?;
        let mut about = vec![details.login_id, details.given_name, details.family_name];
        about.extend(details.preferred_given_name);
        about.extend(details.preferred_family_name);
        for membership in &entry.memberships {
            if let Some(organization) = self.organization(&membership.organization).await? {
                about.push(organization.name);
            }
        }
        Ok(about)
    }
}

fn unacceptable(issues: Vec<PasswordRequirement>) -> crate::Error {
    Refusal::PasswordUnacceptable(issues).into()
}
