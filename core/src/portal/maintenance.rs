//! What a host calls once a minute: the time floor, and records that have outlived their use.

use std::sync::PoisonError;
use std::time::Duration;

use super::Portal;
use super::organizations::{DAY, QUARTER};
use crate::error::Result;
use crate::model::{ClaimCodeRecord, Family, Lane, Recovery, Selector, Ticket, Timestamp};
use crate::rules::attempts::window_start;
use crate::rules::season::spans;
use crate::store::records::{Stored, account_family_key, seen_cell, time_floor_cell};
use crate::store::{Cell, ChangeSet, Key, Space};

/// Keys looked at in one space in one call.
const SWEEP_KEYS_MAX: u32 = 512;
/// So many times in one call, where all that was looked at is to go: events and windows are made as fast
/// as anybody can ask.
const SWEEP_ROUNDS_MAX: u32 = 64;
/// What is counted in windows: its word, the window, and how many of them are kept.
const STATISTICS: [(&str, Duration, u32); 3] = [
    ("log-ins", DAY, 60),
    ("claims", DAY, 60),
    ("active", QUARTER, 2 * 96),
];

#[derive(Debug, Default)]
pub(super) struct SweepCursors {
    families: Option<String>,
    tickets: Option<String>,
    recoveries: Option<String>,
    pub(super) messages: Option<String>,
    claim_codes: Option<String>,
    known_lanes: Option<String>,
}

