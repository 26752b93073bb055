//! Why a roster could not be read at all. Each says what to do next.

use std::{io, path::PathBuf};

/// The reading stopped: nothing of the input may be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The path cannot be opened.
    #[error("cannot open {}: {source}; check that it exists and may be read", .path.display())]
    Open {
        /// As given by the caller.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading failed in the middle of a file, or a zip member does not match its checksum.
    #[error("cannot read {file} to its end: {source}; export or copy the roster again")]
    Read {
        /// File name inside the folder or zip.
        file: String,
        /// What the system or the zip said.
        source: io::Error,
    },
    /// The zip cannot be understood.
    #[error("the zip cannot be read ({reason}); export it again, without a password, deflated")]
    Zip {
        /// What is wrong with it.
        reason: String,
    },
    /// No file of a known roster format is there.
    #[error(
        "no roster here: a OneRoster folder or zip has users.csv, orgs.csv and roles.csv, a School \
         Data Sync one has School.csv and Student.csv; give that folder or zip"
    )]
    NotARoster,
    /// More than one folder of a zip holds roster files.
    #[error("two rosters here, in {first} and in {second}; give one of them alone")]
    SeveralRosters {
        /// A folder inside the zip.
        first: String,
        /// Another folder inside the zip.
        second: String,
    },
    /// Files of two formats lie beside each other.
    #[error("files of both OneRoster and School Data Sync are here; say --format oneroster|sds")]
    FormatUndecided,
    /// An organization was given for files that say themselves where each person belongs.
    #[error(
        "OneRoster and School Data Sync files say where each person belongs; leave out \
         --organization, which is for one plain CSV file"
    )]
    OrganizationForPlainCsv,
    /// A cap of [`Limits`](crate::Limits) was reached.
    #[error("{file}: more than {limit} {what}; raise {name} if this roster is really that large")]
    TooLarge {
        /// File name inside the folder or zip, or "the roster" for the whole.
        file: String,
        /// What was counted.
        what: &'static str,
        /// The cap.
        limit: u64,
        /// The field of [`Limits`](crate::Limits).
        name: &'static str,
    },
    /// Every date of a file can be read in two ways.
    #[error(
        "{file}: no date says whether day or month comes first (see line {line}); say --date-order \
         mdy|dmy"
    )]
    DatesUndecided {
        /// File name inside the folder or zip.
        file: String,
        /// A row with two readings.
        line: u64,
    },
    /// The dates of a file can not all be read in one order.
    #[error(
        "{file}: line {month_first_line} has the month first, line {day_first_line} the day; \
         correct one of them, or say --date-order ymd|mdy|dmy and the others are left out"
    )]
    DatesContradict {
        /// File name inside the folder or zip.
        file: String,
        /// A row that only reads month, day, year.
        month_first_line: u64,
        /// A row that only reads day, month, year.
        day_first_line: u64,
    },
    /// No column is plainly the number people log in with.
    #[error(
        "{file}: no column is plainly the number people log in with; say --number-column with \
         one of: {candidates}"
    )]
    NumberUndecided {
        /// File name inside the folder or zip.
        file: String,
        /// Columns that hold something, comma separated.
        candidates: String,
    },
}
