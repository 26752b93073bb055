//! The pack step: a core module, or one in text, becomes a component of a world of `narthex:portal`.
//! Authors in languages whose compilers make core modules (Rust, C, WAT) need no other tool.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::hook::Hook;

/// The files of the WIT package, by name: what this host was built with.
pub fn wit_files() -> [(&'static str, &'static str); 7] {
    [
        (
            "types.wit",
            include_str!("../../../bindings/wit/0.1.0/types.wit"),
        ),
        (
            "password-rule.wit",
            include_str!("../../../bindings/wit/0.1.0/password-rule.wit"),
        ),
        (
            "opinions.wit",
            include_str!("../../../bindings/wit/0.1.0/opinions.wit"),
        ),
        (
            "event-sink.wit",
            include_str!("../../../bindings/wit/0.1.0/event-sink.wit"),
        ),
        (
            "landing-statistic.wit",
            include_str!("../../../bindings/wit/0.1.0/landing-statistic.wit"),
        ),
        (
            "application.wit",
            include_str!("../../../bindings/wit/0.1.0/application.wit"),
        ),
        (
            "log.wit",
            include_str!("../../../bindings/wit/0.1.0/log.wit"),
        ),
    ]
}

/// Why a module was not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Neither WASM nor WAT.
    #[error("this is neither a WASM module nor one in text: {0}")]
    Module(String),
    /// A component already.
    #[error("this is a component already: it needs no packing")]
    Component,
    /// The module is not of the world.
    #[error("the module is not one of the world {world} of narthex:portal@{version}: {why}", version = crate::WIT_VERSION)]
    World {
        /// Which.
        world: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// Makes a component of a core module (binary or text) that was written for the world of `hook`.
///
/// # Errors
/// Says what the module lacks.
pub fn pack(module: &[u8], hook: Hook) -> Result<Vec<u8>, PackError> {
    pack_for(module, hook.world())
}

/// The same for an application that embeds the portal.
///
/// # Errors
/// Says what the module lacks.
pub fn pack_application(module: &[u8]) -> Result<Vec<u8>, PackError> {
    pack_for(module, "application")
}

fn pack_for(module: &[u8], world: &'static str) -> Result<Vec<u8>, PackError> {
    let module = wat::parse_bytes(module).map_err(|error| PackError::Module(error.to_string()))?;
    if is_component(&module) {
        return Err(PackError::Component);
    }
    // Bindings for several worlds leave several descriptions behind; what it is is said here.
    let mut module = without_descriptions(&module)
        .ok_or_else(|| PackError::Module("its sections have no end".into()))?;
    let wrong = |error: &dyn std::fmt::Display| PackError::World {
        world,
        why: format!("{error:#}"),
    };
    // One source: the package is named in the first of them.
    let sources: String = wit_files().map(|(_, text)| text).join("\n");
    let mut resolve = Resolve::default();
    let package = resolve
        .push_source("narthex.wit", &sources)
        .map_err(|error| wrong(&error))?;
    let world = resolve
        .select_world(&[package], Some(world))
        .map_err(|error| wrong(&error))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| wrong(&error))?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| wrong(&error))
}

/// The layer of the binary format: 0 a module, 1 a component.
fn is_component(bytes: &[u8]) -> bool {
    matches!(bytes, [0, b'a', b's', b'm', _, _, 1, 0, ..])
}

/// A module without its custom sections `component-type...`.
fn without_descriptions(module: &[u8]) -> Option<Vec<u8>> {
    const HEADER_BYTES: usize = 8;
    let (header, mut rest) = module.split_at_checked(HEADER_BYTES)?;
    let mut kept = header.to_vec();
    while let Some((id, after)) = rest.split_first() {
        let (length, body) = leb128(after)?;
        let (body, next) = body.split_at_checked(length)?;
        let section = rest.get(..rest.len() - next.len())?;
        let is_description = *id == 0 && {
            let (length, name) = leb128(body)?;
            name.get(..length)?.starts_with(b"component-type")
        };
        if !is_description {
            kept.extend_from_slice(section);
        }
        rest = next;
    }
    Some(kept)
}

/// An unsigned number of at most 32 bits, and what is after it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}
