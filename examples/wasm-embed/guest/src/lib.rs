//! A kiosk: claim an account, log in, look who is there, change the password, log out. It runs inside a
//! host that is not narthex's server, and asks that host for the portal. It sees passwords on their way
//! (the grant `secrets`), never a cookie or a token.
//!
//! Its pages are lines `name: value`: its host shows them to people and to tests alike.

wit_bindgen::generate!({
    path: "../../../bindings/wit/0.1.0",
    world: "application",
});

use exports::narthex::portal::screens::{Guest, Page, Request};
use narthex::portal::portal::{self, Error, Evidence, Person, Refused};
use narthex::portal::secrets::{self, LogInForm};

struct Kiosk;

type Told = Result<Vec<(&'static str, String)>, Error>;

impl Guest for Kiosk {
    fn answer(request: Request) -> Page {
        let form = Form(&request);
        let told = match request.path.as_str() {
            "/claim" => claim(&form),
            "/claim/password" => secrets::set_claim_password(&form.get("claim"), &form.get("password"))
                .map(|claim| vec![("login_id", claim.login_id), ("given_name", claim.given_name)]),
            "/claim/questions" => questions(&form),
            "/claim/abandon" => portal::abandon_claim(&form.get("claim")).map(|()| Vec::new()),
            "/login" => log_in(&form),
            "/logout" => portal::log_out().map(|()| Vec::new()),
            "/activity" => match form.get("idle_ms").parse() {
                Ok(idle_ms) => portal::record_activity(idle_ms).map(|()| Vec::new()),
                Err(_) => Err(Error::Invalid("idle for how long?".into())),
            },
            "/account/password" if !request.fields.is_empty() => {
                secrets::change_password(&form.get("current"), &form.get("new")).map(|_| Vec::new())
            }
            page => visit(page, &form),
        };
        told.map_or_else(refusal, |lines| page(200, lines))
    }
}

/// The fields of a request.
struct Form<'r>(&'r Request);

impl Form<'_> {
    fn has(&self, name: &str) -> Option<String> {
        let found = self.0.fields.iter().find(|field| field.name == name);
        found.map(|field| field.value.clone())
    }

    fn get(&self, name: &str) -> String {
        self.has(name).unwrap_or_default()
    }
}

fn claim(form: &Form) -> Told {
    let claim = portal::begin_claim(&Evidence {
        given_name: form.get("given_name"),
        family_name: form.get("family_name"),
        birthdate: form.get("birthdate"),
        login_id: form.get("login_id"),
        claim_code: form.get("claim_code"),
    })?;
    let mut lines = vec![
        ("claim", claim.id),
        ("login_id", claim.login_id),
        ("given_name", claim.given_name),
    ];
    lines.extend(claim.requirements.into_iter().map(|(_, text)| ("requirement", text)));
    Ok(lines)
}

/// Fields that are not the claim are questions.
fn questions(form: &Form) -> Told {
    let answers = form.0.fields.iter().filter(|field| field.name != "claim");
    let answers: Vec<_> = answers
        .map(|field| (field.name.clone(), field.value.clone()))
        .collect();
    let claimed = secrets::finish_claim(&form.get("claim"), &answers)?;
    Ok(vec![("login_id", claimed.login_id), ("given_name", claimed.given_name)])
}

fn log_in(form: &Form) -> Told {
    let there = secrets::log_in(&LogInForm {
        login_id: form.get("login_id"),
        password: form.get("password"),
        shared_computer: form.has("shared_computer").is_some(),
        return_to: form.has("return_to"),
        tag: form.has("for"),
    })?;
    let mut lines = of_person(there.person);
    lines.push(("notice", there.notice));
    lines.extend(there.location.map(|at| ("location", at)));
    lines.extend(there.organization.map(|id| ("organization", id)));
    Ok(lines)
}

fn visit(at: &str, form: &Form) -> Told {
    let there = portal::visit(at)?;
    if form.has("background").is_none() {
        portal::record_activity(0)?;
    }
    let mut lines = of_person(there.person);
    lines.push(("location", there.location));
    lines.extend(there.organization.map(|id| ("organization", id)));
    Ok(lines)
}

fn of_person(person: Person) -> Vec<(&'static str, String)> {
    vec![
        ("login_id", person.login_id),
        ("given_name", person.given_name),
        ("organizations", person.organizations.join(",")),
        ("inactivity_s", (person.inactivity_timeout_ms / 1000).to_string()),
    ]
}

fn refusal(error: Error) -> Page {
    let outcome = |code: &str| vec![("outcome", code.to_owned())];
    match error {
        Error::Refused(refused) => page(403, of_refused(refused)),
        Error::Invalid(why) => {
            let mut lines = outcome("invalid");
            lines.push(("why", why));
            page(422, lines)
        }
        Error::Busy(_) => page(503, outcome("busy")),
        Error::Unavailable(_) => page(503, outcome("fault")),
    }
}

fn of_refused(refused: Refused) -> Vec<(&'static str, String)> {
    let mut lines = vec![("outcome", refused.code)];
    if !refused.issues.is_empty() {
        lines.push(("issues", refused.issues.join(",")));
    }
    lines.extend(refused.end_reason.map(|reason| ("reason", reason)));
    lines.extend(refused.retry_after_ms.map(|ms| ("retry_after_s", (ms / 1000).to_string())));
    if let Some(led) = refused.log_in_page {
        lines.push(("login_page_for", led.return_to));
        lines.push(("for", led.tag));
    }
    lines
}

fn page(status: u16, lines: Vec<(&'static str, String)>) -> Page {
    let lines = lines.into_iter().map(|(name, value)| format!("{name}: {value}\n"));
    Page {
        status,
        location: None,
        text: lines.collect(),
    }
}

export!(Kiosk);
