//! `narthex demo`: the portal with a sample school, on this machine alone.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use narthex::core::Portal;
use narthex::core::model::Contact;
use narthex::core::model::roster::{Finding, RosterPerson, Severity};
use narthex::core::model::{Listing, Role};
use narthex::core::portal::{ImportOptions, ImportReport};
use narthex::http::{PortalService, Settings};
use narthex::hyper::Limits;
use narthex::outbox::Channels;
use narthex::uploads::RosterFiles;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::cli::DemoArgs;
use crate::control::{Call, Desk, Work};
use crate::failure::{Failure, Outcome, failed};
use crate::meters::Meters;
use crate::paint::Paint;
use crate::place::{DATA_FOLDER, DataFolder, control_socket};
use crate::plugins::default_folder;
use crate::service::Front;
use crate::signals::Stop;
use crate::{roster, service};

const PORT: u16 = 8080;
/// How many ports after it are tried.
const PORTS_TRIED: u16 = 20;
/// How many people are proposed to be tried.
const PEOPLE: usize = 3;
/// Among so many of those who have not claimed they are chosen.
const PEOPLE_LOOKED_AT: usize = 200;

/// Runs the demo until it is asked to stop.
pub(crate) async fn run(args: DemoArgs, json: bool) -> Result<Outcome, Failure> {
    let stop = Stop::listen()?;
    let (listener, elsewhere) = listen(args.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|e| failed("the socket", &e))?;
    let data = DataFolder::at(args.data.as_deref().unwrap_or(Path::new(DATA_FOLDER)))?;
    let options = data.options();
    let socket = control_socket(&options.url);
    let meters = Meters::new();
    let desk = Desk::metered(options, &meters).await?;
    let portal = desk.portal.clone();
    let plugins = default_folder(&desk.url);
    desk.plugins.start(plugins, &portal).await?;

    let mut options = roster::read_options()?;
    // Whatever roster is tried in this folder is the demo's one source: trying another one does not
    // make two sources quarrel over the numbers.
    options.source = Some("demo".to_owned());
    let reading = roster::read(args.roster.as_deref(), &options)?;
    if !reading.is_usable() {
        let told: Vec<_> = reading.findings.iter().map(Into::into).collect();
        roster::tell_findings(&told);
        return Err(Failure::failed(
            "the roster has errors; nothing was imported",
        ));
    }
    let mut findings = reading.findings.clone();
    // The names and birthdates shown come from the file just read: the store does not give them
    // back.
    let listed = reading.batch.people.clone();
    let (call, told) = Call::begin(&desk)?;
    let to = portal.clone();
    // Another roster than last time is no mistake here.
    let options = ImportOptions {
        accept_new_ids: true,
        ..ImportOptions::default()
    };
    let work = async move { roster::into_portal(&to, reading, options, &call).await };
    let report = Work::begin(told, work).shown().await?;
    findings.extend(report.findings.iter().cloned());

    let mut settings = Settings::new(&format!("http://{address}")).map_err(Failure::failed)?;
    // The sample names nobody to write to; a school's own roster or configuration does.
    settings.help.push(Contact {
        name: "The school office".to_owned(),
        role: "Office".to_owned(),
        email: Some("office@school.example".to_owned()),
    });
    settings.roster_reader = Some(Arc::new(RosterFiles::default()));
    let service = PortalService::new(portal.clone(), settings).map_err(Failure::failed)?;
    let shown = Shown {
        url: format!("http://{address}/"),
        elsewhere,
        data,
        people: to_try(&portal, &listed).await?,
        claimed: portal.roster_status().await?.claimed,
        report,
        findings,
    };
    let control = service::control(socket, desk.clone());
    if json {
        say!("{}", shown.json());
    } else {
        shown.tell();
    }
    drop(listed);
    let front = Front {
        control,
        management: None,
        meters,
        limits: Limits::default(),
        channels: Channels::default(),
        desk,
        service,
        proxied: false,
        nickname: Some((
            format!("localhost:{}", address.port()),
            format!("http://{address}"),
        )),
    };
    let report = service::run(listener, front, stop).await;
    if !json {
        say!("Stopped. What was claimed is kept.");
    }
    tracing::info!(finished = report.finished, cut = report.cut, "stopped");
    Ok(Outcome::Done)
}

