#![doc = include_str!("../README.md")]

mod answered;
mod api;
mod assets;
mod base_url;
mod catalogue;
mod client_label;
mod context;
mod cookies;
mod csrf;
mod details;
mod forms;
mod guard;
mod headers;
mod host;
mod json;
mod language;
mod looks;
mod pages;
mod pre;
mod problem;
mod proxies;
mod query;
mod render;
mod reply;
mod roster;
mod routes;
mod service;
mod settings;
mod texts;
mod theme;
mod ticket_cookie;
mod told;
mod upload;

pub use answered::{Answered, SessionFound};
pub use base_url::{BaseUrl, BaseUrlError};
pub use catalogue::{Application, Catalogue, Download, DownloadFile, Link};
pub use host::{Admission, Entry, HeaderError, Visit};
pub use language::Language;
pub use narthex_core::model::{Cidr, CidrError};
pub use proxies::{Peer, source_of};
pub use reply::{FAILED_ANSWER_GRID, OnGrid};
pub use roster::{
    DayOrMonth, ROSTER_BYTES_MAX, ReadRoster, ReadingRoster, RosterReader, RosterUnreadable,
    RosterUpload,
};
pub use service::{BODY_BYTES_MAX, Body, HEADER_BYTES_MAX, PortalService};
pub use settings::{Settings, SettingsError};
pub use theme::{
    FONT_BYTES_MAX, FOOTER_LINKS_MAX, FooterLink, ImageKind, LOGO_BYTES_MAX, Scheme, Theme,
    ThemeError,
};
pub use told::{Told, ToldIssue, told};
