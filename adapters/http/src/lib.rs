#![doc = include_str!("../README.md")]

mod api;
mod assets;
mod base_url;
mod catalogue;
mod claim_cookie;
mod context;
mod cookies;
mod csrf;
mod forms;
mod guard;
mod headers;
mod json;
mod pages;
mod pre;
mod problem;
mod proxies;
mod query;
mod render;
mod reply;
mod routes;
mod service;
mod settings;
mod texts;

pub use base_url::{BaseUrl, BaseUrlError};
pub use catalogue::{Application, Catalogue, Download, DownloadFile, Link};
pub use proxies::{Cidr, CidrError, Peer};
pub use service::{BODY_BYTES_MAX, Body, HEADER_BYTES_MAX, PortalService};
pub use settings::{Settings, SettingsError};
