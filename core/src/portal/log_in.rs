//! Logging in: number and password start a session family (S6, S15).

use super::attempts::{AttemptKind, Charge, Reservation, ReservedLane};
use super::organizations::{DAY, QUARTER};
use super::staff_statistics::count_in_window;
use super::table::FamilySlot;
use super::{Asker, CONTENTION_MAX, Portal, VerifiedSession, contended, put};
use crate::error::{Error, Refusal, Result};
use crate::event::EventKind;
use crate::host::{AdmittedHash, KeyPurpose};
use crate::model::{
    AccountId, EndReason, EntryKey, Family, Gate, GateStatus, LoginId, Now, Profile, RosterEntry,
};
use crate::secret::{KnownBrowser, Password, SessionToken};
use crate::store::records::{account_family_key, entry_key, family_key, gate_key, seen_cell};
use crate::store::{ChangeSet, Commit, Expected, Record, Versioned};

/// What a person asks to log in with.
#[derive(Debug)]
pub struct LogIn {
    /// The student number.
    pub login_id: LoginId,
    /// As typed.
    pub password: Password,
    /// "This is a shared computer": a shorter inactivity timeout for this family.
    pub shared_computer: bool,
    /// The token the browser holds already: if it is live, its family ends in the same commit.
    pub presented: Option<SessionToken>,
}

/// A session that has just begun, or goes on under a new token.
#[derive(Debug)]
pub struct LoggedIn {
    /// For the cookie. Shown once.
    pub token: SessionToken,
    /// Proof of the session.
    pub session: VerifiedSession,
    /// Whose it is.
    pub profile: Profile,
    /// What the browser is to keep from now on, for [`Asker::known_browser`]; absent: nothing new, as
    /// on a shared computer.
    pub known_browser: Option<KnownBrowser>,
}

/// The longest description of a browser that is kept, in characters.
const CLIENT_LABEL_CHARACTERS_MAX: usize = 80;
/// So often a log-in verifies the password again because it was changed meanwhile.
const PROOFS_MAX: u32 = 3;

impl Portal {
    /// Logs a person in.
    ///
    /// # Errors
    /// [`Refusal::LoginFailed`] alike for a wrong password, an unknown, unclaimed or disabled account,
    /// an exhausted one and one that a hook is against; [`Refusal::Throttled`] for the network's or the whole's budget;
    /// [`Error::Busy`] before anything is reserved.
    pub async fn log_in(&self, request: LogIn, asker: &Asker) -> Result<LoggedIn> {
        let entry = self.entry_key(&request.login_id)?;
        let admission = self.admit(&entry)?;
        let charge = self.charge(AttemptKind::LogIn, &entry, asker).await?;
        let listed = self.read::<RosterEntry>(&entry_key(&entry)).await?;
        let known = listed.is_some();
        let against = self.against_log_in(&request.login_id, asker).await;
        let reservation = self
            .reserve_lane(AttemptKind::LogIn, &entry, known, &against, asker)
            .await?;
        let account = listed.and_then(|listed| usable_account(&listed.value));
        for _ in 0..PROOFS_MAX {
            let gate = match account {
                Some(account) => self.read::<Gate>(&gate_key(account)).await?,
                None => None,
            };
            let compared = self
                .compare(
                    admission.hash(),
                    &request.password,
                    account,
                    gate,
                    &reservation,
                )
                .await?;
            let (Some(proof), Reservation::Made(lane)) = (compared, &reservation) else {
                return Err(Refusal::LoginFailed.into());
            };
            let begun = self
                .begin_family(&request, &entry, proof, &charge, lane, asker)
                .await?;
            if let Some(logged_in) = begun {
                return Ok(logged_in);
            }
        }
        contended()
    }

