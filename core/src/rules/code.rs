//! Codes that people carry on paper and type: no two signs that look alike, read however they are
//! written.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::model::InvalidInput;

/// The signs of a code: digits and capital letters without I, L, O and U. 32 of them, so that each
/// holds 5 bits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Signs written together.
const GROUP: usize = 4;
/// The longest text looked at, in bytes: the longest code, however it is spaced.
const TEXT_BYTES_MAX: usize = 256;

/// A code of `SIGNS` signs, 5 bits each. Hides itself.
#[derive(Clone)]
pub struct Code<const SIGNS: usize>(Zeroizing<[u8; SIGNS]>);

/// 80 bits (RC-01 asks for 64): opens a recovery.
pub type RecoveryCodeText = Code<16>;

impl<const SIGNS: usize> fmt::Debug for Code<SIGNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(hidden)")
    }
}

impl<const SIGNS: usize> Code<SIGNS> {
    /// From random bytes: five bits of each become one sign.
    pub fn from_random(random: &Zeroizing<[u8; SIGNS]>) -> Self {
        Self(Zeroizing::new(random.map(|byte| sign_of(byte & 31))))
    }

    /// As typed: small letters, spaces, hyphens and signs that look alike are read as what was printed.
    ///
    /// # Errors
    /// Another sign, or not as many as a code has.
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        const LENGTH: InvalidInput =
            InvalidInput("some of the code is missing, or there is too much: please check it");
        if text.len() > TEXT_BYTES_MAX {
            return Err(LENGTH);
        }
        let mut signs = Zeroizing::new([0; SIGNS]);
        let mut typed = 0;
        for c in text.nfkc().flat_map(char::to_uppercase) {
            if c.is_whitespace() || matches!(c, '-' | '‐' | '‑' | '–' | '—' | '−' | '.' | '_')
            {
                continue;
            }
            let sign = read_alike(c).ok_or(InvalidInput(
                "a code has only digits and letters: please check it",
            ))?;
            *signs.get_mut(typed).ok_or(LENGTH)? = sign;
            typed += 1;
        }
        match typed {
            0 => Err(InvalidInput("please type the code")),
            _ if typed == SIGNS => Ok(Self(signs)),
            _ => Err(LENGTH),
        }
    }

    /// As printed: groups of four, for paper and for nothing else.
    pub fn expose(&self) -> Zeroizing<String> {
        // Reserved beforehand: a growing string would leave copies of its beginnings behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * SIGNS));
        for group in self.0.chunks(GROUP) {
            if !text.is_empty() {
                text.push('-');
            }
            text.extend(group.iter().map(|sign| char::from(*sign)));
        }
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8; SIGNS] {
        &self.0
    }
}

fn sign_of(five_bits: u8) -> u8 {
    ALPHABET
        .get(usize::from(five_bits))
        .copied()
        .unwrap_or(b'0')
}

/// The sign of the alphabet that was meant, if there is one.
fn read_alike(c: char) -> Option<u8> {
    let sign = match c {
        'O' => b'0',
        'I' | 'L' => b'1',
        'U' => b'V',
        other => u8::try_from(other).ok()?,
    };
    ALPHABET.contains(&sign).then_some(sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Eight = Code<8>;

    #[test]
    fn every_way_to_write_a_code_is_one_code() {
        let printed = Eight::from_random(&Zeroizing::new([0, 1, 27, 10, 33, 255, 12, 31]));
        assert_eq!(*printed.expose(), "01VA-1ZCZ");
        for typed in [
            "01VA-1ZCZ",
            "01va1zcz",
            " o1va - izcz ",
            "OlVA–LZCZ",
            "0IUA 1zcz",
            "０１ｖａ１ｚｃｚ",
        ] {
            let read = Eight::parse(typed).unwrap();
            assert_eq!(read.as_bytes(), printed.as_bytes(), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_says_what_is_wrong_with_it() {
        let why = |text: &str| Eight::parse(text).unwrap_err().0;
        assert_eq!(why(" - "), "please type the code");
        assert!(why("01VA-1ZC").contains("missing"));
        assert!(why("01VA-1ZCZ0").contains("too much"));
        assert!(why(&"0".repeat(300)).contains("too much"));
        assert!(why("01VA-1ZC!").contains("only digits and letters"));
        assert!(why("01VA-1ZCÉ").contains("only digits and letters"));
        assert_eq!(
            format!("{:?}", Eight::parse("01VA1ZCZ").unwrap()),
            "Code(hidden)"
        );
    }

    proptest! {
        #[test]
        fn rc01_a_code_survives_its_paper_and_keeps_five_bits_of_every_byte(random: [u8; 16]) {
            let code = RecoveryCodeText::from_random(&Zeroizing::new(random));
            let again = RecoveryCodeText::parse(&code.expose()).unwrap();
            prop_assert_eq!(again.as_bytes(), code.as_bytes());
            let bits = again.as_bytes().map(|s| ALPHABET.iter().position(|a| *a == s).unwrap());
            prop_assert_eq!(bits, random.map(|byte| usize::from(byte % 32)));
        }
    }
}
