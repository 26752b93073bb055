//! What staff may know of one organization in numbers. All of it is counted in the commits that change
//! it, and read from some ninety cells, however many people there are.

use super::organizations::{DAY, QUARTER, ROLES};
use super::{Portal, VerifiedSession};
use crate::error::{Refusal, Result};
use crate::model::{AccountId, Now, OrganizationId, Person, Role, RosterEntry, Timestamp};
use crate::rules::attempts::window_start;
use crate::rules::staff::serves;
use crate::store::ChangeSet;
use crate::store::records::{entry_key, person_key, statistic_cell};

/// Days that are told of.
const DAYS: u32 = 28;
/// Quarters of an hour that are told of: six hours.
const QUARTERS: u32 = 24;

/// Who may look at every single person is told exact counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffStatistics {
    /// Of which.
    pub organization: OrganizationId,
    /// By role; roles nobody has are left out.
    pub people: Vec<StaffRoleCount>,
    /// Accounts claimed on each of the last 28 days, by UTC; the last is today.
    pub claims: Vec<(Timestamp, u64)>,
    /// Log-ins on each of the last 28 days, by UTC; the last is today.
    pub log_ins: Vec<(Timestamp, u64)>,
    /// Browsers in which somebody was active, in each quarter of the last six hours; the last is the one
    /// that is running.
    pub active: Vec<(Timestamp, u64)>,
}

/// People of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffRoleCount {
    /// Which.
    pub role: Role,
    /// Listed in the roster.
    pub listed: u64,
    /// Of these, with a claimed account.
    pub claimed: u64,
}

impl Portal {
    /// Counts of an organization, for its staff only.
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`] for who is not staff there, or the store did not answer.
    pub async fn staff_statistics(
        &self,
        session: &VerifiedSession,
        organization: &OrganizationId,
    ) -> Result<StaffStatistics> {
        let (_, own) = self.own_entry_read(session).await?;
        let (own, policy) = (&own.value.memberships, &self.policy().staff);
        let districts = self.districts_above(organization).await?;
        if !serves(own, organization, policy, &districts) {
            return Err(Refusal::NotPermitted.into());
        }
        let mut people = Vec::new();
        for role in ROLES {
            let listed = self.statistic(organization, "listed", role.code()).await?;
            let claimed = self.statistic(organization, "claimed", role.code()).await?;
            if listed > 0 {
                people.push(StaffRoleCount {
                    role,
                    listed,
                    claimed,
                });
            }
        }
        Ok(StaffStatistics {
            organization: organization.clone(),
            people,
            claims: self.counted(organization, "claims", DAY, DAYS).await?,
            log_ins: self.counted(organization, "log-ins", DAY, DAYS).await?,
            active: self
                .counted(organization, "active", QUARTER, QUARTERS)
                .await?,
        })
    }

    /// The count of each of the last `n` windows.
    async fn counted(
        &self,
        organization: &OrganizationId,
        what: &str,
        window: std::time::Duration,
        n: u32,
    ) -> Result<Vec<(Timestamp, u64)>> {
        let last = window_start(self.now(), window);
        let mut counts = Vec::new();
        for back in (0..n).rev() {
            let start = last.minus(window * back);
            let which = format!("{:016x}", start.as_millis());
            counts.push((start, self.statistic(organization, what, &which).await?));
        }
        Ok(counts)
    }

    /// Counts a browser of a person as in use in this quarter of an hour.
    pub(super) async fn count_active(
        &self,
        changes: &mut ChangeSet,
        account: AccountId,
        now: Now,
    ) -> Result<()> {
        let Some(person) = self.read::<Person>(&person_key(account)).await? else {
            return Ok(());
        };
        let key = entry_key(&person.value.entry);
        if let Some(entry) = self.read::<RosterEntry>(&key).await? {
            let memberships = entry.value.memberships.iter();
            let of = memberships.map(|m| &m.organization);
            count_in_window(changes, of, "active", QUARTER, now);
        }
        Ok(())
    }
}

/// One more in this window, in each of the organizations.
pub(super) fn count_in_window<'o>(
    changes: &mut ChangeSet,
    organizations: impl Iterator<Item = &'o OrganizationId>,
    what: &str,
    window: std::time::Duration,
    now: Now,
) {
    let which = format!("{:016x}", window_start(now, window).as_millis());
    let mut organizations: Vec<_> = organizations.collect();
    organizations.sort_unstable();
    organizations.dedup();
    for organization in organizations {
        changes.add(statistic_cell(organization, what, &which), 1, None);
    }
}
