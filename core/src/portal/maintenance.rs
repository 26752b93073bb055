//! What a host calls once a minute: the time floor, and records that have outlived their use.

use std::sync::PoisonError;

use super::Portal;
use crate::error::Result;
use crate::model::{Family, Selector, Ticket, Timestamp};
use crate::rules::attempts::window_start;
use crate::store::records::{Stored, account_family_key, seen_cell, time_floor_cell};
use crate::store::{Cell, ChangeSet, Key, Space};

/// Keys looked at in one space in one call.
const SWEEP_KEYS_MAX: u32 = 512;
/// Days of log-in counts kept.
const STATISTIC_DAYS: u32 = 60;

#[derive(Debug, Default)]
pub(super) struct SweepCursors {
    families: Option<String>,
    tickets: Option<String>,
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
        self.sweep_tickets().await?;
        self.sweep_families().await
    }

    /// Windows before the last one: a credit to a window that is gone does no harm, cells stop at 0.
    async fn sweep_budgets(&self) -> Result<()> {
        let window = self.policy().attempts.window;
        let kept = window_start(self.now(), window).minus(window);
        let first_kept = format!("budget/{:016x}/", kept.as_millis());
        let keys = self
            .store()
            .scan(Space::Cells, "budget/", None, SWEEP_KEYS_MAX)
            .await?;
        let mut changes = ChangeSet::new();
        for key in keys.iter().filter(|key| key.path() < first_kept.as_str()) {
            changes.drop_cell(Cell::new(key.path()));
        }
        self.commit(changes).await?;
        self.sweep_log_in_counts().await
    }

    async fn sweep_log_in_counts(&self) -> Result<()> {
        let day = super::organizations::DAY;
        let oldest = window_start(self.now(), day)
            .minus(day * STATISTIC_DAYS)
            .as_millis();
        let mut changes = ChangeSet::new();
        for organization in self.organizations().await? {
            let prefix = format!("stat/{}/log-ins/", organization.id);
            let keys = self.store().scan(Space::Cells, &prefix, None, 8).await?;
            let limit = format!("{prefix}{oldest:016x}");
            for key in keys
                .iter()
                .filter(|key| key.path() < limit.as_str())
                .take(4)
            {
                if changes.changes().len() < SWEEP_KEYS_MAX as usize {
                    changes.drop_cell(Cell::new(key.path()));
                }
            }
        }
        self.commit(changes).await?;
        Ok(())
    }

    async fn sweep_events(&self) -> Result<()> {
        let oldest = self.now().latest.minus(self.policy().retention.events);
        let limit = format!("{:016x}", oldest.as_millis());
        let keys = self
            .store()
            .scan(Space::Events, "", None, SWEEP_KEYS_MAX)
            .await?;
        let mut changes = ChangeSet::new();
        for key in keys.into_iter().filter(|key| key.path() < limit.as_str()) {
            changes.drop_event(key);
        }
        self.commit(changes).await?;
        Ok(())
    }

    async fn sweep_tickets(&self) -> Result<()> {
        let oldest = self
            .now()
            .latest
            .minus(2 * self.policy().claim.step_timeout);
        let cursor = self.cursor(|cursors| cursors.tickets.clone());
        let keys = self.page("ticket/", cursor.as_deref()).await?;
        let next = next_cursor(&keys);
        self.cursor(|cursors| cursors.tickets = next);
        let mut changes = ChangeSet::new();
        for key in &keys {
            if let Some((record, version)) = self.store().get(key).await? {
                // A record that is not understood is left alone, and stops nobody.
                if Ticket::decode(&record).is_ok_and(|ticket| ticket.step_at < oldest) {
                    changes.delete(key.clone(), version);
                }
            }
        }
        // A conflict leaves them to a later sweep.
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

    async fn page(&self, prefix: &str, cursor: Option<&str>) -> Result<Vec<Key>> {
        Ok(self
            .store()
            .scan(Space::Records, prefix, cursor, SWEEP_KEYS_MAX)
            .await?)
    }

    fn cursor<T>(&self, with: impl FnOnce(&mut SweepCursors) -> T) -> T {
        with(&mut self.0.sweep.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn next_cursor(keys: &[Key]) -> Option<String> {
    let full = keys.len() == SWEEP_KEYS_MAX as usize;
    keys.last()
        .filter(|_| full)
        .map(|key| key.path().to_owned())
}
