//! `narthex session`.

use clap::Subcommand;

use crate::place::PlaceArgs;

const LIST_EXAMPLES: &str = "\
Examples:
  narthex session list S-1024
  narthex session list S-1024 --json

Shows each browser: its handle, when the person logged in there and was last active. Exit code 3:
the roster has no such number.";

const END_EXAMPLES: &str = "\
Examples:
  narthex session end S-1024 --all
  narthex session end S-1024 --family pFa9cbY0vJ1kS2m3nQ4rTw

Exit code 3: there was nothing to end.";

#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// Where a person is logged in
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Log a person out, in one browser or in all
    #[command(after_help = END_EXAMPLES)]
    End {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        /// One of them: its handle, as `session list` shows it
        #[arg(
            long,
            value_name = "HANDLE",
            required_unless_present = "all",
            allow_hyphen_values = true
        )]
        family: Option<String>,
        /// All of them
        #[arg(long, conflicts_with = "family")]
        all: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
}
