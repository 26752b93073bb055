//! The narthex server and command line: `narthex demo` shows the portal, `narthex serve` runs it,
//! the other commands are the office's.

/// Writes a line to stdout. Whoever closed it, as `head` does, does not want to know more.
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($part)*);
    }};
}

mod audit;
mod cli;
mod completions;
mod config;
mod config_command;
mod confirm;
mod control;
mod demo;
mod doctor;
mod failure;
mod hash;
mod init;
mod key;
mod log;
mod management;
mod meters;
mod moment;
mod paint;
mod person;
mod place;
mod plugins;
mod roster;
mod serve;
mod service;
mod session;
mod signals;
mod store;

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
    let json = cli.json;
    let level = match cli.command {
        Command::Serve(_) => "info",
        _ => "warn",
    };
    log::start(level, cli.log_format)?;
    match cli.command {
        Command::Demo(args) => demo::run(args, json).await,
        Command::Serve(args) => serve::run(args, json).await,
        Command::Init(args) => init::run(args, json),
        Command::Roster { command } => roster::run(command, json).await,
        Command::Person { command } => person::run(command, json).await,
        #[cfg(feature = "plugins")]
        Command::Plugin { command } => plugins::run(command, json).await,
        #[cfg(not(feature = "plugins"))]
        Command::Plugin { .. } => Err(plugins::no_command()),
        Command::Session { command } => session::run(command, json).await,
        Command::Key { command } => key::run(command, json).await,
        Command::Audit { command } => audit::run(command, json).await,
        Command::Config { command } => config_command::run(command, json),
        Command::Hash { command } => hash::run(&command, json).await,
        Command::Completions(args) => Ok(completions::write(&args)),
        Command::Store { command } => store::run(command, json).await,
        Command::Doctor { place } => control::run(doctor::Doctor {}, &place, json).await,
    }
}
