//! Style, script and icons under names that change with their content, so that browsers may keep
//! them for ever.

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use crate::reply::Reply;

struct Asset {
    /// `portal.0123456789abcdef.css`
    file: String,
    kind: &'static str,
    content: &'static [u8],
}

/// The assets of the portal.
pub(crate) struct Assets(Vec<Asset>);

const FILES: [(&str, &str, &str, &[u8]); 5] = [
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
    (
        "favicon",
        "svg",
        "image/svg+xml",
        include_bytes!("assets/favicon.svg"),
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
    pub(crate) fn get(&self, file: &str) -> Option<Reply> {
        let asset = self.0.iter().find(|asset| asset.file == file)?;
        let reply = Reply::with_body(
            StatusCode::OK,
            asset.kind,
            Bytes::from_static(asset.content),
        );
        let immutable = HeaderValue::from_static("public, max-age=31536000, immutable");
        Some(reply.header(CACHE_CONTROL, immutable))
    }
}
