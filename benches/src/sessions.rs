//! A store full of sessions, written as records: logging in a million times would measure hashing.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use futures_executor::block_on;
use narthex_argon2::{Argon2Hasher, HashSettings, Params};
use narthex_conformance::TestEntropy;
use narthex_core::host::{Clock, ClockReading, Entropy, KeyPurpose, KeyRing};
use narthex_core::model::{Ended, Family, Gate, GateStatus};
use narthex_core::store::records::{Stored, family_key, gate_key, seen_cell};
use narthex_core::store::{ChangeSet, Commit, Expected, MemoryStore, Store};
use narthex_core::{
    AccountId, Doors, EndReason, Policy, Portal, Selector, SessionToken, Timestamp,
};
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::contender::Failure;

/// A token: selector, then secret.
pub type TokenBytes = [u8; 48];

const SELECTOR_BYTES: usize = 16;
const EPOCH: u64 = 1;
const FOUR_HOURS: Duration = Duration::from_secs(4 * 60 * 60);
/// Three operations a session, below the 1,024 of a change set.
const SESSIONS_IN_A_COMMIT: usize = 256;

/// A store with as many live sessions as asked for, each of an account of its own, a few that were
/// logged out, and the tokens of all.
#[derive(Debug)]
pub struct Sessions {
    /// Where they are kept.
    pub store: Arc<MemoryStore>,
    /// Tokens of live sessions.
    pub live: Vec<SessionToken>,
    /// The same, as bytes: for peers that have no type for a token.
    pub live_bytes: Vec<TokenBytes>,
    /// Tokens of sessions that were logged out.
    pub ended: Vec<SessionToken>,
    /// Tokens nobody was given.
    pub unknown: Vec<SessionToken>,
    keys: KeyRing,
    key_id: u32,
}

/// One session, as the store and a map of records know it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Names it.
    pub selector: [u8; 16],
    /// What the store has.
    pub family: Family,
}

impl Sessions {
    /// Writes `live` sessions that can be used, and `others` that were logged out.
    ///
    /// # Errors
    /// The store did not take them.
    pub fn write(live: usize, others: usize) -> Result<Self, Failure> {
        let entropy = TestEntropy::seeded(2);
        let keys = KeyRing::generate(&entropy)?;
        let mut sessions = Self {
            store: Arc::new(MemoryStore::new()),
            live: tokens(live, &entropy)?,
            live_bytes: Vec::new(),
            ended: tokens(others, &entropy)?,
            unknown: tokens(others, &entropy)?,
            key_id: keys.current(KeyPurpose::TokenDigest),
            keys,
        };
        let now = SystemClock.read().wall;
        let logged_out = Ended {
            reason: EndReason::LogOut,
            at: now,
        };
        let live = std::mem::take(&mut sessions.live);
        sessions.put(&live, now, None)?;
        sessions.live_bytes = live.iter().map(bytes_of).collect::<Result<_, _>>()?;
        sessions.live = live;
        let ended = std::mem::take(&mut sessions.ended);
        sessions.put(&ended, now, Some(logged_out))?;
        sessions.ended = ended;
        Ok(sessions)
    }

