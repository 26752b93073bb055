//! The portal as browser tests drive it: the same service on the same sockets, with a clock that
//! is set by hand, a roster that is changed by hand, and Argon2 made cheap. **Never for people**:
//! whoever writes to its stdin is its master. It is an example, so that no part of it is in the
//! binary `narthex`.
//!
//! ```text
//! portal_under_test [--listen 127.0.0.1:0] [--data DIR] [--roster PATH] [--base-path /p]
//!                   [--profile nist|classic] [--wall MS-SINCE-1970] [--questions N]
//!                   [--host axum|hyper] [--network CIDR=PEOPLE]
//! ```
//!
//! `--host` serves one of the examples with the portal beside its pages: `ready` says the portal's URL.
//!
//! With `--network` that network is named, as the operator names a school's, and `X-Forwarded-For` is
//! believed, so that browsers can be in different places.
//!
//! It writes `ready URL`, then answers each line on stdin with one line: `ok`, `ok JSON` or
//! `error TEXT`. The end of stdin, or `stop`, ends it with exit code 0.
//!
//! | line | what |
//! | --- | --- |
//! | `advance MS` | so much time passes |
//! | `wall +MS`, `wall -MS` | somebody sets the wall clock by so much; no time passes |
//! | `time` | `ok MS`: the wall clock, in milliseconds since 1970 |
//! | `people` | `ok [{login_id, given_name, family_name, birthdate, organizations, roles}]` |
//! | `organizations` | `ok [{id, name, kind}]` |
//! | `membership add NUMBER ORG ROLE` | the roster is imported again with it |
//! | `membership remove NUMBER ORG` | the roster is imported again without it |
//! | `default NUMBER ORG` | the roster's default organization of a person |
//! | `disable NUMBER`, `enable NUMBER` | curtailed in the roster, and not |
//! | `reset NUMBER` | the office takes the claim back |
//! | `recovery-code NUMBER` | `ok "CODE"`: the office makes a recovery code |
//! | `claim-code NUMBER` | `ok "CODE"`: the office makes a claim code |
//! | `maintain` | what the server does once a minute |
//! | `stop` | a graceful stop: `ok {"cut": N}` |
//!
//! `NARTHEX_TEST_HASH=floor` hashes with the parameters of production.

#[path = "../../../examples/axum-embed/src/main.rs"]
#[expect(dead_code, reason = "the example has a main of its own")]
mod axum_embed;
#[path = "../../../examples/hyper-embed/src/main.rs"]
#[expect(dead_code, reason = "the example has a main of its own")]
mod hyper_embed;

use std::error::Error;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use narthex::argon2::{Argon2Hasher, HashSettings, Params};
use narthex::core::host::Clock;
use narthex::core::model::roster::{RosterBatch, RosterPerson};
use narthex::core::model::{Membership, NamedNetwork, OrganizationKind};
use narthex::core::policy::{PasswordProfile, Policy};
use narthex::core::portal::{Asker, ImportOptions, IssueClaimCode, IssuedRecoveryCode, ResetClaim};
use narthex::core::{LoginId, OrganizationId, Portal, Role, Timestamp};
use narthex::http::{PortalService, Settings};
use narthex::hyper::{Limits, Server};
use narthex::oneroster::{self, Date, ReadOptions};
use narthex::uploads::RosterFiles;
use narthex::{Host, OpenOptions, StoreUrl, SystemClock};
use narthex_conformance::ManualClock;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::oneshot;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SAMPLE: &[u8] =
    include_bytes!("../../../examples/rosters/oneroster-v1p2-98-users/package.zip");

#[tokio::main]
async fn main() -> Result<()> {
    let settings = Arguments::read(std::env::args().skip(1))?;
    let wall = settings.wall.unwrap_or_else(|| SystemClock.read().wall);
    let clock = ManualClock::at(wall);
    let portal = open(&settings, clock.clone()).await?;
    let mut office = Office {
        portal: portal.clone(),
        clock,
        people: Vec::new(),
        organizations: RosterBatch::default(),
    };
    office.first_import(settings.roster.as_deref()).await?;

    let listener = tokio::net::TcpListener::bind(&settings.listen).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let url = format!("http://{}{}", listener.local_addr()?, settings.base_path);
    let serving = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        match settings.host.as_deref() {
            Some("axum") => stop_at(stopped, axum_embed::serve(portal, listener)).await,
            Some("hyper") => stop_at(stopped, hyper_embed::serve(portal, listener)).await,
            _ => {
                let address = format!("http://{}{}", listener.local_addr()?, settings.base_path);
                let mut http = Settings::new(&address)?;
                http.roster_reader = Some(Arc::new(RosterFiles::default()));
                if settings.network.is_some() {
                    http.trusted_proxies = vec!["127.0.0.0/8".parse()?];
                }
                let service = PortalService::new(portal, http)?;
                let server = Server::on(listener, service, Limits::default());
                Ok(server.serve(stopped).await.cut)
            }
        }
    });
    println!("ready {}/", url.trim_end_matches('/'));

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if line.trim() == "stop" {
            break;
        }
        match office.obey(line.trim()).await {
            Ok(Value::Null) => println!("ok"),
            Ok(value) => println!("ok {value}"),
            Err(error) => println!("error {}", error.to_string().replace('\n', " ")),
        }
    }
    drop(stop);
    println!("ok {}", json!({ "cut": serving.await?? }));
    Ok(())
}

