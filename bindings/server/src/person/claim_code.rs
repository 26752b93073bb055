//! `narthex person claim-code`: codes for those who have not claimed, one or a whole organization.

use std::collections::BTreeMap;
use std::path::Path;

use narthex::core::model::{Organization, OrganizationId};
use narthex::core::portal::{IssueClaimCode, IssuedClaimCode};
use serde::{Deserialize, Serialize};

use super::letters::{self, Human, last_day};
use super::login_id;
use crate::cli::person::ClaimCodeArgs;
use crate::control::{Absent, Call, Desk, Line, Operation, Reply, print};
use crate::failure::{Failure, Outcome};

/// Issues codes to one person, or to everybody of an organization who has not claimed.
#[derive(Deserialize, Serialize)]
pub(crate) enum IssueClaimCodes {
    Person { number: String },
    Unclaimed { organization: String },
}

/// A code, and whose. Told once.
#[derive(Deserialize, Serialize)]
pub(super) struct Code {
    pub(super) number: String,
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) expires_at_ms: u64,
    pub(super) needs_birthdate: bool,
}

/// An organization as letters name it.
#[derive(Deserialize, Serialize)]
pub(super) struct School {
    pub(super) name: String,
    pub(super) humans: Vec<Human>,
}

/// The codes, or why there is none.
#[derive(Deserialize, Serialize)]
pub(crate) struct Issued {
    pub(super) codes: Vec<Code>,
    pub(super) organizations: BTreeMap<String, School>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
    /// The file with the letters, where they were printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    letters: Option<String>,
}

/// Issues, and prints the letters where they are asked for.
pub(super) async fn run(args: ClaimCodeArgs, json: bool) -> Result<Outcome, Failure> {
    let operation = match (args.number, args.org) {
        (Some(number), _) => {
            login_id(&number)?;
            IssueClaimCodes::Person { number }
        }
        (None, Some(organization)) => IssueClaimCodes::Unclaimed { organization },
        (None, None) => return Err(Failure::usage("say a NUMBER, or --org X --unclaimed")),
    };
    let url = match (&args.print, args.base_url) {
        (Some(_), None) => args.place.base_url()?.ok_or_else(|| {
            Failure::usage(
                "the letters say where to claim: name it with --base-url URL, or with --config FILE",
            )
        })?,
        (_, url) => url.unwrap_or_default(),
    };
    let line = Line::reach(&args.place, Absent::Refuse).await?;
    // Before any code is issued: one that cannot be written down would be lost.
    let file = match &args.print {
        Some(path) => Some((path, letters::new_file(path)?)),
        None => None,
    };
    let mut issued = line.ask(operation).await?;
    if let Some((path, file)) = file {
        if issued.codes.is_empty() {
            remove_empty(path, file)?;
        } else {
            letters::write(file, path, &issued, &url, &args.place.help()?)?;
            issued.letters = Some(path.display().to_string());
            // With letters on paper the codes are told there, and nowhere else.
            for code in &mut issued.codes {
                code.code = None;
            }
        }
    }
    print(&issued, json)?;
    Ok(issued.outcome())
}

fn remove_empty(path: &Path, file: std::fs::File) -> Result<(), Failure> {
    drop(file);
    std::fs::remove_file(path).map_err(Failure::failed)
}

impl Operation for IssueClaimCodes {
    type Reply = Issued;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Issued, Failure> {
        let (issued, why_not) = match self {
            Self::Person { number } => {
                let number = login_id(&number)?;
                match desk.portal.issue_claim_code(&number, &call.asker).await? {
                    IssueClaimCode::Issued(issued) => (vec![issued], None),
                    IssueClaimCode::Unknown => (Vec::new(), Some(UNKNOWN)),
                    IssueClaimCode::NotClaimable => (Vec::new(), Some(NOT_CLAIMABLE)),
                }
            }
            Self::Unclaimed { organization } => {
                let id = known(desk, &organization).await?;
                let issued = desk.portal.issue_claim_codes(&id, &call.asker).await?;
                let nobody = issued.is_empty().then_some(NOBODY_LEFT);
                (issued, nobody)
            }
        };
        let organizations = desk.portal.organizations().await?;
        let named = organizations
            .into_iter()
            .filter(|o| issued.iter().any(|one| one.organization == o.id));
        Ok(Issued {
            organizations: named.map(|o| (o.id.to_string(), School::from(o))).collect(),
            codes: issued.into_iter().map(Code::from).collect(),
            why_not: why_not.map(str::to_owned),
            letters: None,
        })
    }
}

const UNKNOWN: &str = "the roster has no such number";
const NOT_CLAIMABLE: &str = "the account has been claimed already, or the roster does not list the \
    person as active: `narthex person show NUMBER` says which";
const NOBODY_LEFT: &str = "everybody there has claimed";

/// The organization, or which there are.
async fn known(desk: &Desk, organization: &str) -> Result<OrganizationId, Failure> {
    let id = OrganizationId::parse(organization).map_err(Failure::usage)?;
    if desk.portal.organization(&id).await?.is_some() {
        return Ok(id);
    }
    let there = organization_ids(desk).await?;
    Err(Failure::usage(format!(
        "there is no organization {organization}; {there}"
    )))
}

/// "there are: ...", for who mistyped one.
pub(super) async fn organization_ids(desk: &Desk) -> Result<String, Failure> {
    const NAMED_MAX: usize = 20;
    let all = desk.portal.organizations().await?;
    let known: Vec<&str> = all.iter().map(|o| o.id.as_str()).take(NAMED_MAX).collect();
    Ok(match known.is_empty() {
        true => "there is none yet".to_owned(),
        false => format!("there are: {}", known.join(", ")),
    })
}

impl From<IssuedClaimCode> for Code {
    fn from(issued: IssuedClaimCode) -> Self {
        Self {
            number: issued.login_id,
            given_name: issued.given_name,
            family_name: issued.family_name,
            organization: issued.organization.to_string(),
            code: Some(issued.code.expose().to_string()),
            expires_at_ms: issued.expires_at.as_millis(),
            needs_birthdate: issued.needs_birthdate,
        }
    }
}

impl From<Organization> for School {
    fn from(organization: Organization) -> Self {
        Self {
            name: organization.name,
            humans: organization.contacts.into_iter().map(Human::from).collect(),
        }
    }
}

impl Code {
    pub(super) fn tell(&self) {
        let code = self.code.as_deref().unwrap_or_default();
        let (given, family) = (&self.given_name, &self.family_name);
        let until = last_day(self.expires_at_ms);
        say!(
            "  {code}  {given} {family} ({}), through {until}",
            self.number
        );
    }
}

impl Reply for Issued {
    fn outcome(&self) -> Outcome {
        Outcome::yes(!self.codes.is_empty())
    }

    fn tell(&self) {
        if let Some(why) = &self.why_not {
            say!("No code was issued: {why}.");
            return;
        }
        match &self.letters {
            Some(path) => {
                say!("{} letters in {path}.", self.codes.len());
                say!("The file holds the codes: print it, hand the letters out, then delete it.");
            }
            None => self.codes.iter().for_each(Code::tell),
        }
    }
}
