//! The types of the world `application`, as they go in and out.

use narthex_core::model::Profile;
use narthex_core::portal::ClaimTicket;
use narthex_core::{Error, Refusal, VerifiedSession};
use wasmtime::component::{ComponentType, Lift, Lower};

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// As typed.
    pub value: String,
}

/// What a browser asks.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Request {
    /// Path and query.
    pub path: String,
    /// The fields of a form; none for a page that is opened.
    pub fields: Vec<Field>,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Page {
    /// As in HTTP.
    pub status: u16,
    /// Where to go on.
    pub location: Option<String>,
    /// The page, in whatever form host and guest agree on.
    pub text: String,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct LogInPage {
    #[component(name = "return-to")]
    pub(super) return_to: String,
    pub(super) tag: String,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct Refused {
    pub(super) code: String,
    issues: Vec<String>,
    #[component(name = "retry-after-ms")]
    retry_after_ms: Option<u64>,
    #[component(name = "end-reason")]
    end_reason: Option<String>,
    #[component(name = "log-in-page")]
    pub(super) log_in_page: Option<LogInPage>,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(variant)]
pub(super) enum No {
    #[component(name = "refused")]
    Refused(Box<Refused>),
    #[component(name = "invalid")]
    Invalid(String),
    #[component(name = "busy")]
    Busy(u64),
    #[component(name = "unavailable")]
    Unavailable(bool),
}

impl From<Error> for No {
    fn from(error: Error) -> Self {
        let millis =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Busy { source } => Self::Busy(millis(source.retry_after)),
            other => Self::Unavailable(other.may_have_applied()),
        }
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        let mut refused = Refused {
            code: refusal.code().to_owned(),
            issues: Vec::new(),
            retry_after_ms: None,
            end_reason: None,
            log_in_page: None,
        };
        match refusal {
            Refusal::PasswordUnacceptable(issues) => {
                refused.issues = issues.iter().map(|i| i.code().to_owned()).collect();
            }
            Refusal::AnswersUnacceptable(issues) => {
                let codes = issues.iter().map(|i| i.problem.code().to_owned());
                refused.issues = codes.collect();
            }
            Refusal::SessionEnded { reason, .. } => {
                refused.end_reason = Some(reason.code().to_owned());
            }
            Refusal::Throttled { retry_after } => {
                let millis = u64::try_from(retry_after.as_millis());
                refused.retry_after_ms = Some(millis.unwrap_or(u64::MAX));
            }
            _ => {}
        }
        Self::Refused(Box::new(refused))
    }
}

impl From<narthex_core::model::InvalidInput> for No {
    fn from(error: narthex_core::model::InvalidInput) -> Self {
        Self::Invalid(error.to_string())
    }
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub(super) struct Evidence {
    #[component(name = "given-name")]
    pub(super) given_name: String,
    #[component(name = "family-name")]
    pub(super) family_name: String,
    pub(super) birthdate: String,
    #[component(name = "login-id")]
    pub(super) login_id: String,
    #[component(name = "claim-code")]
    pub(super) claim_code: String,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct Claim {
    id: String,
    #[component(name = "login-id")]
    login_id: String,
    #[component(name = "given-name")]
    given_name: String,
    requirements: Vec<(String, String)>,
}

impl From<&ClaimTicket> for Claim {
    fn from(ticket: &ClaimTicket) -> Self {
        let stated = ticket.requirements().iter();
        Self {
            id: ticket.id().expose(),
            login_id: ticket.login_id().to_owned(),
            given_name: ticket.given_name().to_owned(),
            requirements: stated
                .map(|one| (one.code().to_owned(), one.text()))
                .collect(),
        }
    }
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct Person {
    #[component(name = "login-id")]
    login_id: String,
    #[component(name = "given-name")]
    given_name: String,
    #[component(name = "family-name")]
    family_name: String,
    #[component(name = "default-organization")]
    default_organization: Option<String>,
    organizations: Vec<String>,
    #[component(name = "inactivity-timeout-ms")]
    inactivity_timeout_ms: u64,
}

impl Person {
    pub(super) fn of(session: &VerifiedSession, profile: &Profile) -> Self {
        let mut organizations: Vec<String> = profile
            .memberships
            .iter()
            .map(|membership| membership.organization.to_string())
            .collect();
        organizations.sort_unstable();
        organizations.dedup();
        let timeout = session.inactivity_timeout().as_millis();
        Self {
            login_id: profile.login_id.clone(),
            given_name: profile.given_name.clone(),
            family_name: profile.family_name.clone(),
            default_organization: profile
                .default_organization
                .as_ref()
                .map(ToString::to_string),
            organizations,
            inactivity_timeout_ms: u64::try_from(timeout).unwrap_or(u64::MAX),
        }
    }
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct Visited {
    pub(super) person: Person,
    pub(super) location: String,
    pub(super) organization: Option<String>,
}

#[derive(Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct LogInForm {
    #[component(name = "login-id")]
    pub(super) login_id: String,
    pub(super) password: String,
    #[component(name = "shared-computer")]
    pub(super) shared_computer: bool,
    #[component(name = "return-to")]
    pub(super) return_to: Option<String>,
    pub(super) tag: Option<String>,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct LoggedIn {
    pub(super) person: Person,
    pub(super) location: Option<String>,
    pub(super) organization: Option<String>,
    pub(super) notice: String,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(super) struct Claimed {
    #[component(name = "login-id")]
    pub(super) login_id: String,
    #[component(name = "given-name")]
    pub(super) given_name: String,
}
