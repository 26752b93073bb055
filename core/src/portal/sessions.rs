//! Sessions in use: check, verify, activity, log-out (S8-S13).

use std::time::Duration;

use super::organizations::QUARTER;
use super::table::{FamilySlot, SlotKey};
use super::{Asker, CONTENTION_MAX, Notices, Portal, contended, put};
use crate::error::{Error, Refusal, Result};
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::{AccountId, EndReason, Ended, Family, Gate, Now, Selector, Timestamp};
use crate::rules::attempts::window_start;
use crate::rules::session::{SessionVerdict, activity_at, expires_at, judge_session, timed_out};
use crate::secret::{SessionToken, same_digest};
use crate::store::records::{family_key, gate_key, seen_cell};
use crate::store::{ChangeSet, Commit, Versioned};

/// Proof that a session was live when it was asked for. Only the portal makes one.
#[derive(Clone, Debug)]
pub struct VerifiedSession {
    selector: Selector,
    token_digest: [u8; 32],
    account: AccountId,
    started_at: Timestamp,
    authenticated_at: Timestamp,
    last_activity: Timestamp,
    inactivity_timeout: Duration,
    expires_at: Timestamp,
}

impl VerifiedSession {
    /// Whose session it is.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Names the family. Not for pages: see [`Portal::family_tag`].
    pub fn selector(&self) -> Selector {
        self.selector
    }

    /// When the person logged in.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// When the person last proved who they are.
    pub fn authenticated_at(&self) -> Timestamp {
        self.authenticated_at
    }

    /// When the person was last active, over all tabs.
    pub fn last_activity(&self) -> Timestamp {
        self.last_activity
    }

    /// How long without activity ends it.
    pub fn inactivity_timeout(&self) -> Duration {
        self.inactivity_timeout
    }

    /// When it ends if nobody does anything.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// What the warm table says.
#[derive(Clone, Debug)]
pub enum Check {
    /// The session is live.
    Live(VerifiedSession),
    /// Not known here, or not live: [`Portal::verify_session`] settles it.
    AskStore,
}

/// The records that decide about a session, at the versions judged.
pub(super) struct Judged {
    pub(super) family: Versioned<Family>,
    pub(super) gate: Versioned<Gate>,
    pub(super) session: VerifiedSession,
}

impl Portal {
    /// The warm path: synchronous, no allocation. Anything but `Live` goes to
    /// [`Self::verify_session`].
    pub fn check(&self, token: &SessionToken) -> Check {
        if self.0.shared {
            return Check::AskStore;
        }
        self.check_at(token, self.now())
    }

    fn check_at(&self, token: &SessionToken, now: Now) -> Check {
        let table = &self.0.sessions;
        let Some(slot) = table.family(token.selector()) else {
            return Check::AskStore;
        };
        let Some(epoch) = table.gate_epoch(slot.account) else {
            return Check::AskStore;
        };
        let absolute = self.policy().session.absolute_timeout;
        let ended = timed_out(
            slot.started_at,
            slot.seen,
            slot.inactivity_timeout(),
            absolute,
            now,
        )
        .is_some();
        if epoch != slot.session_epoch || ended || !self.is_of(&slot, token) {
            return Check::AskStore;
        }
        Check::Live(self.assertion(token.selector(), &slot))
    }

    /// Whether the token is that of the slot. The digest that the store keeps is computed once; what is
    /// compared then stands in the table alone, beside it.
    fn is_of(&self, slot: &FamilySlot, token: &SessionToken) -> bool {
        if let Some(proof) = &slot.proof {
            let key_is_held = self.keys().has(KeyPurpose::TokenDigest, slot.token_key);
            return key_is_held && token.is_proven_by(proof);
        }
        let digest = self.token_digest(slot.token_key, token);
        let proven = digest.is_ok_and(|digest| same_digest(&digest, &slot.token_digest));
        if proven {
            let table = &self.0.sessions;
            table.prove(token.selector(), &slot.token_digest, token.proof());
        }
        proven
    }

