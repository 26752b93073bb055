//! Secrets have types: no readable `Debug`, no serialization, comparison in constant time, wiped on drop.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::host::{Entropy, EntropyError};
use crate::model::{InvalidInput, Selector};

mod claim_code;
mod known_browser;

pub use claim_code::ClaimCode;
pub(crate) use known_browser::KnownMark;
pub use known_browser::{KNOWN_ACCOUNTS_MAX, KnownBrowser};

/// The longest password, in bytes of UTF-8, before and after normalization (PW-02, A21).
pub const PASSWORD_BYTES_MAX: usize = 1024;

macro_rules! hidden_debug {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    };
}

/// A password as typed: NFKC-normalized (NIST SP 800-63B-4 §3.1.1.2), otherwise untouched: never
/// trimmed, cut or folded.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);
hidden_debug!(Password);

impl Password {
    /// # Errors
    /// Longer than [`PASSWORD_BYTES_MAX`], or empty.
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        const TOO_LONG: InvalidInput =
            InvalidInput("the password is too long: at most 1,024 bytes");
        if text.is_empty() {
            return Err(InvalidInput("please type a password"));
        }
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(TOO_LONG);
        }
        // Reserved beforehand: a growing string would leave copies of its beginnings behind.
        let mut normalized = Zeroizing::new(String::with_capacity(18 * text.len()));
        normalized.extend(text.nfkc());
        if normalized.len() > PASSWORD_BYTES_MAX {
            return Err(TOO_LONG);
        }
        Ok(Self(normalized))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash_input(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.as_bytes().to_vec())
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// A password that met the stated requirements: only `rules::password::accept` makes one.
pub struct NewPassword(Password);
hidden_debug!(NewPassword);

impl NewPassword {
    pub(crate) fn assertion(password: Password) -> Self {
        Self(password)
    }

    pub(crate) fn hash_input(&self) -> Zeroizing<Vec<u8>> {
        self.0.hash_input()
    }
}

/// What a browser holds of a session: 16 random bytes that name its family, 32 that prove it (ASVS
/// 7.2.3 asks for 128 bits).
#[derive(Clone)]
pub struct SessionToken {
    selector: Selector,
    secret: Zeroizing<[u8; 32]>,
}
hidden_debug!(SessionToken);

impl SessionToken {
    /// Length of the written form, in characters.
    pub const TEXT_LENGTH: usize = 64;

    /// A token for a new family.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut selector = [0; 16];
        entropy.fill(&mut selector)?;
        Self::renew(Selector::from_bytes(selector), entropy)
    }

    /// A fresh token of an existing family.
    pub(crate) fn renew(selector: Selector, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut secret = Zeroizing::new([0; 32]);
        entropy.fill(secret.as_mut_slice())?;
        Ok(Self { selector, secret })
    }

    /// From exactly 64 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::TEXT_LENGTH {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 48]);
        data_encoding::BASE64URL_NOPAD
            .decode_mut(text.as_bytes(), bytes.as_mut_slice())
            .ok()?;
        let (selector, rest) = bytes.split_first_chunk::<16>()?;
        let secret = Zeroizing::new(<[u8; 32]>::try_from(rest).ok()?);
        Some(Self {
            selector: Selector::from_bytes(*selector),
            secret,
        })
    }

    /// For the cookie, and for nothing else.
    pub fn expose(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; 48]);
        let (head, tail) = bytes.split_at_mut(16);
        head.copy_from_slice(self.selector.as_bytes());
        tail.copy_from_slice(self.secret.as_slice());
        Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(bytes.as_slice()))
    }

    /// Which family it belongs to.
    pub fn selector(&self) -> Selector {
        self.selector
    }

    /// Half of SHA-256 of the secret: what the memory of a process may hold of it. 256 random bits need no
    /// key, and nobody finds another secret with the same 128 bits.
    pub(crate) fn proof(&self) -> [u8; 16] {
        let digest: [u8; 32] = Sha256::digest(self.secret()).into();
        let mut proof = [0; 16];
        proof.copy_from_slice(digest.split_at(16).0);
        proof
    }

    /// Whether it is the token of that proof; in constant time.
    pub(crate) fn is_proven_by(&self, proof: &[u8; 16]) -> bool {
        self.proof().ct_eq(proof).into()
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}

/// What a browser holds while it claims: binds claim tickets to it.
#[derive(Clone)]
pub struct BrowserSecret(Zeroizing<[u8; 32]>);
hidden_debug!(BrowserSecret);

impl BrowserSecret {
    /// 32 fresh random bytes.
    ///
    /// # Errors
    /// No random bytes.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// From exactly 43 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(
            data_encoding::BASE64URL_NOPAD
                .decode(text.as_bytes())
                .ok()?,
        );
        Some(Self(Zeroizing::new(
            <[u8; 32]>::try_from(bytes.as_slice()).ok()?,
        )))
    }

    /// For the cookie, and for nothing else.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(self.0.as_slice()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Names one claim under way. Not enough by itself: the browser's cookie is needed too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TicketId([u8; 16]);
hidden_debug!(TicketId);

impl TicketId {
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// From exactly 22 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = data_encoding::BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// For the claim's own forms.
    pub fn expose(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.0)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Equal digests, compared in constant time.
pub(crate) fn same_digest(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pw05_composed_and_decomposed_spellings_are_one_password() {
        let decomposed = Password::parse("cafe\u{301} at seven").unwrap();
        assert!(
            Password::parse("caf\u{e9} at seven")
                .unwrap()
                .is(&decomposed)
        );
        assert!(!Password::parse("cafe at seven").unwrap().is(&decomposed));
    }

    #[test]
    fn pw03_nothing_is_trimmed_folded_or_cut() {
        let long = "x".repeat(PASSWORD_BYTES_MAX);
        assert_eq!(Password::parse(&long).unwrap().expose(), long);
        assert_eq!(
            Password::parse(" Spaces Kept ").unwrap().expose(),
            " Spaces Kept "
        );
        assert!(Password::parse(&format!("{long}x")).is_err());
        // U+FDFA grows eighteenfold under NFKC.
        assert!(Password::parse(&"\u{fdfa}".repeat(200)).is_err());
    }

    #[test]
    fn a_token_survives_its_written_form_and_nothing_else_parses() {
        #[derive(Debug)]
        struct Counting;
        impl Entropy for Counting {
            fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
                for (i, byte) in bytes.iter_mut().enumerate() {
                    *byte = u8::try_from(i % 251).unwrap();
                }
                Ok(())
            }
        }
        let token = SessionToken::generate(&Counting).unwrap();
        let text = token.expose();
        assert_eq!(text.len(), SessionToken::TEXT_LENGTH);
        let again = SessionToken::parse(&text).unwrap();
        assert_eq!(again.selector(), token.selector());
        assert_eq!(again.secret(), token.secret());
        for wrong in ["", "abc", &format!("{}=", text.as_str()), &"!".repeat(64)] {
            assert!(SessionToken::parse(wrong).is_none());
        }
        assert_eq!(format!("{token:?}"), "SessionToken(hidden)");
    }
}
