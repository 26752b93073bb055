//! Claiming an account that was prepared: evidence, ticket, password, answers (S2-S6, P2).

use super::attempts::{AttemptKind, Reservation};
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{
    AccountId, EndReason, EntryDetails, Gate, GateStatus, Now, OrganizationId, Person, RosterEntry,
    SecurityAnswersRecord, Ticket, TicketStep, Timestamp,
};
use crate::rules::claim::{
    ClaimEvidence, TicketVerdict, digest_evidence, evidence_matches, expires_at, judge_ticket,
};
use crate::rules::password::PasswordRequirement;
use crate::rules::question::{self, AcceptedAnswers, SecurityAnswers};
use crate::secret::{BrowserSecret, Password, TicketId};
use crate::store::records::{
    answers_key, entry_key, gate_key, person_key, statistic_cell, ticket_key,
};
use crate::store::{ChangeSet, Commit, Versioned};

/// A claim under way, as the browser that began it may see it.
#[derive(Clone, Debug)]
pub struct ClaimTicket {
    id: TicketId,
    details: EntryDetails,
    organization: OrganizationId,
    step: TicketStep,
    expires_at: Timestamp,
    requirements: Vec<PasswordRequirement>,
}

impl ClaimTicket {
    /// Names this claim in its own forms.
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

    /// Where the person will land after the first log-in.
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// How far the claim has come.
    pub fn step(&self) -> TicketStep {
        self.step
    }

    /// When the next step is too late.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The stated requirements for the password.
    pub fn requirements(&self) -> &[PasswordRequirement] {
        &self.requirements
    }
}

/// A claim that was finished: the way on is the log-in page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The account that now exists.
    pub account: AccountId,
    /// Fills in the user name.
    pub login_id: String,
    /// First Name.
    pub given_name: String,
    /// Where the first log-in leads.
    pub default_organization: OrganizationId,
}

/// A ticket with what it rests on, as judged.
struct Open {
    digest: [u8; 32],
    ticket: Versioned<Ticket>,
    entry: Versioned<RosterEntry>,
    now: Now,
}

impl Portal {
    /// How many security questions a claim asks; 0: none.
    pub fn questions_required(&self) -> usize {
        self.policy()
            .questions
            .required
            .min(SecurityAnswers::COUNT_MAX)
    }

