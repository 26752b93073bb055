//! `narthex store`: back up, restore, move and check the store.

mod backup;
mod check;
mod clock;
mod copy;
mod restore;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use narthex::StoreUrl;
use narthex::keeping::{KeepingError, Target};

use crate::control::{self, Call};
use crate::failure::{Failure, Outcome, failed};
use crate::place::PlaceArgs;

pub(crate) use backup::Backup;
pub(crate) use check::Check;
pub(crate) use copy::Copy;

const CHECK_EXAMPLES: &str = "\
Examples:
  narthex store check
  narthex store check --config /etc/narthex/narthex.toml --json

Reads every record, follows every reference, counts the statistics again; changes nothing. Exit code 3:
something does not fit.";

const BACKUP_EXAMPLES: &str = "\
Examples:
  narthex store backup /srv/backups/portal-monday.backup --config /etc/narthex/narthex.toml

The portal goes on meanwhile. The file holds the state of one moment and restores into any kind of store.
The key file is not in it, and nothing in it can be read without: keep both, apart from each other.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  narthex store restore portal-monday.backup --to redb:///var/lib/narthex/portal.redb
  narthex store restore portal-monday.backup --to sled:///srv/portal --to-keys /srv/keys/portal.keys

Into a new store: move the old one away first, and put the key file back if it is lost. Passwords, claims
and tries are those of the backup. Sessions, claims under way and codes are void: everybody logs in again.";

const COPY_EXAMPLES: &str = "\
Examples:
  narthex store copy --to sled:///var/lib/narthex/portal.sled --config /etc/narthex/narthex.toml

Into a new store of any kind. What is done in the old one afterwards is not in it: stop people first if
you mean to move. Sessions, claims under way and codes are void in the new one: everybody logs in again.";

const CLOCK_EXAMPLES: &str = "\
Examples:
  narthex store accept-clock --config /etc/narthex/narthex.toml

For after the machine's clock was wrong: the portal never goes back in time by itself. The server must be
stopped. If the store's time goes back, sessions, claims under way and codes are void first.";

/// What can be done with a store as a whole.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Whether everything in the store fits together
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Write a consistent backup, while the portal goes on
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup {
        /// A new file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Make a store from a backup
    #[command(after_help = RESTORE_EXAMPLES)]
    Restore {
        /// The backup
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Make another store with what this one holds
    #[command(after_help = COPY_EXAMPLES)]
    Copy {
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Go by the machine's clock again after it was wrong
    #[command(after_help = CLOCK_EXAMPLES)]
    AcceptClock {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
}

/// The store to make.
#[derive(Args, Debug)]
pub(crate) struct TargetArgs {
    /// The new store: redb:///absolute/path, or sled:///absolute/path
    #[arg(id = "to", long = "to", value_name = "URL")]
    url: StoreUrl,
    /// Its key file [default: where a store at that path has it]
    #[arg(id = "to_keys", long = "to-keys", value_name = "FILE")]
    keys: Option<PathBuf>,
}

/// Runs a `store` command.
pub(crate) async fn run(command: StoreCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        StoreCommand::Check { place } => control::run(Check {}, &place, json).await,
        StoreCommand::Backup { file, place } => {
            let file = absolute(&file)?;
            control::run(Backup { file }, &place, json).await
        }
        StoreCommand::Restore { file, target } => restore::run(&file, &target, json).await,
        StoreCommand::Copy { target, place } => {
            let to = target.url.to_string();
            let keys = target.keys.as_deref().map(absolute).transpose()?;
            control::run(Copy { to, keys }, &place, json).await
        }
        StoreCommand::AcceptClock { yes, place } => clock::run(yes, &place, json).await,
    }
}

/// What a path means here, for a server that stands elsewhere.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| failed(&path.display().to_string(), &error))
}

fn target(url: &StoreUrl, keys: Option<&Path>) -> Target {
    Target {
        url: url.clone(),
        keys: keys.map(Path::to_owned),
    }
}

/// Tells the progress of `what`. Where nobody knows how much there is, it is always nearly done.
fn progress<'a>(call: &'a Call, what: &'a str) -> impl FnMut(u64, Option<u64>) + Send + 'a {
    move |done, of| {
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        call.progress(what, count(done), count(of.unwrap_or(done)));
    }
}

impl From<KeepingError> for Failure {
    fn from(error: KeepingError) -> Self {
        Self::failed(error)
    }
}
