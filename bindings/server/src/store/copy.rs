//! `narthex store copy`.

use std::path::PathBuf;

use narthex::{StoreUrl, SystemEntropy, keeping};
use serde::{Deserialize, Serialize};

use super::{progress, target};
use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::Failure;

/// Makes another store, by whoever has this one.
#[derive(Deserialize, Serialize)]
pub(crate) struct Copy {
    pub(super) to: String,
    pub(super) keys: Option<PathBuf>,
}

/// What was made.
#[derive(Deserialize, Serialize)]
pub(crate) struct Made {
    pub(super) store: String,
    pub(super) keys: PathBuf,
    pub(super) records: u64,
    pub(super) cells: u64,
    pub(super) events: u64,
}

impl Made {
    pub(super) fn of(store: String, kept: keeping::Kept) -> Self {
        Self {
            store,
            keys: kept.keys,
            records: kept.counts.records,
            cells: kept.counts.cells,
            events: kept.counts.events,
        }
    }
}

impl Operation for Copy {
    type Reply = Made;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Made, Failure> {
        let url = StoreUrl::parse(&self.to).map_err(Failure::usage)?;
        let target = target(&url, self.keys.as_deref());
        let mut told = progress(call, "Copying");
        let copied = keeping::copy(&desk.house, &target, &SystemEntropy, &mut told).await;
        Ok(Made::of(self.to, copied?))
    }
}

impl Reply for Made {
    fn tell(&self) {
        say!(
            "{} holds {} records, {} counts and {} events.",
            self.store,
            self.records,
            self.cells,
            self.events
        );
        say!(
            "Its key file is {}. Sessions, claims under way and codes are void: everybody logs in \
             again.",
            self.keys.display()
        );
    }
}