    /// First step: names, birthdate and number open a ticket, bound to this browser.
    ///
    /// # Errors
    /// [`Refusal::ClaimNotMatched`] alike for wrong, unknown, claimed, held, inactive and exhausted;
    /// [`Refusal::Throttled`] for the network's or the whole's budget.
    pub async fn begin_claim(
        &self,
        evidence: ClaimEvidence,
        browser: &BrowserSecret,
        asker: &Asker,
    ) -> Result<ClaimTicket> {
        let charge = self.charge(AttemptKind::Claim, asker).await?;
        let key = self.entry_key(evidence.login_id())?;
        let listed = self.read::<RosterEntry>(&entry_key(&key)).await?;
        let known = listed.is_some();
        let lane = self
            .reserve_lane(AttemptKind::Claim, &key, known, asker)
            .await?;
        // Digested for everybody, under the current key where there is no entry.
        let key_id = listed
            .as_ref()
            .map_or(self.keys().current(KeyPurpose::Evidence), |l| {
                l.value.evidence_key
            });
        let digests = digest_evidence(&evidence, &key, self.keys(), key_id)?;
        let (Some(mut entry), Reservation::Made(lane)) = (listed, lane) else {
            return Err(Refusal::ClaimNotMatched.into());
        };
        for _ in 0..CONTENTION_MAX {
            if !evidence_matches(&entry.value, &digests) {
                return Err(Refusal::ClaimNotMatched.into());
            }
            let now = self.now();
            let id = TicketId::generate(self.entropy())?;
            let digest = self.ticket_digest(id)?;
            let ticket = Ticket {
                entry: key,
                claim_generation: entry.value.claim_generation,
                browser_digest: self.browser_digest(browser)?,
                step: TicketStep::Identified,
                sealed_hash: Vec::new(),
                opened_at: now.latest,
                step_at: now.latest,
            };
            // Made before the commit: after it nothing may fail.
            let shown = self.shown(id, &ticket, &entry.value)?;
            let mut changes = ChangeSet::new();
            changes.expect(entry_key(&key), entry.version);
            put(&mut changes, ticket_key(&digest), &ticket, None);
            charge.give_back(&mut changes);
            self.credit_lane(&mut changes, &lane).await?;
            self.audit(
                &mut changes,
                now,
                EventKind::ClaimBegun,
                entry.value.account,
                asker,
                "",
            )?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(shown);
            }
            match self.read::<RosterEntry>(&entry_key(&key)).await? {
                Some(again) if again.value.evidence_key == key_id => entry = again,
                _ => return Err(Refusal::ClaimNotMatched.into()),
            }
        }
        contended()
    }

    /// The claim of a ticket, for the browser that began it.
    ///
    /// # Errors
    /// [`Refusal::ClaimExpired`] or [`Refusal::AlreadyClaimed`].
    pub async fn claim_ticket(&self, id: TicketId, browser: &BrowserSecret) -> Result<ClaimTicket> {
        let open = self.open_ticket(id, browser).await?;
        self.shown(id, &open.ticket.value, &open.entry.value)
    }

    /// Second step: a password that meets the stated requirements. It is hashed now and becomes a
    /// credential when the claim is finished.
    ///
    /// # Errors
    /// [`Refusal::PasswordUnacceptable`], [`Refusal::ClaimExpired`], [`Refusal::AlreadyClaimed`].
    pub async fn set_claim_password(
        &self,
        ticket: &ClaimTicket,
        browser: &BrowserSecret,
        password: Password,
    ) -> Result<ClaimTicket> {
        let open = self.open_ticket(ticket.id, browser).await?;
        let password = self
            .accept_password(password, &open.ticket.value.entry, &open.entry.value)
            .await?;
        let admission = self.admit(&open.ticket.value.entry)?;
        let phc = admission
            .hash()
            .hash(password.hash_input(), self.random()?)
            .await?;
        for _ in 0..CONTENTION_MAX {
            let open = self.open_ticket(ticket.id, browser).await?;
            let context = [b"ticket".as_slice(), &open.digest];
            let sealed_hash =
                self.keys()
                    .seal(KeyPurpose::Pepper, &context, phc.as_bytes(), self.entropy())?;
            let next = Ticket {
                step: TicketStep::PasswordSet,
                sealed_hash,
                step_at: open.now.latest,
                ..open.ticket.value
            };
            let shown = self.shown(ticket.id, &next, &open.entry.value)?;
            let mut changes = ChangeSet::new();
            put(
                &mut changes,
                ticket_key(&open.digest),
                &next,
                Some(open.ticket.version),
            );
            if self.commit(changes).await? == Commit::Committed {
                return Ok(shown);
            }
        }
        contended()
    }

    /// Last step: answers. Password, answers and account appear in one commit; whoever finishes first
    /// has claimed.
    ///
    /// # Errors
    /// [`Refusal::AnswersUnacceptable`], [`Refusal::ClaimStepMissing`] before a password was made,
    /// [`Refusal::ClaimExpired`], [`Refusal::AlreadyClaimed`].
    pub async fn finish_claim(
        &self,
        ticket: &ClaimTicket,
        browser: &BrowserSecret,
        answers: SecurityAnswers,
        asker: &Asker,
    ) -> Result<Claimed> {
        let open = self.open_ticket(ticket.id, browser).await?;
        if open.ticket.value.step != TicketStep::PasswordSet {
            return Err(Refusal::ClaimStepMissing.into());
        }
        let about = self
            .about(&open.ticket.value.entry, &open.entry.value)
            .await?;
        let about: Vec<&str> = about.iter().map(String::as_str).collect();
        let answers = question::accept(&answers, self.questions_required(), &about)
            .map_err(Refusal::AnswersUnacceptable)?;
        let answers_phc = if answers.questions().is_empty() {
            None
        } else {
            let admission = self.admit(&open.ticket.value.entry)?;
            Some(
                admission
                    .hash()
                    .hash(answers.hash_input(), self.random()?)
                    .await?,
            )
        };
        let fresh = AccountId::from_bytes(self.random()?);
        for _ in 0..CONTENTION_MAX {
            let open = self.open_ticket(ticket.id, browser).await?;
            if open.ticket.value.step != TicketStep::PasswordSet {
                return Err(Refusal::ClaimStepMissing.into());
            }
            let account = open.entry.value.account.unwrap_or(fresh);
            let changes = self
                .claim_changes(&open, account, &answers, answers_phc.as_deref(), asker)
                .await?;
            let details = self.open_details(&open.ticket.value.entry, &open.entry.value)?;
            if self.commit(changes).await? == Commit::Committed {
                self.0
                    .notices
                    .all_ended(account, None, EndReason::ReClaimed);
                return Ok(Claimed {
                    account,
                    login_id: details.login_id,
                    given_name: details.preferred_given_name.unwrap_or(details.given_name),
                    default_organization: open.entry.value.default_organization,
                });
            }
        }
        contended()
    }

    /// "Not you?": forgets the ticket. One that is gone already is fine.
    ///
    /// # Errors
    /// [`Refusal::ClaimExpired`] if it belongs to another browser; or the store did not answer.
    pub async fn abandon_claim(&self, id: TicketId, browser: &BrowserSecret) -> Result<()> {
        let key = ticket_key(&self.ticket_digest(id)?);
        for _ in 0..CONTENTION_MAX {
            let Some(ticket) = self.read::<Ticket>(&key).await? else {
                return Ok(());
            };
            let own = self.browser_digest(browser)?;
            if !crate::secret::same_digest(&own, &ticket.value.browser_digest) {
                return Err(Refusal::ClaimExpired.into());
            }
            let mut changes = ChangeSet::new();
            changes.delete(key.clone(), ticket.version);
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    async fn claim_changes(
        &self,
        open: &Open,
        account: AccountId,
        answers: &AcceptedAnswers,
        answers_phc: Option<&str>,
        asker: &Asker,
    ) -> Result<ChangeSet> {
        let mut changes = ChangeSet::new();
        let Open {
            digest,
            ticket,
            entry,
            now,
        } = open;
        let spent = Ticket {
            step: TicketStep::Spent,
            sealed_hash: Vec::new(),
            step_at: now.latest,
            ..ticket.value.clone()
        };
        put(
            &mut changes,
            ticket_key(digest),
            &spent,
            Some(ticket.version),
        );
        let claimed = RosterEntry {
            claimed: true,
            account: Some(account),
            ..entry.value.clone()
        };
        put(
            &mut changes,
            entry_key(&ticket.value.entry),
            &claimed,
            Some(entry.version),
        );

        let before = self.read::<Gate>(&gate_key(account)).await?;
        let generation = before
            .as_ref()
            .map_or(0, |gate| gate.value.credential_generation)
            + 1;
        let context = [b"ticket".as_slice(), digest];
        let phc = self
            .keys()
            .open(KeyPurpose::Pepper, &context, &ticket.value.sealed_hash)?;
        let phc =
            std::str::from_utf8(&phc).map_err(|_| crate::store::codec::DecodeError::Damaged)?;
        let gate = Gate {
            session_epoch: before.as_ref().map_or(0, |gate| gate.value.session_epoch) + 1,
            epoch_reason: EndReason::ReClaimed,
            status: GateStatus::Active,
            credential_generation: generation,
            sealed_credential: self.seal_credential(account, generation, phc)?,
            recovery_codes: Vec::new(),
        };
        put(
            &mut changes,
            gate_key(account),
            &gate,
            before.map(|gate| gate.version),
        );

        let person = self.read::<Person>(&person_key(account)).await?;
        let (default, version) = match person {
            Some(person) => (person.value.default_organization, Some(person.version)),
            None => (None, None),
        };
        let person = Person {
            entry: ticket.value.entry,
            claimed_at: now.latest,
            default_organization: default,
        };
        put(&mut changes, person_key(account), &person, version);
        if let Some(phc) = answers_phc {
            let before = self
                .read::<SecurityAnswersRecord>(&answers_key(account))
                .await?;
            let generation = before
                .as_ref()
                .map_or(0, |answers| answers.value.generation)
                + 1;
            let bound = generation.to_le_bytes();
            let context = [b"answers".as_slice(), account.as_bytes(), &bound];
            let record = SecurityAnswersRecord {
                questions: answers.questions().to_vec(),
                generation,
                sealed_hash: self.keys().seal(
                    KeyPurpose::Pepper,
                    &context,
                    phc.as_bytes(),
                    self.entropy(),
                )?,
            };
            put(
                &mut changes,
                answers_key(account),
                &record,
                before.map(|b| b.version),
            );
        }
        for membership in &entry.value.memberships {
            let role = membership.role.code();
            changes.add(
                statistic_cell(&membership.organization, "claimed", role),
                1,
                None,
            );
        }
        self.audit(
            &mut changes,
            *now,
            EventKind::Claimed,
            Some(account),
            asker,
            "facts",
        )?;
        Ok(changes)
    }

    async fn open_ticket(&self, id: TicketId, browser: &BrowserSecret) -> Result<Open> {
        let digest = self.ticket_digest(id)?;
        let Some(ticket) = self.read::<Ticket>(&ticket_key(&digest)).await? else {
            return Err(Refusal::ClaimExpired.into());
        };
        let entry = self
            .read::<RosterEntry>(&entry_key(&ticket.value.entry))
            .await?;
        let verdict = judge_ticket(
            &ticket.value,
            entry.as_ref().map(|entry| &entry.value),
            &self.browser_digest(browser)?,
            &self.policy().claim,
            self.now(),
        );
        match (verdict, entry) {
            (TicketVerdict::Valid, Some(entry)) => Ok(Open {
                digest,
                ticket,
                entry,
                now: self.now(),
            }),
            (TicketVerdict::AlreadyClaimed, _) => Err(Refusal::AlreadyClaimed.into()),
            _ => Err(Refusal::ClaimExpired.into()),
        }
    }

    fn shown(&self, id: TicketId, ticket: &Ticket, entry: &RosterEntry) -> Result<ClaimTicket> {
        Ok(ClaimTicket {
            id,
            details: self.open_details(&ticket.entry, entry)?,
            organization: entry.default_organization.clone(),
            step: ticket.step,
            expires_at: expires_at(ticket, &self.policy().claim),
            requirements: self.requirements_for(entry),
        })
    }

    fn ticket_digest(&self, id: TicketId) -> Result<[u8; 32]> {
        self.tag(&[b"ticket", id.as_bytes()])
    }

    fn browser_digest(&self, browser: &BrowserSecret) -> Result<[u8; 32]> {
        self.tag(&[b"claim-browser", browser.as_bytes()])
    }
}