    /// Settles whether the session of `token` is live, and if it ends now, ends it durably before that
    /// is told.
    ///
    /// # Errors
    /// [`Refusal::SessionEnded`] with its reason, [`Refusal::TokenReplaced`], [`Refusal::NotLoggedIn`];
    /// or the store did not answer, which admits nobody.
    pub async fn verify_session(&self, token: &SessionToken) -> Result<VerifiedSession> {
        if let Check::Live(session) = self.check(token) {
            return Ok(session);
        }
        self.verify_session_in_store(token).await
    }

    /// As [`Self::verify_session`], without a look at the warm table: two reads and a cell.
    ///
    /// # Errors
    /// As [`Self::verify_session`].
    pub async fn verify_session_in_store(&self, token: &SessionToken) -> Result<VerifiedSession> {
        Ok(self.judge(token).await?.session)
    }

    /// Whether a session that was live before still is: for a connection that outlives the request it
    /// came with, whose page holds no token. Asks the store. After a change of the password it is not:
    /// this browser has another token.
    ///
    /// # Errors
    /// As [`Self::verify_session`].
    pub async fn verify_again(&self, session: &VerifiedSession) -> Result<VerifiedSession> {
        Ok(self.judge_again(session).await?.session)
    }

    /// Reads and judges the session of `token`, not trusting the warm table.
    pub(super) async fn judge(&self, token: &SessionToken) -> Result<Judged> {
        self.judge_secret(token.selector(), |portal, key| {
            portal.token_digest(key, token)
        })
        .await
    }

    /// Judges a session again that was live before: on the way to a change on its behalf.
    pub(super) async fn judge_again(&self, session: &VerifiedSession) -> Result<Judged> {
        self.judge_kept(session.selector, session.token_digest)
            .await
    }

    /// Judges the family of `selector` under the token digest that was read of it.
    pub(super) async fn judge_kept(&self, selector: Selector, digest: [u8; 32]) -> Result<Judged> {
        self.judge_secret(selector, |_, _| Ok(digest)).await
    }

    async fn judge_secret(
        &self,
        selector: Selector,
        digest: impl Fn(&Self, u32) -> Result<[u8; 32]>,
    ) -> Result<Judged> {
        let table = &self.0.sessions;
        for _ in 0..CONTENTION_MAX {
            self.settle(SlotKey::Family(selector)).await?;
            let family_load = table.begin_load(SlotKey::Family(selector));
            let Some(family) = self.read::<Family>(&family_key(selector)).await? else {
                return Err(Refusal::NotLoggedIn.into());
            };
            if !self
                .keys()
                .has(KeyPurpose::TokenDigest, family.value.token_key)
            {
                // Of another incarnation of the store: before a restore or a cut-over (P1).
                return Err(Refusal::NotLoggedIn.into());
            }
            let account = family.value.account;
            self.settle(SlotKey::Gate(account)).await?;
            let gate_load = table.begin_load(SlotKey::Gate(account));
            let gate = self.read::<Gate>(&gate_key(account)).await?;
            let seen_kept = self.store().read_cell(&seen_cell(selector)).await?;
            let seen_kept = Timestamp::from_millis(seen_kept);
            let seen_here = table.family(selector).map(|slot| slot.seen);
            let slot = FamilySlot {
                seen: seen_kept.max(seen_here.unwrap_or_default()),
                seen_kept,
                ..FamilySlot::of(&family.value)
            };
            let presented = digest(self, family.value.token_key)?;
            let proven = same_digest(&presented, &family.value.token_digest);
            let verdict = judge_session(
                &family.value,
                gate.as_ref().map(|gate| &gate.value),
                &presented,
                slot.seen,
                &self.policy().session,
                self.now(),
            );
            match (verdict, gate) {
                (SessionVerdict::Live, Some(gate)) => {
                    table.install_family(family_load, selector, slot);
                    table.install_gate(gate_load, account, gate.value.session_epoch);
                    let session = self.assertion(selector, &slot);
                    return Ok(Judged {
                        family,
                        gate,
                        session,
                    });
                }
                (SessionVerdict::TokenReplaced, _) => return Err(Refusal::TokenReplaced.into()),
                (SessionVerdict::EndsNow(reason), Some(gate)) => {
                    if self.end_by_time(selector, family, &gate, reason).await? {
                        return Err(ended(reason, proven.then_some(account)));
                    }
                }
                (SessionVerdict::Ended(reason), _) => {
                    return Err(ended(reason, proven.then_some(account)));
                }
                (SessionVerdict::ReadAgain, _) => {}
                (SessionVerdict::Live | SessionVerdict::EndsNow(_), None) => {
                    return Err(Refusal::NotLoggedIn.into());
                }
            }
        }
        contended()
    }

