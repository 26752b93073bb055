//! Where a person is logged in, and ending it there: for the person (SE-11) and for staff (SE-12).

use super::staff_desk::{Once, Warrant};
use super::table::FamilySlot;
use super::{Asker, CONTENTION_MAX, LoggedIn, Portal, Reauthenticated, contended, put};
use crate::VerifiedSession;
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::model::{AccountId, EndReason, Family, Gate, LoginId, RosterEntry, Selector, Timestamp};
use crate::rules::session::{SessionVerdict, expires_at, judge_session, too_many};
use crate::secret::SessionToken;
use crate::store::records::{account_families, entry_key, family_key, gate_key, seen_cell};
use crate::store::{ChangeSet, Commit, Space, Versioned};

/// Keys read at a time.
const PAGE: u32 = 256;

/// A browser that a person is logged in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilySummary {
    /// Names the family to the person: 22 characters that say nothing about the token.
    pub handle: String,
    /// Whether it is the family that asks.
    pub current: bool,
    /// A short description of the browser; empty where it said nothing.
    pub client_label: String,
    /// When the person logged in there.
    pub started_at: Timestamp,
    /// When the person was last active there, to the minute.
    pub last_seen: Timestamp,
    /// When it ends if nobody does anything there.
    pub expires_at: Timestamp,
}

/// A family that may be used now.
pub(super) struct Live {
    selector: Selector,
    family: Versioned<Family>,
    seen: Timestamp,
}

