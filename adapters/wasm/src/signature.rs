//! Who vouches for a component: its author's signature, as [minisign](https://jedisct1.github.io/minisign/)
//! writes it (Ed25519 over the BLAKE2b-512 of the file; the older form, over the file itself, is not taken).

use std::fmt;

use minisign_verify::{Error, PublicKey, Signature};

/// The longest signature file, in bytes.
pub const SIGNATURE_BYTES_MAX: usize = 4096;

/// The public key of an author of plugins, which the operator has from a place that is trusted.
#[derive(Clone)]
pub struct AuthorKey {
    key: PublicKey,
    text: String,
}

/// What is wrong with a key or a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// No key.
    #[error("a key is the last line of the author's minisign.pub: `RW` and 54 characters")]
    Key,
    /// No signature.
    #[error("the signature file is not one that `minisign -S -m FILE` wrote")]
    Unreadable,
    /// Another author's.
    #[error("the signature is made with another key than the one you gave")]
    OtherKey,
    /// Of something else, or changed.
    #[error("the signature is not of this component: get both again from its author")]
    Wrong,
}

impl AuthorKey {
    /// From its written form: the last line of `minisign.pub`.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let text = text.trim();
        let key = PublicKey::from_base64(text).map_err(|_| SignatureError::Key)?;
        let text = text.to_owned();
        Ok(Self { key, text })
    }

    /// Whether `signature`, the content of a `.minisig` file, is this author's, of `component`. Its
    /// comments are not looked at.
    ///
    /// # Errors
    /// It is not.
    pub fn verify(&self, component: &[u8], signature: &str) -> Result<(), SignatureError> {
        if signature.len() > SIGNATURE_BYTES_MAX {
            return Err(SignatureError::Unreadable);
        }
        let signature = Signature::decode(signature).map_err(|_| SignatureError::Unreadable)?;
        let verified = self.key.verify(component, &signature, false);
        verified.map_err(|error| match error {
            Error::UnexpectedKeyId => SignatureError::OtherKey,
            Error::UnexpectedAlgorithm | Error::UnsupportedAlgorithm => SignatureError::Unreadable,
            _ => SignatureError::Wrong,
        })
    }
}

impl fmt::Display for AuthorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AuthorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorKey({self})")
    }
}

/// A signature to be checked when a component is installed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Whose it is to be.
    pub key: AuthorKey,
    /// The content of the `.minisig` file.
    pub signature: String,
}
