//! The narthex server and command line: `narthex demo` shows the portal, `narthex serve` runs it,
//! the other commands are the office's.

/// Writes a line to stdout. Whoever closed it, as `head` does, does not want to know more.
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($part)*);
    }};
}

mod cli;
mod config;
mod demo;
mod failure;
mod log;
mod paint;
mod person;
mod place;
mod roster;
mod serve;
mod service;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::failure::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let json = cli.json;
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(failure::failed("threads could not be started", &error)),
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(failure) => failure.tell(json),
    }
}

async fn run(cli: Cli) -> Result<Outcome, failure::Failure> {
    match cli.command {
        Command::Demo(args) => {
            log::start("warn")?;
            demo::run(args, cli.json).await
        }
        Command::Serve(args) => {
            log::start("info")?;
            serve::run(args, cli.json).await
        }
        Command::Roster { command } => {
            log::start("warn")?;
            roster::run(command, cli.json).await
        }
        Command::Person { command } => {
            log::start("warn")?;
            person::run(command, cli.json).await
        }
    }
}
