//! Style, script and icons under names that change with their content, so that browsers may keep
//! them for ever.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use crate::reply::Reply;

struct Asset {
    /// `portal.0123456789abcdef.css`
    file: String,
    /// The hash, in quotation marks.
    etag: HeaderValue,
    kind: &'static str,
    content: Bytes,
    /// The same, compressed once: assets hold no secret that a length could tell.
    gzip: Bytes,
}

const SCRIPT_KIND: &str = "text/javascript; charset=utf-8";
/// For who writes the script into pages of their own.
const STABLE_SCRIPT: &str = "portal.js";

/// The assets of the portal.
pub(crate) struct Assets(Vec<Asset>);

const FILES: [(&str, &str, &str, &[u8]); 5] = [
    (
        "forms",
        "js",
        SCRIPT_KIND,
        include_bytes!("assets/forms.js"),
    ),
    (
        "portal",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("assets/portal.css"),
    ),
    (
        "portal",
        "js",
        SCRIPT_KIND,
        include_bytes!("assets/portal.js"),
    ),
    (
        "icons",
        "svg",
        "image/svg+xml",
        include_bytes!("assets/icons.svg"),
    ),
    (
        "logo",
        "svg",
        "image/svg+xml",
        include_bytes!("assets/logo.svg"),
    ),
];

impl Assets {
    pub(crate) fn new() -> Self {
        let mut assets = Self(Vec::new());
        for (name, extension, kind, content) in FILES {
            assets.add(name, extension, kind, Bytes::from_static(content));
        }
        assets
    }

    /// Takes a file in and says under which name it is served.
    pub(crate) fn add(
        &mut self,
        name: &str,
        extension: &str,
        kind: &'static str,
        content: impl Into<Bytes>,
    ) -> String {
        let content = content.into();
        let digest = Sha256::digest(&content);
        let hash = data_encoding::HEXLOWER.encode(digest.get(..8).unwrap_or_default());
        let file = format!("{name}.{hash}.{extension}");
        self.0.push(Asset {
            file: file.clone(),
            etag: HeaderValue::try_from(format!("\"{hash}\""))
                .unwrap_or(HeaderValue::from_static("\"\"")),
            kind,
            gzip: compressed(&content),
            content,
        });
        file
    }

    /// The path of an asset below the base path.
    pub(crate) fn path(&self, name: &str, extension: &str) -> String {
        let fits = |file: &str| {
            file.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'))
                && file.ends_with(extension)
        };
        let found = self.0.iter().find(|asset| fits(&asset.file));
        format!("/assets/{}", found.map_or("", |asset| &asset.file))
    }

    /// The asset of exactly this name; another hash is another file. Under its stable name the script
    /// may be kept, and is asked about each time: no page has an older script than its header.
    pub(crate) fn get(&self, file: &str, headers: &HeaderMap) -> Option<Reply> {
        let stable = file == STABLE_SCRIPT;
        let is_the_script =
            |asset: &Asset| asset.kind == SCRIPT_KIND && asset.file.starts_with("portal.");
        let named = |asset: &&Asset| asset.file == file || (stable && is_the_script(asset));
        let asset = self.0.iter().find(named)?;
        let caching = HeaderValue::from_static(if stable {
            "public, no-cache"
        } else {
            "public, max-age=31536000, immutable"
        });
        let varies = HeaderValue::from_static("accept-encoding");
        let finished = |reply: Reply| {
            reply
                .header(CACHE_CONTROL, caching)
                .header(VARY, varies)
                .header(ETAG, asset.etag.clone())
        };
        if is_known(&asset.etag, headers) {
            return Some(finished(Reply::new(StatusCode::NOT_MODIFIED)));
        }
        let reply = if takes_gzip(headers) && !asset.gzip.is_empty() {
            let reply = Reply::with_body(StatusCode::OK, asset.kind, asset.gzip.clone());
            reply.header(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
        } else {
            Reply::with_body(StatusCode::OK, asset.kind, asset.content.clone())
        };
        Some(finished(reply))
    }
}

/// Whether the browser has it already (RFC 9110 §13.1.2; a weak tag is as good here).
fn is_known(etag: &HeaderValue, headers: &HeaderMap) -> bool {
    let Ok(etag) = etag.to_str() else {
        return false;
    };
    let said = headers.get_all(IF_NONE_MATCH).iter();
    said.filter_map(|value| value.to_str().ok()).any(|value| {
        let mut tags = value.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

/// Empty where compressing failed or does not pay: then the asset is sent as it is.
fn compressed(content: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    let gzip = written.map(Bytes::from).unwrap_or_default();
    if gzip.len() < content.len() {
        gzip
    } else {
        Bytes::new()
    }
}

/// Named plainly, without a weight of zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value.split(',').any(|coding| {
                let mut parts = coding.split(';').map(str::trim);
                let named = parts
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
                named
                    && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_who_takes_it_and_to_nobody_else() {
        for (said, takes) in [
            (None, false),
            (Some("gzip, deflate, br"), true),
            (Some("br;q=1.0, GZIP;q=0.8"), true),
            (Some("gzip;q=0"), false),
            (Some("identity"), false),
            (Some("xgzip"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(said));
            }
            assert_eq!(takes_gzip(&headers), takes, "{said:?}");
        }
        let assets = Assets::new();
        for asset in &assets.0 {
            assert!(!asset.gzip.is_empty() && asset.gzip.len() < asset.content.len());
        }
    }
}
