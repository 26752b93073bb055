//! `narthex person show`.

use narthex::core::model::{GateStatus, Listing, Timestamp};
use narthex::core::portal::PersonReport;
use serde::{Deserialize, Serialize};

use super::letters::last_day;
use super::login_id;
use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::moment::utc;
use crate::paint::Paint;

/// What is known of a person.
#[derive(Deserialize, Serialize)]
pub(crate) struct Show {
    pub(super) number: String,
}

/// `{"number", "listed": false}`, or everything that may be shown.
#[derive(Deserialize, Serialize)]
pub(crate) struct Shown {
    pub(super) number: String,
    pub(super) listed: bool,
    #[serde(flatten)]
    pub(super) person: Option<Person>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Person {
    pub(super) given_name: String,
    pub(super) family_name: String,
    listing: String,
    pub(super) claimed: bool,
    account: Option<String>,
    status: Option<String>,
    disabled_at: Option<String>,
    has_birthdate: bool,
    memberships: Vec<Member>,
    default_organization: String,
    claim_failures: u32,
    claim_code_failures: u32,
    claim_code_expires_at_ms: Option<u64>,
    log_in_failures: u32,
    /// Until when tries are refused, UTC; null: they are not.
    claim_shut_until: Option<String>,
    log_in_shut_until: Option<String>,
    /// Where the person was listed: the source, and its name for the row.
    source: String,
    source_id: String,
}

#[derive(Deserialize, Serialize)]
struct Member {
    organization: String,
    role: String,
}

impl Operation for Show {
    type Reply = Shown;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Shown, Failure> {
        let number = login_id(&self.number)?;
        let person = desk.portal.person(&number).await?;
        Ok(Shown {
            number: number.as_str().to_owned(),
            listed: person.is_some(),
            person: person.map(Person::from),
        })
    }
}

impl From<PersonReport> for Person {
    fn from(report: PersonReport) -> Self {
        let members = report.memberships.iter().map(|member| Member {
            organization: member.organization.as_str().to_owned(),
            role: member.role.code().to_owned(),
        });
        Self {
            memberships: members.collect(),
            given_name: report.given_name,
            family_name: report.family_name,
            listing: listing(report.listing).to_owned(),
            claimed: report.claimed,
            account: report.account.map(|account| account.to_hex()),
            status: report.status.map(|gate| status(gate).to_owned()),
            disabled_at: report.disabled_at.map(utc),
            has_birthdate: report.has_birthdate,
            default_organization: report.default_organization.as_str().to_owned(),
            claim_failures: report.claim_failures,
            claim_code_failures: report.claim_code_failures,
            claim_code_expires_at_ms: report.claim_code_expires_at.map(Timestamp::as_millis),
            log_in_failures: report.log_in_failures,
            claim_shut_until: report.claim_shut_until.map(utc),
            log_in_shut_until: report.log_in_shut_until.map(utc),
            source: report.source_row.0,
            source_id: report.source_row.1,
        }
    }
}

pub(super) fn listing(listing: Listing) -> &'static str {
    match listing {
        Listing::Active => "active",
        Listing::Inactive => "inactive",
        Listing::Held => "held",
    }
}

pub(super) fn status(status: GateStatus) -> &'static str {
    match status {
        GateStatus::Active => "active",
        GateStatus::Disabled => "disabled",
        GateStatus::Reset => "reset",
    }
}

impl Reply for Shown {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.listed)
    }

    fn tell(&self) {
        match &self.person {
            None => {
                say!("The roster has no number {}.", self.number);
                say!(
                    "  If a file should have it, ask what becomes of its row: narthex roster import \
                     FILE --dry-run"
                );
            }
            Some(person) => person.tell(&self.number),
        }
    }
}

impl Person {
    fn tell(&self, number: &str) {
        let paint = Paint::for_stdout();
        let name = format!("{} {}", self.given_name, self.family_name);
        say!("{} ({number})", paint.strong(name));
        let row = format!("{} {}", self.source, self.source_id);
        say!("  listed            {}, by {row}", self.listing);
        let claimed = match (self.claimed, self.status.as_deref()) {
            (true, Some(account)) => format!("yes, the account is {account}"),
            (true, None) => "yes".to_owned(),
            (false, Some("reset")) => "no: it was reset and can be claimed again".to_owned(),
            (false, _) => "not yet".to_owned(),
        };
        say!("  claimed           {claimed}");
        if let Some(at) = &self.disabled_at {
            let since = paint.bad(format!("since {at}"));
            say!("  disabled          {since}: `narthex person enable {number}` takes it back");
        }
        let birthdate = if self.has_birthdate {
            "on record"
        } else {
            "not on record: claims with a code"
        };
        say!("  birthdate         {birthdate}");
        if let Some(ms) = self.claim_code_expires_at_ms {
            say!("  claim code        issued, good through {}", last_day(ms));
        }
        for Member { organization, role } in &self.memberships {
            say!("  {role:<17} {organization}");
        }
        say!("  lands at          {}", self.default_organization);
        say!(
            "  failed tries      {} at claiming, {} with a code, {} at logging in",
            self.claim_failures,
            self.claim_code_failures,
            self.log_in_failures
        );
        for (what, until) in [
            ("claiming by facts", &self.claim_shut_until),
            ("logging in", &self.log_in_shut_until),
        ] {
            if let Some(until) = until {
                say!("  shut              {what}, until {}", paint.bad(until));
            }
        }
    }
}