/// An example serves until it is dropped.
async fn stop_at(
    stopped: impl Future<Output = ()>,
    serving: impl Future<Output = Result<()>>,
) -> Result<usize> {
    tokio::select! {
        () = stopped => Ok(0),
        ended = serving => ended.map(|()| 0),
    }
}

async fn open(arguments: &Arguments, clock: ManualClock) -> Result<Portal> {
    let mut options = OpenOptions::new(StoreUrl::Memory);
    if let Some(data) = &arguments.data {
        options.url = StoreUrl::Redb(data.join("store").join("portal.redb"));
        options.keys = Some(data.join("keys").join("portal.keys"));
    }
    let mut policy = match arguments.host.as_deref() {
        Some("axum") => axum_embed::policy()?,
        Some("hyper") => hyper_embed::policy()?,
        _ => Policy::default(),
    };
    policy.password.profile = arguments.profile;
    policy.questions.required = arguments.questions;
    policy.attempts.networks.extend(arguments.network);
    options.policy = policy;
    let mut hashing = HashSettings::default();
    let real = std::env::var("NARTHEX_TEST_HASH").is_ok_and(|hash| hash == "floor");
    let hasher = if real {
        Argon2Hasher::new(hashing)?
    } else {
        hashing.params = Params {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
        };
        Argon2Hasher::below_the_floor_for_tests(hashing)?
    };
    let host = Host {
        clock: Arc::new(clock),
        ..Host::system(Arc::new(hasher))
    };
    Ok(narthex::open_with(options, host).await?)
}

/// What the command line says.
struct Arguments {
    listen: String,
    data: Option<PathBuf>,
    roster: Option<PathBuf>,
    base_path: String,
    profile: PasswordProfile,
    questions: usize,
    wall: Option<Timestamp>,
    host: Option<String>,
    network: Option<NamedNetwork>,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut read = Self {
            listen: "127.0.0.1:0".to_owned(),
            data: None,
            roster: None,
            base_path: String::new(),
            profile: PasswordProfile::Nist,
            questions: Policy::default().questions.required,
            wall: None,
            host: None,
            network: None,
        };
        while let Some(flag) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--listen" => read.listen = value,
                "--data" => read.data = Some(value.into()),
                "--roster" => read.roster = Some(value.into()),
                "--base-path" => read.base_path = value,
                "--profile" if value == "nist" => read.profile = PasswordProfile::Nist,
                "--profile" if value == "classic" => read.profile = PasswordProfile::Classic,
                "--host" if value == "axum" || value == "hyper" => {
                    read.base_path = "/portal".to_owned();
                    read.host = Some(value);
                }
                "--network" => {
                    let (cidr, people) = value.split_once('=').ok_or("CIDR=PEOPLE")?;
                    let (cidr, people) = (cidr.parse()?, people.parse()?);
                    read.network = Some(NamedNetwork { cidr, people });
                }
                "--questions" => read.questions = value.parse()?,
                "--wall" => read.wall = Some(Timestamp::from_millis(value.parse()?)),
                _ => return Err(format!("{flag} {value}: see the head of this file").into()),
            }
        }
        Ok(read)
    }
}

/// The roster as it stands, and the hands that change it.
struct Office {
    portal: Portal,
    clock: ManualClock,
    people: Vec<RosterPerson>,
    organizations: RosterBatch,
}

impl Office {
    async fn first_import(&mut self, path: Option<&Path>) -> Result<()> {
        let today = Date::of_timestamp(self.clock.read().wall).ok_or("after the year 9999")?;
        let options = ReadOptions::new(today);
        let reading = match path {
            Some(path) => oneroster::read(path, &options)?,
            None => oneroster::read_zip(Cursor::new(SAMPLE), &options)?,
        };
        if !reading.is_usable() {
            return Err("the roster has errors".into());
        }
        self.people = reading.batch.people;
        self.organizations = RosterBatch {
            people: Vec::new(),
            ..reading.batch
        };
        self.import().await
    }

