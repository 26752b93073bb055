//! What one password hash costs: ours, end to end, beside crate `argon2` as it is usually called.
//!
//! Ours goes through `Argon2Hasher`: admission, the queue, the hop to the worker's thread and back,
//! the PHC string. The peer is `Argon2::hash_password_into` in a loop on the main thread: no hop,
//! no text, a fresh block matrix for each hash. Every contender is a process of its own; they take
//! turns in rounds, and a ratio is the median of the ratios of the rounds.

use argon2::{Algorithm, Argon2, Version};
use data_encoding::BASE64_NOPAD;
use futures_executor::block_on;
use narthex_argon2::{Argon2Hasher, HashSettings, Params};
use narthex_benches::Effort;
use narthex_benches::contender::{Contender, Failure, serve, words};
use narthex_benches::figures::{median, median_ratio};
use narthex_benches::machine::Cost;
use narthex_benches::table::{Row, render};
use narthex_core::host::PasswordHasher;
use zeroize::Zeroizing;

const SECRET: &[u8] = b"three words remembered";
const SALT: [u8; 16] = *b"sixteen bytes ..";

const OURS: &str = "ours";
const PEER: &str = "peer";

/// glibc learns from a freed block of up to 32 MiB to keep the next one resident. With a fixed
/// threshold it hands every block back, as other allocators do and as it does above 32 MiB.
const GIVE_BACK: &[(&str, &str)] = &[("MALLOC_MMAP_THRESHOLD_", "1048576")];

/// One set of parameters and what is to be reached with it.
struct Case {
    params: Params,
    /// Times less CPU than the peer that pays for fresh memory, as a server does.
    goal: Option<f64>,
    /// Hashes in one turn.
    turn: u32,
}

/// What the rounds gave for one contender, per hash.
#[derive(Default)]
struct Taken {
    wall_ms: Vec<f64>,
    cpu_ms: Vec<f64>,
    faults: Vec<f64>,
}

fn main() -> Result<(), Failure> {
    if let Some(words) = words() {
        return contend(&words);
    }
    let effort = Effort::of_this_run();
    let case = |memory_kib, iterations, parallelism, goal, turn| Case {
        params: Params {
            memory_kib,
            iterations,
            parallelism,
        },
        goal,
        turn: effort.choose(1, turn),
    };
    let cases = [
        case(19_456, 2, 1, Some(2.0), 6),
        case(47_104, 1, 1, Some(4.5), 4),
        case(65_536, 3, 4, None, 1),
    ];
    let mut rows = Vec::new();
    for case in &cases {
        rows.extend(measure(case, effort.choose(3, 21))?);
    }
    println!("Argon2id, one hash; less is better; ratio = peer / ours, median of rounds\n");
    print!("{}", render(&rows));
    println!(
        "\nloop: memory kept by the allocator from hash to hash where it does so (glibc, up to"
    );
    println!(
        "32 MiB). fresh: memory from the system for each hash. Figures depend on the machine."
    );
    if effort == Effort::Quick {
        println!("Quick run: it shows that the benchmark works, not how fast anything is.");
    }
    Ok(())
}

fn measure(case: &Case, rounds: u32) -> Result<Vec<Row>, Failure> {
    let Params {
        memory_kib: m,
        iterations: t,
        parallelism: p,
    } = case.params;
    let start = |name: &str, environment| {
        let words = [name.to_owned(), m.to_string(), t.to_string(), p.to_string()];
        Contender::start(&words, environment)
    };
    let mut contenders = [
        start(OURS, &[])?,
        start(PEER, &[])?,
        start(PEER, GIVE_BACK)?,
    ];
    let mut taken: [Taken; 3] = Default::default();
    if contenders
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.proof != b.proof))
    {
        return Err("the contenders do not compute the same hash".into());
    }
    for contender in &mut contenders {
        contender.run(2)?; // allocates, and lets the allocator learn
    }
    for _ in 0..rounds {
        for (contender, taken) in contenders.iter_mut().zip(&mut taken) {
            taken.add(contender.run(case.turn)?, case.turn);
        }
    }
    let [ours, looped, fresh] = &taken;
    let name = |what: &str| format!("m={m} t={t} p={p}: {what}");
    Ok(vec![
        row(
            name("CPU, fresh, ms"),
            &ours.cpu_ms,
            &fresh.cpu_ms,
            case.goal,
        ),
        row(name("CPU, loop, ms"), &ours.cpu_ms, &looped.cpu_ms, None),
        row(name("wall, fresh, ms"), &ours.wall_ms, &fresh.wall_ms, None),
        row(name("wall, loop, ms"), &ours.wall_ms, &looped.wall_ms, None),
        row(
            name("page faults, fresh"),
            &ours.faults,
            &fresh.faults,
            None,
        ),
    ])
}

impl Taken {
    fn add(&mut self, cost: Cost, operations: u32) {
        let each = f64::from(operations);
        self.wall_ms.push(cost.wall.as_secs_f64() * 1e3 / each);
        self.cpu_ms.push(cost.cpu.as_secs_f64() * 1e3 / each);
        self.faults.push(cost.faults as f64 / each);
    }
}

fn row(what: String, ours: &[f64], peer: &[f64], goal: Option<f64>) -> Row {
    Row {
        what,
        ours: median(ours).unwrap_or(f64::NAN),
        peer: median(peer).unwrap_or(f64::NAN),
        ratio: median_ratio(peer, ours).unwrap_or(f64::NAN),
        goal,
    }
}

/// The child: one contender with one set of parameters.
fn contend(words: &[String]) -> Result<(), Failure> {
    let [name, m, t, p] = words else {
        return Err("a contender has a name and three parameters".into());
    };
    let params = Params {
        memory_kib: m.parse()?,
        iterations: t.parse()?,
        parallelism: p.parse()?,
    };
    match name.as_str() {
        OURS => {
            let hasher = Argon2Hasher::new(HashSettings {
                params,
                workers: 1,
                ..HashSettings::default()
            })?;
            serve(&ours(&hasher)?, || ours(&hasher).map(drop))
        }
        PEER => serve(&peer(&params)?, || peer_tag(&params).map(drop)),
        _ => Err("no such contender".into()),
    }
}

fn ours(hasher: &Argon2Hasher) -> Result<String, Failure> {
    let secret = Zeroizing::new(SECRET.to_vec());
    Ok(block_on(hasher.admit()?.hash(secret, SALT))?)
}

fn peer_tag(params: &Params) -> Result<[u8; 32], Failure> {
    let Params {
        memory_kib,
        iterations,
        parallelism,
    } = *params;
    let text = |error: argon2::Error| error.to_string();
    let cost = argon2::Params::new(memory_kib, iterations, parallelism, None).map_err(text)?;
    let mut tag = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost)
        .hash_password_into(SECRET, &SALT, &mut tag)
        .map_err(text)?;
    Ok(std::hint::black_box(tag))
}

fn peer(params: &Params) -> Result<String, Failure> {
    let tag = BASE64_NOPAD.encode(&peer_tag(params)?);
    let salt = BASE64_NOPAD.encode(&SALT);
    let Params {
        memory_kib: m,
        iterations: t,
        parallelism: p,
    } = params;
    Ok(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${tag}"))
}
