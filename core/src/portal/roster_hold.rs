//! People whom a source no longer lists: made inactive, or held until a human confirms.

use std::collections::BTreeMap;

use super::roster::ImportProgress;
use super::roster_import::Import;
use super::roster_row::Plan;
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::{EndReason, Listing, OrganizationId, RosterEntry};
use crate::rules::roster::holds_deactivation;
use crate::rules::roster_findings as findings;
use crate::store::records::{RosterHold, RowState, SourceRow, entry_key};
use crate::store::{ChangeSet, Commit, Key};

/// Rows whose mark goes into one commit.
const MARKS: usize = 64;

/// What a human decides about people who are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldDecision {
    /// They have left: make them inactive.
    Confirm,
    /// The file was wrong: they stay.
    Discard,
}

/// Which holds a decision is about.
#[derive(Clone, Debug, Default)]
pub struct HoldScope {
    /// Of this source only.
    pub source: Option<String>,
    /// Of this organization only.
    pub organization: Option<OrganizationId>,
}

/// A hold that was settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledHold {
    /// As it was.
    pub hold: RosterHold,
    /// People made inactive now.
    pub deactivated: usize,
    /// People who were held and stay.
    pub stayed: usize,
}

impl HoldScope {
    fn holds(&self, hold: &RosterHold) -> bool {
        let source = self.source.as_ref();
        let organization = self.organization.as_ref();
        source.is_none_or(|source| *source == hold.source)
            && organization.is_none_or(|organization| *organization == hold.organization)
    }
}

