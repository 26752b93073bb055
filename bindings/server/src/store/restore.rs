//! `narthex store restore`: always by this process, into a store that nobody holds.

use std::path::Path;

use narthex::{SystemEntropy, keeping};

use super::copy::Made;
use super::{TargetArgs, target};
use crate::control::{Bar, Progress, print};
use crate::failure::{Failure, Outcome};

pub(super) async fn run(file: &Path, to: &TargetArgs, json: bool) -> Result<Outcome, Failure> {
    let target = target(&to.url, to.keys.as_deref());
    let bar = Bar::new();
    let mut told = |done: u64, of: Option<u64>| {
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        bar.show(Progress {
            what: "Restoring".to_owned(),
            done: count(done),
            of: count(of.unwrap_or(done)),
        });
    };
    let restored = keeping::restore(file, &target, &SystemEntropy, &mut told).await;
    let (_, kept) = restored?;
    drop(bar);
    print(&Made::of(target.url.to_string(), kept), json)?;
    Ok(Outcome::Done)
}
