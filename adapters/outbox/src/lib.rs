//! Empties the outbox of a portal: each message goes to the webhook and by mail, at least once, and is
//! settled only when both have taken it. Who has no address is told at the next log-in.
//!
//! Nothing in a message is secret: what happened, when, with which browser. No number, no link to
//! follow (a habit that phishing lives on), no code.

mod mail;
#[cfg(test)]
#[path = "../tests/mail_server/mod.rs"]
mod mail_server;
mod texts;
mod webhook;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use narthex_core::portal::{Delivery, MESSAGES_MAX, Outgoing};
use narthex_core::{Error, Portal};
use tracing::{info, warn};

pub use mail::{Mail, MailSettings};
pub use webhook::{SIGNATURE_HEADER, Webhook, WebhookSettings};

/// How often the outbox is looked at.
const INTERVAL: Duration = Duration::from_secs(2);
/// The wait after the first failed delivery of a message; doubles with every further one.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A channel that cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The address of the mail server, or of the sender.
    #[error("{0}")]
    Mail(String),
    /// The address of the webhook.
    #[error("the webhook's address must begin with https:// (or be on loopback): {0}")]
    Webhook(String),
}

/// Why one delivery did not succeed; never with the address it went to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// Worth trying again.
    #[error("{0}")]
    Later(String),
    /// Never: nobody can be reached there.
    #[error("{0}")]
    Never(String),
}

/// Where messages go.
#[derive(Debug, Default)]
pub struct Channels {
    /// By mail, to who has an address.
    pub mail: Option<Mail>,
    /// To a program of the operator's, whoever it is about.
    pub webhook: Option<Webhook>,
}

impl Channels {
    /// Whether there is any: what `MessagePolicy::deliver` should say.
    pub fn any(&self) -> bool {
        self.mail.is_some() || self.webhook.is_some()
    }
}

/// How far the delivery of one message has come.
#[derive(Debug, Default)]
struct Progress {
    /// The webhook has it, or there is none.
    posted: bool,
    /// What became of the letter, once that is known.
    letter: Option<Delivery>,
    failures: u32,
    due: Option<tokio::time::Instant>,
}

impl Progress {
    fn is_due(&self) -> bool {
        self.due.is_none_or(|at| at <= tokio::time::Instant::now())
    }

    fn failed(&mut self) {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let wait = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
        self.due = Some(tokio::time::Instant::now() + wait);
        self.failures = self.failures.saturating_add(1);
    }

    /// Tries what is still to be done: a channel that is down keeps nothing from the other, and hears
    /// nothing twice because of it. `Some`: settled.
    async fn attempt(
        &mut self,
        channels: &Channels,
        outgoing: &Outgoing,
    ) -> Result<Option<Delivery>, DeliveryError> {
        let posted = match &channels.webhook {
            Some(webhook) if !self.posted => webhook.post(outgoing).await,
            _ => Ok(()),
        };
        self.posted = posted.is_ok();
        if self.letter.is_none() {
            self.letter = Some(send(channels, outgoing).await?);
        }
        posted?;
        Ok(self.letter)
    }
}

/// The messages that are on their way. Kept in memory: after a restart everything is tried at once, and
/// what one channel has taken and the other has not is told to both again.
type OnTheWay = HashMap<String, Progress>;

/// Empties the outbox until the future is dropped. A store that does not answer is asked again.
pub async fn deliver(portal: Portal, channels: Channels) {
    let mut on_the_way = OnTheWay::default();
    loop {
        if let Err(error) = round(&portal, &channels, &mut on_the_way).await {
            warn!(%error, "the outbox could not be read");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Tries every message that is due, once.
async fn round(
    portal: &Portal,
    channels: &Channels,
    on_the_way: &mut OnTheWay,
) -> Result<(), Error> {
    let mut after: Option<String> = None;
    let mut seen = HashSet::new();
    loop {
        let page = portal.outbox(after.as_deref()).await?;
        for outgoing in &page {
            seen.insert(outgoing.id.clone());
            let progress = on_the_way.entry(outgoing.id.clone()).or_default();
            if !progress.is_due() {
                continue;
            }
            let kind = outgoing.message.kind.code();
            match progress.attempt(channels, outgoing).await {
                Ok(Some(delivery)) => {
                    portal.settle_message(&outgoing.id, delivery).await?;
                    info!(kind, ?delivery, "a message was settled");
                }
                Ok(None) => progress.failed(),
                Err(error) => {
                    warn!(kind, %error, "a message waits");
                    progress.failed();
                }
            }
        }
        match page.last() {
            Some(last) if page.len() == MESSAGES_MAX as usize => after = Some(last.id.clone()),
            _ => break,
        }
    }
    // What was settled, here or elsewhere, or was let go.
    on_the_way.retain(|id, _| seen.contains(id));
    Ok(())
}

async fn send(channels: &Channels, outgoing: &Outgoing) -> Result<Delivery, DeliveryError> {
    let (Some(mail), Some(address)) = (&channels.mail, &outgoing.address) else {
        return Ok(Delivery::ShowAtLogIn);
    };
    match mail.send(outgoing, address).await {
        Ok(()) => Ok(Delivery::Delivered),
        Err(DeliveryError::Never(error)) => {
            warn!(error, "an address takes no mail");
            Ok(Delivery::ShowAtLogIn)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failed_message_is_tried_again_after_ten_seconds_doubling_to_an_hour() {
        let mut progress = Progress::default();
        assert!(progress.is_due());
        for wait in [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600] {
            progress.failed();
            tokio::time::advance(Duration::from_secs(wait) - Duration::from_millis(1)).await;
            assert!(!progress.is_due(), "due before {wait} s");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(progress.is_due(), "not due after {wait} s");
        }
    }
}
