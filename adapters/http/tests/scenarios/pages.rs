//! A browser: it opens pages, follows 303s, and sends the forms it finds, as it finds them.

use http::{Method, StatusCode};
use narthex_conformance::front_door::{Answer, FrontDoor, Request, Visitor, Way, async_trait};
use narthex_conformance::scenarios::Facts;
use narthex_core::Portal;
use narthex_core::rules::details::DetailsField;

use crate::client::{Ask, Client, Reply, answer, encode, ok, organization_of};
use crate::html::{Form, attribute, tags, text_of, texts_after};
use crate::page::Page;

#[derive(Default)]
pub(crate) struct PagesDoor(pub(crate) Client);

impl PagesDoor {
    pub(crate) fn boxed() -> Box<dyn FrontDoor> {
        Box::new(Self::default())
    }

    async fn told(&self, visitor: &Visitor, request: Request) -> Result<Answer, Answer> {
        let browser = &visitor.browser;
        match request {
            Request::BeginClaim {
                claim,
                given_name,
                family_name,
                birthdate,
                login_id,
                claim_code,
            } => {
                let facts = [given_name, family_name, birthdate, login_id, claim_code];
                self.begin_claim(visitor, claim, facts).await
            }
            Request::ClaimPassword {
                claim,
                ticket_of,
                password,
            } => {
                let fields = [("password".to_owned(), password.to_string())];
                self.claim_step(visitor, "password", &claim, ticket_of, &fields)
                    .await
            }
            Request::ClaimAnswers {
                claim,
                ticket_of,
                answers,
            } => {
                let mut fields = Vec::new();
                for (number, (question, answer)) in (1..).zip(answers) {
                    fields.push((format!("question_{number}"), question));
                    fields.push((format!("answer_{number}"), answer));
                }
                self.claim_step(visitor, "questions", &claim, ticket_of, &fields)
                    .await
            }
            Request::AbandonClaim { claim } => self.abandon_claim(visitor, &claim).await,
            Request::LogIn {
                login_id,
                password,
                shared_computer,
                from,
                return_to,
            } => {
                let url = self.login_url(browser, from, return_to);
                let fields = [("login_id", login_id.as_str()), ("password", &password)];
                self.log_in(visitor, &url, &fields, shared_computer).await
            }
            Request::Visit { at, background } => self.visit(visitor, &at, background).await,
            Request::ChangePassword { current, new } => {
                self.change_password(visitor, &current, &new).await
            }
            Request::LogOut => self.log_out(visitor).await,
            Request::Activity { idle_ms } => self.activity(visitor, idle_ms).await,
            Request::ChooseDefault { organization } => {
                self.choose_default(visitor, &organization).await
            }
            Request::ChangeDetails { field, value } => {
                self.change_details(visitor, &field, &value).await
            }
            Request::Watch => {
                self.0.send(visitor, Ask::get("/api/v1/events")).await;
                Ok(ok(Facts::default()))
            }
            Request::Hear => Ok(self.0.hear(browser)),
            Request::CopyCookies { from, which } => Ok(self.0.copy_cookies(browser, &from, which)),
            Request::PlantSession => Ok(self.0.plant_session(browser)),
            other => self.account_told(visitor, other).await,
        }
    }

    /// Opens a page in the background; what is no page of the person is the answer.
    pub(crate) async fn page(&self, visitor: &Visitor, at: &str) -> Result<Page, Answer> {
        let page = self.follow(visitor, Ask::get(at)).await;
        match page.reply.status {
            StatusCode::OK if !page.is("login") => Ok(page),
            _ => Err(page.refused()),
        }
    }

    /// Asks, and follows where it is led to.
    pub(crate) async fn follow(&self, visitor: &Visitor, ask: Ask<'_>) -> Page {
        let by_a_person = ask.by_a_person;
        let mut url = ask.target.clone();
        let mut reply = self.0.send(visitor, ask).await;
        for _ in 0..5 {
            let Some(location) = reply.location().map(str::to_owned) else {
                break;
            };
            url.clone_from(&location);
            let next = Ask {
                by_a_person,
                ..Ask::get(&location)
            };
            reply = self.0.send(visitor, next).await;
        }
        assert_ne!(
            reply.status,
            StatusCode::SEE_OTHER,
            "led round in circles: {url}"
        );
        Page { url, reply }
    }

