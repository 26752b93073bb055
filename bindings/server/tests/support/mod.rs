//! The real binary, and a client that speaks HTTP/1.1 over a plain socket.
#![cfg(unix)]
#![expect(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod browser;
pub(crate) mod people;
pub(crate) mod school;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// The binary, without what the environment of the tests would tell it.
pub(crate) fn narthex(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narthex"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("NARTHEX_") {
            command.env_remove(name);
        }
    }
    command.args(words);
    command
}

/// A command that ended: code, stdout, stderr.
pub(crate) fn ran(words: &[&str]) -> (i32, String, String) {
    told(narthex(words).output().unwrap())
}

/// What a command said.
pub(crate) fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A server that runs. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

impl Running {
    /// Waits for the line of JSON that says it is ready.
    pub(crate) fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::piped())
    }

    /// With its log in a file.
    pub(crate) fn start_logging(command: Command, log: File) -> Self {
        Self::start_with(command, log.into())
    }

    fn start_with(mut command: Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let stderr = child.stderr.take();
        let Ok(ready) = serde_json::from_str(&line) else {
            let mut error = String::new();
            if let Some(mut stderr) = stderr {
                stderr.read_to_string(&mut error).unwrap();
            }
            panic!("it did not start: {line}{error}");
        };
        // A log that nobody reads must not stop it.
        std::thread::spawn(move || {
            stderr.map(|mut stderr| std::io::copy(&mut stderr, &mut std::io::sink()))
        });
        Self { child, ready }
    }

    /// SIGKILL: no goodbye, no flush.
    pub(crate) fn kill_minus_nine(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end_by(mut self, signal: Signal) -> (ExitStatus, Duration) {
        let begun = now();
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A demo that runs.
pub(crate) struct Demo(Running);

impl std::ops::Deref for Demo {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.0
    }
}

impl Demo {
    /// Starts on a free port, on the data in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Path, more: &[&str]) -> Self {
        let data = folder.to_str().unwrap();
        let mut words = vec!["demo", "--json", "--listen", "127.0.0.1:0", "--data", data];
        words.extend(more);
        Self(Running::start(narthex(&words)))
    }

    /// `http://127.0.0.1:port`, which is its origin too.
    pub(crate) fn origin(&self) -> String {
        let url = self.ready["url"].as_str().unwrap();
        url.trim_end_matches('/').to_owned()
    }

    pub(crate) fn kill_minus_nine(self) {
        self.0.kill_minus_nine();
    }

    pub(crate) fn end_by(self, signal: Signal) -> (ExitStatus, Duration) {
        self.0.end_by(signal)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test measures how long something takes"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
