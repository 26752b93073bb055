//! `narthex store accept-clock`: by this process, on a store that nobody holds, because a running
//! portal keeps a time and keys of its own.

use narthex::keeping::{self, KeepingError};
use narthex::{OpenError, SystemClock, SystemEntropy};
use serde_json::json;

use crate::confirm;
use crate::failure::{Failure, Outcome};
use crate::place::{PlaceArgs, is_missing};

pub(super) async fn run(yes: bool, place: &PlaceArgs, json: bool) -> Result<Outcome, Failure> {
    let options = place.options()?;
    if is_missing(&options.url) {
        let url = &options.url;
        return Err(Failure::usage(format!("there is no store {url}")));
    }
    let told = "If the store's time goes back, everybody is logged out, and claims under way and \
                codes are void. Go on?";
    if !yes && !confirm::agreed(told)? {
        say!("Nothing was changed.");
        return Ok(Outcome::Refused);
    }
    let accepted = keeping::accept_clock(&options, &SystemClock, &SystemEntropy).await;
    let accepted = accepted.map_err(|error| match error {
        KeepingError::Open(OpenError::Locked { store }) => Failure::failed(format!(
            "the store {} is held by a running server, which keeps a time of its own: stop it, run \
             this command, and start it again",
            store.display()
        )),
        error => error.into(),
    })?;
    if json {
        let told = json!({
            "now_ms": accepted.now.as_millis(),
            "before_ms": accepted.before.as_millis(),
            "all_out": accepted.all_out,
        });
        say!("{told}");
    } else if accepted.all_out {
        let back = accepted.before.since(accepted.now).as_secs();
        say!("The store's time went back by {back} s. Everybody logs in again.");
    } else {
        say!("The machine's clock is not behind the store's time. Nobody was logged out.");
    }
    Ok(Outcome::Done)
}
