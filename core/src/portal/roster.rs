//! Importing a roster: what a source lists becomes entries. Nothing is ever deleted; the same again
//! touches nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::roster_row::{Outcome, Plan};
use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::roster::{Finding, RosterBatch, RosterOrganization, RosterPerson};
use crate::model::{EndReason, Listing, LoginId, Organization, OrganizationId, RosterEntry};
use crate::rules::roster::{held_finding, holds_deactivation, shared_finding, shared_numbers};
use crate::store::records::{SourceRow, entry_key, organization_key};
use crate::store::{ChangeSet, Commit, Key, Space};

/// People whose rows go into one commit.
const CHUNK: usize = 32;

/// How an import is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Judge everything, change nothing.
    pub dry_run: bool,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug)]
pub struct ImportProgress {
    /// People done.
    pub done: usize,
    /// People in all.
    pub of: usize,
}

/// What an import did, or in a dry run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// New entries.
    pub added: usize,
    /// Entries that changed.
    pub changed: usize,
    /// People listed just as before.
    pub unchanged: usize,
    /// People no longer listed, made inactive.
    pub deactivated: usize,
    /// People no longer listed, left as they are because there are too many of them.
    pub held: usize,
    /// Of the people listed, how many cannot be claimed by birthdate.
    pub without_birthdate: usize,
    /// What the reader of the report should know.
    pub findings: Vec<Finding>,
}

/// What the store holds of rosters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterStatus {
    /// Entries listed and claimable or claimed.
    pub active: usize,
    /// Of these, claimed.
    pub claimed: usize,
    /// No longer listed.
    pub inactive: usize,
    /// Waiting for a human's decision.
    pub held: usize,
    /// Active entries without a birthdate.
    pub without_birthdate: usize,
    /// Organizations known.
    pub organizations: usize,
}

impl Portal {
    /// Brings what a source lists into the store.
    ///
    /// # Errors
    /// The store did not answer; what was committed before stays, and importing again goes on from there.
    pub async fn import_roster(
        &self,
        batch: RosterBatch,
        options: ImportOptions,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<ImportReport> {
        let mut report = ImportReport::default();
        if !options.dry_run {
            for organization in &batch.organizations {
                self.keep_organization(organization).await?;
            }
        }
        let shared = shared_numbers(&batch.people);
        for number in &shared {
            report.findings.push(shared_finding(number, &batch.people));
        }
        for (index, chunk) in batch.people.chunks(CHUNK).enumerate() {
            self.import_chunk(&batch.source, chunk, &shared, options, &mut report)
                .await?;
            progress(ImportProgress {
                done: index * CHUNK + chunk.len(),
                of: batch.people.len(),
            });
        }
        report.without_birthdate = batch
            .people
            .iter()
            .filter(|p| p.birthdate.is_none())
            .count();
        if batch.complete {
            self.deactivate_missing(&batch, options, &mut report)
                .await?;
        }
        if !options.dry_run {
            let now = self.now();
            let mut changes = ChangeSet::new();
            let detail = format!(
                "added={} changed={} unchanged={} deactivated={} held={}",
                report.added, report.changed, report.unchanged, report.deactivated, report.held
            );
            let asker = Asker::default();
            self.audit(
                &mut changes,
                now,
                EventKind::RosterImported,
                None,
                &asker,
                &detail,
            )?;
            self.commit(changes).await?;
        }
        Ok(report)
    }

    /// Counts all entries. Reads every one: for a command, not for a page.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn roster_status(&self) -> Result<RosterStatus> {
        let mut status = RosterStatus {
            organizations: self.organizations().await?.len(),
            ..Default::default()
        };
        let mut cursor: Option<String> = None;
        loop {
            let keys = self
                .store()
                .scan(Space::Records, "entry/", cursor.as_deref(), 512)
                .await?;
            for key in &keys {
                if let Some(entry) = self.read::<RosterEntry>(key).await? {
                    match entry.value.listing {
                        Listing::Active => status.active += 1,
                        Listing::Inactive => status.inactive += 1,
                        Listing::Held => status.held += 1,
                    }
                    let active = entry.value.listing == Listing::Active;
                    status.claimed += usize::from(active && entry.value.claimed);
                    status.without_birthdate +=
                        usize::from(active && entry.value.birthdate.is_none());
                }
            }
            match keys.last() {
                Some(last) => cursor = Some(last.path().to_owned()),
                None => return Ok(status),
            }
        }
    }

