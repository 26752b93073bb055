//! Where the portal lives, as the operator says: links, cookies and origin checks come from here
//! and never from a request (A18).

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// A base URL was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not of the form `https://host[:port][/path]`.
    #[error("the base URL {0:?} is not of the form https://host[:port][/path]")]
    Shape(String),
    /// Plain http off this machine would send passwords in the clear.
    #[error(
        "the base URL {0:?} is plain http: only https is served, or http on a loopback address"
    )]
    PlainHttp(String),
}

/// Scheme, host, port and path prefix of the portal.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    https: bool,
    authority: String,
    path: String,
}

impl BaseUrl {
    /// From `https://host[:port][/path]`; `http` only with a loopback host.
    ///
    /// # Errors Another scheme, a user name, a query, a path that is not in its plain form, or
    /// plain http off loopback.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let shape = || BaseUrlError::Shape(text.to_owned());
        if text.contains(['?', '#', '@', '\\']) || !text.is_ascii() {
            return Err(shape());
        }
        let uri: Uri = text.parse().map_err(|_| shape())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(shape()),
        };
        let authority = uri.authority().ok_or_else(shape)?;
        if authority.host().is_empty() || authority.as_str().ends_with(':') {
            return Err(shape());
        }
        if !https && !is_loopback(authority.host()) {
            return Err(BaseUrlError::PlainHttp(text.to_owned()));
        }
        let path = uri.path().trim_end_matches('/');
        let plain = path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-~".contains(&b));
        if !plain
            || path
                .split('/')
                .skip(1)
                .any(|s| matches!(s, "" | "." | ".."))
        {
            return Err(shape());
        }
        Ok(Self {
            https,
            authority: canonical_authority(authority.as_str(), https),
            path: path.to_owned(),
        })
    }

    /// Whether cookies may be `Secure` and HSTS is sent.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// `scheme://host[:port]`, as browsers write it in `Origin`.
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    /// `host[:port]` in lower case, without the scheme's own port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path prefix: empty, or beginning with `/` and not ending with it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of `location` (which begins with `/`) below the prefix.
    pub fn link(&self, location: &str) -> String {
        format!("{}{location}", self.path)
    }

    /// Whether a `Host` header names this portal.
    pub fn is_host(&self, host: &str) -> bool {
        host.is_ascii() && canonical_authority(host, self.https) == self.authority
    }

    /// Whether an `Origin` header names this portal. `null` never does.
    pub fn is_origin(&self, origin: &str) -> bool {
        origin == self.origin()
    }

    /// What remains of a request path below the prefix; `None` outside it.
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(self.path.as_str())?;
        rest.starts_with('/').then_some(rest)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/", self.origin(), self.path)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

fn canonical_authority(authority: &str, https: bool) -> String {
    let lower = authority.to_ascii_lowercase();
    let own_port = if https { ":443" } else { ":80" };
    lower.strip_suffix(own_port).unwrap_or(&lower).to_owned()
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_https_or_loopback() {
        for good in [
            "https://portal.school.example",
            "https://portal.school.example:8443/narthex/",
            "http://127.0.0.1:8080",
            "http://localhost:8080/",
            "http://[::1]:8080",
        ] {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "portal.school.example",
            "ftp://portal.school.example",
            "https://",
            "https://user@portal.school.example",
            "https://portal.school.example/?a",
            "https://portal.school.example/a/../b",
            "https://portal.school.example/a//b",
            "https://portal.school.example/%2e",
            "http://portal.school.example",
            "http://10.0.0.1",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a18_only_the_configured_host_and_origin_are_ours() {
        let base = BaseUrl::parse("https://Portal.School.example:443/p").unwrap();
        assert_eq!(base.origin(), "https://portal.school.example");
        assert_eq!(base.link("/login"), "/p/login");
        for host in [
            "portal.school.example",
            "PORTAL.school.example",
            "portal.school.example:443",
        ] {
            assert!(base.is_host(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "portal.school.example.evil",
            "portal.school.example:80",
            "portal.school.example.",
            "portal.school.example@evil",
            "x.portal.school.example",
        ] {
            assert!(!base.is_host(host), "{host}");
        }
        for origin in [
            "null",
            "",
            "http://portal.school.example",
            "https://portal.school.example/",
        ] {
            assert!(!base.is_origin(origin), "{origin}");
        }
        assert_eq!(base.strip("/p/login"), Some("/login"));
        assert_eq!(base.strip("/p"), None);
        assert_eq!(base.strip("/plogin"), None);
        assert_eq!(base.strip("/login"), None);
    }
}
