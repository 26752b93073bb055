//! All ways to be wrong take the same time (EN-02, A19), with the hasher as it is delivered. Classes take
//! turns, so that a busy machine slows all of them down alike.
//!
//!     cargo test -p narthex --test equal_times -- --nocapture
//!
//! prints the figures; `ROUNDS=1000` makes them finer.
#![cfg(feature = "argon2")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "how long an answer takes is what is measured"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use narthex::argon2::{Argon2Hasher, HashSettings};
use narthex::core::model::roster::{RosterBatch, RosterOrganization, RosterPerson};
use narthex::core::model::{Birthdate, Membership, OrganizationKind};
use narthex::core::portal::{ImportOptions, LogIn};
use narthex::core::rules::claim::ClaimEvidence;
use narthex::core::rules::question::SecurityAnswers;
use narthex::core::{Asker, BrowserSecret, LoginId, OrganizationId, Password, Portal, Role};
use narthex::{Host, OpenOptions, SystemEntropy};

const PASSWORD: &str = "seven leagues of lace";
const ROUNDS: usize = 40;
/// So improbable must a difference be, if there were none, before it is one. With a dozen comparisons a
/// run fails by chance once in some eight hundred.
const P_MIN: f64 = 0.000_1;
/// A refused claim costs no hash: some hundred microseconds in memory, in which a few show. The grid on
/// which answers leave (50 ms) hides them; what must not be there is a step left out, a fifth of the whole.
const CLAIM_RATIO_MAX: f64 = 1.2;

fn person(n: usize, enabled: bool) -> RosterPerson {
    let organization = OrganizationId::parse("north").unwrap();
    RosterPerson {
        source_id: format!("row-{n}"),
        login_id: LoginId::parse(&format!("S-{n}")).unwrap(),
        given_name: format!("Given{n}"),
        family_name: format!("Family{n}"),
        preferred_given_name: None,
        preferred_family_name: None,
        birthdate: Some(Birthdate::parse("2012-12-10").unwrap()),
        memberships: vec![Membership {
            organization: organization.clone(),
            role: Role::Student,
        }],
        default_organization: organization,
        enabled,
        place: Default::default(),
    }
}

fn batch(people: Vec<RosterPerson>) -> RosterBatch {
    RosterBatch {
        source: "test".into(),
        complete: false,
        organizations: vec![RosterOrganization {
            id: OrganizationId::parse("north").unwrap(),
            name: "Northern School".into(),
            kind: OrganizationKind::School,
            parent: None,
            contacts: Vec::new(),
        }],
        people,
        ..RosterBatch::default()
    }
}

fn evidence(n: usize, family: &str, day: &str) -> ClaimEvidence {
    ClaimEvidence::parse(&format!("Given{n}"), family, day, &format!("S-{n}")).unwrap()
}

/// Claimed: 0 (right there), 1 (disabled since), 2 (its lane is full). Unclaimed: 3, 4 (full), 5.
async fn school() -> Portal {
    let mut options = OpenOptions::new("memory:".parse().unwrap());
    let attempts = &mut options.policy.attempts;
    (attempts.source_attempts_max, attempts.whole_attempts_max) = (u64::MAX, u64::MAX);
    // Only the classes that are to be exhausted are.
    let full = attempts.log_in.free_failures;
    let hasher = Argon2Hasher::new(HashSettings::default()).unwrap();
    let portal = narthex::open_with(options, Host::system(Arc::new(hasher)));
    let portal = portal.await.unwrap();
    bring(&portal, (0..6).map(|n| person(n, true)).collect()).await;
    for n in 0..3 {
        let (browser, asker) = (
            BrowserSecret::generate(&SystemEntropy).unwrap(),
            Asker::default(),
        );
        let right = evidence(n, &format!("Family{n}"), "2012-12-10");
        let ticket = portal.begin_claim(right, &browser, &asker).await.unwrap();
        let password = Password::parse(PASSWORD).unwrap();
        let ticket = portal.set_claim_password(&ticket, &browser, password);
        let ticket = ticket.await.unwrap();
        let answers = SecurityAnswers::new()
            .with("first_toy", "Vellum")
            .with("story", "Zeno and the lane");
        let claimed = portal.finish_claim(&ticket, &browser, answers, &asker);
        claimed.await.unwrap();
    }
    bring(&portal, vec![person(1, false)]).await;
    for _ in 0..full {
        log_in(&portal, "S-2").await;
        claim(&portal, evidence(4, "Family4", "2012-12-11")).await;
    }
    portal
}

async fn bring(portal: &Portal, people: Vec<RosterPerson>) {
    let import = portal.import_roster(batch(people), ImportOptions::default(), &|_| {});
    import.await.unwrap();
}

fn request(number: &str, password: &str) -> LogIn {
    LogIn {
        login_id: LoginId::parse(number).unwrap(),
        password: Password::parse(password).unwrap(),
        shared_computer: true,
        presented: None,
    }
}

/// A wrong password; how long it took to be told so.
async fn log_in(portal: &Portal, number: &str) -> Duration {
    let request = request(number, "certainly not the password");
    let begun = Instant::now();
    let refused = portal.log_in(request, &Asker::default()).await;
    let took = begun.elapsed();
    assert_eq!(
        refused.unwrap_err().refusal().unwrap().code(),
        "login_failed"
    );
    took
}

