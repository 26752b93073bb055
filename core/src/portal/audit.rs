//! Reading the audit back, and judging whether it is whole.

use std::collections::BTreeSet;

use super::Portal;
use crate::error::Result;
use crate::event::{AuditEvent, EventKind};
use crate::model::{AccountId, Family, Person, Timestamp};
use crate::rules::time::FUTURE_TOLERANCE;
use crate::store::records::Stored;
use crate::store::{Key, Space};

/// Keys looked at in one scan.
const PAGE: u32 = 512;

/// One event as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Where it is: what comes after it is asked for by this.
    pub cursor: String,
    /// What it tells; `None` for one that is not understood.
    pub event: Option<AuditEvent>,
}

/// Whether the audit is whole, as far as its format tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Events kept.
    pub events: usize,
    /// The first of them.
    pub first: Option<Timestamp>,
    /// The last of them.
    pub last: Option<Timestamp>,
    /// Events that are not understood.
    pub damaged: usize,
    /// Events whose place in the order is not that of their time.
    pub out_of_order: usize,
    /// Events later than now, by more than clocks may differ.
    pub from_the_future: usize,
    /// Accounts and sessions that the store has, whose beginning no event tells of though it would
    /// still be kept.
    pub untold: usize,
}

impl AuditReport {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.damaged + self.out_of_order + self.from_the_future + self.untold == 0
    }
}

impl Portal {
    /// At most `limit` events after `cursor`, in the order they happened. `limit` is at most 512.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn audit_after(&self, cursor: Option<&str>, limit: u32) -> Result<Vec<AuditLine>> {
        let limit = limit.min(PAGE);
        let keys = self.store().scan(Space::Events, "", cursor, limit).await?;
        let mut lines = Vec::with_capacity(keys.len());
        for key in keys {
            // One that is dropped meanwhile has outlived its retention.
            if let Some((record, _)) = self.store().get(&key).await? {
                lines.push(AuditLine {
                    cursor: key.path().to_owned(),
                    event: AuditEvent::decode(&record).ok(),
                });
            }
        }
        Ok(lines)
    }

    /// The cursor before everything that happened at `at` or later.
    pub fn audit_cursor(at: Timestamp) -> String {
        format!("{:016x}", at.as_millis())
    }

    /// Reads the whole audit and compares it with the accounts and sessions it should tell of. For a
    /// command, not for a page.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn audit_report(&self) -> Result<AuditReport> {
        let mut report = AuditReport::default();
        let mut told = BTreeSet::new();
        let latest = self.now().latest.plus(FUTURE_TOLERANCE);
        let mut cursor: Option<String> = None;
        loop {
            let lines = self.audit_after(cursor.as_deref(), PAGE).await?;
            for line in &lines {
                report.events += 1;
                let Some(event) = &line.event else {
                    report.damaged += 1;
                    continue;
                };
                report.first.get_or_insert(event.at);
                report.last = Some(event.at);
                let in_place = line.cursor.starts_with(&Self::audit_cursor(event.at));
                report.out_of_order += usize::from(!in_place);
                report.from_the_future += usize::from(event.at > latest);
                if let (EventKind::Claimed | EventKind::LoggedIn, Some(account)) =
                    (event.kind, event.account)
                {
                    told.insert((event.kind == EventKind::Claimed, account, event.at));
                }
            }
            let Some(last) = lines.last() else { break };
            cursor = Some(last.cursor.clone());
        }
        self.count_untold(&told, &mut report).await?;
        Ok(report)
    }

    async fn count_untold(
        &self,
        told: &BTreeSet<(bool, AccountId, Timestamp)>,
        report: &mut AuditReport,
    ) -> Result<()> {
        // What began before the oldest that is kept for sure may have been forgotten rightly.
        let kept = self.policy().retention.events;
        let since = self.now().latest.minus(kept).plus(FUTURE_TOLERANCE);
        for (prefix, claims) in [("person/", true), ("family/", false)] {
            let mut cursor: Option<String> = None;
            loop {
                let keys = self
                    .store()
                    .scan(Space::Records, prefix, cursor.as_deref(), PAGE)
                    .await?;
                for key in &keys {
                    let begun = if claims {
                        self.claimed_at(key).await?
                    } else {
                        self.started_at(key).await?
                    };
                    let missing = begun.is_some_and(|(account, at)| {
                        at >= since && !told.contains(&(claims, account, at))
                    });
                    report.untold += usize::from(missing);
                }
                let Some(last) = keys.last() else { break };
                cursor = Some(last.path().to_owned());
            }
        }
        Ok(())
    }

    async fn claimed_at(&self, key: &Key) -> Result<Option<(AccountId, Timestamp)>> {
        let account = key
            .path()
            .strip_prefix("person/")
            .and_then(AccountId::from_hex);
        let record = self.store().get(key).await?;
        let person = record.and_then(|(record, _)| Person::decode(&record).ok());
        Ok(account
            .zip(person)
            .map(|(account, person)| (account, person.claimed_at)))
    }

    async fn started_at(&self, key: &Key) -> Result<Option<(AccountId, Timestamp)>> {
        let record = self.store().get(key).await?;
        let family = record.and_then(|(record, _)| Family::decode(&record).ok());
        Ok(family.map(|family| (family.account, family.started_at)))
    }
}
