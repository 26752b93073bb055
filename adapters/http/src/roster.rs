//! Where a roster comes from that staff bring in: the host knows the formats, this crate does not.

use std::fmt::Debug;
use std::pin::Pin;

use bytes::Bytes;
use narthex_core::model::roster::{Finding, RosterBatch};

/// The longest request that brings a roster, in bytes, as it is sent: what a zip unpacks to is for the
/// reader to limit. Everything else is at most [`crate::BODY_BYTES_MAX`].
pub const ROSTER_BYTES_MAX: usize = 16 << 20;

/// Whether day or month comes first in dates such as 3/4/2012.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayOrMonth {
    /// 31/12/2012.
    DayFirst,
    /// 12/31/2012.
    MonthFirst,
}

/// A file that somebody of the staff brought, and what they said of it.
#[derive(Debug)]
pub struct RosterUpload {
    /// As the browser says; for findings only.
    pub file_name: String,
    /// A zip, or one CSV file.
    pub bytes: Bytes,
    /// The file lists only what changed.
    pub delta: bool,
    /// Where the dates of the file allow both.
    pub dates: Option<DayOrMonth>,
    /// The column with the numbers of people, where it is not plain.
    pub number_column: Option<String>,
    /// Everybody of a CSV file belongs there.
    pub organization: Option<String>,
}

/// What the file says.
#[derive(Debug)]
pub struct ReadRoster {
    /// Everything that could be understood; not `complete` if somebody of the file was left out.
    pub batch: RosterBatch,
    /// What the reader of the roster should know.
    pub findings: Vec<Finding>,
    /// Rows that could not be read.
    pub left_out: usize,
}

/// Why a file could not be read, and what to do: in English, with nothing of what is in it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RosterUnreadable(pub String);

/// The answer of a [`RosterReader`].
pub type ReadingRoster<'r> =
    Pin<Box<dyn Future<Output = Result<ReadRoster, RosterUnreadable>> + Send + 'r>>;

/// Turns a file into a roster. Within limits of its own: the file may be made to do harm.
pub trait RosterReader: Debug + Send + Sync {
    /// Reads it; away from the threads that serve, if it may take long.
    fn read(&self, upload: RosterUpload) -> ReadingRoster<'_>;
}
