//! A disk in memory that fails, fills up, stalls and loses its power when told to.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use narthex_redb::RedbStore;
use redb::{Builder, StorageBackend};

use crate::random::Random;

/// Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
    released: Arc<Condvar>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// What is read.
    contents: Vec<u8>,
    /// What survives a power cut.
    flushed: Vec<u8>,
    /// What a power cut may keep or lose, piece by piece.
    unflushed: Vec<Change>,
    /// Flushes that succeeded.
    pub(crate) flushes: u64,
    /// How long a flush takes.
    pub(crate) flush_time: Duration,
    /// Flushes wait while this is set.
    pub(crate) held: bool,
    /// A flush waits.
    waiting: bool,
    /// Every change and flush fails while this is set.
    pub(crate) broken: bool,
    /// Every change and flush panics while this is set.
    pub(crate) panics: bool,
    /// The change or flush after so many others fails, once.
    pub(crate) fails_after: Option<u64>,
    /// Greater contents do not fit.
    pub(crate) room: Option<u64>,
}

impl State {
    /// Whether a flush waits to be released.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting
    }
}

#[derive(Clone, Debug)]
enum Change {
    Length(u64),
    Bytes(u64, Vec<u8>),
}

impl Disk {
    pub(crate) fn open(&self) -> RedbStore {
        let disk = self.clone();
        let open = move || Builder::new().create_with_backend(disk.clone());
        RedbStore::open_storage(open).unwrap()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A disk that was told to panic does so while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the flushes that wait go on.
    pub(crate) fn release(&self) {
        self.state().held = false;
        self.released.notify_all();
    }

    /// What a disk holds after losing its power now: all that was flushed, and of the rest any part;
    /// the last piece may be torn.
    pub(crate) fn after_a_power_cut(&self, random: &mut Random) -> Self {
        let state = self.state();
        let mut contents = state.flushed.clone();
        for change in &state.unflushed {
            match random.below(3) {
                0 => {}
                1 => apply(&mut contents, change),
                _ => apply(&mut contents, &torn(change, random)),
            }
        }
        Self {
            state: Arc::new(Mutex::new(State {
                flushed: contents.clone(),
                contents,
                ..State::default()
            })),
            released: Arc::default(),
        }
    }

    fn before_change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        assert!(!state.panics, "the disk was told to panic");
        let fails = state.broken || state.fails_after == Some(0);
        state.fails_after = state.fails_after.and_then(|n| n.checked_sub(1));
        if fails { Err(failure()) } else { Ok(state) }
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.before_change()?;
        let end = match &change {
            Change::Length(length) => *length,
            Change::Bytes(offset, bytes) => offset + bytes.len() as u64,
        };
        if state.room.is_some_and(|room| end > room) {
            return Err(ErrorKind::StorageFull.into());
        }
        apply(&mut state.contents, &change);
        state.unflushed.push(change);
        Ok(())
    }
}

fn failure() -> io::Error {
    io::Error::other("the disk was told to fail")
}

fn apply(contents: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => contents.resize(usize::try_from(*length).unwrap(), 0),
        Change::Bytes(offset, bytes) => {
            let start = usize::try_from(*offset).unwrap();
            let end = start + bytes.len();
            if contents.len() < end {
                contents.resize(end, 0);
            }
            contents[start..end].copy_from_slice(bytes);
        }
    }
}

/// Sectors of 512 bytes are written whole, but not all of them.
fn torn(change: &Change, random: &mut Random) -> Change {
    match change {
        Change::Bytes(offset, bytes) if bytes.len() > 512 => {
            let sectors = random.below(bytes.len() as u64 / 512);
            let kept = usize::try_from(sectors * 512).unwrap();
            Change::Bytes(*offset, bytes[..kept].to_vec())
        }
        other => other.clone(),
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().contents.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let start = usize::try_from(offset).unwrap();
        let found = state.contents.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let time = self.state().flush_time;
        if !time.is_zero() {
            std::thread::sleep(time);
        }
        let mut state = self.before_change()?;
        state.waiting = state.held;
        // A test that fails while it holds a flush must end all the same.
        let patience = Duration::from_secs(20);
        let held = |state: &mut State| state.held;
        let (mut state, _) = self
            .released
            .wait_timeout_while(state, patience, held)
            .unwrap();
        state.waiting = false;
        state.flushed = state.contents.clone();
        state.unflushed.clear();
        state.flushes += 1;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Bytes(offset, data.to_vec()))
    }
}
