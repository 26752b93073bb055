//! The functions that an application may call. Each runs on the thread of the guest's call and waits
//! there for the portal.

use std::time::Duration;

use futures_executor::block_on;
use narthex_core::host::{Entropy, EntropyError};
use narthex_core::portal::{ClaimTicket, LogIn};
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::rules::resume::Resume;
use narthex_core::{
    Asker, BrowserSecret, Error, LoginId, OrganizationId, Password, Portal, Refusal,
    ResumeLocation, SessionToken, TicketId, VerifiedSession,
};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, LinkerInstance};

use super::Visit;
use super::wire::{Claim, Claimed, Evidence, LogInForm, LogInPage, LoggedIn, No, Person, Visited};
use crate::hook::interface;

type Told<T> = Result<T, No>;

/// Puts one function into the linker, counted against the budget of host calls.
macro_rules! function {
    ($instance:ident, $name:literal, |$visit:ident $(, $parameter:ident: $type:ty)*| $does:expr) => {
        $instance.func_wrap(
            $name,
            |mut store: StoreContextMut<'_, Visit>, ($($parameter,)*): ($($type,)*)| {
                let $visit = store.data_mut();
                $visit.room.call_host()?;
                let told = $does;
                $visit.on_grid |= is_after_a_secret(&told);
                Ok((told,))
            },
        )?;
    };
}

fn is_after_a_secret<T>(told: &Told<T>) -> bool {
    match told {
        Err(No::Refused(refused)) => Refusal::AFTER_A_SECRET.contains(&refused.code.as_str()),
        _ => false,
    }
}

/// `narthex:portal/portal`.
pub(super) fn add_portal(linker: &mut Linker<Visit>) -> wasmtime::Result<()> {
    let mut portal: LinkerInstance<'_, Visit> = linker.instance(&interface("portal"))?;
    function!(portal, "begin-claim", |visit, evidence: Evidence| block_on(
        visit.begin_claim(&evidence)
    ));
    function!(portal, "abandon-claim", |visit, claim: String| block_on(
        visit.abandon_claim(&claim)
    ));
    function!(portal, "visit", |visit, at: String| block_on(
        visit.visit(&at)
    ));
    function!(portal, "record-activity", |visit, idle_ms: u64| block_on(
        visit.activity(idle_ms)
    ));
    function!(portal, "log-out", |visit| block_on(visit.log_out()));
    Ok(())
}

/// `narthex:portal/secrets`.
pub(super) fn add_secrets(linker: &mut Linker<Visit>) -> wasmtime::Result<()> {
    let mut secrets: LinkerInstance<'_, Visit> = linker.instance(&interface("secrets"))?;
    function!(secrets, "log-in", |visit, form: LogInForm| block_on(
        visit.log_in(form)
    ));
    function!(
        secrets,
        "set-claim-password",
        |visit, claim: String, password: String| {
            block_on(visit.claim_password(&claim, &password))
        }
    );
    function!(
        secrets,
        "finish-claim",
        |visit, claim: String, answers: Vec<(String, String)>| {
            block_on(visit.finish_claim(&claim, &answers))
        }
    );
    function!(
        secrets,
        "change-password",
        |visit, current: String, new: String| { block_on(visit.change_password(&current, &new)) }
    );
    Ok(())
}

impl Visit {
    fn asker(&self) -> Asker {
        Asker {
            known_browser: self.visitor.jar.known.clone(),
            ..self.visitor.asker.clone()
        }
    }

    async fn begin_claim(&mut self, evidence: &Evidence) -> Told<Claim> {
        let evidence = ClaimEvidence::parse_with_code(
            &evidence.given_name,
            &evidence.family_name,
            &evidence.birthdate,
            &evidence.login_id,
            &evidence.claim_code,
        )
        .map_err(|_| No::Invalid("names, birthdate and number are needed".into()))?;
        if evidence.code().is_none() && self.portal.claim_code_required() {
            return Err(No::Invalid("the code of the letter is needed".into()));
        }
        let browser = match &self.visitor.jar.claim {
            Some(browser) => browser.clone(),
            None => {
                BrowserSecret::generate(&PortalEntropy(self.portal.clone())).map_err(Error::from)?
            }
        };
        self.visitor.jar.claim = Some(browser.clone());
        let ticket = self
            .portal
            .begin_claim(evidence, &browser, &self.asker())
            .await?;
        Ok((&ticket).into())
    }

    async fn ticket(&self, claim: &str) -> Told<(ClaimTicket, BrowserSecret)> {
        let id = TicketId::parse(claim);
        let (Some(id), Some(browser)) = (id, self.visitor.jar.claim.clone()) else {
            return Err(Refusal::ClaimExpired.into());
        };
        Ok((self.portal.claim_ticket(id, &browser).await?, browser))
    }

    async fn abandon_claim(&self, claim: &str) -> Told<()> {
        let id = TicketId::parse(claim);
        let (Some(id), Some(browser)) = (id, &self.visitor.jar.claim) else {
            return Err(Refusal::ClaimExpired.into());
        };
        Ok(self.portal.abandon_claim(id, browser).await?)
    }

    async fn claim_password(&self, claim: &str, password: &str) -> Told<Claim> {
        let password = Password::parse(password)?;
        let (ticket, browser) = self.ticket(claim).await?;
        let set = self.portal.set_claim_password(&ticket, &browser, password);
        Ok((&set.await?).into())
    }

