//! One request, as handlers see it: what has been checked, and nothing raw.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::REFERER;
use narthex_core::model::{Organization, OrganizationId, ResumeLocation, Timestamp};
use narthex_core::secret::SessionToken;
use narthex_core::{AccountId, Asker, Portal, Refusal, VerifiedSession};

use crate::answered::SessionFound;
use crate::assets::Assets;
use crate::base_url::BaseUrl;
use crate::cookies::{CookieNames, Jar};
use crate::csrf::{Binding, form_token};
use crate::forms::Form;
use crate::json::Object;
use crate::looks::Looks;
use crate::pre::Pre;
use crate::problem::{Fault, Problem};
use crate::query;
use crate::render::Renderer;
use crate::routes::Route;
use crate::settings::Settings;
use crate::texts::Texts;
use crate::upload::{Previews, UploadedFile};

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) portal: Portal,
    pub(crate) settings: Settings,
    pub(crate) cookies: CookieNames,
    pub(crate) renderer: Renderer,
    pub(crate) assets: Assets,
    pub(crate) looks: Looks,
    pub(crate) organizations: OrganizationCache,
    pub(crate) request_ids: RequestIds,
    pub(crate) previews: Previews,
}

/// Names requests: a random beginning per process, then a count.
pub(crate) struct RequestIds {
    beginning: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(portal: &Portal) -> narthex_core::Result<Self> {
        Ok(Self {
            beginning: data_encoding::HEXLOWER.encode(&portal.random::<6>()?),
            count: AtomicU64::new(1),
        })
    }

    pub(crate) fn next(&self) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number:x}", self.beginning)
    }
}

/// Organizations change with imports only, and stand on pages that anybody may ask for.
#[derive(Default)]
pub(crate) struct OrganizationCache(Mutex<Option<(Timestamp, Arc<Vec<Organization>>)>>);

const ORGANIZATIONS_KEPT: Duration = Duration::from_secs(20);

impl OrganizationCache {
    pub(crate) async fn all(&self, portal: &Portal) -> Result<Arc<Vec<Organization>>, Fault> {
        let now = portal.now().latest;
        {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, all)) = &*kept
                && now.since(*at) < ORGANIZATIONS_KEPT
            {
                return Ok(Arc::clone(all));
            }
        }
        let all = Arc::new(portal.organizations().await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&all)));
        Ok(all)
    }
}

/// A live session, and what pages say of it.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) found: SessionFound,
    pub(crate) verified: VerifiedSession,
    /// The public name of its family.
    pub(crate) family: String,
    /// How long it lasts if nobody does anything from now on.
    pub(crate) expires_in: Duration,
}

/// Whose answer a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// The portal's own.
    Portal,
    /// A page of the host, asked for by a person.
    HostPage,
    /// A page of the host, asked for by a script or as part of another page.
    HostFetch,
}

/// Words of a query that are said once: no place to come back to has them.
pub(crate) const SAID_ONCE: [&str; 4] = ["lang", "notice", "retry", "suggest"];

/// One request.
pub(crate) struct Ctx<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) site: Site,
    /// Below the base path; of the host's pages the whole path.
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    /// The words, in the reader's language.
    pub(crate) t: &'static Texts,
    pub(crate) params: Vec<(&'static str, &'a str)>,
    pub(crate) route: &'static Route,
    pub(crate) jar: Jar,
    pub(crate) pre: Pre,
    pub(crate) asker: Asker,
    pub(crate) request_id: &'a str,
    pub(crate) form: Form,
    pub(crate) json: Object,
    /// The file of a form, or the whole body where that is a file.
    pub(crate) file: Option<UploadedFile>,
    pub(crate) session: Option<Session>,
    /// The form's token is not the right one, and the route shows the form again with what was
    /// typed. Such a handler does nothing else.
    pub(crate) stale_form: bool,
}