    pub(crate) async fn submit(&self, visitor: &Visitor, form: &Form) -> Reply {
        let pairs = form
            .fields
            .iter()
            .map(|(n, v)| format!("{}={}", encode(n), encode(v)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let ask = Ask {
            method: Method::POST,
            body: Some(("application/x-www-form-urlencoded", body)),
            by_a_person: true,
            ..Ask::get(&form.action)
        };
        self.0.send(visitor, ask).await
    }

    /// Follows a form's 303 to the page it leads to.
    pub(crate) async fn led_to(&self, visitor: &Visitor, reply: Reply) -> Page {
        match reply.location() {
            Some(location) => self.follow(visitor, Ask::get(location)).await,
            None => Page {
                url: String::new(),
                reply,
            },
        }
    }

    async fn begin_claim(
        &self,
        visitor: &Visitor,
        claim: String,
        [given_name, family_name, birthdate, login_id, claim_code]: [String; 5],
    ) -> Result<Answer, Answer> {
        let page = self.follow(visitor, Ask::get("/claim")).await;
        let mut form = page.form("claim-form");
        let mut date = birthdate.split('-');
        form.fill("birth_year", date.next().unwrap_or(""));
        form.fill("birth_month", date.next().unwrap_or(""));
        form.fill("birth_day", date.next().unwrap_or(""));
        form.fill("given_name", &given_name);
        form.fill("family_name", &family_name);
        form.fill("login_id", &login_id);
        form.fill("claim_code", &claim_code);
        let reply = self.submit(visitor, &form).await;
        let page = self.led_to(visitor, reply).await;
        if !page.is("claim-password") {
            return Err(page.refused());
        }
        let form = page.form("claim-password-form");
        let ticket = form.value("claim").unwrap().to_owned();
        self.0.jar(&visitor.browser, |jar| {
            jar.tickets.insert(claim.clone(), ticket);
            jar.forms.insert(claim, form);
        });
        Ok(ok(page.whose()))
    }

    /// The second or third page of a claim: the form the tab shows, or the one its address leads
    /// to.
    async fn claim_step(
        &self,
        visitor: &Visitor,
        step: &str,
        claim: &str,
        ticket_of: Option<String>,
        fields: &[(String, String)],
    ) -> Result<Answer, Answer> {
        let browser = &visitor.browser;
        let action = format!("/claim/{step}");
        let shown = self.0.jar(browser, |jar| match &ticket_of {
            // An attacker puts the other's id into a form of his own.
            Some(_) => jar.forms.values().next().cloned(),
            None => jar.forms.get(claim).cloned(),
        });
        let mut form = match shown {
            Some(form) if form.action == action => form,
            // Without questions the claim was finished with the password.
            Some(form) if form.action == "/login" && fields.is_empty() => {
                return Ok(Answer {
                    untold: &["login_id"],
                    ..ok(Facts::default())
                });
            }
            Some(mut form) if ticket_of.is_some() => {
                form.action.clone_from(&action);
                form.fields.retain(|(name, _)| name == "form_token");
                form
            }
            _ => self.claim_form(visitor, &action, claim).await?,
        };
        if let Some(holder) = ticket_of {
            let ticket = self
                .0
                .jar(&holder, |jar| jar.tickets.get(claim).cloned())
                .unwrap();
            form.fill("claim", &ticket);
        }
        for (name, value) in fields {
            form.fill(name, value);
        }
        let reply = self.submit(visitor, &form).await;
        let page = self.led_to(visitor, reply).await;
        let next = match page.name().as_str() {
            "claim-questions" if step == "password" => page.form("claim-questions-form"),
            "login" if page.url == "/login?notice=claimed" => page.form("login-form"),
            _ => return Err(page.refused()),
        };
        let facts = match next.value("login_id") {
            Some(number) => Facts {
                login_id: Some(number.to_owned()),
                ..Facts::default()
            },
            None => page.whose(),
        };
        self.0
            .jar(browser, |jar| jar.forms.insert(claim.to_owned(), next));
        Ok(Answer {
            untold: &["given_name"],
            ..ok(facts)
        })
    }

    /// The form at the address of a claim's step; who is led elsewhere has skipped one.
    async fn claim_form(
        &self,
        visitor: &Visitor,
        action: &str,
        claim: &str,
    ) -> Result<Form, Answer> {
        let ticket = self
            .0
            .jar(&visitor.browser, |jar| jar.tickets.get(claim).cloned());
        let url = ticket.map_or(action.to_owned(), |ticket| {
            format!("{action}?claim={ticket}")
        });
        let page = self.follow(visitor, Ask::get(&url)).await;
        match page.name().as_str() {
            "claim-password" if action == "/claim/password" => Ok(page.form("claim-password-form")),
            "claim-questions" if action == "/claim/questions" => {
                Ok(page.form("claim-questions-form"))
            }
            "claim-password" => Err(answer("claim_step_missing", Facts::default())),
            _ => Err(page.refused()),
        }
    }

    async fn abandon_claim(&self, visitor: &Visitor, claim: &str) -> Result<Answer, Answer> {
        let ticket = self
            .0
            .jar(&visitor.browser, |jar| jar.tickets[claim].clone());
        let url = format!("/claim/password?claim={ticket}");
        let page = self.follow(visitor, Ask::get(&url)).await;
        let reply = self.submit(visitor, &page.form("abandon-form")).await;
        let page = self.led_to(visitor, reply).await;
        match page.url.as_str() {
            "/claim?notice=started_over" => Ok(ok(Facts::default())),
            _ => Err(page.refused()),
        }
    }

    fn login_url(&self, browser: &str, from: Option<String>, return_to: Option<String>) -> String {
        match (from, return_to) {
            (Some(at), _) => self.0.jar(browser, |jar| jar.login_urls[&at].clone()),
            (None, Some(text)) => format!("/login?return_to={}", encode(&text)),
            (None, None) => "/login".to_owned(),
        }
    }

    async fn log_in(
        &self,
        visitor: &Visitor,
        url: &str,
        fields: &[(&str, &str)],
        shared_computer: bool,
    ) -> Result<Answer, Answer> {
        // Who is logged in already is led past the form: it was opened before.
        let ask = Ask {
            without_session: true,
            ..Ask::get(url)
        };
        let page = Page {
            url: url.to_owned(),
            reply: self.0.send(visitor, ask).await,
        };
        let mut form = page.form("login-form");
        for (name, value) in fields {
            form.fill(name, value);
        }
        if shared_computer {
            form.fill("shared_computer", "on");
        }
        let reply = self.submit(visitor, &form).await;
        let Some(led_to) = reply.location().map(str::to_owned) else {
            return Err(Page {
                url: form.action,
                reply,
            }
            .refused());
        };
        let mut facts = self.person(visitor).await?;
        let (location, notice) = without_notice(&led_to);
        facts.organization = organization_of(&location);
        facts.location = Some(location);
        facts.notice = Some(notice);
        Ok(ok(facts))
    }

    /// What the account page says, opened in the background.
    async fn person(&self, visitor: &Visitor) -> Result<Facts, Answer> {
        let page = self.page(visitor, "/account").await?;
        let html = &page.reply.body;
        let details = texts_after(html, "<dd>");
        let (_, select) = html.split_once("id=\"default_organization\"").unwrap();
        let options = tags(select, "<option").filter_map(|(option, _)| attribute(option, "value"));
        let meta = page.meta();
        let family = attribute(&meta, "content").unwrap();
        self.0.jar(&visitor.browser, |jar| jar.family = family);
        let inactivity_ms: u64 = attribute(&meta, "data-inactivity-ms")
            .unwrap()
            .parse()
            .unwrap();
        Ok(Facts {
            given_name: details[0].split(' ').next().map(str::to_owned),
            login_id: Some(details[1].clone()),
            organizations: Some(options.collect()),
            inactivity_s: Some(inactivity_ms / 1000),
            ..Facts::default()
        })
    }

    async fn visit(&self, visitor: &Visitor, at: &str, background: bool) -> Result<Answer, Answer> {
        let ask = Ask {
            by_a_person: !background,
            ..Ask::get(at)
        };
        let page = self.follow(visitor, ask).await;
        let keep = |url: &str, login_url: String| {
            self.0.jar(&visitor.browser, |jar| {
                jar.login_urls.insert(url.to_owned(), login_url)
            })
        };
        if at == "/help" {
            let people = texts_after(&page.reply.body, "<li>").into_iter();
            let contacts = people
                .map(|p| p.split(" (").next().unwrap().to_owned())
                .collect();
            return Ok(ok(Facts {
                contacts: Some(contacts),
                ..Facts::default()
            }));
        }
        if page.is("login") {
            keep(at, page.url.clone());
            return Err(page.refused());
        }
        if page.reply.status != StatusCode::OK {
            return Err(page.refused());
        }
        let (location, notice) = without_notice(&page.url);
        keep(&location, attribute(&page.meta(), "data-login").unwrap());
        let mut facts = self.person(visitor).await?;
        facts.notice = Some(notice);
        facts.organization = organization_of(&location);
        facts.location = Some(location);
        if page.is("landing") {
            page.statistics(&mut facts);
        }
        Ok(ok(facts))
    }

    async fn change_password(
        &self,
        visitor: &Visitor,
        current: &str,
        new: &str,
    ) -> Result<Answer, Answer> {
        let page = self.page(visitor, "/account/password").await?;
        let mut form = page.form("password-form");
        form.fill("current", current);
        form.fill("new", new);
        let reply = self.submit(visitor, &form).await;
        let page = self.led_to(visitor, reply).await;
        if page.is("landing") && page.url.ends_with("?notice=password_changed") {
            return Ok(ok(Facts::default()));
        }
        Err(page.refused())
    }

    async fn log_out(&self, visitor: &Visitor) -> Result<Answer, Answer> {
        let page = self.page(visitor, "/account").await?;
        let reply = self.submit(visitor, &page.form("logout-form")).await;
        let page = self.led_to(visitor, reply).await;
        match page.url.as_str() {
            "/login?notice=logged_out" => Ok(ok(Facts::default())),
            _ => Err(page.refused()),
        }
    }

    /// What the script of every page sends.
    async fn activity(&self, visitor: &Visitor, idle_ms: i64) -> Result<Answer, Answer> {
        let ask = Ask {
            method: Method::POST,
            body: Some(("application/json", format!("{{\"idle_ms\":{idle_ms}}}"))),
            ..Ask::get("/api/v1/session/activity")
        };
        let reply = self.0.send(visitor, ask).await;
        match reply.status {
            StatusCode::NO_CONTENT => Ok(ok(Facts::default())),
            _ => Err(crate::json::refused(&reply)),
        }
    }

    async fn choose_default(
        &self,
        visitor: &Visitor,
        organization: &str,
    ) -> Result<Answer, Answer> {
        let page = self.page(visitor, "/account").await?;
        let mut form = page.form("account-form");
        form.fill("default_organization", organization);
        let reply = self.submit(visitor, &form).await;
        if text_of(&reply.body, "default_organization-error").is_some() {
            return Err(answer("not_permitted", Facts::default()));
        }
        let page = self.led_to(visitor, reply).await;
        match page.url.as_str() {
            "/account?notice=saved" => Ok(ok(Facts::default())),
            _ => Err(page.refused()),
        }
    }

    async fn change_details(
        &self,
        visitor: &Visitor,
        field: &str,
        value: &str,
    ) -> Result<Answer, Answer> {
        let page = self.page(visitor, "/account").await?;
        let mut form = page.form("account-form");
        form.fill(field, value);
        let reply = self.submit(visitor, &form).await;
        let page = self.led_to(visitor, reply).await;
        if page.url != "/account?notice=saved" {
            return Err(page.refused());
        }
        let form = page.form("account-form");
        let details = DetailsField::ALL.map(DetailsField::code).into_iter();
        let details = details.filter_map(|field| {
            let value = form.value(field).filter(|value| !value.is_empty())?;
            Some((field.to_owned(), value.to_owned()))
        });
        Ok(ok(Facts {
            details: Some(details.collect()),
            ..Facts::default()
        }))
    }
}

#[async_trait]
impl FrontDoor for PagesDoor {
    fn way(&self) -> Way {
        Way::HttpPages
    }

    async fn open(&mut self, portal: Portal) {
        self.0.open(portal);
    }

    async fn ask(&self, visitor: &Visitor, request: Request) -> Answer {
        self.told(visitor, request)
            .await
            .unwrap_or_else(|refused| refused)
    }
}

/// A location without the word that is said once, and the word if it is about the way here.
fn without_notice(url: &str) -> (String, String) {
    match url.split_once("?notice=") {
        Some((location, notice)) => (location.to_owned(), notice.to_owned()),
        None => (url.to_owned(), String::new()),
    }
}
