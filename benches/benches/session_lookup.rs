//! What it costs to learn whether a session is live, in process, at 10,000 to 1,000,000 sessions.
//!
//! Ours is the whole verdict: digest of the token, family, epoch, inactivity, absolute timeout,
//! with the clock read each time. The peers are a `std` map of records behind a lock, which only
//! finds the record. Look-ups go through the sessions in a shuffled cycle, and each depends on the
//! answer before, so that memory latency is in the figure. Contenders take turns in rounds; ratios
//! are medians.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::hint::black_box;
use std::sync::{PoisonError, RwLock};

use futures_executor::block_on;
use narthex_benches::Effort;
use narthex_benches::contender::Failure;
use narthex_benches::figures::{median, median_ratio};
use narthex_benches::machine::{cost, resident_bytes};
use narthex_benches::sessions::{Entry, Sessions};
use narthex_benches::table::{Row, render};
use narthex_core::model::Family;
use narthex_core::store::Store;
use narthex_core::store::records::{family_key, gate_key, seen_cell};
use narthex_core::{Check, Portal, SessionToken};

/// Selectors are random already: the first eight bytes are a hash.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length of the array, which says nothing.
    fn write_usize(&mut self, _: usize) {}
}

type Map<S> = RwLock<HashMap<[u8; 16], Family, S>>;

/// Sessions in a shuffled order; where one goes on is a field of the walk, and depends on what was
/// found.
struct Walk<'a> {
    tokens: &'a [SessionToken],
    next: Vec<usize>,
    at: usize,
    /// Zero, but the compiler does not know.
    mask: usize,
}

impl<'a> Walk<'a> {
    /// One cycle through all, in the order of their random selectors.
    fn through(tokens: &'a [SessionToken]) -> Self {
        let mut order = (0..tokens.len()).collect::<Vec<_>>();
        order.sort_by_key(|index| tokens.get(*index).map(|token| *token.selector().as_bytes()));
        let mut next = vec![0; tokens.len()];
        for (from, to) in order.iter().zip(order.iter().cycle().skip(1)) {
            if let Some(place) = next.get_mut(*from) {
                *place = *to;
            }
        }
        Self {
            tokens,
            next,
            at: 0,
            mask: black_box(0),
        }
    }

    /// Nanoseconds for each of `count` look-ups by `find`, which gives any byte of what it found.
    fn time(
        &mut self,
        count: usize,
        mut find: impl FnMut(&SessionToken) -> Result<u8, Failure>,
    ) -> Result<f64, Failure> {
        self.time_at(count, |_, token| find(token))
    }

    /// The same, where `find` is told which token it is.
    fn time_at(
        &mut self,
        count: usize,
        mut find: impl FnMut(usize, &SessionToken) -> Result<u8, Failure>,
    ) -> Result<f64, Failure> {
        let cost = cost(|| {
            for _ in 0..count {
                let token = self.tokens.get(self.at).ok_or("the walk is empty")?;
                let found = usize::from(find(self.at, token)?) & self.mask;
                self.at = self.next.get(self.at).ok_or("the walk has a hole")? ^ found;
            }
            Ok::<(), Failure>(())
        })?;
        Ok(cost.wall.as_secs_f64() * 1e9 / count as f64)
    }
}

fn main() -> Result<(), Failure> {
    let effort = Effort::of_this_run();
    let sizes: &[usize] = effort.choose(&[1_000, 10_000], &[10_000, 100_000, 1_000_000]);
    let mut rows = Vec::new();
    for size in sizes {
        rows.extend(measure(*size, effort.choose(3, 15))?);
    }
    println!("Session look-up; less is better; ratio = peer / ours, median of rounds\n");
    print!("{}", render(&rows));
    println!(
        "\nSipHash, identity: RwLock<HashMap> of the records by selector. get: finds the record."
    );
    println!("get + digest: also digests the token and compares. Figures depend on the machine.");
    if effort == Effort::Quick {
        println!("Quick run: it shows that the benchmark works, not how fast anything is.");
    }
    Ok(())
}

/// Samples of one contender, a round each.
#[derive(Default)]
struct Samples {
    warm: [Vec<f64>; 4],
    miss: [Vec<f64>; 2],
    ended: [Vec<f64>; 2],
    cold: [Vec<f64>; 2],
}

fn measure(size: usize, rounds: u32) -> Result<Vec<Row>, Failure> {
    let others = size.min(20_000);
    let sessions = Sessions::write(size, others)?;
    let entries = sessions.entries(&sessions.live)?;
    let (identity, map_bytes) = grown(|| Ok(map::<BuildHasherDefault<Identity>>(&entries)))?;
    let sip = map::<RandomState>(&entries);
    drop(entries);
    let portal = sessions.portal()?;
    let (_, table_bytes) = grown(|| warm_up(&portal, &sessions.live))?;

    let mut live = Walk::through(&sessions.live);
    let mut ended = Walk::through(&sessions.ended);
    let mut unknown = Walk::through(&sessions.unknown);
    let mut taken = Samples::default();
    let many = size.min(100_000);
    for _ in 0..rounds {
        let [ours, by_sip, by_identity, with_digest] = &mut taken.warm;
        ours.push(live.time(many, |token| check(&portal, token))?);
        by_sip.push(live.time(many, |token| get(&sip, token))?);
        by_identity.push(live.time(many, |token| get(&identity, token))?);
        with_digest.push(live.time_at(many, |at, _| get_and_digest(&identity, &sessions, at))?);
        let [ours, peer] = &mut taken.miss;
        ours.push(unknown.time(others, |token| refused(&portal, token))?);
        peer.push(unknown.time(others, |token| miss(&identity, token))?);
        let [ours, peer] = &mut taken.ended;
        ours.push(ended.time(others, |token| refused(&portal, token))?);
        peer.push(ended.time(others, |token| miss(&identity, token))?);
        let [ours, peer] = &mut taken.cold;
        let fresh = sessions.portal()?;
        ours.push(live.time(others, |token| verify(&fresh, token))?);
        peer.push(live.time(others, |token| three_gets(&sessions, token))?);
    }
    Ok(rows(size, &taken, map_bytes, table_bytes))
}

