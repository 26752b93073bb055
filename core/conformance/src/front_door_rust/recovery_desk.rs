//! Recovery, and what asks for a fresh log-in, as an application does it.

use narthex_core::portal::RecoveryTicket;
use narthex_core::rules::code::RecoveryCodeText;
use narthex_core::{Asker, BrowserSecret, LoginId, Password, Refusal};

use super::desk::{Desk, given};
use super::{No, Told};
use crate::scenarios::Facts;

impl Desk<'_> {
    pub(super) async fn begin_recovery(
        &self,
        recovery: String,
        login_id: &LoginId,
        code: &RecoveryCodeText,
        asker: &Asker,
    ) -> Told {
        let browser = self.jar(|jar| jar.recovery.clone());
        let browser = browser.map_or_else(|| self.fresh_secret(), Ok)?;
        self.jar(|jar| jar.recovery = Some(browser.clone()));
        let ticket = self
            .portal
            .begin_recovery(login_id, code, &browser, asker)
            .await?;
        self.jar(|jar| jar.recoveries.insert(recovery, ticket.id()));
        Ok(of_recovery(&ticket))
    }

    /// The ticket that the form names, as this browser may see it.
    async fn recovery(
        &self,
        recovery: &str,
        of: Option<String>,
    ) -> Result<(RecoveryTicket, BrowserSecret), No> {
        let holder = of.unwrap_or_else(|| self.browser.to_owned());
        let id = self
            .door
            .jar(&holder, |jar| jar.recoveries.get(recovery).copied());
        let (Some(id), Some(browser)) = (id, self.jar(|jar| jar.recovery.clone())) else {
            return Err(Refusal::RecoveryExpired.into());
        };
        Ok((self.portal.recovery_ticket(id, &browser).await?, browser))
    }

    pub(super) async fn recovery_answers(
        &self,
        recovery: &str,
        of: Option<String>,
        answers: &[(String, String)],
        asker: &Asker,
    ) -> Told {
        let (ticket, browser) = self.recovery(recovery, of).await?;
        // A page without questions is not shown.
        if ticket.questions().is_empty() {
            return Ok(of_recovery(&ticket));
        }
        let ticket = self
            .portal
            .answer_recovery_questions(&ticket, &browser, &given(answers), asker)
            .await?;
        Ok(of_recovery(&ticket))
    }

    pub(super) async fn recovery_password(
        &self,
        recovery: &str,
        of: Option<String>,
        password: Password,
        asker: &Asker,
    ) -> Told {
        let (ticket, browser) = self.recovery(recovery, of).await?;
        let recovered = self
            .portal
            .finish_recovery(&ticket, &browser, password, asker)
            .await?;
        Ok(Facts {
            login_id: Some(recovered.login_id),
            given_name: Some(recovered.given_name),
            ..Facts::default()
        })
    }

    pub(super) async fn reauthenticate(&self, password: Password, asker: &Asker) -> Told {
        let (_, session) = self.session().await?;
        let again = self
            .portal
            .reauthenticate(&session, password, asker)
            .await?;
        self.jar(|jar| jar.session = Some(again.token));
        Ok(Facts::default())
    }

    pub(super) async fn sessions(&self) -> Told {
        let (_, session) = self.session().await?;
        let families = self.portal.families(&session).await?;
        Ok(Facts {
            sessions: Some(families.len()),
            ..Facts::default()
        })
    }

    pub(super) async fn end_session(&self, of: &str, asker: &Asker) -> Told {
        let other = self.door.jar(of, |jar| jar.session.clone());
        let other = other.ok_or(Refusal::NotPermitted)?;
        let handle = self.portal.family_tag(other.selector())?;
        let (_, session) = self.session().await?;
        let proof = self.portal.fresh(&session)?;
        self.portal.end_family(&proof, &handle, asker).await?;
        Ok(Facts::default())
    }

    pub(super) async fn end_other_sessions(&self, asker: &Asker) -> Told {
        let (_, session) = self.session().await?;
        let proof = self.portal.fresh(&session)?;
        let renewed = self.portal.end_other_families(&proof, asker).await?;
        self.jar(|jar| jar.session = Some(renewed.token));
        Ok(Facts::default())
    }

    pub(super) async fn set_questions(&self, answers: &[(String, String)], asker: &Asker) -> Told {
        let (_, session) = self.session().await?;
        let proof = self.portal.fresh(&session)?;
        self.portal
            .set_questions(&proof, &given(answers), asker)
            .await?;
        Ok(Facts::default())
    }

    pub(super) async fn renew_recovery_codes(&self, asker: &Asker) -> Told {
        let (_, session) = self.session().await?;
        let proof = self.portal.fresh(&session)?;
        let codes = self.portal.renew_recovery_codes(&proof, asker).await?;
        Ok(Facts {
            codes: codes.iter().map(|code| code.expose().to_string()).collect(),
            ..Facts::default()
        })
    }
}

fn of_recovery(ticket: &RecoveryTicket) -> Facts {
    let questions = ticket.questions().iter().map(|q| q.id.to_owned());
    Facts {
        login_id: Some(ticket.login_id().to_owned()),
        given_name: Some(ticket.given_name().to_owned()),
        questions: Some(questions.collect()),
        ..Facts::default()
    }
}
