//! `narthex store check`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::progress;
use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::paint::Paint;

/// Findings that are written out for people; `--json` has more.
const FINDINGS_SHOWN: usize = 20;

/// Looks at everything in the store.
#[derive(Deserialize, Serialize)]
pub(crate) struct Check {}

/// What was found.
#[derive(Deserialize, Serialize)]
pub(crate) struct Checked {
    records: u64,
    cells: u64,
    events: u64,
    kinds: BTreeMap<String, u64>,
    not_looked_at: BTreeMap<String, u64>,
    findings: Vec<Finding>,
    findings_in_all: u64,
}

#[derive(Deserialize, Serialize)]
struct Finding {
    path: String,
    told: String,
}

impl Operation for Check {
    type Reply = Checked;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Checked, Failure> {
        let mut told = progress(call, "Checking");
        let report = tokio::task::block_in_place(|| {
            let mut snapshot = desk.house.snapshots.snapshot()?;
            let items = snapshot.items();
            desk.portal
                .check_records(&mut *snapshot, &mut |done| told(done, items))
        });
        let report = report.map_err(Failure::failed)?;
        let findings = report.findings.into_iter().map(|finding| Finding {
            path: finding.path,
            told: finding.told,
        });
        Ok(Checked {
            records: report.counts.records,
            cells: report.counts.cells,
            events: report.counts.events,
            kinds: report.kinds,
            not_looked_at: report.unknown,
            findings: findings.collect(),
            findings_in_all: report.findings_in_all,
        })
    }
}

impl Reply for Checked {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.findings_in_all == 0)
    }

    fn tell(&self) {
        let paint = Paint::for_stdout();
        say!(
            "Looked at {} records, {} counts and {} events.",
            self.records,
            self.cells,
            self.events
        );
        for (kind, count) in &self.not_looked_at {
            say!("  {count} records of the kind `{kind}` are not known to this check.");
        }
        for finding in self.findings.iter().take(FINDINGS_SHOWN) {
            say!("{} {}: {}", paint.bad("wrong"), finding.path, finding.told);
        }
        let shown = self.findings.len().min(FINDINGS_SHOWN) as u64;
        if self.findings_in_all > shown {
            say!(
                "  ... and {} more; --json has up to 1000",
                self.findings_in_all - shown
            );
        }
        if self.findings_in_all == 0 {
            say!("{}", paint.good("Everything fits together."));
        } else {
            say!(
                "{} things do not fit. Keep a backup of now, and restore the latest one that is \
                 good; people can go on meanwhile.",
                self.findings_in_all
            );
        }
    }
}
