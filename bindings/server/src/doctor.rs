//! `narthex doctor`: how the portal stands. Looks at much, changes nothing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use narthex::core::host::Clock;
use narthex::core::policy::PasswordProfile;
use narthex::{StoreUrl, SystemClock};
use serde::{Deserialize, Serialize};

use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::paint::Paint;

/// Less free disk than this is told as a warning.
const DISK_FREE_BYTES_MIN: u64 = 1 << 30;
/// A wall clock that differs more from the portal's time is told as a warning.
const CLOCK_DIFFERENCE_MAX: Duration = Duration::from_secs(5 * 60);
const HOUR: Duration = Duration::from_secs(3600);

/// Looks at everything.
#[derive(Deserialize, Serialize)]
pub(crate) struct Doctor {}

/// What it saw.
#[derive(Deserialize, Serialize)]
pub(crate) struct Seen {
    looks: Vec<Look>,
    warnings: usize,
}

#[derive(Deserialize, Serialize)]
struct Look {
    at: String,
    told: String,
    /// What to do about it; absent: it is well.
    warning: Option<String>,
}

impl Look {
    fn well(at: &str, told: impl Into<String>) -> Self {
        Self::judged(at, told, None)
    }

    fn judged(at: &str, told: impl Into<String>, warning: Option<&str>) -> Self {
        Self {
            at: at.to_owned(),
            told: told.into(),
            warning: warning.map(str::to_owned),
        }
    }
}

impl Operation for Doctor {
    type Reply = Seen;

    async fn perform(self, desk: &Desk, _: &Call) -> Result<Seen, Failure> {
        let mut looks = vec![store(&desk.url)];
        if let Some(path) = desk.url.path() {
            looks.push(durability(&desk.url));
            looks.push(Look::well("size", bytes(size(path))));
            looks.extend(mode("store mode", path));
            looks.extend(disk(path));
        }
        looks.extend(keys(desk));
        looks.push(clock(desk));
        looks.push(hashing(desk));
        looks.extend(rules(desk));
        let warnings = looks.iter().filter(|look| look.warning.is_some()).count();
        Ok(Seen { looks, warnings })
    }
}

fn store(url: &StoreUrl) -> Look {
    let forgets = "everything is forgotten when the process ends: use redb:///path for a school";
    let warning = (*url == StoreUrl::Memory).then_some(forgets);
    Look::judged("store", url.to_string(), warning)
}

fn durability(url: &StoreUrl) -> Look {
    match url {
        StoreUrl::Sled(_) => Look::judged(
            "durability",
            "safe against a crash of the process, not against a power cut",
            Some(
                "after a power cut ended sessions and old passwords may be accepted again: move to \
                 redb with `narthex store copy`, or see that the power never fails",
            ),
        ),
        StoreUrl::Redb(_) | StoreUrl::Memory => Look::well(
            "durability",
            "safe against a crash of the process and against a power cut",
        ),
    }
}

fn size(path: &Path) -> u64 {
    let Ok(found) = fs::metadata(path) else {
        return 0;
    };
    if !found.is_dir() {
        return found.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size(&entry.path())).sum()
}

fn bytes(count: u64) -> String {
    if count < 10 << 20 {
        format!("{} KiB", count.div_ceil(1 << 10))
    } else {
        format!("{} MiB", count >> 20)
    }
}

#[cfg(unix)]
fn mode(at: &str, path: &Path) -> Option<Look> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let exposed = mode & 0o077 != 0;
    let warning = exposed.then_some("others on this machine may read it: `chmod go= PATH`");
    let told = format!("{mode:04o} {}", path.display());
    Some(Look::judged(at, told, warning))
}

#[cfg(not(unix))]
fn mode(_at: &str, _path: &Path) -> Option<Look> {
    None
}

#[cfg(unix)]
fn disk(path: &Path) -> Option<Look> {
    let found = rustix::fs::statvfs(path).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let told = format!("{} free", bytes(free));
    let low = free < DISK_FREE_BYTES_MIN;
    let warning = low.then_some(
        "when it is full nobody can log in or change anything until there is room again: make room",
    );
    Some(Look::judged("disk", told, warning))
}

#[cfg(not(unix))]
fn disk(_path: &Path) -> Option<Look> {
    None
}

fn keys(desk: &Desk) -> Vec<Look> {
    let Some(path) = &desk.house.keys else {
        return vec![Look::well(
            "key file",
            "none: the keys are forgotten with the store",
        )];
    };
    let mut looks: Vec<Look> = mode("key file", path).into_iter().collect();
    let folders = (desk.url.path().and_then(Path::parent), path.parent());
    if let (Some(store), Some(keys)) = folders
        && keys.starts_with(store)
        && keys == store
    {
        looks.push(Look::judged(
            "key folder",
            "the folder of the store",
            Some("who copies the folder has both: keep the key file in a folder of its own"),
        ));
    }
    looks
}

fn clock(desk: &Desk) -> Look {
    let wall = SystemClock.read().wall;
    let now = desk.portal.now().latest;
    let behind = now.since(wall);
    if behind <= CLOCK_DIFFERENCE_MAX {
        return Look::well("clock", "agrees with the portal's time");
    }
    Look::judged(
        "clock",
        format!("{} s behind the portal's time", behind.as_secs()),
        Some(
            "the machine's clock went back, or was ahead before: set it right; if it is right now, \
             stop the server and run `narthex store accept-clock`",
        ),
    )
}

fn hashing(desk: &Desk) -> Look {
    let params = &desk.hashing.params;
    let workers = desk.hashing.workers as u64;
    let memory = bytes((u64::from(params.memory_kib) * workers) << 10);
    Look::well(
        "passwords",
        format!(
            "Argon2id, {} KiB, {} passes, {} lanes; {workers} at once take {memory}",
            params.memory_kib, params.iterations, params.parallelism
        ),
    )
}

fn rules(desk: &Desk) -> Vec<Look> {
    let policy = desk.portal.policy();
    let session = &policy.session;
    let hours = |span: Duration| format!("{:.1} h", span.as_secs_f64() / HOUR.as_secs_f64());
    let idle = session.inactivity_timeout;
    let whole = session.absolute_timeout;
    let idle_long = (idle > 4 * HOUR)
        .then_some("longer than a school day's 4 h: whoever finds an open browser has it as long");
    let whole_long = (whole > 24 * HOUR).then_some("longer than a day: a stolen session lives on");
    let classic = policy.password.profile == PasswordProfile::Classic;
    let profile = if classic { "classic" } else { "nist" };
    let weak = classic.then_some(
        "eight characters of four kinds are weaker than three or four words: \
         password.profile = \"nist\"",
    );
    vec![
        Look::judged("inactivity", hours(idle), idle_long),
        Look::judged("a session at most", hours(whole), whole_long),
        Look::judged("password rules", profile, weak),
    ]
}

impl Reply for Seen {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.warnings == 0)
    }

    fn tell(&self) {
        let paint = Paint::for_stdout();
        for look in &self.looks {
            let mark = match look.warning {
                None => paint.good("ok  "),
                Some(_) => paint.bad("look"),
            };
            say!("{mark} {:18} {}", look.at, look.told);
            if let Some(warning) = &look.warning {
                say!("     {warning}");
            }
        }
        match self.warnings {
            0 => say!("Nothing to do."),
            1 => say!("One thing should be looked at."),
            more => say!("{more} things should be looked at."),
        }
    }
}
