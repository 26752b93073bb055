//! One request in, one response out.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use http::header::{ALLOW, CONTENT_LENGTH, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use narthex_core::model::RequestId;
use narthex_core::rules::staff::is_staff;
use narthex_core::secret::SessionToken;
use narthex_core::{Asker, Check, EndReason, KnownBrowser, Portal};
use tracing::{debug, error, warn};

use crate::assets::Assets;
use crate::client_label::client_label;
use crate::context::{Ctx, OrganizationCache, RequestIds, Shared, Site};
use crate::cookies::{CookieKind, CookieNames, Jar};
use crate::forms::Form;
use crate::guard::guard;
use crate::headers::add_fixed;
use crate::json::Object;
use crate::looks::Looks;
use crate::pre::Pre;
use crate::problem::{Fault, Problem};
use crate::proxies::{Peer, asker_address, source};
use crate::query;
use crate::render::Renderer;
use crate::reply::Reply;
use crate::roster::ROSTER_BYTES_MAX;
use crate::routes::{Action, Found, Route, RouteTable};
use crate::settings::{Settings, SettingsError};
use crate::texts::Texts;
use crate::upload::Previews;
use crate::{api, language, pages};

/// The longest request body, in bytes (WB-16).
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// The longest request head (names and values of all headers), in bytes (WB-16).
pub const HEADER_BYTES_MAX: usize = 8 * 1024;
/// The longest path and query, in bytes.
const TARGET_BYTES_MAX: usize = 4096;

/// What a response carries.
pub enum Body {
    /// All of it.
    Full(Bytes),
    /// Server-sent events, each item one or more whole lines. An adapter that has a timer may send
    /// comment lines (`:\n\n`) between items to keep the connection alive.
    Events(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Events(_) => f.write_str("Events"),
        }
    }
}

/// The portal as a function of requests. Cheap to clone.
#[derive(Clone)]
pub struct PortalService {
    pub(crate) shared: Arc<Shared>,
    routes: Arc<RouteTable>,
}

impl std::fmt::Debug for PortalService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PortalService({})", self.shared.settings.base_url)
    }
}

impl PortalService {
    /// Ready to answer.
    ///
    /// # Errors
    /// The settings cannot be served.
    pub fn new(portal: Portal, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        settings.check_apps(&portal.policy().apps)?;
        let built_in = |error: String| SettingsError::BuiltIn(error);
        let https = settings.base_url.is_https();
        let mut assets = Assets::new();
        let shared = Shared {
            request_ids: RequestIds::new(&portal).map_err(|error| built_in(error.to_string()))?,
            portal,
            cookies: CookieNames::new(https, &settings.cookie_suffix),
            renderer: Renderer::new().map_err(|error| built_in(error.to_string()))?,
            looks: Looks::new(&settings, &mut assets),
            assets,
            organizations: OrganizationCache::default(),
            previews: Previews::default(),
            settings,
        };
        let routes = RouteTable::new().map_err(|error| built_in(error.to_string()))?;
        Ok(Self {
            shared: Arc::new(shared),
            routes: Arc::new(routes),
        })
    }

    /// Answers one request. Never fails: what goes wrong is an answer too.
    pub async fn handle(&self, request: Request<Bytes>, peer: Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let request_id = self.shared.request_ids.next();
        let reply = self.answer(&parts, body, peer, &request_id).await;
        self.finished(reply, &parts.method, &request_id)
    }

    /// With the headers every answer has.
    pub(crate) fn finished(
        &self,
        mut reply: Reply,
        method: &Method,
        request_id: &str,
    ) -> Response<Body> {
        if method == Method::HEAD {
            let body = std::mem::replace(&mut reply.body, Body::Full(Bytes::new()));
            if let Body::Full(body) = body
                && !body.is_empty()
            {
                reply.headers.insert(CONTENT_LENGTH, body.len().into());
            }
        }
        add_fixed(&mut reply.headers, self.shared.settings.base_url.is_https());
        if let Ok(value) = HeaderValue::from_str(request_id) {
            reply
                .headers
                .insert(HeaderName::from_static("x-request-id"), value);
        }
        reply.into_response()
    }

