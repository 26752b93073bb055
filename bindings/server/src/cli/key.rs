//! `narthex key`.

use clap::Subcommand;

use crate::place::PlaceArgs;

const LIST_EXAMPLES: &str = "\
Examples:
  narthex key list
  narthex key list --config /etc/narthex/narthex.toml --json

Each key by purpose and id, with its age and what in the store needs it; never the key itself.";

const ROTATE_EXAMPLES: &str = "\
Examples:
  narthex key rotate
  narthex key rotate pepper details
  narthex key rotate tags

Without a purpose: token_digest, evidence, pepper, details. A running server uses the new keys at once;
nobody is logged out, and what older keys sealed still opens. After `evidence` the next import says of
everybody that they changed: their facts are digested anew. After `tags` open forms are stale. Then back up
the key file, and see `key reseal` and `key prune`.";

const RESEAL_EXAMPLES: &str = "\
Examples:
  narthex key rotate && narthex key reseal && narthex key prune

Passwords, answers, names and details that an older key sealed are sealed with the current one, while the
portal goes on. No password is needed for it: what is sealed is the finished hash.";

const PRUNE_EXAMPLES: &str = "\
Examples:
  narthex key prune

Takes away older keys that nothing needs; a key in use stays, and it is said what for. Backups made before
need the key file of their time. Exit code 3: older keys had to stay.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  narthex key export
  narthex key export --yes | age -p > portal-keys.age

Prints the key file, for a copy that is kept offline and apart from the store's backups. Without it a
backup of the store cannot be read by anybody. Asks first; --yes does not.";

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Which keys there are, how old, and what needs them
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Make new keys; older ones go on for what they were used for
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate {
        /// token_digest, evidence, pepper, details, tags [default: all but tags]
        #[arg(value_name = "PURPOSE")]
        purposes: Vec<String>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Seal anew, under the current keys, what older ones sealed
    #[command(after_help = RESEAL_EXAMPLES)]
    Reseal {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Take older keys away that nothing needs
    #[command(after_help = PRUNE_EXAMPLES)]
    Prune {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Print the keys, for a copy that is kept offline
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
}
