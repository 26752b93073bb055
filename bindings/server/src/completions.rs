//! `narthex completions`: what a shell needs to know of our commands.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::config::CompletionsArgs;
use crate::failure::Outcome;

/// Writes them to stdout.
pub(crate) fn write(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "narthex", &mut script);
    say!("{}", String::from_utf8_lossy(&script).trim_end());
    Outcome::Done
}
