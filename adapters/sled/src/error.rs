//! What sled and the operating system say, as the reasons that every store gives.

use std::io;

use narthex_core::store::OpenError;

/// Sorts what the operating system said about `place`.
pub(crate) fn from_io(place: &str, source: io::Error) -> OpenError {
    let place = place.to_owned();
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::NoPermission { place, source }
        }
        io::ErrorKind::NotFound => OpenError::Missing { place, source },
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            OpenError::NotAStore { place }
        }
        _ => OpenError::Failed {
            place,
            message: source.to_string(),
        },
    }
}

/// Sorts what sled said about `place`.
pub(crate) fn from_sled(place: &str, error: sled::Error) -> OpenError {
    match error {
        // How sled says that the lock is taken: there is no kind of its own for it.
        sled::Error::Io(source) if source.to_string().contains("could not acquire lock") => {
            OpenError::InUse {
                place: place.to_owned(),
            }
        }
        sled::Error::Io(source) => from_io(place, source),
        sled::Error::Corruption { .. } => OpenError::Damaged {
            place: place.to_owned(),
            message: "its checksums do not fit".to_owned(),
        },
        other => OpenError::Failed {
            place: place.to_owned(),
            message: other.to_string(),
        },
    }
}
