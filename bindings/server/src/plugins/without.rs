//! A build that cannot run plugins.

use std::path::PathBuf;

use narthex::Portal;

use crate::failure::Failure;

/// How one comes by a build that can.
const GET_ONE: &str = "cargo install --path bindings/server --features plugins";

/// What `narthex plugin` says here.
pub(crate) fn no_command() -> Failure {
    Failure::usage(format!("this build of narthex has no plugins: {GET_ONE}"))
}

/// Nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plugins(());

impl Plugins {
    /// Refuses a portal that has plugins.
    pub(crate) async fn start(
        &self,
        folder: Option<PathBuf>,
        _portal: &Portal,
    ) -> Result<(), Failure> {
        match folder.filter(|folder| super::any_installed(folder)) {
            None => Ok(()),
            Some(folder) => Err(Failure::usage(format!(
                "plugins are installed in {}, and this build cannot run them: use one with the feature \
                 `plugins` ({GET_ONE}), or put an empty file `disabled` into \
                 the folder of each",
                folder.display()
            ))),
        }
    }

    pub(crate) async fn reload(&self, _portal: &Portal) -> Result<Vec<String>, Failure> {
        Err(no_command())
    }
}
