//! `narthex store backup`.

use std::path::PathBuf;

use narthex::keeping;
use serde::{Deserialize, Serialize};

use super::progress;
use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::Failure;

/// Writes a backup, by whoever has the store.
#[derive(Deserialize, Serialize)]
pub(crate) struct Backup {
    pub(super) file: PathBuf,
}

/// What is in it.
#[derive(Deserialize, Serialize)]
pub(crate) struct BackedUp {
    file: PathBuf,
    records: u64,
    cells: u64,
    events: u64,
}

impl Operation for Backup {
    type Reply = BackedUp;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<BackedUp, Failure> {
        let mut told = progress(call, "Backing up");
        let file = &self.file;
        let written =
            tokio::task::block_in_place(|| keeping::back_up(&desk.house, file, &mut told));
        let counts = written?;
        Ok(BackedUp {
            file: self.file,
            records: counts.records,
            cells: counts.cells,
            events: counts.events,
        })
    }
}

impl Reply for BackedUp {
    fn tell(&self) {
        say!(
            "{} holds {} records, {} counts and {} events.",
            self.file.display(),
            self.records,
            self.cells,
            self.events
        );
        say!("The key file is not in it: keep a copy of that in another place.");
    }
}
