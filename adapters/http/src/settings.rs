//! What an operator decides about the front door.

use std::sync::Arc;

use narthex_core::model::{Cidr, Contact, OrganizationId};
use narthex_core::rules::resume::AppPrefix;

use crate::base_url::{BaseUrl, BaseUrlError};
use crate::catalogue::Catalogue;
use crate::language::Language;
use crate::roster::RosterReader;
use crate::theme::{Theme, ThemeError};

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
    /// The language of who prefers none of the portal's.
    pub language: Language,
    /// How pages look; absent: as the portal does.
    pub theme: Option<Theme>,
    /// How the pages of single organizations look, on top of `theme`.
    pub organization_themes: Vec<(OrganizationId, Theme)>,
    /// Added to the cookie names, for a second portal on one host: letters, digits and `-`.
    pub cookie_suffix: String,
    /// Whether the host can stream server-sent events. Where it cannot (WSGI), `/events` answers
    /// 204 and pages ask for the session instead.
    pub events: bool,
    /// Reads the files with which staff bring in people at `/staff/roster`; absent: commands alone do.
    pub roster_reader: Option<Arc<dyn RosterReader>>,
}

/// Settings that cannot be served.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// An application of the host is said to live below the portal's own base path.
    #[error("the application's prefix {0:?} lies below the portal's own base path")]
    AppBelowPortal(String),
    /// The theme cannot be read by everybody.
    #[error("the theme: {0}")]
    Theme(Box<ThemeError>),
    /// The theme of an organization cannot be read by everybody.
    #[error("the theme of organization {0}: {1}")]
    OrganizationTheme(String, Box<ThemeError>),
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
            language: Language::English,
            theme: None,
            organization_themes: Vec::new(),
            cookie_suffix: String::new(),
            events: true,
            roster_reader: None,
        })
    }

    /// The host has no pages below the portal's base path, unless the portal is at the root, where
    /// [`AppPrefix::parse`] has seen to it.
    pub(crate) fn check_apps(&self, apps: &[AppPrefix]) -> Result<(), SettingsError> {
        let own = format!("{}/", self.base_url.path());
        let below = |app: &&AppPrefix| own != "/" && app.as_str().starts_with(&own);
        match apps.iter().find(below) {
            Some(app) => Err(SettingsError::AppBelowPortal(app.as_str().to_owned())),
            None => Ok(()),
        }
    }

    /// Whether they can be served, as far as they do not depend on a policy.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), SettingsError> {
        let suffix = &self.cookie_suffix;
        if suffix.len() > 32
            || !suffix
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Err(SettingsError::CookieSuffix(suffix.clone()));
        }
        let site = self.theme.as_ref();
        site.map_or(Ok(()), Theme::check)
            .map_err(|error| SettingsError::Theme(Box::new(error)))?;
        for (id, own) in &self.organization_themes {
            let whole = site.map_or_else(|| own.clone(), |site| own.clone().over(site));
            whole.check().map_err(|error| {
                SettingsError::OrganizationTheme(id.to_string(), Box::new(error))
            })?;
        }
        self.catalogue.check()
    }
}
