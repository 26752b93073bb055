//! What one plugin costs a portal: log-ins with and without it, in turns, over real Argon2id hashes.
//!
//! `cargo bench -p narthex --features plugins`

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use narthex::core::BrowserSecret;
use narthex::core::hook::{Code, Hooks};
use narthex::core::model::roster::RosterPerson;
use narthex::core::model::{Birthdate, Role};
use narthex::core::portal::{ImportOptions, LogIn};
use narthex::core::rules::claim::ClaimEvidence;
use narthex::core::rules::question::SecurityAnswers;
use narthex::oneroster::{Date, ReadOptions, read};
use narthex::wasm::{Guest, GuestOptions, Hook, Host, HostOptions, pack};
use narthex::{Asker, OpenOptions, Password, Portal, SystemEntropy};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const PASSWORD: &str = "seven leagues of lace";
/// People who log in at the same time, each again and again.
const PEOPLE: usize = 8;
const ROUNDS: usize = 25;
const TURN: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sample = here.join("../../examples/rosters/oneroster-v1p2-98-users");
    let today = Date::from_ymd(2026, 9, 1).ok_or("a day")?;
    let batch = read(&sample, &ReadOptions::new(today))?.batch;
    let students = batch.people.iter().filter(|person| {
        let mut memberships = person.memberships.iter();
        person.birthdate.is_some() && memberships.all(|one| one.role == Role::Student)
    });
    let people: Vec<RosterPerson> = students.take(PEOPLE).cloned().collect();
    let portal = narthex::open(OpenOptions::new("memory:".parse()?)).await?;
    let options = ImportOptions::default();
    portal.import_roster(batch, options, &|_| {}).await?;
    for person in &people {
        claim(&portal, person).await?;
    }

    let host = Host::start(HostOptions::default())?;
    let plugins = here.join("../../examples/plugins/wat");
    let rule = std::fs::read_to_string(plugins.join("no_mascot.wat"))?;
    let opinion = std::fs::read_to_string(plugins.join("deny_all.wat"))?;
    // The same opinion, for everybody.
    let opinion = opinion.replace(
        "(i32.store (i32.const 600) (i32.const 1))",
        "(i32.store (i32.const 600) (i32.const 0))",
    );
    let rule = guest(&host, &rule, Hook::PasswordRule)?;
    let opinion = guest(&host, &opinion, Hook::LogInOpinion)?;
    let hooks = |guest: Option<&Arc<Guest>>| {
        let mut hooks = Hooks::default();
        if let Some(guest) = guest {
            guest.join(&mut hooks);
        }
        hooks
    };
    let contenders = [
        ("no plugin", None),
        ("a password rule", Some(&rule)),
        ("a log-in opinion", Some(&opinion)),
    ];
    let mut rates = contenders.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((_, guest), rates) in contenders.iter().zip(&mut rates) {
            portal.set_hooks(hooks(*guest))?;
            rates.push(log_ins_a_second(&portal, &people).await?);
        }
    }
    println!("{PEOPLE} people at a time, {ROUNDS} rounds of {TURN:?}, medians:\n");
    println!("| | log-ins a second | of those without |");
    println!("| --- | --- | --- |");
    let [without, ..] = &rates;
    for ((name, _), own) in contenders.iter().zip(&rates) {
        let shares = own.iter().zip(without).map(|(own, without)| own / without);
        let share = 100.0 * median(shares.collect());
        println!("| {name} | {:.0} | {share:.1} % |", median(own.clone()));
    }
    let asked = opinion.meters().read();
    let each = asked.busy.as_micros() as f64 / asked.calls as f64;
    println!(
        "\nThe opinion was asked {} times, {each:.0} us each on its thread.",
        asked.calls
    );
    Ok(())
}

fn guest(host: &Host, module: &str, hook: Hook) -> Result<Arc<Guest>, Failure> {
    let component = pack(module.as_bytes(), hook)?;
    let options = GuestOptions::new(Code::parse("plugin")?);
    Ok(Arc::new(host.load(&component, options)?))
}

async fn claim(portal: &Portal, person: &RosterPerson) -> Result<(), Failure> {
    let (browser, asker) = (BrowserSecret::generate(&SystemEntropy)?, Asker::default());
    let birthdate = person.birthdate.as_ref().map(Birthdate::expose);
    let evidence = ClaimEvidence::parse(
        &person.given_name,
        &person.family_name,
        &birthdate.unwrap_or_default(),
        person.login_id.as_str(),
    )
    .map_err(|_| "facts of the sample")?;
    let ticket = portal.begin_claim(evidence, &browser, &asker).await?;
    let password = Password::parse(PASSWORD)?;
    let ticket = portal
        .set_claim_password(&ticket, &browser, password)
        .await?;
    let answers = SecurityAnswers::new().with("first_toy", "Sir Knits");
    let answers = answers.with("first_song", "Frog Parade");
    portal
        .finish_claim(&ticket, &browser, answers, &asker)
        .await?;
    Ok(())
}

async fn log_ins_a_second(portal: &Portal, people: &[RosterPerson]) -> Result<f64, Failure> {
    let done = Arc::new(AtomicU32::new(0));
    #[expect(clippy::disallowed_methods, reason = "times a turn")]
    let begun = Instant::now();
    let tasks = people.iter().map(|person| {
        let (portal, done, login_id) = (portal.clone(), Arc::clone(&done), person.login_id.clone());
        tokio::spawn(async move {
            while begun.elapsed() < TURN {
                let request = LogIn {
                    login_id: login_id.clone(),
                    password: Password::parse(PASSWORD)?,
                    shared_computer: true,
                    presented: None,
                };
                portal.log_in(request, &Asker::default()).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), Failure>(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(f64::from(done.load(Ordering::Relaxed)) / begun.elapsed().as_secs_f64())
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}
