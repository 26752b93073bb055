//! The methods that `narthex.Portal` is made of. Each that hashes or may touch the disk returns an
//! [`Operation`]; the check of a session is a plain call.

use std::sync::Arc;

use bytes::Bytes;
use narthex::core::model::{AccountId, InvalidInput, OrganizationId};
use narthex::core::portal::{ImportOptions, LogIn};
use narthex::core::rules::question::BANK;
use narthex::core::rules::resume::Resume;
use narthex::core::{Check, Refusal, ResumeLocation, SessionToken as Token, TicketId};
use narthex::http::{Admission, Entry, OnGrid, Settings};
use narthex::{OpenOptions, StoreUrl};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::{Engine, Recipe};
use crate::arguments::{self, AskerArgument, FactsArgument, GivenSession, asker};
use crate::errors::{Failure, invalid_argument, panicked, unusable};
use crate::handles::{Session, SessionToken};
use crate::hook::{self, HooksArgument};
use crate::http::{RequestArgument, SiteArgument, answer, answer_parts};
use crate::notices::Notices;
use crate::operation::Operation;
use crate::policy::PolicyArgument;
use crate::testing::ManualClock;
use crate::tickets::ClaimTicket;
use crate::visit::Visit;
use crate::{handles, roster, values};

/// A `SessionToken`, or the text of a cookie; `None` for what no portal ever made.
fn token(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<Token>> {
    if let Ok(token) = value.cast::<SessionToken>() {
        return Ok(Some(token.get().0.clone()));
    }
    // A cookie is read where it lies. What is no text at all, `arguments::text` says.
    if let Ok(text) = value.cast::<PyString>()
        && text.len()? == Token::TEXT_LENGTH
        && let Ok(text) = text.to_str()
        && let Some(token) = Token::parse(text)
    {
        return Ok(Some(token));
    }
    Ok(Token::parse(&arguments::text(value, name)?))
}

impl Engine {
    fn verify_again(&self, py: Python<'_>, session: &Session) -> PyResult<Operation> {
        let (before, token) = (session.verified.clone(), session.token.clone());
        self.operation(
            py,
            |portal| async move { Ok((portal.verify_again(&before).await?, token)) },
            |py, (verified, token)| Ok(Bound::new(py, Session { verified, token })?.into_any()),
        )
    }
}

fn not_logged_in(py: Python<'_>) -> PyErr {
    Failure::from(Refusal::NotLoggedIn).into_exception(py)
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (url, *, keys, policy, shared, hash_workers, hooks, site, clock))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        py: Python<'_>,
        url: &Bound<'_, PyAny>,
        keys: Option<std::path::PathBuf>,
        policy: PolicyArgument,
        shared: bool,
        hash_workers: Option<Bound<'_, PyAny>>,
        hooks: HooksArgument<'_>,
        site: Option<SiteArgument>,
        clock: Option<Py<ManualClock>>,
    ) -> PyResult<Self> {
        let (mut options, settings) = judged(py, url, policy, hash_workers, site)?;
        options.keys = keys;
        options.shared = shared;
        let hooks = hooks.into_hooks()?;
        let recipe = match clock {
            None => Recipe::Real(options),
            Some(clock) => Recipe::Testing(options, clock.get().host()),
        };
        let engine = Self::open(recipe, settings);
        let engine = engine.map_err(|failure| failure.into_exception(py))?;
        engine.set_hooks(py, hooks)?;
        Ok(engine)
    }

    /// Raises what the constructor would raise before it opens anything.
    #[staticmethod]
    #[pyo3(signature = (url, *, policy, hash_workers, hooks, site))]
    fn judge(
        py: Python<'_>,
        url: &Bound<'_, PyAny>,
        policy: PolicyArgument,
        hash_workers: Option<Bound<'_, PyAny>>,
        hooks: HooksArgument<'_>,
        site: Option<SiteArgument>,
    ) -> PyResult<()> {
        hooks.into_hooks()?;
        judged(py, url, policy, hash_workers, site).map(drop)
    }

    /// Closes the store. Whoever uses it afterwards is told.
    fn close(&self, py: Python<'_>) {
        let _attached = py;
        self.close_now();
    }

    /// Whether the session of a token is live, which is a plain look where it is known; or a session
    /// still is, which the store is asked.
    fn verify_session(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<Session> {
        if let Ok(session) = token.cast::<Session>() {
            let operation = self.verify_again(py, session.get())?;
            return Ok(operation
                .run(py)?
                .extract::<PyRef<'_, Session>>(py)?
                .again());
        }
        let token = self::token(token, "token")?.ok_or_else(|| not_logged_in(py))?;
        hook::not_within()?;
        let live = self.live(py)?;
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            if let Check::Live(verified) = live.portal.check(&token) {
                return Ok(verified);
            }
            let verify = live.portal.verify_session(&token);
            py.detach(|| pollster::block_on(verify))
                .map_err(Failure::from)
        }));
        match checked.unwrap_or_else(|panic| Err(panicked(&*panic))) {
            Ok(verified) => Ok(Session {
                verified,
                token: Some(token),
            }),
            Err(failure) => Err(failure.into_exception(py)),
        }
    }

    /// As `verify_session`, to be awaited.
    fn verify_session_slowly(
        &self,
        py: Python<'_>,
        token: &Bound<'_, PyAny>,
    ) -> PyResult<Operation> {
        if let Ok(session) = token.cast::<Session>() {
            return self.verify_again(py, session.get());
        }
        let token = self::token(token, "token")?.ok_or_else(|| not_logged_in(py))?;
        self.operation(
            py,
            |portal| async move { Ok((portal.verify_session(&token).await?, token)) },
            |py, (verified, token)| {
                let token = Some(token);
                Ok(Bound::new(py, Session { verified, token })?.into_any())
            },
        )
    }

    fn begin_claim(
        &self,
        py: Python<'_>,
        facts: FactsArgument<'_>,
        browser: Option<PyRef<'_, handles::BrowserSecret>>,
        asker: AskerArgument,
    ) -> PyResult<Operation> {
        let evidence = facts.into_evidence(py)?;
        let browser = arguments::browser(py, browser)?;
        let asker = asker.into();
        self.operation(
            py,
            |portal| async move {
                let ticket = portal.begin_claim(evidence, &browser, &asker).await?;
                Ok((ticket, browser))
            },
            ClaimTicket::shown,
        )
    }

    fn claim_ticket(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyAny>,
        browser: PyRef<'_, handles::BrowserSecret>,
    ) -> PyResult<Operation> {
        let id = TicketId::parse(&arguments::text(id, "id")?);
        let id = id.ok_or_else(|| Failure::from(Refusal::ClaimExpired).into_exception(py))?;
        let browser = browser.0.clone();
        self.operation(
            py,
            |portal| async move {
                let ticket = portal.claim_ticket(id, &browser).await?;
                Ok((ticket, browser))
            },
            ClaimTicket::shown,
        )
    }

    fn set_claim_password(
        &self,
        py: Python<'_>,
        ticket: PyRef<'_, ClaimTicket>,
        password: &Bound<'_, PyAny>,
    ) -> PyResult<Operation> {
        let password = arguments::password(password, "password")?;
        let (ticket, browser) = ClaimTicket::parts(&ticket);
        self.operation(
            py,
            |portal| async move {
                let next = portal.set_claim_password(&ticket, &browser, password);
                Ok((next.await?, browser))
            },
            ClaimTicket::shown,
        )
    }

    fn finish_claim(
        &self,
        py: Python<'_>,
        ticket: PyRef<'_, ClaimTicket>,
        answers: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
        asker: Option<AskerArgument>,
    ) -> PyResult<Operation> {
        let answers = arguments::answers(answers)?;
        let (ticket, browser) = ClaimTicket::parts(&ticket);
        let asker = self::asker(asker);
        self.operation(
            py,
            |portal| async move {
                let finished = portal.finish_claim(&ticket, &browser, answers, &asker);
                Ok(finished.await?)
            },
            |py, claimed| values::claimed(py, &claimed),
        )
    }

    fn abandon_claim(&self, py: Python<'_>, ticket: PyRef<'_, ClaimTicket>) -> PyResult<Operation> {
        let (ticket, browser) = ClaimTicket::parts(&ticket);
        self.operation(
            py,
            |portal| async move { Ok(portal.abandon_claim(ticket.id(), &browser).await?) },
            nothing,
        )
    }

    #[pyo3(signature = (login_id, password, *, shared_computer, presented, asker))]
    fn log_in(
        &self,
        py: Python<'_>,
        login_id: &Bound<'_, PyAny>,
        password: &Bound<'_, PyAny>,
        shared_computer: bool,
        presented: Option<Bound<'_, PyAny>>,
        asker: AskerArgument,
    ) -> PyResult<Operation> {
        let presented = presented.map(|value| token(&value, "presented"));
        let request = LogIn {
            login_id: arguments::login_id(login_id, "login_id")?,
            password: arguments::password(password, "password")?,
            shared_computer,
            presented: presented.transpose()?.flatten(),
        };
        let asker = asker.into();
        self.operation(
            py,
            |portal| async move { Ok(portal.log_in(request, &asker).await?) },
            values::logged_in,
        )
    }

    fn record_activity(
        &self,
        py: Python<'_>,
        session: GivenSession<'_>,
        idle_for: &Bound<'_, PyAny>,
    ) -> PyResult<Operation> {
        let idle_for = arguments::duration(idle_for, "idle_for")?;
        let session = session.verified.clone();
        self.operation(
            py,
            move |portal| async move { Ok(portal.record_activity(&session, idle_for).await?) },
            nothing,
        )
    }

    /// By the session, or by the token alone: a session that has ended can still be ended.
    fn log_out(
        &self,
        py: Python<'_>,
        session: &Bound<'_, PyAny>,
        asker: Option<AskerArgument>,
    ) -> PyResult<Operation> {
        let token = match session.cast::<Session>() {
            Ok(session) => session.get().token.clone().ok_or_else(|| {
                let message = "is of a page, which does not have its cookie: lead to the log-out";
                invalid_argument(py, "session", message)
            })?,
            Err(_) => token(session, "session")?.ok_or_else(|| not_logged_in(py))?,
        };
        let asker = self::asker(asker);
        self.operation(
            py,
            |portal| async move { Ok(portal.log_out(&token, &asker).await?) },
            nothing,
        )
    }

    fn change_password(
        &self,
        py: Python<'_>,
        session: GivenSession<'_>,
        current: &Bound<'_, PyAny>,
        new: &Bound<'_, PyAny>,
        asker: AskerArgument,
    ) -> PyResult<Operation> {
        let session = session.of_its_cookie()?;
        let current = arguments::password(current, "current")?;
        let new = arguments::password(new, "new")?;
        let asker = asker.into();
        self.operation(
            py,
            |portal| async move {
                let changed = portal.change_password(&session, current, new, &asker);
                Ok(changed.await?)
            },
            values::logged_in,
        )
    }

    fn password_requirements(
        &self,
        py: Python<'_>,
        session: GivenSession<'_>,
    ) -> PyResult<Operation> {
        let session = session.verified.clone();
        self.operation(
            py,
            |portal| async move { Ok(portal.password_requirements(&session).await?) },
            |py, stated| values::requirements(py, &stated),
        )
    }

    fn profile(&self, py: Python<'_>, session: GivenSession<'_>) -> PyResult<Operation> {
        let session = session.verified.clone();
        self.operation(
            py,
            |portal| async move { Ok(portal.profile(&session).await?) },
            |py, profile| values::profile(py, &profile),
        )
    }

    fn set_default_organization(
        &self,
        py: Python<'_>,
        session: GivenSession<'_>,
        organization: &Bound<'_, PyAny>,
        asker: Option<AskerArgument>,
    ) -> PyResult<Operation> {
        let session = session.verified.clone();
        let organization = arguments::organization(organization, "organization")?;
        let asker = self::asker(asker);
        self.operation(
            py,
            |portal| async move {
                let set = portal.set_default_organization(&session, &organization, &asker);
                Ok(set.await?)
            },
            nothing,
        )
    }

    fn organizations(&self, py: Python<'_>) -> PyResult<Operation> {
        self.operation(
            py,
            |portal| async move { Ok(portal.organizations().await?) },
            |py, all| values::organizations(py, &all),
        )
    }

    fn statistics(
        &self,
        py: Python<'_>,
        session: GivenSession<'_>,
        organization: &Bound<'_, PyAny>,
    ) -> PyResult<Operation> {
        let session = session.verified.clone();
        let organization = arguments::organization(organization, "organization")?;
        self.operation(
            py,
            |portal| async move { Ok(portal.statistics(&session, &organization).await?) },
            |py, statistics| values::statistics(py, &statistics),
        )
    }

    /// Where a log-in leads: `(location, organization, membership_lost)`.
    fn resume(
        &self,
        py: Python<'_>,
        session: GivenSession<'_>,
        return_to: Option<Bound<'_, PyAny>>,
        tag: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Operation> {
        let session = session.verified.clone();
        let text = |value: Option<Bound<'_, PyAny>>, name| {
            value.map(|value| arguments::text(&value, name)).transpose()
        };
        let (return_to, tag) = (text(return_to, "return_to")?, text(tag, "tag")?);
        self.operation(
            py,
            |portal| async move {
                let profile = portal.profile(&session).await?;
                let apps = &portal.policy().apps;
                // What cannot be parsed is as good as not there.
                let wanted = return_to.and_then(|text| ResumeLocation::parse(&text, apps).ok());
                let tag = tag.as_ref().map(|tag| tag.as_str());
                Ok(portal.resume(&profile, wanted, tag)?)
            },
            |py, resume| Ok(resumed(resume).into_pyobject(py)?.into_any()),
        )
    }

    /// `(location, organization)` of a screen one can come back to.
    fn location(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyAny>,
    ) -> PyResult<Option<(String, Option<String>)>> {
        let text = arguments::text(text, "text")?;
        let live = self.live(py)?;
        let location = ResumeLocation::parse(&text, &live.portal.policy().apps).ok();
        Ok(location.map(|location| {
            let organization = location.organization().map(|id| id.as_str().to_owned());
            (location.as_str().to_owned(), organization)
        }))
    }

    /// Proves at the next log-in that a location is this person's.
    fn resume_tag(
        &self,
        py: Python<'_>,
        who: &Bound<'_, PyAny>,
        location: &Bound<'_, PyAny>,
    ) -> PyResult<String> {
        let account = match who.cast::<Session>() {
            Ok(session) => session.get().verified.account(),
            Err(_) => arguments::parsed(who, "who", |hex| {
                AccountId::from_hex(hex).ok_or(InvalidInput("is no account"))
            })?,
        };
        let live = self.live(py)?;
        let apps = &live.portal.policy().apps;
        let location = arguments::parsed(location, "location", |text| {
            ResumeLocation::parse(text, apps)
        })?;
        let tag = live.portal.resume_tag(account, &location);
        tag.map_err(|error| Failure::from(error).into_exception(py))
    }

    /// The public name of a session's family.
    fn family_tag(&self, py: Python<'_>, session: GivenSession<'_>) -> PyResult<String> {
        let live = self.live(py)?;
        let tag = live.portal.family_tag(session.verified.selector());
        tag.map_err(|error| Failure::from(error).into_exception(py))
    }

    fn import_roster(
        &self,
        py: Python<'_>,
        path: std::path::PathBuf,
        dry_run: bool,
        accept_new_ids: bool,
        reading: roster::ReadingArgument,
    ) -> PyResult<Operation> {
        let options = reading.into_options(py)?;
        let asked = ImportOptions {
            dry_run,
            accept_new_ids,
            ..ImportOptions::default()
        };
        self.operation(
            py,
            |portal| async move { roster::import_files(portal, path, options, asked).await },
            |py, import| import.shown(py),
        )
    }

    fn import_batch(
        &self,
        py: Python<'_>,
        batch: roster::BatchArgument,
        dry_run: bool,
        accept_new_ids: bool,
    ) -> PyResult<Operation> {
        let batch = batch.into_batch(py)?;
        let asked = ImportOptions {
            dry_run,
            accept_new_ids,
            source_is_claimed: false,
        };
        self.operation(
            py,
            |portal| async move { roster::import_batch(portal, batch, asked).await },
            |py, import| import.shown(py),
        )
    }

    fn roster_status(&self, py: Python<'_>) -> PyResult<Operation> {
        self.operation(
            py,
            |portal| async move { Ok(portal.roster_status().await?) },
            |py, status| values::roster_status(py, &status),
        )
    }

    fn person(&self, py: Python<'_>, login_id: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let login_id = arguments::login_id(login_id, "login_id")?;
        self.operation(
            py,
            |portal| async move { Ok(portal.person(&login_id).await?) },
            |py, person| match person {
                Some(person) => values::person(py, &person),
                None => Ok(py.None().into_bound(py)),
            },
        )
    }

    /// Answers a request: `(status, headers, body or events, leaves on the grid)`.
    fn handle(
        &self,
        py: Python<'_>,
        request: RequestArgument,
        body: Vec<u8>,
        events: bool,
    ) -> PyResult<Operation> {
        let service = self.service(py, events)?;
        let live = self.live(py)?;
        let Some((request, peer)) = request.into_request(Bytes::from(body)) else {
            let message = "is no request that HTTP knows";
            return Err(invalid_argument(py, "request", message));
        };
        let pool = Arc::clone(&live.pool);
        Ok(Operation::new(
            &pool,
            async move { Ok(service.handle(request, peer).await) },
            move |py, response| {
                let on_grid = response.extensions().get::<OnGrid>().is_some();
                let (status, headers, content) = answer_parts(py, response, live)?;
                let told = (status, headers, content, on_grid).into_pyobject(py)?;
                Ok(told.into_any().unbind())
            },
        ))
    }

    /// Whether the portal answers a path itself.
    fn owns(&self, py: Python<'_>, path: &str) -> PyResult<bool> {
        Ok(self.service(py, false)?.owns(path))
    }

    /// Whether an `Origin` header names the portal.
    fn is_origin(&self, origin: &str) -> bool {
        let settings = self.settings.as_ref();
        settings.is_some_and(|settings| settings.base_url.is_origin(origin))
    }

    /// Judges a request to a page of the host: a [`Visit`], or the answer.
    fn admit(&self, py: Python<'_>, request: RequestArgument, person: bool) -> PyResult<Operation> {
        let service = self.service(py, false)?;
        let live = self.live(py)?;
        let Some((request, peer)) = request.into_request(Bytes::new()) else {
            let message = "is no request that HTTP knows";
            return Err(invalid_argument(py, "request", message));
        };
        let entry = if person {
            Entry::Person
        } else {
            Entry::Anybody
        };
        let pool = Arc::clone(&live.pool);
        let operation = Operation::new(
            &pool,
            async move {
                let (parts, _) = request.into_parts();
                let target = parts.uri.path_and_query();
                let target = target.map_or("/", |target| target.as_str());
                let admission = service.admit(&parts, target, entry).await;
                Ok((admission, parts, service))
            },
            move |py, (admission, parts, service)| match admission {
                Admission::Admitted(visit) => {
                    let visit = Visit::new(visit, (parts, peer), service, live);
                    Ok(Bound::new(py, visit)?.into_any().unbind())
                }
                Admission::Answered(response) => {
                    Ok(answer(py, response, live)?.into_any().unbind())
                }
            },
        );
        Ok(operation.light())
    }

    /// What happens to the session's family from now on.
    fn subscribe(&self, py: Python<'_>, session: GivenSession<'_>) -> PyResult<Notices> {
        let live = self.live(py)?;
        let notices = live.portal.subscribe(&session.verified);
        Ok(Notices::new(notices, &live.pool))
    }

    /// One round of the housekeeping that otherwise happens once a minute.
    fn maintain(&self, py: Python<'_>) -> PyResult<Operation> {
        self.operation(
            py,
            |portal| async move { Ok(portal.maintain().await?) },
            nothing,
        )
    }

    /// `(id, text)` of the security questions to choose from.
    #[staticmethod]
    fn questions(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, BANK.iter().map(|question| (question.id, question.text)))
    }

    /// How many security questions a claim asks.
    fn questions_required(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.live(py)?.portal.questions_required())
    }

    /// Whether other processes may have the same store open.
    fn is_shared(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.live(py)?.portal.is_shared())
    }
}

