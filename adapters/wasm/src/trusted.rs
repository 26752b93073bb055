//! Compiled guests: machine code. The one place where some is loaded.

use std::hash::{DefaultHasher, Hash, Hasher};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::fault::LoadError;
use crate::install::InstallKey;
use crate::manifest::Digest;

/// The length of the seal in front of compiled code, in bytes.
const SEAL_BYTES: usize = 32;

/// Names the compiler, its settings and this machine: what compiled code is good for.
pub(crate) fn engine_key(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// A guest that was compiled here, sealed: nobody without the key makes one, and it is good for this
/// engine and this source alone.
pub(crate) fn seal(
    key: &InstallKey,
    engine: &Engine,
    source: &Digest,
    compiled: &[u8],
) -> Result<Vec<u8>, LoadError> {
    let mut sealed = mac(key, engine, source, compiled)?
        .finalize()
        .into_bytes()
        .to_vec();
    sealed.extend_from_slice(compiled);
    Ok(sealed)
}

/// Loads what [`seal`] made.
///
/// # Errors
/// [`LoadError::Compiled`] for anything else.
pub(crate) fn open(
    key: &InstallKey,
    engine: &Engine,
    source: &Digest,
    sealed: &[u8],
) -> Result<Component, LoadError> {
    let (tag, compiled) = sealed
        .split_first_chunk::<SEAL_BYTES>()
        .ok_or(LoadError::Compiled)?;
    mac(key, engine, source, compiled)?
        .verify_slice(tag)
        .map_err(|_| LoadError::Compiled)?;
    #[expect(
        unsafe_code,
        reason = "these bytes, as they are in memory now, are what this host's compiler gave: the seal says \
                  so, under a key that is kept apart from them"
    )]
    let component = unsafe { Component::deserialize(engine, compiled) };
    component.map_err(|_| LoadError::Compiled)
}

fn mac(
    key: &InstallKey,
    engine: &Engine,
    source: &Digest,
    compiled: &[u8],
) -> Result<Hmac<Sha256>, LoadError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).map_err(|_| LoadError::Compiled)?;
    mac.update(b"narthex compiled plugin 1");
    mac.update(&engine_key(engine).to_le_bytes());
    mac.update(source.bytes());
    mac.update(compiled);
    Ok(mac)
}