    /// `false`: something changed meanwhile, judge again.
    async fn end_by_time(
        &self,
        selector: Selector,
        family: Versioned<Family>,
        gate: &Versioned<Gate>,
        reason: EndReason,
    ) -> Result<bool> {
        let account = family.value.account;
        let mut changes = ChangeSet::new();
        self.end(&mut changes, selector, family, reason, &Asker::default())?;
        changes.expect(gate_key(account), gate.version);
        let committed = self.commit(changes).await? == Commit::Committed;
        if committed {
            self.0.notices.ended(account, selector, reason);
        }
        Ok(committed)
    }

    /// Adds the end of a family, and the event that tells of it, to a change set.
    pub(super) fn end(
        &self,
        changes: &mut ChangeSet,
        selector: Selector,
        family: Versioned<Family>,
        reason: EndReason,
        asker: &Asker,
    ) -> Result<()> {
        let now = self.now();
        let account = family.value.account;
        let tombstone = Family {
            ended: Some(Ended {
                reason,
                at: now.latest,
            }),
            ..family.value
        };
        put(
            changes,
            family_key(selector),
            &tombstone,
            Some(family.version),
        );
        self.audit(
            changes,
            now,
            EventKind::SessionEnded,
            Some(account),
            asker,
            reason.code(),
        )
    }

    /// Notes that the person was active `idle_for` ago, by the portal's clock. Written at most once in
    /// the policy's interval per family; in between it is known to this process only, so that a crash
    /// may shorten a session by that much and never lengthen it.
    ///
    /// # Errors
    /// The session is no longer live, or the store did not answer.
    pub async fn record_activity(
        &self,
        session: &VerifiedSession,
        idle_for: Duration,
    ) -> Result<()> {
        let at = activity_at(idle_for, session.started_at, self.now());
        let interval = self.policy().session.activity_write_interval;
        let table = &self.0.sessions;
        if let Some(slot) = table.family(session.selector)
            && slot.seen_kept != Timestamp::default()
            && same_digest(&slot.token_digest, &session.token_digest)
            && at.since(slot.seen_kept) < interval
        {
            table.touch(session.selector, at, false);
            return Ok(());
        }
        let judged = self.judge_again(session).await?;
        let mut changes = ChangeSet::new();
        changes.expect(family_key(session.selector), judged.family.version);
        changes.expect(gate_key(session.account), judged.gate.version);
        changes.raise(seen_cell(session.selector), at.as_millis());
        let quarter = window_start(self.now(), QUARTER);
        let kept = self.store().read_cell(&seen_cell(session.selector)).await?;
        if kept < quarter.as_millis() && at >= quarter {
            self.count_active(&mut changes, session.account, self.now())
                .await?;
        }
        // A conflict means that the session has just changed: this activity is not worth another look.
        if self.commit(changes).await? == Commit::Committed {
            table.touch(session.selector, at, true);
        }
        Ok(())
    }

