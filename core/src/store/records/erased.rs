//! What is left of a person who was erased.

use super::{Stored, VERSION};
use crate::model::Timestamp;
use crate::store::codec::{DecodeError, Reader, Writer};
use crate::store::{Key, Record};

/// Under the keyed digest of a number, or of a row of a source, that named a person who was erased: no
/// import brings them back, and the number names nobody else without a human's decision. It says
/// nothing of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// When.
    pub at: Timestamp,
    /// The digests that were left in the same place: let go together.
    pub with: Vec<[u8; 32]>,
}

/// `erased/<keyed digest>`.
pub fn erased_key(digest: &[u8; 32]) -> Key {
    Key::record(format!("erased/{}", data_encoding::HEXLOWER.encode(digest)))
}

impl Stored for Erased {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.time(self.at).list(&self.with, |w, digest| {
            w.fixed(digest);
        });
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let erased = Self {
            at: r.time()?,
            with: r.list(Reader::fixed)?,
        };
        r.finish()?;
        Ok(erased)
    }
}