    /// Compares once against the stored credential if the lane allows it, else does the same work in
    /// vain. `None`: not proven.
    pub(super) async fn compare(
        &self,
        admission: &dyn AdmittedHash,
        password: &Password,
        account: Option<AccountId>,
        gate: Option<Versioned<Gate>>,
        reservation: &Reservation,
    ) -> Result<Option<Proof>> {
        let (Some(account), Some(gate), Reservation::Made(_)) = (account, gate, reservation) else {
            admission.decoy(password.hash_input()).await?;
            return Ok(None);
        };
        if gate.value.status != GateStatus::Active {
            admission.decoy(password.hash_input()).await?;
            return Ok(None);
        }
        let stored = self.open_credential(account, &gate.value)?;
        let verification = admission.verify(password.hash_input(), stored).await?;
        if !verification.matches {
            if verification.rehash {
                // Checked at another cost than a decoy's: the time must not tell who has an account.
                admission.decoy(password.hash_input()).await?;
            }
            return Ok(None);
        }
        let rehashed = match verification.rehash {
            true => Some(
                admission
                    .hash(password.hash_input(), self.random()?)
                    .await?,
            ),
            false => None,
        };
        Ok(Some(Proof {
            account,
            gate,
            rehashed,
        }))
    }

    /// `None`: the credential changed meanwhile, the proof is void.
    async fn begin_family(
        &self,
        request: &LogIn,
        entry: &EntryKey,
        proof: Proof,
        charge: &Charge,
        lane: &ReservedLane,
        asker: &Asker,
    ) -> Result<Option<LoggedIn>> {
        let token = SessionToken::generate(self.entropy())?;
        let Proof {
            account,
            mut gate,
            rehashed,
        } = proof;
        let generation = gate.value.credential_generation;
        for _ in 0..CONTENTION_MAX {
            let Some(listed) = self.read::<RosterEntry>(&entry_key(entry)).await? else {
                return Err(Refusal::LoginFailed.into());
            };
            if usable_account(&listed.value) != Some(account) {
                return Err(Refusal::LoginFailed.into());
            }
            let now = self.now();
            let profile = self.profile_from(account, entry, &listed.value).await?;
            let known_browser = match request.shared_computer {
                true => None,
                false => Some(self.earn_known_browser(entry, asker, now)?),
            };
            let family = self.new_family(&token, request, &profile, &gate.value, now, asker)?;
            let mut changes = ChangeSet::new();
            match &rehashed {
                Some(phc) => {
                    let sealed = self.seal_credential(account, generation, phc)?;
                    let upgraded = Gate {
                        sealed_credential: sealed,
                        ..gate.value.clone()
                    };
                    put(
                        &mut changes,
                        gate_key(account),
                        &upgraded,
                        Some(gate.version),
                    );
                }
                None => {
                    changes.expect(gate_key(account), gate.version);
                }
            }
            changes.expect(entry_key(entry), listed.version);
            put(&mut changes, family_key(token.selector()), &family, None);
            let listing = account_family_key(account, token.selector());
            changes.put(listing, Record(Vec::new()), Expected::Absent);
            changes.raise(seen_cell(token.selector()), now.latest.as_millis());
            charge.give_back(&mut changes);
            self.credit_lane(&mut changes, lane).await?;
            let replaced = self.end_presented(&mut changes, request, asker).await?;
            let own = replaced.map(|(_, selector)| selector);
            let crowded_out = self.make_room(&mut changes, account, own, asker).await?;
            self.count_log_in(&mut changes, &profile, now);
            self.tell_of_new_browser(&mut changes, account, entry, asker, now)
                .await?;
            self.audit(
                &mut changes,
                now,
                EventKind::LoggedIn,
                Some(account),
                asker,
                "password",
            )?;
            if self.commit(changes).await? == Commit::Committed {
                if let Some((account, selector)) = replaced {
                    self.0
                        .notices
                        .ended(account, selector, EndReason::LoggedInAgain);
                }
                for selector in crowded_out {
                    self.tell_ended(account, selector);
                }
                let session = self.assertion(token.selector(), &FamilySlot::of(&family));
                return Ok(Some(LoggedIn {
                    token,
                    session,
                    profile,
                    known_browser,
                }));
            }
            match self.read::<Gate>(&gate_key(account)).await? {
                // The same credential: decide again on the new gate, with its epoch; no second hash.
                Some(now) if now.value.credential_generation == generation => gate = now,
                _ => return Ok(None),
            }
            if gate.value.status != GateStatus::Active {
                return Err(Refusal::LoginFailed.into());
            }
        }
        contended()
    }

