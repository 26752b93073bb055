//! Recovering an account whose password was forgotten: number and code, the answers, a new password
//! (RC-01 to RC-05, P4).

use super::attempts::{AttemptKind, Charge, Reservation, ReservedLane};
use super::hooks::Opposition;
use super::log_in::usable_account;
use super::recovery_codes::codes_of;
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{
    AccountId, EndReason, EntryDetails, EntryKey, Gate, GateStatus, LoginId, MessageKind, Now,
    OrganizationId, Recovery, RecoveryStep, RosterEntry, SecurityAnswersRecord, Timestamp,
};
use crate::rules::code::RecoveryCodeText;
use crate::rules::password::PasswordRequirement;
use crate::rules::question::{SecurityAnswers, SecurityQuestion, question, recall};
use crate::rules::recovery::{
    RecoveryVerdict, asks_questions, expires_at, judge_recovery, matching,
};
use crate::secret::{BrowserSecret, Password, TicketId};
use crate::store::records::{answers_key, entry_key, gate_key, recovery_key};
use crate::store::{ChangeSet, Commit, Versioned};

/// A recovery under way, as the browser that began it may see it.
#[derive(Clone, Debug)]
pub struct RecoveryTicket {
    id: TicketId,
    details: EntryDetails,
    organization: OrganizationId,
    questions: Vec<&'static SecurityQuestion>,
    expires_at: Timestamp,
    requirements: Vec<PasswordRequirement>,
}

impl RecoveryTicket {
    /// Names this recovery in its own forms.
    pub fn id(&self) -> TicketId {
        self.id
    }

    /// The student number.
    pub fn login_id(&self) -> &str {
        &self.details.login_id
    }

    /// First Name, as the roster writes it.
    pub fn given_name(&self) -> &str {
        self.details
            .preferred_given_name
            .as_deref()
            .unwrap_or(&self.details.given_name)
    }

    /// Last Name, as the roster writes it.
    pub fn family_name(&self) -> &str {
        self.details
            .preferred_family_name
            .as_deref()
            .unwrap_or(&self.details.family_name)
    }

    /// The organization whose humans help.
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// The questions to be answered next; none: the way on is the new password.
    pub fn questions(&self) -> &[&'static SecurityQuestion] {
        &self.questions
    }

    /// When the next step is too late.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The stated requirements for the new password.
    pub fn requirements(&self) -> &[PasswordRequirement] {
        &self.requirements
    }
}

/// A recovery that was finished: the way on is the log-in page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Whose account.
    pub account: AccountId,
    /// Fills in the user name.
    pub login_id: String,
    /// First Name.
    pub given_name: String,
}

/// An account as a right code found it.
struct Found {
    account: AccountId,
    code_digest: [u8; 32],
    entry: Versioned<RosterEntry>,
    gate: Versioned<Gate>,
    answers: Option<Versioned<SecurityAnswersRecord>>,
}

/// A ticket with what it rests on, as judged.
struct Open {
    digest: [u8; 32],
    ticket: Versioned<Recovery>,
    entry: Versioned<RosterEntry>,
    gate: Versioned<Gate>,
    answers: Option<Versioned<SecurityAnswersRecord>>,
    now: Now,
}

/// What the old password was guessed at by.
const OLD_PASSWORD: [AttemptKind; 2] = [AttemptKind::LogIn, AttemptKind::LogInInside];

impl Portal {
    /// First step: number and code open a ticket, bound to this browser. The code is used up only when
    /// the recovery is finished.
    ///
    /// # Errors
    /// [`Refusal::RecoveryFailed`] alike for a wrong or dead code, an unknown, unclaimed or disabled
    /// account and an exhausted one; [`Refusal::Throttled`] for the network's or the whole's budget.
    pub async fn begin_recovery(
        &self,
        login_id: &LoginId,
        code: &RecoveryCodeText,
        browser: &BrowserSecret,
        asker: &Asker,
    ) -> Result<RecoveryTicket> {
        let key = self.entry_key(login_id)?;
        let charge = self.charge(AttemptKind::Recovery, &key, asker).await?;
        let known = self.read::<RosterEntry>(&entry_key(&key)).await?.is_some();
        let reservation = self
            .reserve_lane(AttemptKind::Recovery, &key, known, &Opposition::NONE, asker)
            .await?;
        for _ in 0..CONTENTION_MAX {
            let found = self.find_by_code(&key, code).await?;
            let (Some(found), Reservation::Made(lane)) = (found, &reservation) else {
                return Err(Refusal::RecoveryFailed.into());
            };
            let opened = self
                .open_by_code(&key, found, browser, &charge, lane, asker)
                .await?;
            if let Some(ticket) = opened {
                return Ok(ticket);
            }
        }
        contended()
    }