impl Portal {
    /// Raises the store's time floor and forgets what has outlived its retention: budget windows,
    /// tickets, ended sessions, old events. Bounded work; call it once a minute.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn maintain(&self) -> Result<()> {
        let now = self.now();
        let mut changes = ChangeSet::new();
        changes.raise(time_floor_cell(), now.latest.as_millis());
        self.commit(changes).await?;
        self.sweep_budgets().await?;
        self.sweep_events().await?;
        self.sweep_seasons().await?;
        self.sweep_tickets().await?;
        self.sweep_recoveries().await?;
        self.sweep_messages().await?;
        self.sweep_claim_codes().await?;
        self.sweep_known_lanes().await?;
        self.sweep_families().await
    }

    /// Windows before the last one: a credit to a window that is gone does no harm, cells stop at 0.
    async fn sweep_budgets(&self) -> Result<()> {
        let window = self.policy().attempts.window;
        let kept = window_start(self.now(), window).minus(window);
        self.sweep_cells("budget/", &format!("budget/{:016x}/", kept.as_millis()))
            .await?;
        self.sweep_statistics().await
    }

    /// Drops the cells of `prefix` before `first_kept`, as many rounds as a guesser can have made
    /// necessary in a minute.
    async fn sweep_cells(&self, prefix: &str, first_kept: &str) -> Result<()> {
        for _ in 0..SWEEP_ROUNDS_MAX {
            let keys = self.first_page(Space::Cells, prefix).await?;
            let mut changes = ChangeSet::new();
            for key in keys.iter().filter(|key| key.path() < first_kept) {
                changes.drop_cell(Cell::new(key.path()));
            }
            let all_old = changes.changes().len() == SWEEP_KEYS_MAX as usize;
            self.commit(changes).await?;
            if !all_old {
                break;
            }
        }
        Ok(())
    }

    async fn first_page(&self, space: Space, prefix: &str) -> Result<Vec<Key>> {
        let page = self.store().scan(space, prefix, None, SWEEP_KEYS_MAX);
        Ok(page.await?)
    }

    async fn sweep_statistics(&self) -> Result<()> {
        let mut changes = ChangeSet::new();
        for organization in self.organizations().await? {
            for (what, window, kept) in STATISTICS {
                let oldest = window_start(self.now(), window).minus(window * kept);
                let prefix = format!("stat/{}/{what}/", organization.id);
                let keys = self.store().scan(Space::Cells, &prefix, None, 8).await?;
                let limit = format!("{prefix}{:016x}", oldest.as_millis());
                let old = keys.iter().filter(|key| key.path() < limit.as_str());
                for key in old.take(4) {
                    if changes.changes().len() < SWEEP_KEYS_MAX as usize {
                        changes.drop_cell(Cell::new(key.path()));
                    }
                }
            }
        }
        self.commit(changes).await?;
        Ok(())
    }

    async fn sweep_events(&self) -> Result<()> {
        let oldest = self.now().latest.minus(self.policy().retention.events);
        let limit = format!("{:016x}", oldest.as_millis());
        for _ in 0..SWEEP_ROUNDS_MAX {
            let keys = self.first_page(Space::Events, "").await?;
            let mut changes = ChangeSet::new();
            for key in keys.into_iter().filter(|key| key.path() < limit.as_str()) {
                changes.drop_event(key);
            }
            let all_old = changes.changes().len() == SWEEP_KEYS_MAX as usize;
            self.commit(changes).await?;
            if !all_old {
                break;
            }
        }
        Ok(())
    }

    /// Near misses that no season reaches back to.
    async fn sweep_seasons(&self) -> Result<()> {
        let [.., oldest] = spans(self.now());
        self.sweep_cells("season/", &format!("season/{:016x}/", oldest.as_millis()))
            .await
    }

    async fn sweep_tickets(&self) -> Result<()> {
        let lifetime = 2 * self.policy().claim.step_timeout;
        let last_used = |ticket: &Ticket| ticket.step_at;
        self.sweep_records("ticket/", lifetime, last_used, |cursors| {
            &mut cursors.tickets
        })
        .await
    }

    async fn sweep_recoveries(&self) -> Result<()> {
        let lifetime = 2 * self.policy().recovery.step_timeout;
        let last_used = |recovery: &Recovery| recovery.step_at;
        self.sweep_records("recovery/", lifetime, last_used, |cursors| {
            &mut cursors.recoveries
        })
        .await
    }

    async fn sweep_claim_codes(&self) -> Result<()> {
        let lifetime = self.policy().claim.code_lifetime;
        let issued = |code: &ClaimCodeRecord| code.issued_at;
        self.sweep_records("claim-code/", lifetime, issued, |cursors| {
            &mut cursors.claim_codes
        })
        .await
    }

    /// Lanes of browsers that are not known any more.
    async fn sweep_known_lanes(&self) -> Result<()> {
        let lifetime = self.policy().attempts.known_browser_lifetime;
        let last_used = |lane: &Lane| lane.last_failure_at;
        self.sweep_records("known/", lifetime, last_used, |cursors| {
            &mut cursors.known_lanes
        })
        .await
    }

    /// Deletes what was used last before `lifetime` ago, a page of it at a time.
    async fn sweep_records<T: Stored>(
        &self,
        prefix: &str,
        lifetime: Duration,
        last_used: fn(&T) -> Timestamp,
        place: fn(&mut SweepCursors) -> &mut Option<String>,
    ) -> Result<()> {
        let oldest = self.now().latest.minus(lifetime);
        let cursor = self.cursor(|cursors| place(cursors).clone());
        let keys = self.page(prefix, cursor.as_deref()).await?;
        let next = next_cursor(&keys);
        self.cursor(|cursors| *place(cursors) = next);
        let mut changes = ChangeSet::new();
        for key in &keys {
            if let Some((record, version)) = self.store().get(key).await? {
                // A record that is not understood is left alone, and stops nobody.
                if T::decode(&record).is_ok_and(|value| last_used(&value) < oldest) {
                    changes.delete(key.clone(), version);
                }
            }
        }
        self.commit(changes).await?;
        Ok(())
    }

    async fn sweep_families(&self) -> Result<()> {
        let policy = self.policy();
        let lifetime = policy
            .session
            .absolute_timeout
            .saturating_add(policy.retention.ended_families);
        let oldest = self.now().latest.minus(lifetime);
        let cursor = self.cursor(|cursors| cursors.families.clone());
        let keys = self.page("family/", cursor.as_deref()).await?;
        let next = next_cursor(&keys);
        self.cursor(|cursors| cursors.families = next);
        for key in &keys {
            self.forget_family(key, oldest).await?;
        }
        Ok(())
    }

    /// A family that began before `oldest` could not be live even if it had never ended.
    async fn forget_family(&self, key: &Key, oldest: Timestamp) -> Result<()> {
        let selector = key
            .path()
            .strip_prefix("family/")
            .and_then(Selector::from_hex);
        let (Some(selector), Some((record, version))) = (selector, self.store().get(key).await?)
        else {
            return Ok(());
        };
        let Ok(family) = Family::decode(&record) else {
            return Ok(());
        };
        if family.started_at >= oldest {
            return Ok(());
        }
        let mut changes = ChangeSet::new();
        changes.delete(key.clone(), version);
        let listing = account_family_key(family.account, selector);
        if let Some((_, version)) = self.store().get(&listing).await? {
            changes.delete(listing, version);
        }
        changes.drop_cell(seen_cell(selector));
        self.commit(changes).await?;
        Ok(())
    }

    pub(super) async fn page(&self, prefix: &str, cursor: Option<&str>) -> Result<Vec<Key>> {
        Ok(self
            .store()
            .scan(Space::Records, prefix, cursor, SWEEP_KEYS_MAX)
            .await?)
    }

    pub(super) fn cursor<T>(&self, with: impl FnOnce(&mut SweepCursors) -> T) -> T {
        with(&mut self.0.sweep.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn next_cursor(keys: &[Key]) -> Option<String> {
    let full = keys.len() == SWEEP_KEYS_MAX as usize;
    keys.last()
        .filter(|_| full)
        .map(|key| key.path().to_owned())
}
