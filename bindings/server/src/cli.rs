//! The command line, as clap reads it.

pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod key;
pub(crate) mod person;
#[cfg(feature = "plugins")]
pub(crate) mod plugin;
pub(crate) mod session;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use narthex::oneroster::{DateOrder, Format, NUMBER_WIDTH_MAX};
use serde::{Deserialize, Serialize};

use self::audit::AuditCommand;
use self::config::{CompletionsArgs, ConfigCommand, HashCommand, InitArgs};
use self::key::KeyCommand;
use self::person::PersonCommand;
use self::session::SessionCommand;
use crate::place::PlaceArgs;
use crate::store::StoreCommand;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something did not work; stderr says what
  2  the command line or the configuration cannot be understood
  3  refused: the answer is no, or there are findings to look at

The log goes to stderr; NARTHEX_LOG says how much of it: `info`, `warn,narthex=debug`, and
--log-format how it is written.";

/// A portal for schools: claim an account, log in, stay logged in, come back to where you were.
#[derive(Debug, Parser)]
#[command(name = "narthex", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How the log on stderr is written
    #[arg(
        long,
        global = true,
        value_enum,
        env = "NARTHEX_LOG_FORMAT",
        default_value_t
    )]
    pub(crate) log_format: LogFormat,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people
    #[default]
    Text,
    /// An object of JSON in each line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the portal with a sample school, on this machine alone
    Demo(DemoArgs),
    /// Run the portal for a school
    Serve(ServeArgs),
    /// Write a configuration and make a place for the data
    Init(InitArgs),
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
    /// Rules, opinions and listeners of one's own, sandboxed
    #[cfg(feature = "plugins")]
    Plugin {
        #[command(subcommand)]
        command: plugin::PluginCommand,
    },
    /// Rules, opinions and listeners of one's own, in builds that can run them
    #[cfg(not(feature = "plugins"))]
    #[command(hide = true, disable_help_flag = true)]
    Plugin {
        /// Not looked at
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        words: Vec<std::ffi::OsString>,
    },
    /// Where people are logged in
    Session {
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// What seals and digests what is in the store
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// What happened
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// The configuration of `serve`
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// What a password hash costs
    Hash {
        #[command(subcommand)]
        command: HashCommand,
    },
    /// Completions for a shell
    Completions(CompletionsArgs),
    /// Back up, restore, move and check the store
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Say how the portal stands: store, disk, keys, clock, hashing, rules
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor {
        #[command(flatten)]
        place: PlaceArgs,
    },
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  narthex doctor
  narthex doctor --config /etc/narthex/narthex.toml --json

Changes nothing. Exit code 3: something should be looked at.";

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
    /// Where records are kept: redb:///absolute/path, sled:///absolute/path, or memory:
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
  narthex roster import people.csv --organization 'North School' --date-order dmy
  narthex roster import sds-folder --format sds --date-order mdy --number-column 'SIS ID'

Nobody is ever deleted: who is no longer listed becomes inactive. Importing the same again changes
nothing. Exit code 3: people were left out or held; the findings say why.";

const CONFIRM_EXAMPLES: &str = "\
Examples:
  narthex roster status
  narthex roster confirm --organization 10001
  narthex roster confirm --discard

An import that would make more than 20 % of an organization's people inactive leaves them as they
are. Who has been listed again since then stays. Exit code 3: nothing was held.";

#[derive(Debug, Subcommand)]
pub(crate) enum RosterCommand {
    /// Read a OneRoster or School Data Sync export, or a CSV file, and bring it into the store
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Say that people an import held have really left, or that the file was wrong
    #[command(after_help = CONFIRM_EXAMPLES)]
    Confirm(ConfirmArgs),
    /// Count the people in the store, and say what waits for a human
    #[command(after_help = "Examples:\n  narthex roster status\n  narthex roster status --json")]
    Status {
        #[command(flatten)]
        place: PlaceArgs,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// A folder, a zip, or one CSV file
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
    /// Put zeros in front of numbers that have fewer digits: a spreadsheet ate them
    #[arg(long, value_name = "DIGITS", value_parser = number_width)]
    pub(crate) number_width: Option<usize>,
    /// Everybody of a plain CSV file belongs to this school or organization
    #[arg(long, value_name = "NAME")]
    pub(crate) organization: Option<String>,
    /// The files list only what changed: nobody else becomes inactive
    #[arg(long)]
    pub(crate) delta: bool,
    /// The name of the source that the people belong to [default: what the files call themselves]
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// Go on though the file lists nobody whom its source listed before
    #[arg(long)]
    pub(crate) accept_new_ids: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

fn number_width(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(width) if (1..=NUMBER_WIDTH_MAX).contains(&width) => Ok(width),
        _ => Err(format!("a width is from 1 to {NUMBER_WIDTH_MAX} digits")),
    }
}

#[derive(Args, Debug)]
pub(crate) struct ConfirmArgs {
    /// Of this organization only
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<String>,
    /// Of this source only
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// The file was wrong: the people stay as they are
    #[arg(long)]
    pub(crate) discard: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FormatArg {
    /// Seen from the files
    Auto,
    /// OneRoster 1.0, 1.1 or 1.2, bulk or delta
    Oneroster,
    /// School Data Sync v1
    Sds,
    /// One plain CSV file, a row for each person
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

#[derive(Clone, Copy, Debug, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::Cli;

    fn leaves(of: &clap::Command, before: &str, into: &mut BTreeSet<String>) {
        for command in of.get_subcommands().filter(|one| !one.is_hide_set()) {
            let words = format!("{before} {}", command.get_name());
            match command.has_subcommands() {
                true => leaves(command, &words, into),
                false => drop(into.insert(words.trim().to_owned())),
            }
        }
    }

    /// The cells of the table of commands: `roster import\|status` is two of them.
    fn documented() -> BTreeSet<String> {
        let page = include_str!("../../../docs/operating.md");
        let (_, table) = page.split_once("| command | for |").unwrap();
        let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
        let cells = rows.filter_map(|row| row.strip_prefix("| ")?.split_once(" | "));
        let quoted = cells.flat_map(|(cell, _)| cell.split('`').skip(1).step_by(2));
        let all = quoted.flat_map(|words| match words.split_once(' ') {
            Some((group, each)) => each
                .split("\\|")
                .map(|one| format!("{group} {one}"))
                .collect::<Vec<_>>(),
            None => vec![words.to_owned()],
        });
        all.filter(|words| cfg!(feature = "plugins") || !words.starts_with("plugin"))
            .collect()
    }

    #[test]
    fn the_page_for_operators_has_every_command_and_no_other() {
        let mut real = BTreeSet::new();
        leaves(&Cli::command(), "", &mut real);
        let documented: BTreeSet<String> = documented()
            .into_iter()
            .map(|words| match words.as_str() {
                "completions bash" | "completions zsh" | "completions fish" => "completions".into(),
                _ => words,
            })
            .collect();
        assert_eq!(real, documented);
    }
}