    /// How many bytes of a request's body are worth reading, by its head: [`BODY_BYTES_MAX`], but for
    /// people of staff who bring a roster, [`ROSTER_BYTES_MAX`].
    pub async fn body_bytes_max(&self, head: &Parts) -> usize {
        let bytes_max = self.bytes_max(head);
        if bytes_max == BODY_BYTES_MAX {
            return bytes_max;
        }
        let portal = &self.shared.portal;
        let jar = self.shared.cookies.read(&head.headers).ok();
        let token = jar.and_then(|jar| SessionToken::parse(jar.session.as_deref()?));
        let Some(token) = token else {
            return BODY_BYTES_MAX;
        };
        let session = match portal.check(&token) {
            Check::Live(session) => Ok(session),
            Check::AskStore => portal.verify_session(&token).await,
        };
        let profile = match session {
            Ok(session) => portal.profile(&session).await,
            Err(error) => Err(error),
        };
        let policy = &portal.policy().staff;
        match profile {
            Ok(profile) if is_staff(&profile.memberships, policy) => bytes_max,
            _ => BODY_BYTES_MAX,
        }
    }

    /// By the route alone.
    fn bytes_max(&self, head: &Parts) -> usize {
        let path = self.path_below_base(head.uri.path());
        let found = path.map(|path| self.routes.find(&head.method, path));
        match found {
            Some(Found::Route(route, _))
                if route.takes_file() && self.shared.settings.roster_reader.is_some() =>
            {
                ROSTER_BYTES_MAX
            }
            _ => BODY_BYTES_MAX,
        }
    }

    async fn answer(&self, parts: &Parts, body: Bytes, peer: Peer, request_id: &str) -> Reply {
        let bare = |problem: Problem| {
            debug!(request_id, code = problem.code, "refused");
            let t = self.language(parts, None);
            self.bare_problem(parts, t, &problem, request_id)
        };
        if let Err(problem) = check_sizes(parts, &body, self.bytes_max(parts)) {
            return bare(problem);
        }
        let path = parts.uri.path();
        if path == "/healthz" && matches!(parts.method, Method::GET | Method::HEAD) {
            let mut reply = health();
            reply.answered.route = "/healthz";
            return reply;
        }
        if !self.host_is_ours(parts) {
            let status = StatusCode::MISDIRECTED_REQUEST;
            return bare(Problem::new(status, "wrong_host", |t| t.wrong_host));
        }
        let Some(path) = self.path_below_base(path) else {
            return bare(Problem::not_found());
        };
        let (route, params) = match self.routes.find(&parts.method, path) {
            Found::Route(route, params) => (route, params),
            Found::Nothing => return bare(Problem::not_found()),
            Found::OtherMethods(methods) => {
                return bare(wrong_method()).header(ALLOW, allow(&methods));
            }
        };
        let mut reply = match self.prepare(parts, path, params, route, peer, request_id) {
            Ok(ctx) => guarded(ctx, &body).await,
            Err(fault) => bare(logged(fault, request_id).problem()),
        };
        reply.answered.route = route.pattern;
        reply
    }

