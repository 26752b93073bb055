//! Importing a roster: what a source lists becomes entries. Nothing is ever deleted; the same again
//! touches nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::roster_import::{Import, Scope};
use super::{Asker, Portal};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::roster::{Finding, RosterBatch, Severity};
use crate::model::{Listing, OrganizationId, RosterEntry};
use crate::rules::roster::is_unrelated;
use crate::rules::roster_findings as findings;
use crate::store::records::{RosterHold, RowState, SourceRow};
use crate::store::{ChangeSet, Key, Space};

/// How an import is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Judge everything, change nothing.
    pub dry_run: bool,
    /// Go on with a complete file that lists nobody whom its source listed before.
    pub accept_new_ids: bool,
    /// The source of the batch is what the file says of itself. Where another source is known, whoever
    /// imports must say which it is: a file could claim to be another's.
    pub source_is_claimed: bool,
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
    /// Rows that were left out; findings say why.
    pub left_out: usize,
    /// Of the people listed, how many cannot be claimed by birthdate.
    pub without_birthdate: usize,
    /// Change sets committed.
    pub commits: usize,
    /// Records and counts written in them.
    pub writes: usize,
    /// The same by organization, where something was listed or missing.
    pub organizations: BTreeMap<OrganizationId, OrganizationReport>,
    /// What the reader of the report should know.
    pub findings: Vec<Finding>,
}

/// What an import did with the people of one organization (the one they land in).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrganizationReport {
    /// New entries.
    pub added: usize,
    /// Entries that changed.
    pub changed: usize,
    /// People listed just as before.
    pub unchanged: usize,
    /// Rows that were left out.
    pub left_out: usize,
    /// People made inactive.
    pub deactivated: usize,
    /// People left as they are until a human confirms.
    pub held: usize,
}

impl ImportReport {
    /// Whether the import stopped before it changed anything.
    pub fn is_stopped(&self) -> bool {
        let is_error = |finding: &Finding| finding.severity == Severity::Error;
        self.findings.iter().any(is_error)
    }
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
    /// Entries whose number is shared: waiting for a human's decision.
    pub shared: usize,
    /// Active entries that are not claimed and have no birthdate.
    pub without_birthdate: usize,
    /// Organizations known.
    pub organizations: usize,
    /// The sources, and how many organizations are theirs.
    pub sources: BTreeMap<String, usize>,
    /// Imports that wait for a human, by source and organization.
    pub holds: Vec<RosterHold>,
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
        let import = Import::new(&batch, options, None, String::new());
        self.judge_roster(import, progress).await
    }

    /// What importing `batch` would do: the counts and findings that a person looks at before they
    /// confirm an upload. Changes nothing.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn preview_roster(
        &self,
        batch: &RosterBatch,
        mut options: ImportOptions,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<ImportReport> {
        options.dry_run = true;
        let import = Import::new(batch, options, None, String::new());
        self.judge_roster(import, progress).await
    }

    pub(super) async fn judge_roster(
        &self,
        mut import: Import<'_>,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<ImportReport> {
        let (batch, options) = (import.batch, import.options);
        if options.source_is_claimed {
            let known = self.roster_sources().await?;
            if known.keys().any(|other| *other != batch.source) {
                import.tell(findings::source_needed(&batch.source, known.keys()));
                return Ok(import.finish());
            }
        }
        self.list_keys(&mut import)?;
        let mut missing = Vec::new();
        if batch.complete {
            let known = self
                .keys_with_prefix(&self.source_prefix(&batch.source)?)
                .await?;
            import.is_first = known.is_empty();
            let still = known
                .iter()
                .filter(|key| import.listed.contains(key))
                .count();
            missing.extend(known.into_iter().filter(|key| !import.listed.contains(key)));
            if still == 0 && !options.accept_new_ids {
                let gone = self.count_listed(&missing, import.scope.as_ref()).await?;
                if is_unrelated(gone, batch.people.len(), &self.policy().roster) {
                    import.tell(findings::unrelated(&batch.source, gone));
                    return Ok(import.finish());
                }
            }
        }
        self.bind_organizations(&mut import).await?;
        self.import_people(&mut import, progress).await?;
        missing.extend(self.import_changes(&mut import, progress).await?);
        self.settle_missing(&mut import, missing, progress).await?;
        if !options.dry_run {
            self.audit_import(&mut import).await?;
        }
        Ok(import.finish())
    }

    async fn count_listed(&self, rows: &[Key], scope: Option<&Scope>) -> Result<usize> {
        let mut count = 0;
        for key in rows {
            let row = self.read::<SourceRow>(key).await?.map(|row| row.value);
            let counts = row.is_some_and(|row| {
                row.state != RowState::Missing
                    && scope.is_none_or(|scope| scope.served.contains(&row.organization))
            });
            count += usize::from(counts);
        }
        Ok(count)
    }

    async fn audit_import(&self, import: &mut Import<'_>) -> Result<()> {
        let report = &import.report;
        let detail = format!(
            "added={} changed={} unchanged={} deactivated={} held={}{}",
            report.added,
            report.changed,
            report.unchanged,
            report.deactivated,
            report.held,
            import.by
        );
        let mut changes = ChangeSet::new();
        let (now, kind) = (self.now(), EventKind::RosterImported);
        self.audit(&mut changes, now, kind, None, &Asker::default(), &detail)?;
        import.commit(self, changes).await?;
        Ok(())
    }

    /// Counts all entries. Reads every one: for a command, not for a page.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn roster_status(&self) -> Result<RosterStatus> {
        let mut status = RosterStatus {
            organizations: self.organizations().await?.len(),
            sources: self.roster_sources().await?,
            holds: self.roster_holds().await?,
            ..Default::default()
        };
        for key in self.keys_with_prefix("entry/").await? {
            let Some(entry) = self.read::<RosterEntry>(&key).await? else {
                continue;
            };
            match entry.value.listing {
                Listing::Active => status.active += 1,
                Listing::Inactive => status.inactive += 1,
                Listing::Held => status.shared += 1,
            }
            let active = entry.value.listing == Listing::Active;
            status.claimed += usize::from(active && entry.value.claimed);
            let unclaimed = active && !entry.value.claimed;
            status.without_birthdate += usize::from(unclaimed && entry.value.birthdate.is_none());
        }
        Ok(status)
    }

    /// All keys of records under a prefix: for imports and commands.
    pub(super) async fn keys_with_prefix(&self, prefix: &str) -> Result<BTreeSet<Key>> {
        const PAGE: u32 = 512;
        let mut all = BTreeSet::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self
                .store()
                .scan(Space::Records, prefix, cursor.as_deref(), PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            cursor = Some(last.path().to_owned());
            all.extend(page);
        }
    }
}
