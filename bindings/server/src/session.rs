//! `narthex session`: where a person is logged in, and the end of it.

use narthex::core::portal::FamilySummary;
use serde::{Deserialize, Serialize};

use crate::cli::session::SessionCommand;
use crate::control::{self, Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::moment::utc;
use crate::paint::Paint;
use crate::person::login_id;

/// Runs a `session` command.
pub(crate) async fn run(command: SessionCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        SessionCommand::List { number, place } => {
            login_id(&number)?;
            control::run(List { number }, &place, json).await
        }
        SessionCommand::End {
            number,
            family,
            all: _,
            place,
        } => {
            login_id(&number)?;
            control::run(End { number, family }, &place, json).await
        }
    }
}

/// Where a person is logged in.
#[derive(Deserialize, Serialize)]
pub(crate) struct List {
    number: String,
}

/// Where they are logged in now, the latest activity first.
#[derive(Deserialize, Serialize)]
pub(crate) struct Listed {
    number: String,
    listed: bool,
    sessions: Vec<Session>,
}

/// One log-in.
#[derive(Deserialize, Serialize)]
pub(crate) struct Session {
    handle: String,
    browser: String,
    started_at: String,
    last_seen: String,
    expires_at: String,
}

impl From<FamilySummary> for Session {
    fn from(family: FamilySummary) -> Self {
        Self {
            handle: family.handle,
            browser: family.client_label,
            started_at: utc(family.started_at),
            last_seen: utc(family.last_seen),
            expires_at: utc(family.expires_at),
        }
    }
}

impl Operation for List {
    type Reply = Listed;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Listed, Failure> {
        let number = login_id(&self.number)?;
        let families = desk.portal.families_of(&number).await?;
        Ok(Listed {
            number: number.as_str().to_owned(),
            listed: families.is_some(),
            sessions: families.into_iter().flatten().map(Session::from).collect(),
        })
    }
}

impl Reply for Listed {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.listed)
    }

    fn tell(&self) {
        let paint = Paint::for_stdout();
        if !self.listed {
            say!("The roster has no number {}.", self.number);
        } else if self.sessions.is_empty() {
            say!("{} is not logged in anywhere.", self.number);
        }
        for session in &self.sessions {
            say!("{}", paint.strong(&session.handle));
            // What a browser says of itself is its own invention: control characters are not ours.
            say!("  browser      {}", session.browser.escape_debug());
            say!("  logged in    {}", session.started_at);
            say!("  last active  {}", session.last_seen);
            say!(
                "  ends         {} unless they are active",
                session.expires_at
            );
        }
    }
}

/// Ends one, or all.
#[derive(Deserialize, Serialize)]
pub(crate) struct End {
    number: String,
    family: Option<String>,
}

/// How many live ones ended.
#[derive(Deserialize, Serialize)]
pub(crate) struct Ended {
    number: String,
    listed: bool,
    ended: usize,
}

impl Operation for End {
    type Reply = Ended;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Ended, Failure> {
        let number = login_id(&self.number)?;
        let (portal, handle) = (&desk.portal, self.family.as_deref());
        let ended = portal.end_families_of(&number, handle, &call.asker).await?;
        Ok(Ended {
            number: number.as_str().to_owned(),
            listed: ended.is_some(),
            ended: ended.unwrap_or(0),
        })
    }
}

impl Reply for Ended {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.ended > 0)
    }

    fn tell(&self) {
        match (self.listed, self.ended) {
            (false, _) => say!("The roster has no number {}.", self.number),
            (true, 0) => say!("There was no such live session: `narthex session list` shows them."),
            (true, 1) => say!("Logged out in one browser."),
            (true, count) => say!("Logged out in {count} browsers."),
        }
    }
}