    fn prepare<'a>(
        &'a self,
        parts: &'a Parts,
        path: &'a str,
        params: Vec<(&'static str, &'a str)>,
        route: &'static Route,
        peer: Peer,
        request_id: &'a str,
    ) -> Result<Ctx<'a>, Fault> {
        let shared = &*self.shared;
        let jar: Jar = shared.cookies.read(&parts.headers).map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "duplicate_cookie", |t| {
                t.duplicate_cookie
            })
        })?;
        // Only what changes something is written down with the browser it came from.
        let user_agent = parts.headers.get(USER_AGENT).filter(|_| route.is_unsafe());
        let asker = self.asker_of(&parts.headers, peer, Some(&jar), user_agent, request_id);
        Ok(Ctx {
            shared,
            headers: &parts.headers,
            site: Site::Portal,
            path,
            query: parts.uri.query(),
            t: self.language(parts, Some(&jar)),
            params,
            route,
            pre: Pre::read(jar.pre.as_deref(), &shared.portal, !route.is_api())?,
            asker,
            jar,
            request_id,
            form: Form::default(),
            json: Object::default(),
            file: None,
            session: None,
            stale_form: false,
        })
    }

    pub(crate) fn asker_of(
        &self,
        headers: &HeaderMap,
        peer: Peer,
        jar: Option<&Jar>,
        user_agent: Option<&HeaderValue>,
        request_id: &str,
    ) -> Asker {
        let address = asker_address(peer, headers, &self.shared.settings.trusted_proxies);
        let user_agent = user_agent.and_then(|value| value.to_str().ok());
        Asker {
            source: source(address),
            request_id: RequestId::new(request_id),
            client_label: client_label(user_agent.unwrap_or("")),
            known_browser: jar.and_then(|jar| KnownBrowser::parse(jar.known.as_deref()?)),
        }
    }

    /// HTTP/1 says the host in `Host`, HTTP/2 in the target; where both are there, both must be
    /// ours.
    fn host_is_ours(&self, parts: &Parts) -> bool {
        let base = &self.shared.settings.base_url;
        let mut named = false;
        for host in parts.headers.get_all(HOST) {
            if named || !host.to_str().is_ok_and(|host| base.is_host(host)) {
                return false;
            }
            named = true;
        }
        match parts.uri.authority() {
            Some(authority) => base.is_host(authority.as_str()),
            None => named,
        }
    }

    /// `/.well-known/...` lives at the root of the host, whatever the base path.
    fn path_below_base<'p>(&self, path: &'p str) -> Option<&'p str> {
        if path == "/.well-known/change-password" {
            return Some(path);
        }
        self.shared.settings.base_url.strip(path)
    }

    /// The language of the answer: chosen on this page, else in this browser before, else what the
    /// browser prefers, else the portal's own.
    fn language(&self, parts: &Parts, jar: Option<&Jar>) -> &'static Texts {
        let asked = query::value(parts.uri.query(), "lang");
        let asked = asked.as_deref().and_then(language::known);
        asked.unwrap_or_else(|| self.language_of(&parts.headers, jar))
    }

    /// The same where the page has no such choice.
    pub(crate) fn language_of(&self, headers: &HeaderMap, jar: Option<&Jar>) -> &'static Texts {
        let kept = jar.and_then(|jar| jar.language.as_deref());
        kept.and_then(language::known)
            .or_else(|| language::preferred(headers))
            .unwrap_or_else(|| self.shared.settings.language.texts())
    }

    /// A refusal before there is a context: JSON for programs, a page for people.
    fn bare_problem(
        &self,
        parts: &Parts,
        t: &'static Texts,
        problem: &Problem,
        request_id: &str,
    ) -> Reply {
        let base = &self.shared.settings.base_url;
        let path = base.strip(parts.uri.path()).unwrap_or_default();
        if path.starts_with("/api/") {
            return Reply::problem(problem, t, request_id);
        }
        pages::error::bare(&self.shared, t, problem, request_id)
    }
}

fn check_sizes(parts: &Parts, body: &Bytes, bytes_max: usize) -> Result<(), Problem> {
    let header_bytes: usize = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if header_bytes > HEADER_BYTES_MAX {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Problem::new(status, "headers_too_large", |t| {
            t.headers_too_large
        }));
    }
    let target = parts
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if target > TARGET_BYTES_MAX {
        let status = StatusCode::URI_TOO_LONG;
        return Err(Problem::new(status, "location_too_long", |t| {
            t.location_too_long
        }));
    }
    if body.len() > bytes_max {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(Problem::new(status, "body_too_large", |t| t.body_too_large));
    }
    Ok(())
}

fn wrong_method() -> Problem {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, "method_not_allowed", |t| t.method_not_allowed)
}

fn allow(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("GET"))
}

