//! The way to a portal: through the server that holds its store, or by opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use narthex::{OpenError, StoreUrl};

use super::{Absent, Call, Desk, Operation, Request, Work, perform};
use crate::failure::Failure;
use crate::place::{PlaceArgs, control_socket, is_missing};

/// How long a store is waited for that another process holds without answering: it starts, stops,
/// or is another command.
const WAIT_FOR_STORE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// An open way to a portal.
pub(crate) enum Line {
    /// This process has the store.
    Here(Arc<Desk>),
    /// A server has it, and listens here.
    There(PathBuf),
}

impl Line {
    /// Finds the portal that the arguments name.
    ///
    /// A server answers as long as it holds the store; a socket that nobody listens on was left by
    /// one that died. So: ask, else open, and where the store is held all the same, look again.
    pub(crate) async fn reach(place: &PlaceArgs, absent: Absent) -> Result<Self, Failure> {
        let mut options = place.options()?;
        if is_missing(&options.url) {
            match absent {
                Absent::Make => {}
                Absent::Imagine => (options.url, options.keys) = (StoreUrl::Memory, None),
                Absent::Refuse => {
                    let told = "say which one with --config, --data or --store";
                    let url = &options.url;
                    return Err(Failure::usage(format!("there is no store {url}: {told}")));
                }
            }
        }
        let socket = control_socket(&options.url);
        let end = tokio::time::Instant::now() + WAIT_FOR_STORE;
        loop {
            if let Some(socket) = &socket
                && remote::listens(socket).await?
            {
                return Ok(Self::There(socket.clone()));
            }
            match Desk::open(options.clone()).await {
                Err(OpenError::Locked { store }) if tokio::time::Instant::now() >= end => {
                    return Err(held(&store));
                }
                Err(OpenError::Locked { .. }) => tokio::time::sleep(LOOK_AGAIN).await,
                Err(error) => return Err(error.into()),
                Ok(desk) => return Ok(Self::Here(Arc::new(desk))),
            }
        }
    }

    /// The server that holds the store, if one runs: what is done to files beside a store counts for
    /// it at once.
    #[cfg(feature = "plugins")]
    pub(crate) async fn running(place: &PlaceArgs) -> Result<Option<Self>, Failure> {
        let socket = control_socket(&place.options()?.url);
        match socket {
            Some(socket) if remote::listens(&socket).await? => Ok(Some(Self::There(socket))),
            _ => Ok(None),
        }
    }

    /// Asks, shows progress, and waits for the answer.
    pub(crate) async fn ask<O: Operation>(&self, operation: O) -> Result<O::Reply, Failure> {
        let answer = match self {
            Self::Here(desk) => {
                let (call, told) = Call::begin(desk)?;
                let (desk, request) = (Arc::clone(desk), operation.into());
                let work = async move { perform(&desk, request, &call).await };
                Work::begin(told, work).shown().await?
            }
            Self::There(socket) => remote::ask(socket, operation.packed()?.into()).await?,
        };
        serde_json::from_value(answer).map_err(|_| other_build())
    }
}

fn held(store: &Path) -> Failure {
    Failure::failed(format!(
        "the store {} is held by another process that answers no commands: another command at \
         work, or a server that could not make its control socket. Wait for it or stop it, then \
         try again",
        store.display()
    ))
}

fn other_build() -> Failure {
    Failure::failed(
        "the server's answer is not understood: it is of another build than this command. Use the \
         `narthex` that it runs, or restart it with this one",
    )
}

#[cfg(unix)]
mod remote {
    use std::io::ErrorKind;
    use std::path::Path;

    use serde_json::Value;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::UnixStream;

    use super::super::progress::Bar;
    use super::super::wire::{self, Answer, Question, REQUEST_BYTES_MAX};
    use super::{Request, other_build};
    use crate::failure::{Failure, failed};

    /// Whether a server answers at `socket`.
    pub(super) async fn listens(socket: &Path) -> Result<bool, Failure> {
        match UnixStream::connect(socket).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(forbidden(socket)),
            // Not there, left by a server that died, or no place for a socket: the store tells.
            Err(_) => Ok(false),
        }
    }

    fn forbidden(socket: &Path) -> Failure {
        Failure::failed(format!(
            "a server runs, and its control socket {} is for its own user alone: run the command \
             as that user (`sudo -u USER narthex ...`) or as root",
            socket.display()
        ))
    }

    /// Sends `request` and waits for its answer.
    pub(super) async fn ask(socket: &Path, request: Request) -> Result<Value, Failure> {
        let question = wire::line(&Question {
            version: wire::VERSION.to_owned(),
            request,
        })?;
        if question.len() as u64 > REQUEST_BYTES_MAX {
            return Err(Failure::failed(format!(
                "this is {} MiB, and a running server takes {} MiB at once: zip it, or stop the \
                 server, run the command, and start it again",
                question.len() >> 20,
                REQUEST_BYTES_MAX >> 20
            )));
        }
        let stream = UnixStream::connect(socket).await;
        let mut stream = stream.map_err(|e| failed("the server does not listen any more", &e))?;
        // A server that refuses the question may not read all of it: its answer says why.
        let sent = stream.write_all(&question).await;
        drop(question);
        let bar = Bar::new();
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line).map_err(|_| other_build())? {
                Answer::Progress(progress) => bar.show(progress),
                Answer::Done(value) => return Ok(value),
                Answer::Failed(failure) => return Err(failure),
            }
        }
        Err(match sent {
            Ok(()) => Failure::failed(
                "the server went away before it answered: whether anything was changed is not \
                 known. Look, and run the command again: what was done already is not done twice",
            ),
            Err(error) => failed("the server did not take the question", &error),
        })
    }
}

#[cfg(not(unix))]
mod remote {
    use std::path::Path;

    use serde_json::Value;

    use super::Request;
    use crate::failure::Failure;

    pub(super) async fn listens(_socket: &Path) -> Result<bool, Failure> {
        Ok(false)
    }

    pub(super) async fn ask(_socket: &Path, _request: Request) -> Result<Value, Failure> {
        Err(Failure::failed(
            "there are no control sockets on this system",
        ))
    }
}
