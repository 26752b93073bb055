//! `narthex plugin`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use narthex::wasm::Hook;

use crate::place::PlaceArgs;

const NEW_EXAMPLES: &str = "\
Examples:
  narthex plugin new no_mascot --language rust
  narthex plugin new no_mascot --language javascript --into plugins/no_mascot

Writes a password rule that works, with a README that says how it is built, and the WIT package it is
written against.";

const PACK_EXAMPLES: &str = "\
Examples:
  narthex plugin pack rule.wat --hook password-rule --output rule.wasm
  narthex plugin pack target/wasm32-unknown-unknown/release/rule.wasm --hook password-rule \\
    --output no_mascot.wasm

Makes a component of a core module, binary or text, as compilers for Rust and C make them. JavaScript
and Python come as components from their own tools.";

const ADD_EXAMPLES: &str = "\
Examples:
  narthex plugin inspect no_mascot.wasm
  narthex plugin add no_mascot.wasm --unsigned --set words=tiger,tigers
  narthex plugin add curfew.wasm --unsigned --grant log --digest sha256:9f86d0...
  narthex plugin add curfew.wasm --signed-by RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3

A plugin can refuse more and never allow more. It is compiled once, here; its digest is written down,
and no other component runs under its name. An author signs with minisign -S -m FILE; the signature is
looked for beside the component. It has what it is granted and nothing else: no files, no
network, no clock. A running server takes it at once.";

const DISABLE_EXAMPLES: &str = "\
Examples:
  narthex plugin disable curfew
  narthex plugin enable curfew

Works when a plugin refuses every log-in, and when the server does not start because of one.";

const TEST_EXAMPLES: &str = "\
Examples:
  printf 'seven tigers of lace\\nseven leagues of lace\\n' | narthex plugin test no_mascot.wasm \\
    --set words=tiger
  printf 'S-1024\\n' | narthex plugin test curfew

Reads one candidate (a password rule) or number (an opinion) a line from the standard input, and says
what the plugin says. Exit code 3: it refused one, or gave no answer.";

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Begin a plugin from a template
    #[command(after_help = NEW_EXAMPLES)]
    New {
        /// What it is called: a-z, 0-9 and _
        #[arg(value_name = "NAME")]
        name: String,
        /// What it is written in
        #[arg(long, value_enum, default_value_t = TemplateLanguage::Rust)]
        language: TemplateLanguage,
        /// The folder to make [default: ./NAME]
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
    /// Make a component of a core module
    #[command(after_help = PACK_EXAMPLES)]
    Pack {
        /// The module: .wasm or .wat
        #[arg(value_name = "MODULE")]
        module: PathBuf,
        /// What it is
        #[arg(long, value_enum)]
        hook: HookArg,
        /// The component to write; the file must be new
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Say what a component is and asks for, without giving it anything
    #[command(after_help = "Example:\n  narthex plugin inspect no_mascot.wasm --json")]
    Inspect {
        /// A component, or the name of an installed plugin
        #[arg(value_name = "FILE|NAME")]
        plugin: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Install a plugin
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// What is installed
    #[command(after_help = "Example:\n  narthex plugin list --json")]
    List {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Ask a plugin, before anybody is refused by it
    #[command(after_help = TEST_EXAMPLES)]
    Test {
        /// A component, or the name of an installed plugin
        #[arg(value_name = "FILE|NAME")]
        plugin: String,
        /// A setting, for a component that is not installed
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
        settings: Vec<(String, String)>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Time a plugin: loading, and calls
    #[command(after_help = "Example:\n  narthex plugin bench no_mascot.wasm --calls 10000")]
    Bench {
        /// A component
        #[arg(value_name = "FILE")]
        component: PathBuf,
        /// How many calls
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
        calls: u32,
        /// A setting
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
        settings: Vec<(String, String)>,
    },
    /// Put a plugin out of use; it stays installed
    #[command(after_help = DISABLE_EXAMPLES)]
    Disable {
        /// Which
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Take a plugin into use again
    #[command(after_help = DISABLE_EXAMPLES)]
    Enable {
        /// Which
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Take a plugin away
    #[command(after_help = "Example:\n  narthex plugin remove no_mascot")]
    Remove {
        /// Which
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
}

#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// The component
    #[arg(value_name = "FILE")]
    pub(crate) component: PathBuf,
    /// Its name here [default: the one it tells]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Give it what it asks for
    #[arg(long = "grant", value_name = "CAPABILITY", value_enum)]
    pub(crate) grants: Vec<GrantArg>,
    /// Nobody vouches for it: you have looked at it, or trust where it is from
    #[arg(
        long,
        required_unless_present = "signed_by",
        conflicts_with = "signed_by"
    )]
    pub(crate) unsigned: bool,
    /// Its author's public key, the last line of their minisign.pub: the signature must be theirs
    #[arg(long, value_name = "KEY")]
    pub(crate) signed_by: Option<String>,
    /// Where the signature is [default: the component's name and .minisig]
    #[arg(long, value_name = "FILE", requires = "signed_by")]
    pub(crate) signature: Option<PathBuf>,
    /// The digest it must have, as its author tells it
    #[arg(long, value_name = "sha256:HEX")]
    pub(crate) digest: Option<String>,
    /// A setting of the plugin
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) settings: Vec<(String, String)>,
    /// Let a call use more or less than by default, such as time_ms=20
    #[arg(long = "limit", value_name = "NAME=NUMBER", value_parser = pair)]
    pub(crate) limits: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TemplateLanguage {
    /// A core module by rustc, packed by `narthex plugin pack`
    Rust,
    /// A core module by clang, packed by `narthex plugin pack`
    C,
    /// A component by componentize-js
    Javascript,
    /// A component by componentize-py
    Python,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HookArg {
    /// More stated requirements of a new password
    PasswordRule,
    /// A second opinion on claims
    ClaimOpinion,
    /// A second opinion on log-ins
    LogInOpinion,
    /// Told of audit events
    EventSink,
    /// Lines on the landing page
    LandingStatistic,
}

impl From<HookArg> for Hook {
    fn from(hook: HookArg) -> Self {
        match hook {
            HookArg::PasswordRule => Self::PasswordRule,
            HookArg::ClaimOpinion => Self::ClaimOpinion,
            HookArg::LogInOpinion => Self::LogInOpinion,
            HookArg::EventSink => Self::EventSink,
            HookArg::LandingStatistic => Self::LandingStatistic,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum GrantArg {
    /// Write lines into this server's log
    Log,
}
