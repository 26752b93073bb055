//! The files of a roster on their way to a server, which may not be allowed to read them itself.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use narthex::oneroster::{self, ReadError, ReadOptions, Reading};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::failure::Failure;

/// The most that is sent, in bytes, before it is written as text.
const PACKAGE_BYTES_MAX: u64 = 256 << 20;

/// Where the files of a roster are.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Package {
    /// On the disk of this process. Never sent: a server opens no path that a client names.
    #[serde(skip)]
    Path(PathBuf),
    /// A zip, or a file by itself, with its name.
    File(String, Bytes),
    /// The CSV files of a folder.
    Folder(BTreeMap<String, Bytes>),
}

/// Bytes, as base64 in JSON.
pub(super) struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text.as_bytes());
        bytes.map(Self).map_err(serde::de::Error::custom)
    }
}

impl Package {
    /// Reads what is on the disk.
    pub(super) fn packed(self) -> Result<Self, Failure> {
        let Self::Path(path) = self else {
            return Ok(self);
        };
        let failed = |error: std::io::Error| {
            Failure::failed(format!("{} could not be read: {error}", path.display()))
        };
        let mut room = PACKAGE_BYTES_MAX;
        if !fs::metadata(&path).map_err(failed)?.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            return Ok(Self::File(name.into_owned(), take(&path, &mut room)?));
        }
        let mut files = BTreeMap::new();
        for entry in path.read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Through links, but never a pipe or a device: those may have no end.
            let is_file = fs::metadata(entry.path()).is_ok_and(|found| found.is_file());
            if let Ok(name) = entry.file_name().into_string()
                && is_file
                && name.to_ascii_lowercase().ends_with(".csv")
            {
                files.insert(name, take(&entry.path(), &mut room)?);
            }
        }
        Ok(Self::Folder(files))
    }

    /// Reads the roster.
    pub(super) fn read(self, options: &ReadOptions) -> Result<Reading, ReadError> {
        match self {
            Self::Path(path) => oneroster::read(&path, options),
            Self::File(_, bytes) if bytes.0.starts_with(b"PK") => {
                oneroster::read_zip(Cursor::new(bytes.0), options)
            }
            Self::File(name, bytes) => {
                oneroster::read_files(&mut BTreeMap::from([(name, bytes.0)]), options)
            }
            Self::Folder(files) => {
                let files = files.into_iter().map(|(name, bytes)| (name, bytes.0));
                oneroster::read_files(&mut files.collect::<BTreeMap<_, _>>(), options)
            }
        }
    }
}

fn take(path: &Path, room: &mut u64) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(*room + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        Failure::failed(format!("{} could not be read: {error}", path.display()))
    })?;
    *room = room.checked_sub(bytes.len() as u64).ok_or_else(|| {
        Failure::failed(format!(
            "the roster is larger than the {} MiB that a running server takes: zip it, or stop \
             the server, import, and start it again",
            PACKAGE_BYTES_MAX >> 20
        ))
    })?;
    Ok(Bytes(bytes))
}