/// What a portal is opened by, as far as it can be judged without opening it.
fn judged(
    py: Python<'_>,
    url: &Bound<'_, PyAny>,
    policy: PolicyArgument,
    hash_workers: Option<Bound<'_, PyAny>>,
    site: Option<SiteArgument>,
) -> PyResult<(OpenOptions, Option<Settings>)> {
    let url = arguments::text(url, "url")?;
    let url = StoreUrl::parse(&url).map_err(|error| unusable(py, &error.to_string()))?;
    let mut options = OpenOptions::new(url);
    options.policy = policy.into_policy(py)?;
    if let Some(workers) = hash_workers {
        let workers = arguments::count(&workers, "hash_workers")?;
        options.hashing.workers = usize::try_from(workers).unwrap_or(usize::MAX);
    }
    let settings = site.map(|site| site.into_settings(py)).transpose()?;
    Ok((options, settings))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape of all that shows a result"
)]
pub(super) fn nothing(py: Python<'_>, (): ()) -> PyResult<Bound<'_, PyAny>> {
    Ok(py.None().into_bound(py))
}

fn resumed(resume: Resume) -> (Option<String>, Option<String>, bool) {
    let text = |id: OrganizationId| id.as_str().to_owned();
    match resume {
        Resume::Location(location) => {
            let organization = location.organization().cloned().map(text);
            (Some(location.as_str().to_owned()), organization, false)
        }
        Resume::LandingPage(organization) => (None, organization.map(text), false),
        Resume::MembershipLost(organization) => (None, organization.map(text), true),
    }
}
