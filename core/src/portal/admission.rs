//! Places in the hash queue, shared out: the work asked for in one identity's name, right or wrong, never
//! fills the queue that everybody waits in (TH-09, CC-02).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Inner, Portal};
use crate::error::Result;
use crate::host::{AdmittedHash, QueueFull};
use crate::model::EntryKey;

/// Places in the hash queue that one identity holds at a time, known to the roster or not.
pub const HASH_PLACES_PER_IDENTITY_MAX: u32 = 16;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How many places each identity holds now; an identity without any is not in here.
#[derive(Debug, Default)]
pub(super) struct HashPlaces(Mutex<HashMap<EntryKey, u32>>);

impl HashPlaces {
    fn held(&self) -> MutexGuard<'_, HashMap<EntryKey, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue; dropping it gives it back.
pub(super) struct Admission {
    hash: Box<dyn AdmittedHash>,
    inner: Arc<Inner>,
    entry: EntryKey,
}

impl Admission {
    pub(super) fn hash(&self) -> &dyn AdmittedHash {
        &*self.hash
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut held = self.inner.places.held();
        match held.get_mut(&self.entry) {
            Some(places) if *places > 1 => *places -= 1,
            _ => {
                held.remove(&self.entry);
            }
        }
    }
}

impl Portal {
    /// Comes before every budget: who is turned away here has been charged nothing.
    pub(super) fn admit(&self, entry: &EntryKey) -> Result<Admission> {
        let mut held = self.0.places.held();
        let places = held.get(entry).copied().unwrap_or(0);
        if places >= HASH_PLACES_PER_IDENTITY_MAX {
            return Err(QueueFull {
                retry_after: RETRY_AFTER,
            }
            .into());
        }
        let hash = self.hasher().admit()?;
        held.insert(*entry, places + 1);
        Ok(Admission {
            hash,
            inner: Arc::clone(&self.0),
            entry: *entry,
        })
    }
}
