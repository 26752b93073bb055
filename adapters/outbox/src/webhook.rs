//! To a program of the operator's: one signed POST per message.

use std::time::Duration;

use hmac::{Hmac, Mac};
use narthex_core::portal::Outgoing;
use serde::Serialize;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::mail::is_loopback;
use crate::{DeliveryError, OutboxError};

/// The header with `sha256=` and the hexadecimal HMAC-SHA-256 of the body under the shared secret.
pub const SIGNATURE_HEADER: &str = "narthex-signature";
/// How long the program may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where messages are posted.
#[derive(Clone)]
pub struct WebhookSettings {
    /// `https://...`; plain http on loopback only.
    pub url: String,
    /// Shared with the program: it proves that a message comes from here.
    pub secret: Zeroizing<String>,
}

impl std::fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSettings(hidden)")
    }
}

/// Posts messages.
#[derive(Debug)]
pub struct Webhook {
    settings: WebhookSettings,
    agent: ureq::Agent,
}

/// *Format.* The id is the same at every try.
#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    kind: &'a str,
    /// RFC 3339, UTC.
    at: String,
    account: String,
    organizations: Vec<&'a str>,
    browser: &'a str,
}

impl Webhook {
    /// # Errors
    /// The address is not https and not on loopback.
    pub fn new(settings: WebhookSettings) -> Result<Self, OutboxError> {
        let url = &settings.url;
        let plain = url.starts_with("http://") && is_loopback(url);
        if !plain && !url.starts_with("https://") {
            return Err(OutboxError::Webhook(url.clone()));
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .build();
        Ok(Self {
            settings,
            agent: config.into(),
        })
    }

    pub(crate) async fn post(&self, told: &Outgoing) -> Result<(), DeliveryError> {
        let body = document(told);
        let signature = signature(&self.settings.secret, &body);
        let (agent, url) = (self.agent.clone(), self.settings.url.clone());
        let posted = tokio::task::spawn_blocking(move || {
            agent
                .post(&url)
                .header("content-type", "application/json")
                .header(SIGNATURE_HEADER, &signature)
                .send(&body)
                .map(|answer| answer.status())
        });
        match posted.await {
            Ok(Ok(status)) if status.is_success() => Ok(()),
            Ok(Ok(status)) => Err(DeliveryError::Later(format!("the webhook says {status}"))),
            Ok(Err(ureq::Error::StatusCode(code))) => {
                Err(DeliveryError::Later(format!("the webhook says {code}")))
            }
            Ok(Err(_)) | Err(_) => Err(DeliveryError::Later(
                "the webhook cannot be reached".to_owned(),
            )),
        }
    }
}

fn document(told: &Outgoing) -> String {
    let millis = i64::try_from(told.message.at.as_millis()).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(millis).map(|at| at.to_string());
    let document = Document {
        id: &told.id,
        kind: told.message.kind.code(),
        at: at.unwrap_or_default(),
        account: told.message.account.to_hex(),
        organizations: told.organizations.iter().map(|id| id.as_str()).collect(),
        browser: &told.message.browser,
    };
    serde_json::to_string(&document).unwrap_or_default()
}

fn signature(secret: &str, body: &str) -> String {
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body.as_bytes());
    let digest = mac.finalize().into_bytes();
    format!("sha256={}", data_encoding::HEXLOWER.encode(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_hmac_of_rfc_4231() {
        // Test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", "what do ya want for nothing?"), expected);
    }

    #[test]
    fn a_webhook_is_https_or_on_this_machine() {
        let new = |url: &str| {
            Webhook::new(WebhookSettings {
                url: url.to_owned(),
                secret: Zeroizing::new("s".to_owned()),
            })
        };
        assert!(new("https://hooks.school.example/narthex").is_ok());
        assert!(new("http://127.0.0.1:9000/").is_ok());
        for bad in [
            "http://hooks.school.example/",
            "http://127.0.0.1.example/",
            "ftp://x",
            "",
        ] {
            assert!(new(bad).is_err(), "{bad}");
        }
    }
}
