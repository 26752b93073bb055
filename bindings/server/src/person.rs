//! `narthex person`: what the office does for one person.

mod check;
mod claim_code;
mod create;
mod erase;
mod export;
mod letters;
mod recovery_code;
mod reset;
mod show;
mod status;

use narthex::core::model::LoginId;

use crate::cli::person::PersonCommand;
use crate::control;
use crate::failure::{Failure, Outcome};
use crate::place::PlaceArgs;

pub(crate) use check::Check;
pub(crate) use claim_code::IssueClaimCodes;
pub(crate) use create::Create;
pub(crate) use erase::{Erase, Readmit};
pub(crate) use export::Export;
pub(crate) use recovery_code::RecoveryCode;
pub(crate) use reset::ResetClaim;
pub(crate) use show::Show;
pub(crate) use status::SetStatus;

/// Runs a `person` command.
pub(crate) async fn run(command: PersonCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        PersonCommand::Show { number, place } => {
            login_id(&number)?;
            control::run(Show { number }, &place, json).await
        }
        PersonCommand::Check {
            number,
            given_name,
            family_name,
            birthdate,
            place,
        } => {
            let check = Check {
                number,
                given_name,
                family_name,
                birthdate,
            };
            check.evidence()?;
            control::run(check, &place, json).await
        }
        PersonCommand::ClaimCode(args) => claim_code::run(args, json).await,
        PersonCommand::RecoveryCode { number, place } => {
            login_id(&number)?;
            control::run(RecoveryCode { number }, &place, json).await
        }
        PersonCommand::ResetClaim { number, yes, place } => {
            login_id(&number)?;
            reset::run(number, yes, &place, json).await
        }
        PersonCommand::Create(args) => {
            let place = args.place.clone();
            let create = Create::from(args);
            create.person()?;
            control::run(create, &place, json).await
        }
        PersonCommand::Disable { number, place } => set_status(number, true, &place, json).await,
        PersonCommand::Enable { number, place } => set_status(number, false, &place, json).await,
        PersonCommand::Export { number, place } => {
            login_id(&number)?;
            control::run(Export { number }, &place, json).await
        }
        PersonCommand::Erase { number, yes, place } => {
            login_id(&number)?;
            erase::run(number, yes, &place, json).await
        }
        PersonCommand::Readmit { number, place } => {
            login_id(&number)?;
            control::run(Readmit { number }, &place, json).await
        }
    }
}

async fn set_status(
    number: String,
    disabled: bool,
    place: &PlaceArgs,
    json: bool,
) -> Result<Outcome, Failure> {
    login_id(&number)?;
    control::run(SetStatus { number, disabled }, place, json).await
}

/// The number, or why it is none.
pub(crate) fn login_id(number: &str) -> Result<LoginId, Failure> {
    LoginId::parse(number).map_err(Failure::usage)
}
