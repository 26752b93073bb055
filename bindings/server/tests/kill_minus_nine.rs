//! P1, P2, P3 against the real binary: clients claim, log in, change passwords and log out; the
//! server is killed with SIGKILL at a random moment and started again on the same data. What was
//! acknowledged holds; what was not may hold or not, but never by halves.
//!
//! `NARTHEX_KILLS=200` asks for more rounds than the 20 of an ordinary run; `NARTHEX_SEED`
//! repeats the choices of a run (not its moments: those are the machine's).
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[cfg(test)]
mod support;

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use support::Demo;
use support::browser::Browser;
use support::people::{Facts, claimable};

const CLIENTS: usize = 4;
/// So often the data is kept; then a school begins anew, with everybody unclaimed.
const ROUNDS_PER_SCHOOL: usize = 10;
/// Ended tokens that are asked about again, of one person.
const DEAD_KEPT: usize = 12;

/// SplitMix64: small, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// What one person knows to be so, from acknowledgements alone.
struct Ledger {
    facts: Facts,
    claimed: bool,
    password: String,
    /// Of a claim or a change that was not acknowledged.
    perhaps: Option<String>,
    /// The password before an acknowledged change, not yet seen to be dead.
    old: Option<String>,
    live: Vec<Browser>,
    dead: Vec<Browser>,
    /// Claimed in this round: must not be claimable again.
    fresh: bool,
}

/// A client, with people of its own and an address of its own.
struct Client {
    from: Ipv4Addr,
    chance: Chance,
    people: Vec<Ledger>,
    passwords: u32,
    acknowledged: usize,
}

impl Ledger {
    fn new(facts: Facts) -> Self {
        Self {
            facts,
            claimed: false,
            password: String::new(),
            perhaps: None,
            old: None,
            live: Vec::new(),
            dead: Vec::new(),
            fresh: false,
        }
    }

    fn bury(&mut self, browsers: impl IntoIterator<Item = Browser>) {
        self.dead.extend(browsers);
        let excess = self.dead.len().saturating_sub(DEAD_KEPT);
        self.dead.drain(..excess);
    }
}

/// The status, or the end of this round.
fn expect(status: io::Result<u16>, wanted: u16, what: &str) -> io::Result<()> {
    let status = status?;
    assert_eq!(status, wanted, "{what}");
    Ok(())
}

impl Client {
    fn password(&mut self) -> String {
        self.passwords += 1;
        format!("wet pianos sang {} times", self.passwords)
    }

    /// Does one thing after the other until the server is gone.
    fn live(&mut self, origin: &str) {
        while self.act(origin).is_ok() {
            self.acknowledged += 1;
        }
    }

    fn act(&mut self, origin: &str) -> io::Result<()> {
        let claimed = self.people.iter().filter(|person| person.claimed).count();
        let unclaimed = self.people.iter().position(|person| !person.claimed);
        let dice = self.chance.below(10);
        match unclaimed {
            Some(who) if claimed == 0 || dice < 2 => return self.claim(who, origin),
            _ => {}
        }
        let nth = usize::try_from(self.chance.below(claimed as u64)).unwrap();
        let who = self
            .people
            .iter()
            .enumerate()
            .filter(|(_, person)| person.claimed);
        let who = who.map(|(index, _)| index).nth(nth).unwrap();
        match (self.people[who].live.len(), dice) {
            (0, _) | (1..=2, 0..=4) => self.log_in(who, origin),
            (_, 5..=7) => self.change(who, origin),
            _ => self.log_out(who, origin),
        }
    }

    fn claim(&mut self, who: usize, origin: &str) -> io::Result<()> {
        let password = self.password();
        let mut browser = Browser::from(origin, self.from);
        let person = &mut self.people[who];
        expect(browser.begin_claim(&person.facts), 201, "begin a claim")?;
        expect(
            browser.claim_password(&password),
            204,
            "the password of a claim",
        )?;
        person.perhaps = Some(password.clone());
        expect(browser.claim_answers(), 204, "the answers of a claim")?;
        (person.claimed, person.fresh) = (true, true);
        (person.password, person.perhaps) = (password, None);
        Ok(())
    }

    fn log_in(&mut self, who: usize, origin: &str) -> io::Result<()> {
        let mut browser = Browser::from(origin, self.from);
        let person = &mut self.people[who];
        let status = browser.log_in(&person.facts.login_id, &person.password);
        expect(status, 201, "log in with the password that holds")?;
        person.live.push(browser);
        Ok(())
    }

    fn change(&mut self, who: usize, origin: &str) -> io::Result<()> {
        let new = self.password();
        let person = &mut self.people[who];
        let before = person.live.pop().unwrap().at(origin);
        let mut browser = before.clone();
        person.perhaps = Some(new.clone());
        let status = browser.change_password(&person.password, &new);
        expect(status, 200, "change the password")?;
        person.perhaps = None;
        person.old = Some(std::mem::replace(&mut person.password, new));
        let others = std::mem::take(&mut person.live);
        person.bury(others.into_iter().chain([before]));
        person.live.push(browser);
        Ok(())
    }

