//! The four doors to the outside: clock, entropy, password hasher, key ring. A host opens them; the
//! core owns what is done with what comes through.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::Timestamp;

/// What the machine's clocks say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The wall clock: may jump either way.
    pub wall: Timestamp,
    /// Time since boot, suspend included (`CLOCK_BOOTTIME`): never goes back.
    pub boot: Duration,
}

/// Reads the machine's clocks. What follows from the readings is `rules::time`'s business.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Both clocks, now.
    fn read(&self) -> ClockReading;
}

/// The source of randomness failed: nothing may be made from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct EntropyError(pub String);

/// Draws random bytes fit for keys and tokens (ASVS 11.5.1).
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// The operating system refused; `bytes` must not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The hash queue is full: nothing has been reserved; come back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct QueueFull {
    /// When a place is likely to be free.
    pub retry_after: Duration,
}

/// A hash could not be made or checked. Never a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hashing failed: {0}")]
pub struct HashFault(pub String);

/// What a comparison concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Whether the secret is the one the hash was made of.
    pub matches: bool,
    /// Whether the hash was made with other parameters than today's.
    pub rehash: bool,
}

/// Hashes passwords within a bounded memory and a bounded queue.
pub trait PasswordHasher: fmt::Debug + Send + Sync + 'static {
    /// A place in the queue for one operation, or word that there is none. Comes before every budget, so
    /// that a full queue charges nobody.
    ///
    /// # Errors
    /// The queue is full.
    fn admit(&self) -> Result<Box<dyn AdmittedHash>, QueueFull>;
}

/// A place in the hash queue; dropping it gives the place back. Its operations run one after the other.
#[async_trait]
pub trait AdmittedHash: Send + Sync {
    /// A PHC string of `secret` under today's parameters and `salt`.
    ///
    /// # Errors
    /// The hash could not be made.
    async fn hash(&self, secret: Zeroizing<Vec<u8>>, salt: [u8; 16]) -> Result<String, HashFault>;

    /// Whether `secret` is what `phc` was made of, in constant time. Parameters read from `phc` are
    /// clamped: a hostile one is refused at once.
    ///
    /// # Errors
    /// `phc` is not understood, or asks for more than is allowed.
    async fn verify(
        &self,
        secret: Zeroizing<Vec<u8>>,
        phc: Zeroizing<String>,
    ) -> Result<Verification, HashFault>;

    /// Does the work of `verify` under today's parameters for somebody who has no hash. Never matches.
    ///
    /// # Errors
    /// The work could not be done.
    async fn decoy(&self, secret: Zeroizing<Vec<u8>>) -> Result<(), HashFault>;
}

/// What a key is for. One key per purpose; each has its own ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPurpose {
    /// Names entries and lanes. Not rotated online.
    Names,
    /// Digests of session token secrets. Its current id is the store's incarnation.
    TokenDigest,
    /// Digests of claim evidence.
    Evidence,
    /// Wraps finished hashes.
    Pepper,
    /// Seals names and contact details.
    Details,
    /// Public tags: of families, of forms, of resume locations.
    Tags,
}

impl KeyPurpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::Names,
        Self::TokenDigest,
        Self::Evidence,
        Self::Pepper,
        Self::Details,
        Self::Tags,
    ];

    /// The word in the key file.
    pub fn code(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::TokenDigest => "token_digest",
            Self::Evidence => "evidence",
            Self::Pepper => "pepper",
            Self::Details => "details",
            Self::Tags => "tags",
        }
    }
}