impl Portal {
    /// Judges the people whose rows are `missing`, one organization after the other.
    pub(super) async fn settle_missing(
        &self,
        import: &mut Import<'_>,
        missing: Vec<Key>,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<()> {
        let mut groups: BTreeMap<OrganizationId, Vec<Key>> = BTreeMap::new();
        let of = missing.len();
        for key in missing {
            if let Some(row) = self.read::<SourceRow>(&key).await?
                && row.value.state != RowState::Missing
                && self.may_end(import, &row.value).await?
            {
                groups.entry(row.value.organization).or_default().push(key);
            }
        }
        let listed_before = self.listed_before(import, &groups).await?;
        let batch = import.batch;
        let empty = batch.complete && batch.people.is_empty();
        let mut done = 0;
        for (organization, keys) in &groups {
            let before = listed_before.get(organization).copied().unwrap_or(0);
            if holds_deactivation(keys.len(), before, empty, &self.policy().roster) {
                self.hold(import, organization, keys, before).await?;
                continue;
            }
            for key in keys {
                if import.options.dry_run || self.deactivate(key, None, Some(import)).await? {
                    import.report.deactivated += 1;
                    import.of_organization(organization).deactivated += 1;
                }
                done += 1;
                progress(ImportProgress { done, of });
            }
        }
        if batch.complete && !import.options.dry_run {
            self.forget_holds(import).await?;
        }
        Ok(())
    }

    /// Whether who brings the roster may make the person of a row inactive.
    async fn may_end(&self, import: &Import<'_>, row: &SourceRow) -> Result<bool> {
        if import.scope.is_none() {
            return Ok(true);
        }
        let entry = self.read::<RosterEntry>(&entry_key(&row.entry)).await?;
        Ok(import.reaches(&row.organization)
            && entry.is_none_or(|entry| import.reaches_all(&entry.value.memberships)))
    }

    /// How many people the source listed before, by organization.
    async fn listed_before(
        &self,
        import: &Import<'_>,
        missing: &BTreeMap<OrganizationId, Vec<Key>>,
    ) -> Result<BTreeMap<OrganizationId, usize>> {
        if import.batch.complete {
            let mut counts = import.listed_before.clone();
            for (organization, keys) in missing {
                *counts.entry(organization.clone()).or_default() += keys.len();
            }
            return Ok(counts);
        }
        let few = self.policy().roster.deactivation_count_min as usize;
        let mut counts = BTreeMap::new();
        if missing.values().all(|keys| keys.len() < few) {
            return Ok(counts);
        }
        for key in self
            .keys_with_prefix(&self.source_prefix(&import.batch.source)?)
            .await?
        {
            if let Some(row) = self.read::<SourceRow>(&key).await?
                && row.value.state != RowState::Missing
            {
                *counts.entry(row.value.organization).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// Marks the rows, and remembers why.
    async fn hold(
        &self,
        import: &mut Import<'_>,
        organization: &OrganizationId,
        keys: &[Key],
        listed_before: usize,
    ) -> Result<()> {
        import.report.held += keys.len();
        import.of_organization(organization).held += keys.len();
        import.tell(findings::held(organization, keys.len(), listed_before));
        if import.options.dry_run {
            return Ok(());
        }
        let source = import.batch.source.clone();
        let hold = RosterHold {
            held_at: self.now().latest,
            missing: keys.len() as u64,
            listed: listed_before as u64,
            organization: organization.clone(),
            source,
        };
        self.keep_hold(import, &hold).await?;
        for keys in keys.chunks(MARKS) {
            self.mark(keys, RowState::Held, Some(import)).await?;
        }
        Ok(())
    }

    async fn keep_hold(&self, import: &mut Import<'_>, hold: &RosterHold) -> Result<()> {
        let key = self.hold_key(&hold.source, &hold.organization)?;
        for _ in 0..CONTENTION_MAX {
            let before = self.read::<RosterHold>(&key).await?;
            let mut changes = ChangeSet::new();
            put(
                &mut changes,
                key.clone(),
                hold,
                before.map(|before| before.version),
            );
            if import.commit(self, changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    /// Puts `state` on rows that are listed or held, and not on others.
    async fn mark(
        &self,
        keys: &[Key],
        state: RowState,
        mut import: Option<&mut Import<'_>>,
    ) -> Result<()> {
        for _ in 0..CONTENTION_MAX {
            let mut changes = ChangeSet::new();
            for key in keys {
                if let Some(row) = self.read::<SourceRow>(key).await?
                    && row.value.state != RowState::Missing
                    && row.value.state != state
                {
                    let marked = SourceRow { state, ..row.value };
                    put(&mut changes, key.clone(), &marked, Some(row.version));
                }
            }
            if changes.is_empty() || self.commit_for(changes, import.as_deref_mut()).await? {
                return Ok(());
            }
        }
        contended()
    }

    async fn commit_for(
        &self,
        changes: ChangeSet,
        import: Option<&mut Import<'_>>,
    ) -> Result<bool> {
        let commit = match import {
            Some(import) => import.commit(self, changes).await?,
            None => self.commit(changes).await?,
        };
        Ok(commit == Commit::Committed)
    }

    /// A complete file has settled every organization that it does not hold again.
    async fn forget_holds(&self, import: &mut Import<'_>) -> Result<()> {
        let prefix = self.hold_prefix(&import.batch.source)?;
        for key in self.keys_with_prefix(&prefix).await? {
            let Some(hold) = self.read::<RosterHold>(&key).await? else {
                continue;
            };
            let organizations = &import.report.organizations;
            let held_again = organizations
                .get(&hold.value.organization)
                .is_some_and(|o| o.held > 0);
            if !held_again && import.reaches(&hold.value.organization) {
                let mut changes = ChangeSet::new();
                changes.delete(key, hold.version);
                // A conflict: somebody else has just settled it.
                import.commit(self, changes).await?;
            }
        }
        Ok(())
    }

    /// Makes the person of a row inactive, if the row is in the state `only_if` (`None`: not missing
    /// yet). Says whether it did.
    async fn deactivate(
        &self,
        row_key: &Key,
        only_if: Option<RowState>,
        mut import: Option<&mut Import<'_>>,
    ) -> Result<bool> {
        for _ in 0..CONTENTION_MAX {
            let Some(row) = self.read::<SourceRow>(row_key).await? else {
                return Ok(false);
            };
            let state = row.value.state;
            if state == RowState::Missing || only_if.is_some_and(|only| only != state) {
                return Ok(false);
            }
            let mut plan = Plan::default();
            let key = row.value.entry;
            let before = self.read::<RosterEntry>(&entry_key(&key)).await?;
            if let Some(before) = before
                && self.is_owned_by(&key, &before.value, row_key)?
            {
                let listing = match before.value.listing {
                    Listing::Active => Listing::Inactive,
                    other => other,
                };
                let entry = RosterEntry {
                    listing,
                    ..before.value.clone()
                };
                self.write_entry(&mut plan, &key, Some(before), entry)
                    .await?;
            }
            let gone = SourceRow {
                state: RowState::Missing,
                ..row.value
            };
            put(&mut plan.changes, row_key.clone(), &gone, Some(row.version));
            let (changes, tales) = Plan::merged(vec![plan]);
            if self.commit_for(changes, import.as_deref_mut()).await? {
                for account in tales.into_iter().flat_map(|tale| tale.ended) {
                    self.0.notices.all_ended(account, None, EndReason::Disabled);
                }
                return Ok(true);
            }
        }
        contended()
    }

    /// Imports that wait for a human, by source and organization.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn roster_holds(&self) -> Result<Vec<RosterHold>> {
        let mut holds = Vec::new();
        for key in self.keys_with_prefix("hold/").await? {
            holds.extend(self.read::<RosterHold>(&key).await?.map(|hold| hold.value));
        }
        holds.sort_by(|a, b| (&a.source, &a.organization).cmp(&(&b.source, &b.organization)));
        Ok(holds)
    }

    /// Carries out what a human decided about people who are held. It is judged anew: who has been
    /// listed again meanwhile stays.
    ///
    /// # Errors
    /// The store did not answer; what was committed before stays, and the same again goes on from there.
    pub async fn settle_holds(
        &self,
        decision: HoldDecision,
        scope: &HoldScope,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<Vec<SettledHold>> {
        let mut settled = Vec::new();
        for hold in self.roster_holds().await? {
            if scope.holds(&hold) {
                settled.push(self.settle_hold(decision, hold, "", progress).await?);
            }
        }
        Ok(settled)
    }

    /// `by`: what the audit says besides counts.
    pub(super) async fn settle_hold(
        &self,
        decision: HoldDecision,
        hold: RosterHold,
        by: &str,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<SettledHold> {
        let held = self.held_rows(&hold).await?;
        let mut deactivated = 0;
        match decision {
            HoldDecision::Confirm => {
                for (done, key) in held.iter().enumerate() {
                    let gone = self.deactivate(key, Some(RowState::Held), None).await?;
                    deactivated += usize::from(gone);
                    let (done, of) = (done + 1, held.len());
                    progress(ImportProgress { done, of });
                }
            }
            HoldDecision::Discard => {
                for keys in held.chunks(MARKS) {
                    self.mark(keys, RowState::Listed, None).await?;
                }
            }
        }
        let total = usize::try_from(hold.missing).unwrap_or(usize::MAX);
        let settled = SettledHold {
            stayed: total.saturating_sub(deactivated),
            deactivated,
            hold,
        };
        self.let_go_of_hold(decision, &settled, by).await?;
        Ok(settled)
    }

    async fn held_rows(&self, hold: &RosterHold) -> Result<Vec<Key>> {
        let mut held = Vec::new();
        for key in self
            .keys_with_prefix(&self.source_prefix(&hold.source)?)
            .await?
        {
            if let Some(row) = self.read::<SourceRow>(&key).await?
                && row.value.state == RowState::Held
                && row.value.organization == hold.organization
            {
                held.push(key);
            }
        }
        Ok(held)
    }

    async fn let_go_of_hold(
        &self,
        decision: HoldDecision,
        settled: &SettledHold,
        by: &str,
    ) -> Result<()> {
        let hold = &settled.hold;
        let key = self.hold_key(&hold.source, &hold.organization)?;
        let word = match decision {
            HoldDecision::Confirm => "confirmed",
            HoldDecision::Discard => "discarded",
        };
        let detail = format!(
            "{word} organization={} deactivated={} stayed={}{by}",
            hold.organization, settled.deactivated, settled.stayed
        );
        for _ in 0..CONTENTION_MAX {
            let mut changes = ChangeSet::new();
            if let Some(kept) = self.read::<RosterHold>(&key).await?
                && kept.value == *hold
            {
                changes.delete(key.clone(), kept.version);
            }
            let (now, kind) = (self.now(), EventKind::RosterHoldSettled);
            self.audit(&mut changes, now, kind, None, &Asker::default(), &detail)?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    fn hold_prefix(&self, source: &str) -> Result<String> {
        Ok(format!("hold/{}/", self.source_digest(source)?))
    }

    fn hold_key(&self, source: &str, organization: &OrganizationId) -> Result<Key> {
        Ok(Key::record(format!(
            "{}{organization}",
            self.hold_prefix(source)?
        )))
    }
}
