//! The log, on stderr: times, targets and fields; never a name, a birthdate, a password or a token.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;

/// Starts the log with what `NARTHEX_LOG` says (`info`, `warn,narthex=debug`), or `default`.
pub(crate) fn start(default: &str) -> Result<(), Failure> {
    let words = std::env::var("NARTHEX_LOG").unwrap_or_else(|_| default.to_owned());
    let targets: Targets = words.parse().map_err(|error| {
        let example = "for example `info` or `warn,narthex=debug`";
        Failure::usage(format!("NARTHEX_LOG={words:?}: {error}; {example}"))
    })?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colour);
    tracing_subscriber::registry()
        .with(lines)
        .with(targets)
        .try_init()
        .map_err(Failure::failed)
}
