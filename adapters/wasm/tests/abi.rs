//! Answers of any bytes, and components of any bytes: what a guest hands to the host is read with care.
//! Seeded: a failure names its seed.

mod support;

use narthex_wasm::{GuestOptions, Hook};
use support::border::{answered, echo, host_abi};
use support::{Came, code, host, options, packed, wild};

/// Numbers by chance, the same for the same seed (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 16) % n
    }
}

/// An answer as it lies in memory at 600: words that are by turns small, near the edges, and anything.
fn answer(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..8 {
        let word = match chance.below(6) {
            0 => chance.below(4),
            1 => 600 + 4 * chance.below(12),
            2 => 196_608 - chance.below(16),
            3 => 256 + chance.below(300),
            4 => u64::from(u32::MAX) - chance.below(16),
            _ => chance.next() & 0xffff_ffff,
        };
        bytes.extend_from_slice(&u32::try_from(word).unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes
}

#[test]
fn az04_an_answer_of_any_bytes_is_a_yes_only_if_it_says_so() {
    const ANSWERS: u64 = 3_000;
    for hook in [
        Hook::PasswordRule,
        Hook::ClaimOpinion,
        Hook::LogInOpinion,
        Hook::LandingStatistic,
    ] {
        let options = GuestOptions {
            limits: options(hook).limits,
            ..GuestOptions::new(code("wild"))
        };
        let guest = std::sync::Arc::new(host().load(&echo(hook), options).unwrap());
        let (mut yes, mut no, mut faults) = (0, 0, 0);
        for seed in 1..=ANSWERS {
            let bytes = answer(&mut Chance(seed));
            match answered(&guest, &bytes) {
                Came::Good => yes += 1,
                Came::No => no += 1,
                Came::Fault(_) => faults += 1,
            }
        }
        assert!(yes > 20 && faults > 500, "{hook}: {yes} {no} {faults}");
        assert_eq!(guest.meters().read().calls, ANSWERS);
    }
}

#[test]
fn a48_a_component_of_any_bytes_is_loaded_or_refused_and_nothing_else() {
    let hook = Hook::LogInOpinion;
    let whole = packed(hook, &wild(hook));
    let (mut loaded, mut refused) = (0, 0);
    for seed in 1..=400 {
        let mut chance = Chance(seed);
        let mut bytes = whole.clone();
        for _ in 0..=chance.below(4) {
            let at = usize::try_from(chance.below(bytes.len() as u64)).unwrap();
            bytes[at] = u8::try_from(chance.below(256)).unwrap();
        }
        if chance.below(4) == 0 {
            bytes.truncate(usize::try_from(chance.below(bytes.len() as u64)).unwrap());
        }
        match host().load(&bytes, options(hook)) {
            Ok(_) => loaded += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(loaded > 5 && refused > 100, "{loaded} {refused}");
}

/// What the fuzzer of `fuzz/guests` begins with, and what it once found.
#[test]
fn a48_the_corpus_of_the_fuzzer_holds() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/guests/corpus/host_abi"
    );
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        for seed in 1..=12 {
            let mut bytes = vec![u8::try_from(seed).unwrap()];
            bytes.extend(answer(&mut Chance(seed)));
            std::fs::write(format!("{corpus}/answer-{seed}.bin"), bytes).unwrap();
        }
        for (n, hook) in support::border::ASKED.into_iter().enumerate() {
            let mut bytes = vec![128 + u8::try_from(n).unwrap()];
            bytes.extend(packed(hook, &wild(hook)));
            std::fs::write(format!("{corpus}/component-{n}.bin"), bytes).unwrap();
        }
    }
    let mut seeds = 0;
    for seed in std::fs::read_dir(corpus).unwrap() {
        host_abi(&std::fs::read(seed.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds >= 10, "{seeds}");
}
