//! `narthex person reset-claim`.

use narthex::core::portal;
use serde::{Deserialize, Serialize};

use super::claim_code::Code;
use super::login_id;
use super::show::Show;
use crate::confirm;
use crate::control::{Absent, Call, Desk, Line, Operation, Reply, print};
use crate::failure::{Failure, Outcome};
use crate::place::PlaceArgs;

/// Takes a claim back.
#[derive(Deserialize, Serialize)]
pub(crate) struct ResetClaim {
    number: String,
}

/// Whether there was a claim, and the code that the person can claim again with.
#[derive(Deserialize, Serialize)]
pub(crate) struct Reset {
    number: String,
    listed: bool,
    reset: bool,
    issued: Option<Code>,
}

/// Asks whether it is meant, unless `yes`, and does it.
pub(super) async fn run(
    number: String,
    yes: bool,
    place: &PlaceArgs,
    json: bool,
) -> Result<Outcome, Failure> {
    let line = Line::reach(place, Absent::Refuse).await?;
    if !yes {
        let number = number.clone();
        let shown = line.ask(Show { number }).await?;
        let claimed = shown.person.as_ref().filter(|person| person.claimed);
        if let Some(person) = claimed {
            let told = format!(
                "{} {} ({}) will be logged out everywhere and must claim the account again. Go on?",
                person.given_name, person.family_name, shown.number
            );
            if !confirm::agreed(&told)? {
                say!("Nothing was changed.");
                return Ok(Outcome::Refused);
            }
        }
    }
    let reset = line.ask(ResetClaim { number }).await?;
    print(&reset, json)?;
    Ok(reset.outcome())
}

impl Operation for ResetClaim {
    type Reply = Reset;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Reset, Failure> {
        let number = login_id(&self.number)?;
        let done = desk.portal.reset_claim(&number, &call.asker).await?;
        let (listed, reset, issued) = match done {
            portal::ResetClaim::Unknown => (false, false, None),
            portal::ResetClaim::NotClaimed => (true, false, None),
            portal::ResetClaim::Reset(issued) => (true, true, Some(Code::from(issued))),
        };
        Ok(Reset {
            number: number.as_str().to_owned(),
            listed,
            reset,
            issued,
        })
    }
}

impl Reply for Reset {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.reset)
    }

    fn tell(&self) {
        if !self.listed {
            say!("The roster has no number {}.", self.number);
        } else if !self.reset {
            say!("The account is not claimed: there is nothing to reset.");
        } else if let Some(code) = &self.issued {
            say!("Reset. The account can be claimed again with this code:");
            code.tell();
            if !code.needs_birthdate {
                say!(
                    "No birthdate is on record: with the code it is left empty. Without one the \
                     account can be claimed after an import that brings the birthdate again."
                );
            }
        }
    }
}