/// A listener on a loopback address; whether another port than the usual one had to be taken.
async fn listen(asked: Option<SocketAddr>) -> Result<(TcpListener, bool), Failure> {
    if let Some(address) = asked {
        if !address.ip().is_loopback() {
            return Err(Failure::usage(format!(
                "--listen {address}: the demo speaks plain http, so passwords would cross the \
                 network readable to all; it listens on this machine only (127.0.0.1 or [::1]). \
                 From another machine: `ssh -L 8080:127.0.0.1:8080 <this machine>`, or `narthex \
                 serve` behind a reverse proxy that speaks https"
            )));
        }
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let free = SocketAddr::new(address.ip(), 0);
            Failure::failed(format!(
                "cannot listen on {address}: {error}; take another port, or any free one with \
                 `--listen {free}`"
            ))
        })?;
        return Ok((listener, false));
    }
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for port in (PORT..PORT + PORTS_TRIED).chain([0]) {
        match TcpListener::bind((here, port)).await {
            Ok(listener) => return Ok((listener, port != PORT)),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(failed(&format!("cannot listen on {here}:{port}"), &error)),
        }
    }
    Err(Failure::failed(format!(
        "no free port was found on {here}; say one with --listen {here}:PORT"
    )))
}

/// A few people who have not claimed yet: a student of each school, a teacher, then whoever comes.
async fn to_try(portal: &Portal, listed: &[RosterPerson]) -> Result<Vec<RosterPerson>, Failure> {
    let mut free = Vec::new();
    for person in listed.iter().filter(|p| p.enabled && p.birthdate.is_some()) {
        let known = portal.person(&person.login_id).await?;
        if known.is_some_and(|known| !known.claimed && known.listing == Listing::Active) {
            free.push(person);
        }
        if free.len() >= PEOPLE_LOOKED_AT {
            break;
        }
    }
    let mut chosen: Vec<&RosterPerson> = Vec::new();
    let is = |person: &RosterPerson, role| person.memberships.iter().any(|m| m.role == role);
    for person in &free {
        let school = &person.default_organization;
        let new_school = chosen.iter().all(|c| c.default_organization != *school);
        if chosen.len() + 1 < PEOPLE && is(person, Role::Student) && new_school {
            chosen.push(person);
        }
    }
    chosen.extend(free.iter().find(|person| is(person, Role::Teacher)));
    for person in &free {
        if chosen.len() < PEOPLE && chosen.iter().all(|c| c.login_id != person.login_id) {
            chosen.push(person);
        }
    }
    Ok(chosen.into_iter().take(PEOPLE).cloned().collect())
}

/// What the demo says when it is ready.
struct Shown {
    url: String,
    elsewhere: bool,
    data: DataFolder,
    people: Vec<RosterPerson>,
    claimed: usize,
    report: ImportReport,
    findings: Vec<Finding>,
}

impl Shown {
    fn json(&self) -> Value {
        let people: Vec<Value> = self.people.iter().map(person_json).collect();
        json!({
            "url": self.url,
            "data": self.data.path(),
            "people": people,
            "claimed": self.claimed,
            "added": self.report.added,
            "unchanged": self.report.unchanged,
            "findings": self.findings.len(),
        })
    }

    fn tell(&self) {
        let paint = Paint::for_stdout();
        say!("{}", paint.strong("narthex demo"));
        say!();
        say!("  Open         {}", paint.link(&self.url));
        if self.elsewhere {
            say!("               (port {PORT} is taken; --listen 127.0.0.1:PORT names another)");
        }
        self.tell_people(paint);
        say!();
        say!("  Kept in      {}", self.data.path().display());
        let listed = self.report.added + self.report.changed + self.report.unchanged;
        say!(
            "  People       {listed} listed, {} have claimed",
            self.claimed
        );
        self.tell_findings();
        say!("  Stop         Ctrl-C");
        say!();
    }

    fn tell_people(&self, paint: Paint) {
        say!();
        if self.people.is_empty() {
            say!("  Everybody has claimed. Log in, or begin anew with another --data folder.");
            return;
        }
        say!("  Choose {} as one of", paint.strong("Claim My Account"));
        say!();
        let heads = ["First Name", "Last Name", "Birthdate", "Student Number"];
        let [first, last, day, number] = heads;
        let line = format!("  {first:<14} {last:<16} {day:<12} {number}");
        say!("{}", paint.faint(line));
        for person in &self.people {
            let birthdate = person.birthdate.map(|b| b.expose()).unwrap_or_default();
            say!(
                "  {:<14} {:<16} {birthdate:<12} {}",
                person.given_name,
                person.family_name,
                person.login_id.as_str()
            );
        }
    }

    fn tell_findings(&self) {
        let count = |severity| {
            self.findings
                .iter()
                .filter(|f| f.severity == severity)
                .count()
        };
        let (warnings, notes) = (count(Severity::Warning), count(Severity::Note));
        if warnings + notes > 0 {
            say!("  Findings     {warnings} warnings, {notes} notes in the roster");
        }
    }
}

fn person_json(person: &RosterPerson) -> Value {
    json!({
        "given_name": person.given_name,
        "family_name": person.family_name,
        "birthdate": person.birthdate.map(|b| b.expose()),
        "login_id": person.login_id.as_str(),
        "organization": person.default_organization.as_str(),
    })
}
