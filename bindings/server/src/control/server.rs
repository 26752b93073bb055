//! The socket on which a server that holds a store answers commands: for its own user and root.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::progress::Step;
use super::wire::{self, Answer, Question, REQUEST_BYTES_MAX, VERSION};
use super::{Call, Desk, Progress, Request, Work, perform};
use crate::failure::Failure;

/// Commands at once; whoever comes next waits in the operating system's queue.
const CALLS_MAX: usize = 16;
/// From the connection to the end of the question.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(60);
/// How long commands under way may take to finish when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// After an error of `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A control socket in use.
pub(crate) struct Control {
    path: PathBuf,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// Listens at `path` for commands on `desk`. Whoever calls this holds the store, so a socket that
/// is there was left by a server that died.
pub(crate) fn listen(path: &Path, desk: Desk) -> io::Result<Control> {
    let listener = bind(path)?;
    let (stop, stopping) = watch::channel(false);
    let serving = tokio::spawn(serve(listener, Arc::new(desk), stopping));
    let path = path.to_owned();
    Ok(Control {
        path,
        stop,
        serving,
    })
}

/// Under its name only when it has its mode.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let unfinished = path.with_added_extension("new");
    let _ = fs::remove_file(&unfinished);
    let listener = UnixListener::bind(&unfinished)?;
    fs::set_permissions(&unfinished, Permissions::from_mode(0o600))?;
    fs::rename(&unfinished, path)?;
    Ok(listener)
}

impl Control {
    /// Takes no more commands, lets those under way finish, and takes the socket away.
    pub(crate) async fn stop(self) {
        let _ = fs::remove_file(&self.path);
        let _ = self.stop.send(true);
        let _ = self.serving.await;
    }
}

async fn serve(listener: UnixListener, desk: Arc<Desk>, mut stopping: watch::Receiver<bool>) {
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopping.changed() => break,
            Some(_) = calls.join_next() => {}
            accepted = listener.accept(), if calls.len() < CALLS_MAX => match accepted {
                Ok((stream, _)) => {
                    calls.spawn(answer(stream, Arc::clone(&desk)));
                }
                Err(error) => {
                    tracing::error!(%error, "no command could be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let _ = timeout(STOP_GRACE, async {
        while calls.join_next().await.is_some() {}
    })
    .await;
    calls.shutdown().await;
}

async fn answer(stream: UnixStream, desk: Arc<Desk>) {
    let peer = stream.peer_cred().map(|peer| peer.uid());
    let (read, mut write) = stream.into_split();
    let answer = match peer {
        Ok(uid) if uid == 0 || uid == geteuid().as_raw() => {
            let mut client = Client {
                read: BufReader::new(read),
                write: &mut write,
                uid,
            };
            match client.answer(desk).await {
                None => return,
                Some(Ok(value)) => Answer::Done(value),
                Some(Err(failure)) => Answer::Failed(failure),
            }
        }
        _ => Answer::Failed(Failure::failed(
            "the server takes commands from its own user and from root alone",
        )),
    };
    send(&mut write, &answer).await;
}

async fn send(write: &mut OwnedWriteHalf, answer: &Answer) {
    if let Ok(line) = wire::line(answer) {
        // Whoever asked has gone: nobody is left to be told.
        let _ = write.write_all(&line).await;
    }
}

struct Client<'a> {
    read: BufReader<OwnedReadHalf>,
    write: &'a mut OwnedWriteHalf,
    uid: u32,
}

impl Client<'_> {
    /// Does what is asked. None: whoever asked has gone.
    async fn answer(&mut self, desk: Arc<Desk>) -> Option<Result<Value, Failure>> {
        let request = match self.question().await? {
            Ok(request) => request,
            Err(failure) => return Some(Err(failure)),
        };
        let name = request.name();
        let (call, told) = match Call::begin(&desk) {
            Ok(begun) => begun,
            Err(failure) => return Some(Err(failure)),
        };
        let request_id = call.asker.request_id.as_str().to_owned();
        tracing::info!(target: "narthex::control", command = name, uid = self.uid, request_id);
        let work = async move { perform(&desk, request, &call).await };
        let mut work = Work::begin(told, work);
        let mut beyond = [0];
        loop {
            tokio::select! {
                step = work.next() => match step {
                    Step::Progress(progress) => self.show(progress).await,
                    Step::Done(done) => return Some(done),
                },
                // Nothing follows a question: this is the end, and the command ends as it would
                // if it had opened the store itself.
                _ = self.read.read(&mut beyond) => {
                    tracing::info!(target: "narthex::control", command = name, request_id, "left");
                    return None;
                }
            }
        }
    }

    async fn show(&mut self, progress: Progress) {
        send(self.write, &Answer::Progress(progress)).await;
    }

    async fn question(&mut self) -> Option<Result<Request, Failure>> {
        let mut line = Vec::new();
        let mut reader = (&mut self.read).take(REQUEST_BYTES_MAX);
        match timeout(QUESTION_TIMEOUT, reader.read_until(b'\n', &mut line)).await {
            Ok(Ok(0)) | Ok(Err(_)) | Err(_) => None,
            Ok(Ok(_)) if !line.ends_with(b"\n") => {
                let told = "the question is longer than a server takes";
                Some(Err(Failure::failed(told)))
            }
            Ok(Ok(_)) => Some(understood(&line)),
        }
    }
}

fn understood(line: &[u8]) -> Result<Request, Failure> {
    let told = |server: &str| {
        Failure::failed(format!(
            "the server that holds the store is narthex {server}, and this command is of another \
             build: use the `narthex` that it runs, or restart it with this one"
        ))
    };
    // A request of another version need not even be of a known shape.
    let head: Question<serde::de::IgnoredAny> =
        serde_json::from_slice(line).map_err(|_| told(VERSION))?;
    if head.version != VERSION {
        return Err(told(VERSION));
    }
    let question: Question<Request> = serde_json::from_slice(line).map_err(|_| told(VERSION))?;
    Ok(question.request)
}
