//! The WASM plugin host of narthex, on wasmtime's component model.
//!
//! A guest is one [`Hook`] of the WIT package `narthex:portal`: a password rule, a second opinion on
//! claims or log-ins, an event sink, lines on the landing page. It can refuse more and never allow more,
//! and it can neither stall nor crash nor bloat its host: every call runs in an instance of its own, under
//! [`Limits`] of time, memory, tables, host calls and sizes. A fault of any kind is a no where the guest
//! judges, and is left out where it only adds.
//!
//! * [`Host`] runs guests; [`Guest`] is one, loaded, and implements the traits of `narthex_core::hook`.
//! * [`PluginFolder`] is where an operator's plugins are installed: digest pinned, grants written down,
//!   compiled once.
//! * `pack` makes a component of a core module, so that authors need no other tool (feature `compile`).
//!
//! Features: without `compile` only what was compiled at install is loaded, and no compiler is in the
//! process.

mod application;
mod fault;
mod guest;
mod hook;
mod hooks;
mod host;
mod install;
mod limits;
mod log;
mod manifest;
mod meters;
#[cfg(feature = "compile")]
mod pack;
mod room;
mod signature;
mod ticker;
mod trusted;
mod wire;
mod workers;

pub use application::{
    Answered, Application, ApplicationOptions, Field, Jar, Page, Request, Visitor,
};
pub use fault::{Fault, FaultKind, LoadError};
pub use guest::{Compiled, Description, Guest, GuestOptions};
pub use hook::{Capability, Hook, WIT_VERSION};
pub use host::{Host, HostError, HostOptions};
pub use install::{AddOptions, InstallError, InstallKey, PluginFolder, Report};
pub use limits::{Limits, LimitsError};
pub use manifest::{Digest, Manifest};
pub use meters::{MeterReading, Meters};
#[cfg(feature = "compile")]
pub use pack::{PackError, pack, pack_application, wit_files};
pub use signature::{AuthorKey, SIGNATURE_BYTES_MAX, SignatureError, Signed};
