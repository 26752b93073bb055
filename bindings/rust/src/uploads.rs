//! Rosters that staff bring as one file.

use std::collections::BTreeMap;
use std::io::Cursor;

use narthex_http::ROSTER_BYTES_MAX;
use narthex_oneroster::{Limits, ReadError, ReadOptions, Reading, read_files, read_zip};

#[cfg(feature = "hyper")]
pub use desk::RosterFiles;

/// Reads one file, a zip or a plain CSV, within limits that are narrower than those of commands, for the
/// file may be made to do harm: at most [`ROSTER_BYTES_MAX`] bytes, 256 MiB unpacked, 500,000 rows.
/// `file_name`: for findings, of a file that is no zip.
///
/// # Errors
/// As [`narthex_oneroster::read`]. Blocks while it reads.
pub fn read(bytes: &[u8], file_name: &str, mut options: ReadOptions) -> Result<Reading, ReadError> {
    options.limits = Limits {
        zip_bytes_max: ROSTER_BYTES_MAX as u64,
        total_bytes_max: 256 << 20,
        file_bytes_max: 128 << 20,
        rows_max: 500_000,
        ..Limits::default()
    };
    let mut reading = if bytes.starts_with(b"PK") {
        read_zip(Cursor::new(bytes), &options)?
    } else {
        options.limits.file_bytes_max = ROSTER_BYTES_MAX as u64;
        let name = match file_name {
            "" => "people.csv",
            name => name,
        };
        read_files(
            &mut BTreeMap::from([(name.to_owned(), bytes.to_vec())]),
            &options,
        )?
    };
    // An organization that was chosen is there already, under its own name.
    let chosen = options.organization.as_deref();
    let organizations = &mut reading.batch.organizations;
    organizations.retain(|one| Some(one.id.as_str()) != chosen);
    Ok(reading)
}

#[cfg(feature = "hyper")]
mod desk {
    use std::sync::Arc;

    use narthex_core::host::Clock;
    use narthex_http::{
        DayOrMonth, ReadRoster, ReadingRoster, RosterReader, RosterUnreadable, RosterUpload,
    };
    use narthex_oneroster::{Date, DateOrder, ReadOptions};
    use tokio::sync::Semaphore;

    use crate::SystemClock;

    /// Files that are read at once; others wait.
    const AT_ONCE: usize = 2;

    /// The formats of [`crate::oneroster`] at `/staff/roster`, for
    /// [`narthex_http::Settings::roster_reader`]. Files are read on the blocking threads of tokio, two at a
    /// time, as [`super::read`] reads them.
    #[derive(Clone, Debug)]
    pub struct RosterFiles {
        turns: Arc<Semaphore>,
    }

    impl Default for RosterFiles {
        fn default() -> Self {
            Self {
                turns: Arc::new(Semaphore::new(AT_ONCE)),
            }
        }
    }

    impl RosterReader for RosterFiles {
        fn read(&self, upload: RosterUpload) -> ReadingRoster<'_> {
            Box::pin(async move {
                let _turn = self.turns.acquire().await.map_err(unreadable)?;
                let options = options(&upload)?;
                let reading = tokio::task::spawn_blocking(move || {
                    super::read(&upload.bytes, &upload.file_name, options)
                });
                let reading = reading.await.map_err(unreadable)?.map_err(unreadable)?;
                Ok(ReadRoster {
                    left_out: reading.left_out.len(),
                    findings: reading.findings,
                    batch: reading.batch,
                })
            })
        }
    }

    fn unreadable(error: impl std::fmt::Display) -> RosterUnreadable {
        RosterUnreadable(error.to_string())
    }

    fn options(upload: &RosterUpload) -> Result<ReadOptions, RosterUnreadable> {
        let today = Date::of_timestamp(SystemClock.read().wall);
        let today = today.ok_or_else(|| unreadable("the clock of the server shows no day"))?;
        let mut options = ReadOptions::new(today);
        options.date_order = upload.dates.map(|dates| match dates {
            DayOrMonth::DayFirst => DateOrder::Dmy,
            DayOrMonth::MonthFirst => DateOrder::Mdy,
        });
        options.number_column.clone_from(&upload.number_column);
        options.organization.clone_from(&upload.organization);
        options.delta = upload.delta;
        Ok(options)
    }
}
