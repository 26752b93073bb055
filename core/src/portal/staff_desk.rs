//! The desk: what people of staff may do in a fresh session, for people of their organizations only
//! (P8, AZ-01). Whether they may is judged with what was read in the same attempt, and the commit
//! rests on it; the audit names who did it.

use super::attempts::AttemptKind;
use super::recovery_codes::codes_of;
use super::{
    Asker, CONTENTION_MAX, EvidenceReport, IssueClaimCode, IssuedRecoveryCode, PersonReport,
    Portal, Reauthenticated, contended,
};
use crate::VerifiedSession;
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::model::{
    AccountId, ClaimCodeRecord, EntryKey, Gate, LoginId, Membership, Organization, OrganizationId,
    RecoveryCodeKind, Role, RosterEntry,
};
use crate::rules::claim::ClaimEvidence;
use crate::rules::staff::{Districts, ORGANIZATIONS_ABOVE_MAX, Reach, is_staff, reach, serves};
use crate::store::records::{claim_code_key, entry_key, family_key, gate_key, organization_key};
use crate::store::{ChangeSet, Commit, Versioned};

/// On whose word something is done for another person.
#[derive(Clone, Copy, Debug)]
pub(super) enum Warrant<'w> {
    /// Who may run commands on the machine.
    Operator,
    /// A person of staff; with the mark of the page that they saw, where it must be the latest.
    Staff(&'w VerifiedSession, Option<&'w str>),
}

/// What an action led to that must not happen twice because a page was sent twice.
#[derive(Clone, Debug)]
pub enum Once<T> {
    /// What it says.
    Done(T),
    /// Nothing: something was done for the person after the mark was given.
    Stale,
}

impl<T> Once<T> {
    /// What was done, if anything.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(done) => Some(done),
            Self::Stale => None,
        }
    }
}

impl Warrant<'_> {
    /// The detail of an audit event, with the account of the person of staff.
    pub(super) fn detail(&self, what: &str) -> String {
        match self {
            Self::Operator => what.to_owned(),
            Self::Staff(session, _) => {
                let by = session.account().to_hex();
                format!("{what} by={by}").trim_start().to_owned()
            }
        }
    }
}

/// A person, as staff see them.
#[derive(Clone, Debug)]
pub struct DeskReport {
    /// What is known of the person.
    pub person: PersonReport,
    /// In how many browsers the person is logged in.
    pub sessions: usize,
    /// Whether the other methods of the desk are open for this person.
    pub may_act: bool,
    /// What [`StaffDesk`] asks for before it does something that must not happen twice.
    pub mark: String,
}

/// What one person of staff may do now. Every method answers [`Refusal::NotPermitted`] to who is not
/// staff, and for a person of another organization as for a number that the roster does not have.
#[derive(Debug)]
pub struct StaffDesk<'d> {
    pub(super) portal: &'d Portal,
    pub(super) session: &'d VerifiedSession,
    asker: &'d Asker,
}

