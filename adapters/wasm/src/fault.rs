//! Why a guest did not answer, and why one was not loaded.

use std::fmt;

use wasmtime::Trap;

use crate::hook::{Capability, Hook};
use crate::limits::LimitsError;

/// What went wrong in a call. The words are those of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultKind {
    /// It ran longer than it may.
    Time,
    /// It used up its fuel.
    Fuel,
    /// It asked for more memory or larger tables than it may have.
    Memory,
    /// It recursed too deep.
    Stack,
    /// It called the host too often.
    HostCalls,
    /// It trapped: a panic, an exception, `unreachable`.
    Trap,
    /// It answered what it may not: an empty denial, an unstated code, too much.
    Answer,
    /// It did not take its settings in this instance.
    Settings,
    /// Too many calls wait already.
    Busy,
    /// The host could not make an instance.
    Instance,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Time,
        Self::Fuel,
        Self::Memory,
        Self::Stack,
        Self::HostCalls,
        Self::Trap,
        Self::Answer,
        Self::Settings,
        Self::Busy,
        Self::Instance,
    ];

    /// The stable snake_case word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::HostCalls => "host_calls",
            Self::Trap => "trap",
            Self::Answer => "answer",
            Self::Settings => "settings",
            Self::Busy => "busy",
            Self::Instance => "instance",
        }
    }

    /// What an operator may do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::Time => " (it may have more with `--limit time_ms=NUMBER`)",
            Self::Fuel => " (it may have more with `--limit fuel=NUMBER`)",
            Self::Memory => {
                " (it may have more with `--limit memory_bytes=NUMBER` or `--limit table_elements=NUMBER`)"
            }
            Self::HostCalls => " (it may have more with `--limit host_calls=NUMBER`)",
            Self::Instance => {
                " (the host has no room, or it may have more with `--limit instances=NUMBER`)"
            }
            Self::Answer => {
                " (what it hands out is not as it should be, or more than `--limit output_bytes=NUMBER`)"
            }
            Self::Stack | Self::Trap | Self::Settings | Self::Busy => "",
        }
    }
}

/// A call without an answer. Holds nothing that the guest said: it may know a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.code())]
pub struct Fault(pub FaultKind);

/// Raised by the host inside a guest's call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped(pub(crate) FaultKind);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

impl std::error::Error for Stopped {}

impl From<&wasmtime::Error> for Fault {
    fn from(error: &wasmtime::Error) -> Self {
        if let Some(stopped) = error.downcast_ref::<Stopped>() {
            return Self(stopped.0);
        }
        Self(match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => FaultKind::Time,
            Some(Trap::OutOfFuel) => FaultKind::Fuel,
            Some(Trap::StackOverflow) => FaultKind::Stack,
            Some(_) => FaultKind::Trap,
            // What is not a trap is an answer that could not be read: not UTF-8, out of bounds, over the
            // limit.
            None => FaultKind::Answer,
        })
    }
}

impl Fault {
    /// Why there was no instance. What is no trap is no answer yet: the host has no room, or the guest is
    /// of more instances than it may.
    pub(crate) fn of_no_instance(error: &wasmtime::Error) -> Self {
        match Self::from(error) {
            Self(FaultKind::Answer) => Self(FaultKind::Instance),
            fault => fault,
        }
    }
}

/// Why a guest was not loaded. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not a component.
    #[error("this is not a WASM component ({0}): pack a core module with `narthex plugin pack`")]
    NotAComponent(String),
    /// It exports no hook of this version.
    #[error(
        "it exports no hook of narthex:portal@{version}{found}: build it for one of the worlds \
         password-policy, claim-check, log-in-check, event-sink, landing-page",
        version = crate::WIT_VERSION
    )]
    NoHook {
        /// What it exports instead, to be said.
        found: String,
    },
    /// It exports more than one.
    #[error("it exports {0} and {1}: one plugin is one hook; make two of it")]
    TwoHooks(Hook, Hook),
    /// It asks for what this host does not have, or never gives to its hook.
    #[error("it imports {import}, which a {hook} is never given: build it without")]
    Import {
        /// As the guest writes it.
        import: String,
        /// What it is.
        hook: Hook,
    },
    /// It asks for what the operator did not grant.
    #[error("it asks to {means}: grant it with `--grant {0}`, or build it without", means = .0.means())]
    NotGranted(Capability),
    /// It was granted what it does not ask for.
    #[error("it does not ask for {0}: leave that grant out")]
    NotAskedFor(Capability),
    /// An application asks for what it was not granted.
    #[error(
        "it asks for `secrets`: it would see passwords and answers. Grant that in its options if that is \
         what it is for"
    )]
    Secrets,
    /// An application asks for what this host does not have.
    #[error("it imports {import}, which applications are not given: build it without")]
    ApplicationImport {
        /// As the guest writes it.
        import: String,
    },
    /// A function of the interface is missing or has another type.
    #[error("its {function} is not that of narthex:portal@{version}: {why}", version = crate::WIT_VERSION)]
    Shape {
        /// Which.
        function: &'static str,
        /// What wasmtime says.
        why: String,
    },
    /// A limit is out of its range.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// It faulted while it told of itself.
    #[error("it did not answer when it was asked for {asked}: {fault}{}", fault.0.advice())]
    Silent {
        /// For what.
        asked: &'static str,
        /// Why.
        fault: Fault,
    },
    /// It does not take its settings.
    #[error("it does not take its settings: {0}")]
    Settings(String),
    /// What it tells of itself is not taken.
    #[error("{0}")]
    Told(String),
    /// This build has no compiler, and there is no compiled form.
    #[error(
        "this build has no compiler: install the plugin with a build that has the feature `compile`"
    )]
    NoCompiler,
    /// It was not compiled.
    #[error("it could not be compiled: {0}")]
    Compile(String),
    /// The compiled form is of another wasmtime, another machine, or was changed.
    #[error(
        "its compiled form is not the one that was installed here: install it again with `narthex plugin add`"
    )]
    Compiled,
    /// No thread.
    #[error("its threads could not be started: {0}")]
    Threads(std::io::Error),
}
