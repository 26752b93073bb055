//! Whether an unsafe request comes from our own pages (WB-08 to WB-10, A24, A51).

use http::HeaderMap;
use http::header::ORIGIN;
use narthex_core::Result;
use narthex_core::model::Selector;
use subtle::ConstantTimeEq;

use crate::base_url::BaseUrl;
use narthex_core::Portal;

/// Where a request says it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// From a page of this portal.
    Ours,
    /// Says nothing: a program, or a browser older than any we serve.
    Unsaid,
    /// From somewhere else.
    Elsewhere,
}

/// Judges `Sec-Fetch-Site` and `Origin`. Both count where both are sent; `null` is nobody's origin.
pub(crate) fn provenance(headers: &HeaderMap, base: &BaseUrl) -> Provenance {
    let mut verdict = Provenance::Unsaid;
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if let Some(site) = sites.next() {
        if site.as_bytes() != b"same-origin" || sites.next().is_some() {
            return Provenance::Elsewhere;
        }
        verdict = Provenance::Ours;
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    if let Some(origin) = origins.next() {
        let ours = origin.to_str().is_ok_and(|origin| base.is_origin(origin));
        if !ours || origins.next().is_some() {
            return Provenance::Elsewhere;
        }
        verdict = Provenance::Ours;
    }
    verdict
}

/// What the token of a form is bound to: it dies with it.
#[derive(Clone, Copy)]
pub(crate) enum Binding<'a> {
    /// A form behind the log-in: the session family.
    Family(Selector),
    /// A form before the log-in: the value of the `-pre` cookie.
    Pre(&'a str),
}

/// The token of every form under `binding`.
pub(crate) fn form_token(portal: &Portal, binding: Binding<'_>) -> Result<String> {
    let tag = match binding {
        Binding::Family(selector) => portal.tag(&[b"form-family", selector.as_bytes()])?,
        Binding::Pre(nonce) => portal.tag(&[b"form-pre", nonce.as_bytes()])?,
    };
    Ok(data_encoding::BASE64URL_NOPAD.encode(&tag))
}

/// Whether `token` is the one of `binding`, in constant time.
pub(crate) fn token_is_right(portal: &Portal, binding: Binding<'_>, token: &str) -> Result<bool> {
    let right = form_token(portal, binding)?;
    Ok(right.as_bytes().ct_eq(token.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(site: Option<&str>, origin: Option<&str>) -> Provenance {
        let mut headers = HeaderMap::new();
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        let base = BaseUrl::parse("https://portal.school.example/p").unwrap();
        provenance(&headers, &base)
    }

    #[test]
    fn wb08_only_our_own_pages_count_as_ours() {
        const OWN: &str = "https://portal.school.example";
        for (site, origin) in [
            (Some("same-origin"), None),
            (Some("same-origin"), Some(OWN)),
            (None, Some(OWN)),
        ] {
            assert_eq!(judge(site, origin), Provenance::Ours, "{site:?} {origin:?}");
        }
        for (site, origin) in [
            (Some("none"), None),
            (Some("same-site"), None),
            (Some("cross-site"), None),
            (Some("cross-site"), Some(OWN)),
            (Some("Same-Origin"), None),
            (Some(""), None),
            (Some("same-origin"), Some("null")),
            (Some("same-origin"), Some("https://evil.example")),
            (None, Some("null")),
            (None, Some("")),
            (None, Some("https://portal.school.example/")),
            (None, Some("https://portal.school.example:443")),
            (None, Some("http://portal.school.example")),
            (None, Some("https://portal.school.example.evil")),
        ] {
            assert_eq!(
                judge(site, origin),
                Provenance::Elsewhere,
                "{site:?} {origin:?}"
            );
        }
        assert_eq!(judge(None, None), Provenance::Unsaid);
    }

    #[test]
    fn wb18_a_header_sent_twice_is_nobodys() {
        let base = BaseUrl::parse("https://portal.school.example").unwrap();
        for name in ["sec-fetch-site", "origin"] {
            let mut headers = HeaderMap::new();
            let value = if name == "origin" {
                "https://portal.school.example"
            } else {
                "same-origin"
            };
            headers.append(name, value.parse().unwrap());
            headers.append(name, value.parse().unwrap());
            assert_eq!(provenance(&headers, &base), Provenance::Elsewhere);
        }
    }
}
