//! The host's own pages: who may come in, and what such a page needs to know.

use std::sync::{Arc, LazyLock};

use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode, header};
use narthex_core::model::{OrganizationId, Profile, ResumeLocation};
use narthex_core::rules::resume::AppPrefix;
use narthex_core::{Asker, Refusal, VerifiedSession};

use crate::answered::SessionFound;
use crate::context::{Ctx, Session, Shared, Site};
use crate::cookies::Jar;
use crate::forms::Form;
use crate::guard::guard_host;
use crate::json::Object;
use crate::pages::header::{fragment, organization_of, profile_of};
use crate::pages::{self};
use crate::pre::Pre;
use crate::problem::{Fault, Problem};
use crate::proxies::Peer;
use crate::reply::Reply;
use crate::routes::{HOST_READ, HOST_WRITE, Who};
use crate::service::{Body, PortalService, logged};
use crate::texts::Texts;

/// Who may come to a page of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entry {
    /// Who has a live session, and belongs to the organization that the path names.
    #[default]
    Person,
    /// Anybody; who has a live session is known.
    Anybody,
}

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The store did not answer.
    #[error(transparent)]
    Engine(#[from] narthex_core::Error),
    /// The template did not render: a mistake of this crate.
    #[error("the header did not render: {0}")]
    Template(String),
}

impl From<Fault> for HeaderError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Engine(error) => Self::Engine(error),
            Fault::Render(error) => Self::Template(error.to_string()),
            Fault::Problem(problem) => Self::Template(problem.code.to_owned()),
        }
    }
}

/// What becomes of a request to a page of the host.
#[derive(Debug)]
pub enum Admission {
    /// The host answers it. What it answers must not be kept: `Cache-Control: no-store`.
    Admitted(Visit),
    /// This is the answer: the way to the log-in, a refusal, a page that loads again.
    Answered(Response<Body>),
}

/// A person, or nobody we know, on a page of the host. Cheap to clone.
#[derive(Clone)]
pub struct Visit(Arc<Inner>);

struct Inner {
    service: PortalService,
    t: &'static Texts,
    /// Path and query.
    location: String,
    session: Option<Session>,
    profile: Option<Profile>,
    organization: Option<OrganizationId>,
    method: Method,
    navigation: bool,
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let who = if self.0.session.is_some() {
            "a person"
        } else {
            "nobody"
        };
        write!(f, "Visit({who} at {})", self.0.location)
    }
}

impl PortalService {
    /// Whether the portal answers `path` itself: what lies below its base path and not under a prefix
    /// of the host, and `/.well-known/change-password`.
    pub fn owns(&self, path: &str) -> bool {
        let base = &self.shared.settings.base_url;
        let apps = &self.shared.portal.policy().apps;
        let own = base.strip(path).is_some() || path == "/.well-known/change-password";
        own && !apps.iter().any(|app| path.starts_with(app.as_str()))
    }

    /// Judges a request to a page of the host at `path_and_query`, seen from the root of the origin
    /// (some frameworks cut the URI of what they nest). Where the session is known to this process
    /// and the path names no organization, no store is asked.
    ///
    /// A navigation that a person began, and whatever changes something, counts as activity. What
    /// changes something must come from a page of this origin.
    pub async fn admit(&self, request: &Parts, path_and_query: &str, entry: Entry) -> Admission {
        let request_id = self.shared.request_ids.next();
        match self
            .judged(request, path_and_query, entry, &request_id)
            .await
        {
            Ok(visit) => Admission::Admitted(visit),
            Err(reply) => Admission::Answered(self.finished(reply, &request.method, &request_id)),
        }
    }

