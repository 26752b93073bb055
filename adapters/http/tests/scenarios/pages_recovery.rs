//! Recovery, the list of browsers, and what asks for the password again, as a browser does it.

use narthex_conformance::front_door::{Answer, Request, Visitor};
use narthex_conformance::scenarios::Facts;
use narthex_core::rules::question::BANK;

use crate::client::{Ask, answer, ok};
use crate::html::{Form, attribute, tags, texts_after};
use crate::page::Page;
use crate::pages::PagesDoor;

impl PagesDoor {
    pub(crate) async fn account_told(
        &self,
        visitor: &Visitor,
        request: Request,
    ) -> Result<Answer, Answer> {
        match request {
            // A form that ends nobody: only its password is looked at.
            Request::Reauthenticate { password } => {
                let page = self.end_sessions(visitor, "nobody", &password).await?;
                match page.url.as_str() {
                    "/account/sessions" => Ok(ok(Facts::default())),
                    _ => Err(page.refused()),
                }
            }
            Request::SetQuestions { answers } => self.set_questions(visitor, &answers).await,
            Request::RenewRecoveryCodes => self.renew_codes(visitor).await,
            Request::Sessions => {
                let page = self.page(visitor, "/account/sessions").await?;
                Ok(ok(Facts {
                    sessions: Some(page.reply.body.matches("<p class=\"name\">").count()),
                    ..Facts::default()
                }))
            }
            Request::EndSession { of } => {
                let family = self.0.jar(&of, |jar| jar.family.clone());
                let page = self.end_sessions(visitor, &family, "").await?;
                match page.url.as_str() {
                    "/account/sessions?notice=one_ended" => Ok(ok(Facts::default())),
                    "/account/sessions" => Err(answer("not_permitted", Facts::default())),
                    _ => Err(page.refused()),
                }
            }
            Request::EndOtherSessions => {
                let page = self.end_sessions(visitor, "others", "").await?;
                match page.url.as_str() {
                    "/account/sessions?notice=others_ended" => Ok(ok(Facts::default())),
                    _ => Err(page.refused()),
                }
            }
            Request::BeginRecovery {
                recovery,
                login_id,
                code,
            } => {
                self.begin_recovery(visitor, recovery, &login_id, &code)
                    .await
            }
            Request::RecoveryAnswers {
                recovery,
                ticket_of,
                answers,
            } => {
                let form = self
                    .recovery_form(visitor, "questions", &recovery, ticket_of)
                    .await?;
                // Who is asked nothing is on the next page already.
                let Some(mut form) = form else {
                    return Ok(ok(Facts::default()));
                };
                for (field, question) in ["answer_1", "answer_2"].iter().zip(asked(&form)) {
                    let given = answers.iter().find(|(id, _)| *id == question);
                    form.fill(field, given.map_or("", |(_, answer)| answer));
                }
                self.recovery_step(visitor, recovery, form).await
            }
            Request::RecoveryPassword {
                recovery,
                ticket_of,
                password,
            } => {
                let form = self
                    .recovery_form(visitor, "password", &recovery, ticket_of)
                    .await?;
                let mut form =
                    form.ok_or_else(|| answer("recovery_step_missing", Facts::default()))?;
                form.fill("password", &password);
                self.recovery_step(visitor, recovery, form).await
            }
            other => panic!("there is no page for this: {other:?}"),
        }
    }

    async fn end_sessions(
        &self,
        visitor: &Visitor,
        which: &str,
        password: &str,
    ) -> Result<Page, Answer> {
        let page = self.page(visitor, "/account/sessions").await?;
        let mut form = page.form("sessions-form");
        form.fill("which", which);
        form.fill("current", password);
        let reply = self.submit(visitor, &form).await;
        Ok(self.led_to(visitor, reply).await)
    }

    async fn set_questions(
        &self,
        visitor: &Visitor,
        answers: &[(String, String)],
    ) -> Result<Answer, Answer> {
        let page = self.page(visitor, "/account/questions").await?;
        let mut form = page.form("questions-form");
        for (number, (question, answer)) in (1..).zip(answers) {
            form.fill(&format!("question_{number}"), question);
            form.fill(&format!("answer_{number}"), answer);
        }
        let reply = self.submit(visitor, &form).await;
        let page = self.led_to(visitor, reply).await;
        match page.url.as_str() {
            "/account?notice=saved" => Ok(ok(Facts::default())),
            _ => Err(page.refused()),
        }
    }

    async fn renew_codes(&self, visitor: &Visitor) -> Result<Answer, Answer> {
        let page = self.page(visitor, "/account/recovery-codes").await?;
        let reply = self.submit(visitor, &page.form("codes-form")).await;
        let page = self.led_to(visitor, reply).await;
        let codes = texts_after(&page.reply.body, "<code>");
        if codes.is_empty() {
            return Err(page.refused());
        }
        Ok(ok(Facts {
            codes,
            ..Facts::default()
        }))
    }

