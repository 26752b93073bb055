#![doc = include_str!("../README.md")]

mod base_url;
mod catalogue;
mod proxies;
mod service;
mod settings;
mod standin;

/// The core's portal as this crate calls it.
mod engine {
    pub(crate) use crate::standin::*;
}

pub use base_url::{BaseUrl, BaseUrlError};
pub use catalogue::{Application, Catalogue, Download, DownloadFile, Link};
pub use proxies::{Cidr, CidrError, Peer};
pub use service::{BODY_BYTES_MAX, Body, HEADER_BYTES_MAX, PortalService};
pub use settings::{Settings, SettingsError};
pub use standin::Portal;
