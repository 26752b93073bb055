//! What an application does at each step, with one browser before one portal.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;
use narthex_core::host::{Entropy, EntropyError};
use narthex_core::model::Profile;
use narthex_core::portal::{ClaimTicket, LogIn, LoggedIn, Notice};
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::rules::details::{DetailsChange, DetailsField};
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::rules::resume::Resume;
use narthex_core::{
    Asker, BrowserSecret, Error, OrganizationId, Password, Portal, Refusal, ResumeLocation,
    SessionToken, VerifiedSession,
};

use super::{Jar, No, RustFrontDoor, Told};
use crate::scenarios::{Cookies, Facts};

/// One browser before one portal.
pub(super) struct Desk<'a> {
    pub(super) door: &'a RustFrontDoor,
    pub(super) portal: &'a Portal,
    pub(super) browser: &'a str,
}

impl Desk<'_> {
    pub(super) fn jar<T>(&self, with: impl FnOnce(&mut Jar) -> T) -> T {
        self.door.jar(self.browser, with)
    }

    pub(super) async fn begin_claim(
        &self,
        claim: String,
        evidence: ClaimEvidence,
        asker: &Asker,
    ) -> Told {
        let browser = self.jar(|jar| jar.claim.clone());
        let browser = browser.map_or_else(|| self.fresh_secret(), Ok)?;
        self.jar(|jar| jar.claim = Some(browser.clone()));
        let ticket = self.portal.begin_claim(evidence, &browser, asker).await?;
        self.jar(|jar| jar.tickets.insert(claim, ticket.id()));
        Ok(of_ticket(&ticket))
    }

    pub(super) fn fresh_secret(&self) -> Result<BrowserSecret, No> {
        let entropy = PortalEntropy(self.portal.clone());
        Ok(BrowserSecret::generate(&entropy).map_err(Error::from)?)
    }

    /// The ticket that the form names, as this browser may see it.
    async fn ticket(
        &self,
        claim: &str,
        of: Option<String>,
    ) -> Result<(ClaimTicket, BrowserSecret), No> {
        let holder = of.unwrap_or_else(|| self.browser.to_owned());
        let id = self
            .door
            .jar(&holder, |jar| jar.tickets.get(claim).copied());
        let (Some(id), Some(browser)) = (id, self.jar(|jar| jar.claim.clone())) else {
            return Err(Refusal::ClaimExpired.into());
        };
        Ok((self.portal.claim_ticket(id, &browser).await?, browser))
    }

    pub(super) async fn claim_password(
        &self,
        claim: &str,
        of: Option<String>,
        password: Password,
    ) -> Told {
        let (ticket, browser) = self.ticket(claim, of).await?;
        let ticket = self
            .portal
            .set_claim_password(&ticket, &browser, password)
            .await?;
        Ok(of_ticket(&ticket))
    }

    pub(super) async fn claim_answers(
        &self,
        claim: &str,
        of: Option<String>,
        answers: &[(String, String)],
        asker: &Asker,
    ) -> Told {
        let (ticket, browser) = self.ticket(claim, of).await?;
        let claimed = self
            .portal
            .finish_claim(&ticket, &browser, given(answers), asker)
            .await?;
        Ok(Facts {
            login_id: Some(claimed.login_id),
            given_name: Some(claimed.given_name),
            ..Facts::default()
        })
    }

    pub(super) async fn abandon_claim(&self, claim: &str) -> Told {
        let known = self.jar(|jar| jar.tickets.get(claim).copied().zip(jar.claim.clone()));
        let Some((id, browser)) = known else {
            return Err(Refusal::ClaimExpired.into());
        };
        self.portal.abandon_claim(id, &browser).await?;
        Ok(Facts::default())
    }

    pub(super) async fn log_in(
        &self,
        log_in: LogIn,
        return_to: Option<String>,
        tag: Option<String>,
        asker: &Asker,
    ) -> Told {
        let LoggedIn {
            token,
            session,
            profile,
            known_browser,
        } = self.portal.log_in(log_in, asker).await?;
        self.jar(|jar| {
            jar.session = Some(token);
            jar.known = known_browser.or(jar.known.take());
        });
        // What cannot be parsed is as good as not there: people are led to their landing page.
        let wanted = return_to.and_then(|text| self.location(&text));
        let resume = self.portal.resume(&profile, wanted, tag.as_deref())?;
        let (location, notice) = match resume {
            Resume::Location(location) => (Some(location), ""),
            Resume::LandingPage(organization) => (landing_page(organization), ""),
            Resume::MembershipLost(organization) => (landing_page(organization), "membership_lost"),
        };
        let mut facts = self.of_session(&session, &profile);
        facts.notice = Some(notice.to_owned());
        if let Some(location) = location {
            facts.organization = location.organization().map(|id| id.as_str().to_owned());
            facts.location = Some(location.as_str().to_owned());
        }
        Ok(facts)
    }

    /// What every page of an application does first.
    pub(super) async fn session(&self) -> Result<(SessionToken, VerifiedSession), No> {
        let token = self
            .jar(|jar| jar.session.clone())
            .ok_or(Refusal::NotLoggedIn)?;
        let session = self.portal.verify_session(&token).await?;
        Ok((token, session))
    }

    pub(super) async fn visit(&self, at: &str, background: bool) -> Told {
        if at == "/help" {
            return self.help().await;
        }
        let location = self.location(at);
        let session = match self.session().await {
            Ok((_, session)) => session,
            Err(No::Engine(Error::Refused(refusal))) => return self.to_log_in(refusal, location),
            Err(other) => return Err(other),
        };
        if !background {
            self.portal
                .record_activity(&session, Duration::ZERO)
                .await?;
        }
        let profile = self.portal.profile(&session).await?;
        let own = profile.default_organization.clone();
        let location = match location {
            Some(location) => location,
            None if at == "/" => landing_page(own).ok_or(Refusal::NotPermitted)?,
            None => return Err(No::Invalid),
        };
        let mut facts = self.of_session(&session, &profile);
        if let Some(organization) = location.organization() {
            // The landing page leaves it to the portal who may see the statistics.
            if location == ResumeLocation::landing_page(organization) {
                self.statistics(&session, organization, &mut facts).await?;
            } else if !profile.is_member(organization) {
                return Err(Refusal::NotPermitted.into());
            }
            facts.organization = Some(organization.as_str().to_owned());
        }
        // The page carries its own log-in URL.
        let tag = self.portal.resume_tag(session.account(), &location)?;
        self.jar(|jar| jar.tags.insert(location.as_str().to_owned(), tag));
        facts.location = Some(location.as_str().to_owned());
        Ok(facts)
    }

    /// The visit leads to the log-in page, whose URL names the location (S14).
    fn to_log_in(&self, refusal: Refusal, location: Option<ResumeLocation>) -> Told {
        if let (
            Refusal::SessionEnded {
                account: Some(account),
                ..
            },
            Some(location),
        ) = (&refusal, &location)
        {
            let tag = self.portal.resume_tag(*account, location)?;
            self.jar(|jar| jar.tags.insert(location.as_str().to_owned(), tag));
        }
        if matches!(refusal, Refusal::SessionEnded { .. }) {
            self.jar(|jar| jar.session = None);
        }
        let named = location.map(|location| location.as_str().to_owned());
        Err(No::ToLogIn(refusal, named.unwrap_or_default()))
    }

    async fn help(&self) -> Told {
        let mut contacts = Vec::new();
        for organization in self.portal.organizations().await? {
            contacts.extend(
                organization
                    .contacts
                    .into_iter()
                    .map(|contact| contact.name),
            );
        }
        Ok(Facts {
            contacts: Some(contacts),
            ..Facts::default()
        })
    }

    async fn statistics(
        &self,
        session: &VerifiedSession,
        organization: &OrganizationId,
        facts: &mut Facts,
    ) -> Result<(), No> {
        let statistics = self.portal.statistics(session, organization).await?;
        let people = statistics.people.iter().map(|people| {
            let counts = [people.listed.to_string(), people.claimed.to_string()];
            (people.role.code().to_owned(), counts)
        });
        facts.people = Some(people.collect());
        facts.log_ins_today = Some(statistics.log_ins_today.to_string());
        Ok(())
    }

    pub(super) async fn change_password(
        &self,
        current: Password,
        new: Password,
        asker: &Asker,
    ) -> Told {
        let (_, session) = self.session().await?;
        let changed = self
            .portal
            .change_password(&session, current, new, asker)
            .await?;
        self.jar(|jar| jar.session = Some(changed.token));
        Ok(Facts::default())
    }

    pub(super) async fn log_out(&self, asker: &Asker) -> Told {
        let token = self
            .jar(|jar| jar.session.clone())
            .ok_or(Refusal::NotLoggedIn)?;
        self.portal.log_out(&token, asker).await?;
        self.jar(|jar| jar.session = None);
        Ok(Facts::default())
    }

    pub(super) async fn activity(&self, idle_ms: i64) -> Told {
        let idle_ms = u64::try_from(idle_ms).map_err(|_| No::Invalid)?;
        let (_, session) = self.session().await?;
        self.portal
            .record_activity(&session, Duration::from_millis(idle_ms))
            .await?;
        Ok(Facts::default())
    }

    pub(super) async fn choose_default(
        &self,
        organization: &OrganizationId,
        asker: &Asker,
    ) -> Told {
        let (_, session) = self.session().await?;
        self.portal
            .set_default_organization(&session, organization, asker)
            .await?;
        Ok(Facts::default())
    }

    pub(super) async fn change_details(&self, field: &str, value: &str, asker: &Asker) -> Told {
        let known = |known: &DetailsField| known.code() == field;
        let field = DetailsField::ALL.into_iter().find(known);
        let mut change = DetailsChange::default();
        change.set(field.ok_or(No::Invalid)?, value)?;
        let (_, session) = self.session().await?;
        self.portal.change_details(&session, &change, asker).await?;
        let details = self.portal.profile(&session).await?.details;
        let told = DetailsField::ALL
            .into_iter()
            .filter_map(|field| Some((field.code().to_owned(), field.of(&details)?.to_owned())));
        Ok(Facts {
            details: Some(told.collect()),
            ..Facts::default()
        })
    }

    pub(super) async fn watch(&self) -> Told {
        let (_, session) = self.session().await?;
        let notices = self.portal.subscribe(&session);
        self.jar(|jar| jar.notices = Some(notices));
        Ok(Facts::default())
    }

    pub(super) fn hear(&self) -> Facts {
        let mut cx = Context::from_waker(Waker::noop());
        let mut heard = Vec::new();
        self.jar(|jar| {
            let Some(notices) = &mut jar.notices else {
                return;
            };
            while let Poll::Ready(Some(notice)) = Pin::new(&mut *notices).poll_next(&mut cx) {
                heard.push(match notice {
                    Notice::PasswordChanged => "password_changed".to_owned(),
                    Notice::Ended(reason) => format!("ended: {}", reason.code()),
                });
            }
        });
        Facts {
            notices: Some(heard),
            ..Facts::default()
        }
    }

    pub(super) fn copy_cookies(&self, from: &str, which: Cookies) -> Facts {
        match which {
            Cookies::Session => {
                let session = self.door.jar(from, |jar| jar.session.clone());
                self.jar(|jar| jar.session = session);
            }
            Cookies::Recovery => {
                let (secret, recoveries) = self
                    .door
                    .jar(from, |jar| (jar.recovery.clone(), jar.recoveries.clone()));
                self.jar(|jar| (jar.recovery, jar.recoveries) = (secret, recoveries));
            }
            Cookies::Claim => {
                let (claim, tickets) = self
                    .door
                    .jar(from, |jar| (jar.claim.clone(), jar.tickets.clone()));
                self.jar(|jar| (jar.claim, jar.tickets) = (claim, tickets));
            }
            Cookies::Known => {
                let known = self.door.jar(from, |jar| jar.known.clone());
                self.jar(|jar| jar.known = known);
            }
        }
        Facts::default()
    }

    fn location(&self, text: &str) -> Option<ResumeLocation> {
        ResumeLocation::parse(text, &self.portal.policy().apps).ok()
    }

    fn of_session(&self, session: &VerifiedSession, profile: &Profile) -> Facts {
        let mut organizations: Vec<String> = profile
            .memberships
            .iter()
            .map(|membership| membership.organization.as_str().to_owned())
            .collect();
        organizations.sort_unstable();
        organizations.dedup();
        Facts {
            login_id: Some(profile.login_id.clone()),
            given_name: Some(profile.given_name.clone()),
            organizations: Some(organizations),
            inactivity_s: Some(session.inactivity_timeout().as_secs()),
            ..Facts::default()
        }
    }
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

/// Answers as typed.
pub(super) fn given(answers: &[(String, String)]) -> SecurityAnswers {
    let none = SecurityAnswers::new();
    let each = answers.iter();
    each.fold(none, |given, (question, answer)| {
        given.with(question, answer)
    })
}

fn of_ticket(ticket: &ClaimTicket) -> Facts {
    Facts {
        login_id: Some(ticket.login_id().to_owned()),
        given_name: Some(ticket.given_name().to_owned()),
        ..Facts::default()
    }
}

fn landing_page(organization: Option<OrganizationId>) -> Option<ResumeLocation> {
    organization.map(|organization| ResumeLocation::landing_page(&organization))
}
