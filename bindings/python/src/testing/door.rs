//! A front door that is written in Python, as the scenarios use it.

use async_trait::async_trait;
use futures_channel::oneshot;
use narthex::core::Portal;
use narthex::http::Settings;
use narthex_conformance::front_door::{Answer, FrontDoor, Request, Visitor, Way};
use narthex_conformance::scenarios::{Cookies, Facts};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::engine::{Engine, Recipe};

/// Where the portal of a scenario says it lives.
const BASE_URL: &str = "https://portal.school.example";

/// Facts that a way in may leave untold, in every combination there is.
const UNTOLD: [&[&str]; 5] = [
    &[],
    &["given_name", "login_id"],
    &["login_id"],
    &["login_page_for"],
    &["questions"],
];

/// Its object has `way`, `open(engine)` and `ask(browser, network, request) -> answer`, request and
/// answer being JSON. Each request runs on a thread of its own.
pub(crate) struct PythonDoor {
    door: Py<PyAny>,
    way: Way,
    /// Why it did not open: the answer to every request.
    fault: Option<String>,
}

impl PythonDoor {
    pub(crate) fn new(py: Python<'_>, door: Py<PyAny>) -> PyResult<Self> {
        let word: String = door.getattr(py, "way")?.extract(py)?;
        let way = match word.as_str() {
            "python" => Way::Python,
            "http_json" => Way::HttpJson,
            "http_pages" => Way::HttpPages,
            _ => {
                let message = "way is none of \"python\", \"http_json\", \"http_pages\"";
                return Err(PyValueError::new_err(message));
            }
        };
        Ok(Self {
            door,
            way,
            fault: None,
        })
    }

    pub(crate) fn its_way(&self) -> Way {
        self.way
    }
}

#[async_trait]
impl FrontDoor for PythonDoor {
    fn way(&self) -> Way {
        self.way
    }

    async fn open(&mut self, portal: Portal) {
        let opened = Python::attach(|py| -> PyResult<()> {
            let settings = Settings::new(BASE_URL)
                .map_err(|error| PyValueError::new_err(error.to_string()))?;
            let engine = Engine::open(Recipe::Given(portal), Some(settings))
                .map_err(|failure| failure.into_exception(py))?;
            self.door
                .call_method1(py, "open", (Py::new(py, engine)?,))?;
            Ok(())
        });
        self.fault = opened.err().map(|error| error.to_string());
    }

    async fn ask(&self, visitor: &Visitor, request: Request) -> Answer {
        let fault = |error: String| Answer {
            outcome: "fault".to_owned(),
            facts: Facts::default(),
            shown: error,
            untold: &[],
        };
        if let Some(error) = &self.fault {
            return fault(error.clone());
        }
        let (answered, answer) = oneshot::channel();
        let door = Python::attach(|py| self.door.clone_ref(py));
        let (browser, network) = (visitor.browser.clone(), visitor.network.clone());
        let request = written(&request).to_string();
        std::thread::spawn(move || {
            let told = Python::attach(|py| -> PyResult<String> {
                let told = door.call_method1(py, "ask", (browser, network, request))?;
                told.extract(py)
            });
            // The scenario may have failed elsewhere meanwhile.
            let _gone = answered.send(told.map_err(|error| error.to_string()));
        });
        let told = answer.await.unwrap_or_else(|_| Err("it ended".to_owned()));
        told.and_then(|text| read(&text)).unwrap_or_else(fault)
    }
}

