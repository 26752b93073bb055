//! Where the files of a roster come from: a folder, a zip, or memory. Nothing is ever written to
//! disk.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    rc::Rc,
};

use zip::{ZipArchive, result::ZipError};

use crate::{
    error::ReadError,
    limits::{Limits, file_too_large},
};

/// A set of named files. A custom source may list a name twice; such a roster is refused.
pub trait FileSource {
    /// The names of all files, with `/` between folders.
    ///
    /// # Errors
    /// The listing cannot be read, or is over [`Limits::files_max`].
    fn names(&mut self, limits: &Limits) -> Result<Vec<String>, ReadError>;

    /// The bytes of one file, streamed.
    ///
    /// # Errors
    /// There is no such file, it cannot be read, or declares to be over a cap.
    fn open<'a>(&'a mut self, name: &str, limits: &Limits)
    -> Result<Box<dyn Read + 'a>, ReadError>;
}

/// Files held in memory: for tests, and for what came over a network.
impl FileSource for BTreeMap<String, Vec<u8>> {
    fn names(&mut self, limits: &Limits) -> Result<Vec<String>, ReadError> {
        check_count(self.len() as u64, limits)?;
        Ok(self.keys().cloned().collect())
    }

    fn open<'a>(&'a mut self, name: &str, _: &Limits) -> Result<Box<dyn Read + 'a>, ReadError> {
        match self.get(name) {
            Some(bytes) => Ok(Box::new(bytes.as_slice())),
            None => Err(not_found(name)),
        }
    }
}

/// The files directly in a folder.
pub(crate) struct Folder(pub(crate) PathBuf);

impl FileSource for Folder {
    fn names(&mut self, limits: &Limits) -> Result<Vec<String>, ReadError> {
        let mut names = Vec::new();
        for entry in self
            .0
            .read_dir()
            .map_err(|source| open_failed(&self.0, source))?
        {
            let entry = entry.map_err(|source| open_failed(&self.0, source))?;
            // Through links, but never a pipe or a device: those may have no end.
            if std::fs::metadata(entry.path()).is_ok_and(|found| found.is_file())
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
                check_count(names.len() as u64, limits)?;
            }
        }
        names.sort();
        Ok(names)
    }

    fn open<'a>(&'a mut self, name: &str, _: &Limits) -> Result<Box<dyn Read + 'a>, ReadError> {
        let path = self.0.join(name);
        match File::open(&path) {
            Ok(file) => Ok(Box::new(file)),
            Err(source) => Err(open_failed(&path, source)),
        }
    }
}

/// One file by itself.
pub(crate) struct OneFile(pub(crate) PathBuf);

impl FileSource for OneFile {
    fn names(&mut self, limits: &Limits) -> Result<Vec<String>, ReadError> {
        let length = std::fs::metadata(&self.0).map_err(|source| open_failed(&self.0, source))?;
        if length.len() > limits.file_bytes_max {
            return Err(file_too_large(&self.0.display().to_string(), limits));
        }
        let name = self.0.file_name().unwrap_or_default();
        Ok(vec![name.to_string_lossy().into_owned()])
    }

    fn open<'a>(&'a mut self, _: &str, _: &Limits) -> Result<Box<dyn Read + 'a>, ReadError> {
        match File::open(&self.0) {
            Ok(file) => Ok(Box::new(file)),
            Err(source) => Err(open_failed(&self.0, source)),
        }
    }
}

/// Bytes that may be read to list a zip, for each file it may hold and for the search of the list.
const LISTING_BYTES_PER_FILE: u64 = 1 << 10;
const LISTING_BYTES: u64 = 1 << 20;

/// Packed sizes below this count as this: a short file of one repeated line is no attack.
const RATIO_BYTES_MIN: u64 = 4 << 10;

/// The files of a zip.
pub(crate) struct Zip<R> {
    archive: ZipArchive<Metered<R>>,
    /// In the order of the archive.
    names: Vec<String>,
}

impl<R: Read + Seek> Zip<R> {
    /// Lists the zip. What it declares about itself is not trusted: the listing stops after so many
    /// bytes as the files allowed can need.
    pub(crate) fn open(mut reader: R, limits: &Limits) -> Result<Self, ReadError> {
        let zip_failed = |error: ZipError| zip_failed(&error);
        let length = reader
            .seek(SeekFrom::End(0))
            .map_err(|e| zip_failed(e.into()))?;
        if length > limits.zip_bytes_max {
            return Err(ReadError::TooLarge {
                file: "the zip".to_owned(),
                what: "bytes",
                limit: limits.zip_bytes_max,
                name: "zip_bytes_max",
            });
        }
        let room = limits.files_max.saturating_mul(LISTING_BYTES_PER_FILE);
        let left = Rc::new(Cell::new(Some(room.saturating_add(LISTING_BYTES))));
        let metered = Metered {
            inner: reader,
            left: Rc::clone(&left),
        };
        let archive = match ZipArchive::new(metered) {
            Err(_) if left.get() == Some(0) => return Err(too_many_files(limits)),
            archive => archive.map_err(zip_failed)?,
        };
        left.set(None);
        check_count(archive.len() as u64, limits)?;
        if archive.has_duplicate_names() {
            return Err(ReadError::Zip {
                reason: "two of its files have one name".to_owned(),
            });
        }
        let names = archive
            .file_names_raw()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        Ok(Self { archive, names })
    }
}

impl<R: Read + Seek> FileSource for Zip<R> {
    fn names(&mut self, _: &Limits) -> Result<Vec<String>, ReadError> {
        Ok(self.names.clone())
    }

    fn open<'a>(
        &'a mut self,
        name: &str,
        limits: &Limits,
    ) -> Result<Box<dyn Read + 'a>, ReadError> {
        let index = self.names.iter().position(|known| known == name);
        let index = index.ok_or_else(|| not_found(name))?;
        let file = self
            .archive
            .by_index(index)
            .map_err(|error| zip_failed(&error))?;
        if file.size() > limits.file_bytes_max {
            return Err(file_too_large(name, limits));
        }
        let packed = file.compressed_size().max(RATIO_BYTES_MIN);
        if file.size() / packed > limits.ratio_max {
            return Err(ReadError::TooLarge {
                file: name.to_owned(),
                what: "times its packed size",
                limit: limits.ratio_max,
                name: "ratio_max",
            });
        }
        Ok(Box::new(file))
    }
}

/// A reader that gives only so many bytes while there is a budget.
struct Metered<R> {
    inner: R,
    left: Rc<Cell<Option<u64>>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(left) = self.left.get() {
            let left = left.saturating_sub(count as u64);
            self.left.set(Some(left));
            if left == 0 {
                return Err(io::Error::other("the list of files is too long"));
            }
        }
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

fn check_count(files: u64, limits: &Limits) -> Result<(), ReadError> {
    if files <= limits.files_max {
        return Ok(());
    }
    Err(too_many_files(limits))
}

fn too_many_files(limits: &Limits) -> ReadError {
    ReadError::TooLarge {
        file: "the roster".to_owned(),
        what: "files",
        limit: limits.files_max,
        name: "files_max",
    }
}

pub(crate) fn open_failed(path: &Path, source: io::Error) -> ReadError {
    ReadError::Open {
        path: path.to_owned(),
        source,
    }
}

fn not_found(name: &str) -> ReadError {
    ReadError::Read {
        file: name.to_owned(),
        source: io::ErrorKind::NotFound.into(),
    }
}

fn zip_failed(error: &ZipError) -> ReadError {
    ReadError::Zip {
        reason: error.to_string(),
    }
}
