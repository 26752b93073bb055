//! `narthex plugin bench`: what a plugin costs.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use narthex::core::hook::{
    Candidate, ClaimOpinion as _, EventSink as _, LandingStatistic as _, LogInOpinion as _,
    PasswordRule as _, Question,
};
use narthex::core::portal::{Count, Statistics};
use narthex::wasm::{AddOptions, Guest, Hook, Host, HostOptions, InstallKey, PluginFolder};
use serde_json::json;

use super::commands::{generous, now, settings};
use crate::failure::{Failure, Outcome};
use crate::meters::Stopwatch;

pub(super) async fn run(
    component: &Path,
    calls: u32,
    pairs: Vec<(String, String)>,
    json: bool,
) -> Result<Outcome, Failure> {
    let component = PluginFolder::read_component(component).map_err(Failure::failed)?;
    let host = Host::start(HostOptions::default()).map_err(Failure::failed)?;
    let report = PluginFolder::examine(&host, &component, &generous()).map_err(Failure::failed)?;
    let scratch = Scratch::make()?;
    let folder = PluginFolder::new(scratch.0.clone(), InstallKey::new([1; 32]), &["en", "es"]);
    let options = AddOptions {
        name: None,
        grants: report.asks,
        limits: generous(),
        settings: settings(pairs)?,
        digest: None,
        signed: None,
    };
    let watch = Stopwatch::start();
    let manifest = folder
        .add(&host, &component, options)
        .map_err(Failure::failed)?;
    let adding = watch.elapsed();
    let watch = Stopwatch::start();
    let guest = folder
        .load(&host, manifest.name.as_str())
        .map_err(Failure::failed)?;
    let loading = watch.elapsed();
    let mut times = Vec::new();
    for _ in 0..calls {
        let before = guest.meters().read().busy;
        let watch = Stopwatch::start();
        call(&guest).await;
        let whole = watch.elapsed();
        times.push((whole, guest.meters().read().busy.saturating_sub(before)));
    }
    let faults = guest.meters().read().faults;
    let whole = median(times.iter().map(|(whole, _)| *whole).collect());
    let inside = median(times.iter().map(|(_, inside)| *inside).collect());
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    if json {
        let faults: BTreeMap<_, _> = faults.into_iter().collect();
        say!(
            "{}",
            json!({
                "add_ms": adding.as_secs_f64() * 1e3,
                "load_ms": loading.as_secs_f64() * 1e3,
                "call_us": micros(whole),
                "call_inside_us": micros(inside),
                "calls": calls,
                "faults": faults,
            })
        );
    } else {
        say!(
            "compile, try and install  {:>10.2} ms, once",
            adding.as_secs_f64() * 1e3
        );
        say!(
            "load what was compiled    {:>10.2} ms, at each start",
            loading.as_secs_f64() * 1e3
        );
        say!(
            "a call, fresh instance    {:>10.1} us, median of {calls}",
            micros(whole)
        );
        say!("  of it on its thread     {:>10.1} us", micros(inside));
        for (fault, count) in faults {
            say!("  {count} without an answer: {fault}");
        }
    }
    Ok(Outcome::Done)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn call(guest: &Guest) {
    let question = || Question {
        login_id: "S-1024".to_owned(),
        source: "192.0.2.1".to_owned(),
        browser: "narthex plugin bench".to_owned(),
        at: now(),
    };
    // Faults are counted by the guest's meters.
    match guest.hook() {
        Hook::PasswordRule => drop(guest.check(Candidate::new("seven leagues of lace")).await),
        Hook::ClaimOpinion => drop(guest.claim(&question()).await),
        Hook::LogInOpinion => drop(guest.log_in(&question()).await),
        Hook::EventSink => guest.observe(&narthex::core::event::AuditEvent {
            at: now(),
            kind: narthex::core::event::EventKind::LoggedIn,
            account: None,
            source: "192.0.2.1".to_owned(),
            request_id: "bench".to_owned(),
            detail: "password".to_owned(),
        }),
        Hook::LandingStatistic => {
            let Ok(organization) = narthex::OrganizationId::parse("north") else {
                return;
            };
            let told = Statistics {
                organization,
                people: Vec::new(),
                log_ins_today: Count::FewerThan(10),
            };
            drop(guest.lines(&told, "en").await);
        }
    }
}

/// A folder that is gone with the process.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn make() -> Result<Self, Failure> {
        let name = format!("narthex-plugin-bench-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).map_err(Failure::failed)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
