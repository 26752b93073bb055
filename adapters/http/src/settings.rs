//! What an operator decides about the front door.

use narthex_core::model::Contact;

use crate::base_url::{BaseUrl, BaseUrlError};
use crate::catalogue::Catalogue;
use crate::proxies::Cidr;

/// Settings of the portal's pages and JSON.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the portal lives: scheme, host, port and path prefix.
    pub base_url: BaseUrl,
    /// Proxies whose `X-Forwarded-For` counts. None by default.
    pub trusted_proxies: Vec<Cidr>,
    /// The name on every page.
    pub site_name: String,
    /// Applications, downloads and links of the landing page.
    pub catalogue: Catalogue,
    /// The humans to write to where an organization names none.
    pub help: Vec<Contact>,
    /// Added to the cookie names, for a second portal on one host: letters, digits and `-`.
    pub cookie_suffix: String,
    /// Whether the host can stream server-sent events. Where it cannot (WSGI), `/events` answers
    /// 204 and pages ask for the session instead.
    pub events: bool,
}

/// Settings that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The base URL was not taken.
    #[error(transparent)]
    BaseUrl(#[from] BaseUrlError),
    /// The cookie suffix has a character that no cookie name may have here.
    #[error(
        "the cookie suffix {0:?} has more than letters, digits and `-`, or more than 32 of them"
    )]
    CookieSuffix(String),
    /// An application or download of the catalogue has an id that no URL may have here.
    #[error("the catalogue's id {0:?} is not of small letters, digits and `-`, or occurs twice")]
    CatalogueId(String),
    /// A link of the catalogue leads to neither https nor mail.
    #[error("the catalogue's link {0:?} is neither https:// nor mailto:")]
    CatalogueLink(String),
    /// A template or the route table of this crate is broken, or there is no randomness.
    #[error("the portal's pages cannot be made ready: {0}")]
    BuiltIn(String),
}

impl Settings {
    /// Defaults, with the reference catalogue.
    ///
    /// # Errors
    /// The base URL was not taken.
    pub fn new(base_url: &str) -> Result<Self, SettingsError> {
        Ok(Self {
            base_url: BaseUrl::parse(base_url)?,
            trusted_proxies: Vec::new(),
            site_name: "School Portal".to_owned(),
            catalogue: Catalogue::reference(),
            help: Vec::new(),
            cookie_suffix: String::new(),
            events: true,
        })
    }

    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let suffix = &self.cookie_suffix;
        if suffix.len() > 32
            || !suffix
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Err(SettingsError::CookieSuffix(suffix.clone()));
        }
        self.catalogue.check()
    }
}
