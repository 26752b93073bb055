//! The log, on stderr: times, targets and fields; never a name, a birthdate, a password or a token.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::LogFormat;
use crate::failure::Failure;

/// Starts the log with what `NARTHEX_LOG` says (`info`, `warn,narthex=debug`), or `default`.
pub(crate) fn start(default: &str, format: LogFormat) -> Result<(), Failure> {
    let words = std::env::var("NARTHEX_LOG").unwrap_or_else(|_| default.to_owned());
    let targets: Targets = words.parse().map_err(|error| {
        let example = "for example `info` or `warn,narthex=debug`";
        Failure::usage(format!("NARTHEX_LOG={words:?}: {error}; {example}"))
    })?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(targets);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(colour)).try_init(),
        LogFormat::Json => {
            let flat = lines.json().flatten_event(true).with_current_span(false);
            registry.with(flat.with_span_list(false)).try_init()
        }
    }
    .map_err(Failure::failed)
}
