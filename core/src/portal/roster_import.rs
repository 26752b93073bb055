//! The rows of an import, and how they go into change sets: only what changed, many rows together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::roster::{ImportOptions, ImportProgress, ImportReport, OrganizationReport};
use super::roster_row::{Outcome, Plan, Tale};
use super::{CONTENTION_MAX, Portal, contended};
use crate::error::Result;
use crate::model::roster::{Finding, RosterBatch, RosterPerson};
use crate::model::{EndReason, LoginId, Membership, OrganizationId};
use crate::rules::roster::shared_numbers;
use crate::rules::roster_findings as findings;
use crate::store::{Change, ChangeSet, Commit, Key};

/// Rows that go into one commit.
const CHUNK: usize = 32;

/// Where who brings a roster may change anything; commands may everywhere.
#[derive(Debug)]
pub(super) struct Scope {
    /// Organizations whose people they may change.
    pub(super) served: BTreeSet<OrganizationId>,
    /// Organizations below which they may add others.
    pub(super) tended: BTreeSet<OrganizationId>,
}

/// An import under way.
pub(super) struct Import<'a> {
    pub(super) batch: &'a RosterBatch,
    pub(super) options: ImportOptions,
    pub(super) scope: Option<Scope>,
    /// What the audit says besides counts.
    pub(super) by: String,
    /// The rows of the people that the batch lists.
    pub(super) listed: BTreeSet<Key>,
    /// Numbers that people of the batch share.
    pub(super) shared: BTreeSet<LoginId>,
    /// Organizations whose people are not this source's business.
    pub(super) foreign: BTreeSet<OrganizationId>,
    /// People listed now whom the source listed before, by the organization they counted in then.
    pub(super) listed_before: BTreeMap<OrganizationId, usize>,
    pub(super) report: ImportReport,
    /// Nothing of this source is known yet: all of it is new.
    pub(super) is_first: bool,
    told: BTreeMap<&'static str, usize>,
}

/// What one row says, and what a delta leaves as it is.
pub(super) struct Row<'a> {
    pub(super) person: Cow<'a, RosterPerson>,
    /// The birthdate stays: the row does not tell it.
    pub(super) birthdate_kept: bool,
    /// One row of a delta does not show who else has the number.
    pub(super) of_delta: bool,
}

impl<'a> Import<'a> {
    pub(super) fn new(
        batch: &'a RosterBatch,
        options: ImportOptions,
        scope: Option<Scope>,
        by: String,
    ) -> Self {
        Self {
            batch,
            options,
            scope,
            by,
            listed: BTreeSet::new(),
            shared: shared_numbers(&batch.people),
            foreign: BTreeSet::new(),
            listed_before: BTreeMap::new(),
            report: ImportReport::default(),
            is_first: false,
            told: BTreeMap::new(),
        }
    }

    /// Whether an organization is the business of who brings the roster.
    pub(super) fn reaches(&self, id: &OrganizationId) -> bool {
        let scope = self.scope.as_ref();
        scope.is_none_or(|scope| scope.served.contains(id))
    }

    /// Whether a person with these memberships is.
    pub(super) fn reaches_all(&self, memberships: &[Membership]) -> bool {
        memberships.iter().all(|m| self.reaches(&m.organization))
    }

    /// Adds a finding; beyond a cap they are counted.
    pub(super) fn tell(&mut self, finding: Finding) {
        let told = self.told.entry(finding.code).or_default();
        *told += 1;
        if *told <= findings::FINDINGS_PER_CODE_MAX {
            self.report.findings.push(finding);
        }
    }

    pub(super) fn of_organization(&mut self, id: &OrganizationId) -> &mut OrganizationReport {
        self.report.organizations.entry(id.clone()).or_default()
    }

    /// Commits and counts.
    pub(super) async fn commit(&mut self, portal: &Portal, changes: ChangeSet) -> Result<Commit> {
        let writes = changes.changes().len();
        let commit = portal.commit(changes).await?;
        if commit == Commit::Committed {
            self.report.commits += 1;
            self.report.writes += writes;
        }
        Ok(commit)
    }

    pub(super) fn finish(mut self) -> ImportReport {
        for (code, count) in self.told {
            if let Some(more) = count.checked_sub(findings::FINDINGS_PER_CODE_MAX)
                && more > 0
            {
                self.report.findings.push(findings::more(code, more));
            }
        }
        self.report
    }

    /// Counts a row that is done.
    fn count(&mut self, row: &Row<'_>, tale: &Tale) {
        if let Some(organization) = &tale.counted_before {
            *self.listed_before.entry(organization.clone()).or_default() += 1;
        }
        let has_none = row.person.birthdate.is_none() && !row.birthdate_kept;
        self.report.without_birthdate += usize::from(has_none);
        let [added, changed, unchanged, left_out] = match tale.outcome {
            Outcome::Added => [1, 0, 0, 0],
            Outcome::Changed => [0, 1, 0, 0],
            Outcome::Unchanged => [0, 0, 1, 0],
            Outcome::LeftOut => [0, 0, 0, 1],
        };
        self.report.added += added;
        self.report.changed += changed;
        self.report.unchanged += unchanged;
        self.report.left_out += left_out;
        let counts = self.of_organization(&row.person.default_organization);
        counts.added += added;
        counts.changed += changed;
        counts.unchanged += unchanged;
        counts.left_out += left_out;
    }
}

/// Rows that wait to be committed together.
#[derive(Default)]
pub(super) struct Pending<'a> {
    rows: Vec<Row<'a>>,
    plans: Vec<Plan>,
    written: BTreeSet<Key>,
}

