//! `narthex person create`.

use narthex::core::model::{Birthdate, OrganizationId, Role};
use narthex::core::portal::{CreatedPerson, NewPerson};
use serde::{Deserialize, Serialize};

use super::claim_code::{Code, organization_ids};
use super::login_id;
use crate::cli::person::CreateArgs;
use crate::control::{Absent, Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::moment::utc;

/// Prepares a person.
#[derive(Deserialize, Serialize)]
pub(crate) struct Create {
    number: String,
    given_name: String,
    family_name: String,
    birthdate: Option<String>,
    organization: String,
    organization_name: Option<String>,
    role: String,
}

/// The code to claim by, or why there is none.
#[derive(Deserialize, Serialize)]
pub(crate) struct Created {
    number: String,
    created: bool,
    organization_made: bool,
    role: String,
    /// Whether people of this role find the desk at `/staff`.
    staff: bool,
    issued: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
}

impl From<CreateArgs> for Create {
    fn from(args: CreateArgs) -> Self {
        Self {
            number: args.number,
            given_name: args.given_name,
            family_name: args.family_name,
            birthdate: args.birthdate,
            organization: args.org,
            organization_name: args.org_name,
            role: args.role.code().to_owned(),
        }
    }
}

impl Create {
    /// The person, or what of it is none.
    pub(super) fn person(&self) -> Result<NewPerson, Failure> {
        let birthdate = self.birthdate.as_deref().map(Birthdate::parse);
        let organization = OrganizationId::parse(&self.organization).map_err(Failure::usage)?;
        let role = Role::from_code(&self.role);
        let role = role.ok_or_else(|| Failure::usage("there is no such role"))?;
        let (given, family) = (&self.given_name, &self.family_name);
        let person = NewPerson::new(login_id(&self.number)?, given, family, organization, role);
        let mut person = person.map_err(Failure::usage)?;
        person.birthdate = birthdate.transpose().map_err(Failure::usage)?;
        person.organization_name.clone_from(&self.organization_name);
        Ok(person)
    }
}

impl Operation for Create {
    type Reply = Created;

    fn when_absent(&self) -> Absent {
        Absent::Make
    }

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Created, Failure> {
        let person = self.person()?;
        let mut created = Created {
            number: person.login_id.as_str().to_owned(),
            created: false,
            organization_made: false,
            role: self.role.clone(),
            staff: desk.portal.policy().staff.roles.contains(&person.role),
            issued: None,
            why_not: None,
        };
        match desk.portal.create_person(&person, &call.asker).await? {
            CreatedPerson::Created {
                code,
                organization_made,
            } => {
                created.created = true;
                created.organization_made = organization_made;
                created.issued = Some(Code::from(code));
            }
            CreatedPerson::Taken => {
                let told =
                    "the number is somebody's already: `narthex person show NUMBER` says whose";
                created.why_not = Some(told.to_owned());
            }
            CreatedPerson::Erased(at) => {
                created.why_not = Some(format!(
                    "whoever had the number was erased on {}: `narthex person readmit NUMBER` first",
                    utc(at)
                ));
            }
            CreatedPerson::NoOrganization => {
                let there = organization_ids(desk).await?;
                return Err(Failure::usage(format!(
                    "there is no organization {}; {there}, or say --org-name to make it",
                    self.organization
                )));
            }
        }
        Ok(created)
    }
}

impl Reply for Created {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.created)
    }

    fn tell(&self) {
        if let Some(why) = &self.why_not {
            say!("Nobody was created: {why}.");
            return;
        }
        let Some(code) = &self.issued else { return };
        say!("Created, as {}, with this code to claim by:", self.role);
        code.tell();
        if self.organization_made {
            say!("The organization {} was made too.", code.organization);
        }
        say!("Next: the person opens the portal, chooses \"Claim My Account\" and types names,");
        let facts = match code.needs_birthdate {
            true => "birthdate, number and the code.",
            false => "number and the code; the birthdate is left empty.",
        };
        say!("{facts}");
        if self.staff {
            say!("After the log-in the desk for helping people is at /staff.");
        }
    }
}
