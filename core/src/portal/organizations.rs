//! Organizations and what may be counted of them.

use std::fmt;
use std::time::Duration;

use super::{Portal, VerifiedSession};
use crate::error::{Refusal, Result};
use crate::model::{Organization, OrganizationId, Role};
use crate::rules::attempts::window_start;
use crate::store::Space;
use crate::store::records::{Stored, organization_key, statistic_cell};

/// Browsers in use are counted by the quarter of an hour.
pub(super) const QUARTER: Duration = Duration::from_secs(15 * 60);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Counts below this are not told: a small group is a person.
pub const COUNT_TOLD_MIN: u64 = 10;

/// A count that never points at a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// Fewer than so many.
    FewerThan(u64),
}

impl Count {
    fn of(n: u64) -> Self {
        if n < COUNT_TOLD_MIN {
            Self::FewerThan(COUNT_TOLD_MIN)
        } else {
            Self::Exactly(n)
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(n) => write!(f, "{n}"),
            Self::FewerThan(n) => write!(f, "fewer than {n}"),
        }
    }
}

/// People of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleCount {
    /// Which.
    pub role: Role,
    /// Listed in the roster.
    pub listed: Count,
    /// Of these, with a claimed account.
    pub claimed: Count,
}

/// What members may know of their organization (S16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Of which.
    pub organization: OrganizationId,
    /// By role; roles nobody has are left out.
    pub people: Vec<RoleCount>,
    /// Log-ins since midnight UTC.
    pub log_ins_today: Count,
}

pub(super) const ROLES: [Role; 5] = [
    Role::Student,
    Role::Teacher,
    Role::Administrator,
    Role::Guardian,
    Role::Other,
];

impl Portal {
    /// An organization by its id.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>> {
        Ok(self
            .read(&organization_key(id))
            .await?
            .map(|found| found.value))
    }

    /// All organizations, by id.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn organizations(&self) -> Result<Vec<Organization>> {
        const PAGE: u32 = 256;
        let mut organizations = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let keys = self
                .store()
                .scan(Space::Records, "organization/", cursor.as_deref(), PAGE)
                .await?;
            for key in &keys {
                if let Some((record, _)) = self.store().get(key).await? {
                    organizations.push(Organization::decode(&record)?);
                }
            }
            match keys.last() {
                Some(last) if keys.len() == PAGE as usize => cursor = Some(last.path().to_owned()),
                _ => return Ok(organizations),
            }
        }
    }

    /// Counts of an organization, for its members only; small counts are not told.
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`] for who does not belong to it, or the store did not answer.
    pub async fn statistics(
        &self,
        session: &VerifiedSession,
        organization: &OrganizationId,
    ) -> Result<Statistics> {
        if !self.profile(session).await?.is_member(organization) {
            return Err(Refusal::NotPermitted.into());
        }
        let mut people = Vec::new();
        for role in ROLES {
            let listed = self.statistic(organization, "listed", role.code()).await?;
            let claimed = self.statistic(organization, "claimed", role.code()).await?;
            if listed > 0 {
                let (listed, claimed) = (Count::of(listed), Count::of(claimed));
                people.push(RoleCount {
                    role,
                    listed,
                    claimed,
                });
            }
        }
        let day = format!("{:016x}", window_start(self.now(), DAY).as_millis());
        let log_ins_today = Count::of(self.statistic(organization, "log-ins", &day).await?);
        Ok(Statistics {
            organization: organization.clone(),
            people,
            log_ins_today,
        })
    }

    pub(super) async fn statistic(
        &self,
        id: &OrganizationId,
        what: &str,
        which: &str,
    ) -> Result<u64> {
        Ok(self
            .store()
            .read_cell(&statistic_cell(id, what, which))
            .await?)
    }
}
