//! The `-pre` cookie: what the tokens of forms before the log-in are bound to, and for ten minutes
//! after a claim the number to fill in. The number travels in a cookie of this browser, not in a
//! URL.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD as B64;
use narthex_core::model::Timestamp;
use narthex_core::{Portal, Result};
use subtle::ConstantTimeEq;

const NONCE_TEXT_LENGTH: usize = 22;
const PREFILL_LASTS: Duration = Duration::from_secs(600);

/// What the `-pre` cookie holds.
pub(crate) struct Pre {
    /// 16 random bytes as text.
    pub(crate) nonce: String,
    /// Whether the browser does not have it yet.
    pub(crate) is_new: bool,
    /// The number to fill in at the log-in.
    pub(crate) prefill: Option<String>,
}

impl Pre {
    /// For a page of the host, which has no form of ours before the log-in.
    pub(crate) fn none() -> Self {
        Self {
            nonce: String::new(),
            is_new: false,
            prefill: None,
        }
    }

    /// Reads the cookie; makes a new nonce where there is none and forms may need one. Nothing is
    /// stored.
    pub(crate) fn read(cookie: Option<&str>, portal: &Portal, for_forms: bool) -> Result<Self> {
        let mut parts = cookie.unwrap_or("").split('.');
        let nonce = parts.next().filter(|nonce| is_nonce(nonce));
        let Some(nonce) = nonce else {
            return Ok(Self {
                nonce: if for_forms {
                    B64.encode(&portal.random::<16>()?)
                } else {
                    String::new()
                },
                is_new: for_forms,
                prefill: None,
            });
        };
        let prefill = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(number), Some(until), Some(tag), None) => {
                read_prefill(portal, nonce, number, until, tag)?
            }
            _ => None,
        };
        Ok(Self {
            nonce: nonce.to_owned(),
            is_new: false,
            prefill,
        })
    }

    /// The value with a number to fill in.
    pub(crate) fn with_prefill(&self, portal: &Portal, login_id: &str) -> Result<String> {
        let number = B64.encode(login_id.as_bytes());
        let until = portal
            .now()
            .latest
            .plus(PREFILL_LASTS)
            .as_millis()
            .to_string();
        let tag = tag(portal, &self.nonce, &number, &until)?;
        Ok(format!("{}.{number}.{until}.{tag}", self.nonce))
    }
}

fn read_prefill(
    portal: &Portal,
    nonce: &str,
    number: &str,
    until: &str,
    given: &str,
) -> Result<Option<String>> {
    let right = tag(portal, nonce, number, until)?;
    let same: bool = right.as_bytes().ct_eq(given.as_bytes()).into();
    let fresh = until
        .parse()
        .is_ok_and(|until| portal.now().latest < Timestamp::from_millis(until));
    if !same || !fresh {
        return Ok(None);
    }
    Ok(B64
        .decode(number.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok()))
}

fn tag(portal: &Portal, nonce: &str, number: &str, until: &str) -> Result<String> {
    let parts = [
        b"prefill".as_slice(),
        nonce.as_bytes(),
        number.as_bytes(),
        until.as_bytes(),
    ];
    Ok(B64.encode(&portal.tag(&parts)?))
}

fn is_nonce(text: &str) -> bool {
    text.len() == NONCE_TEXT_LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}