impl Portal {
    /// The desk of who has just proven who they are.
    pub fn staff_desk<'d>(
        &'d self,
        proof: &'d Reauthenticated<'d>,
        asker: &'d Asker,
    ) -> StaffDesk<'d> {
        StaffDesk {
            portal: self,
            session: proof.session(),
            asker,
        }
    }

    /// How far the warrant reaches into the entry that was read. What the answer rests on is expected
    /// by `changes`, besides the entry itself.
    pub(super) async fn reach(
        &self,
        warrant: Warrant<'_>,
        target: Option<&RosterEntry>,
        changes: &mut ChangeSet,
    ) -> Result<Reach> {
        let Warrant::Staff(session, _) = warrant else {
            return Ok(Reach::Act);
        };
        let judged = self.judge_again(session).await?;
        let (key, actor) = self.own_entry_read(session).await?;
        let policy = &self.policy().staff;
        if !is_staff(&actor.value.memberships, policy) {
            return Err(Refusal::NotPermitted.into());
        }
        let reached = match target {
            None => Reach::Unknown,
            Some(target) => {
                let own = &actor.value.memberships;
                let districts = self.districts(own, &target.memberships, changes).await?;
                reach(&actor.value, target, policy, &districts)
            }
        };
        changes.expect(gate_key(session.account()), judged.gate.version);
        changes.expect(family_key(session.selector()), judged.family.version);
        if target.and_then(|target| target.account) != Some(session.account()) {
            changes.expect(entry_key(&key), actor.version);
        }
        Ok(reached)
    }

    /// The organizations of `target` and what lies above them, where it matters to staff with the
    /// memberships `actor`; they are expected as they were read.
    async fn districts(
        &self,
        actor: &[Membership],
        target: &[Membership],
        changes: &mut ChangeSet,
    ) -> Result<Districts> {
        let policy = &self.policy().staff;
        let mut read: Vec<Organization> = Vec::new();
        for membership in target {
            let mut next = Some(membership.organization.clone());
            if serves(
                actor,
                &membership.organization,
                policy,
                &Districts::default(),
            ) {
                continue;
            }
            for _ in 0..=ORGANIZATIONS_ABOVE_MAX {
                let Some(id) =
                    next.filter(|id| policy.districts && !read.iter().any(|o| o.id == *id))
                else {
                    break;
                };
                let Some(found) = self.read::<Organization>(&organization_key(&id)).await? else {
                    break;
                };
                changes.expect(organization_key(&id), found.version);
                next = found.value.parent.clone();
                read.push(found.value);
            }
        }
        Ok(Districts::of(&read))
    }

    /// The districts above an organization.
    pub(super) async fn districts_above(&self, id: &OrganizationId) -> Result<Districts> {
        let at = Membership {
            organization: id.clone(),
            role: Role::Other,
        };
        let mut unused = ChangeSet::new();
        self.districts(&[], &[at], &mut unused).await
    }

    /// Names what was done for a person so far: codes, resets, recoveries and ends of all sessions.
    async fn desk_mark(&self, key: &EntryKey, entry: &RosterEntry) -> Result<String> {
        let code = self.read::<ClaimCodeRecord>(&claim_code_key(key)).await?;
        let code = code.map_or([0; 32], |code| code.value.code_digest);
        let gate = match entry.account {
            Some(account) => self.read::<Gate>(&gate_key(account)).await?,
            None => None,
        };
        let (mut counts, mut issued) = ([0; 16], [0; 32]);
        if let Some(gate) = gate.map(|gate| gate.value) {
            let both =
                u128::from(gate.session_epoch) << 64 | u128::from(gate.credential_generation);
            counts = both.to_be_bytes();
            let mut codes = codes_of(&gate).into_iter();
            let of_staff = codes.find(|code| code.kind == RecoveryCodeKind::Issued);
            issued = of_staff.map_or([0; 32], |code| code.digest);
        }
        let generation = entry.claim_generation.to_be_bytes();
        let tag = self.tag(&[b"desk", &key.0, &generation, &code, &counts, &issued])?;
        Ok(data_encoding::BASE64URL_NOPAD.encode(tag.split_at(16).0))
    }

    /// Whether the page that an action was asked on is not the latest. Asked after everything that the
    /// action rests on was read: what comes later conflicts.
    pub(super) async fn is_stale(
        &self,
        warrant: Warrant<'_>,
        key: &EntryKey,
        entry: &RosterEntry,
    ) -> Result<bool> {
        match warrant {
            Warrant::Operator | Warrant::Staff(_, None) => Ok(false),
            Warrant::Staff(_, Some(mark)) => Ok(self.desk_mark(key, entry).await? != mark),
        }
    }

    /// Whether the warrant lets act on the entry; `false`: it is as unknown.
    pub(super) async fn may_act(
        &self,
        warrant: Warrant<'_>,
        target: &RosterEntry,
        changes: &mut ChangeSet,
    ) -> Result<bool> {
        match self.reach(warrant, Some(target), changes).await? {
            Reach::Act => Ok(true),
            Reach::Unknown => Ok(false),
            Reach::Look => Err(Refusal::NotPermitted.into()),
        }
    }
}

