//! `narthex person check`.

use narthex::core::rules::claim::ClaimEvidence;
use serde::{Deserialize, Serialize};

use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::paint::Paint;

/// Which of the facts that a person typed agree with the roster.
#[derive(Deserialize, Serialize)]
pub(crate) struct Check {
    pub(super) number: String,
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) birthdate: Option<String>,
}

/// Which facts agree; never what the roster says.
#[derive(Deserialize, Serialize)]
pub(crate) struct Checked {
    listed: bool,
    names_match: bool,
    /// Null: it was not asked.
    birthdate_matches: Option<bool>,
    has_birthdate: bool,
    claimable: bool,
    disabled: bool,
}

impl Check {
    /// The facts, or which of them are none.
    pub(super) fn evidence(&self) -> Result<ClaimEvidence, Failure> {
        let Self {
            number,
            given_name,
            family_name,
            birthdate,
        } = self;
        let evidence = match birthdate {
            Some(birthdate) => ClaimEvidence::parse(given_name, family_name, birthdate, number),
            None => ClaimEvidence::parse_names(given_name, family_name, number),
        };
        evidence.map_err(|fields| {
            let told = fields.iter().map(|(f, why)| format!("{}: {why}", f.code()));
            Failure::usage(told.collect::<Vec<_>>().join("; "))
        })
    }
}

impl Operation for Check {
    type Reply = Checked;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Checked, Failure> {
        let report = desk.portal.check_evidence(&self.evidence()?).await?;
        Ok(Checked {
            listed: report.listed,
            names_match: report.names_match,
            birthdate_matches: self.birthdate.map(|_| report.birthdate_matches),
            has_birthdate: report.has_birthdate,
            claimable: report.claimable,
            disabled: report.disabled,
        })
    }
}

impl Reply for Checked {
    fn outcome(&self) -> Outcome {
        let facts = self.listed && self.names_match && self.birthdate_matches != Some(false);
        Outcome::yes(facts && self.claimable)
    }

    fn tell(&self) {
        let paint = Paint::for_stdout();
        let line = |fact: &str, good: bool, why_not: &str| {
            let word = if good {
                paint.good("agrees")
            } else {
                paint.bad(why_not)
            };
            say!("  {fact:<16} {word}");
        };
        line("number", self.listed, "is not in the roster");
        if !self.listed {
            return;
        }
        line("names", self.names_match, "do not agree");
        let birthdate = if self.has_birthdate {
            "does not agree"
        } else {
            "is not on record: the person cannot claim by it"
        };
        match self.birthdate_matches {
            Some(matches) => line("birthdate", matches, birthdate),
            None if self.has_birthdate => say!("  birthdate        was not asked"),
            None => say!("  birthdate        {}", paint.bad(birthdate)),
        }
        let claimable = if self.claimable {
            paint.good("yes")
        } else if self.disabled {
            paint.bad("no: disabled by the office (`narthex person enable` takes it back)")
        } else {
            paint.bad("no: claimed already, or not listed as active")
        };
        say!("  {:<16} {claimable}", "can be claimed");
    }
}
