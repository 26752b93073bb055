//! `narthex roster import`.

use std::collections::BTreeMap;

use narthex::core::Portal;
use narthex::core::portal::{ImportOptions, ImportProgress, ImportReport, OrganizationReport};
use narthex::oneroster::{DateOrder, Reading};
use serde::{Deserialize, Serialize};

use super::findings::{Told, tell_findings};
use super::package::Package;
use super::read_options;
use crate::cli::{DateOrderArg, FormatArg, ImportArgs};
use crate::control::{Absent, Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::paint::Paint;

/// Reads a roster and brings it into the store.
#[derive(Deserialize, Serialize)]
pub(crate) struct Import {
    files: Package,
    dry_run: bool,
    format: FormatArg,
    date_order: Option<DateOrderArg>,
    number_column: Option<String>,
    number_width: Option<usize>,
    organization: Option<String>,
    source: Option<String>,
    #[serde(default)]
    delta: bool,
    #[serde(default)]
    accept_new_ids: bool,
}

/// What an import did, or would do; `import` is null where nothing was imported because of errors.
#[derive(Deserialize, Serialize)]
pub(crate) struct Imported {
    dry_run: bool,
    /// The source that the people belong to.
    source: String,
    import: Option<Counts>,
    findings: Vec<Told>,
}

#[derive(Deserialize, Serialize)]
struct Counts {
    added: usize,
    changed: usize,
    unchanged: usize,
    deactivated: usize,
    held: usize,
    left_out: usize,
    /// Of these, rows of which not even the organization could be read.
    #[serde(default)]
    unread: usize,
    without_birthdate: usize,
    /// Change sets, and what was written in them.
    commits: usize,
    writes: usize,
    organizations: BTreeMap<String, Row>,
}

/// One organization.
#[derive(Default, Deserialize, Serialize)]
struct Row {
    added: usize,
    changed: usize,
    unchanged: usize,
    deactivated: usize,
    held: usize,
    left_out: usize,
}

impl From<ImportArgs> for Import {
    fn from(args: ImportArgs) -> Self {
        Self {
            files: Package::Path(args.path),
            dry_run: args.dry_run,
            format: args.format,
            date_order: args.date_order,
            number_column: args.number_column,
            number_width: args.number_width,
            organization: args.organization,
            source: args.source,
            delta: args.delta,
            accept_new_ids: args.accept_new_ids,
        }
    }
}

impl Operation for Import {
    type Reply = Imported;

    fn when_absent(&self) -> Absent {
        if self.dry_run {
            Absent::Imagine
        } else {
            Absent::Make
        }
    }

    fn packed(self) -> Result<Self, Failure> {
        Ok(Self {
            files: self.files.packed()?,
            ..self
        })
    }

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Imported, Failure> {
        let mut options = read_options()?;
        options.format = self.format.format();
        options.date_order = self.date_order.map(DateOrder::from);
        options.number_column = self.number_column;
        options.number_width = self.number_width;
        options.organization = self.organization;
        options.delta = self.delta;
        options.source = self.source;
        let files = self.files;
        // Reading is a matter of seconds for a large district: the threads of the portal serve on.
        let reading = tokio::task::spawn_blocking(move || files.read(&options)).await;
        let reading = reading.map_err(Failure::failed)?.map_err(Failure::failed)?;
        let left_out = reading.left_out.len();
        let source = reading.batch.source.clone();
        let mut findings: Vec<Told> = reading.findings.iter().map(Told::from).collect();
        let import = if reading.is_usable() {
            let options = ImportOptions {
                dry_run: self.dry_run,
                accept_new_ids: self.accept_new_ids,
                source_is_claimed: reading.source_is_claimed,
            };
            let report = into_portal(&desk.portal, reading, options, call).await?;
            findings.extend(report.findings.iter().map(Told::from));
            (!report.is_stopped()).then(|| Counts::of(report, left_out))
        } else {
            None
        };
        Ok(Imported {
            dry_run: self.dry_run,
            source,
            import,
            findings,
        })
    }
}

/// Imports, and tells how far it is.
pub(crate) async fn into_portal(
    portal: &Portal,
    reading: Reading,
    options: ImportOptions,
    call: &Call,
) -> Result<ImportReport, Failure> {
    let what = if options.dry_run {
        "Judging"
    } else {
        "Importing"
    };
    let progress = |at: ImportProgress| call.progress(what, at.done, at.of);
    Ok(portal
        .import_roster(reading.batch, options, &progress)
        .await?)
}

impl Counts {
    /// `unread`: rows that the reader of the files left out.
    fn of(report: ImportReport, unread: usize) -> Self {
        let row = |counts: OrganizationReport| Row {
            added: counts.added,
            changed: counts.changed,
            unchanged: counts.unchanged,
            deactivated: counts.deactivated,
            held: counts.held,
            left_out: counts.left_out,
        };
        let organizations = report.organizations.into_iter();
        Self {
            added: report.added,
            changed: report.changed,
            unchanged: report.unchanged,
            deactivated: report.deactivated,
            held: report.held,
            left_out: report.left_out + unread,
            unread,
            without_birthdate: report.without_birthdate,
            commits: report.commits,
            writes: report.writes,
            organizations: organizations
                .map(|(id, counts)| (id.to_string(), row(counts)))
                .collect(),
        }
    }

    /// A line for each organization, and one for all.
    fn tell_table(&self, paint: Paint) {
        const UNREAD: &str = "(not readable)";
        let ids = self.organizations.keys().map(String::len);
        let width = ids.max().unwrap_or(0).max(UNREAD.len());
        say!(
            "{}",
            paint.faint(format!(
                "{:width$} {:>8} {:>8} {:>9} {:>8} {:>8} {:>8}",
                "organization", "added", "changed", "unchanged", "inactive", "held", "left out"
            ))
        );
        let line = |name: &str, row: &Row| {
            say!(
                "{name:width$} {:>8} {:>8} {:>9} {:>8} {:>8} {:>8}",
                row.added,
                row.changed,
                row.unchanged,
                row.deactivated,
                row.held,
                row.left_out
            );
        };
        for (id, row) in &self.organizations {
            line(id, row);
        }
        if self.unread > 0 {
            let unread = Row {
                left_out: self.unread,
                ..Row::default()
            };
            line(UNREAD, &unread);
        }
        let all = Row {
            added: self.added,
            changed: self.changed,
            unchanged: self.unchanged,
            deactivated: self.deactivated,
            held: self.held,
            left_out: self.left_out,
        };
        line("all", &all);
    }
}

impl Reply for Imported {
    fn outcome(&self) -> Outcome {
        let whole = |counts: &Counts| counts.held == 0 && counts.left_out == 0;
        Outcome::yes(self.import.as_ref().is_some_and(whole))
    }

    fn tell(&self) {
        tell_findings(&self.findings);
        let paint = Paint::for_stdout();
        let Some(counts) = &self.import else {
            say!(
                "{}",
                paint.bad("Nothing was imported: correct the errors first.")
            );
            return;
        };
        counts.tell_table(paint);
        let lead = if self.dry_run {
            "Nothing was changed. It would be:"
        } else {
            "Imported:"
        };
        let Counts {
            added,
            changed,
            unchanged,
            deactivated,
            ..
        } = counts;
        say!(
            "{} {added} added, {changed} changed, {unchanged} unchanged, {deactivated} made inactive \
             (source {})",
            paint.strong(lead),
            self.source
        );
        let (commits, writes) = (counts.commits, counts.writes);
        say!("  {writes} records and counts written in {commits} change sets");
        for (count, told) in [
            (
                counts.without_birthdate,
                "have no birthdate and cannot claim by it",
            ),
            (
                counts.held,
                "are no longer listed, too many to believe: they stay until `narthex roster confirm`",
            ),
            (
                counts.left_out,
                "were left out; nobody was made inactive for that",
            ),
        ] {
            if count > 0 {
                say!("  {count} {told}");
            }
        }
    }
}