    /// The account of an entry if `code` is one of its codes. Who has no account costs the same reads
    /// and the same digest.
    async fn find_by_code(&self, key: &EntryKey, code: &RecoveryCodeText) -> Result<Option<Found>> {
        let entry = self.read::<RosterEntry>(&entry_key(key)).await?;
        let account = entry
            .as_ref()
            .and_then(|entry| usable_account(&entry.value));
        let subject = account.unwrap_or_else(|| nobody(key));
        let gate = self.read::<Gate>(&gate_key(subject)).await?;
        let answers = self.answers_of(subject).await?;
        let current = self.keys().current(KeyPurpose::TokenDigest);
        let presented = self.code_digest(current, subject, code)?;
        let (Some(entry), Some(gate), Some(account)) = (entry, gate, account) else {
            return Ok(None);
        };
        if gate.value.status != GateStatus::Active {
            return Ok(None);
        }
        let codes = codes_of(&gate.value);
        let digest = |kept: &crate::model::RecoveryCode| match kept.key == current {
            true => Some(presented),
            // Made before the keys were renewed; under a key that is gone it opens nothing.
            false => self.code_digest(kept.key, subject, code).ok(),
        };
        let matched = matching(&codes, digest, &self.policy().recovery, self.now());
        Ok(matched.map(|code| code.digest).map(|code_digest| Found {
            account,
            code_digest,
            entry,
            gate,
            answers,
        }))
    }

    /// `None`: something changed meanwhile.
    async fn open_by_code(
        &self,
        key: &EntryKey,
        found: Found,
        browser: &BrowserSecret,
        charge: &Charge,
        lane: &ReservedLane,
        asker: &Asker,
    ) -> Result<Option<RecoveryTicket>> {
        let now = self.now();
        let id = TicketId::generate(self.entropy())?;
        let digest = self.recovery_digest(id)?;
        let answers = found.answers.as_ref();
        let asked = asks_questions(self.policy().questions.required, answers.map(|a| &a.value));
        let recovery = Recovery {
            account: found.account,
            entry: *key,
            credential_generation: found.gate.value.credential_generation,
            session_epoch: found.gate.value.session_epoch,
            answers_generation: answers.map_or(0, |answers| answers.value.generation),
            code_digest: found.code_digest,
            browser_digest: self.recovery_browser_digest(browser)?,
            step: match asked {
                true => RecoveryStep::CodeProven,
                false => RecoveryStep::AnswersProven,
            },
            opened_at: now.latest,
            step_at: now.latest,
        };
        // Made before the commit: after it nothing may fail.
        let shown = self.shown_recovery(id, &recovery, &found.entry.value, answers)?;
        let mut changes = ChangeSet::new();
        changes.expect(entry_key(key), found.entry.version);
        changes.expect(gate_key(found.account), found.gate.version);
        put(&mut changes, recovery_key(&digest), &recovery, None);
        charge.give_back(&mut changes);
        self.credit_lane(&mut changes, lane).await?;
        let (kind, account) = (EventKind::RecoveryBegun, Some(found.account));
        self.audit(&mut changes, now, kind, account, asker, "")?;
        Ok((self.commit(changes).await? == Commit::Committed).then_some(shown))
    }

    /// The recovery of a ticket, for the browser that began it.
    ///
    /// # Errors
    /// [`Refusal::RecoveryExpired`] or [`Refusal::AlreadyRecovered`].
    pub async fn recovery_ticket(
        &self,
        id: TicketId,
        browser: &BrowserSecret,
    ) -> Result<RecoveryTicket> {
        let open = self.open_recovery(id, browser).await?;
        self.shown_recovery(
            id,
            &open.ticket.value,
            &open.entry.value,
            open.answers.as_ref(),
        )
    }

