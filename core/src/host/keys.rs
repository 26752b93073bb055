//! The key ring: one key per purpose in use, older ones beside it, all with ids (CR-01).

use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Entropy, EntropyError};
use crate::model::Timestamp;
use crate::secret::same_digest;

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
    /// A line of a key file is not `purpose id 64-hex-digits [milliseconds]`.
    #[error("line {0} of the key file is not `purpose id 64-hexadecimal-digits [milliseconds]`")]
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
    /// Ids have come to their end.
    #[error("there is no id left for another key of {0}")]
    Exhausted(&'static str),
    /// The names of records are not changed while people use them.
    #[error(
        "the key for names is not rotated: it names every record, so that a new one would find none"
    )]
    Names,
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

type Key32 = Zeroizing<[u8; 32]>;

/// All keys of a portal, with ids. Kept outside the store and outside its backups.
#[derive(Clone)]
pub struct KeyRing {
    keys: BTreeMap<(KeyPurpose, u32), RingKey>,
}

/// A key, and HMAC begun with it: setting HMAC up anew for every digest costs twice the digest.
#[derive(Clone)]
struct RingKey {
    bytes: Key32,
    begun: Hmac<Sha256>,
    /// When it was made; absent in a key file that does not tell.
    made_at: Option<Timestamp>,
}

