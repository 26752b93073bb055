//! Answers of any bytes, and components of any bytes: what a guest hands to the host is read with care.
//! Seeded: a failure names its seed.

mod support;

use narthex_wasm::{GuestOptions, Hook};
use support::{Came, ask, code, host, module, options, packed, wild};

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

/// A guest whose answer is the text it is given, two letters of `a` to `p` for each byte.
fn echo(hook: Hook) -> Vec<u8> {
    let body = "(local $from i32) (local $to i32)
    (local.set $to (i32.const 600))
    (block $done
      (loop $again
        (br_if $done (i32.lt_u (local.get $length) (i32.const 2)))
        (i32.store8 (local.get $to)
          (i32.or
            (i32.shl
              (i32.and (i32.sub (i32.load8_u (local.get $text)) (i32.const 97)) (i32.const 15))
              (i32.const 4))
            (i32.and (i32.sub (i32.load8_u offset=1 (local.get $text)) (i32.const 97)) (i32.const 15))))
        (local.set $text (i32.add (local.get $text) (i32.const 2)))
        (local.set $length (i32.sub (local.get $length) (i32.const 2)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (br $again)))
    (i32.const 600)";
    packed(hook, &module(hook, "", body))
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
            let letter = |nibble: u8| char::from(b'a' + (nibble & 15));
            let text: String = bytes
                .iter()
                .flat_map(|byte| [letter(byte >> 4), letter(*byte)])
                .collect();
            let says_yes = match hook {
                // A list of no lines.
                Hook::LandingStatistic => bytes[4..8] == [0; 4],
                // The first case of the variant.
                _ => bytes[0] == 0,
            };
            match ask(&guest, &text) {
                Came::Good => {
                    assert!(says_yes, "SEED={seed} {hook}: {bytes:?}");
                    yes += 1;
                }
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
