//! `narthex roster status`.

use std::collections::BTreeMap;

use narthex::core::model::Timestamp;
use narthex::core::store::records::RosterHold;
use serde::{Deserialize, Serialize};

use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::Failure;
use crate::paint::Paint;

/// Counts the people in the store.
#[derive(Deserialize, Serialize)]
pub(crate) struct Status {}

/// How many there are.
#[derive(Deserialize, Serialize)]
pub(crate) struct Counted {
    active: usize,
    claimed: usize,
    inactive: usize,
    number_shared: usize,
    without_birthdate: usize,
    organizations: usize,
    /// Organizations of each source.
    sources: BTreeMap<String, usize>,
    holds: Vec<Hold>,
    /// Organizations at which many claims nearly succeeded.
    guessed: Vec<Guessed>,
}

#[derive(Deserialize, Serialize)]
struct Guessed {
    organization: String,
    near_misses: u64,
    unclaimed: u64,
    code_needed: bool,
}

/// People whom an import left as they are until a human confirms.
#[derive(Deserialize, Serialize)]
pub(super) struct Hold {
    pub(super) source: String,
    pub(super) organization: String,
    /// UTC, RFC 3339.
    pub(super) since: String,
    pub(super) missing: u64,
    pub(super) listed_before: u64,
}

impl From<&RosterHold> for Hold {
    fn from(hold: &RosterHold) -> Self {
        Self {
            source: hold.source.clone(),
            organization: hold.organization.to_string(),
            since: moment(hold.held_at),
            missing: hold.missing,
            listed_before: hold.listed,
        }
    }
}

/// A time in words that programs read too.
fn moment(at: Timestamp) -> String {
    i64::try_from(at.as_millis())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| "an unknown time".to_owned(), |at| format!("{at:.0}"))
}

impl Operation for Status {
    type Reply = Counted;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Counted, Failure> {
        let status = desk.portal.roster_status().await?;
        let policy = &desk.portal.policy().attempts.season;
        let mut guessed = Vec::new();
        for organization in desk.portal.organizations().await? {
            let season = desk.portal.claim_season(&organization.id).await?;
            if season.is_told(policy) {
                guessed.push(Guessed {
                    organization: organization.id.to_string(),
                    near_misses: season.everywhere,
                    unclaimed: season.unclaimed,
                    code_needed: season.needs_code(policy),
                });
            }
        }
        Ok(Counted {
            active: status.active,
            claimed: status.claimed,
            inactive: status.inactive,
            number_shared: status.shared,
            without_birthdate: status.without_birthdate,
            organizations: status.organizations,
            sources: status.sources,
            holds: status.holds.iter().map(Hold::from).collect(),
            guessed,
        })
    }
}

impl Reply for Counted {
    fn tell(&self) {
        let paint = Paint::for_stdout();
        say!(
            "{} people listed, {} of them have claimed their account; {} organizations",
            paint.strong(self.active),
            paint.strong(self.claimed),
            self.organizations
        );
        say!(
            "{} have no birthdate, {} are inactive, {} share their number with somebody",
            self.without_birthdate,
            self.inactive,
            self.number_shared
        );
        for (source, organizations) in &self.sources {
            say!("source {source}: {organizations} organizations");
        }
        for hold in &self.holds {
            say!(
                "{} {} of {} people of {} are missing from the file of {} (source {})",
                paint.bad("held:"),
                hold.missing,
                hold.listed_before,
                hold.organization,
                hold.since,
                hold.source
            );
        }
        if !self.holds.is_empty() {
            say!(
                "  They stay as they are. If they have left: narthex roster confirm; if the file was \
                 wrong: narthex roster confirm --discard"
            );
        }
        for one in &self.guessed {
            let follows = if one.code_needed {
                "claims from outside your networks need a code now"
            } else {
                "look at the audit, and think of letters with codes"
            };
            say!(
                "{}: {} claims nearly right in the last 30 days, {} have not claimed: {follows}",
                paint.bad(&one.organization),
                one.near_misses,
                one.unclaimed
            );
        }
    }
}
