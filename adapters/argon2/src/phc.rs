//! PHC strings: how a hash is written, and the clamp on what is read back.
//!
//! A stored or imported string chooses how much work its check costs. So everything in it is
//! bounded here, before a place in the queue or a byte of memory is spent on it.

use std::ops::RangeInclusive;

use argon2::Version;
use data_encoding::BASE64_NOPAD;
use narthex_core::host::HashFault;
use zeroize::Zeroizing;

use crate::settings::Params;

/// The most memory a stored hash may ask for, in KiB (256 MiB), unless today's parameters are above
/// a quarter of it: then four times today's.
pub const STORED_MEMORY_KIB_MAX: u32 = 256 * 1024;
/// The most passes a hash may ask for.
pub const ITERATIONS_MAX: u32 = 16;
/// The most lanes a hash may ask for.
pub const PARALLELISM_MAX: u32 = 16;
/// The shortest salt of a stored hash, in bytes (RFC 9106, 3.1).
pub const SALT_BYTES_MIN: usize = 8;
/// The longest salt of a stored hash, in bytes.
pub const SALT_BYTES_MAX: usize = 64;
/// The shortest tag of a stored hash, in bytes.
pub const TAG_BYTES_MIN: usize = 16;
/// The longest tag of a stored hash, in bytes.
pub const TAG_BYTES_MAX: usize = 64;

/// The tag of a new hash, in bytes.
pub(crate) const TAG_BYTES: usize = 32;
/// The salt of a new hash, in bytes (NIST SP 800-63B 3.1.1.2 asks for 4 at least).
pub(crate) const SALT_BYTES: usize = 16;

/// Two texts of 64 bytes in base64 and the parameters fit well into this.
const PHC_BYTES_MAX: usize = 256;
const KIB_PER_LANE_MIN: u32 = 8;
const TODAY_MULTIPLE: u32 = 4;

/// A stored hash within the clamp.
pub(crate) struct Stored {
    pub(crate) version: Version,
    pub(crate) params: Params,
    pub(crate) salt: Vec<u8>,
    pub(crate) tag: Zeroizing<Vec<u8>>,
}

impl Stored {
    /// Whether a hash made today would be stronger or of another shape.
    pub(crate) fn differs_from(&self, today: &Params) -> bool {
        self.params != *today
            || self.version != Version::V0x13
            || self.tag.len() != TAG_BYTES
            || self.salt.len() < SALT_BYTES
    }
}

/// The PHC string of a hash made today.
pub(crate) fn encode(params: &Params, salt: &[u8], tag: &[u8]) -> String {
    let Params {
        memory_kib,
        iterations,
        parallelism,
    } = params;
    let mut text = format!("$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}$");
    BASE64_NOPAD.encode_append(salt, &mut text);
    text.push('$');
    BASE64_NOPAD.encode_append(tag, &mut text);
    text
}

/// Reads `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`, and nothing that costs more than the clamp.
///
/// # Errors
/// Says what is wrong; never repeats a part of the text.
pub(crate) fn parse(phc: &str, today: &Params) -> Result<Stored, HashFault> {
    if phc.len() > PHC_BYTES_MAX {
        return Err(fault("the stored hash is too long"));
    }
    let rest = phc
        .strip_prefix('$')
        .ok_or_else(|| fault("the stored hash is not a PHC string"))?;
    let (algorithm, rest) = rest.split_once('$').unwrap_or((rest, ""));
    check_algorithm(algorithm)?;
    let (version, rest) = version(rest)?;
    let mut fields = rest.split('$');
    let mut field = || {
        fields
            .next()
            .ok_or_else(|| fault("the stored hash is cut short"))
    };
    let params = params(field()?, today)?;
    let salt = bytes(field()?, SALT_BYTES_MIN..=SALT_BYTES_MAX, "salt")?;
    let tag = bytes(field()?, TAG_BYTES_MIN..=TAG_BYTES_MAX, "tag")?;
    if fields.next().is_some() {
        return Err(fault("the stored hash has more parts than a hash has"));
    }
    Ok(Stored {
        version,
        params,
        salt,
        tag: Zeroizing::new(tag),
    })
}

pub(crate) fn fault(what: &str) -> HashFault {
    HashFault(what.to_owned())
}

fn check_algorithm(name: &str) -> Result<(), HashFault> {
    match name {
        "argon2id" => Ok(()),
        "argon2i" | "argon2d" => Err(HashFault(format!(
            "the stored hash is made with {name}: only argon2id is taken"
        ))),
        _ => Err(fault("the stored hash is not made with argon2id")),
    }
}

/// A missing version means 16, as in the reference implementation's strings of before version 19.
fn version(rest: &str) -> Result<(Version, &str), HashFault> {
    let Some(from_number) = rest.strip_prefix("v=") else {
        return Ok((Version::V0x10, rest));
    };
    let (number, rest) = from_number.split_once('$').unwrap_or((from_number, ""));
    match number {
        "19" => Ok((Version::V0x13, rest)),
        "16" => Ok((Version::V0x10, rest)),
        _ => Err(fault("the stored hash has an unknown version of argon2id")),
    }
}

fn params(text: &str, today: &Params) -> Result<Params, HashFault> {
    let mut parts = text.split(',');
    let memory_kib = number(parts.next(), "m=")?;
    let iterations = number(parts.next(), "t=")?;
    let parallelism = number(parts.next(), "p=")?;
    if parts.next().is_some() {
        return Err(fault("the stored hash has parameters other than m, t, p"));
    }
    let memory_max = today
        .memory_kib
        .saturating_mul(TODAY_MULTIPLE)
        .max(STORED_MEMORY_KIB_MAX);
    let memory_min = KIB_PER_LANE_MIN.saturating_mul(parallelism);
    let allowed = (1..=PARALLELISM_MAX).contains(&parallelism)
        && (1..=ITERATIONS_MAX).contains(&iterations)
        && (memory_min..=memory_max).contains(&memory_kib);
    if !allowed {
        return Err(fault(
            "the stored hash asks for more memory, passes or lanes than allowed",
        ));
    }
    Ok(Params {
        memory_kib,
        iterations,
        parallelism,
    })
}

/// Decimal digits without sign or leading zero, as PHC writes them.
fn number(part: Option<&str>, name: &str) -> Result<u32, HashFault> {
    part.and_then(|part| part.strip_prefix(name))
        .filter(|digits| !digits.starts_with(['0', '+']))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| fault("the stored hash has no readable m, t, p"))
}

fn bytes(text: &str, len: RangeInclusive<usize>, what: &str) -> Result<Vec<u8>, HashFault> {
    let bytes = BASE64_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| HashFault(format!("the {what} of the stored hash is not base64")))?;
    if !len.contains(&bytes.len()) {
        return Err(HashFault(format!(
            "the {what} of the stored hash has {} bytes, not {} to {}",
            bytes.len(),
            len.start(),
            len.end()
        )));
    }
    Ok(bytes)
}