impl Pending<'_> {
    /// Whether a row that read these records has to wait until this has been committed.
    pub(super) fn touches(&self, read: &[Key]) -> bool {
        read.iter().any(|key| self.written.contains(key))
    }
}

impl Portal {
    pub(super) fn list_keys(&self, import: &mut Import<'_>) -> Result<()> {
        let RosterBatch {
            source,
            people,
            changes,
            ..
        } = import.batch;
        let of_people = people.iter().map(|person| &person.source_id);
        let of_changes = changes.iter().filter(|change| !change.gone);
        for id in of_people.chain(of_changes.map(|change| &change.source_id)) {
            import.listed.insert(self.source_key(source, id)?);
        }
        Ok(())
    }

    pub(super) async fn import_people(
        &self,
        import: &mut Import<'_>,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<()> {
        let batch = import.batch;
        let mut of_number: BTreeMap<&LoginId, Vec<&RosterPerson>> = BTreeMap::new();
        for person in &batch.people {
            if import.shared.contains(&person.login_id) {
                of_number.entry(&person.login_id).or_default().push(person);
            }
        }
        for people in of_number.values() {
            if let Some(finding) = findings::shared(people) {
                import.tell(finding);
            }
        }
        let mut pending = Pending::default();
        for (done, person) in batch.people.iter().enumerate() {
            if let Some(person) = own_memberships(import, Cow::Borrowed(person)) {
                let row = Row {
                    person,
                    birthdate_kept: false,
                    of_delta: false,
                };
                self.take_row(import, &mut pending, row).await?;
            }
            if done % CHUNK == 0 {
                let of = batch.people.len();
                progress(ImportProgress { done, of });
            }
        }
        self.flush(import, &mut pending).await
    }

    /// Plans a row, and commits with others what it changes.
    pub(super) async fn take_row<'a>(
        &self,
        import: &mut Import<'_>,
        pending: &mut Pending<'a>,
        row: Row<'a>,
    ) -> Result<()> {
        let mut plan = self.plan_row(import, &row).await?;
        if pending.touches(&plan.tale.read) {
            self.flush(import, pending).await?;
            plan = self.plan_row(import, &row).await?;
        }
        if plan.changes.is_empty() || import.options.dry_run {
            self.done(import, &row, plan.tale);
            return Ok(());
        }
        for change in plan.changes.changes() {
            if let Change::Put { key, .. } = change {
                pending.written.insert(key.clone());
            }
        }
        pending.rows.push(row);
        pending.plans.push(plan);
        if pending.rows.len() >= CHUNK {
            self.flush(import, pending).await?;
        }
        Ok(())
    }

    /// Commits what waits.
    pub(super) async fn flush(
        &self,
        import: &mut Import<'_>,
        pending: &mut Pending<'_>,
    ) -> Result<()> {
        let Pending { rows, plans, .. } = std::mem::take(pending);
        if rows.is_empty() {
            return Ok(());
        }
        let (changes, tales) = Plan::merged(plans);
        if import.commit(self, changes).await? == Commit::Committed {
            for (row, tale) in rows.iter().zip(tales) {
                self.done(import, row, tale);
            }
            return Ok(());
        }
        // Somebody claimed meanwhile: each row by itself.
        for row in &rows {
            self.commit_row(import, row).await?;
        }
        Ok(())
    }

    async fn commit_row(&self, import: &mut Import<'_>, row: &Row<'_>) -> Result<()> {
        for _ in 0..CONTENTION_MAX {
            let plan = self.plan_row(import, row).await?;
            let nothing = plan.changes.is_empty();
            let (changes, tales) = Plan::merged(vec![plan]);
            if nothing || import.commit(self, changes).await? == Commit::Committed {
                for tale in tales {
                    self.done(import, row, tale);
                }
                return Ok(());
            }
        }
        contended()
    }

    fn done(&self, import: &mut Import<'_>, row: &Row<'_>, tale: Tale) {
        import.count(row, &tale);
        for finding in tale.findings {
            import.tell(finding);
        }
        if !import.options.dry_run {
            for account in tale.ended {
                self.0.notices.all_ended(account, None, EndReason::Disabled);
            }
        }
    }
}

/// The person without memberships that are not this source's business; `None` if nothing is left.
pub(super) fn own_memberships<'a>(
    import: &mut Import<'_>,
    mut person: Cow<'a, RosterPerson>,
) -> Option<Cow<'a, RosterPerson>> {
    let is_foreign = |membership: &Membership| import.foreign.contains(&membership.organization);
    let foreign = person.memberships.iter().filter(|m| is_foreign(m));
    let foreign: Vec<OrganizationId> = foreign.map(|m| m.organization.clone()).collect();
    if foreign.is_empty() {
        return Some(person);
    }
    if !foreign.iter().all(|id| import.reaches(id)) {
        // Half of a person would be a change to the other half.
        import.report.left_out += 1;
        import
            .of_organization(&person.default_organization)
            .left_out += 1;
        import.tell(findings::person_out_of_reach(person.place.clone()));
        return None;
    }
    if foreign.len() == person.memberships.len() {
        import.report.left_out += 1;
        import
            .of_organization(&person.default_organization)
            .left_out += 1;
        import.tell(findings::person_of_another_source(&person));
        return None;
    }
    for organization in &foreign {
        import.tell(findings::membership_of_another_source(
            &person,
            organization,
        ));
    }
    let own = person.to_mut();
    own.memberships
        .retain(|m| !foreign.contains(&m.organization));
    if foreign.contains(&own.default_organization)
        && let Some(first) = own.memberships.first()
    {
        own.default_organization = first.organization.clone();
    }
    Some(person)
}
