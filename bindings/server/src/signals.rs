//! When to stop.

use crate::failure::Failure;

/// Ready when the process is asked to stop: Ctrl-C, or SIGTERM from a service manager. Asked a
/// second time, it ends at once.
pub(crate) struct Stop(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

impl Stop {
    /// Listens from now on: a signal that comes before anybody waits is not lost.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut asked = Asked::listen()?;
        Ok(Self(Box::pin(async move {
            asked.next().await;
            tokio::spawn(async move {
                asked.next().await;
                std::process::exit(130);
            });
        })))
    }

    pub(crate) async fn asked(self) {
        self.0.await;
    }
}

#[cfg(unix)]
struct Asked {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Asked {
    fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind).map_err(|e| crate::failure::failed("signals could not be heard", &e))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Asked;

#[cfg(not(unix))]
impl Asked {
    fn listen() -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
