//! `narthex person erase`, and `readmit` of a number.

use narthex::core::portal::ErasedPerson;
use serde::{Deserialize, Serialize};

use super::login_id;
use super::show::Show;
use crate::confirm;
use crate::control::{Absent, Call, Desk, Line, Operation, Reply, print};
use crate::failure::{Failure, Outcome};
use crate::moment::utc;
use crate::place::PlaceArgs;

/// Erases a person.
#[derive(Deserialize, Serialize)]
pub(crate) struct Erase {
    number: String,
}

/// What went.
#[derive(Deserialize, Serialize)]
pub(crate) struct Erased {
    number: String,
    erased: bool,
    records: usize,
    events: usize,
    /// When whoever had the number was erased before.
    erased_before: Option<String>,
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
        if let Some(person) = &shown.person {
            let told = format!(
                "Everything that is stored about {} {} ({}) will be removed, and cannot be brought \
                 back. `narthex person export` gives it out first. Go on?",
                person.given_name, person.family_name, shown.number
            );
            if !confirm::agreed(&told)? {
                say!("Nothing was changed.");
                return Ok(Outcome::Refused);
            }
        }
    }
    let erased = line.ask(Erase { number }).await?;
    print(&erased, json)?;
    Ok(erased.outcome())
}

impl Operation for Erase {
    type Reply = Erased;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Erased, Failure> {
        let number = login_id(&self.number)?;
        let done = desk.portal.erase_person(&number, &call.asker).await?;
        let (erased, records, events, before) = match done {
            ErasedPerson::Unknown => (false, 0, 0, None),
            ErasedPerson::Before(at) => (false, 0, 0, Some(utc(at))),
            ErasedPerson::Erased { records, events } => (true, records, events, None),
        };
        Ok(Erased {
            number: number.as_str().to_owned(),
            erased,
            records,
            events,
            erased_before: before,
        })
    }
}

impl Reply for Erased {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.erased)
    }

    fn tell(&self) {
        let number = &self.number;
        match (self.erased, &self.erased_before) {
            (true, _) => {
                let (records, events) = (self.records, self.events);
                say!("Erased: {records} records, {events} audit events.");
                say!(
                    "Imports leave the number {number} out: take the person out of the roster too."
                );
                say!("Backups made before still have the person.");
            }
            (false, Some(at)) => say!("Whoever had the number {number} was erased on {at}."),
            (false, None) => say!("The roster has no number {number}."),
        }
    }
}

/// Lets a number name somebody again.
#[derive(Deserialize, Serialize)]
pub(crate) struct Readmit {
    pub(super) number: String,
}

/// Whether there was something to let go of.
#[derive(Deserialize, Serialize)]
pub(crate) struct Readmitted {
    number: String,
    readmitted: bool,
}

impl Operation for Readmit {
    type Reply = Readmitted;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Readmitted, Failure> {
        let number = login_id(&self.number)?;
        let readmitted = desk.portal.readmit_number(&number, &call.asker).await?;
        Ok(Readmitted {
            number: number.as_str().to_owned(),
            readmitted,
        })
    }
}

impl Reply for Readmitted {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.readmitted)
    }

    fn tell(&self) {
        let number = &self.number;
        match self.readmitted {
            true => say!("{number} may name somebody again: the next import brings who it lists."),
            false => say!("Nobody who had the number {number} was erased."),
        }
    }
}
