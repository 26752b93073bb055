//! `narthex audit`: what happened, and whether the tale is whole.

use std::time::Duration;

use narthex::core::Portal;
use narthex::core::model::AccountId;
use narthex::core::portal::{AuditLine, AuditReport};
use serde::{Deserialize, Serialize};

use crate::cli::audit::AuditCommand;
use crate::control::{self, Absent, Call, Desk, Line, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::moment::utc;
use crate::paint::Paint;
use crate::person::login_id;
use crate::place::PlaceArgs;

/// Events in one answer.
const PAGE: u32 = 512;
/// How often `--follow` looks.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How far back the latest events are looked for first; then twice as far, and so on.
const FIRST_LOOK_BACK: Duration = Duration::from_secs(3600);

/// Runs an `audit` command.
pub(crate) async fn run(command: AuditCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        AuditCommand::Verify { place } => control::run(Verify {}, &place, json).await,
        AuditCommand::Tail {
            lines,
            number,
            follow,
            place,
        } => {
            number.as_deref().map(login_id).transpose()?;
            tail(lines, number, follow, &place, json).await
        }
    }
}

async fn tail(
    lines: usize,
    number: Option<String>,
    follow: bool,
    place: &PlaceArgs,
    json: bool,
) -> Result<Outcome, Failure> {
    let line = Line::reach(place, Absent::Refuse).await?;
    let ask = |cursor| Tail {
        lines,
        number: number.clone(),
        cursor,
    };
    let mut page = line.ask(ask(None)).await?;
    loop {
        if json {
            for event in &page.events {
                say!("{}", serde_json::to_string(event).map_err(Failure::failed)?);
            }
        } else {
            page.tell();
        }
        if !page.listed {
            say!("The roster has no number {}.", number.unwrap_or_default());
            return Ok(Outcome::Refused);
        }
        if !follow {
            return Ok(Outcome::Done);
        }
        if !page.more {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        page = line.ask(ask(Some(page.cursor))).await?;
    }
}

/// The latest events, or those after a cursor.
#[derive(Deserialize, Serialize)]
pub(crate) struct Tail {
    lines: usize,
    number: Option<String>,
    cursor: Option<String>,
}

/// Some events.
#[derive(Deserialize, Serialize)]
pub(crate) struct Page {
    listed: bool,
    events: Vec<Event>,
    /// What comes later is asked for by this.
    cursor: String,
    /// Whether there is more already.
    more: bool,
}

/// An event as it is told.
#[derive(Deserialize, Serialize)]
pub(crate) struct Event {
    at: String,
    event: String,
    account: Option<String>,
    source: String,
    request_id: String,
    detail: String,
}

impl Operation for Tail {
    type Reply = Page;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Page, Failure> {
        let portal = &desk.portal;
        let of = match &self.number {
            None => Whose::Anybody,
            Some(number) => match portal.person(&login_id(number)?).await? {
                None => return Ok(Page::nobody()),
                Some(person) => Whose::One(person.account),
            },
        };
        match self.cursor {
            Some(cursor) => after(portal, &of, cursor).await,
            None => latest(portal, &of, self.lines).await,
        }
    }
}

enum Whose {
    Anybody,
    /// Without an account nothing is theirs.
    One(Option<AccountId>),
}

impl Whose {
    fn has(&self, line: &AuditLine) -> bool {
        match (self, &line.event) {
            (Self::Anybody, _) => true,
            (Self::One(Some(account)), Some(event)) => event.account == Some(*account),
            (Self::One(_), _) => false,
        }
    }
}

async fn after(portal: &Portal, of: &Whose, cursor: String) -> Result<Page, Failure> {
    let lines = portal.audit_after(Some(&cursor), PAGE).await?;
    Ok(Page {
        listed: true,
        more: lines.len() == PAGE as usize,
        cursor: lines.last().map_or(cursor, |last| last.cursor.clone()),
        events: lines
            .into_iter()
            .filter(|line| of.has(line))
            .map(Event::from)
            .collect(),
    })
}

/// Looks back twice as far each time, until there are enough or no more.
async fn latest(portal: &Portal, of: &Whose, wanted: usize) -> Result<Page, Failure> {
    let now = portal.now().latest;
    let mut back = FIRST_LOOK_BACK;
    loop {
        let since = now.minus(back);
        let mut cursor = Portal::audit_cursor(since);
        let mut found = Vec::new();
        loop {
            let page = after(portal, of, cursor).await?;
            cursor = page.cursor;
            found.extend(page.events);
            found.drain(..found.len().saturating_sub(wanted));
            if !page.more {
                break;
            }
        }
        if found.len() >= wanted || since.as_millis() == 0 {
            return Ok(Page {
                listed: true,
                events: found,
                cursor,
                more: false,
            });
        }
        back = back.saturating_mul(2);
    }
}

impl Page {
    fn nobody() -> Self {
        Self {
            listed: false,
            events: Vec::new(),
            cursor: String::new(),
            more: false,
        }
    }
}

impl From<AuditLine> for Event {
    fn from(line: AuditLine) -> Self {
        match line.event {
            Some(event) => Self {
                at: utc(event.at),
                event: event.kind.code().to_owned(),
                account: event.account.map(|account| account.to_hex()),
                source: event.source,
                request_id: event.request_id,
                detail: event.detail,
            },
            None => Self {
                at: String::new(),
                event: "not_understood".to_owned(),
                account: None,
                source: String::new(),
                request_id: String::new(),
                detail: line.cursor,
            },
        }
    }
}

impl Event {
    fn tell(&self) {
        let paint = Paint::for_stdout();
        let source = match self.source.as_str() {
            "" => "here",
            source => source,
        };
        say!(
            "{}  {:<22} {}  {source}  {}",
            self.at,
            paint.strong(&self.event),
            self.account.as_deref().unwrap_or("-"),
            self.detail
        );
    }
}

impl Reply for Page {
    fn tell(&self) {
        for event in &self.events {
            event.tell();
        }
    }
}

/// Judges whether the audit is whole.
#[derive(Deserialize, Serialize)]
pub(crate) struct Verify {}

/// What is wrong with it, if anything.
#[derive(Deserialize, Serialize)]
pub(crate) struct Verified {
    whole: bool,
    events: usize,
    first: Option<String>,
    last: Option<String>,
    damaged: usize,
    out_of_order: usize,
    from_the_future: usize,
    untold: usize,
}

impl Operation for Verify {
    type Reply = Verified;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Verified, Failure> {
        Ok(desk.portal.audit_report().await?.into())
    }
}

impl From<AuditReport> for Verified {
    fn from(report: AuditReport) -> Self {
        Self {
            whole: report.is_whole(),
            events: report.events,
            first: report.first.map(utc),
            last: report.last.map(utc),
            damaged: report.damaged,
            out_of_order: report.out_of_order,
            from_the_future: report.from_the_future,
            untold: report.untold,
        }
    }
}

impl Reply for Verified {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.whole)
    }

    fn tell(&self) {
        let paint = Paint::for_stdout();
        let span = match (&self.first, &self.last) {
            (Some(first), Some(last)) => format!(", from {first} to {last}"),
            _ => String::new(),
        };
        say!("{} events{span}", paint.strong(self.events));
        for (count, told) in [
            (self.damaged, "are not understood"),
            (self.out_of_order, "stand at another time than they tell"),
            (self.from_the_future, "are later than now"),
            (self.untold, "claims or log-ins in the store have no event"),
        ] {
            if count > 0 {
                say!("  {} {told}", paint.bad(count));
            }
        }
        if self.whole {
            say!("{}", paint.good("The audit is whole."));
        }
    }
}
