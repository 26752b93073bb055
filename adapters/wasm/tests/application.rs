//! The front-door scenarios through a guest that embeds the portal: the same outcomes as in Rust, over
//! HTTP and in Python. The guest is `examples/wasm-embed/guest`; `cargo xtask test wasm` builds it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use narthex_conformance::front_door::{
    Answer, FrontDoor, Request as Asked, Visitor as Person, Way, async_trait,
};
use narthex_conformance::scenarios::{self, Cookies, Facts};
use narthex_core::{Asker, Portal, Refusal, SessionToken};
use narthex_wasm::{
    Application, ApplicationOptions, Field, Jar, LoadError, PluginFolder, Request, Visitor,
    pack_application,
};
use support::{code, host};

fn kiosk() -> &'static [u8] {
    static KIOSK: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    KIOSK.get_or_init(|| {
        let folder = std::env::var_os("NARTHEX_GUESTS").map(PathBuf::from);
        let module = PluginFolder::read_component(&folder.unwrap().join("kiosk.wasm")).unwrap();
        pack_application(&module).unwrap()
    })
}

fn options(secrets: bool) -> ApplicationOptions {
    let mut options = ApplicationOptions {
        secrets,
        ..ApplicationOptions::new(code("kiosk"))
    };
    // Races ask from many browsers at a time.
    options.limits.workers = 16;
    options.limits.queue = 1_000;
    options.limits.time_ms = 5_000;
    options
}

/// A browser: its cookies, and what its pages carry.
#[derive(Clone, Debug, Default)]
struct Browser {
    jar: Jar,
    /// By the claim's name: its id.
    claims: BTreeMap<String, String>,
    /// By location: the tag in the log-in URL of the tab there.
    tags: BTreeMap<String, String>,
}

struct Door {
    kiosk: Option<Application>,
    browsers: Mutex<BTreeMap<String, Browser>>,
    /// Something was asked for that the application world does not have.
    beyond: Arc<AtomicBool>,
}

impl Door {
    fn browser<T>(&self, name: &str, with: impl FnOnce(&mut Browser) -> T) -> T {
        with(
            self.browsers
                .lock()
                .unwrap()
                .entry(name.to_owned())
                .or_default(),
        )
    }

    /// The page of a request and the fields of its form.
    fn form(&self, who: &Person, asked: &Asked) -> Option<(String, Vec<(String, String)>)> {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let claim = |name: &str, of: &Option<String>| {
            let holder = of.as_ref().unwrap_or(&who.browser);
            let id = self.browser(holder, |browser| browser.claims.get(name).cloned());
            field("claim", &id.unwrap_or_default())
        };
        Some(match asked {
            Asked::BeginClaim {
                given_name,
                family_name,
                birthdate,
                login_id,
                claim_code,
                ..
            } => (
                "/claim".to_owned(),
                vec![
                    field("given_name", given_name),
                    field("family_name", family_name),
                    field("birthdate", birthdate),
                    field("login_id", login_id),
                    field("claim_code", claim_code),
                ],
            ),
            Asked::ClaimPassword {
                claim: name,
                ticket_of,
                password,
            } => (
                "/claim/password".to_owned(),
                vec![claim(name, ticket_of), field("password", password)],
            ),
            Asked::ClaimAnswers {
                claim: name,
                ticket_of,
                answers,
            } => {
                let mut fields = vec![claim(name, ticket_of)];
                fields.extend(answers.iter().cloned());
                ("/claim/questions".to_owned(), fields)
            }
            Asked::AbandonClaim { claim: name } => {
                ("/claim/abandon".to_owned(), vec![claim(name, &None)])
            }
            Asked::LogIn {
                login_id,
                password,
                shared_computer,
                from,
                return_to,
            } => {
                let mut fields = vec![field("login_id", login_id), field("password", password)];
                if *shared_computer {
                    fields.push(field("shared_computer", "on"));
                }
                let tag = from.as_ref().and_then(|at| {
                    self.browser(&who.browser, |browser| browser.tags.get(at).cloned())
                });
                fields.extend(tag.map(|tag| field("for", &tag)));
                let wanted = return_to.as_ref().or(from.as_ref());
                fields.extend(wanted.map(|at| field("return_to", at)));
                ("/login".to_owned(), fields)
            }
            Asked::Visit { at, background } if at != "/help" => {
                let fields = background.then(|| field("background", "yes"));
                (at.clone(), fields.into_iter().collect())
            }
            Asked::ChangePassword { current, new } => (
                "/account/password".to_owned(),
                vec![field("current", current), field("new", new)],
            ),
            Asked::LogOut => ("/logout".to_owned(), Vec::new()),
            Asked::Activity { idle_ms } => (
                "/activity".to_owned(),
                vec![field("idle_ms", &idle_ms.to_string())],
            ),
            _ => return None,
        })
    }

    /// What is done to the browser itself.
    fn done_to_the_browser(&self, who: &Person, asked: &Asked) -> bool {
        match asked {
            Asked::CopyCookies { from, which } => {
                let from = self.browser(from, |browser| browser.clone());
                self.browser(&who.browser, |browser| match which {
                    Cookies::Session => browser.jar.session = from.jar.session,
                    Cookies::Claim => {
                        browser.jar.claim = from.jar.claim;
                        browser.claims = from.claims;
                    }
                    Cookies::Known => browser.jar.known = from.jar.known,
                    Cookies::Recovery => self.beyond.store(true, Ordering::Relaxed),
                });
                true
            }
            Asked::PlantSession => {
                let made_up = SessionToken::parse(&"A".repeat(SessionToken::TEXT_LENGTH));
                self.browser(&who.browser, |browser| browser.jar.session = made_up);
                true
            }
            _ => false,
        }
    }
}

