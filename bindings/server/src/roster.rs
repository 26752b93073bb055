//! `narthex roster`: who may claim an account.

use std::io::{Cursor, IsTerminal};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use narthex::SystemClock;
use narthex::core::Portal;
use narthex::core::host::Clock;
use narthex::core::model::roster::{Finding, Severity};
use narthex::core::portal::{ImportOptions, ImportReport};
use narthex::oneroster::{self, Date, ReadOptions, Reading};
use serde_json::{Value, json};

use crate::cli::{ImportArgs, RosterCommand};
use crate::failure::{Failure, Outcome};
use crate::paint::Paint;
use crate::place::PlaceArgs;

/// The sample school, inside the binary.
const SAMPLE: &[u8] =
    include_bytes!("../../../examples/rosters/oneroster-v1p2-98-users/package.zip");

/// Findings of one code that are written out; the others are counted.
const FINDINGS_SHOWN: usize = 5;

/// Runs a `roster` command.
pub(crate) async fn run(command: RosterCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        RosterCommand::Import(args) => import_command(args, json).await,
        RosterCommand::Status { place } => status(&place, json).await,
    }
}

/// The options that read a roster today.
pub(crate) fn read_options() -> Result<ReadOptions, Failure> {
    let today = Date::of_timestamp(SystemClock.read().wall)
        .ok_or_else(|| Failure::failed("the clock is after the year 9999"))?;
    Ok(ReadOptions::new(today))
}

/// Reads the roster at `path`, or the sample school.
pub(crate) fn read(path: Option<&Path>, options: &ReadOptions) -> Result<Reading, Failure> {
    let reading = match path {
        Some(path) => oneroster::read(path, options),
        None => oneroster::read_zip(Cursor::new(SAMPLE), options),
    };
    let mut reading = reading.map_err(Failure::failed)?;
    // Who is listed but could not be read is not gone: nobody is made inactive by such a reading.
    reading.batch.complete &= reading.left_out.is_empty();
    Ok(reading)
}

/// Imports with a progress bar, where a person looks.
pub(crate) async fn import(
    portal: &Portal,
    reading: Reading,
    dry_run: bool,
) -> Result<ImportReport, Failure> {
    let bar = ProgressBar::new(reading.batch.people.len() as u64);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {human_pos}/{human_len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(if dry_run { "Judging" } else { "Importing" });
    let options = ImportOptions { dry_run };
    let progress = |at: narthex::core::portal::ImportProgress| bar.set_position(at.done as u64);
    let report = portal
        .import_roster(reading.batch, options, &progress)
        .await;
    bar.finish_and_clear();
    Ok(report?)
}

async fn import_command(args: ImportArgs, json: bool) -> Result<Outcome, Failure> {
    let mut options = read_options()?;
    options.format = args.format.format();
    options.date_order = args.date_order.map(Into::into);
    options.number_column = args.number_column;
    let reading = read(Some(&args.path), &options)?;
    let usable = reading.is_usable();
    let left_out = reading.left_out.len();
    let mut findings = reading.findings.clone();
    let report = if usable {
        let portal = if args.dry_run {
            args.place.open_or_imagine().await?
        } else {
            args.place.open_or_make().await?
        };
        let report = import(&portal, reading, args.dry_run).await?;
        findings.extend(report.findings.iter().cloned());
        Some(report)
    } else {
        None
    };
    if json {
        say!(
            "{}",
            import_json(&report, &findings, left_out, args.dry_run)
        );
    } else {
        tell_findings(&findings);
        tell_import(report.as_ref(), left_out, args.dry_run);
    }
    let held = report.is_none_or(|report| report.held > 0);
    let refused = held || left_out > 0;
    Ok(if refused {
        Outcome::Refused
    } else {
        Outcome::Done
    })
}

fn import_json(
    report: &Option<ImportReport>,
    findings: &[Finding],
    left_out: usize,
    dry_run: bool,
) -> Value {
    let findings: Vec<Value> = findings.iter().map(finding_json).collect();
    let counts = report.as_ref().map(|report| {
        json!({
            "added": report.added,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "deactivated": report.deactivated,
            "held": report.held,
            "without_birthdate": report.without_birthdate,
        })
    });
    json!({ "dry_run": dry_run, "import": counts, "left_out": left_out, "findings": findings })
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "severity": severity(finding.severity),
        "code": finding.code,
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "value": finding.value,
        "message": finding.message,
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Writes the findings, the first few of each code.
pub(crate) fn tell_findings(findings: &[Finding]) {
    let paint = Paint::for_stdout();
    let mut codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    for code in codes {
        let of_code = findings.iter().filter(|finding| finding.code == code);
        let count = of_code.clone().count();
        for finding in of_code.take(FINDINGS_SHOWN) {
            let word = severity(finding.severity);
            let word = match finding.severity {
                Severity::Note => paint.faint(word),
                Severity::Warning => paint.strong(word),
                Severity::Error => paint.bad(word),
            };
            let place = &finding.place;
            let line = if place.line > 0 {
                format!(":{}", place.line)
            } else {
                String::new()
            };
            let column = place
                .column
                .as_ref()
                .map_or(String::new(), |c| format!(" [{c}]"));
            say!("{word} {}{line}{column}: {}", place.file, finding.message);
        }
        if count > FINDINGS_SHOWN {
            say!("  ... and {} more {code}", count - FINDINGS_SHOWN);
        }
    }
}

fn tell_import(report: Option<&ImportReport>, left_out: usize, dry_run: bool) {
    let paint = Paint::for_stdout();
    let Some(report) = report else {
        say!(
            "{}",
            paint.bad("Nothing was imported: correct the errors first.")
        );
        return;
    };
    let lead = if dry_run { "Would be" } else { "Imported:" };
    say!(
        "{} {} added, {} changed, {} unchanged, {} made inactive",
        paint.strong(lead),
        report.added,
        report.changed,
        report.unchanged,
        report.deactivated
    );
    for (count, told) in [
        (
            report.without_birthdate,
            "have no birthdate and cannot claim by it",
        ),
        (
            report.held,
            "are no longer listed; so many at once are left as they are",
        ),
        (left_out, "were left out; nobody was made inactive for that"),
    ] {
        if count > 0 {
            say!("  {count} {told}");
        }
    }
}

async fn status(place: &PlaceArgs, json: bool) -> Result<Outcome, Failure> {
    let status = place.open().await?.roster_status().await?;
    if json {
        let told = json!({
            "active": status.active,
            "claimed": status.claimed,
            "inactive": status.inactive,
            "held": status.held,
            "without_birthdate": status.without_birthdate,
            "organizations": status.organizations,
        });
        say!("{told}");
        return Ok(Outcome::Done);
    }
    let paint = Paint::for_stdout();
    say!(
        "{} people listed, {} of them have claimed their account; {} organizations",
        paint.strong(status.active),
        paint.strong(status.claimed),
        status.organizations
    );
    say!(
        "{} have no birthdate, {} are inactive, {} are held",
        status.without_birthdate,
        status.inactive,
        status.held
    );
    Ok(Outcome::Done)
}
