//! Commands on a portal: the same operation whether this process opens the store, or a running
//! server holds it and is asked through its control socket.
//!
//! **How to add a command.** A struct with its arguments (serde), an [`Operation`] for it that says
//! what it does to a [`Desk`], a [`Reply`] that says how its answer reads, a line in `requests!`
//! below, and its arm in `cli.rs`, which calls [`run`] (or [`Line::reach`] and [`Line::ask`] where
//! one command asks more than once). Where the store is, who holds it, progress, `--json` and exit
//! codes are then as everywhere.

mod client;
mod desk;
mod progress;
#[cfg_attr(not(unix), path = "no_server.rs")]
mod server;
mod wire;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use client::Line;
pub(crate) use desk::{Call, Desk};
pub(crate) use progress::{Bar, Progress, Work};
pub(crate) use server::{Control, listen};

use crate::failure::{Failure, Outcome};
use crate::place::PlaceArgs;
use crate::{audit, doctor, key, person, plugins, roster, session, store};

/// What to do where there is no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Say so.
    Refuse,
    /// Make one.
    Make,
    /// Work on an empty one that is forgotten.
    Imagine,
}

/// One thing that can be asked of a portal from the command line.
pub(crate) trait Operation: Serialize + DeserializeOwned + Into<Request> + Send {
    /// What it answers.
    type Reply: Reply;

    /// What to do where there is no store.
    fn when_absent(&self) -> Absent {
        Absent::Refuse
    }

    /// Called before it is sent to a server: whatever only this process may be able to read is
    /// read now.
    fn packed(self) -> Result<Self, Failure> {
        Ok(self)
    }

    /// Does it.
    fn perform(
        self,
        desk: &Desk,
        call: &Call,
    ) -> impl Future<Output = Result<Self::Reply, Failure>> + Send;
}

/// What an operation answers. Its fields are what `--json` prints.
pub(crate) trait Reply: Serialize + DeserializeOwned + Send {
    /// Whether the answer is a no.
    fn outcome(&self) -> Outcome {
        Outcome::Done
    }

    /// Says it in words.
    fn tell(&self);
}

macro_rules! requests {
    ($($name:ident($operation:ty),)*) => {
        /// Everything that can be asked.
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum Request {
            $($name($operation),)*
        }

        impl Request {
            /// Its name, for the log.
            fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                }
            }
        }

        $(impl From<$operation> for Request {
            fn from(operation: $operation) -> Self {
                Self::$name(operation)
            }
        })*

        /// Does what is asked.
        async fn perform(
            desk: &Desk,
            request: Request,
            call: &Call,
        ) -> Result<serde_json::Value, Failure> {
            match request {
                $(Request::$name(operation) => {
                    let reply = operation.perform(desk, call).await?;
                    serde_json::to_value(reply).map_err(Failure::failed)
                })*
            }
        }
    };
}

requests! {
    AuditTail(audit::Tail),
    AuditVerify(audit::Verify),
    Doctor(doctor::Doctor),
    KeyExport(key::Export),
    KeyList(key::List),
    KeyPrune(key::Prune),
    KeyReseal(key::Reseal),
    KeyRotate(key::Rotate),
    PersonCheck(person::Check),
    PersonClaimCode(person::IssueClaimCodes),
    PersonCreate(person::Create),
    PersonErase(person::Erase),
    PersonExport(person::Export),
    PersonReadmit(person::Readmit),
    PersonRecoveryCode(person::RecoveryCode),
    PersonResetClaim(person::ResetClaim),
    PersonSetStatus(person::SetStatus),
    PersonShow(person::Show),
    PluginsReload(plugins::Reload),
    RosterConfirm(roster::Confirm),
    RosterImport(roster::Import),
    RosterStatus(roster::Status),
    SessionEnd(session::End),
    SessionList(session::List),
    StoreBackup(store::Backup),
    StoreCheck(store::Check),
    StoreCopy(store::Copy),
}

/// Runs a command that asks once.
pub(crate) async fn run<O: Operation>(
    operation: O,
    place: &PlaceArgs,
    json: bool,
) -> Result<Outcome, Failure> {
    let line = Line::reach(place, operation.when_absent()).await?;
    let reply = line.ask(operation).await?;
    print(&reply, json)?;
    Ok(reply.outcome())
}

/// Prints what was answered, for people or for programs.
pub(crate) fn print(reply: &impl Reply, json: bool) -> Result<(), Failure> {
    if json {
        let told = serde_json::to_string(reply).map_err(Failure::failed)?;
        say!("{told}");
    } else {
        reply.tell();
    }
    Ok(())
}