    /// Ends the family of `token`. Ending is always safe: a token that was good before a password change
    /// in another tab still ends its own family, and one that has ended already is fine.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] or [`Refusal::TokenReplaced`] for a token that proves nothing now.
    pub async fn log_out(&self, token: &SessionToken, asker: &Asker) -> Result<()> {
        let selector = token.selector();
        match self.judge(token).await {
            Ok(_) => {}
            Err(Error::Refused(Refusal::SessionEnded {
                account: Some(_), ..
            })) => return Ok(()),
            Err(error) => return Err(error),
        }
        for _ in 0..CONTENTION_MAX {
            let Some(family) = self.read::<Family>(&family_key(selector)).await? else {
                return Ok(());
            };
            if family.value.ended.is_some() {
                return Ok(());
            }
            let account = family.value.account;
            let mut changes = ChangeSet::new();
            self.end(&mut changes, selector, family, EndReason::LogOut, asker)?;
            if self.commit(changes).await? == Commit::Committed {
                self.0.notices.ended(account, selector, EndReason::LogOut);
                return Ok(());
            }
        }
        contended()
    }

    /// What happens to this family from now on, until it ends.
    pub fn subscribe(&self, session: &VerifiedSession) -> Notices {
        self.0.notices.subscribe(session.account, session.selector)
    }

    /// Ends all notices, as they end with the portal: for who closes it while others have hold of it.
    pub fn end_notices(&self) {
        self.0.notices.end_all();
    }

    /// The public name of a family, for pages, marks and channels: 22 characters that say nothing about
    /// the token.
    ///
    /// # Errors
    /// The key ring has no key for tags.
    pub fn family_tag(&self, selector: Selector) -> Result<String> {
        let tag = self.tag(&[b"family", selector.as_bytes()])?;
        let (short, _) = tag.split_at(16);
        Ok(data_encoding::BASE64URL_NOPAD.encode(short))
    }

    pub(super) fn token_digest(&self, key_id: u32, token: &SessionToken) -> Result<[u8; 32]> {
        let selector = token.selector();
        let parts = [selector.as_bytes().as_slice(), token.secret().as_slice()];
        Ok(self.keys().mac(KeyPurpose::TokenDigest, key_id, &parts)?)
    }

    /// The family as it goes on under `token`: who holds the one before holds nothing.
    pub(super) fn under_new_token(&self, family: Family, token: &SessionToken) -> Result<Family> {
        let token_key = self.keys().current(KeyPurpose::TokenDigest);
        Ok(Family {
            token_key,
            token_digest: self.token_digest(token_key, token)?,
            ..family
        })
    }

    pub(super) fn assertion(&self, selector: Selector, slot: &FamilySlot) -> VerifiedSession {
        VerifiedSession {
            selector,
            token_digest: slot.token_digest,
            account: slot.account,
            started_at: slot.started_at,
            authenticated_at: slot.authenticated_at,
            last_activity: slot.seen.max(slot.started_at),
            inactivity_timeout: slot.inactivity_timeout(),
            expires_at: expires_at(
                slot.started_at,
                slot.seen,
                slot.inactivity_timeout(),
                &self.policy().session,
            ),
        }
    }

    /// Settles the doubts in the stripe of `key`: each record in doubt is read and put back unchanged at
    /// its version, after which a write that is still on its way can only conflict.
    pub(super) async fn settle(&self, key: SlotKey) -> Result<()> {
        for doubt in self.0.sessions.doubts(key) {
            self.fence(doubt).await?;
        }
        Ok(())
    }

    async fn fence(&self, doubt: SlotKey) -> Result<()> {
        let key = match doubt {
            SlotKey::Family(selector) => family_key(selector),
            SlotKey::Gate(account) => gate_key(account),
        };
        for _ in 0..CONTENTION_MAX {
            let count = self.0.sessions.doubts_about(doubt);
            let Some((record, version)) = self.store().get(&key).await? else {
                // What is not there is never in a slot, and if a creation still lands, a cold load
                // reads it as it is.
                self.0.sessions.resolve(doubt, count);
                return Ok(());
            };
            let mut changes = ChangeSet::new();
            changes.put(key.clone(), record, crate::store::Expected::At(version));
            if self.commit(changes).await? == Commit::Committed {
                self.0.sessions.resolve(doubt, count);
                return Ok(());
            }
        }
        contended()
    }
}

fn ended(reason: EndReason, account: Option<AccountId>) -> Error {
    Refusal::SessionEnded { reason, account }.into()
}