    async fn begin_recovery(
        &self,
        visitor: &Visitor,
        recovery: String,
        login_id: &str,
        code: &str,
    ) -> Result<Answer, Answer> {
        let page = self.follow(visitor, Ask::get("/recover")).await;
        let mut form = page.form("recover-form");
        form.fill("login_id", login_id);
        form.fill("code", code);
        let reply = self.submit(visitor, &form).await;
        let page = self.led_to(visitor, reply).await;
        self.recovery_page(visitor, recovery, page)
            .map_err(|refused| *refused)
    }

    /// What a page of a recovery asks for next.
    fn recovery_page(
        &self,
        visitor: &Visitor,
        recovery: String,
        page: Page,
    ) -> Result<Answer, Box<Answer>> {
        let form = match page.name().as_str() {
            "recover-questions" => page.form("recover-questions-form"),
            "recover-password" => page.form("recover-password-form"),
            _ => return Err(Box::new(page.refused())),
        };
        if page.reply.status != http::StatusCode::OK {
            return Err(Box::new(page.refused()));
        }
        let ticket = form.value("recovery").unwrap().to_owned();
        let facts = Facts {
            questions: Some(labels(&page)),
            ..page.whose()
        };
        self.0.jar(&visitor.browser, |jar| {
            jar.recoveries.insert(recovery.clone(), ticket);
            jar.recovery_forms
                .insert(recovery, with_asked(form, &labels(&page)));
        });
        Ok(ok(facts))
    }

    /// The form of a step: that of the page the tab is on, or of the one its address leads to. `None`:
    /// the tab is led to another step.
    async fn recovery_form(
        &self,
        visitor: &Visitor,
        step: &str,
        recovery: &str,
        ticket_of: Option<String>,
    ) -> Result<Option<Form>, Answer> {
        let browser = &visitor.browser;
        let action = format!("/recover/{step}");
        if let Some(holder) = ticket_of {
            // Whoever saw the address has no form of their own: any of theirs will do.
            let ticket = self.0.jar(&holder, |jar| jar.recoveries[recovery].clone());
            let page = self.follow(visitor, Ask::get("/recover")).await;
            let mut form = page.form("recover-form");
            form.fields.retain(|(name, _)| name == "form_token");
            form.action = action;
            form.fill("recovery", &ticket);
            return Ok(Some(form));
        }
        let shown = self
            .0
            .jar(browser, |jar| jar.recovery_forms.get(recovery).cloned());
        if let Some(form) = shown.filter(|form| form.action == action) {
            return Ok(Some(form));
        }
        let ticket = self
            .0
            .jar(browser, |jar| jar.recoveries.get(recovery).cloned());
        let url = match ticket {
            Some(ticket) => format!("{action}?recovery={ticket}"),
            None => action.clone(),
        };
        let page = self.follow(visitor, Ask::get(&url)).await;
        match page.name().as_str() {
            "recover-questions" if step == "questions" => {
                let form = page.form("recover-questions-form");
                Ok(Some(with_asked(form, &labels(&page))))
            }
            "recover-password" if step == "password" => {
                Ok(Some(page.form("recover-password-form")))
            }
            "recover-questions" | "recover-password" => Ok(None),
            _ => Err(page.refused()),
        }
    }

    async fn recovery_step(
        &self,
        visitor: &Visitor,
        recovery: String,
        form: Form,
    ) -> Result<Answer, Answer> {
        let sent = Form {
            fields: form
                .fields
                .iter()
                .filter(|(name, _)| !name.starts_with("asked"))
                .cloned()
                .collect(),
            ..form
        };
        let reply = self.submit(visitor, &sent).await;
        let page = self.led_to(visitor, reply).await;
        if page.url == "/login?notice=recovered" {
            let number = page.form("login-form");
            return Ok(Answer {
                untold: &["given_name"],
                ..ok(Facts {
                    login_id: number.value("login_id").map(str::to_owned),
                    ..Facts::default()
                })
            });
        }
        self.recovery_page(visitor, recovery, page)
            .map_err(|refused| *refused)
    }
}

/// The ids of the questions on a page, in its order.
fn labels(page: &Page) -> Vec<String> {
    let labels = tags(&page.reply.body, "<label");
    let asked = labels.filter_map(|(label, after)| {
        attribute(label, "for").filter(|field| field.starts_with("answer_"))?;
        let text = crate::html::unescape(after.split('<').next()?);
        let question = BANK.iter().find(|question| question.text == text)?;
        Some(question.id.to_owned())
    });
    asked.collect()
}

/// The form with a note of what is asked, for who fills it in; not sent.
fn with_asked(mut form: Form, questions: &[String]) -> Form {
    for (number, question) in (1..).zip(questions) {
        form.fill(&format!("asked_{number}"), question);
    }
    form
}

fn asked(form: &Form) -> Vec<String> {
    let noted = form.fields.iter();
    noted
        .filter(|(name, _)| name.starts_with("asked_"))
        .map(|(_, question)| question.clone())
        .collect()
}
