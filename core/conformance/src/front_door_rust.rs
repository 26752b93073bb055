//! The linked Rust library as a way in: what an application that has its own screens does.

mod desk;
mod recovery_desk;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use narthex_core::portal::{LogIn, Notices};
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::rules::code::RecoveryCodeText;
use narthex_core::{
    Asker, BrowserSecret, Error, KnownBrowser, LoginId, OrganizationId, Password, Portal, Refusal,
    SessionToken, TicketId,
};

use self::desk::Desk;
use crate::front_door::{Answer, FrontDoor, Request, Visitor, Way};
use crate::scenarios::Facts;

/// Drives `narthex_core::Portal` as an embedding application does.
#[derive(Debug, Default)]
pub struct RustFrontDoor {
    portal: Option<Portal>,
    jars: Mutex<BTreeMap<String, Jar>>,
}

/// What one browser keeps.
#[derive(Debug, Default)]
struct Jar {
    session: Option<SessionToken>,
    claim: Option<BrowserSecret>,
    known: Option<KnownBrowser>,
    /// By the claim's name: the ticket its forms carry.
    tickets: BTreeMap<String, TicketId>,
    /// By location: the tag in the log-in URL of the tab there.
    tags: BTreeMap<String, String>,
    notices: Option<Notices>,
    recovery: Option<BrowserSecret>,
    /// By the recovery's name: the ticket its forms carry.
    recoveries: BTreeMap<String, TicketId>,
}

/// A request that was not answered with `ok`.
enum No {
    Engine(Error),
    /// A page that leads to the log-in page, whose URL names this location.
    ToLogIn(Refusal, String),
    Invalid,
}

impl From<Error> for No {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(refusal.into())
    }
}

impl From<narthex_core::model::InvalidInput> for No {
    fn from(_: narthex_core::model::InvalidInput) -> Self {
        Self::Invalid
    }
}

type Told = Result<Facts, No>;

impl RustFrontDoor {
    /// For [`front_door_scenarios!`](crate::front_door_scenarios).
    pub fn boxed() -> Box<dyn FrontDoor> {
        Box::new(Self::default())
    }

    fn jar<T>(&self, browser: &str, with: impl FnOnce(&mut Jar) -> T) -> T {
        let mut jars: MutexGuard<'_, _> = self.jars.lock().unwrap_or_else(PoisonError::into_inner);
        with(jars.entry(browser.to_owned()).or_default())
    }

