//! Reads the files that staff bring at `/staff/roster`.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use narthex_core::host::Clock;
use narthex_http::{
    DayOrMonth, ROSTER_BYTES_MAX, ReadRoster, ReadingRoster, RosterReader, RosterUnreadable,
    RosterUpload,
};
use narthex_oneroster::{
    Date, DateOrder, Limits, ReadError, ReadOptions, Reading, read_files, read_zip,
};
use tokio::sync::Semaphore;

use crate::SystemClock;

/// Files that are read at once; others wait.
const AT_ONCE: usize = 2;

/// The formats of [`crate::oneroster`], for [`narthex_http::Settings::roster_reader`]. Files are read on
/// the blocking threads of tokio, two at a time, and within limits that are narrower than those of
/// commands: 256 MiB unpacked, 500,000 rows.
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
            let reading = tokio::task::spawn_blocking(move || read(upload, &options)).await;
            let reading = reading.map_err(unreadable)?.map_err(unreadable)?;
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
    options.limits = Limits {
        zip_bytes_max: ROSTER_BYTES_MAX as u64,
        total_bytes_max: 256 << 20,
        file_bytes_max: 128 << 20,
        rows_max: 500_000,
        ..Limits::default()
    };
    Ok(options)
}

fn read(upload: RosterUpload, options: &ReadOptions) -> Result<Reading, ReadError> {
    let mut reading = if upload.bytes.starts_with(b"PK") {
        read_zip(Cursor::new(upload.bytes), options)?
    } else {
        let name = match upload.file_name.is_empty() {
            true => "people.csv".to_owned(),
            false => upload.file_name,
        };
        read_files(
            &mut BTreeMap::from([(name, upload.bytes.to_vec())]),
            options,
        )?
    };
    // Who is listed but could not be read is not gone.
    reading.batch.complete &= reading.left_out.is_empty();
    // An organization that was chosen is there already, under its own name.
    let batch = &mut reading.batch;
    let chosen = upload.organization.as_deref();
    batch
        .organizations
        .retain(|o| Some(o.id.as_str()) != chosen);
    Ok(reading)
}
