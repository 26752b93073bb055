//! Rosters at the desk: who is staff brings in a list of their own organizations, and settles what an
//! import holds there (P8, AZ-01). Nobody of another organization is added, changed, ended or told of.

use std::collections::BTreeSet;

use super::roster::{ImportOptions, ImportProgress, ImportReport};
use super::roster_hold::{HoldDecision, SettledHold};
use super::roster_import::{Import, Scope};
use super::staff_desk::StaffDesk;
use super::{CONTENTION_MAX, Portal, VerifiedSession, contended};
use crate::error::{Refusal, Result};
use crate::event::EventKind;
use crate::model::OrganizationId;
use crate::model::roster::RosterBatch;
use crate::rules::staff::{is_staff, served, tended};
use crate::store::records::{RosterHold, entry_key, family_key, gate_key};
use crate::store::{ChangeSet, Commit};

impl Portal {
    /// Imports that wait for a human, in the organizations in which who asks is staff.
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`]: who asks is not staff; the store did not answer.
    pub async fn staff_holds(&self, session: &VerifiedSession) -> Result<Vec<RosterHold>> {
        let (_, actor) = self.own_entry_read(session).await?;
        let (policy, own) = (&self.policy().staff, &actor.value.memberships);
        if !is_staff(own, policy) {
            return Err(Refusal::NotPermitted.into());
        }
        let served = served(own, policy, &self.organizations().await?);
        let holds = self.roster_holds().await?.into_iter();
        let own = holds.filter(|hold| served.contains(&hold.organization));
        Ok(own.collect())
    }
}

impl StaffDesk<'_> {
    /// What [`Self::import_roster`] would do now. Changes nothing. No finding has a value.
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`]: who asks is not staff; the session is no longer live; the store did
    /// not answer.
    pub async fn preview_roster(
        &self,
        batch: &RosterBatch,
        mut options: ImportOptions,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<ImportReport> {
        options.dry_run = true;
        let scope = self.scope(EventKind::StaffLooked, "roster").await?;
        let import = Import::new(batch, options, Some(scope), String::new());
        Ok(told(self.portal.judge_roster(import, progress).await?))
    }

    /// Brings in what the batch says of the organizations in which who asks is staff. People who belong
    /// to another organization too, or whose number does, are left as they are, and a finding says so, which
    /// has no value.
    /// Whether who asks may is judged once, before the first change: it rests on their session.
    ///
    /// # Errors
    /// As [`Self::preview_roster`]; what was committed before stays, and importing again goes on from
    /// there.
    pub async fn import_roster(
        &self,
        batch: &RosterBatch,
        options: ImportOptions,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<ImportReport> {
        let scope = self.scope(EventKind::RosterImported, "begun").await?;
        let import = Import::new(batch, options, Some(scope), self.by());
        Ok(told(self.portal.judge_roster(import, progress).await?))
    }

    /// Carries out what who asks decided about people who are held. `None`: nothing is held there, or
    /// who asks is not staff there.
    ///
    /// # Errors
    /// As [`Self::import_roster`].
    pub async fn settle_hold(
        &self,
        source: &str,
        organization: &OrganizationId,
        decision: HoldDecision,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<Option<SettledHold>> {
        let scope = self.scope(EventKind::RosterHoldSettled, "begun").await?;
        let holds = self.portal.roster_holds().await?.into_iter();
        let mut wanted = holds.filter(|hold| {
            hold.source == source
                && hold.organization == *organization
                && scope.served.contains(&hold.organization)
        });
        let Some(hold) = wanted.next() else {
            return Ok(None);
        };
        let by = self.by();
        let settled = self.portal.settle_hold(decision, hold, &by, progress);
        settled.await.map(Some)
    }

    /// What the audit says of who did it.
    fn by(&self) -> String {
        format!(" {}", self.warrant().detail(""))
    }

    /// Where who asks is staff; the audit says what for. The commit rests on their session and entry.
    async fn scope(&self, kind: EventKind, what: &str) -> Result<Scope> {
        let portal = self.portal;
        for _ in 0..CONTENTION_MAX {
            let judged = portal.judge_again(self.session).await?;
            let (key, actor) = portal.own_entry_read(self.session).await?;
            let (policy, own) = (&portal.policy().staff, &actor.value.memberships);
            if !is_staff(own, policy) {
                return Err(Refusal::NotPermitted.into());
            }
            let all = portal.organizations().await?;
            let served: BTreeSet<OrganizationId> = served(own, policy, &all);
            let tended = tended(own, policy, &all);
            let mut changes = ChangeSet::new();
            changes.expect(gate_key(self.session.account()), judged.gate.version);
            changes.expect(family_key(self.session.selector()), judged.family.version);
            changes.expect(entry_key(&key), actor.version);
            self.told(&mut changes, kind, None, what)?;
            if portal.commit(changes).await? == Commit::Committed {
                return Ok(Scope { served, tended });
            }
        }
        contended()
    }
}

/// In a delta a value may be of what is kept and not of the file, which is not for staff to be told.
fn told(mut report: ImportReport) -> ImportReport {
    for finding in &mut report.findings {
        finding.value = None;
    }
    report
}