    async fn judged(
        &self,
        request: &Parts,
        path_and_query: &str,
        entry: Entry,
        request_id: &str,
    ) -> Result<Visit, Reply> {
        let shared = &*self.shared;
        let navigation = is_navigation(request);
        let site = if navigation {
            Site::HostPage
        } else {
            Site::HostFetch
        };
        let read = shared.cookies.read(&request.headers);
        let t = self.language_of(&request.headers, read.as_ref().ok());
        let mut ctx = host_ctx(shared, t, &request.headers, (site, path_and_query), None);
        ctx.request_id = request_id;
        if !request.method.is_safe() {
            ctx.route = &HOST_WRITE;
        }
        let who = match entry {
            Entry::Person => Who::Person,
            Entry::Anybody => Who::Known,
        };
        let judged = match read {
            Ok(jar) => {
                ctx.jar = jar;
                admitted(&mut ctx, who).await
            }
            Err(_) => {
                let status = StatusCode::BAD_REQUEST;
                Err(Problem::new(status, "duplicate_cookie", |t| t.duplicate_cookie).into())
            }
        };
        match judged {
            Ok((profile, organization)) => Ok(Visit(Arc::new(Inner {
                service: self.clone(),
                t: ctx.t,
                location: path_and_query.to_owned(),
                session: ctx.session,
                profile,
                organization,
                method: request.method.clone(),
                navigation,
            }))),
            Err(fault) => Err(refused(&ctx, fault)),
        }
    }

    /// The header of a page of the host at `location` (path and query, from the root of the origin):
    /// an element, and the script that looks after it. Without a session it has a link to the log-in.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn header(
        &self,
        session: Option<&VerifiedSession>,
        location: &str,
    ) -> Result<String, HeaderError> {
        let portal = &self.shared.portal;
        let session = match session {
            None => None,
            Some(verified) => Some(Session {
                found: SessionFound::Warm,
                family: portal.family_tag(verified.selector())?,
                expires_in: verified.expires_at().since(portal.now().latest),
                verified: verified.clone(),
            }),
        };
        let t = self.language_of(&NO_HEADERS, None);
        let at = (Site::HostPage, location);
        let page = host_ctx(&self.shared, t, &NO_HEADERS, at, session);
        let profile = profile_of(&page).await?;
        Ok(fragment(&page, profile.as_ref()).await?)
    }

    /// Who sent a request to a page of the host, for what the host asks of [`Portal`] itself: the address
    /// as the trusted proxies tell it, the browser, and what it keeps of earlier log-ins.
    ///
    /// [`Portal`]: narthex_core::Portal
    pub fn asker(&self, request: &Parts, peer: Peer) -> Asker {
        let jar = self.shared.cookies.read(&request.headers).ok();
        let user_agent = request.headers.get(header::USER_AGENT);
        let request_id = self.shared.request_ids.next();
        self.asker_of(
            &request.headers,
            peer,
            jar.as_ref(),
            user_agent,
            &request_id,
        )
    }

    /// Where the script is, for a page that writes its own `<script>` element: a URL that changes with
    /// the script, so that browsers may keep it for ever.
    pub fn script_url(&self) -> String {
        let shared = &self.shared;
        shared
            .settings
            .base_url
            .link(&shared.assets.path("portal", "js"))
    }
}

impl Visit {
    /// The session; always there behind [`Entry::Person`].
    pub fn session(&self) -> Option<&VerifiedSession> {
        self.0.session.as_ref().map(|session| &session.verified)
    }

    /// The public name of the session's family. A form that writes it into a hidden field, and compares
    /// it when it is sent, never acts for somebody who logged in meanwhile; a script sends it as the
    /// header `narthex-family`, and is refused with 409.
    pub fn family(&self) -> Option<&str> {
        self.0
            .session
            .as_ref()
            .map(|session| session.family.as_str())
    }

    /// Where the visit is, if one can come back to it.
    pub fn location(&self) -> Option<ResumeLocation> {
        self.page().location()
    }

    /// The organization that the path names ([`AppPrefix::organization_at`]); the person belongs to it.
    pub fn organization(&self) -> Option<&OrganizationId> {
        self.0.organization.as_ref()
    }

