//! Compiled guests: machine code. The one place where some is loaded.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::component::Component;

use crate::fault::LoadError;
use crate::host::Machine;
use crate::install::InstallKey;
use crate::manifest::Digest;

/// The length of the seal in front of compiled code, in bytes.
const SEAL_BYTES: usize = 32;

/// A guest that was compiled here, sealed: nobody without the key makes one, and it is good for this
/// kind of machine and this source alone. Version and settings of the compiler stand in the code, and
/// wasmtime compares them when it is opened.
#[cfg(feature = "compile")]
pub(crate) fn seal(
    key: &InstallKey,
    machine: &Machine,
    source: &Digest,
    compiled: &[u8],
) -> Result<Vec<u8>, LoadError> {
    let mut sealed = mac(key, machine, source, compiled)?
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
    machine: &Machine,
    source: &Digest,
    sealed: &[u8],
) -> Result<Component, LoadError> {
    let (tag, compiled) = sealed
        .split_first_chunk::<SEAL_BYTES>()
        .ok_or(LoadError::Compiled)?;
    mac(key, machine, source, compiled)?
        .verify_slice(tag)
        .map_err(|_| LoadError::Compiled)?;
    #[expect(
        unsafe_code,
        reason = "these bytes, as they are in memory now, are what this host's compiler gave: the seal says \
                  so, under a key that is kept apart from them"
    )]
    let component = unsafe { Component::deserialize(&machine.engine, compiled) };
    component.map_err(|_| LoadError::Compiled)
}

fn mac(
    key: &InstallKey,
    machine: &Machine,
    source: &Digest,
    compiled: &[u8],
) -> Result<Hmac<Sha256>, LoadError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).map_err(|_| LoadError::Compiled)?;
    mac.update(b"narthex compiled plugin 1");
    mac.update(machine.kind().as_bytes());
    mac.update(b"\0");
    mac.update(source.bytes());
    mac.update(compiled);
    Ok(mac)
}
