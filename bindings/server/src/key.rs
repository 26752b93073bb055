//! `narthex key`: which keys there are, new ones, and an offline copy.

use narthex::core::host::KeyPurpose;
use narthex::core::model::Timestamp;
use narthex::core::portal::KeyReport;
use narthex::{SystemEntropy, keeping};
use serde::{Deserialize, Serialize};

use crate::cli::key::KeyCommand;
use crate::confirm;
use crate::control::{self, Absent, Call, Desk, Line, Operation, Reply, print};
use crate::failure::{Failure, Outcome};
use crate::moment::{days_between, utc};
use crate::paint::Paint;
use crate::place::PlaceArgs;

/// What `key rotate` makes anew unless it is told which: what nobody notices.
const ROTATED: [KeyPurpose; 4] = [
    KeyPurpose::TokenDigest,
    KeyPurpose::Evidence,
    KeyPurpose::Pepper,
    KeyPurpose::Details,
];

/// Runs a `key` command.
pub(crate) async fn run(command: KeyCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        KeyCommand::List { place } => control::run(List {}, &place, json).await,
        KeyCommand::Rotate { purposes, place } => {
            let rotate = Rotate { purposes };
            rotate.chosen()?;
            control::run(rotate, &place, json).await
        }
        KeyCommand::Reseal { place } => control::run(Reseal {}, &place, json).await,
        KeyCommand::Prune { place } => control::run(Prune {}, &place, json).await,
        KeyCommand::Export { yes, place } => export(yes, &place, json).await,
    }
}

/// Which keys there are, how old, and what needs them.
#[derive(Deserialize, Serialize)]
pub(crate) struct List {}

/// The keys, never themselves.
#[derive(Deserialize, Serialize)]
pub(crate) struct Listed {
    keys: Vec<Shown>,
}

#[derive(Deserialize, Serialize)]
struct Shown {
    purpose: String,
    id: u32,
    current: bool,
    made_at: Option<String>,
    age_days: Option<u64>,
    uses: Vec<Use>,
}

#[derive(Deserialize, Serialize)]
struct Use {
    what: String,
    count: u64,
}

impl Shown {
    fn of(report: &KeyReport, now: Timestamp) -> Self {
        let uses = report.uses.iter().map(|found| Use {
            what: found.what.to_owned(),
            count: found.count,
        });
        Self {
            purpose: report.purpose.code().to_owned(),
            id: report.id,
            current: report.current,
            made_at: report.made_at.map(utc),
            age_days: report.made_at.map(|made| days_between(made, now)),
            uses: uses.collect(),
        }
    }

    fn tell(&self, paint: Paint) {
        let age = match self.age_days {
            Some(days) => format!("{days} days"),
            None => "age unknown".to_owned(),
        };
        let state = match self.current {
            true => paint.good("current"),
            false => paint.faint("older"),
        };
        say!("{:<13} {:>10}  {state:<7}  {age}", self.purpose, self.id);
        for found in &self.uses {
            say!("{:>24}  {:>9} {}", "", found.count, found.what);
        }
    }
}

impl Operation for List {
    type Reply = Listed;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Listed, Failure> {
        let report = desk.portal.key_report().await?;
        let now = desk.portal.now().latest;
        Ok(Listed {
            keys: report.iter().map(|key| Shown::of(key, now)).collect(),
        })
    }
}

impl Reply for Listed {
    fn tell(&self) {
        let paint = Paint::for_stdout();
        self.keys.iter().for_each(|key| key.tell(paint));
    }
}

/// Makes new keys.
#[derive(Deserialize, Serialize)]
pub(crate) struct Rotate {
    purposes: Vec<String>,
}

/// The ids of the new keys.
#[derive(Deserialize, Serialize)]
pub(crate) struct Rotated {
    made: Vec<Made>,
    key_file: String,
}

#[derive(Deserialize, Serialize)]
struct Made {
    purpose: String,
    id: u32,
}

impl Rotate {
    fn chosen(&self) -> Result<Vec<KeyPurpose>, Failure> {
        if self.purposes.is_empty() {
            return Ok(ROTATED.to_vec());
        }
        let known = |code: &String| {
            let mut all = KeyPurpose::ALL.into_iter();
            let found = all.find(|purpose| purpose.code() == code);
            found.filter(|purpose| *purpose != KeyPurpose::Names).ok_or_else(|| {
                Failure::usage(match code.as_str() {
                    "names" => {
                        "the key for names is not rotated: it names every record, so that a new \
                         one would find none"
                    }
                    _ => "a purpose is token_digest, evidence, pepper, details or tags",
                })
            })
        };
        let mut chosen: Vec<_> = self.purposes.iter().map(known).collect::<Result<_, _>>()?;
        chosen.sort_unstable();
        chosen.dedup();
        Ok(chosen)
    }
}

