//! Style, script and icons under names that change with their content, so that browsers may keep
//! them for ever.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use crate::reply::Reply;

struct Asset {
    /// `portal.0123456789abcdef.css`
    file: String,
    kind: &'static str,
    content: &'static [u8],
    /// The same, compressed once: assets hold no secret that a length could tell.
    gzip: Bytes,
}

/// The assets of the portal.
pub(crate) struct Assets(Vec<Asset>);

const FILES: [(&str, &str, &str, &[u8]); 4] = [
    (
        "portal",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("assets/portal.css"),
    ),
    (
        "portal",
        "js",
        "text/javascript; charset=utf-8",
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
        let assets = FILES.map(|(name, extension, kind, content)| {
            let digest = Sha256::digest(content);
            let hash = data_encoding::HEXLOWER.encode(digest.get(..8).unwrap_or_default());
            Asset {
                file: format!("{name}.{hash}.{extension}"),
                kind,
                content,
                gzip: compressed(content),
            }
        });
        Self(assets.into())
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

    /// The asset of exactly this name; another hash is another file.
    pub(crate) fn get(&self, file: &str, headers: &HeaderMap) -> Option<Reply> {
        let asset = self.0.iter().find(|asset| asset.file == file)?;
        let immutable = HeaderValue::from_static("public, max-age=31536000, immutable");
        let reply = if takes_gzip(headers) && !asset.gzip.is_empty() {
            let reply = Reply::with_body(StatusCode::OK, asset.kind, asset.gzip.clone());
            reply.header(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
        } else {
            Reply::with_body(
                StatusCode::OK,
                asset.kind,
                Bytes::from_static(asset.content),
            )
        };
        let varies = HeaderValue::from_static("accept-encoding");
        Some(reply.header(CACHE_CONTROL, immutable).header(VARY, varies))
    }
}

/// Empty where compressing failed: then the asset is sent as it is.
fn compressed(content: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    written.map(Bytes::from).unwrap_or_default()
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