/// Evidence that is refused; how long it took to be told so.
async fn claim(portal: &Portal, evidence: ClaimEvidence) -> Duration {
    let browser = BrowserSecret::generate(&SystemEntropy).unwrap();
    let begun = Instant::now();
    let asker = Asker::default();
    let refused = portal.begin_claim(evidence, &browser, &asker).await;
    let took = begun.elapsed();
    assert_eq!(
        refused.unwrap_err().refusal().unwrap().code(),
        "claim_not_matched"
    );
    took
}

/// The probability of so large a distance between two samples of one distribution
/// (Kolmogorov-Smirnov, asymptotic).
fn same_distribution(a: &[Duration], b: &[Duration]) -> f64 {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort_unstable();
    b.sort_unstable();
    let share = |sorted: &[Duration], at: Duration| {
        sorted.partition_point(|x| *x <= at) as f64 / sorted.len() as f64
    };
    let steps = a.iter().chain(&b);
    let distance = steps
        .map(|at| (share(&a, *at) - share(&b, *at)).abs())
        .fold(0.0, f64::max);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let root = (n * m / (n + m)).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    let terms = (1..=100).map(|k| {
        let k = f64::from(k);
        let sign = if k % 2.0 == 1.0 { 1.0 } else { -1.0 };
        sign * (-2.0 * k * k * lambda * lambda).exp()
    });
    (2.0 * terms.sum::<f64>()).clamp(0.0, 1.0)
}

fn median(values: &[Duration]) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    *sorted.get(sorted.len() / 2).unwrap()
}

/// Prints a line per class, every class against the first, and gives (class, median of the ratios, p).
fn judge(what: &str, classes: &[(&'static str, Vec<Duration>)]) -> Vec<(&'static str, f64, f64)> {
    let (name, reference) = classes.first().unwrap();
    let (rounds, middle) = (reference.len(), median(reference));
    println!("{what}, {rounds} rounds: {name} {middle:.3?}");
    let against = |(name, times): &(&'static str, Vec<Duration>)| {
        let p = same_distribution(reference, times);
        let own = median(times);
        // Round by round: a machine that goes faster for a while does so for a whole round.
        let rounds = times.iter().zip(reference);
        let mut ratios: Vec<f64> = rounds
            .map(|(own, other)| own.as_secs_f64() / other.as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios.get(ratios.len() / 2).copied().unwrap();
        println!("  {name:<22} median {own:.3?}  ratio {ratio:.3}  p {p:.3}");
        (*name, ratio, p)
    };
    classes.iter().skip(1).map(against).collect()
}

#[tokio::test]
async fn en02_no_way_to_be_wrong_can_be_told_by_its_time() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let rounds = rounds.unwrap_or(ROUNDS);
    let portal = school().await;
    let mut log_ins = [
        ("wrong password", "S-0"),
        ("unknown number", "X-1"),
        ("not claimed", "S-3"),
        ("disabled", "S-1"),
        ("too many tries", "S-2"),
    ]
    .map(|(name, number)| (name, number, Vec::new()));
    for round in 0..rounds {
        // Whoever is first in a round comes after other work: all are, in turn.
        log_ins.rotate_left(usize::from(round > 0));
        for (_, number, times) in &mut log_ins {
            times.push(log_in(&portal, number).await);
        }
        // Opens the lane of who is guessed at again.
        let right = request("S-0", PASSWORD);
        portal.log_in(right, &Asker::default()).await.unwrap();
    }
    let log_ins = log_ins.map(|(name, _, times)| (name, times));
    for (name, _, p) in judge("log-in", &log_ins) {
        assert!(p > P_MIN, "log-in: {name} can be told by its time, p = {p}");
    }

    type Class = (&'static str, fn() -> ClaimEvidence);
    let classes: [Class; 6] = [
        ("wrong birthdate", || evidence(5, "Family5", "2012-12-11")),
        ("wrong name", || evidence(5, "Other", "2012-12-10")),
        ("both wrong", || evidence(5, "Other", "2012-12-11")),
        ("unknown number", || evidence(99, "Family99", "2012-12-10")),
        ("claimed already", || evidence(0, "Family0", "2012-12-10")),
        ("too many tries", || evidence(4, "Family4", "2012-12-10")),
    ];
    let mut claims = classes.map(|(name, typed)| (name, typed, Vec::new()));
    for round in 0..rounds * 5 {
        claims.rotate_left(usize::from(round > 0));
        for (_, typed, times) in &mut claims {
            times.push(claim(&portal, typed()).await);
        }
        let browser = BrowserSecret::generate(&SystemEntropy).unwrap();
        let right = evidence(5, "Family5", "2012-12-10");
        let asker = Asker::default();
        portal.begin_claim(right, &browser, &asker).await.unwrap();
    }
    let claims = claims.map(|(name, _, times)| (name, times));
    for (name, ratio, _) in judge("claim", &claims) {
        let equal = 1.0 / CLAIM_RATIO_MAX..CLAIM_RATIO_MAX;
        assert!(
            equal.contains(&ratio),
            "claim: {name} leaves something out, ratio {ratio}"
        );
    }
}
