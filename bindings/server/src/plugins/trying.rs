//! `narthex plugin test`: asks a plugin what it would say.

use std::io::BufRead as _;
use std::path::Path;
use std::sync::Arc;

use narthex::core::hook::{
    Candidate, ClaimOpinion as _, Code, HookFault, LogInOpinion as _, Opinion, PasswordRule as _,
    PasswordVerdict, Question,
};
use narthex::wasm::{Guest, GuestOptions, Hook, Host, HostOptions, PluginFolder};
use narthex::{LoginId, Password};
use serde_json::json;

use super::commands::{generous, now, settings};
use super::installing::folder_of;
use crate::failure::{Failure, Outcome};
use crate::place::PlaceArgs;

/// The most lines that are asked about.
const LINES_MAX: usize = 10_000;

pub(super) async fn run(
    plugin: &str,
    pairs: Vec<(String, String)>,
    place: &PlaceArgs,
    json: bool,
) -> Result<Outcome, Failure> {
    let guest = guest(plugin, pairs, place)?;
    let mut all_taken = true;
    for line in std::io::stdin().lock().lines().take(LINES_MAX) {
        let line = line.map_err(Failure::failed)?;
        if line.is_empty() {
            continue;
        }
        let said = ask(&guest, &line).await?;
        all_taken &= said == Said::Nothing;
        // The line itself may be a password: not repeated.
        let (word, codes) = match &said {
            Said::Nothing => ("taken", Vec::new()),
            Said::Refused(codes) => ("refused", codes.clone()),
            Said::Silent(why) => ("no answer", vec![why.clone()]),
        };
        match json {
            true => say!("{}", json!({ "verdict": word, "codes": codes })),
            false if codes.is_empty() => say!("{word}"),
            false => say!("{word}: {}", codes.join(", ")),
        }
    }
    Ok(Outcome::yes(all_taken))
}

fn guest(
    plugin: &str,
    pairs: Vec<(String, String)>,
    place: &PlaceArgs,
) -> Result<Arc<Guest>, Failure> {
    let host = Host::start(HostOptions::default()).map_err(Failure::failed)?;
    let path = Path::new(plugin);
    if !path.exists() && Code::parse(plugin).is_ok() {
        let guest = folder_of(place)?
            .load(&host, plugin)
            .map_err(Failure::failed)?;
        return Ok(Arc::new(guest));
    }
    let component = PluginFolder::read_component(path).map_err(Failure::failed)?;
    Ok(Arc::new(loaded(&host, &component, pairs)?))
}

/// Loads a component that is not installed, with all that it asks for.
pub(super) fn loaded(
    host: &Host,
    component: &[u8],
    pairs: Vec<(String, String)>,
) -> Result<Guest, Failure> {
    let compiled = host
        .compile(component, &generous())
        .map_err(Failure::failed)?;
    let report = compiled.examine().map_err(Failure::failed)?;
    let options = GuestOptions {
        grants: report.asks,
        limits: generous(),
        settings: settings(pairs)?,
        ..GuestOptions::new(report.description.name)
    };
    compiled.load(options).map_err(Failure::failed)
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Refused(Vec<String>),
    Silent(String),
}

async fn ask(guest: &Guest, line: &str) -> Result<Said, Failure> {
    Ok(match guest.hook() {
        Hook::PasswordRule => {
            Password::parse(line).map_err(Failure::usage)?;
            match guest.check(Candidate::new(line)).await {
                Ok(PasswordVerdict::Meets) => Said::Nothing,
                Ok(PasswordVerdict::Breaks(broken)) => {
                    Said::Refused(broken.iter().map(|one| one.code().to_owned()).collect())
                }
                Err(fault) => Said::Silent(fault.why),
            }
        }
        Hook::ClaimOpinion => opinion(guest.claim(&question(line)?).await),
        Hook::LogInOpinion => opinion(guest.log_in(&question(line)?).await),
        Hook::EventSink | Hook::LandingStatistic => {
            return Err(Failure::usage(
                "only password rules and opinions can be tested: the others refuse nobody",
            ));
        }
    })
}

fn question(line: &str) -> Result<Question, Failure> {
    let login_id = LoginId::parse(line).map_err(Failure::usage)?;
    Ok(Question {
        login_id: login_id.as_str().to_owned(),
        source: String::new(),
        browser: "narthex plugin test".to_owned(),
        at: now(),
    })
}

fn opinion(opinion: Result<Opinion, HookFault>) -> Said {
    match opinion {
        Ok(Opinion::Abstain) => Said::Nothing,
        Ok(Opinion::Refuse(code)) => Said::Refused(vec![code.to_string()]),
        Err(fault) => Said::Silent(fault.why),
    }
}