impl Ctx<'_> {
    pub(crate) fn portal(&self) -> &Portal {
        &self.shared.portal
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.shared.settings.base_url
    }

    /// A link below the base path.
    pub(crate) fn link(&self, location: &str) -> String {
        self.base().link(location)
    }

    /// A `{name}` of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(n, _)| *n == name)
            .map_or("", |(_, value)| value)
    }

    /// A parameter of the query; given twice it is not given.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        query::value(self.query, name)
    }

    /// The session of a route for persons.
    pub(crate) fn session(&self) -> Result<&Session, Fault> {
        self.session
            .as_ref()
            .ok_or_else(|| Refusal::NotLoggedIn.into())
    }

    /// The token in the session cookie, whatever it is worth.
    pub(crate) fn presented(&self) -> Option<SessionToken> {
        SessionToken::parse(self.jar.session.as_deref()?)
    }

    /// The organization of the path.
    pub(crate) fn organization_id(&self) -> Result<OrganizationId, Fault> {
        OrganizationId::parse(self.param("organization")).map_err(|_| Problem::not_found().into())
    }

    /// Whether the host answers, and not the portal.
    pub(crate) fn is_on_host(&self) -> bool {
        self.site != Site::Portal
    }

    /// The word of a query that says that this page has been tried once already. A host has words of
    /// its own, which ours must not be taken for.
    pub(crate) fn retry_word(&self) -> &'static str {
        match self.site {
            Site::Portal => "retry",
            Site::HostPage | Site::HostFetch => "narthex_retry",
        }
    }

    /// Where this page is, if one can come back to it: without the words that are said once. A form
    /// that was sent to the host leads back to its page.
    pub(crate) fn location(&self) -> Option<ResumeLocation> {
        if self.is_on_host() && self.route.is_unsafe() {
            return self.came_from();
        }
        let said_once = match self.site {
            Site::Portal => &SAID_ONCE[..],
            Site::HostPage | Site::HostFetch => &["narthex_retry"],
        };
        let text = match query::without(self.query, said_once) {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_owned(),
        };
        if self.is_on_host() {
            ResumeLocation::on_host(&text, &self.portal().policy().apps)
        } else {
            self.parse_location(&text)
        }
    }

    /// The page of the host that sent this request, as the browser says.
    fn came_from(&self) -> Option<ResumeLocation> {
        let referer = self.headers.get(REFERER)?.to_str().ok()?;
        let text = referer.strip_prefix(&self.base().origin())?;
        ResumeLocation::on_host(text, &self.portal().policy().apps)
    }

    /// Where a location is, from the root of the origin.
    pub(crate) fn place(&self, location: &ResumeLocation) -> String {
        if location.is_on_host() {
            location.as_str().to_owned()
        } else {
            self.link(location.as_str())
        }
    }

    /// Where the switcher leads: the same application in another organization where its path names
    /// one, else the landing page there.
    pub(crate) fn switch_url(&self, organization: &OrganizationId) -> String {
        let apps = &self.portal().policy().apps;
        let location = self.location();
        location
            .and_then(|location| location.in_organization(organization, apps))
            .unwrap_or_else(|| self.link(&format!("/o/{organization}/")))
    }

    /// A location from outside, if it is one of ours.
    pub(crate) fn parse_location(&self, text: &str) -> Option<ResumeLocation> {
        ResumeLocation::parse(text, &self.portal().policy().apps).ok()
    }

    /// The log-in page that leads back to `location`, tagged for `account` (S14).
    pub(crate) fn login_url(
        &self,
        account: Option<AccountId>,
        location: Option<&ResumeLocation>,
        reason: Option<&str>,
    ) -> Result<String, Fault> {
        let mut words = Vec::new();
        if let Some(location) = location {
            words.push(format!("return_to={}", query::encode(location.as_str())));
            if let Some(account) = account {
                words.push(format!(
                    "for={}",
                    self.portal().resume_tag(account, location)?
                ));
            }
        }
        if let Some(reason) = reason {
            words.push(format!("reason={reason}"));
        }
        let question = if words.is_empty() { "" } else { "?" };
        Ok(self.link(&format!("/login{question}{}", words.join("&"))))
    }

    /// The token for forms of this page.
    pub(crate) fn form_token(&self) -> Result<String, Fault> {
        let binding = match &self.session {
            Some(session) => Binding::Family(session.verified.selector()),
            None => Binding::Pre(&self.pre.nonce),
        };
        Ok(form_token(self.portal(), binding)?)
    }

    /// All organizations.
    pub(crate) async fn organizations(&self) -> Result<Arc<Vec<Organization>>, Fault> {
        self.shared.organizations.all(self.portal()).await
    }

    /// Names of organizations by id.
    pub(crate) async fn organization_names(
        &self,
    ) -> Result<HashMap<OrganizationId, String>, Fault> {
        let all = self.organizations().await?;
        Ok(all.iter().map(|o| (o.id.clone(), o.name.clone())).collect())
    }
}