    /// Second step: the answers given before, all of them judged together. Answered already is fine.
    ///
    /// # Errors
    /// [`Refusal::AnswersNotMatched`] alike for wrong ones and too many tries (SQ-07),
    /// [`Refusal::RecoveryExpired`], [`Refusal::AlreadyRecovered`], [`Refusal::Throttled`];
    /// [`crate::Error::Busy`] before anything is reserved.
    pub async fn answer_recovery_questions(
        &self,
        ticket: &RecoveryTicket,
        browser: &BrowserSecret,
        answers: &SecurityAnswers,
        asker: &Asker,
    ) -> Result<RecoveryTicket> {
        let open = self.open_recovery(ticket.id, browser).await?;
        if open.ticket.value.step == RecoveryStep::AnswersProven {
            return self.recovery_ticket(ticket.id, browser).await;
        }
        let entry = open.ticket.value.entry;
        let admission = self.admit(&entry)?;
        let charge = self
            .charge(AttemptKind::RecoveryAnswers, &entry, asker)
            .await?;
        let reservation = self
            .reserve_lane(
                AttemptKind::RecoveryAnswers,
                &entry,
                true,
                &Opposition::NONE,
                asker,
            )
            .await?;
        let questions = open.answers.as_ref().map(|a| a.value.questions.as_slice());
        let given = recall(answers, questions.unwrap_or_default());
        let (Some(record), Reservation::Made(lane)) = (&open.answers, &reservation) else {
            admission.hash().decoy(given).await?;
            return Err(Refusal::AnswersNotMatched.into());
        };
        let kept = self.open_answers(open.ticket.value.account, &record.value)?;
        if !admission.hash().verify(given, kept).await?.matches {
            return Err(Refusal::AnswersNotMatched.into());
        }
        for _ in 0..CONTENTION_MAX {
            // The ticket names the generation of the answers: those that were right are still the
            // person's.
            let open = self.open_recovery(ticket.id, browser).await?;
            let account = open.ticket.value.account;
            let next = Recovery {
                step: RecoveryStep::AnswersProven,
                step_at: open.now.latest,
                ..open.ticket.value.clone()
            };
            let answers = open.answers.as_ref();
            let shown = self.shown_recovery(ticket.id, &next, &open.entry.value, answers)?;
            let mut changes = ChangeSet::new();
            if let Some(answers) = answers {
                changes.expect(answers_key(account), answers.version);
            }
            changes.expect(gate_key(account), open.gate.version);
            let version = Some(open.ticket.version);
            put(&mut changes, recovery_key(&open.digest), &next, version);
            charge.give_back(&mut changes);
            self.credit_lane(&mut changes, lane).await?;
            let kind = EventKind::RecoveryAnswered;
            self.audit(&mut changes, open.now, kind, Some(account), asker, "")?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(shown);
            }
        }
        contended()
    }

    /// Last step: a new password that meets the stated requirements. In one commit every session ends,
    /// the old password and all recovery codes die; the person then logs in with the new one.
    ///
    /// # Errors
    /// [`Refusal::PasswordUnacceptable`], [`Refusal::RecoveryStepMissing`] before the answers were
    /// right, [`Refusal::RecoveryExpired`], [`Refusal::AlreadyRecovered`]; [`crate::Error::Busy`].
    pub async fn finish_recovery(
        &self,
        ticket: &RecoveryTicket,
        browser: &BrowserSecret,
        password: Password,
        asker: &Asker,
    ) -> Result<Recovered> {
        let open = self.open_recovery(ticket.id, browser).await?;
        must_be_answered(&open)?;
        let key = open.ticket.value.entry;
        let password = self
            .accept_password(password, &key, &open.entry.value)
            .await?;
        let admission = self.admit(&key)?;
        let phc = admission
            .hash()
            .hash(password.hash_input(), self.random()?)
            .await?;
        for _ in 0..CONTENTION_MAX {
            let open = self.open_recovery(ticket.id, browser).await?;
            must_be_answered(&open)?;
            let account = open.ticket.value.account;
            let details = self.open_details(&key, &open.entry.value)?;
            let mut changes = self.recovered_changes(&open, &phc)?;
            // Guesses at the old password say nothing about the new one.
            self.forget_failures(&mut changes, &key, &OLD_PASSWORD)
                .await?;
            let kind = EventKind::Recovered;
            self.audit(&mut changes, open.now, kind, Some(account), asker, "")?;
            let told = MessageKind::Recovered;
            self.tell(&mut changes, account, told, asker, open.now)
                .await?;
            if self.commit(changes).await? == Commit::Committed {
                self.0
                    .notices
                    .all_ended(account, None, EndReason::Recovered);
                return Ok(Recovered {
                    account,
                    login_id: details.login_id,
                    given_name: details.preferred_given_name.unwrap_or(details.given_name),
                });
            }
        }
        contended()
    }

    fn recovered_changes(&self, open: &Open, phc: &str) -> Result<ChangeSet> {
        let before = &open.gate.value;
        let account = open.ticket.value.account;
        let generation = before.credential_generation + 1;
        let gate = Gate {
            session_epoch: before.session_epoch + 1,
            epoch_reason: EndReason::Recovered,
            status: before.status,
            credential_generation: generation,
            sealed_credential: self.seal_credential(account, generation, phc)?,
            recovery_codes: Vec::new(),
        };
        let spent = Recovery {
            step: RecoveryStep::Spent,
            step_at: open.now.latest,
            ..open.ticket.value.clone()
        };
        let mut changes = ChangeSet::new();
        changes.expect(entry_key(&open.ticket.value.entry), open.entry.version);
        if let Some(answers) = &open.answers {
            changes.expect(answers_key(account), answers.version);
        }
        let (gate_version, ticket_version) = (Some(open.gate.version), Some(open.ticket.version));
        put(&mut changes, gate_key(account), &gate, gate_version);
        put(
            &mut changes,
            recovery_key(&open.digest),
            &spent,
            ticket_version,
        );
        Ok(changes)
    }

    async fn open_recovery(&self, id: TicketId, browser: &BrowserSecret) -> Result<Open> {
        let digest = self.recovery_on_record(id).await?;
        let expired = || Refusal::RecoveryExpired.into();
        let ticket = self.read::<Recovery>(&recovery_key(&digest)).await?;
        let ticket = ticket.ok_or_else(expired)?;
        let account = ticket.value.account;
        let entry = self
            .read::<RosterEntry>(&entry_key(&ticket.value.entry))
            .await?;
        let gate = self.read::<Gate>(&gate_key(account)).await?;
        let answers = self.answers_of(account).await?;
        let now = self.now();
        let verdict = judge_recovery(
            &ticket.value,
            gate.as_ref().map(|gate| &gate.value),
            &gate
                .as_ref()
                .map_or_else(Vec::new, |gate| codes_of(&gate.value)),
            answers
                .as_ref()
                .map_or(0, |answers| answers.value.generation),
            &self.recovery_browser_digest(browser)?,
            &self.policy().recovery,
            now,
        );
        if verdict == RecoveryVerdict::Done {
            return Err(Refusal::AlreadyRecovered.into());
        }
        let entry = entry.filter(|entry| usable_account(&entry.value) == Some(account));
        match (verdict, entry, gate) {
            (RecoveryVerdict::Valid, Some(entry), Some(gate)) => Ok(Open {
                digest,
                ticket,
                entry,
                gate,
                answers,
                now,
            }),
            _ => Err(expired()),
        }
    }

    fn shown_recovery(
        &self,
        id: TicketId,
        recovery: &Recovery,
        entry: &RosterEntry,
        answers: Option<&Versioned<SecurityAnswersRecord>>,
    ) -> Result<RecoveryTicket> {
        let asked = match (recovery.step, answers) {
            (RecoveryStep::CodeProven, Some(answers)) => answers.value.questions.as_slice(),
            _ => &[],
        };
        Ok(RecoveryTicket {
            id,
            details: self.open_details(&recovery.entry, entry)?,
            organization: entry.default_organization.clone(),
            questions: asked.iter().filter_map(|id| question(id)).collect(),
            expires_at: expires_at(recovery, &self.policy().recovery),
            requirements: self.requirements_for(entry),
        })
    }

    fn recovery_digest(&self, id: TicketId) -> Result<[u8; 32]> {
        self.incarnation_digest(&[b"recovery", id.as_bytes()])
    }

    async fn recovery_on_record(&self, id: TicketId) -> Result<[u8; 32]> {
        self.kept_digest(&[b"recovery", id.as_bytes()], recovery_key)
            .await
    }

    fn recovery_browser_digest(&self, browser: &BrowserSecret) -> Result<[u8; 32]> {
        self.tag(&[b"recovery-browser", browser.as_bytes()])
    }
}

fn must_be_answered(open: &Open) -> Result<()> {
    match open.ticket.value.step {
        RecoveryStep::AnswersProven => Ok(()),
        RecoveryStep::CodeProven | RecoveryStep::Spent => Err(Refusal::RecoveryStepMissing.into()),
    }
}

/// The account that an entry without one is looked up under: there is none of that name.
fn nobody(key: &EntryKey) -> AccountId {
    AccountId::from_bytes(key.0.first_chunk().copied().unwrap_or_default())
}