    async fn import(&self) -> Result<()> {
        let batch = RosterBatch {
            source: self.organizations.source.clone(),
            complete: true,
            organizations: self.organizations.organizations.clone(),
            people: self.people.clone(),
            changes: Vec::new(),
        };
        let options = ImportOptions::default();
        self.portal.import_roster(batch, options, &|_| ()).await?;
        Ok(())
    }

    async fn obey(&mut self, line: &str) -> Result<Value> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["advance", ms] => self.clock.advance(Duration::from_millis(ms.parse()?)),
            ["wall", by] => self.set_wall(by)?,
            ["time"] => return Ok(json!(self.clock.read().wall.as_millis())),
            ["people"] => return Ok(self.people.iter().map(person_json).collect()),
            ["organizations"] => return Ok(self.organizations_json()),
            ["membership", "add", number, organization, role] => {
                let membership = Membership {
                    organization: OrganizationId::parse(organization)?,
                    role: Role::from_code(role).ok_or("not a role")?,
                };
                self.change(number, |person| person.memberships.push(membership))
                    .await?;
            }
            ["membership", "remove", number, organization] => {
                self.change(number, |person| leave(person, organization))
                    .await?;
            }
            ["default", number, organization] => {
                let organization = OrganizationId::parse(organization)?;
                self.change(number, |person| person.default_organization = organization)
                    .await?;
            }
            ["disable", number] => self.change(number, |person| person.enabled = false).await?,
            ["enable", number] => self.change(number, |person| person.enabled = true).await?,
            ["reset", number] => {
                let number = LoginId::parse(number)?;
                let done = self.portal.reset_claim(&number, &Asker::default()).await?;
                return match done {
                    ResetClaim::Reset(issued) => Ok(json!({ "code": *issued.code.expose() })),
                    other => Ok(json!(format!("{other:?}"))),
                };
            }
            ["recovery-code", number] => {
                let number = LoginId::parse(number)?;
                let asker = Asker::default();
                let issued = self.portal.issue_recovery_code(&number, &asker).await?;
                let IssuedRecoveryCode::Issued { code, .. } = issued else {
                    return Err("there is nothing to recover".into());
                };
                return Ok(json!(code.expose().as_str()));
            }
            ["claim-code", number] => {
                let number = LoginId::parse(number)?;
                let asker = Asker::default();
                let issued = self.portal.issue_claim_code(&number, &asker).await?;
                let IssueClaimCode::Issued(issued) = issued else {
                    return Err("there is nothing to claim".into());
                };
                return Ok(json!(issued.code.expose().as_str()));
            }
            ["maintain"] => self.portal.maintain().await?,
            _ => return Err(format!("{line:?}: see the head of this file").into()),
        }
        Ok(Value::Null)
    }

    fn set_wall(&self, by: &str) -> Result<()> {
        let wall = self.clock.read().wall;
        let (back, ms) = match by.split_at_checked(1) {
            Some(("-", ms)) => (true, ms),
            Some(("+", ms)) => (false, ms),
            _ => (false, by),
        };
        let span = Duration::from_millis(ms.parse()?);
        let wall = if back {
            wall.minus(span)
        } else {
            wall.plus(span)
        };
        self.clock.set_wall(wall);
        Ok(())
    }

    async fn change(&mut self, number: &str, change: impl FnOnce(&mut RosterPerson)) -> Result<()> {
        let number = LoginId::parse(number)?;
        let person = self
            .people
            .iter_mut()
            .find(|person| person.login_id == number);
        change(person.ok_or("the roster has no such number")?);
        self.import().await
    }

    fn organizations_json(&self) -> Value {
        let kind = |kind| match kind {
            OrganizationKind::School => "school",
            OrganizationKind::District => "district",
            OrganizationKind::Other => "other",
        };
        let organizations = self.organizations.organizations.iter();
        organizations
            .map(|o| json!({ "id": o.id.as_str(), "name": o.name, "kind": kind(o.kind) }))
            .collect()
    }
}

/// Leaves an organization; the default is then another one, where there is one.
fn leave(person: &mut RosterPerson, organization: &str) {
    let stays = |m: &Membership| m.organization.as_str() != organization;
    person.memberships.retain(stays);
    if person.default_organization.as_str() == organization
        && let Some(other) = person.memberships.first()
    {
        person.default_organization = other.organization.clone();
    }
}

fn person_json(person: &RosterPerson) -> Value {
    let organizations = person.memberships.iter().map(|m| m.organization.as_str());
    let roles = person.memberships.iter().map(|m| m.role.code());
    json!({
        "login_id": person.login_id.as_str(),
        "given_name": person.given_name,
        "family_name": person.family_name,
        "birthdate": person.birthdate.map(|birthdate| birthdate.expose()),
        "organizations": organizations.collect::<Vec<_>>(),
        "roles": roles.collect::<Vec<_>>(),
    })
}
