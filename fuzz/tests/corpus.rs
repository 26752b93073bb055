//! Every target over its corpus, and over mutations of each seed: the same ones every time, on any
//! toolchain.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod mutator;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use common::{Seed, seeds};
use mutator::Mutator;
use narthex_fuzz::{TARGETS, Target};

/// What a fuzzer adds has a digest for a name, without a dot; the rest is part of the repository.
fn is_kept(seed: &Seed) -> bool {
    seed.name.contains('.')
}

/// `mutations` of each seed that has a name; what a local fuzzer added is run as it is.
fn over_the_corpus(name: &str, mutations: u64) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    assert!(seeds.iter().filter(|seed| is_kept(seed)).count() >= 10);
    let mut mutator = Mutator::new(&seeds);
    for seed in &seeds {
        run(*target, seed, "as it is", &seed.bytes);
        for n in 0..if is_kept(seed) { mutations } else { 0 } {
            let bytes = mutator.mutate(&seed.bytes);
            run(*target, seed, &format!("mutation {n}"), &bytes);
        }
    }
}

fn run(target: Target, seed: &Seed, how: &str, bytes: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(bytes))) {
        eprintln!("{} {how}: b\"{}\"", seed.name, bytes.escape_ascii());
        resume_unwind(panic);
    }
}

#[test]
fn return_to_holds_over_its_corpus_and_mutations() {
    over_the_corpus("return_to", 1_000);
}

#[test]
fn roster_csv_holds_over_its_corpus_and_mutations() {
    over_the_corpus("roster_csv", 60);
}

#[test]
fn cookie_header_holds_over_its_corpus_and_mutations() {
    over_the_corpus("cookie_header", 250);
}

#[test]
fn record_decoding_holds_over_its_corpus_and_mutations() {
    over_the_corpus("record_decoding", 4_000);
}

#[test]
fn a_corpus_is_small_and_its_names_are_plain() {
    let mut total = 0;
    for (name, _) in TARGETS {
        for seed in seeds(name).iter().filter(|seed| is_kept(seed)) {
            total += seed.bytes.len();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            assert!(seed.name.bytes().all(plain), "{}", seed.name);
        }
    }
    assert!(total < 300 << 10, "{total} bytes");
}