    /// A new portal over the store: it has seen no session yet.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn portal(&self) -> Result<Portal, Failure> {
        let hasher = Argon2Hasher::below_the_floor_for_tests(HashSettings {
            params: Params {
                memory_kib: 8,
                iterations: 1,
                parallelism: 1,
            },
            workers: 1,
            ..HashSettings::default()
        })?;
        let doors = Doors {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(TestEntropy::seeded(3)),
            hasher: Arc::new(hasher),
            keys: KeyRing::from_text(&self.keys.to_text())?,
        };
        Ok(block_on(Portal::open(doors, Policy::default()))?)
    }

    /// The records of `tokens`, for a map.
    ///
    /// # Errors
    /// A key is missing.
    pub fn entries(&self, tokens: &[SessionToken]) -> Result<Vec<Entry>, Failure> {
        let now = SystemClock.read().wall;
        tokens
            .iter()
            .map(|token| {
                Ok(Entry {
                    selector: *token.selector().as_bytes(),
                    family: self.family(token, now, None)?,
                })
            })
            .collect()
    }

    /// The keyed digest of a token, as the store has it.
    ///
    /// # Errors
    /// A key is missing.
    pub fn digest(&self, token: &TokenBytes) -> Result<[u8; 32], Failure> {
        let (selector, secret) = token.split_at(SELECTOR_BYTES);
        let purpose = KeyPurpose::TokenDigest;
        Ok(self.keys.mac(purpose, self.key_id, &[selector, secret])?)
    }

    fn put(
        &self,
        tokens: &[SessionToken],
        now: Timestamp,
        ended: Option<Ended>,
    ) -> Result<(), Failure> {
        for tokens in tokens.chunks(SESSIONS_IN_A_COMMIT) {
            let mut changes = ChangeSet::new();
            for token in tokens {
                let family = self.family(token, now, ended)?;
                let gate = gate_key(family.account);
                let selector = token.selector();
                changes.put(gate, open_gate().encode(), Expected::Absent);
                changes.put(family_key(selector), family.encode(), Expected::Absent);
                changes.raise(seen_cell(selector), now.as_millis());
            }
            if block_on(self.store.commit(changes))? != Commit::Committed {
                return Err("the store refused a session".into());
            }
        }
        Ok(())
    }

    fn family(
        &self,
        token: &SessionToken,
        now: Timestamp,
        ended: Option<Ended>,
    ) -> Result<Family, Failure> {
        Ok(Family {
            account: account_of(token.selector()),
            session_epoch: EPOCH,
            token_key: self.key_id,
            token_digest: self.digest(&bytes_of(token)?)?,
            started_at: now,
            authenticated_at: now,
            inactivity_timeout: FOUR_HOURS,
            ended,
            client_label: "Firefox on Linux".to_owned(),
        })
    }
}

fn bytes_of(token: &SessionToken) -> Result<TokenBytes, Failure> {
    let mut bytes = [0; 48];
    BASE64URL_NOPAD
        .decode_mut(token.expose().as_bytes(), &mut bytes)
        .map_err(|_| "a token is not base64url")?;
    Ok(bytes)
}

/// Another random-looking id, so that a gate does not lie where its family does.
fn account_of(selector: Selector) -> AccountId {
    let mut bytes = *selector.as_bytes();
    bytes.reverse();
    AccountId::from_bytes(bytes)
}

fn open_gate() -> Gate {
    Gate {
        session_epoch: EPOCH,
        epoch_reason: EndReason::LogOut,
        status: GateStatus::Active,
        credential_generation: 1,
        // As long as a sealed PHC string.
        sealed_credential: vec![0; 140],
        recovery_codes: Vec::new(),
    }
}

fn tokens(count: usize, entropy: &dyn Entropy) -> Result<Vec<SessionToken>, Failure> {
    let token = |_| {
        let mut bytes = [0; 48];
        entropy.fill(&mut bytes)?;
        let text = BASE64URL_NOPAD.encode(&bytes);
        SessionToken::parse(&text).ok_or_else(|| "48 bytes are a token".into())
    };
    (0..count).map(token).collect()
}

/// The machine's clocks, read as a portal in production reads them.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn read(&self) -> ClockReading {
        let wall = span(ClockId::Realtime).as_millis();
        ClockReading {
            wall: Timestamp::from_millis(u64::try_from(wall).unwrap_or(u64::MAX)),
            boot: span(ClockId::Boottime),
        }
    }
}

fn span(clock: ClockId) -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    let seconds = u64::try_from(tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use narthex_core::{Check, Error, Refusal};

    use super::*;

    #[test]
    fn the_portal_takes_the_sessions_for_what_they_are_meant_to_be() {
        let sessions = Sessions::write(300, 5).unwrap();
        let portal = sessions.portal().unwrap();
        for token in &sessions.live {
            assert!(matches!(portal.check(token), Check::AskStore), "cold");
            block_on(portal.verify_session(token)).unwrap();
            assert!(matches!(portal.check(token), Check::Live(_)), "warm");
        }
        for token in &sessions.ended {
            let error = block_on(portal.verify_session(token)).unwrap_err();
            assert!(matches!(
                error,
                Error::Refused(Refusal::SessionEnded {
                    reason: EndReason::LogOut,
                    ..
                })
            ));
        }
        for token in &sessions.unknown {
            let error = block_on(portal.verify_session(token)).unwrap_err();
            assert!(matches!(error, Error::Refused(Refusal::NotLoggedIn)));
        }
    }
}
