//! Claiming an account that was prepared: evidence, ticket, password, answers (S2-S6, P2).

use super::attempts::{AttemptKind, Charge, Reservation, ReservedLane};
use super::organizations::DAY;
use super::staff_statistics::count_in_window;
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{
    AccountId, ClaimCodeRecord, EndReason, EntryDetails, EntryKey, Gate, GateStatus, MessageKind,
    Now, OrganizationId, Person, PersonDetails, RosterEntry, SecurityAnswersRecord, Ticket,
    TicketStep, Timestamp,
};
use crate::policy::ClaimProof;
use crate::rules::claim::{
    ClaimEvidence, CodeProof, EvidenceDigests, EvidenceVerdict, TicketVerdict, digest_evidence,
    expires_at, judge_evidence, judge_ticket,
};
use crate::rules::password::PasswordRequirement;
use crate::rules::question::{self, AcceptedAnswers, SecurityAnswers};
use crate::secret::{BrowserSecret, Password, TicketId};
use crate::store::records::{
    answers_key, claim_code_key, entry_key, gate_key, person_key, statistic_cell, ticket_key,
};
use crate::store::{ChangeSet, Commit, Version, Versioned};

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

/// A first step of a claim, as it was asked for.
pub(super) struct BegunClaim {
    pub(super) kind: AttemptKind,
    pub(super) key: EntryKey,
    digests: EvidenceDigests,
    pub(super) browser: [u8; 32],
    /// Whether what was typed may be enough.
    open: bool,
    /// From outside the named networks.
    pub(super) outside: bool,
}

struct JudgedCode {
    proof: CodeProof,
    version: Option<Version>,
}

impl Portal {
    /// How many security questions a claim asks; 0: none.
    pub fn questions_required(&self) -> usize {
        self.policy()
            .questions
            .required
            .min(SecurityAnswers::COUNT_MAX)
    }

    /// Whether every claim needs the code of a letter.
    pub fn claim_code_required(&self) -> bool {
        self.policy().claim.proof == ClaimProof::FactsAndCode
    }

    /// First step: names, birthdate and number, or these and the code of a letter, open a ticket, bound
    /// to this browser.
    ///
    /// # Errors
    /// [`Refusal::ClaimNotMatched`] alike for wrong, unknown, claimed, held, inactive and exhausted, and
    /// where a code is needed; [`Refusal::Throttled`] for the network's or the whole's budget.
    pub async fn begin_claim(
        &self,
        evidence: ClaimEvidence,
        browser: &BrowserSecret,
        asker: &Asker,
    ) -> Result<ClaimTicket> {
        let key = self.entry_key(evidence.login_id())?;
        let charge = self.charge(AttemptKind::Claim, &key, asker).await?;
        let listed = self.read::<RosterEntry>(&entry_key(&key)).await?;
        let outside = self.named_network(asker).is_none();
        let kind = match (evidence.code(), outside) {
            (Some(_), _) => AttemptKind::ClaimCode,
            (None, false) => AttemptKind::ClaimInside,
            (None, true) => AttemptKind::Claim,
        };
        let entry = listed.as_ref().map(|listed| &listed.value);
        let guessed = self.is_guessed_at(entry, asker).await?;
        let needs_code = self.claim_code_required() || (outside && guessed);
        let known = listed.is_some();
        let against = self.against_claim(evidence.login_id(), asker).await;
        let reservation = self
            .reserve_lane(kind, &key, known, &against, asker)
            .await?;
        // Digested for everybody, under the current key where there is no entry.
        let key_id = listed
            .as_ref()
            .map_or(self.keys().current(KeyPurpose::Evidence), |l| {
                l.value.evidence_key
            });
        let digests = digest_evidence(&evidence, &key, self.keys(), key_id)?;
        let claim = BegunClaim {
            kind,
            key,
            digests,
            browser: self.browser_digest(browser)?,
            open: evidence.code().is_some() || !needs_code,
            outside,
        };
        let mut listed = listed.filter(|_| matches!(reservation, Reservation::Made(_)));
        let mut verdict = EvidenceVerdict::WildMiss;
        for _ in 0..CONTENTION_MAX {
            let code = self
                .judge_code(&claim.key, listed.as_ref(), &evidence)
                .await?;
            if let Some(entry) = &listed {
                verdict = judge_evidence(&entry.value, &claim.digests, code.proof);
            }
            let (Some(entry), Reservation::Made(lane), EvidenceVerdict::Matches, true) =
                (&listed, &reservation, verdict, claim.open)
            else {
                let entry = listed.as_ref().map(|entry| &entry.value);
                self.miss_claim(&claim, verdict, entry, &reservation, asker)
                    .await?;
                return Err(Refusal::ClaimNotMatched.into());
            };
            if let Some(shown) = self
                .open_claim(&claim, entry, &code, (&charge, lane), asker)
                .await?
            {
                return Ok(shown);
            }
            let again = self.read::<RosterEntry>(&entry_key(&key)).await?;
            listed = again.filter(|again| again.value.evidence_key == key_id);
            verdict = EvidenceVerdict::WildMiss;
        }
        contended()
    }

