//! `narthex config`, `init`, `hash`, `completions`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::Shell;

const SHOW_EXAMPLES: &str = "\
Examples:
  narthex config show
  narthex config show --config /etc/narthex/narthex.toml --json

Each setting with the value in force and where it comes from. Passwords in URLs are not shown.";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  narthex config validate --config /etc/narthex/narthex.toml

Exit code 2: it is not good; the message names file, line, column and setting.";

const TEMPLATE_EXAMPLES: &str = "\
Examples:
  narthex config template > narthex.toml

Every setting with its default and what it does.";

const UNIT_EXAMPLES: &str = "\
Examples:
  narthex config unit > /etc/systemd/system/narthex.service

Hardened, for /usr/local/bin/narthex and /etc/narthex/narthex.toml; its steps are at the top.";

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// The settings in force, and where each comes from
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// The configuration [default: ./narthex.toml if it is there]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Whether the configuration is good
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate {
        /// The configuration [default: ./narthex.toml if it is there]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// A commented configuration to begin with
    #[command(after_help = TEMPLATE_EXAMPLES)]
    Template,
    /// A unit for systemd, with the steps to install it
    #[command(after_help = UNIT_EXAMPLES)]
    Unit,
}

const INIT_EXAMPLES: &str = "\
Examples:
  narthex init
  narthex init --base-url https://portal.school.example --claim-policy facts+code
  narthex init --config /etc/narthex/narthex.toml --data /var/lib/narthex \\
    --base-url https://portal.school.example --claim-policy facts+code

Asks for what is not said, at a terminal. Overwrites nothing. Then it says what comes next: the roster,
the first person of staff, systemd.";

#[derive(Args, Debug)]
#[command(after_help = INIT_EXAMPLES)]
pub(crate) struct InitArgs {
    /// Where the configuration goes [default: ./narthex.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where the store and its keys will be [default: ./narthex-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Where people will find the portal
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// What a person must prove to claim an account; there is no default
    #[arg(long, value_enum)]
    pub(crate) claim_policy: Option<ClaimPolicyArg>,
}

/// `claim.policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClaimPolicyArg {
    /// Names, number and birthdate: quick, and soon guessed
    Facts,
    /// Also the code of a letter
    #[value(name = "facts+code")]
    FactsCode,
}

impl ClaimPolicyArg {
    /// As the configuration says it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::FactsCode => "facts+code",
        }
    }
}

const CALIBRATE_EXAMPLES: &str = "\
Examples:
  narthex hash calibrate
  narthex hash calibrate --milliseconds 500

Measures Argon2id on this machine, idle if it can be, and proposes the strongest parameters that
stay within the time, as lines for the configuration. Stored passwords are made anew with them at
the next log-in of each person.";

#[derive(Debug, Subcommand)]
pub(crate) enum HashCommand {
    /// Propose what a password hash may cost on this machine
    #[command(after_help = CALIBRATE_EXAMPLES)]
    Calibrate {
        /// The longest that one hash may take
        #[arg(long, value_name = "MS", default_value_t = 250)]
        milliseconds: u64,
    },
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  narthex completions bash > /etc/bash_completion.d/narthex
  narthex completions zsh > \"${fpath[1]}/_narthex\"
  narthex completions fish > ~/.config/fish/completions/narthex.fish";

#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}
