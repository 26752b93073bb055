//! How records are written (*format*): one version byte, one key id, then fields in order.
//!
//! Integers are little-endian, byte strings carry a `u32` length, options and enums one byte. A reader
//! takes exactly what the writer wrote: a byte too many or too few is an error, never a guess.

use crate::model::{AccountId, Timestamp};

/// Why a record was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer narthex, or not a record of this kind.
    #[error("the record has version {0}, which this version of narthex does not know")]
    Version(u8),
    /// Shorter, longer or other than the format says.
    #[error("the record is damaged")]
    Damaged,
}

/// Writes the fields of one record.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins a record of `version`, whose digests or seals were made with `key_id` (0: with none).
    pub fn new(version: u8, key_id: u32) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.push(version);
        bytes.extend_from_slice(&key_id.to_le_bytes());
        Self(bytes)
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Milliseconds as eight bytes.
    pub fn time(&mut self, value: Timestamp) -> &mut Self {
        self.u64(value.as_millis())
    }

    /// Bytes of a length the reader knows.
    pub fn fixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A length, then bytes. (A record longer than the store takes is refused there.)
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.fixed(bytes)
    }

    /// A length, then UTF-8.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// A byte 0 or 1, then the value.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
        self
    }

    /// A count, then each item.
    pub fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.u32(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for item in items {
            write(self, item);
        }
        self
    }

    /// The finished record.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    key_id: u32,
}

impl<'a> Reader<'a> {
    /// Begins a record that must have `version`.
    ///
    /// # Errors
    /// Another version, or nothing there.
    pub fn new(bytes: &'a [u8], version: u8) -> Result<Self, DecodeError> {
        let mut reader = Self {
            rest: bytes,
            key_id: 0,
        };
        let found = reader.u8()?;
        if found != version {
            return Err(DecodeError::Version(found));
        }
        reader.key_id = reader.u32()?;
        Ok(reader)
    }

    /// Begins a record of `version` that holds nothing made with a key.
    ///
    /// # Errors
    /// Another version, nothing there, or a key id where none belongs.
    pub fn without_key(bytes: &'a [u8], version: u8) -> Result<Self, DecodeError> {
        let reader = Self::new(bytes, version)?;
        if reader.key_id == 0 {
            Ok(reader)
        } else {
            Err(DecodeError::Damaged)
        }
    }

    /// The id of the key that the record's digests or seals were made with.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// One byte.
    ///
    /// # Errors
    /// The record ends here; as in every method below.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.fixed()?))
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.fixed()?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.fixed()?))
    }

    /// Milliseconds.
    pub fn time(&mut self) -> Result<Timestamp, DecodeError> {
        self.u64().map(Timestamp::from_millis)
    }

    /// An account id.
    pub fn account(&mut self) -> Result<AccountId, DecodeError> {
        self.fixed().map(AccountId::from_bytes)
    }

    /// Bytes of a known length.
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Damaged)?;
        self.rest = rest;
        Ok(*head)
    }

    /// A length, then bytes.
    pub fn bytes(&mut self) -> Result<Vec<u8>, DecodeError> {
        let length = usize::try_from(self.u32()?).map_err(|_| DecodeError::Damaged)?;
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(DecodeError::Damaged)?;
        self.rest = rest;
        Ok(head.to_vec())
    }

    /// A length, then UTF-8.
    pub fn text(&mut self) -> Result<String, DecodeError> {
        String::from_utf8(self.bytes()?).map_err(|_| DecodeError::Damaged)
    }

    /// A byte 0 or 1, then the value.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(DecodeError::Damaged),
        }
    }

    /// A count, then each item. Grows with what is really there, not with what the count promises.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.u32()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    /// The record must end here.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Damaged)
        }
    }
}
