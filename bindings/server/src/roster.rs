//! `narthex roster`: who may claim an account.

mod confirm;
mod findings;
mod import;
mod package;
mod status;

use std::io::Cursor;
use std::path::Path;

use narthex::SystemClock;
use narthex::core::host::Clock;
use narthex::oneroster::{self, Date, ReadOptions, Reading};

use crate::cli::RosterCommand;
use crate::control;
use crate::failure::{Failure, Outcome};

pub(crate) use confirm::Confirm;
pub(crate) use findings::tell_findings;
pub(crate) use import::{Import, into_portal};
pub(crate) use status::Status;

/// The sample school, inside the binary.
const SAMPLE: &[u8] =
    include_bytes!("../../../examples/rosters/oneroster-v1p2-98-users/package.zip");

/// Runs a `roster` command.
pub(crate) async fn run(command: RosterCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        RosterCommand::Import(args) => {
            let place = args.place.clone();
            control::run(Import::from(args), &place, json).await
        }
        RosterCommand::Confirm(args) => {
            let place = args.place.clone();
            control::run(Confirm::from(args), &place, json).await
        }
        RosterCommand::Status { place } => control::run(Status {}, &place, json).await,
    }
}

/// The options that read a roster today.
pub(crate) fn read_options() -> Result<ReadOptions, Failure> {
    let today = Date::of_timestamp(SystemClock.read().wall)
        .ok_or_else(|| Failure::failed("the clock is after the year 9999"))?;
    Ok(ReadOptions::new(today))
}

/// Reads the roster at `path`, or the sample school.
pub(crate) fn read(path: Option<&Path>, options: &ReadOptions) -> Result<Reading, Failure> {
    let reading = match path {
        Some(path) => oneroster::read(path, options),
        None => oneroster::read_zip(Cursor::new(SAMPLE), options),
    };
    reading.map_err(Failure::failed)
}