    async fn finish_claim(&self, claim: &str, answers: &[(String, String)]) -> Told<Claimed> {
        let (ticket, browser) = self.ticket(claim).await?;
        let none = SecurityAnswers::new();
        let each = answers.iter();
        let answers = each.fold(none, |given, (question, answer)| {
            given.with(question, answer)
        });
        let asker = self.asker();
        let finish = self.portal.finish_claim(&ticket, &browser, answers, &asker);
        let claimed = finish.await?;
        Ok(Claimed {
            login_id: claimed.login_id,
            given_name: claimed.given_name,
        })
    }

    async fn log_in(&mut self, form: LogInForm) -> Told<LoggedIn> {
        let password = zeroize::Zeroizing::new(form.password);
        let request = LogIn {
            login_id: LoginId::parse(&form.login_id)?,
            password: Password::parse(&password)?,
            shared_computer: form.shared_computer,
            presented: self.visitor.jar.session.clone(),
        };
        let logged_in = self.portal.log_in(request, &self.asker()).await?;
        let jar = &mut self.visitor.jar;
        jar.session = Some(logged_in.token);
        jar.known = logged_in.known_browser.or(jar.known.take());
        // What cannot be parsed is as good as not there: people are led to their landing page.
        let wanted = form.return_to.and_then(|text| self.location(&text));
        let profile = &logged_in.profile;
        let resume = self.portal.resume(profile, wanted, form.tag.as_deref())?;
        let (location, notice) = match resume {
            Resume::Location(location) => (Some(location), ""),
            Resume::LandingPage(organization) => (landing_page(organization), ""),
            Resume::MembershipLost(organization) => (landing_page(organization), "membership_lost"),
        };
        let organization = location.as_ref().and_then(|l| l.organization());
        Ok(LoggedIn {
            person: Person::of(&logged_in.session, profile),
            organization: organization.map(ToString::to_string),
            location: location.map(|location| location.as_str().to_owned()),
            notice: notice.to_owned(),
        })
    }

    async fn session(&self) -> Told<(SessionToken, VerifiedSession)> {
        let token = self
            .visitor
            .jar
            .session
            .clone()
            .ok_or(Refusal::NotLoggedIn)?;
        let session = self.portal.verify_session(&token).await?;
        Ok((token, session))
    }

    async fn visit(&mut self, at: &str) -> Told<Visited> {
        let location = self.location(at);
        let Some(token) = self.visitor.jar.session.clone() else {
            return self.led_to_log_in(Refusal::NotLoggedIn, location);
        };
        let session = match self.portal.verify_session(&token).await {
            Ok(session) => session,
            Err(Error::Refused(refusal)) => return self.led_to_log_in(refusal, location),
            Err(error) => return Err(error.into()),
        };
        let profile = self.portal.profile(&session).await?;
        let location = match location {
            Some(location) => location,
            None if at == "/" => {
                landing_page(profile.default_organization.clone()).ok_or(Refusal::NotPermitted)?
            }
            None => return Err(No::Invalid("there is no such page".into())),
        };
        if let Some(organization) = location.organization()
            && !profile.is_member(organization)
        {
            return Err(Refusal::NotPermitted.into());
        }
        Ok(Visited {
            person: Person::of(&session, &profile),
            organization: location.organization().map(ToString::to_string),
            location: location.as_str().to_owned(),
        })
    }

    /// Not logged in: where the log-in page leads back to. A session that ended is taken out of the jar.
    fn led_to_log_in(
        &mut self,
        refusal: Refusal,
        location: Option<ResumeLocation>,
    ) -> Told<Visited> {
        let mut tag = String::new();
        if let Refusal::SessionEnded { account, .. } = &refusal {
            if let (Some(account), Some(location)) = (account, &location) {
                tag = self.portal.resume_tag(*account, location)?;
            }
            self.visitor.jar.session = None;
        }
        let mut no = No::from(refusal);
        if let No::Refused(refused) = &mut no {
            refused.log_in_page = Some(LogInPage {
                return_to: location.map_or_else(String::new, |l| l.as_str().to_owned()),
                tag,
            });
        }
        Err(no)
    }

    async fn activity(&self, idle_ms: u64) -> Told<()> {
        let (_, session) = self.session().await?;
        let idle = Duration::from_millis(idle_ms);
        self.portal.record_activity(&session, idle).await?;
        Ok(())
    }

    async fn log_out(&mut self) -> Told<()> {
        let token = self
            .visitor
            .jar
            .session
            .clone()
            .ok_or(Refusal::NotLoggedIn)?;
        self.portal.log_out(&token, &self.asker()).await?;
        self.visitor.jar.session = None;
        Ok(())
    }

    async fn change_password(&mut self, current: &str, new: &str) -> Told<Person> {
        let (current, new) = (Password::parse(current)?, Password::parse(new)?);
        let (_, session) = self.session().await?;
        let asker = self.asker();
        let change = self.portal.change_password(&session, current, new, &asker);
        let changed = change.await?;
        self.visitor.jar.session = Some(changed.token);
        Ok(Person::of(&changed.session, &changed.profile))
    }

    fn location(&self, text: &str) -> Option<ResumeLocation> {
        ResumeLocation::parse(text, &self.portal.policy().apps).ok()
    }
}

fn landing_page(organization: Option<OrganizationId>) -> Option<ResumeLocation> {
    organization.map(|organization| ResumeLocation::landing_page(&organization))
}

/// The portal's randomness as a door.
#[derive(Debug)]
struct PortalEntropy(Portal);

impl Entropy for PortalEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(16) {
            let drawn: [u8; 16] = self.0.random().map_err(|e| EntropyError(e.to_string()))?;
            for (byte, random) in chunk.iter_mut().zip(drawn) {
                *byte = random;
            }
        }
        Ok(())
    }
}
