//! `narthex roster confirm`: what a human decides about people an import held.

use narthex::core::model::OrganizationId;
use narthex::core::portal::{HoldDecision, HoldScope, ImportProgress, SettledHold};
use serde::{Deserialize, Serialize};

use super::status::Hold;
use crate::cli::ConfirmArgs;
use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::paint::Paint;

/// Makes the people who are held inactive, or lets them be.
#[derive(Deserialize, Serialize)]
pub(crate) struct Confirm {
    organization: Option<String>,
    source: Option<String>,
    discard: bool,
}

/// What became of each hold.
#[derive(Deserialize, Serialize)]
pub(crate) struct Settled {
    discarded: bool,
    holds: Vec<Row>,
}

#[derive(Deserialize, Serialize)]
struct Row {
    #[serde(flatten)]
    hold: Hold,
    deactivated: usize,
    stayed: usize,
}

impl From<ConfirmArgs> for Confirm {
    fn from(args: ConfirmArgs) -> Self {
        Self {
            organization: args.organization,
            source: args.source,
            discard: args.discard,
        }
    }
}

impl From<&SettledHold> for Row {
    fn from(settled: &SettledHold) -> Self {
        Self {
            hold: Hold::from(&settled.hold),
            deactivated: settled.deactivated,
            stayed: settled.stayed,
        }
    }
}

impl Operation for Confirm {
    type Reply = Settled;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Settled, Failure> {
        let organization = self.organization.as_deref().map(OrganizationId::parse);
        let scope = HoldScope {
            organization: organization.transpose().map_err(Failure::usage)?,
            source: self.source,
        };
        let decision = if self.discard {
            HoldDecision::Discard
        } else {
            HoldDecision::Confirm
        };
        let progress = |at: ImportProgress| call.progress("Confirming", at.done, at.of);
        let settled = desk.portal.settle_holds(decision, &scope, &progress);
        Ok(Settled {
            discarded: self.discard,
            holds: settled.await?.iter().map(Row::from).collect(),
        })
    }
}

impl Reply for Settled {
    /// Nothing to confirm is a no.
    fn outcome(&self) -> Outcome {
        Outcome::yes(!self.holds.is_empty())
    }

    fn tell(&self) {
        let paint = Paint::for_stdout();
        if self.holds.is_empty() {
            say!("Nothing is held here: narthex roster status says what is.");
        }
        for row in &self.holds {
            let Row {
                hold,
                deactivated,
                stayed,
            } = row;
            let organization = paint.strong(&hold.organization);
            if self.discarded {
                say!("{organization}: {stayed} people stay as they are");
            } else {
                say!("{organization}: {deactivated} people made inactive, {stayed} stay");
            }
        }
    }
}
