//! A seeded simulation against a small reference model: many people, browsers and tabs, two schools,
//! recoveries, imports, budgets, clock jumps, restarts, conflicts and store faults. A failure prints
//! `SEED=...`, and that is all one needs: `SEED=... cargo test -p narthex-core --test sim`. `STEPS=...`
//! makes it longer.
//!
//! `world.rs` holds the model and rolls what happens next; each other file is one capability: what is
//! asked of the portal, and what the model says the answer must be.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod budgets;
mod claims;
mod desk;
mod dice;
mod faulty_store;
mod passwords;
mod recovery;
mod rosters;
mod sessions;
mod time;
mod world;

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use world::Simulation;

const STEPS: u64 = 100_000;
const SEEDS: u64 = 10;

/// What must have happened somewhere, or the simulation shows nothing about it.
const MUST_HAPPEN: [&str; 27] = [
    "activity",
    "begun a recovery",
    "begun none with a dead code",
    "change faults",
    "changed password",
    "claim codes",
    "claimed",
    "clock jumps",
    "desk: found",
    "desk: of another school",
    "ended",
    "ended others",
    "ended recoveries asked for",
    "held",
    "holds confirmed",
    "holds discarded",
    "imports cut off",
    "logged in",
    "logged out",
    "over the budget",
    "recovered",
    "recovery faults",
    "resets",
    "restarts",
    "stepped up",
    "throttled",
    "wrong answers",
];

fn run(seed: u64, steps: u64) -> BTreeMap<&'static str, u64> {
    let run = std::panic::catch_unwind(|| {
        let mut simulation = Simulation::new(seed);
        for _ in 0..steps {
            simulation.step();
        }
        simulation.counts
    });
    run.unwrap_or_else(|panic| {
        eprintln!("SEED={seed} STEPS={steps} cargo test -p narthex-core --test sim");
        std::panic::resume_unwind(panic)
    })
}

#[test]
fn the_portal_does_what_the_model_says() {
    let from_env = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds: Vec<u64> = from_env("SEED").map_or_else(|| (1..=SEEDS).collect(), |seed| vec![seed]);
    let steps = from_env("STEPS").unwrap_or(STEPS) / seeds.len() as u64;
    let counts: Mutex<BTreeMap<&str, u64>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers.min(seeds.len()) {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    for (what, n) in run(*seed, steps) {
                        *counts.lock().unwrap().entry(what).or_default() += n;
                    }
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap();
    println!("{counts:?}");
    if steps >= 10_000 {
        for what in MUST_HAPPEN {
            assert!(
                counts.get(what).is_some_and(|n| *n > 0),
                "the simulation never came to: {what}"
            );
        }
    }
}