    async fn keep_organization(&self, listed: &RosterOrganization) -> Result<()> {
        let organization = Organization {
            id: listed.id.clone(),
            name: listed.name.clone(),
            kind: listed.kind,
            parent: listed.parent.clone(),
            contacts: listed.contacts.clone(),
        };
        for _ in 0..CONTENTION_MAX {
            let key = organization_key(&listed.id);
            let before = self.read::<Organization>(&key).await?;
            if before
                .as_ref()
                .is_some_and(|before| before.value == organization)
            {
                return Ok(());
            }
            let mut changes = ChangeSet::new();
            put(
                &mut changes,
                key,
                &organization,
                before.map(|before| before.version),
            );
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    async fn import_chunk(
        &self,
        source: &str,
        people: &[RosterPerson],
        shared: &BTreeSet<LoginId>,
        options: ImportOptions,
        report: &mut ImportReport,
    ) -> Result<()> {
        // Two rows of one number would put the same entry twice in one change set.
        let mut chunks: Vec<Vec<&RosterPerson>> = vec![Vec::new()];
        for person in people {
            let place = chunks
                .iter_mut()
                .find(|c| c.iter().all(|other| other.login_id != person.login_id));
            match place {
                Some(chunk) => chunk.push(person),
                None => chunks.push(vec![person]),
            }
        }
        for chunk in chunks {
            if !self
                .commit_rows(source, &chunk, shared, options, report)
                .await?
            {
                // Rows that write the same record (numbers that change hands) go one by one.
                for person in chunk {
                    self.commit_rows(source, &[person], shared, options, report)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// `false`: the rows do not go together, nothing was changed.
    async fn commit_rows(
        &self,
        source: &str,
        people: &[&RosterPerson],
        shared: &BTreeSet<LoginId>,
        options: ImportOptions,
        report: &mut ImportReport,
    ) -> Result<bool> {
        for _ in 0..CONTENTION_MAX {
            let mut whole = Plan::default();
            let mut outcomes = Vec::new();
            for person in people {
                let plan = self.plan_row(source, person, shared).await?;
                outcomes.extend(plan.outcome);
                whole.absorb(plan);
            }
            let (findings, ended) = (std::mem::take(&mut whole.findings), whole.ended.clone());
            let changes = whole.into_changes();
            if people.len() > 1 && changes.validate().is_err() {
                return Ok(false);
            }
            let done = options.dry_run
                || changes.is_empty()
                || self.commit(changes).await? == Commit::Committed;
            if done {
                if !options.dry_run {
                    for account in ended {
                        self.0.notices.all_ended(account, None, EndReason::Disabled);
                    }
                }
                let count = |which| outcomes.iter().filter(|outcome| **outcome == which).count();
                report.added += count(Outcome::Added);
                report.changed += count(Outcome::Changed);
                report.unchanged += count(Outcome::Unchanged);
                report.findings.extend(findings);
                return Ok(true);
            }
        }
        contended()
    }

    async fn deactivate_missing(
        &self,
        batch: &RosterBatch,
        options: ImportOptions,
        report: &mut ImportReport,
    ) -> Result<()> {
        let mut listed = BTreeSet::new();
        for person in &batch.people {
            listed.insert(self.source_key(&batch.source, &person.source_id)?);
        }
        let mut missing: BTreeMap<OrganizationId, Vec<Key>> = BTreeMap::new();
        let mut totals: BTreeMap<OrganizationId, usize> = BTreeMap::new();
        let prefix = self.source_prefix(&batch.source)?;
        let mut cursor: Option<String> = None;
        loop {
            let keys = self
                .store()
                .scan(Space::Records, &prefix, cursor.as_deref(), 512)
                .await?;
            let Some(last) = keys.last() else { break };
            cursor = Some(last.path().to_owned());
            for key in keys {
                let Some(row) = self.read::<SourceRow>(&key).await? else {
                    continue;
                };
                if row.value.missing {
                    continue;
                }
                *totals.entry(row.value.organization.clone()).or_default() += 1;
                if !listed.contains(&key) {
                    missing.entry(row.value.organization).or_default().push(key);
                }
            }
        }
        for (organization, keys) in missing {
            let total = totals.get(&organization).copied().unwrap_or(0);
            if holds_deactivation(keys.len(), total, &self.policy().roster) {
                report.held += keys.len();
                report
                    .findings
                    .push(held_finding(&organization, keys.len(), total));
                continue;
            }
            for key in keys {
                if !options.dry_run {
                    self.deactivate(&key).await?;
                }
                report.deactivated += 1;
            }
        }
        Ok(())
    }

    async fn deactivate(&self, row_key: &Key) -> Result<()> {
        for _ in 0..CONTENTION_MAX {
            let Some(row) = self.read::<SourceRow>(row_key).await? else {
                return Ok(());
            };
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
                missing: true,
                ..row.value
            };
            put(&mut plan.changes, row_key.clone(), &gone, Some(row.version));
            let ended = plan.ended.clone();
            if self.commit(plan.into_changes()).await? == Commit::Committed {
                for account in ended {
                    self.0.notices.all_ended(account, None, EndReason::Disabled);
                }
                return Ok(());
            }
        }
        contended()
    }
}