    fn new_family(
        &self,
        token: &SessionToken,
        request: &LogIn,
        profile: &Profile,
        gate: &Gate,
        now: Now,
        asker: &Asker,
    ) -> Result<Family> {
        let token_key = self.keys().current(KeyPurpose::TokenDigest);
        let organizations = profile.memberships.iter().map(|m| &m.organization);
        Ok(Family {
            account: profile.account,
            session_epoch: gate.session_epoch,
            token_key,
            token_digest: self.token_digest(token_key, token)?,
            started_at: now.latest,
            authenticated_at: now.latest,
            inactivity_timeout: self
                .policy()
                .session
                .timeout_for(organizations, request.shared_computer),
            ended: None,
            client_label: asker
                .client_label
                .chars()
                .take(CLIENT_LABEL_CHARACTERS_MAX)
                .collect(),
        })
    }

    /// Ends the live family that the browser holds already, in the same commit.
    async fn end_presented(
        &self,
        changes: &mut ChangeSet,
        request: &LogIn,
        asker: &Asker,
    ) -> Result<Option<(AccountId, crate::model::Selector)>> {
        let Some(presented) = &request.presented else {
            return Ok(None);
        };
        match self.judge(presented).await {
            Ok(judged) => {
                let (account, selector) = (judged.session.account(), presented.selector());
                self.end(
                    changes,
                    selector,
                    judged.family,
                    EndReason::LoggedInAgain,
                    asker,
                )?;
                Ok(Some((account, selector)))
            }
            Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn count_log_in(&self, changes: &mut ChangeSet, profile: &Profile, now: Now) {
        for (what, window) in [("log-ins", DAY), ("active", QUARTER)] {
            let organizations = profile.memberships.iter().map(|m| &m.organization);
            count_in_window(changes, organizations, what, window, now);
        }
    }

    pub(super) fn open_credential(
        &self,
        account: AccountId,
        gate: &Gate,
    ) -> Result<zeroize::Zeroizing<String>> {
        let context = credential_context(account, gate.credential_generation);
        let opened = self.keys().open(
            KeyPurpose::Pepper,
            &context.parts(),
            &gate.sealed_credential,
        )?;
        let text =
            std::str::from_utf8(&opened).map_err(|_| crate::store::codec::DecodeError::Damaged)?;
        Ok(zeroize::Zeroizing::new(text.to_owned()))
    }

    pub(super) fn seal_credential(
        &self,
        account: AccountId,
        generation: u64,
        phc: &str,
    ) -> Result<Vec<u8>> {
        let context = credential_context(account, generation);
        let sealed = self.keys().seal(
            KeyPurpose::Pepper,
            &context.parts(),
            phc.as_bytes(),
            self.entropy(),
        )?;
        Ok(sealed)
    }
}

/// A password that was right for this gate at this version.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) account: AccountId,
    pub(super) gate: Versioned<Gate>,
    pub(super) rehashed: Option<String>,
}

pub(super) struct CredentialContext([u8; 16], [u8; 8]);

/// What a sealed credential is bound to: it cannot be moved to another account or back in time.
pub(super) fn credential_context(account: AccountId, generation: u64) -> CredentialContext {
    CredentialContext(*account.as_bytes(), generation.to_le_bytes())
}

impl CredentialContext {
    pub(super) fn parts(&self) -> [&[u8]; 3] {
        [b"password", &self.0, &self.1]
    }
}

pub(super) fn usable_account(entry: &RosterEntry) -> Option<AccountId> {
    (entry.claimed && entry.is_open())
        .then_some(entry.account)
        .flatten()
}
