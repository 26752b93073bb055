//! `narthex hash calibrate`: the strongest password hash that this machine affords.

use std::time::Duration;

use narthex::argon2::{Argon2Hasher, HashSettings, Params};
use narthex::core::host::PasswordHasher;
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::config::HashCommand;
use crate::failure::{Failure, Outcome};
use crate::meters::Stopwatch;
use crate::paint::Paint;

/// Memory in KiB and passes, each stronger than the one before. The first is the floor.
const STEPS: [(u32, u32); 8] = [
    (19_456, 2),
    (32_768, 2),
    (47_104, 2),
    (65_536, 2),
    (65_536, 3),
    (131_072, 3),
    (262_144, 3),
    (524_288, 3),
];
/// Each is measured so often; the fastest counts, for others may disturb it.
const ROUNDS: u32 = 5;
/// How long one hash may be asked to take, in milliseconds.
const MILLISECONDS: std::ops::RangeInclusive<u64> = 10..=10_000;

/// What one hash of a kind takes.
struct Measured {
    params: Params,
    took: Duration,
}

/// Runs a `hash` command.
pub(crate) async fn run(command: &HashCommand, json: bool) -> Result<Outcome, Failure> {
    let HashCommand::Calibrate { milliseconds } = command;
    if !MILLISECONDS.contains(milliseconds) {
        return Err(Failure::usage(
            "--milliseconds must be between 10 and 10000",
        ));
    }
    let limit = Duration::from_millis(*milliseconds);
    let mut best: Option<Measured> = None;
    for (memory_kib, iterations) in STEPS {
        let measured = measure(memory_kib, iterations).await?;
        tracing::debug!(memory_kib, iterations, took_ms = millis(measured.took));
        let within = measured.took <= limit;
        if within || best.is_none() {
            best = Some(measured);
        }
        if !within {
            break;
        }
    }
    let Some(best) = best else {
        return Err(Failure::failed("nothing was measured"));
    };
    let fits = best.took <= limit;
    tell(&best, fits, json);
    Ok(Outcome::yes(fits))
}

async fn measure(memory_kib: u32, iterations: u32) -> Result<Measured, Failure> {
    let params = Params {
        memory_kib,
        iterations,
        parallelism: 1,
    };
    let settings = HashSettings {
        params,
        workers: 1,
        ..HashSettings::default()
    };
    let hasher = Argon2Hasher::new(settings).map_err(Failure::failed)?;
    let mut took = Duration::MAX;
    // One more, which is not counted: the memory comes with it.
    for round in 0..=ROUNDS {
        let place = hasher.admit().map_err(Failure::failed)?;
        let watch = Stopwatch::start();
        let secret = Zeroizing::new(b"to be measured".to_vec());
        let hashed = place.hash(secret, [7; 16]).await;
        if round > 0 {
            took = took.min(watch.elapsed());
        }
        hashed.map_err(Failure::failed)?;
    }
    Ok(Measured { params, took })
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn tell(best: &Measured, fits: bool, json: bool) {
    let Params {
        memory_kib,
        iterations,
        parallelism,
    } = best.params;
    let workers = HashSettings::default().workers;
    let per_second = u128::from(1_000_000_u64) * workers as u128 / best.took.as_micros().max(1);
    let memory_mib = u64::from(memory_kib) * workers as u64 / 1024;
    if json {
        say!(
            "{}",
            json!({
                "memory_kib": memory_kib,
                "iterations": iterations,
                "parallelism": parallelism,
                "milliseconds": millis(best.took),
                "fits": fits,
                "backend": Argon2Hasher::backend(),
                "workers": workers,
                "log_ins_per_second": per_second as u64,
                "memory_mib": memory_mib,
            })
        );
        return;
    }
    let paint = Paint::for_stdout();
    say!("[hash]");
    say!("memory_kib = {memory_kib}");
    say!("iterations = {iterations}");
    say!("parallelism = {parallelism}");
    say!();
    say!(
        "{}",
        paint.faint(format!(
            "# {} ms for one hash ({}); {workers} at once: about {per_second} log-ins a second in \
             {memory_mib} MiB",
            millis(best.took),
            Argon2Hasher::backend()
        ))
    );
    if !fits {
        say!(
            "{}",
            paint
                .bad("# These are the least that are safe, and this machine is slower than asked.")
        );
    }
}
