//! How far an operation is, where a person looks.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::failure::{Failure, failed};

/// How far an operation is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Progress {
    /// What is being done.
    pub(crate) what: String,
    /// Steps done.
    pub(crate) done: usize,
    /// Steps in all.
    pub(crate) of: usize,
}

/// A bar on stderr, if that is a terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{msg} {bar:40} {human_pos}/{human_len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    pub(crate) fn show(&self, progress: Progress) {
        self.0.set_message(progress.what);
        self.0.set_length(progress.of as u64);
        self.0.set_position(progress.done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// An operation under way, in a task of its own: it ends when this is dropped.
pub(crate) struct Work<T> {
    task: JoinSet<Result<T, Failure>>,
    told: mpsc::Receiver<Progress>,
}

/// What happens next.
pub(super) enum Step<T> {
    Progress(Progress),
    Done(Result<T, Failure>),
}

impl<T: Send + 'static> Work<T> {
    /// Begins; `told` hears of it as long as `work` goes on.
    pub(crate) fn begin(
        told: mpsc::Receiver<Progress>,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Self {
        let mut task = JoinSet::new();
        task.spawn(work);
        Self { task, told }
    }

    pub(super) async fn next(&mut self) -> Step<T> {
        if let Some(progress) = self.told.recv().await {
            return Step::Progress(progress);
        }
        Step::Done(match self.task.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) => Err(failed("the command broke off", &error)),
            None => Err(Failure::failed("the command has ended already")),
        })
    }

    /// Shows its progress until it is done.
    pub(crate) async fn shown(mut self) -> Result<T, Failure> {
        let bar = Bar::new();
        loop {
            match self.next().await {
                Step::Progress(progress) => bar.show(progress),
                Step::Done(done) => return done,
            }
        }
    }
}
