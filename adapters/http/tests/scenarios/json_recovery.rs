//! Recovery, the list of browsers, and what asks for a fresh log-in, as a program does it.

use http::Method;
use narthex_conformance::front_door::{Answer, Request, Visitor};
use narthex_conformance::scenarios::Facts;
use serde_json::{Value, json};

use crate::client::ok;
use crate::json::{JsonDoor, text};

impl JsonDoor {
    pub(crate) async fn account_told(
        &self,
        visitor: &Visitor,
        request: Request,
    ) -> Result<Answer, Answer> {
        let call = |method, path: String, body| async move {
            self.call(visitor, method, &path, body).await
        };
        match request {
            Request::Reauthenticate { password } => {
                let body = json!({"password": *password});
                call(Method::POST, "/session/confirm".into(), Some(body)).await?;
                Ok(ok(Facts::default()))
            }
            Request::SetQuestions { answers } => {
                let body = json!({"answers": list(&answers)});
                call(Method::PUT, "/questions".into(), Some(body)).await?;
                Ok(ok(Facts::default()))
            }
            Request::RenewRecoveryCodes => {
                let told = call(Method::POST, "/recovery-codes".into(), None).await?;
                let codes = told["codes"].as_array().unwrap().iter().map(text);
                Ok(ok(Facts {
                    codes: codes.collect(),
                    ..Facts::default()
                }))
            }
            Request::Sessions => {
                let told = call(Method::GET, "/sessions".into(), None).await?;
                let sessions = told["sessions"].as_array().unwrap();
                let here = sessions
                    .iter()
                    .filter(|s| s["current"] == Value::Bool(true));
                assert_eq!(here.count(), 1, "{told}");
                Ok(ok(Facts {
                    sessions: Some(sessions.len()),
                    ..Facts::default()
                }))
            }
            Request::EndSession { of } => {
                let family = self.0.jar(&of, |jar| jar.family.clone());
                call(Method::DELETE, format!("/sessions/{family}"), None).await?;
                Ok(ok(Facts::default()))
            }
            Request::EndOtherSessions => {
                call(Method::DELETE, "/sessions".into(), None).await?;
                Ok(ok(Facts::default()))
            }
            Request::BeginRecovery {
                recovery,
                login_id,
                code,
            } => {
                let body = json!({"login_id": login_id, "code": *code});
                let told = call(Method::POST, "/recovery".into(), Some(body)).await?;
                self.0.jar(&visitor.browser, |jar| {
                    jar.recoveries.insert(recovery, text(&told["recovery"]))
                });
                let questions = told["questions"].as_array().unwrap().iter();
                Ok(ok(Facts {
                    login_id: Some(text(&told["login_id"])),
                    given_name: Some(text(&told["given_name"])),
                    questions: Some(questions.map(|q| text(&q["id"])).collect()),
                    ..Facts::default()
                }))
            }
            Request::RecoveryAnswers {
                recovery,
                ticket_of,
                answers,
            } => {
                let recovery = self.recovery(visitor, ticket_of, &recovery);
                let body = json!({"recovery": recovery, "answers": list(&answers)});
                call(Method::POST, "/recovery/questions".into(), Some(body)).await?;
                Ok(Answer {
                    untold: &["questions"],
                    ..ok(Facts::default())
                })
            }
            Request::RecoveryPassword {
                recovery,
                ticket_of,
                password,
            } => {
                let recovery = self.recovery(visitor, ticket_of, &recovery);
                let body = json!({"recovery": recovery, "password": *password});
                call(Method::POST, "/recovery/password".into(), Some(body)).await?;
                Ok(Answer {
                    untold: &["login_id"],
                    ..ok(Facts::default())
                })
            }
            other => panic!("there is no JSON for this: {other:?}"),
        }
    }

    /// The public id of a recovery, as its program remembers it; none: the latest of the browser.
    fn recovery(&self, visitor: &Visitor, of: Option<String>, name: &str) -> Option<String> {
        let holder = of.unwrap_or_else(|| visitor.browser.clone());
        self.0.jar(&holder, |jar| jar.recoveries.get(name).cloned())
    }
}

fn list(answers: &[(String, String)]) -> Vec<Value> {
    let item =
        |(question, answer): &(String, String)| json!({"question": question, "answer": answer});
    answers.iter().map(item).collect()
}