fn answer(outcome: &str, facts: Facts) -> Answer {
    Answer {
        outcome: outcome.to_owned(),
        shown: format!("{facts:?}"),
        facts,
        // Counts of organizations are not in the world of applications.
        untold: &["people", "log_ins_today"],
    }
}

/// The lines of a page as facts.
fn facts(lines: &[(&str, &str)]) -> Facts {
    let text = |wanted: &str| {
        let found = lines.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).to_owned())
    };
    let list = |wanted: &str| text(wanted).map(|list| list.split(',').map(str::to_owned).collect());
    let number = |wanted: &str| text(wanted).map(|number| number.parse().unwrap());
    Facts {
        reason: text("reason"),
        organization: text("organization"),
        location: text("location"),
        login_page_for: text("login_page_for"),
        notice: text("notice"),
        login_id: text("login_id"),
        given_name: text("given_name"),
        organizations: list("organizations"),
        issues: list("issues"),
        inactivity_s: number("inactivity_s"),
        retry_after_s: number("retry_after_s"),
        ..Facts::default()
    }
}

#[async_trait]
impl FrontDoor for Door {
    fn way(&self) -> Way {
        Way::Wasm
    }

    async fn open(&mut self, portal: Portal) {
        let kiosk = host().load_application(kiosk(), portal, options(true));
        self.kiosk = Some(kiosk.unwrap());
    }

    async fn ask(&self, who: &Person, asked: Asked) -> Answer {
        if self.done_to_the_browser(who, &asked) {
            return answer("ok", Facts::default());
        }
        let Some((path, fields)) = self.form(who, &asked) else {
            self.beyond.store(true, Ordering::Relaxed);
            return answer("beyond", Facts::default());
        };
        let fields = fields
            .into_iter()
            .map(|(name, value)| Field { name, value });
        let request = Request {
            path: path.clone(),
            fields: fields.collect(),
        };
        let visitor = Visitor {
            asker: Asker {
                source: who.network.clone(),
                ..Asker::default()
            },
            jar: self.browser(&who.browser, |browser| browser.jar.clone()),
        };
        let before = visitor.jar.clone();
        let answered = self.kiosk.as_ref().unwrap().answer(visitor, request).await;
        let (kept, page) = (answered.jar, answered.page.unwrap());
        let lines: Vec<(&str, &str)> = page
            .text
            .lines()
            .filter_map(|line| line.split_once(": "))
            .collect();
        let named = |wanted: &str| {
            let found = lines.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        self.browser(&who.browser, |browser| {
            keep(&mut browser.jar, &before, kept);
            if let (Asked::BeginClaim { claim, .. }, Some(id)) = (&asked, named("claim")) {
                browser.claims.insert(claim.clone(), id);
            }
            if let (Some(at), Some(tag)) = (named("login_page_for"), named("for")) {
                browser.tags.insert(at, tag);
            }
        });
        let outcome = named("outcome").unwrap_or_else(|| "ok".to_owned());
        let after_a_secret = Refusal::AFTER_A_SECRET.contains(&outcome.as_str());
        assert_eq!(answered.on_grid, after_a_secret, "{outcome}");
        let mut told = facts(&lines);
        if matches!(asked, Asked::ClaimPassword { .. }) && outcome == "ok" {
            told.organizations = None;
        }
        answer(&outcome, told)
    }
}

/// As `Set-Cookie` does: only what this answer changed.
fn keep(jar: &mut Jar, before: &Jar, kept: Jar) {
    let text = |token: &Option<SessionToken>| token.as_ref().map(|t| t.expose().to_string());
    if text(&before.session) != text(&kept.session) {
        jar.session = kept.session;
    }
    if before.claim.is_none() {
        jar.claim = kept.claim.or(jar.claim.take());
    }
    jar.known = kept.known.or(jar.known.take());
}

/// Scenarios whose steps the application world has, at least.
const WITHIN_MIN: usize = 50;

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn a12_the_scenarios_have_the_same_outcomes_through_a_guest_that_embeds_the_portal() {
    let (mut within, mut failures) = (Vec::new(), Vec::new());
    for scenario in scenarios::corpus().unwrap() {
        let beyond = Arc::new(AtomicBool::new(false));
        let door = || -> Box<dyn FrontDoor> {
            Box::new(Door {
                kiosk: None,
                browsers: Mutex::default(),
                beyond: Arc::clone(&beyond),
            })
        };
        let checked = scenarios::check(&scenario, &door);
        match checked {
            _ if beyond.load(Ordering::Relaxed) => {}
            Ok(true) => within.push(scenario.name.clone()),
            Ok(false) => {}
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        within.len(),
        failures.join("\n\n")
    );
    assert!(
        within.len() >= WITHIN_MIN,
        "only {}: {within:?}",
        within.len()
    );
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn a49_an_application_sees_passwords_only_where_that_is_granted() {
    let portal = support::portal();
    let error = host()
        .load_application(kiosk(), portal, options(false))
        .unwrap_err();
    assert!(matches!(error, LoadError::Secrets), "{error}");
    assert!(error.to_string().contains("would see passwords"), "{error}");
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn an_application_of_more_instances_than_it_may_have_is_told_so() {
    let mut options = options(true);
    options.limits.instances = 1;
    let kiosk = host()
        .load_application(kiosk(), support::portal(), options)
        .unwrap();
    let visitor = Visitor {
        asker: Asker::default(),
        jar: Jar::default(),
    };
    let request = Request {
        path: "/".to_owned(),
        fields: Vec::new(),
    };
    let answered = futures_executor::block_on(kiosk.answer(visitor, request));
    let fault = answered.page.map(|page| page.status).unwrap_err();
    assert_eq!(fault.0.code(), "instance");
}
