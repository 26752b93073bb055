//! A program that speaks JSON and keeps cookies.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use narthex_conformance::front_door::{Answer, FrontDoor, Request, Visitor, Way, async_trait};
use narthex_conformance::scenarios::Facts;
use narthex_core::Portal;
use narthex_core::rules::details::DetailsField;
use serde_json::{Value, json};

use crate::client::{Ask, Client, Reply, answer, encode, ok, organization_of};

#[derive(Default)]
pub(crate) struct JsonDoor(pub(crate) Client);

impl JsonDoor {
    pub(crate) fn boxed() -> Box<dyn FrontDoor> {
        Box::new(Self::default())
    }

    /// One call below `/api/v1`; what is not 2xx is the answer.
    pub(crate) async fn call(
        &self,
        visitor: &Visitor,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Answer> {
        let ask = Ask {
            method,
            body: body.map(|body| ("application/json", body.to_string())),
            ..Ask::get(&format!("/api/v1{path}"))
        };
        let reply = self.0.send(visitor, ask).await;
        if !reply.status.is_success() {
            return Err(refused(&reply));
        }
        Ok(serde_json::from_str(&reply.body).unwrap_or(Value::Null))
    }

    async fn told(&self, visitor: &Visitor, request: Request) -> Result<Answer, Answer> {
        let browser = &visitor.browser;
        let post = |path: &'static str, body| self.call(visitor, Method::POST, path, Some(body));
        match request {
            Request::BeginClaim {
                claim,
                given_name,
                family_name,
                birthdate,
                login_id,
                claim_code,
            } => {
                let mut body = json!({
                    "given_name": given_name, "family_name": family_name,
                    "birthdate": birthdate, "login_id": login_id,
                });
                if !claim_code.is_empty() {
                    body["claim_code"] = claim_code.into();
                }
                let told = post("/claim", body).await?;
                self.0.jar(browser, |jar| {
                    jar.tickets.insert(claim, text(&told["claim"]))
                });
                Ok(ok(Facts {
                    login_id: Some(text(&told["login_id"])),
                    given_name: Some(text(&told["given_name"])),
                    ..Facts::default()
                }))
            }
            Request::ClaimPassword {
                claim,
                ticket_of,
                password,
            } => {
                let claim = self.ticket(browser, ticket_of, &claim);
                let body = json!({"claim": claim, "password": *password});
                post("/claim/password", body).await?;
                Ok(Answer {
                    untold: &["given_name", "login_id"],
                    ..ok(Facts::default())
                })
            }
            Request::ClaimAnswers {
                claim,
                ticket_of,
                answers,
            } => {
                let claim = self.ticket(browser, ticket_of, &claim);
                let answers = answers
                    .iter()
                    .map(|(q, a)| json!({"question": q, "answer": a}));
                let answers: Vec<_> = answers.collect();
                post(
                    "/claim/questions",
                    json!({"claim": claim, "answers": answers}),
                )
                .await?;
                Ok(Answer {
                    untold: &["given_name", "login_id"],
                    ..ok(Facts::default())
                })
            }
            Request::LogIn {
                login_id,
                password,
                shared_computer,
                from,
                return_to,
            } => {
                let tag = from
                    .as_ref()
                    .and_then(|at| self.0.jar(browser, |jar| jar.tags.get(at).cloned()));
                let body = json!({
                    "login_id": login_id, "password": *password,
                    "shared_computer": shared_computer, "return_to": return_to.or(from),
                    "for": tag,
                });
                let told = post("/session", body).await?;
                self.0.jar(browser, |jar| {
                    jar.tags.insert(text(&told["resume"]), text(&told["for"]));
                    jar.family = text(&told["family"]);
                });
                self.logged_in(visitor, &told).await
            }
            Request::Visit { at, background } => self.visit(visitor, &at, background).await,
            Request::ChangePassword { current, new } => {
                post("/password", json!({"current": *current, "new": *new})).await?;
                Ok(ok(Facts::default()))
            }
            Request::LogOut => {
                self.call(visitor, Method::DELETE, "/session", None).await?;
                Ok(ok(Facts::default()))
            }
            Request::Activity { idle_ms } => {
                post("/session/activity", json!({"idle_ms": idle_ms})).await?;
                Ok(ok(Facts::default()))
            }
            Request::ChooseDefault { organization } => {
                let body = json!({"default_organization": organization});
                self.call(visitor, Method::PATCH, "/account", Some(body))
                    .await?;
                Ok(ok(Facts::default()))
            }
            Request::ChangeDetails { field, value } => {
                let body = json!({ field: value });
                let told = self
                    .call(visitor, Method::PATCH, "/account", Some(body))
                    .await?;
                let details = DetailsField::ALL.map(DetailsField::code).into_iter();
                let details = details
                    .filter_map(|field| Some((field.to_owned(), told[field].as_str()?.to_owned())));
                Ok(ok(Facts {
                    details: Some(details.collect()),
                    ..Facts::default()
                }))
            }
            Request::Watch => {
                self.call(visitor, Method::GET, "/events", None).await?;
                Ok(ok(Facts::default()))
            }
            Request::Hear => Ok(self.0.hear(browser)),
            Request::CopyCookies { from, which } => Ok(self.0.copy_cookies(browser, &from, which)),
            Request::PlantSession => Ok(self.0.plant_session(browser)),
            Request::AbandonClaim { .. } => panic!("there is no JSON for this"),
            other => self.account_told(visitor, other).await,
        }
    }

    /// The public id of a claim, as its program remembers it; none: the latest of the browser.
    fn ticket(&self, browser: &str, of: Option<String>, claim: &str) -> Option<String> {
        let holder = of.unwrap_or_else(|| browser.to_owned());
        self.0.jar(&holder, |jar| jar.tickets.get(claim).cloned())
    }

    async fn logged_in(&self, visitor: &Visitor, told: &Value) -> Result<Answer, Answer> {
        let mut facts = self.person(visitor).await?;
        let resume = text(&told["resume"]);
        let lost = told["membership_lost"].as_bool().unwrap();
        facts.notice = Some(if lost { "membership_lost" } else { "" }.to_owned());
        facts.organization = organization_of(&resume);
        facts.location = Some(resume);
        facts.inactivity_s = told["inactivity_timeout_s"].as_u64();
        Ok(ok(facts))
    }

    /// Who is logged in, in the background.
    async fn person(&self, visitor: &Visitor) -> Result<Facts, Answer> {
        let account = self.call(visitor, Method::GET, "/account", None).await?;
        let listed = self
            .call(visitor, Method::GET, "/organizations", None)
            .await?;
        let organizations = listed["organizations"].as_array().unwrap();
        let mut ids: Vec<String> = organizations.iter().map(|o| text(&o["id"])).collect();
        ids.sort_unstable();
        Ok(Facts {
            login_id: Some(text(&account["login_id"])),
            given_name: Some(text(&account["given_name"])),
            organizations: Some(ids),
            ..Facts::default()
        })
    }

    /// What a page of a program does: who is it, are they there, may they be here.
    async fn visit(&self, visitor: &Visitor, at: &str, background: bool) -> Result<Answer, Answer> {
        let session = self.call(visitor, Method::GET, "/session", None).await?;
        if !background {
            let now = json!({"idle_ms": 0});
            self.call(visitor, Method::POST, "/session/activity", Some(now))
                .await?;
        }
        let account = self.call(visitor, Method::GET, "/account", None).await?;
        let location = match at {
            "/" => format!("/o/{}/", text(&account["default_organization"])),
            at => at.to_owned(),
        };
        let mut facts = self.person(visitor).await?;
        facts.inactivity_s = session["inactivity_timeout_s"].as_u64();
        facts.organization = organization_of(&location);
        if let Some(organization) = &facts.organization {
            let path = format!("/organizations/{organization}/statistics");
            let told = self.call(visitor, Method::GET, &path, None).await?;
            let people = told["people"].as_array().unwrap().iter();
            let row = |p: &Value| {
                (
                    text(&p["role"]),
                    [count(&p["listed"]), count(&p["claimed"])],
                )
            };
            facts.people = Some(people.map(row).collect::<BTreeMap<_, _>>());
            facts.log_ins_today = Some(count(&told["log_ins_today"]));
        }
        // The program's page carries its own way back.
        let asked = format!("/session?return_to={}", encode(&location));
        let told = self.call(visitor, Method::GET, &asked, None).await?;
        if let Some(tag) = told["for"].as_str() {
            let tag = tag.to_owned();
            self.0.jar(&visitor.browser, |jar| {
                jar.tags.insert(location.clone(), tag)
            });
        }
        facts.location = Some(location);
        Ok(ok(facts))
    }
}

#[async_trait]
impl FrontDoor for JsonDoor {
    fn way(&self) -> Way {
        Way::HttpJson
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

/// A problem document as an answer.
pub(crate) fn refused(reply: &Reply) -> Answer {
    let problem: Value = serde_json::from_str(&reply.body).unwrap();
    let code = text(&problem["code"]);
    let outcome = match (reply.status, code.as_str()) {
        (_, "password_unacceptable" | "answers_unacceptable") => code.as_str(),
        (
            StatusCode::BAD_REQUEST
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::PAYLOAD_TOO_LARGE,
            _,
        ) => "invalid",
        (_, code) => code,
    };
    let issues = problem["issues"].as_array().unwrap();
    let facts = Facts {
        reason: problem["reason"].as_str().map(str::to_owned),
        issues: Some(issues.iter().map(|issue| text(&issue["code"])).collect()),
        retry_after_s: reply.retry_after_s(),
        ..Facts::default()
    };
    // Where a program leads to is its own business.
    let untold = &["login_page_for"];
    Answer {
        shown: reply.shown(),
        untold,
        ..answer(outcome, facts)
    }
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// A count as the corpus writes it.
fn count(value: &Value) -> String {
    match value["fewer_than"].as_u64() {
        Some(n) => format!("fewer than {n}"),
        None => value.to_string(),
    }
}
