//! The warm session table: what makes `check` synchronous.
//!
//! A slot may only ever hold what the store held at a moment after the last acknowledged change. So:
//! keys hash to fixed *stripes* `{seq, pending}` that outlive slots and eviction. Each commit attempt on
//! a gate or family empties the slot, raises `seq` and `pending`; a known outcome lowers `pending`. A
//! cold load installs only if `pending` was 0 before it read the store, and is still 0 with the same
//! `seq` when it installs. An attempt whose outcome is not known (a dropped future, a store that does not
//! say) keeps its `pending` until a *fence* has committed: see `Portal::settle`.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{AccountId, Family, Selector, Timestamp};
#[cfg(doc)]
use crate::secret::SessionToken;
use crate::store::{Change, ChangeSet};

const STRIPES: usize = 256;
/// Slots of one stripe before it is emptied: bounds the table at about four million families.
const STRIPE_SLOTS_MAX: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct SessionTable {
    stripes: Box<[Mutex<Stripe>]>,
}

#[derive(Debug, Default)]
struct Stripe {
    seq: u64,
    pending: u32,
    /// Attempts of unknown outcome; each still counts in `pending`.
    doubts: BTreeMap<SlotKey, u32>,
    families: HashMap<Selector, FamilySlot, BuildHasherDefault<RandomKeyHasher>>,
    gates: HashMap<AccountId, u64, BuildHasherDefault<RandomKeyHasher>>,
}

/// Keys are 16 bytes that this portal drew at random, and only keys it drew are ever put in: their own
/// bytes are the hash.
#[derive(Debug, Default)]
struct RandomKeyHasher(u64);

impl Hasher for RandomKeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        // The first byte has chosen the stripe: the last eight are as random as ever.
        if let Some(last) = bytes.last_chunk::<8>() {
            self.0 = u64::from_le_bytes(*last);
        }
    }

    fn write_usize(&mut self, _length_prefix: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What a slot is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SlotKey {
    Family(Selector),
    Gate(AccountId),
}

impl SlotKey {
    fn bytes(&self) -> &[u8; 16] {
        match self {
            Self::Family(selector) => selector.as_bytes(),
            Self::Gate(account) => account.as_bytes(),
        }
    }

    /// The gates and families that `changes` writes, found by their keys: nobody has to say so, so
    /// nobody can forget to.
    fn written_by(changes: &ChangeSet) -> Vec<Self> {
        let mut keys = Vec::new();
        for change in changes.changes() {
            if let Change::Put { key, .. } | Change::Delete { key, .. } = change {
                if let Some(hex) = key.path().strip_prefix("family/") {
                    keys.extend(Selector::from_hex(hex).map(Self::Family));
                } else if let Some(hex) = key.path().strip_prefix("gate/") {
                    keys.extend(AccountId::from_hex(hex).map(Self::Gate));
                }
            }
        }
        keys
    }
}

/// All that a warm check needs of a family.
#[derive(Clone, Copy, Debug)]
pub(super) struct FamilySlot {
    pub(super) token_key: u32,
    pub(super) token_digest: [u8; 32],
    /// [`SessionToken::proof`] of the token that was shown to be that of `token_digest`: a later check
    /// computes one block of SHA-256 for it instead of three. It is never stored.
    pub(super) proof: Option<[u8; 16]>,
    pub(super) account: AccountId,
    pub(super) session_epoch: u64,
    pub(super) started_at: Timestamp,
    pub(super) authenticated_at: Timestamp,
    pub(super) inactivity_ms: u64,
    /// Last activity known to this process.
    pub(super) seen: Timestamp,
    /// Last activity known to the store: what a restart would go by.
    pub(super) seen_kept: Timestamp,
}

impl FamilySlot {
    /// As nobody did anything since the log-in.
    pub(super) fn of(family: &Family) -> Self {
        let inactivity_ms = family.inactivity_timeout.as_millis();
        Self {
            token_key: family.token_key,
            token_digest: family.token_digest,
            proof: None,
            account: family.account,
            session_epoch: family.session_epoch,
            started_at: family.started_at,
            authenticated_at: family.authenticated_at,
            inactivity_ms: u64::try_from(inactivity_ms).unwrap_or(u64::MAX),
            seen: family.authenticated_at,
            seen_kept: family.authenticated_at,
        }
    }

    pub(super) fn inactivity_timeout(&self) -> Duration {
        Duration::from_millis(self.inactivity_ms)
    }
}

/// What a stripe was like before a cold load read the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    key: SlotKey,
    seq: u64,
    quiet: bool,
}

