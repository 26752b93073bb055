//! Where there are no unix sockets: commands need the server stopped.

use std::convert::Infallible;
use std::io;
use std::path::Path;

use super::Desk;

/// Never made.
pub(crate) struct Control(Infallible);

/// Refuses.
pub(crate) fn listen(_path: &Path, _desk: Desk) -> io::Result<Control> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Control {
    pub(crate) async fn stop(self) {
        match self.0 {}
    }
}