/// Why a key file or a sealed value was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A line of a key file is not `purpose id 64-hex-digits`.
    #[error("line {0} of the key file is not `purpose id 64-hexadecimal-digits`")]
    Line(usize),
    /// A purpose has no key.
    #[error(
        "the key file has no key for {0}: it is not a narthex key file, or a part of it is missing"
    )]
    Missing(&'static str),
    /// A value was sealed with a key that is not in the ring.
    #[error("key {0} of {1} is not in the key file: is it the key file of this store?")]
    Unknown(u32, &'static str),
    /// A sealed value was changed, or moved to where it does not belong.
    #[error("a sealed value does not open: it was changed, or moved")]
    Broken,
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

type Key32 = Zeroizing<[u8; 32]>;

/// All keys of a portal, with ids. Kept outside the store and outside its backups.
pub struct KeyRing {
    keys: BTreeMap<(KeyPurpose, u32), RingKey>,
}

/// A key, and HMAC begun with it: setting HMAC up anew for every digest costs twice the digest.
struct RingKey {
    bytes: Key32,
    begun: Hmac<Sha256>,
}

impl RingKey {
    fn new(bytes: Key32) -> Result<Self, KeyError> {
        let begun = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(bytes.as_slice())
            .map_err(|_| KeyError::Broken)?;
        Ok(Self { bytes, begun })
    }
}

const NONCE_BYTES: usize = 24;

impl KeyRing {
    /// A new ring: one fresh key per purpose. The id of each is random, so that the id of the
    /// token-digest key names this incarnation of the store.
    ///
    /// # Errors
    /// No random bytes.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let mut keys = BTreeMap::new();
        for purpose in KeyPurpose::ALL {
            let mut key = Zeroizing::new([0; 32]);
            entropy.fill(key.as_mut_slice())?;
            let mut id = [0; 4];
            entropy.fill(&mut id)?;
            let id = u32::from_le_bytes(id) & 0x3fff_ffff | 1;
            keys.insert((purpose, id), RingKey::new(key)?);
        }
        Ok(Self { keys })
    }

    /// Reads what [`Self::to_text`] wrote. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// Names the line, or the purpose that has no key.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let mut keys = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (purpose, id, key) = parse_line(line).ok_or(KeyError::Line(index + 1))?;
            if keys.insert((purpose, id), RingKey::new(key)?).is_some() {
                return Err(KeyError::Line(index + 1));
            }
        }
        for purpose in KeyPurpose::ALL {
            if !keys.keys().any(|(p, _)| *p == purpose) {
                return Err(KeyError::Missing(purpose.code()));
            }
        }
        Ok(Self { keys })
    }

    /// One line per key: `purpose id 64-hexadecimal-digits`.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        text.push_str("# narthex keys: keep apart from the store and its backups\n");
        for ((purpose, id), key) in &self.keys {
            let hex = Zeroizing::new(data_encoding::HEXLOWER.encode(key.bytes.as_slice()));
            text.push_str(&format!("{} {id} ", purpose.code()));
            text.push_str(&hex);
            text.push('\n');
        }
        text
    }

    /// The id of the key that new values of `purpose` are made with: the greatest.
    pub fn current(&self, purpose: KeyPurpose) -> u32 {
        self.keys
            .keys()
            .filter(|(p, _)| *p == purpose)
            .map(|(_, id)| *id)
            .max()
            .unwrap_or(0)
    }

    /// HMAC-SHA-256 over the length-prefixed `parts` under key `id` of `purpose`.
    ///
    /// # Errors
    /// The key is not in the ring.
    pub fn mac(&self, purpose: KeyPurpose, id: u32, parts: &[&[u8]]) -> Result<[u8; 32], KeyError> {
        let mut mac = self.key(purpose, id)?.begun.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        Ok(mac.finalize().into_bytes().into())
    }

    /// `secret` encrypted under the current key of `purpose`, bound to the length-prefixed `context`
    /// (XChaCha20-Poly1305). Layout: key id, nonce, ciphertext with tag.
    ///
    /// # Errors
    /// No random bytes.
    pub fn seal(
        &self,
        purpose: KeyPurpose,
        context: &[&[u8]],
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, KeyError> {
        let id = self.current(purpose);
        let cipher = self.cipher(purpose, id)?;
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce)?;
        let payload = Payload {
            msg: secret,
            aad: &associated(purpose, context),
        };
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| KeyError::Broken)?;
        let mut out = Vec::with_capacity(4 + NONCE_BYTES + sealed.len());
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what [`Self::seal`] made with the same purpose and context.
    ///
    /// # Errors
    /// Another context, a changed byte, or a key that is not in the ring.
    pub fn open(
        &self,
        purpose: KeyPurpose,
        context: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (id, rest) = sealed.split_first_chunk::<4>().ok_or(KeyError::Broken)?;
        let (nonce, text) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(KeyError::Broken)?;
        let cipher = self.cipher(purpose, u32::from_le_bytes(*id))?;
        let payload = Payload {
            msg: text,
            aad: &associated(purpose, context),
        };
        let secret = cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| KeyError::Broken)?;
        Ok(Zeroizing::new(secret))
    }

    fn key(&self, purpose: KeyPurpose, id: u32) -> Result<&RingKey, KeyError> {
        self.keys
            .get(&(purpose, id))
            .ok_or(KeyError::Unknown(id, purpose.code()))
    }

    fn cipher(&self, purpose: KeyPurpose, id: u32) -> Result<XChaCha20Poly1305, KeyError> {
        let key = self.key(purpose, id)?;
        XChaCha20Poly1305::new_from_slice(key.bytes.as_slice()).map_err(|_| KeyError::Broken)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys.len())
    }
}

fn parse_line(line: &str) -> Option<(KeyPurpose, u32, Key32)> {
    let mut words = line.split_whitespace();
    let purpose = words.next()?;
    let purpose = KeyPurpose::ALL.into_iter().find(|p| p.code() == purpose)?;
    let id = words.next()?.parse().ok()?;
    let bytes = Zeroizing::new(
        data_encoding::HEXLOWER
            .decode(words.next()?.as_bytes())
            .ok()?,
    );
    let key = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
    words.next().is_none().then_some((purpose, id, key))
}

fn associated(purpose: KeyPurpose, context: &[&[u8]]) -> Vec<u8> {
    let mut bytes = purpose.code().as_bytes().to_vec();
    for part in context {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
