//! `narthex audit`.

use clap::Subcommand;

use crate::place::PlaceArgs;

const TAIL_EXAMPLES: &str = "\
Examples:
  narthex audit tail
  narthex audit tail --number S-1024 --lines 100
  narthex audit tail --follow --json

An event says when, what, whose account, from which network and under which request; never a name,
a number or a secret. With --json each event is a line of its own.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  narthex audit verify

Reads all events: are they understood, in the order of their times, none from the future, and is
there one for every claim and log-in that the store has? Exit code 3: something is wrong. Events
are not chained: it finds damage, not every forgery by somebody who can write the store.";

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// The latest events
    #[command(after_help = TAIL_EXAMPLES)]
    Tail {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        lines: usize,
        /// Of the person with this student number alone
        #[arg(long, value_name = "NUMBER")]
        number: Option<String>,
        /// Go on with what happens from now on, until Ctrl-C
        #[arg(long)]
        follow: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Judge whether the audit is whole
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify {
        #[command(flatten)]
        place: PlaceArgs,
    },
}
