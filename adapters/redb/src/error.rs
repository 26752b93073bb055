//! What redb and the operating system say, as the reasons that every store gives.

use std::io;

use narthex_core::store::OpenError;
use redb::{DatabaseError, StorageError};

/// Sorts what the operating system said about `place`.
pub(crate) fn from_io(place: &str, source: io::Error) -> OpenError {
    let place = place.to_owned();
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::NoPermission { place, source }
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            OpenError::Missing { place, source }
        }
        // How redb says that the first bytes are not its own.
        io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory => OpenError::NotAStore { place },
        // The file ends before what its own header says.
        io::ErrorKind::UnexpectedEof => OpenError::Damaged {
            place,
            message: "it is shorter than it says".to_owned(),
        },
        _ => OpenError::Failed {
            place,
            message: source.to_string(),
        },
    }
}

/// Sorts what redb said about `place`.
pub(crate) fn from_redb(place: &str, error: DatabaseError) -> OpenError {
    let place = place.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen
        | DatabaseError::LockProtocolMismatch
        | DatabaseError::TransactionInProgress => OpenError::InUse { place },
        DatabaseError::Storage(StorageError::Io(source)) => from_io(&place, source),
        DatabaseError::Storage(StorageError::Corrupted(message)) => {
            OpenError::Damaged { place, message }
        }
        // Only versions of redb that no narthex was ever built with write other formats.
        DatabaseError::UpgradeRequired(_) => OpenError::NotAStore { place },
        other => OpenError::Failed {
            place,
            message: other.to_string(),
        },
    }
}

/// Sorts what a transaction said about `place`.
pub(crate) fn from_transaction(place: &str, error: redb::Error) -> OpenError {
    let place = place.to_owned();
    match error {
        redb::Error::Io(source) => from_io(&place, source),
        redb::Error::Corrupted(message) => OpenError::Damaged { place, message },
        other => OpenError::Failed {
            place,
            message: other.to_string(),
        },
    }
}