pub(crate) fn health() -> Reply {
    Reply::with_body(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")
}

/// Writes down what is ours to know. Refusals are everyday; errors are not.
pub(crate) fn logged(fault: Fault, request_id: &str) -> Fault {
    match &fault {
        Fault::Engine(narthex_core::Error::Refused(refusal)) => {
            debug!(request_id, code = refusal.code(), "refused");
        }
        Fault::Engine(failure @ narthex_core::Error::Busy { .. }) => {
            warn!(request_id, error = %failure, "turned away");
        }
        Fault::Engine(failure) => error!(request_id, error = %failure, "failed"),
        Fault::Problem(problem) => debug!(request_id, code = problem.code, "refused"),
        Fault::Render(failure) => error!(request_id, error = ?failure, "a page did not render"),
    }
    fault
}

async fn guarded(mut ctx: Ctx<'_>, body: &Bytes) -> Reply {
    let outcome = match guard(&mut ctx, body).await {
        Ok(()) => run(&ctx).await,
        Err(fault) => Err(fault),
    };
    let mut reply = match outcome {
        Ok(reply) => reply,
        Err(fault) => {
            if let Some(reply) = pages::password::saved_already(&ctx, &fault).await {
                return reply;
            }
            let fault = logged(fault, ctx.request_id);
            let code = fault.problem().code;
            let mut reply = if ctx.route.is_api() {
                Reply::problem(&fault.problem(), ctx.t, ctx.request_id)
            } else {
                pages::error::answer(&ctx, &fault)
            };
            reply.answered.code = Some(code);
            reply
        }
    };
    reply.answered.session = ctx.session.as_ref().map(|session| session.found);
    reply
}

async fn run(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    match ctx.route.action {
        Action::Account => pages::account::show(ctx).await,
        Action::AccountCodes => pages::account_codes::show(ctx).await,
        Action::AccountCodesMake => pages::account_codes::make(ctx).await,
        Action::AccountQuestions => pages::account_questions::show(ctx).await,
        Action::AccountQuestionsSave => pages::account_questions::save(ctx).await,
        Action::AccountMessagesPutAway => pages::messages::put_away(ctx).await,
        Action::AccountSessions => pages::account_sessions::show(ctx).await,
        Action::AccountSessionsEnd => pages::account_sessions::end(ctx).await,
        Action::AccountSave => pages::account::save(ctx).await,
        Action::App => pages::app::show(ctx).await,
        Action::ApiAccount => api::account::show(ctx).await,
        Action::ApiAccountSave => api::account::save(ctx).await,
        Action::ApiActivity => api::session::activity(ctx).await,
        Action::ApiApps => api::organizations::apps(ctx).await,
        Action::ApiClaim => api::claim::begin(ctx).await,
        Action::ApiClaimPassword => api::claim::password(ctx).await,
        Action::ApiClaimQuestions => api::claim::questions(ctx).await,
        Action::ApiEvents => api::events::stream(ctx),
        Action::ApiLogIn => api::session::log_in(ctx).await,
        Action::ApiLogOut => api::session::log_out(ctx).await,
        Action::ApiMessages => api::messages::list(ctx).await,
        Action::ApiMessagesPutAway => api::messages::put_away(ctx).await,
        Action::ApiOpenApi => Ok(api::openapi::show()),
        Action::ApiOrganizations => api::organizations::list(ctx).await,
        Action::ApiPassword => api::password::change(ctx).await,
        Action::ApiQuestions => api::questions::bank(ctx).await,
        Action::ApiQuestionsSave => api::questions::save(ctx).await,
        Action::ApiCodes => api::recovery::codes_left(ctx).await,
        Action::ApiCodesMake => api::recovery::make_codes(ctx).await,
        Action::ApiConfirm => api::sessions::confirm(ctx).await,
        Action::ApiRecovery => api::recovery::begin(ctx).await,
        Action::ApiRecoveryPassword => api::recovery::password(ctx).await,
        Action::ApiRecoveryQuestions => api::recovery::questions(ctx).await,
        Action::ApiSessions => api::sessions::list(ctx).await,
        Action::ApiSessionsEnd => api::sessions::end(ctx).await,
        Action::ApiSessionsEndOthers => api::sessions::end_others(ctx).await,
        Action::ApiRequirements => api::password::requirements(ctx).await,
        Action::ApiSession => api::session::show(ctx),
        Action::ApiStaffHolds => api::staff::holds(ctx).await,
        Action::ApiStaffHoldSettle => api::staff::settle(ctx).await,
        Action::ApiStaffRosterConfirm => api::staff::confirm(ctx).await,
        Action::ApiStaffRosterPreview => api::staff::preview(ctx).await,
        Action::ApiStaffStatistics => api::staff::statistics(ctx).await,
        Action::ApiStatistics => api::organizations::statistics(ctx).await,
        Action::Asset => ctx
            .shared
            .assets
            .get(ctx.param("file"), ctx.headers)
            .ok_or(Problem::not_found().into()),
        Action::ChangePasswordAddress => Ok(Reply::see_other(&ctx.link("/account/password"))),
        Action::Claim => pages::claim::begin_page(ctx).await,
        Action::ClaimAbandon => pages::claim::abandon(ctx).await,
        Action::ClaimBegin => pages::claim::begin(ctx).await,
        Action::ClaimPassword => pages::claim_steps::password_page(ctx).await,
        Action::ClaimPasswordSave => pages::claim_steps::password(ctx).await,
        Action::ClaimQuestions => pages::claim_steps::questions_page(ctx).await,
        Action::ClaimQuestionsSave => pages::claim_steps::questions(ctx).await,
        Action::Downloads => pages::landing::downloads(ctx).await,
        Action::Header => pages::header::show(ctx).await,
        Action::Health => Ok(health()),
        Action::Help => pages::help::show(ctx).await,
        // No row of the table leads there.
        Action::HostPage => Err(Problem::not_found().into()),
        Action::Home => pages::login::home(ctx).await,
        Action::Landing => pages::landing::show(ctx).await,
        Action::LogIn => pages::login::log_in(ctx).await,
        Action::LogInPage => pages::login::page(ctx).await,
        Action::LogOut => pages::login::log_out(ctx).await,
        Action::Password => pages::password::show(ctx).await,
        Action::PasswordSave => pages::password::save(ctx).await,
        Action::Recover => pages::recovery::begin_page(ctx).await,
        Action::RecoverBegin => pages::recovery::begin(ctx).await,
        Action::RecoverPassword => pages::recovery_steps::password_page(ctx).await,
        Action::RecoverPasswordSave => pages::recovery_steps::password(ctx).await,
        Action::RecoverQuestions => pages::recovery_steps::questions_page(ctx).await,
        Action::RecoverQuestionsSave => pages::recovery_steps::questions(ctx).await,
        Action::Staff => pages::staff::show(ctx).await,
        Action::StaffAct => pages::staff::act(ctx).await,
        Action::StaffHoldSettle => pages::staff_roster::settle(ctx).await,
        Action::StaffRoster => pages::staff_roster::show(ctx).await,
        Action::StaffRosterConfirm => pages::staff_roster::confirm(ctx).await,
        Action::StaffRosterPreview => pages::staff_roster::preview(ctx).await,
        Action::StaffStatistics => pages::staff_statistics::show(ctx).await,
    }
}

/// Takes away the cookie of a session that has ended; not where somebody has logged in over it in this
/// browser: the cookie may be the new one by the time this answer arrives.
pub(crate) fn without_ended_session(ctx: &Ctx<'_>, reply: Reply, reason: EndReason) -> Reply {
    match reason {
        EndReason::LoggedInAgain => reply,
        _ => wipe_session(ctx, reply),
    }
}

/// Ends the session cookie and nothing else.
pub(crate) fn wipe_session(ctx: &Ctx<'_>, reply: Reply) -> Reply {
    reply.cookie(ctx.shared.cookies.wipe(CookieKind::Session))
}
