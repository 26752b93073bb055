//! The command line, as clap reads it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use narthex::oneroster::{DateOrder, Format};

use crate::place::PlaceArgs;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something did not work; stderr says what
  2  the command line or the configuration cannot be understood
  3  refused: the answer is no, or there are findings to look at

The log goes to stderr; NARTHEX_LOG says how much of it: `info`, `warn,narthex=debug`.";

/// A portal for schools: claim an account, log in, stay logged in, come back to where you were.
#[derive(Debug, Parser)]
#[command(name = "narthex", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the portal with a sample school, on this machine alone
    Demo(DemoArgs),
    /// Run the portal for a school
    Serve(ServeArgs),
    /// Bring in the people who may claim an account
    Roster {
        #[command(subcommand)]
        command: RosterCommand,
    },
    /// What the office does for one person
    Person {
        #[command(subcommand)]
        command: PersonCommand,
    },
}

const DEMO_EXAMPLES: &str = "\
Examples:
  narthex demo
  narthex demo --listen 127.0.0.1:9000 --data /tmp/school
  narthex demo --roster my-export.zip

Without --listen it takes 127.0.0.1:8080, or the next free port.";

#[derive(Args, Debug)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct DemoArgs {
    /// Where to listen: a loopback address; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where to keep claimed accounts [default: ./narthex-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// A roster of your own instead of the sample school: a folder or a zip
    #[arg(long, value_name = "PATH")]
    pub(crate) roster: Option<PathBuf>,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  narthex serve --config /etc/narthex/narthex.toml
  NARTHEX_BASE_URL=https://portal.school.example \\
    narthex serve --store redb:///var/lib/narthex/portal.redb
  narthex serve --config narthex.toml --check

Every setting can be given in the file, as NARTHEX_<SETTING>, for example
NARTHEX_SESSION_INACTIVITY_TIMEOUT=1h, or as NARTHEX_<SETTING>_FILE with the path of a file that
holds it. Defaults < file < environment < flags.";

#[derive(Args, Debug)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct ServeArgs {
    /// The configuration [default: ./narthex.toml if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// Where people find the portal: `https://host[:port][/path]`
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Where records are kept: redb:///absolute/path, or memory:
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Where the store's keys are kept
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<String>,
    /// Read the configuration, say whether it is good, and stop
    #[arg(long)]
    pub(crate) check: bool,
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  narthex roster import export.zip --dry-run
  narthex roster import export.zip --config /etc/narthex/narthex.toml
  narthex roster import sds-folder --format sds --date-order mdy --number-column 'Student Number'

Nobody is ever deleted: who is no longer listed becomes inactive. Importing the same again changes
nothing. Exit code 3: people were left out or held; the findings say why.";

#[derive(Debug, Subcommand)]
pub(crate) enum RosterCommand {
    /// Read a OneRoster or School Data Sync export and bring it into the store
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Count the people in the store
    #[command(after_help = "Examples:\n  narthex roster status\n  narthex roster status --json")]
    Status {
        #[command(flatten)]
        place: PlaceArgs,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// A folder or a zip
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Judge everything, change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What the files are
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    pub(crate) format: FormatArg,
    /// Which part of a date comes first, where the files do not tell
    #[arg(long, value_enum)]
    pub(crate) date_order: Option<DateOrderArg>,
    /// The column with the number that people log in with
    #[arg(long, value_name = "COLUMN")]
    pub(crate) number_column: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatArg {
    /// Seen from the files
    Auto,
    /// OneRoster 1.2
    Oneroster,
    /// School Data Sync v1
    Sds,
    /// One plain CSV file: not read yet
    #[value(hide = true)]
    Csv,
}

impl FormatArg {
    pub(crate) fn format(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::Oneroster => Some(Format::OneRoster),
            Self::Sds => Some(Format::Sds),
            Self::Csv => Some(Format::Csv),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DateOrderArg {
    /// 2012-12-31
    Ymd,
    /// 12/31/2012
    Mdy,
    /// 31/12/2012
    Dmy,
}

impl From<DateOrderArg> for DateOrder {
    fn from(order: DateOrderArg) -> Self {
        match order {
            DateOrderArg::Ymd => Self::Ymd,
            DateOrderArg::Mdy => Self::Mdy,
            DateOrderArg::Dmy => Self::Dmy,
        }
    }
}

const CHECK_EXAMPLES: &str = "\
Examples:
  narthex person check S-1024 --given-name Ada --family-name Byron --birthdate 2012-12-10

Says which of the facts agree with the roster, never what the roster says. Exit code 3: one does
not.";

const RESET_EXAMPLES: &str = "\
Examples:
  narthex person reset-claim S-1024
  narthex person reset-claim S-1024 --yes --config /etc/narthex/narthex.toml

Every session of the person ends, the password is dead, and the account can be claimed again.";

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// What is known of a person: never a secret, never the birthdate
    #[command(
        after_help = "Examples:\n  narthex person show S-1024\n  narthex person show S-1024 --json"
    )]
    Show {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Which of the facts that a person typed agree with the roster
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        /// First Name, as the person typed it
        #[arg(long, value_name = "NAME")]
        given_name: String,
        /// Last Name, as the person typed it
        #[arg(long, value_name = "NAME")]
        family_name: String,
        /// Birthdate, as the person typed it: YYYY-MM-DD
        #[arg(long, value_name = "DATE")]
        birthdate: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Take a claim back, so that the account can be claimed again
    #[command(after_help = RESET_EXAMPLES)]
    ResetClaim {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
}