impl StaffDesk<'_> {
    pub(super) fn warrant(&self) -> Warrant<'_> {
        Warrant::Staff(self.session, None)
    }

    /// Reads an entry, and tells the audit of it: of a number that is not there, too.
    async fn look(
        &self,
        login_id: &LoginId,
        what: &str,
    ) -> Result<Option<(EntryKey, Versioned<RosterEntry>, Reach)>> {
        let portal = self.portal;
        let key = portal.entry_key(login_id)?;
        for _ in 0..CONTENTION_MAX {
            let mut changes = ChangeSet::new();
            let entry = portal.read::<RosterEntry>(&entry_key(&key)).await?;
            let target = entry.as_ref().map(|entry| &entry.value);
            let reached = portal.reach(self.warrant(), target, &mut changes).await?;
            let entry = entry.filter(|_| reached != Reach::Unknown);
            let (what, account) = match &entry {
                Some(entry) => (what, entry.value.account),
                None => ("unknown", None),
            };
            if let Some(entry) = &entry {
                changes.expect(entry_key(&key), entry.version);
            }
            let kind = EventKind::StaffLooked;
            self.told(&mut changes, kind, account, what)?;
            if portal.commit(changes).await? == Commit::Committed {
                return Ok(entry.map(|entry| (key, entry, reached)));
            }
        }
        contended()
    }

    pub(super) fn told(
        &self,
        changes: &mut ChangeSet,
        kind: EventKind,
        account: Option<AccountId>,
        what: &str,
    ) -> Result<()> {
        let (now, detail) = (self.portal.now(), self.warrant().detail(what));
        self.portal
            .audit(changes, now, kind, account, self.asker, &detail)
    }

    /// What is known of the person with this number; `None`: the roster has no such number.
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`]: who asks is not staff; the session is no longer live; the store did
    /// not answer, or others kept committing first.
    pub async fn find(&self, login_id: &LoginId) -> Result<Option<DeskReport>> {
        let Some((key, entry, reached)) = self.look(login_id, "person").await? else {
            return Ok(None);
        };
        let sessions = match entry.value.account {
            Some(account) => self.portal.live_families(account).await?.len(),
            None => 0,
        };
        Ok(Some(DeskReport {
            mark: self.portal.desk_mark(&key, &entry.value).await?,
            person: self.portal.report(&key, entry.value).await?,
            sessions,
            may_act: reached == Reach::Act,
        }))
    }

    /// Which of the facts that a person typed agree with the roster, never what the roster says.
    ///
    /// # Errors
    /// As [`Self::find`]; [`Refusal::NotPermitted`] also for who is only to be looked at.
    pub async fn check(&self, evidence: &ClaimEvidence) -> Result<Option<EvidenceReport>> {
        match self.look(evidence.login_id(), "facts").await? {
            None => Ok(None),
            Some((_, _, Reach::Look)) => Err(Refusal::NotPermitted.into()),
            Some((key, entry, _)) => {
                let report = self.portal.compare_evidence(evidence, &key, &entry.value)?;
                Ok(Some(report))
            }
        }
    }

    /// Forgets the failed tries at claims, log-ins and recoveries of a person, so that nothing waits.
    /// `false`: the roster has no such number.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn clear_tries(&self, login_id: &LoginId) -> Result<bool> {
        let portal = self.portal;
        let key = portal.entry_key(login_id)?;
        for _ in 0..CONTENTION_MAX {
            let mut changes = ChangeSet::new();
            let entry = portal.read::<RosterEntry>(&entry_key(&key)).await?;
            let Some(entry) = entry else {
                return self.unknown(login_id).await.map(|()| false);
            };
            let may = portal.may_act(self.warrant(), &entry.value, &mut changes);
            if !may.await? {
                return self.unknown(login_id).await.map(|()| false);
            }
            changes.expect(entry_key(&key), entry.version);
            portal
                .forget_failures(&mut changes, &key, &AttemptKind::ALL)
                .await?;
            let account = entry.value.account;
            self.told(&mut changes, EventKind::TriesCleared, account, "")?;
            if portal.commit(changes).await? == Commit::Committed {
                return Ok(true);
            }
        }
        contended()
    }

    /// Issues a claim code to a person who has not claimed yet, once for each mark.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn issue_claim_code(
        &self,
        login_id: &LoginId,
        mark: &str,
    ) -> Result<Once<IssueClaimCode>> {
        let portal = self.portal;
        let key = portal.entry_key(login_id)?;
        let warrant = Warrant::Staff(self.session, Some(mark));
        let issued = portal
            .issue_for(&key, |_| true, warrant, self.asker)
            .await?;
        if matches!(issued, Once::Done(IssueClaimCode::Unknown)) {
            self.unknown(login_id).await?;
        }
        Ok(issued)
    }

    /// Issues a recovery code to a person who has an account, once for each mark.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn issue_recovery_code(
        &self,
        login_id: &LoginId,
        mark: &str,
    ) -> Result<Once<IssuedRecoveryCode>> {
        let portal = self.portal;
        let warrant = Warrant::Staff(self.session, Some(mark));
        let issued = portal
            .issue_recovery_code_on(warrant, login_id, self.asker)
            .await?;
        if matches!(issued, Once::Done(IssuedRecoveryCode::Unknown)) {
            self.unknown(login_id).await?;
        }
        Ok(issued)
    }

    /// Logs a person out everywhere, once for each mark. Says how many sessions ended; `None`: the
    /// roster has no such number.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn end_sessions(
        &self,
        login_id: &LoginId,
        mark: &str,
    ) -> Result<Once<Option<usize>>> {
        let portal = self.portal;
        let warrant = Warrant::Staff(self.session, Some(mark));
        let ended = portal.end_all_on(warrant, login_id, self.asker).await?;
        if matches!(ended, Once::Done(None)) {
            self.unknown(login_id).await?;
        }
        Ok(ended)
    }

    /// Something was asked for a number that is not there, or belongs elsewhere.
    async fn unknown(&self, login_id: &LoginId) -> Result<()> {
        self.look(login_id, "unknown").await.map(|_| ())
    }
}