    /// `None`: somebody else committed first.
    async fn open_claim(
        &self,
        claim: &BegunClaim,
        entry: &Versioned<RosterEntry>,
        code: &JudgedCode,
        (charge, lane): (&Charge, &ReservedLane),
        asker: &Asker,
    ) -> Result<Option<ClaimTicket>> {
        let now = self.now();
        let id = TicketId::generate(self.entropy())?;
        let digest = self.ticket_digest(id)?;
        let ticket = Ticket {
            entry: claim.key,
            claim_generation: entry.value.claim_generation,
            browser_digest: claim.browser,
            step: TicketStep::Identified,
            sealed_hash: Vec::new(),
            opened_at: now.latest,
            step_at: now.latest,
        };
        // Made before the commit: after it nothing may fail.
        let shown = self.shown(id, &ticket, &entry.value)?;
        let mut changes = ChangeSet::new();
        changes.expect(entry_key(&claim.key), entry.version);
        if let (CodeProof::Right, Some(version)) = (code.proof, code.version) {
            changes.expect(claim_code_key(&claim.key), version);
        }
        put(&mut changes, ticket_key(&digest), &ticket, None);
        charge.give_back(&mut changes);
        self.credit_lane(&mut changes, lane).await?;
        self.forgive_near_misses(&mut changes, claim, &entry.value, asker)
            .await?;
        let kind = EventKind::ClaimBegun;
        let detail = match code.proof {
            CodeProof::Right => "code",
            _ => "facts",
        };
        self.audit(&mut changes, now, kind, entry.value.account, asker, detail)?;
        let committed = self.commit(changes).await? == Commit::Committed;
        Ok(committed.then_some(shown))
    }

    /// What the typed code is worth. The record is read whether or not one was typed.
    async fn judge_code(
        &self,
        key: &EntryKey,
        entry: Option<&Versioned<RosterEntry>>,
        evidence: &ClaimEvidence,
    ) -> Result<JudgedCode> {
        let record = self.read::<ClaimCodeRecord>(&claim_code_key(key)).await?;
        let version = record.as_ref().map(|record| record.version);
        let Some(code) = evidence.code() else {
            let proof = CodeProof::NotGiven;
            return Ok(JudgedCode { proof, version });
        };
        let right = match (record, entry) {
            (Some(record), Some(entry)) => {
                self.claim_code_is_right(code, key, &record.value, &entry.value)?
            }
            _ => false,
        };
        let proof = if right {
            CodeProof::Right
        } else {
            CodeProof::Wrong
        };
        Ok(JudgedCode { proof, version })
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
        let key = ticket_key(&self.ticket_on_record(id).await?);
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
        let birthdate = entry.value.birthdate;
        let claimed = RosterEntry {
            claimed: true,
            account: Some(account),
            birthdate: birthdate.filter(|_| self.policy().claim.keep_birthdate),
            ..entry.value.clone()
        };
        put(
            &mut changes,
            entry_key(&ticket.value.entry),
            &claimed,
            Some(entry.version),
        );

        self.spend_claim_code(&mut changes, &ticket.value.entry)
            .await?;

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
        let version = person.as_ref().map(|person| person.version);
        let (default_organization, details) = match person {
            Some(person) => {
                let kept = self.kept_details(account, &person.value)?;
                (person.value.default_organization, kept)
            }
            None => (None, Vec::new()),
        };
        let person = Person {
            entry: ticket.value.entry,
            claimed_at: now.latest,
            default_organization,
            details,
        };
        put(&mut changes, person_key(account), &person, version);
        self.replace_answers(&mut changes, account, answers, answers_phc)
            .await?;
        for membership in &entry.value.memberships {
            let role = membership.role.code();
            changes.add(
                statistic_cell(&membership.organization, "claimed", role),
                1,
                None,
            );
        }
        let organizations = entry.value.memberships.iter().map(|m| &m.organization);
        count_in_window(&mut changes, organizations, "claims", DAY, *now);
        self.audit(
            &mut changes,
            *now,
            EventKind::Claimed,
            Some(account),
            asker,
            "",
        )?;
        self.tell(&mut changes, account, MessageKind::Claimed, asker, *now)
            .await?;
        Ok(changes)
    }

    /// What of the details outlives a new claim. Who claims again may be somebody else than who claimed
    /// before: no address, no number and no name of theirs is handed on.
    fn kept_details(&self, account: AccountId, person: &Person) -> Result<Vec<u8>> {
        let kept = PersonDetails {
            language: self.open_person_details(account, person)?.language,
            ..PersonDetails::default()
        };
        self.seal_person_details(account, &kept)
    }

    /// The answers of a claim take the place of those before; where none are asked for, those go too.
    async fn replace_answers(
        &self,
        changes: &mut ChangeSet,
        account: AccountId,
        answers: &AcceptedAnswers,
        phc: Option<&str>,
    ) -> Result<()> {
        let key = answers_key(account);
        let before = self.read::<SecurityAnswersRecord>(&key).await?;
        let version = before.as_ref().map(|before| before.version);
        match (phc, version) {
            (Some(phc), version) => {
                let generation = before.map_or(0, |before| before.value.generation) + 1;
                let record = self.sealed_answers(account, generation, answers, phc)?;
                put(changes, key, &record, version);
            }
            (None, Some(version)) => {
                changes.delete(key, version);
            }
            (None, None) => {}
        }
        Ok(())
    }

    async fn open_ticket(&self, id: TicketId, browser: &BrowserSecret) -> Result<Open> {
        let digest = self.ticket_on_record(id).await?;
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
        self.incarnation_digest(&[b"ticket", id.as_bytes()])
    }

    async fn ticket_on_record(&self, id: TicketId) -> Result<[u8; 32]> {
        self.kept_digest(&[b"ticket", id.as_bytes()], ticket_key)
            .await
    }

    fn browser_digest(&self, browser: &BrowserSecret) -> Result<[u8; 32]> {
        self.tag(&[b"claim-browser", browser.as_bytes()])
    }
}