fn rows(size: usize, taken: &Samples, map_bytes: f64, table_bytes: f64) -> Vec<Row> {
    let row = |what: &str, ours: &[f64], peer: &[f64]| Row {
        what: format!("{size}: {what}"),
        ours: median(ours).unwrap_or(f64::NAN),
        peer: median(peer).unwrap_or(f64::NAN),
        ratio: median_ratio(peer, ours).unwrap_or(f64::NAN),
        goal: None,
    };
    let [warm, sip, identity, digest] = &taken.warm;
    let [miss, map_miss] = &taken.miss;
    let [ended, map_ended] = &taken.ended;
    let [cold, gets] = &taken.cold;
    let each = size as f64;
    vec![
        row("warm, ns; SipHash get", warm, sip),
        row("warm, ns; identity get", warm, identity),
        row("warm, ns; identity get + digest", warm, digest),
        row("unknown, ns; identity get", miss, map_miss),
        row("logged out, ns; identity get", ended, map_ended),
        row("cold, ns; three store gets", cold, gets),
        Row {
            // A goal of 0.8 of a plain map's memory is a ratio of 1.25.
            goal: Some(1.25),
            ..row(
                "memory a session, bytes; map",
                &[table_bytes / each],
                &[map_bytes / each],
            )
        },
    ]
}

/// What `make` made, and how much more memory was resident afterwards.
fn grown<T>(make: impl FnOnce() -> Result<T, Failure>) -> Result<(T, f64), Failure> {
    let before = resident_bytes().unwrap_or(0);
    let made = make()?;
    let after = resident_bytes().unwrap_or(0);
    Ok((made, after.saturating_sub(before) as f64))
}

fn map<S: BuildHasher + Default>(entries: &[Entry]) -> Map<S> {
    let records = entries
        .iter()
        .map(|entry| (entry.selector, entry.family.clone()));
    RwLock::new(records.collect())
}

fn warm_up(portal: &Portal, tokens: &[SessionToken]) -> Result<(), Failure> {
    for token in tokens {
        block_on(portal.verify_session(token))?;
    }
    Ok(())
}

fn check(portal: &Portal, token: &SessionToken) -> Result<u8, Failure> {
    match portal.check(token) {
        Check::Live(session) => Ok(first_byte(session.account().as_bytes())),
        Check::AskStore => Err("a warm session was not found".into()),
    }
}

fn get<S: BuildHasher>(map: &Map<S>, token: &SessionToken) -> Result<u8, Failure> {
    let map = map.read().unwrap_or_else(PoisonError::into_inner);
    let family = map
        .get(token.selector().as_bytes())
        .ok_or("a session is not in the map")?;
    Ok(first_byte(family.account.as_bytes()))
}

fn get_and_digest<S: BuildHasher>(
    map: &Map<S>,
    sessions: &Sessions,
    at: usize,
) -> Result<u8, Failure> {
    let token = sessions.live_bytes.get(at).ok_or("no such token")?;
    let selector = token.first_chunk::<16>().ok_or("a token is too short")?;
    let digest = sessions.digest(token)?;
    let map = map.read().unwrap_or_else(PoisonError::into_inner);
    let family = map.get(selector).ok_or("a session is not in the map")?;
    if family.token_digest != digest {
        return Err("a digest differs".into());
    }
    Ok(first_byte(family.account.as_bytes()))
}

fn miss<S: BuildHasher>(map: &Map<S>, token: &SessionToken) -> Result<u8, Failure> {
    let map = map.read().unwrap_or_else(PoisonError::into_inner);
    Ok(u8::from(map.contains_key(token.selector().as_bytes())))
}

fn refused(portal: &Portal, token: &SessionToken) -> Result<u8, Failure> {
    match block_on(portal.verify_session(token)) {
        Ok(_) => Err("a session that is not live was let in".into()),
        Err(error) => Ok(u8::from(matches!(error, narthex_core::Error::Refused(_)))),
    }
}

fn verify(portal: &Portal, token: &SessionToken) -> Result<u8, Failure> {
    let session = block_on(portal.verify_session(token))?;
    Ok(first_byte(session.account().as_bytes()))
}

/// What a cold look-up cannot do without: the family, its gate, its last activity.
fn three_gets(sessions: &Sessions, token: &SessionToken) -> Result<u8, Failure> {
    use narthex_core::store::records::Stored;

    let store = &*sessions.store;
    let (record, _) = block_on(store.get(&family_key(token.selector())))?.ok_or("no family")?;
    let account = Family::decode(&record)?.account;
    let (gate, _) = block_on(store.get(&gate_key(account)))?.ok_or("no gate")?;
    let seen = block_on(store.read_cell(&seen_cell(token.selector())))?;
    black_box((gate, seen));
    Ok(first_byte(account.as_bytes()))
}

fn first_byte(bytes: &[u8; 16]) -> u8 {
    let [first, ..] = bytes;
    *first
}
