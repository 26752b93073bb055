//! How a backup is written (*format*): the items of a [`Snapshot`], whichever store they come from and
//! whichever they go to. No keys are in it: what is secret in a record is sealed or digested, and stays
//! so.
//!
//! ```text
//! "narthex backup 1\n"
//! made at: u64 milliseconds
//! key purposes and current ids: for each purpose u32
//! items, in order: kind u8 (1 record, 2 cell, 3 event), path (u16 length), and
//!     a record or an event (u32 length), or a cell (u64)
//! end: kind 0, count u64, SHA-256 of all before, HMAC of that digest under the key for tags
//! ```
//!
//! Integers are little-endian. The digest tells damage; the HMAC tells whether these are the keys, and
//! whether somebody made a backup of their own. Both are known before the first item is taken: a reader
//! goes through the file twice.

use std::io::{self, BufRead, ErrorKind, Write};

use sha2::{Digest, Sha256};

use super::snapshot::{Item, Kept, Snapshot};
use super::{KEY_BYTES_MAX, Key, RECORD_BYTES_MAX, Record, Space, StoreError};
use crate::host::{KeyError, KeyPurpose, KeyRing};
use crate::model::Timestamp;
use crate::secret::same_digest;

const MAGIC: &[u8; 17] = b"narthex backup 1\n";
const MAGIC_OF_ANY: &[u8] = b"narthex backup ";
const END: u8 = 0;

/// Why a backup was not made or not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file could not be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key is missing.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Something else.
    #[error("this is not a narthex backup")]
    NotABackup,
    /// Written by a later narthex.
    #[error(
        "this backup has a newer format: use a narthex at least as new as the one that wrote it"
    )]
    NewerFormat,
    /// Cut off, or changed since it was written.
    #[error("this backup is damaged ({0}): use another one")]
    Damaged(&'static str),
    /// Made under another key file, or by somebody else.
    #[error(
        "this backup was not made with these keys: say which key file with --to-keys, the one that \
         was in use when the backup was made"
    )]
    OtherKeys,
    /// The store that should take it is not empty.
    #[error("the store is not empty: a backup is restored into a new store only")]
    NotEmpty,
}

/// What a backup says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// When it was made.
    pub made_at: Timestamp,
    /// The incarnation of the store it was made of: sessions of it are not revived.
    pub incarnation: u32,
}

/// How many items there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records.
    pub records: u64,
    /// Cells.
    pub cells: u64,
    /// Events.
    pub events: u64,
}

impl Counts {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.records + self.cells + self.events
    }

    /// One more.
    pub fn count(&mut self, item: &Item) {
        match item.kept {
            Kept::Record(_) => self.records += 1,
            Kept::Cell(_) => self.cells += 1,
            Kept::Event(_) => self.events += 1,
        }
    }
}