fn read(text: &str) -> Result<Answer, String> {
    let mut told: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // Recovery codes are told to the runner alone: a scenario never expects one by its text.
    let codes = told.pointer_mut("/facts/codes").map(Value::take);
    if let Some(facts) = told.get_mut("facts").and_then(Value::as_object_mut) {
        facts.remove("codes");
    }
    let part = |name: &str| told.get(name).cloned().unwrap_or(Value::Null);
    let mut facts = match part("facts") {
        Value::Null => Facts::default(),
        facts => serde_json::from_value(facts).map_err(|error| error.to_string())?,
    };
    if let Some(codes) = codes {
        facts.codes = serde_json::from_value(codes).map_err(|error| error.to_string())?;
    }
    let untold: Vec<String> = match part("untold") {
        Value::Null => Vec::new(),
        untold => serde_json::from_value(untold).map_err(|error| error.to_string())?,
    };
    let untold = UNTOLD.into_iter().find(|known| *known == untold);
    Ok(Answer {
        outcome: part("outcome").as_str().unwrap_or_default().to_owned(),
        facts,
        shown: part("shown").as_str().unwrap_or_default().to_owned(),
        untold: untold.ok_or("what is left untold is not a known set of facts")?,
    })
}

fn written(request: &Request) -> Value {
    match request {
        Request::BeginClaim {
            claim,
            given_name,
            family_name,
            birthdate,
            login_id,
            claim_code,
        } => json!({
            "do": "begin_claim", "claim": claim, "given_name": given_name,
            "family_name": family_name, "birthdate": birthdate, "login_id": login_id,
            "claim_code": claim_code,
        }),
        Request::ClaimPassword {
            claim,
            ticket_of,
            password,
        } => json!({
            "do": "claim_password", "claim": claim, "ticket_of": ticket_of,
            "password": **password,
        }),
        Request::ClaimAnswers {
            claim,
            ticket_of,
            answers,
        } => json!({
            "do": "claim_answers", "claim": claim, "ticket_of": ticket_of, "answers": answers,
        }),
        Request::AbandonClaim { claim } => json!({"do": "abandon_claim", "claim": claim}),
        Request::LogIn {
            login_id,
            password,
            shared_computer,
            from,
            return_to,
        } => json!({
            "do": "log_in", "login_id": login_id, "password": **password,
            "shared_computer": shared_computer, "from": from, "return_to": return_to,
        }),
        Request::Visit { at, background } => {
            json!({"do": "visit", "at": at, "background": background})
        }
        Request::ChangePassword { current, new } => {
            json!({"do": "change_password", "current": **current, "new": **new})
        }
        Request::LogOut => json!({"do": "log_out"}),
        Request::Activity { idle_ms } => json!({"do": "activity", "idle_ms": idle_ms}),
        Request::ChooseDefault { organization } => {
            json!({"do": "choose_default", "organization": organization})
        }
        Request::ChangeDetails { field, value } => {
            json!({"do": "change_details", "field": field, "value": value})
        }
        Request::Watch => json!({"do": "watch"}),
        Request::Hear => json!({"do": "hear"}),
        Request::CopyCookies { from, which } => {
            let which = match which {
                Cookies::Session => "session",
                Cookies::Claim => "claim",
                Cookies::Recovery => "recovery",
                Cookies::Known => "known",
            };
            json!({"do": "copy_cookies", "from": from, "which": which})
        }
        Request::Reauthenticate { password } => {
            json!({"do": "reauthenticate", "password": **password})
        }
        Request::SetQuestions { answers } => json!({"do": "set_questions", "answers": answers}),
        Request::RenewRecoveryCodes => json!({"do": "renew_recovery_codes"}),
        Request::Sessions => json!({"do": "sessions"}),
        Request::EndSession { of } => json!({"do": "end_session", "of": of}),
        Request::EndOtherSessions => json!({"do": "end_other_sessions"}),
        Request::BeginRecovery {
            recovery,
            login_id,
            code,
        } => json!({
            "do": "begin_recovery", "recovery": recovery, "login_id": login_id, "code": **code,
        }),
        Request::RecoveryAnswers {
            recovery,
            ticket_of,
            answers,
        } => json!({
            "do": "recovery_answers", "recovery": recovery, "ticket_of": ticket_of,
            "answers": answers,
        }),
        Request::RecoveryPassword {
            recovery,
            ticket_of,
            password,
        } => json!({
            "do": "recovery_password", "recovery": recovery, "ticket_of": ticket_of,
            "password": **password,
        }),
        Request::PlantSession => json!({"do": "plant_session"}),
    }
}
