//! Cookies, byte for byte: no trimming but of spaces and tabs, no quoting, no `$Version`, no second
//! value for a name of ours (WB-01 to WB-03, A25).

use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// What a cookie of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieKind {
    /// The session token.
    Session,
    /// The browser secret of claims and the latest ticket.
    Claim,
    /// The language somebody chose in this browser: no secret, kept for a year.
    Language,
    /// The browser secret of recoveries and the latest ticket.
    Recovery,
    /// What the browser keeps of the accounts that were logged in to in it: a lane, no identity.
    Known,
    /// Before the log-in: what the tokens of forms are bound to, and the number to fill in.
    Pre,
}

/// The names of our cookies. `__Host-` over https; plain http (loopback only) has names of its own,
/// so that the two never meet.
#[derive(Clone, Debug)]
pub(crate) struct CookieNames {
    https: bool,
    session: String,
    claim: String,
    recovery: String,
    language: String,
    known: String,
    pre: String,
}

/// The cookies of a request that are ours.
#[derive(Default)]
pub(crate) struct Jar {
    pub(crate) session: Option<String>,
    pub(crate) claim: Option<String>,
    pub(crate) recovery: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) known: Option<String>,
    pub(crate) pre: Option<String>,
}

/// A cookie of ours came twice: one of the two is not from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DuplicateCookie;

impl CookieNames {
    pub(crate) fn new(https: bool, suffix: &str) -> Self {
        let prefix = if https { "__Host-" } else { "" };
        let name = |kind: &str| {
            let dash = if suffix.is_empty() { "" } else { "-" };
            format!("{prefix}narthex{kind}{dash}{suffix}")
        };
        Self {
            https,
            session: name(""),
            claim: name("-claim"),
            recovery: name("-recovery"),
            language: name("-language"),
            known: name("-known"),
            pre: name("-pre"),
        }
    }

    fn name(&self, kind: CookieKind) -> &str {
        match kind {
            CookieKind::Session => &self.session,
            CookieKind::Claim => &self.claim,
            CookieKind::Recovery => &self.recovery,
            CookieKind::Language => &self.language,
            CookieKind::Known => &self.known,
            CookieKind::Pre => &self.pre,
        }
    }

    /// Reads the `Cookie` lines (HTTP/2 may send several).
    pub(crate) fn read(&self, headers: &HeaderMap) -> Result<Jar, DuplicateCookie> {
        let mut jar = Jar::default();
        for line in headers.get_all(COOKIE) {
            for pair in line.as_bytes().split(|b| *b == b';') {
                let pair = trim(pair);
                let Some(equals) = pair.iter().position(|b| *b == b'=') else {
                    continue;
                };
                let (name, rest) = pair.split_at(equals);
                let slot = if name == self.session.as_bytes() {
                    &mut jar.session
                } else if name == self.claim.as_bytes() {
                    &mut jar.claim
                } else if name == self.language.as_bytes() {
                    &mut jar.language
                } else if name == self.recovery.as_bytes() {
                    &mut jar.recovery
                } else if name == self.known.as_bytes() {
                    &mut jar.known
                } else if name == self.pre.as_bytes() {
                    &mut jar.pre
                } else {
                    continue;
                };
                if slot.is_some() {
                    return Err(DuplicateCookie);
                }
                // What is not visible ASCII was not written by us: as good as no value, but
                // present.
                let value = rest.get(1..).unwrap_or_default();
                *slot = Some(String::from_utf8(value.to_vec()).unwrap_or_default());
            }
        }
        Ok(jar)
    }

    /// `Set-Cookie`: gone with the browser (no Max-Age), but for the language.
    pub(crate) fn set(&self, kind: CookieKind, value: &str) -> Option<HeaderValue> {
        let kept = match kind {
            CookieKind::Language => "; Max-Age=31536000",
            CookieKind::Session
            | CookieKind::Claim
            | CookieKind::Known
            | CookieKind::Recovery
            | CookieKind::Pre => "",
        };
        self.line(kind, value, kept)
    }

    /// `Set-Cookie` for a cookie that outlives the browser's windows.
    pub(crate) fn set_for(
        &self,
        kind: CookieKind,
        value: &str,
        lifetime: Duration,
    ) -> Option<HeaderValue> {
        self.line(kind, value, &format!("; Max-Age={}", lifetime.as_secs()))
    }

    /// `Set-Cookie` that takes the cookie away.
    pub(crate) fn wipe(&self, kind: CookieKind) -> Option<HeaderValue> {
        self.line(kind, "", "; Max-Age=0")
    }

    fn line(&self, kind: CookieKind, value: &str, more: &str) -> Option<HeaderValue> {
        let secure = if self.https { "; Secure" } else { "" };
        let name = self.name(kind);
        let line = format!("{name}={value}; Path=/{secure}; HttpOnly; SameSite=Lax{more}");
        let mut value = HeaderValue::from_str(&line).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&[u8]]) -> Result<Jar, DuplicateCookie> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        CookieNames::new(true, "").read(&headers)
    }

    #[test]
    fn wb01_the_session_cookie_line_is_exactly_this() {
        let names = CookieNames::new(true, "");
        assert_eq!(
            names.set(CookieKind::Session, "abc").unwrap(),
            "__Host-narthex=abc; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            names
                .set_for(
                    CookieKind::Known,
                    "abc",
                    Duration::from_secs(90 * 24 * 3600)
                )
                .unwrap(),
            "__Host-narthex-known=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7776000"
        );
        assert_eq!(
            names.wipe(CookieKind::Claim).unwrap(),
            "__Host-narthex-claim=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        );
        let names = CookieNames::new(false, "two");
        assert_eq!(
            names.set(CookieKind::Pre, "abc").unwrap(),
            "narthex-pre-two=abc; Path=/; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a25_only_our_exact_name_is_ours() {
        let names: [&[u8]; 12] = [
            b"\xe2\x80\x80__Host-narthex=evil",
            b"\xc2\xa0__Host-narthex=evil",
            b"__host-narthex=evil",
            b"__HOST-NARTHEX=evil",
            b"narthex=evil",
            b"__Host-narthex =evil",
            b"\"__Host-narthex\"=evil",
            b"__Host-narthexx=evil",
            b"=__Host-narthex=evil",
            b"__Host-narthex",
            b"$Version=1; x=\"a; y=evil\"",
            b"a=b,__Host-narthex=evil",
        ];
        for line in names {
            let jar = read(&[line]).unwrap();
            assert_eq!(jar.session, None, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a25_a_second_value_for_our_name_is_refused_wherever_it_stands() {
        assert!(read(&[b"__Host-narthex=a; __Host-narthex=a"]).is_err());
        assert!(read(&[b"__Host-narthex=a", b"__Host-narthex=b"]).is_err());
        assert!(read(&[b"__Host-narthex=a; x=1;\t__Host-narthex="]).is_err());
        assert!(read(&[b"__Host-narthex-pre=a; __Host-narthex-pre=b"]).is_err());
        assert!(read(&[b"other=a; other=b; __Host-narthex=c"]).is_ok());
    }

    #[test]
    fn wb03_values_are_taken_as_they_stand() {
        let jar = read(&[b" __Host-narthex=\"a b\" ;__Host-narthex-claim=x.y=z"]).unwrap();
        assert_eq!(jar.session.as_deref(), Some("\"a b\""));
        assert_eq!(jar.claim.as_deref(), Some("x.y=z"));
        assert_eq!(jar.pre, None);
        let jar = read(&[b"__Host-narthex=\xff"]).unwrap();
        assert_eq!(jar.session.as_deref(), Some(""));
    }
}