impl Operation for Rotate {
    type Reply = Rotated;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Rotated, Failure> {
        let chosen = self.chosen()?;
        let made = keeping::rotate_keys(&desk.house, &chosen, &SystemEntropy, &call.asker);
        let made = made.await?.into_iter().map(|(purpose, id)| Made {
            purpose: purpose.code().to_owned(),
            id,
        });
        Ok(Rotated {
            made: made.collect(),
            key_file: key_file(desk),
        })
    }
}

impl Reply for Rotated {
    fn tell(&self) {
        for Made { purpose, id } in &self.made {
            say!("{purpose:<13} {id:>10}  is in use now");
        }
        say!("Nobody was logged out: older keys go on for what they were used for.");
        if self.made.iter().any(|made| made.purpose == "tags") {
            say!("Forms that are open have to be loaded again; browsers are not known any more.");
        }
        say!("Next:");
        say!("  back up {} apart from the store's backups", self.key_file);
        say!("  narthex key reseal    seals passwords, answers, names and details anew");
        say!("  narthex key prune     takes older keys away that nothing needs any more");
    }
}

fn key_file(desk: &Desk) -> String {
    let path = desk.house.keys.as_ref();
    path.map(|path| path.display().to_string())
        .unwrap_or_default()
}

/// Seals anew under the current keys.
#[derive(Deserialize, Serialize)]
pub(crate) struct Reseal {}

/// How much.
#[derive(Deserialize, Serialize)]
pub(crate) struct Resealed {
    looked_at: usize,
    resealed: usize,
}

impl Operation for Reseal {
    type Reply = Resealed;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Resealed, Failure> {
        let progress = |done, of| call.progress("sealing anew", done, of);
        let done = desk.portal.reseal(&progress).await?;
        let told = format!("resealed records={}", done.resealed);
        desk.portal.tell_of_keys(&told, &call.asker).await?;
        Ok(Resealed {
            looked_at: done.looked_at,
            resealed: done.resealed,
        })
    }
}

impl Reply for Resealed {
    fn tell(&self) {
        let (looked_at, resealed) = (self.looked_at, self.resealed);
        say!("{resealed} of {looked_at} records were sealed anew.");
    }
}

/// Takes older keys away that nothing needs.
#[derive(Deserialize, Serialize)]
pub(crate) struct Prune {}

/// Which went, and which had to stay.
#[derive(Deserialize, Serialize)]
pub(crate) struct Pruned {
    removed: Vec<Made>,
    kept: Vec<Shown>,
}

impl Operation for Prune {
    type Reply = Pruned;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Pruned, Failure> {
        let (removed, kept) = keeping::prune_keys(&desk.house, &call.asker).await?;
        let now = desk.portal.now().latest;
        let removed = removed.into_iter().map(|(purpose, id)| Made {
            purpose: purpose.code().to_owned(),
            id,
        });
        Ok(Pruned {
            removed: removed.collect(),
            kept: kept.iter().map(|key| Shown::of(key, now)).collect(),
        })
    }
}

impl Reply for Pruned {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.kept.is_empty())
    }

    fn tell(&self) {
        for Made { purpose, id } in &self.removed {
            say!("{purpose:<13} {id:>10}  is gone");
        }
        if self.kept.is_empty() {
            say!("No older key is left.");
            return;
        }
        say!("Still needed, and left as they are:");
        let paint = Paint::for_stdout();
        self.kept.iter().for_each(|key| key.tell(paint));
        say!("`narthex key reseal` frees passwords, answers, names and details; the next complete");
        say!("import frees the claim facts of whom it lists; sessions end within their time.");
    }
}

/// The key file, for a copy that is kept offline.
#[derive(Deserialize, Serialize)]
pub(crate) struct Export {}

/// Whoever reads it can read the store.
#[derive(Deserialize, Serialize)]
pub(crate) struct Exported {
    keys: String,
}

impl Operation for Export {
    type Reply = Exported;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Exported, Failure> {
        // Told before they are given out.
        desk.portal.tell_of_keys("exported", &call.asker).await?;
        let keys = keeping::export_keys(&desk.house)?;
        Ok(Exported {
            keys: keys.to_string(),
        })
    }
}

impl Reply for Exported {
    fn tell(&self) {
        say!("{}", self.keys.trim_end());
    }
}

async fn export(yes: bool, place: &PlaceArgs, json: bool) -> Result<Outcome, Failure> {
    let line = Line::reach(place, Absent::Refuse).await?;
    let warning = "With these keys and a copy of the store, everything in it can be read and every \
                   password be guessed at. They are about to be printed here.";
    if yes {
        eprintln!("narthex: {warning}");
    } else if !confirm::agreed(&format!("{warning} Go on?"))? {
        say!("Nothing was printed.");
        return Ok(Outcome::Refused);
    }
    let exported = line.ask(Export {}).await?;
    print(&exported, json)?;
    Ok(exported.outcome())
}