/// Writes all of `snapshot` to `out`; `progress` hears how many items are done.
///
/// # Errors
/// The store or the file failed; what was written then is not a backup.
pub fn write(
    snapshot: &mut dyn Snapshot,
    keys: &KeyRing,
    made_at: Timestamp,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Counts, BackupError> {
    let mut out = Summing::new(out);
    out.write_all(MAGIC)?;
    out.write_all(&made_at.as_millis().to_le_bytes())?;
    for purpose in KeyPurpose::ALL {
        out.write_all(&keys.current(purpose).to_le_bytes())?;
    }
    let mut counts = Counts::default();
    loop {
        let page = snapshot.next_page()?;
        if page.is_empty() {
            break;
        }
        for item in &page {
            write_item(item, &mut out)?;
            counts.count(item);
        }
        progress(counts.all());
    }
    out.write_all(&[END])?;
    out.write_all(&counts.all().to_le_bytes())?;
    let digest = out.digest();
    out.inner.write_all(&digest)?;
    let id = keys.current(KeyPurpose::Tags);
    out.inner.write_all(&proof(keys, id, &digest)?)?;
    out.inner.flush()?;
    Ok(counts)
}

fn proof(keys: &KeyRing, id: u32, digest: &[u8; 32]) -> Result<[u8; 32], KeyError> {
    keys.mac(KeyPurpose::Tags, id, &[b"backup", digest])
}

fn write_item(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let too_long = || io::Error::new(ErrorKind::InvalidData, "a key or a record is too long");
    let path = u16::try_from(item.path.len()).map_err(|_| too_long())?;
    out.write_all(&[match item.kept {
        Kept::Record(_) => 1,
        Kept::Cell(_) => 2,
        Kept::Event(_) => 3,
    }])?;
    out.write_all(&path.to_le_bytes())?;
    out.write_all(item.path.as_bytes())?;
    match &item.kept {
        Kept::Cell(value) => out.write_all(&value.to_le_bytes()),
        Kept::Record(record) | Kept::Event(record) => {
            let length = u32::try_from(record.0.len()).map_err(|_| too_long())?;
            out.write_all(&length.to_le_bytes())?;
            out.write_all(&record.0)
        }
    }
}

/// Digests what passes through.
struct Summing<T> {
    inner: T,
    sum: Sha256,
}

impl<T> Summing<T> {
    fn new(inner: T) -> Self {
        let sum = Sha256::new();
        Self { inner, sum }
    }

    fn digest(&self) -> [u8; 32] {
        self.sum.clone().finalize().into()
    }
}

impl<T: Write> Write for Summing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        if let Some(written) = bytes.get(..written) {
            self.sum.update(written);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads a backup, item by item. What it gives is only known to be good once [`Reader::next_item`] has
/// said that there is no more; see [`verify`].
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    sum: Sha256,
    header: Header,
    counts: Counts,
    last: Option<(Space, String)>,
    end: Option<[u8; 64]>,
}

impl<R: BufRead> Reader<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// It is no backup, or one of a later format.
    pub fn new(input: R) -> Result<Self, BackupError> {
        let nothing = Header {
            made_at: Timestamp::default(),
            incarnation: 0,
        };
        let mut reader = Self {
            input,
            sum: Sha256::new(),
            header: nothing,
            counts: Counts::default(),
            last: None,
            end: None,
        };
        let magic: [u8; MAGIC.len()] = reader.take().map_err(|error| match error {
            BackupError::Damaged(_) => BackupError::NotABackup,
            other => other,
        })?;
        if &magic != MAGIC {
            let ours = magic.starts_with(MAGIC_OF_ANY);
            return Err(match ours {
                true => BackupError::NewerFormat,
                false => BackupError::NotABackup,
            });
        }
        reader.header.made_at = Timestamp::from_millis(reader.u64()?);
        for purpose in KeyPurpose::ALL {
            let id = u32::from_le_bytes(reader.take()?);
            if purpose == KeyPurpose::TokenDigest {
                reader.header.incarnation = id;
            }
        }
        Ok(reader)
    }

    /// What the backup says of itself.
    pub fn header(&self) -> Header {
        self.header
    }

    /// How many items were read so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The next item; `None` after the last, once the digest has been found right.
    ///
    /// # Errors
    /// The file could not be read, or is damaged.
    pub fn next_item(&mut self) -> Result<Option<Item>, BackupError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let [kind] = self.take()?;
        if kind == END {
            self.finish()?;
            return Ok(None);
        }
        let path = self.path()?;
        let kept = match kind {
            1 => Kept::Record(self.record()?),
            2 => Kept::Cell(self.u64()?),
            3 => Kept::Event(self.record()?),
            _ => return Err(BackupError::Damaged("an item of no known kind")),
        };
        let item = Item { path, kept };
        self.in_order(&item)?;
        self.counts.count(&item);
        Ok(Some(item))
    }

    fn path(&mut self) -> Result<String, BackupError> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        if length > KEY_BYTES_MAX {
            return Err(BackupError::Damaged("a key that is too long"));
        }
        let path = String::from_utf8(self.bytes(length)?);
        path.map_err(|_| BackupError::Damaged("a key that is not text"))
    }

    fn record(&mut self) -> Result<Record, BackupError> {
        let length = u32::from_le_bytes(self.take()?);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > RECORD_BYTES_MAX {
            return Err(BackupError::Damaged("a record that is too long"));
        }
        Ok(Record(self.bytes(length)?))
    }

    /// One way to write each state: spaces and paths in order, none twice.
    fn in_order(&mut self, item: &Item) -> Result<(), BackupError> {
        let place = (item.space(), item.path.clone());
        if !Key::new(place.0, place.1.as_str()).is_valid() {
            return Err(BackupError::Damaged("a key that no store takes"));
        }
        if self.last.as_ref().is_some_and(|last| *last >= place) {
            return Err(BackupError::Damaged("its items are not in order"));
        }
        self.last = Some(place);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BackupError> {
        if self.u64()? != self.counts.all() {
            return Err(BackupError::Damaged("items are missing"));
        }
        let digest: [u8; 32] = self.sum.clone().finalize().into();
        let end: [u8; 64] = self.take()?;
        if end.first_chunk() != Some(&digest) {
            return Err(BackupError::Damaged("its digest does not fit"));
        }
        if !self.input.fill_buf()?.is_empty() {
            return Err(BackupError::Damaged("something comes after its end"));
        }
        self.end = Some(end);
        Ok(())
    }

    fn u64(&mut self) -> Result<u64, BackupError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, BackupError> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        self.input.read_exact(bytes).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => BackupError::Damaged("it ends too early"),
            _ => BackupError::Io(e),
        })?;
        self.sum.update(bytes);
        Ok(())
    }
}

/// Reads all of a backup and says whether it is whole and was made with `keys`.
///
/// # Errors
/// It is damaged, made with other keys, or no backup.
pub fn verify(input: impl BufRead, keys: &KeyRing) -> Result<(Header, Counts), BackupError> {
    let mut reader = Reader::new(input)?;
    while reader.next_item()?.is_some() {}
    let end = reader.end.ok_or(BackupError::Damaged("it has no end"))?;
    let (Some(digest), Some(told)) = (end.first_chunk::<32>(), end.last_chunk::<32>()) else {
        return Err(BackupError::Damaged("it has no end"));
    };
    // With any of the keys: a backup outlives a rotation.
    for id in keys.ids(KeyPurpose::Tags) {
        if same_digest(&proof(keys, id, digest)?, told) {
            return Ok((reader.header, reader.counts));
        }
    }
    Err(BackupError::OtherKeys)
}