impl RingKey {
    fn new(bytes: Key32) -> Result<Self, KeyError> {
        let begun = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(bytes.as_slice())
            .map_err(|_| KeyError::Broken)?;
        Ok(Self {
            bytes,
            begun,
            made_at: None,
        })
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
            let told = parse_line(line).ok_or(KeyError::Line(index + 1))?;
            let mut key = RingKey::new(told.key)?;
            key.made_at = told.made_at;
            if keys.insert((told.purpose, told.id), key).is_some() {
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

    /// One line per key: `purpose id 64-hexadecimal-digits`, and where it is known when the key was made
    /// (milliseconds).
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        text.push_str("# narthex keys: keep apart from the store and its backups\n");
        for ((purpose, id), key) in &self.keys {
            let hex = Zeroizing::new(data_encoding::HEXLOWER.encode(key.bytes.as_slice()));
            text.push_str(&format!("{} {id} ", purpose.code()));
            text.push_str(&hex);
            if let Some(at) = key.made_at {
                text.push_str(&format!(" {}", at.as_millis()));
            }
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

    /// Whether the ring has this key.
    pub fn has(&self, purpose: KeyPurpose, id: u32) -> bool {
        self.keys.contains_key(&(purpose, id))
    }

    /// The ids of all keys of `purpose`, the current one first.
    pub fn ids(&self, purpose: KeyPurpose) -> impl Iterator<Item = u32> + '_ {
        let ids = self.keys.keys().rev();
        ids.filter(move |(p, _)| *p == purpose).map(|(_, id)| *id)
    }

    /// When a key was made; absent where nobody knows.
    pub fn made_at(&self, purpose: KeyPurpose, id: u32) -> Option<Timestamp> {
        self.keys.get(&(purpose, id)).and_then(|key| key.made_at)
    }

    /// Says that keys whose age nobody knows were made at `now`: for a ring that was just generated.
    pub fn stamp(&mut self, now: Timestamp) {
        for key in self.keys.values_mut() {
            key.made_at.get_or_insert(now);
        }
    }

    /// A new key of `purpose`, made at `now`: from here on it is the current one. Older ones still open
    /// what they sealed, and judge what they digested.
    ///
    /// # Errors
    /// No random bytes; [`KeyPurpose::Names`]; or ids have come to their end.
    pub fn rotate(
        &mut self,
        purpose: KeyPurpose,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<u32, KeyError> {
        if purpose == KeyPurpose::Names {
            return Err(KeyError::Names);
        }
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut_slice())?;
        let mut key = RingKey::new(key)?;
        key.made_at = Some(now);
        let id = self.next_id(purpose, entropy)?;
        self.keys.insert((purpose, id), key);
        Ok(id)
    }

    /// Whether both have the same keys, whatever they say of their age.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let both = self.keys.iter().zip(&other.keys);
        let mut same = both.map(|((name, key), (other_name, other_key))| {
            name == other_name && same_digest(&key.bytes, &other_key.bytes)
        });
        self.keys.len() == other.keys.len() && same.all(|same| same)
    }

    /// Takes an older key away. `false`: it is not there, or it is the current one, which stays.
    pub fn remove(&mut self, purpose: KeyPurpose, id: u32) -> bool {
        id != self.current(purpose) && self.keys.remove(&(purpose, id)).is_some()
    }

    /// Greater than the current one, by as much as nobody foresees.
    fn next_id(&self, purpose: KeyPurpose, entropy: &dyn Entropy) -> Result<u32, KeyError> {
        let mut step = [0; 2];
        entropy.fill(&mut step)?;
        let step = u32::from(u16::from_le_bytes(step)) + 1;
        let id = self.current(purpose).checked_add(step);
        id.ok_or(KeyError::Exhausted(purpose.code()))
    }

    /// Begins another incarnation of the store: a new key for token digests in place of all older
    /// ones. Sessions, tickets and codes that were made before are void.
    ///
    /// # Errors
    /// No random bytes.
    pub fn begin_incarnation(&mut self, entropy: &dyn Entropy) -> Result<u32, KeyError> {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut_slice())?;
        let id = self.next_id(KeyPurpose::TokenDigest, entropy)?;
        self.keys
            .retain(|(purpose, _), _| *purpose != KeyPurpose::TokenDigest);
        self.keys
            .insert((KeyPurpose::TokenDigest, id), RingKey::new(key)?);
        Ok(id)
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

    /// `sealed` anew under the current key; `None`: that is the one it is sealed with.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::seal`].
    pub fn reseal(
        &self,
        purpose: KeyPurpose,
        context: &[&[u8]],
        sealed: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Option<Vec<u8>>, KeyError> {
        if sealed_with(sealed) == Some(self.current(purpose)) {
            return Ok(None);
        }
        let secret = self.open(purpose, context, sealed)?;
        self.seal(purpose, context, &secret, entropy).map(Some)
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

/// The id of the key that a sealed value was made with.
pub fn sealed_with(sealed: &[u8]) -> Option<u32> {
    sealed.first_chunk().map(|id| u32::from_le_bytes(*id))
}

struct Line {
    purpose: KeyPurpose,
    id: u32,
    key: Key32,
    made_at: Option<Timestamp>,
}

fn parse_line(line: &str) -> Option<Line> {
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
    let made_at = match words.next() {
        Some(millis) => Some(Timestamp::from_millis(millis.parse().ok()?)),
        None => None,
    };
    words.next().is_none().then_some(Line {
        purpose,
        id,
        key,
        made_at,
    })
}

fn associated(purpose: KeyPurpose, context: &[&[u8]]) -> Vec<u8> {
    let mut bytes = purpose.code().as_bytes().to_vec();
    for part in context {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nines;
    impl Entropy for Nines {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(9);
            Ok(())
        }
    }

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
    const DETAILS: KeyPurpose = KeyPurpose::Details;

    #[test]
    fn cr01_a_rotated_ring_opens_what_it_sealed_before_and_seals_with_the_new_key() {
        let mut ring = KeyRing::generate(&Nines).unwrap();
        let old = ring.current(DETAILS);
        let sealed = ring.seal(DETAILS, &[b"a"], b"a name", &Nines).unwrap();
        let id = ring.rotate(DETAILS, NOW, &Nines).unwrap();
        assert_eq!(ring.ids(DETAILS).collect::<Vec<_>>(), [id, old]);
        assert!(id > old && ring.current(DETAILS) == id);
        assert_eq!(
            ring.open(DETAILS, &[b"a"], &sealed).unwrap().as_slice(),
            b"a name"
        );
        let anew = ring
            .reseal(DETAILS, &[b"a"], &sealed, &Nines)
            .unwrap()
            .unwrap();
        assert_eq!(
            (sealed_with(&sealed), sealed_with(&anew)),
            (Some(old), Some(id))
        );
        assert_eq!(ring.reseal(DETAILS, &[b"a"], &anew, &Nines), Ok(None));
        // Another purpose has not changed; names never do.
        let names = ring.current(KeyPurpose::Names);
        assert_eq!(
            ring.rotate(KeyPurpose::Names, NOW, &Nines),
            Err(KeyError::Names)
        );
        assert_eq!(ring.ids(KeyPurpose::Names).collect::<Vec<_>>(), [names]);
        // The current key stays, whoever asks; without the old one nothing of it opens.
        assert!(!ring.remove(DETAILS, id) && ring.remove(DETAILS, old));
        assert!(ring.open(DETAILS, &[b"a"], &sealed).is_err());
        assert_eq!(
            ring.open(DETAILS, &[b"a"], &anew).unwrap().as_slice(),
            b"a name"
        );
    }

    #[test]
    fn the_age_of_a_key_survives_the_file_and_a_file_without_ages_is_read() {
        let mut ring = KeyRing::generate(&Nines).unwrap();
        let before = KeyRing::from_text(&ring.to_text()).unwrap();
        assert_eq!(before.made_at(DETAILS, before.current(DETAILS)), None);
        let id = ring.rotate(DETAILS, NOW, &Nines).unwrap();
        let read = KeyRing::from_text(&ring.to_text()).unwrap();
        assert_eq!(read.made_at(DETAILS, id), Some(NOW));
        assert_eq!(read.to_text(), ring.to_text());
        let line = ring
            .to_text()
            .replace(&format!(" {}", NOW.as_millis()), " soon");
        assert!(matches!(KeyRing::from_text(&line), Err(KeyError::Line(_))));
    }

    #[test]
    fn a_ring_whose_ids_have_come_to_their_end_makes_no_key_and_loses_none() {
        let ring = KeyRing::generate(&Nines).unwrap();
        let first = format!("details {} ", ring.current(DETAILS));
        let text = ring.to_text().replace(&first, "details 4294960000 ");
        let mut ring = KeyRing::from_text(&text).unwrap();
        // Each step here is 2,314.
        for _ in 0..3 {
            ring.rotate(DETAILS, NOW, &Nines).unwrap();
        }
        let end = ring.rotate(DETAILS, NOW, &Nines);
        assert_eq!(end, Err(KeyError::Exhausted("details")));
        assert_eq!(ring.ids(DETAILS).count(), 4);
    }
}