impl Portal {
    /// Where the person is logged in now, the latest activity first.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn families(&self, session: &VerifiedSession) -> Result<Vec<FamilySummary>> {
        self.summaries(session.account(), Some(session.selector()))
            .await
    }

    /// Where the person with this number is logged in; `None`: the roster has no such number.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn families_of(&self, login_id: &LoginId) -> Result<Option<Vec<FamilySummary>>> {
        let key = self.entry_key(login_id)?;
        let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
            return Ok(None);
        };
        match entry.value.account {
            Some(account) => Ok(Some(self.summaries(account, None).await?)),
            None => Ok(Some(Vec::new())),
        }
    }

    async fn summaries(
        &self,
        account: AccountId,
        current: Option<Selector>,
    ) -> Result<Vec<FamilySummary>> {
        let mut live = self.live_families(account).await?;
        live.sort_by_key(|live| std::cmp::Reverse(live.seen));
        let policy = &self.policy().session;
        live.into_iter()
            .map(|live| {
                let family = live.family.value;
                let (began, idle) = (family.started_at, family.inactivity_timeout);
                Ok(FamilySummary {
                    handle: self.family_tag(live.selector)?,
                    current: Some(live.selector) == current,
                    client_label: family.client_label,
                    started_at: began,
                    last_seen: live.seen,
                    expires_at: expires_at(began, live.seen, idle, policy),
                })
            })
            .collect()
    }

    /// Logs the person out in one other browser. One that has ended already is fine.
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`] if no browser of theirs has this handle, or it is the one that asks;
    /// the session is no longer live; or the store did not answer.
    pub async fn end_family(
        &self,
        proof: &Reauthenticated<'_>,
        handle: &str,
        asker: &Asker,
    ) -> Result<()> {
        let session = proof.session();
        let account = session.account();
        let selector = self.named(account, handle).await?;
        let selector = selector.filter(|selector| *selector != session.selector());
        let selector = selector.ok_or(Refusal::NotPermitted)?;
        for _ in 0..CONTENTION_MAX {
            let judged = self.judge_again(session).await?;
            let mut changes = ChangeSet::new();
            changes.expect(gate_key(account), judged.gate.version);
            changes.expect(family_key(session.selector()), judged.family.version);
            if !self.add_end(&mut changes, selector, asker).await? {
                return Ok(());
            }
            if self.commit(changes).await? == Commit::Committed {
                self.tell_ended(account, selector);
                return Ok(());
            }
        }
        contended()
    }

    /// Logs the person out everywhere else: this family goes on under a new token, every other is left
    /// behind by a new session epoch, in one commit (P4).
    ///
    /// # Errors
    /// The session is no longer live, the store did not answer, or others kept committing first.
    pub async fn end_other_families(
        &self,
        proof: &Reauthenticated<'_>,
        asker: &Asker,
    ) -> Result<LoggedIn> {
        let session = proof.session();
        let (account, selector) = (session.account(), session.selector());
        let token = SessionToken::renew(selector, self.entropy())?;
        for _ in 0..CONTENTION_MAX {
            // Read before the commit: after it nothing may fail.
            let profile = self.profile(session).await?;
            let judged = self.judge_again(session).await?;
            let now = self.now();
            let gate = behind_everybody(judged.gate.value);
            let family = Family {
                session_epoch: gate.session_epoch,
                ..self.under_new_token(judged.family.value, &token)?
            };
            let mut changes = ChangeSet::new();
            let (gate_version, version) = (judged.gate.version, judged.family.version);
            put(&mut changes, gate_key(account), &gate, Some(gate_version));
            put(&mut changes, family_key(selector), &family, Some(version));
            changes.raise(seen_cell(selector), now.latest.as_millis());
            let kind = EventKind::SessionsEnded;
            self.audit(&mut changes, now, kind, Some(account), asker, "others")?;
            if self.commit(changes).await? == Commit::Committed {
                let reason = EndReason::EndedElsewhere;
                self.0.notices.all_ended(account, Some(selector), reason);
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

    /// For staff: logs the person with this number out, in the browser of `handle` or everywhere.
    /// Says how many sessions ended; `None`: the roster has no such number.
    ///
    /// # Errors
    /// The store did not answer, or others kept committing first.
    pub async fn end_families_of(
        &self,
        login_id: &LoginId,
        handle: Option<&str>,
        asker: &Asker,
    ) -> Result<Option<usize>> {
        let Some(handle) = handle else {
            let ended = self.end_all_on(Warrant::Operator, login_id, asker);
            // Without a mark nothing is stale.
            return Ok(ended.await?.done().unwrap_or_default());
        };
        let key = self.entry_key(login_id)?;
        let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
            return Ok(None);
        };
        let Some(account) = entry.value.account else {
            return Ok(Some(0));
        };
        match self.named(account, handle).await? {
            Some(selector) => {
                let ended = self.end_one(account, selector, asker).await?;
                Ok(Some(usize::from(ended)))
            }
            None => Ok(Some(0)),
        }
    }

    pub(super) async fn end_all_on(
        &self,
        warrant: Warrant<'_>,
        login_id: &LoginId,
        asker: &Asker,
    ) -> Result<Once<Option<usize>>> {
        let key = self.entry_key(login_id)?;
        for _ in 0..CONTENTION_MAX {
            let Some(entry) = self.read::<RosterEntry>(&entry_key(&key)).await? else {
                return Ok(Once::Done(None));
            };
            let mut changes = ChangeSet::new();
            if !self.may_act(warrant, &entry.value, &mut changes).await? {
                return Ok(Once::Done(None));
            }
            changes.expect(entry_key(&key), entry.version);
            let Some(account) = entry.value.account else {
                return Ok(Once::Done(Some(0)));
            };
            let Some(gate) = self.read::<Gate>(&gate_key(account)).await? else {
                return Ok(Once::Done(Some(0)));
            };
            if self.is_stale(warrant, &key, &entry.value).await? {
                return Ok(Once::Stale);
            }
            let live = self.live_families(account).await?.len();
            let next = behind_everybody(gate.value);
            put(&mut changes, gate_key(account), &next, Some(gate.version));
            let (kind, now) = (EventKind::SessionsEnded, self.now());
            let detail = warrant.detail("all");
            self.audit(&mut changes, now, kind, Some(account), asker, &detail)?;
            if self.commit(changes).await? == Commit::Committed {
                let reason = EndReason::EndedElsewhere;
                self.0.notices.all_ended(account, None, reason);
                return Ok(Once::Done(Some(live)));
            }
        }
        contended()
    }

    async fn end_one(&self, account: AccountId, selector: Selector, asker: &Asker) -> Result<bool> {
        for _ in 0..CONTENTION_MAX {
            let mut changes = ChangeSet::new();
            if !self.add_end(&mut changes, selector, asker).await? {
                return Ok(false);
            }
            if self.commit(changes).await? == Commit::Committed {
                self.tell_ended(account, selector);
                return Ok(true);
            }
        }
        contended()
    }

    /// `false`: it has ended already.
    async fn add_end(
        &self,
        changes: &mut ChangeSet,
        selector: Selector,
        asker: &Asker,
    ) -> Result<bool> {
        let family = self.read::<Family>(&family_key(selector)).await?;
        let Some(family) = family.filter(|family| family.value.ended.is_none()) else {
            return Ok(false);
        };
        self.end(changes, selector, family, EndReason::EndedElsewhere, asker)?;
        Ok(true)
    }

    pub(super) fn tell_ended(&self, account: AccountId, selector: Selector) {
        let reason = EndReason::EndedElsewhere;
        self.0.notices.ended(account, selector, reason);
    }

    /// Adds the end of the oldest families to a log-in, so that with it there are no more than policy
    /// allows (SE-17); `replaced` ends in it anyway. Log-ins that fall together may pass the number; the next one makes up for it.
    pub(super) async fn make_room(
        &self,
        changes: &mut ChangeSet,
        account: AccountId,
        replaced: Option<Selector>,
        asker: &Asker,
    ) -> Result<Vec<Selector>> {
        let most = self.policy().session.families_max;
        if self.selectors_of(account).await?.len() < most {
            return Ok(Vec::new());
        }
        let mut live = self.live_families(account).await?;
        live.retain(|live| Some(live.selector) != replaced);
        let began: Vec<_> = live.iter().map(|l| l.family.value.started_at).collect();
        let going = too_many(&began, most);
        let mut ended = Vec::new();
        for (live, _) in live.into_iter().zip(going).filter(|(_, goes)| *goes) {
            let reason = EndReason::EndedElsewhere;
            self.end(changes, live.selector, live.family, reason, asker)?;
            ended.push(live.selector);
        }
        Ok(ended)
    }

    pub(super) async fn live_families(&self, account: AccountId) -> Result<Vec<Live>> {
        let gate = self.read::<Gate>(&gate_key(account)).await?;
        let gate = gate.map(|gate| gate.value);
        let mut live = Vec::new();
        for selector in self.selectors_of(account).await? {
            let Some(family) = self.read::<Family>(&family_key(selector)).await? else {
                continue;
            };
            let seen = self.last_seen(selector, &family.value).await?;
            let verdict = judge_session(
                &family.value,
                gate.as_ref(),
                &family.value.token_digest,
                seen,
                &self.policy().session,
                self.now(),
            );
            if verdict == SessionVerdict::Live {
                live.push(Live {
                    selector,
                    family,
                    seen,
                });
            }
        }
        Ok(live)
    }

    async fn last_seen(&self, selector: Selector, family: &Family) -> Result<Timestamp> {
        let kept = self.store().read_cell(&seen_cell(selector)).await?;
        let warm = self.0.sessions.family(selector).map(|slot| slot.seen);
        Ok(Timestamp::from_millis(kept)
            .max(warm.unwrap_or_default())
            .max(family.started_at))
    }

    async fn named(&self, account: AccountId, handle: &str) -> Result<Option<Selector>> {
        for selector in self.selectors_of(account).await? {
            if self.family_tag(selector)? == handle {
                return Ok(Some(selector));
            }
        }
        Ok(None)
    }

    /// All families of an account that are still on record, ended ones included.
    pub(super) async fn selectors_of(&self, account: AccountId) -> Result<Vec<Selector>> {
        let prefix = account_families(account);
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let keys = self
                .store()
                .scan(Space::Records, &prefix, cursor.as_deref(), PAGE)
                .await?;
            let hex = keys
                .iter()
                .filter_map(|key| key.path().strip_prefix(&prefix));
            found.extend(hex.filter_map(Selector::from_hex));
            if keys.len() < PAGE as usize {
                return Ok(found);
            }
            cursor = keys.last().map(|key| key.path().to_owned());
        }
    }
}

fn behind_everybody(gate: Gate) -> Gate {
    Gate {
        session_epoch: gate.session_epoch + 1,
        epoch_reason: EndReason::EndedElsewhere,
        ..gate
    }
}
