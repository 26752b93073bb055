//! What an application that serves the portal itself has to do besides: once a minute.

use std::time::Duration;

use narthex_core::Portal;
use tokio::time::MissedTickBehavior;

/// How often; [`Portal::maintain`] says what for.
const INTERVAL: Duration = Duration::from_secs(60);

/// Maintains the portal now and once a minute, until the future is dropped. A minute in which the store
/// did not answer is told in the log, and made up for by the next.
pub async fn maintain(portal: Portal) {
    let mut minute = tokio::time::interval(INTERVAL);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minute.tick().await;
        if let Err(error) = portal.maintain().await {
            tracing::error!(%error, "maintenance did not succeed; it is tried again in a minute");
        }
    }
}
