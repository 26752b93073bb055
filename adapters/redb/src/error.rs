//! Why a store did not open, and what to do about it.

use std::io;

use redb::{DatabaseError, StorageError};

/// Why a store did not open. Each message says what to do; none shows any record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another handle of this one, has it open.
    #[error(
        "{place} is in use: a store is open in one process at a time. \
         Stop that process, or send the command to it"
    )]
    InUse {
        /// Which store.
        place: String,
    },
    /// The file or its directory may not be read and written.
    #[error(
        "{place} may not be read and written by this user ({source}). \
         Run as the user it belongs to, or give it to this user"
    )]
    NoPermission {
        /// Which store.
        place: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The directory it should be in does not exist; or, when a store that was open is opened
    /// again, the file is gone.
    #[error("{place} is not there and cannot be made ({source}). Make its directory first")]
    Missing {
        /// Which store.
        place: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something else is under this name. It was left alone.
    #[error(
        "{place} is not a narthex store; it was left as it is. Choose another name for the store"
    )]
    NotAStore {
        /// Which file.
        place: String,
    },
    /// Its contents do not fit together.
    #[error(
        "{place} is damaged ({message}). Keep a copy of it, check the disk, \
         and restore the latest backup"
    )]
    Damaged {
        /// Which store.
        place: String,
        /// What does not fit.
        message: String,
    },
    /// A later narthex wrote it.
    #[error(
        "{place} has format {found}; this narthex knows formats up to {known}. \
         Use a narthex at least as new as the one that wrote it"
    )]
    NewerFormat {
        /// Which store.
        place: String,
        /// The format it has.
        found: u64,
        /// The newest format known here.
        known: u64,
    },
    /// The disk failed, or is full.
    #[error(
        "{place} cannot be opened: {message}. Check the disk and its free space, and try again"
    )]
    Failed {
        /// Which store.
        place: String,
        /// What failed.
        message: String,
    },
}

impl OpenError {
    /// Sorts what the operating system said about `place`.
    pub(crate) fn from_io(place: &str, source: io::Error) -> Self {
        let place = place.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NoPermission { place, source }
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Self::Missing { place, source }
            }
            // How redb says that the first bytes are not its own.
            io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory => Self::NotAStore { place },
            // The file ends before what its own header says.
            io::ErrorKind::UnexpectedEof => Self::Damaged {
                place,
                message: "it is shorter than it says".to_owned(),
            },
            _ => Self::Failed {
                place,
                message: source.to_string(),
            },
        }
    }

    /// Sorts what redb said about `place`.
    pub(crate) fn from_redb(place: &str, error: DatabaseError) -> Self {
        let place = place.to_owned();
        match error {
            DatabaseError::DatabaseAlreadyOpen
            | DatabaseError::LockProtocolMismatch
            | DatabaseError::TransactionInProgress => Self::InUse { place },
            DatabaseError::Storage(StorageError::Io(source)) => Self::from_io(&place, source),
            DatabaseError::Storage(StorageError::Corrupted(message)) => {
                Self::Damaged { place, message }
            }
            // Only versions of redb that no narthex was ever built with write other formats.
            DatabaseError::UpgradeRequired(_) => Self::NotAStore { place },
            other => Self::Failed {
                place,
                message: other.to_string(),
            },
        }
    }

    /// Sorts what a transaction said about `place`.
    pub(crate) fn from_transaction(place: &str, error: redb::Error) -> Self {
        let place = place.to_owned();
        match error {
            redb::Error::Io(source) => Self::from_io(&place, source),
            redb::Error::Corrupted(message) => Self::Damaged { place, message },
            other => Self::Failed {
                place,
                message: other.to_string(),
            },
        }
    }
}