    /// The organization that the path names, else the person's default.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn organization_or_default(&self) -> narthex_core::Result<Option<OrganizationId>> {
        if let Some(organization) = self.organization() {
            return Ok(Some(organization.clone()));
        }
        let profile = self.profile().await?;
        Ok(profile.and_then(|profile| organization_of(&self.page(), &profile)))
    }

    /// Who is there; `None` without a session, or where it ended meanwhile.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn profile(&self) -> narthex_core::Result<Option<Profile>> {
        match &self.0.profile {
            Some(profile) => Ok(Some(profile.clone())),
            None => profile_of(&self.page()).await,
        }
    }

    /// Whether the person typed the password a short while ago: what a borrowed session must not do
    /// asks for it (SE-13).
    pub fn is_fresh(&self) -> bool {
        let portal = &self.0.service.shared.portal;
        self.session()
            .is_some_and(|session| portal.fresh(session).is_ok())
    }

    /// The header of this page; see [`PortalService::header`].
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn header(&self) -> Result<String, HeaderError> {
        let profile = self.profile().await?;
        Ok(fragment(&self.page(), profile.as_ref()).await?)
    }

    /// The answer to who may not do this here: a page for a person, a problem document for a script.
    pub fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let service = &self.0.service;
        let request_id = service.shared.request_ids.next();
        let mut page = self.page();
        page.request_id = &request_id;
        let reply = refused(&page, refusal.into());
        service.finished(reply, &self.0.method, &request_id)
    }

    fn page(&self) -> Ctx<'_> {
        let inner = &*self.0;
        let site = if inner.navigation {
            Site::HostPage
        } else {
            Site::HostFetch
        };
        let shared = &inner.service.shared;
        let at = (site, inner.location.as_str());
        host_ctx(shared, inner.t, &NO_HEADERS, at, inner.session.clone())
    }
}

/// What is asked for later does not depend on the headers of the request.
static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

/// The person, where the store had to be asked, and the organization that the path names.
type Judged = (Option<Profile>, Option<OrganizationId>);

async fn admitted(ctx: &mut Ctx<'_>, who: Who) -> Result<Judged, Fault> {
    guard_host(ctx, who).await?;
    let named = match AppPrefix::organization_at(ctx.path, &ctx.portal().policy().apps) {
        Ok(named) => named,
        Err(_) if who == Who::Person => return Err(Refusal::NotPermitted.into()),
        Err(_) => None,
    };
    let (Some(organization), Some(session)) = (named, &ctx.session) else {
        return Ok((None, None));
    };
    // Read afresh: a membership that was taken away is gone at the next request (AZ-03).
    let profile = ctx.portal().profile(&session.verified).await?;
    match profile.is_member(&organization) {
        true => Ok((Some(profile), Some(organization))),
        false if who == Who::Person => Err(Refusal::NotPermitted.into()),
        false => Ok((Some(profile), None)),
    }
}

fn refused(ctx: &Ctx<'_>, fault: Fault) -> Reply {
    let fault = logged(fault, ctx.request_id);
    match ctx.site {
        Site::HostFetch => Reply::problem(&fault.problem(), ctx.t, ctx.request_id),
        Site::HostPage | Site::Portal => pages::error::answer(ctx, &fault),
    }
}

/// A request for a page of the host, as the pages of this crate take it.
pub(crate) fn host_ctx<'a>(
    shared: &'a Shared,
    t: &'static Texts,
    headers: &'a HeaderMap,
    (site, path_and_query): (Site, &'a str),
    session: Option<Session>,
) -> Ctx<'a> {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    Ctx {
        shared,
        headers,
        t,
        site,
        path,
        query,
        params: Vec::new(),
        route: &HOST_READ,
        jar: Jar::default(),
        pre: Pre::none(),
        asker: Asker::default(),
        request_id: "",
        form: Form::default(),
        json: Object::default(),
        file: None,
        session,
        stale_form: false,
    }
}

/// Whether a person is to see the answer as a page. A browser too old to say so asks for HTML.
fn is_navigation(request: &Parts) -> bool {
    match request.headers.get("sec-fetch-mode") {
        Some(mode) => mode.as_bytes() == b"navigate",
        None => {
            let accepted = request.headers.get_all(header::ACCEPT);
            let mut accepted = accepted.iter().filter_map(|value| value.to_str().ok());
            accepted.any(|value| value.contains("text/html"))
        }
    }
}