    async fn told(&self, portal: &Portal, visitor: &Visitor, request: Request) -> Told {
        let desk = Desk {
            door: self,
            portal,
            browser: &visitor.browser,
        };
        let asker = Asker {
            source: visitor.network.clone(),
            known_browser: desk.jar(|jar| jar.known.clone()),
            ..Asker::default()
        };
        match request {
            Request::BeginClaim {
                claim,
                given_name,
                family_name,
                birthdate,
                login_id,
                claim_code,
            } => {
                let evidence = ClaimEvidence::parse_with_code(
                    &given_name,
                    &family_name,
                    &birthdate,
                    &login_id,
                    &claim_code,
                )
                .map_err(|_| No::Invalid)?;
                // An application asks for what its portal needs before it asks the portal.
                if evidence.code().is_none() && portal.claim_code_required() {
                    return Err(No::Invalid);
                }
                desk.begin_claim(claim, evidence, &asker).await
            }
            Request::ClaimPassword {
                claim,
                ticket_of,
                password,
            } => {
                let password = Password::parse(&password)?;
                desk.claim_password(&claim, ticket_of, password).await
            }
            Request::ClaimAnswers {
                claim,
                ticket_of,
                answers,
            } => {
                desk.claim_answers(&claim, ticket_of, &answers, &asker)
                    .await
            }
            Request::AbandonClaim { claim } => desk.abandon_claim(&claim).await,
            Request::LogIn {
                login_id,
                password,
                shared_computer,
                from,
                return_to,
            } => {
                let log_in = LogIn {
                    login_id: LoginId::parse(&login_id)?,
                    password: Password::parse(&password)?,
                    shared_computer,
                    presented: desk.jar(|jar| jar.session.clone()),
                };
                let tag = from
                    .as_ref()
                    .and_then(|at| desk.jar(|jar| jar.tags.get(at).cloned()));
                desk.log_in(log_in, return_to.or(from), tag, &asker).await
            }
            Request::Visit { at, background } => desk.visit(&at, background).await,
            Request::ChangePassword { current, new } => {
                let (current, new) = (Password::parse(&current)?, Password::parse(&new)?);
                desk.change_password(current, new, &asker).await
            }
            Request::LogOut => desk.log_out(&asker).await,
            Request::Activity { idle_ms } => desk.activity(idle_ms).await,
            Request::ChooseDefault { organization } => {
                let organization = OrganizationId::parse(&organization)?;
                desk.choose_default(&organization, &asker).await
            }
            Request::ChangeDetails { field, value } => {
                desk.change_details(&field, &value, &asker).await
            }
            Request::Reauthenticate { password } => {
                let password = Password::parse(&password)?;
                desk.reauthenticate(password, &asker).await
            }
            Request::Sessions => desk.sessions().await,
            Request::EndSession { of } => desk.end_session(&of, &asker).await,
            Request::EndOtherSessions => desk.end_other_sessions(&asker).await,
            Request::SetQuestions { answers } => desk.set_questions(&answers, &asker).await,
            Request::RenewRecoveryCodes => desk.renew_recovery_codes(&asker).await,
            Request::BeginRecovery {
                recovery,
                login_id,
                code,
            } => {
                let login_id = LoginId::parse(&login_id)?;
                let code = RecoveryCodeText::parse(&code)?;
                desk.begin_recovery(recovery, &login_id, &code, &asker)
                    .await
            }
            Request::RecoveryAnswers {
                recovery,
                ticket_of,
                answers,
            } => {
                desk.recovery_answers(&recovery, ticket_of, &answers, &asker)
                    .await
            }
            Request::RecoveryPassword {
                recovery,
                ticket_of,
                password,
            } => {
                let password = Password::parse(&password)?;
                desk.recovery_password(&recovery, ticket_of, password, &asker)
                    .await
            }
            Request::Watch => desk.watch().await,
            Request::Hear => Ok(desk.hear()),
            Request::CopyCookies { from, which } => Ok(desk.copy_cookies(&from, which)),
            Request::PlantSession => {
                let made_up = SessionToken::parse(&"A".repeat(SessionToken::TEXT_LENGTH));
                desk.jar(|jar| jar.session = made_up);
                Ok(Facts::default())
            }
        }
    }
}

#[async_trait]
impl FrontDoor for RustFrontDoor {
    fn way(&self) -> Way {
        Way::Rust
    }

    async fn open(&mut self, portal: Portal) {
        self.portal = Some(portal);
    }

    async fn ask(&self, visitor: &Visitor, request: Request) -> Answer {
        let Some(portal) = &self.portal else {
            return answer("fault", Facts::default(), "no portal is open".to_owned());
        };
        match self.told(portal, visitor, request).await {
            Ok(facts) => {
                let shown = format!("{facts:?}");
                answer("ok", facts, shown)
            }
            Err(No::Invalid) => answer("invalid", Facts::default(), String::new()),
            Err(No::Engine(error)) => refused(&error),
            Err(No::ToLogIn(refusal, named)) => {
                let mut answer = refused(&refusal.into());
                answer.facts.login_page_for = Some(named);
                answer
            }
        }
    }
}

fn answer(outcome: &str, facts: Facts, shown: String) -> Answer {
    Answer {
        outcome: outcome.to_owned(),
        facts,
        shown,
        untold: &[],
    }
}

fn refused(error: &Error) -> Answer {
    let shown = format!("{error:?}");
    let mut facts = Facts::default();
    let outcome = match error {
        Error::Refused(refusal) => {
            match refusal {
                Refusal::SessionEnded { reason, .. } => {
                    facts.reason = Some(reason.code().to_owned());
                }
                Refusal::PasswordUnacceptable(issues) => {
                    facts.issues = Some(issues.iter().map(|i| i.code().to_owned()).collect());
                }
                Refusal::AnswersUnacceptable(issues) => {
                    let codes = issues.iter().map(|issue| issue.problem.code().to_owned());
                    facts.issues = Some(codes.collect());
                }
                Refusal::Throttled { retry_after } => {
                    facts.retry_after_s = Some(retry_after.as_secs());
                }
                _ => {}
            }
            refusal.code()
        }
        Error::Busy { .. } => "busy",
        _ => "fault",
    };
    answer(outcome, facts, shown)
}