    fn log_out(&mut self, who: usize, origin: &str) -> io::Result<()> {
        let person = &mut self.people[who];
        let before = person.live.pop().unwrap().at(origin);
        // Until it is acknowledged, it may be live or not: it is in no list.
        expect(before.clone().log_out(), 204, "log out")?;
        person.bury([before]);
        Ok(())
    }

    /// After the server came back: everything acknowledged holds.
    fn verify(&mut self, origin: &str) -> io::Result<()> {
        let from = self.from;
        for person in &mut self.people {
            settle(person, origin, from)?;
            if !person.claimed {
                continue;
            }
            let number = person.facts.login_id.clone();
            if std::mem::take(&mut person.fresh) {
                let status = Browser::from(origin, from).begin_claim(&person.facts);
                expect(
                    status,
                    403,
                    &format!("{number} was claimed: it is not claimed again"),
                )?;
                let mut browser = Browser::from(origin, from);
                let status = browser.log_in(&number, &person.password);
                expect(
                    status,
                    201,
                    &format!("{number}: the password of the claim holds"),
                )?;
                person.live.push(browser);
            }
            if let Some(old) = person.old.take() {
                let status = Browser::from(origin, from).log_in(&number, &old);
                expect(status, 401, &format!("{number}: the old password is dead"))?;
                let mut browser = Browser::from(origin, from);
                let status = browser.log_in(&number, &person.password);
                expect(status, 201, &format!("{number}: the new password holds"))?;
                person.live.push(browser);
            }
            for browser in &person.live {
                let told = format!("{number}: a log-in that nothing ended is live");
                expect(browser.at(origin).session(), 200, &told)?;
            }
            for browser in &person.dead {
                let told = format!("{number}: what was ended stays ended");
                expect(browser.at(origin).session(), 401, &told)?;
            }
        }
        Ok(())
    }
}

/// Finds out what became of a claim or a change that was cut off: one or the other, whole.
fn settle(person: &mut Ledger, origin: &str, from: Ipv4Addr) -> io::Result<()> {
    let Some(perhaps) = person.perhaps.take() else {
        return Ok(());
    };
    let number = person.facts.login_id.clone();
    let mut browser = Browser::from(origin, from);
    let made = browser.log_in(&number, &perhaps)? == 201;
    if !person.claimed {
        (person.claimed, person.fresh) = (made, made);
        person.password = if made { perhaps } else { String::new() };
        return Ok(());
    }
    if made {
        person.old = Some(std::mem::replace(&mut person.password, perhaps));
        // The change was made: what it ended is ended, though nobody said so.
        let others = std::mem::take(&mut person.live);
        person.bury(others);
        person.live.push(browser);
        return Ok(());
    }
    let mut browser = Browser::from(origin, from);
    let status = browser.log_in(&number, &person.password);
    expect(
        status,
        201,
        &format!("{number}: neither the old nor the new password holds"),
    )?;
    person.live.push(browser);
    Ok(())
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The people, dealt to the clients like cards.
fn clients(seed: u64, school: usize) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|n| Client {
            from: Ipv4Addr::new(127, 0, u8::try_from(1 + school % 250).unwrap(), 1 + n as u8),
            chance: Chance(seed ^ ((school * CLIENTS + n) as u64) << 32),
            people: Vec::new(),
            passwords: 0,
            acknowledged: 0,
        })
        .collect();
    for (index, facts) in claimable().into_iter().enumerate() {
        clients[index % CLIENTS].people.push(Ledger::new(facts));
    }
    clients
}

/// All clients at once, on threads of their own.
fn each<'a>(clients: &'a mut [Client], act: impl Fn(&'a mut Client) + Copy + Send) {
    std::thread::scope(|scope| {
        for client in clients {
            scope.spawn(move || act(client));
        }
    });
}

#[test]
fn what_was_acknowledged_holds_after_any_kill() {
    let rounds = usize::try_from(setting("NARTHEX_KILLS").unwrap_or(20)).unwrap();
    let seed = setting("NARTHEX_SEED").unwrap_or(u64::from(std::process::id()));
    println!("SEED={seed}");
    let mut chance = Chance(seed);
    let mut acknowledged = 0;
    for school in 0..rounds.div_ceil(ROUNDS_PER_SCHOOL) {
        let folder = tempfile::tempdir().unwrap();
        let mut clients = clients(seed, school);
        let kills = ROUNDS_PER_SCHOOL.min(rounds - school * ROUNDS_PER_SCHOOL);
        for _ in 0..kills {
            let demo = Demo::start(folder.path());
            let origin = demo.origin();
            let moment = Duration::from_millis(30 + chance.below(500));
            std::thread::scope(|scope| {
                let living = scope.spawn(|| each(&mut clients, |client| client.live(&origin)));
                std::thread::sleep(moment);
                demo.kill_minus_nine();
                living.join().unwrap();
            });
            let demo = Demo::start(folder.path());
            let origin = demo.origin();
            each(&mut clients, |client| client.verify(&origin).unwrap());
        }
        acknowledged += clients
            .iter()
            .map(|client| client.acknowledged)
            .sum::<usize>();
    }
    println!("{rounds} kills, {acknowledged} operations acknowledged");
    assert!(
        acknowledged > rounds,
        "hardly anything was done: the kills proved nothing"
    );
}
