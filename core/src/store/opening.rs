//! Why a store on a disk did not open, and what to do about it: the same words for every engine.

use std::io;

/// Why a store on a disk did not open. Each message says what to do; none shows any record.
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
    /// The file or folder may not be read and written.
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
    /// again, it is gone.
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
        /// Which file or folder.
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
