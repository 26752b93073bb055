//! `narthex person`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use narthex::Role;

use crate::place::PlaceArgs;

const CHECK_EXAMPLES: &str = "\
Examples:
  narthex person check S-1024 --given-name Ada --family-name Byron --birthdate 2012-12-10

Says which of the facts agree with the roster, never what the roster says. Exit code 3: one does
not.";

const RESET_EXAMPLES: &str = "\
Examples:
  narthex person reset-claim S-1024
  narthex person reset-claim S-1024 --yes --config /etc/narthex/narthex.toml

Every session of the person ends, the password is dead, and the account can be claimed again: with
the code that is printed, or by the facts alone once an import has brought the birthdate again.";

const CLAIM_CODE_EXAMPLES: &str = "\
Examples:
  narthex person claim-code S-1024
  narthex person claim-code --org north-high --unclaimed --print letters.html \\
    --config /etc/narthex/narthex.toml

A code works once and for 21 days (claim.code_lifetime); a new one is the end of the one before. It
opens the claim whatever happened to the budgets. Open the file in a browser and print it: one letter
per person, two to a page, cut along the dashed lines. Exit code 3: no code was issued.";

const RECOVERY_CODE_EXAMPLES: &str = "\
Examples:
  narthex person recovery-code S-1024
  narthex person recovery-code S-1024 --json

The person types it on the page \"Forgot my password\", answers their security questions and makes
a new password; then they are logged out everywhere. Until then nothing changes. Who forgot the
answers too: narthex person reset-claim. Exit code 3: there is no account in use to recover.";

const CREATE_EXAMPLES: &str = "\
Examples:
  narthex person create A-1 --given-name Ada --family-name Byron --org north-high \\
    --role administrator
  narthex person create A-1 --given-name Ada --family-name Byron --org north-high \\
    --org-name 'North High' --role administrator     (before there is a roster)

For who is in no roster: the first person of staff, a substitute. The code that is printed opens the
claim; with a birthdate the facts do too, where claim.policy is \"facts\". Imports leave the person
alone. Exit code 3: the number is taken.";

const DISABLE_EXAMPLES: &str = "\
Examples:
  narthex person disable S-1024
  narthex person disable S-1024 --config /etc/narthex/narthex.toml --json

Logged out everywhere at once; neither claims, nor logs in, nor recovers, whatever imports say, and is
told what a wrong password is told. `person enable` takes it back. Exit code 3: nothing was changed.";

const ENABLE_EXAMPLES: &str = "\
Examples:
  narthex person enable S-1024

The password is as before; sessions and claim codes are not. Exit code 3: nothing was changed.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  narthex person export S-1024 > S-1024.json
  narthex person export S-1024 --json | jq .stored.accounts

Everything that is stored about the person, as JSON: roster rows, account, details they gave, sessions,
audit. No password, answer, code or birthdate: nobody can read those. Exit code 3: the roster has no
such number.";

const ERASE_EXAMPLES: &str = "\
Examples:
  narthex person export S-1024 > S-1024.json
  narthex person erase S-1024
  narthex person erase S-1024 --yes --config /etc/narthex/narthex.toml

Removes what `person export` shows, and the secrets. It cannot be taken back. A digest of the number
stays, so that imports leave the person out; `person readmit` lets the number name somebody again.
Backups made before still have the person: after a restore, erase again. Exit code 3: nobody was erased.";

const READMIT_EXAMPLES: &str = "\
Examples:
  narthex person readmit S-1024

The next import brings whom it lists under the number, and `person create` takes it. Exit code 3: nobody
who had it was erased.";

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
        /// Birthdate, as the person typed it: YYYY-MM-DD; without it the names alone are looked at
        #[arg(long, value_name = "DATE")]
        birthdate: Option<String>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Issue claim codes, and print the letters that bring them
    #[command(after_help = CLAIM_CODE_EXAMPLES)]
    ClaimCode(ClaimCodeArgs),
    /// Make a recovery code for a person who forgot the password, and print it once
    #[command(after_help = RECOVERY_CODE_EXAMPLES)]
    RecoveryCode {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
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
    /// Prepare a person whom no roster lists
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// Log a person out everywhere, and let them in no more
    #[command(after_help = DISABLE_EXAMPLES)]
    Disable {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Let a person in again who was disabled
    #[command(after_help = ENABLE_EXAMPLES)]
    Enable {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Everything that is stored about a person, as JSON
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Remove everything that is stored about a person
    #[command(after_help = ERASE_EXAMPLES)]
    Erase {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Let a number name somebody again whose person was erased
    #[command(after_help = READMIT_EXAMPLES)]
    Readmit {
        /// The student number
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ClaimCodeArgs {
    /// The student number
    #[arg(
        value_name = "NUMBER",
        conflicts_with = "org",
        required_unless_present = "org"
    )]
    pub(crate) number: Option<String>,
    /// Everybody of an organization, by its id
    #[arg(long, value_name = "ORGANIZATION", requires = "unclaimed")]
    pub(crate) org: Option<String>,
    /// Of these, who has not claimed yet
    #[arg(long, requires = "org")]
    pub(crate) unclaimed: bool,
    /// Write letters ready to print; the file must be new
    #[arg(long, value_name = "FILE.html")]
    pub(crate) print: Option<PathBuf>,
    /// Where people find the portal [default: the configuration's base_url]
    #[arg(long, value_name = "URL", requires = "print")]
    pub(crate) base_url: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// The number to log in with
    #[arg(value_name = "NUMBER")]
    pub(crate) number: String,
    /// First Name
    #[arg(long, value_name = "NAME")]
    pub(crate) given_name: String,
    /// Last Name
    #[arg(long, value_name = "NAME")]
    pub(crate) family_name: String,
    /// Birthdate: YYYY-MM-DD [default: none; the code is then needed to claim]
    #[arg(long, value_name = "DATE")]
    pub(crate) birthdate: Option<String>,
    /// The organization the person belongs to, by its id
    #[arg(long, value_name = "ORGANIZATION")]
    pub(crate) org: String,
    /// What the organization is called: makes it, where it is not there yet
    #[arg(long, value_name = "NAME")]
    pub(crate) org_name: Option<String>,
    /// What the person is there: student, teacher, administrator, guardian, other
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub(crate) role: Role,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_code(text)
        .ok_or_else(|| "a role is student, teacher, administrator, guardian or other".to_owned())
}
