//! The code of a claim letter: printed, typed once, kept as a digest only.

use std::fmt;

use zeroize::Zeroizing;

use crate::host::{Entropy, EntropyError};
use crate::model::InvalidInput;

/// No vowel, so that no word appears; nothing that print or handwriting confuses: no 0 O, 1 I L, 2 Z,
/// 5 S, 8 B.
const ALPHABET: &[u8; 22] = b"CDFGHJKMNPQRTVWXY34679";
/// Ten of 22 characters are 44.5 bits; at least 40 are asked for.
const CODE_CHARACTERS: usize = 10;
/// Between the two halves, as printed.
const DASH_AFTER: usize = 5;
/// The longest text looked at, in bytes.
const TYPED_BYTES_MAX: usize = 64;

/// A claim code: proves that a letter of the office reached whom it names.
#[derive(Clone)]
pub struct ClaimCode(Zeroizing<[u8; CODE_CHARACTERS]>);

impl fmt::Debug for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimCode(hidden)")
    }
}

impl ClaimCode {
    /// A fresh code, every character as likely as any other.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut code = Zeroizing::new([0; CODE_CHARACTERS]);
        for place in code.as_mut_slice() {
            *place = character(entropy)?;
        }
        Ok(Self(code))
    }

    /// As typed: capitals or not, with or without dashes and spaces.
    ///
    /// # Errors
    /// Not ten of the characters that codes are made of.
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        const WRONG: InvalidInput =
            InvalidInput("please check the code: ten letters and digits, as printed in the letter");
        if text.len() > TYPED_BYTES_MAX {
            return Err(WRONG);
        }
        let mut code = Zeroizing::new([0; CODE_CHARACTERS]);
        let mut places = code.iter_mut();
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let upper = u8::try_from(c.to_ascii_uppercase()).unwrap_or(0);
            match places.next() {
                Some(place) if ALPHABET.contains(&upper) => *place = upper,
                _ => return Err(WRONG),
            }
        }
        if places.next().is_some() {
            return Err(WRONG);
        }
        drop(places);
        Ok(Self(code))
    }

    /// For the letter, and for nothing else: `XXXXX-XXXXX`.
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CODE_CHARACTERS + 1));
        for (place, byte) in self.0.iter().enumerate() {
            if place == DASH_AFTER {
                text.push('-');
            }
            text.push(char::from(*byte));
        }
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

fn character(entropy: &dyn Entropy) -> Result<u8, EntropyError> {
    loop {
        let mut byte = [0];
        entropy.fill(&mut byte)?;
        // 11 whole alphabets fit into a byte; what is above them would favour the first letters.
        let [byte] = byte;
        if let Some(found) = ALPHABET.get(usize::from(byte) % ALPHABET.len())
            && usize::from(byte) < 256 / ALPHABET.len() * ALPHABET.len()
        {
            return Ok(*found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug)]
    struct Counting(Mutex<u8>);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            let mut next = self.0.lock().unwrap();
            for byte in bytes {
                *byte = *next;
                *next = next.wrapping_add(1);
            }
            Ok(())
        }
    }

    #[test]
    fn cl06_a_code_has_at_least_forty_bits_and_no_look_alikes() {
        let letters = u32::try_from(ALPHABET.len()).unwrap();
        let codes = f64::from(letters).powi(i32::try_from(CODE_CHARACTERS).unwrap());
        assert!(codes.log2() >= 40.0, "{}", codes.log2());
        for look_alike in b"0O1IL2Z5S8BAEU" {
            assert!(!ALPHABET.contains(look_alike));
        }
        let mut sorted = ALPHABET.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), ALPHABET.len());
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let entropy = Counting(Mutex::new(0));
        let mut seen = std::collections::BTreeMap::new();
        // All bytes but the 14 that are thrown away: 11 of each character.
        for _ in 0..242 {
            *seen.entry(character(&entropy).unwrap()).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), ALPHABET.len());
        assert!(seen.values().all(|n| *n == 11), "{seen:?}");
    }

    #[test]
    fn a_code_is_read_however_it_is_spaced_and_nothing_else_is() {
        let code = ClaimCode::generate(&Counting(Mutex::new(3))).unwrap();
        let printed = code.expose();
        assert_eq!(printed.len(), 11);
        for typed in [
            printed.to_lowercase(),
            printed.replace('-', " "),
            format!("  {} ", printed.replace('-', "")),
        ] {
            assert_eq!(
                ClaimCode::parse(&typed).unwrap().as_bytes(),
                code.as_bytes()
            );
        }
        for wrong in [
            "",
            "CDFGH",
            "CDFGH-JKMNPQ",
            "CDFGH-JKMN0",
            "ÇDFGH-JKMNP",
            &"C".repeat(80),
        ] {
            assert!(ClaimCode::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format!("{code:?}"), "ClaimCode(hidden)");
    }
}