impl SessionTable {
    pub(super) fn new() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
        }
    }

    fn stripe(&self, key: SlotKey) -> MutexGuard<'_, Stripe> {
        // Selectors and account ids are random: any byte of them is a good hash. The modulus is the
        // number of stripes, which is not zero and not above the length.
        let index = usize::from(key.bytes()[0]) % STRIPES;
        #[expect(clippy::indexing_slicing, reason = "index < STRIPES = stripes.len()")]
        self.stripes[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn family(&self, selector: Selector) -> Option<FamilySlot> {
        self.stripe(SlotKey::Family(selector))
            .families
            .get(&selector)
            .copied()
    }

    pub(super) fn gate_epoch(&self, account: AccountId) -> Option<u64> {
        self.stripe(SlotKey::Gate(account))
            .gates
            .get(&account)
            .copied()
    }

    pub(super) fn begin_load(&self, key: SlotKey) -> Load {
        let stripe = self.stripe(key);
        Load {
            key,
            seq: stripe.seq,
            quiet: stripe.pending == 0,
        }
    }

    pub(super) fn install_family(&self, load: Load, selector: Selector, mut slot: FamilySlot) {
        let mut stripe = self.stripe(load.key);
        if !stripe.accepts(load) {
            return;
        }
        if stripe.families.len() >= STRIPE_SLOTS_MAX {
            stripe.families.clear();
        }
        if let Some(before) = stripe.families.get(&selector) {
            slot.seen = slot.seen.max(before.seen);
            slot.seen_kept = slot.seen_kept.max(before.seen_kept);
        }
        stripe.families.insert(selector, slot);
    }

    pub(super) fn install_gate(&self, load: Load, account: AccountId, epoch: u64) {
        let mut stripe = self.stripe(load.key);
        if !stripe.accepts(load) {
            return;
        }
        if stripe.gates.len() >= STRIPE_SLOTS_MAX {
            stripe.gates.clear();
        }
        stripe.gates.insert(account, epoch);
    }

    /// Activity that is known here; `kept` if the store has it too.
    pub(super) fn touch(&self, selector: Selector, at: Timestamp, kept: bool) {
        if let Some(slot) = self
            .stripe(SlotKey::Family(selector))
            .families
            .get_mut(&selector)
        {
            slot.seen = slot.seen.max(at);
            if kept {
                slot.seen_kept = slot.seen_kept.max(at);
            }
        }
    }

    /// `proof` is that of the token of `digest`.
    pub(super) fn prove(&self, selector: Selector, digest: &[u8; 32], proof: [u8; 16]) {
        let mut stripe = self.stripe(SlotKey::Family(selector));
        if let Some(slot) = stripe.families.get_mut(&selector)
            && slot.token_digest == *digest
        {
            slot.proof = Some(proof);
        }
    }

    /// Opens an attempt on every gate and family that `changes` writes.
    pub(super) fn begin(&self, changes: &ChangeSet) -> Attempt<'_> {
        let keys = SlotKey::written_by(changes);
        for key in &keys {
            let mut stripe = self.stripe(*key);
            stripe.seq += 1;
            stripe.pending += 1;
            match key {
                SlotKey::Family(selector) => {
                    stripe.families.remove(selector);
                }
                SlotKey::Gate(account) => {
                    stripe.gates.remove(account);
                }
            }
        }
        Attempt { table: self, keys }
    }

    /// What is in doubt in the stripe of `key`.
    pub(super) fn doubts(&self, key: SlotKey) -> Vec<SlotKey> {
        self.stripe(key).doubts.keys().copied().collect()
    }

    /// How many doubts there are about `key` itself.
    pub(super) fn doubts_about(&self, key: SlotKey) -> u32 {
        self.stripe(key).doubts.get(&key).copied().unwrap_or(0)
    }

    /// So many doubts about `key` are settled: what was in flight then cannot land any more.
    pub(super) fn resolve(&self, key: SlotKey, count: u32) {
        let mut stripe = self.stripe(key);
        let held = stripe.doubts.get(&key).copied().unwrap_or(0);
        let settled = held.min(count);
        stripe.pending = stripe.pending.saturating_sub(settled);
        match held - settled {
            0 => stripe.doubts.remove(&key),
            left => stripe.doubts.insert(key, left),
        };
    }
}

impl Stripe {
    fn accepts(&self, load: Load) -> bool {
        load.quiet && self.pending == 0 && self.seq == load.seq
    }
}

/// A commit under way. Dropped without a known outcome, it leaves a doubt behind.
#[derive(Debug)]
#[must_use = "an attempt that is not settled leaves a doubt"]
pub(super) struct Attempt<'a> {
    table: &'a SessionTable,
    keys: Vec<SlotKey>,
}

impl Attempt<'_> {
    /// The store said what became of it.
    pub(super) fn settle(mut self) {
        for key in std::mem::take(&mut self.keys) {
            let mut stripe = self.table.stripe(key);
            stripe.pending = stripe.pending.saturating_sub(1);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        for key in &self.keys {
            *self.table.stripe(*key).doubts.entry(*key).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELECTOR: Selector = Selector::from_bytes([7; 16]);

    fn slot(digest: u8) -> FamilySlot {
        FamilySlot {
            token_key: 1,
            token_digest: [digest; 32],
            proof: None,
            account: AccountId::from_bytes([1; 16]),
            session_epoch: 1,
            started_at: Timestamp::default(),
            authenticated_at: Timestamp::default(),
            inactivity_ms: 1,
            seen: Timestamp::default(),
            seen_kept: Timestamp::default(),
        }
    }

    #[test]
    fn a_proof_is_kept_for_the_token_it_is_of_alone() {
        let table = SessionTable::new();
        let install = |digest| {
            let load = table.begin_load(SlotKey::Family(SELECTOR));
            table.install_family(load, SELECTOR, slot(digest));
        };
        let proof = || table.family(SELECTOR).and_then(|slot| slot.proof);
        install(1);
        table.prove(SELECTOR, &[1; 32], [9; 16]);
        assert_eq!(proof(), Some([9; 16]));
        install(2);
        assert_eq!(proof(), None, "another token");
        table.prove(SELECTOR, &[1; 32], [9; 16]);
        assert_eq!(proof(), None, "a check of the token before comes late");
    }
}
