//! Caps on everything an input can make large. Bytes are counted while they come out of the zip:
//! what its headers declare is believed only where it is already too much.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use crate::error::ReadError;

/// What a roster may hold at most. The defaults fit a district of a million people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a zip, as it is.
    pub zip_bytes_max: u64,
    /// All bytes that are unpacked and read, together.
    pub total_bytes_max: u64,
    /// Bytes of one file, unpacked.
    pub file_bytes_max: u64,
    /// How many times its packed size a file of a zip may unpack to. Rosters stay below 50; deflate
    /// itself reaches 1,032.
    pub ratio_max: u64,
    /// Files in the folder or zip, those that are not read included.
    pub files_max: u64,
    /// Data rows of one file.
    pub rows_max: u64,
    /// Bytes of one row, line breaks inside quotes included; a longer row is left out.
    pub row_bytes_max: usize,
    /// Bytes of one value; a row with a longer one is left out.
    pub field_bytes_max: usize,
    /// Columns of one file.
    pub columns_max: usize,
    /// Findings of one code in one file that are listed; the others are only counted.
    pub findings_per_code_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            zip_bytes_max: 512 << 20,
            total_bytes_max: 2 << 30,
            file_bytes_max: 1 << 30,
            ratio_max: 250,
            files_max: 1_000,
            rows_max: 5_000_000,
            row_bytes_max: 256 << 10,
            field_bytes_max: 64 << 10,
            columns_max: 500,
            findings_per_code_max: 1_000,
        }
    }
}

/// Counts the bytes of one file and, together with its sisters, of the whole roster.
pub(crate) struct Counted<R> {
    inner: R,
    file: String,
    file_left: u64,
    total_left: Rc<Cell<u64>>,
    limits: Limits,
}

impl<R: Read> Counted<R> {
    pub(crate) fn new(inner: R, file: &str, total_left: Rc<Cell<u64>>, limits: &Limits) -> Self {
        Self {
            inner,
            file: file.to_owned(),
            file_left: limits.file_bytes_max,
            total_left,
            limits: limits.clone(),
        }
    }

    fn charge(&mut self, bytes: u64) -> Result<(), ReadError> {
        self.file_left = self
            .file_left
            .checked_sub(bytes)
            .ok_or_else(|| file_too_large(&self.file, &self.limits))?;
        let left = self
            .total_left
            .get()
            .checked_sub(bytes)
            .ok_or_else(|| ReadError::TooLarge {
                file: "the roster".to_owned(),
                what: "bytes in all its files",
                limit: self.limits.total_bytes_max,
                name: "total_bytes_max",
            })?;
        self.total_left.set(left);
        Ok(())
    }
}

/// The refusal of one file.
pub(crate) fn file_too_large(file: &str, limits: &Limits) -> ReadError {
    ReadError::TooLarge {
        file: file.to_owned(),
        what: "bytes",
        limit: limits.file_bytes_max,
        name: "file_bytes_max",
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.charge(count as u64).map_err(io::Error::other)?;
        Ok(count)
    }
}

/// Brings back the refusal that travelled through `io::Error`.
pub(crate) fn from_io(error: io::Error, file: &str) -> ReadError {
    match error.downcast::<ReadError>() {
        Ok(refusal) => refusal,
        Err(source) => ReadError::Read {
            file: file.to_owned(),
            source,
        },
    }
}
