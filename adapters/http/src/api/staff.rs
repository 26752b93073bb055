//! The staff desk for programs: numbers, lists of people, and what they hold.

use http::StatusCode;
use narthex_core::model::roster::{Finding, Severity};
use narthex_core::model::{OrganizationId, Timestamp};
use serde::Serialize;

use crate::context::Ctx;
use crate::pages::staff_roster::{Outcome, bring_in, dates, decision, look};
use crate::pages::view::millis;
use crate::problem::{Fault, Issue, Problem, Said};
use crate::reply::Reply;
use crate::roster::{DayOrMonth, RosterUpload};

/// Findings that an answer lists; the others are counted.
const FINDINGS_MAX: usize = 1_000;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StaffRoleDocument {
    role: &'static str,
    listed: u64,
    claimed: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct WindowDocument {
    /// When the window began, in milliseconds since 1970, UTC.
    from_ms: u64,
    count: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StaffStatisticsDocument {
    organization: String,
    people: Vec<StaffRoleDocument>,
    /// Accounts claimed on each of the last 28 days.
    claims: Vec<WindowDocument>,
    /// Log-ins on each of the last 28 days.
    log_ins: Vec<WindowDocument>,
    /// Browsers in use in each quarter of the last six hours; the last quarter is still running.
    active: Vec<WindowDocument>,
}

/// `GET /staff/organizations/{organization}/statistics`
pub(crate) async fn statistics(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let organization = ctx.organization_id()?;
    let session = &ctx.session()?.verified;
    let told = ctx
        .portal()
        .staff_statistics(session, &organization)
        .await?;
    let people = told.people.iter().map(|people| StaffRoleDocument {
        role: people.role.code(),
        listed: people.listed,
        claimed: people.claimed,
    });
    let document = StaffStatisticsDocument {
        organization: organization.to_string(),
        people: people.collect(),
        claims: windows(&told.claims),
        log_ins: windows(&told.log_ins),
        active: windows(&told.active),
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

fn windows(counts: &[(Timestamp, u64)]) -> Vec<WindowDocument> {
    let window = |(from, count): &(Timestamp, u64)| WindowDocument {
        from_ms: from.as_millis(),
        count: *count,
    };
    counts.iter().map(window).collect()
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FindingDocument {
    /// `note`, `warning` or `error`.
    severity: &'static str,
    /// A stable snake_case word.
    code: &'static str,
    /// The file inside the zip; empty where it is about all of them.
    file: String,
    /// From 1; 0 where it is about the whole file.
    line: u64,
    column: Option<String>,
    /// What stands there, where it is no secret. Never what the portal keeps.
    value: Option<String>,
    /// In English.
    message: String,
}

#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RosterCountsDocument {
    organization: String,
    added: usize,
    changed: usize,
    unchanged: usize,
    /// Made inactive.
    ended: usize,
    /// Missing, and left as they are until somebody decides.
    held: usize,
    left_out: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RosterDocument {
    /// Names the roster when it is confirmed; null where there is nothing to confirm.
    upload: Option<String>,
    /// The file has errors: nothing was, or would be, changed.
    stopped: bool,
    organizations: Vec<RosterCountsDocument>,
    findings: Vec<FindingDocument>,
    /// Findings beyond those that are listed.
    findings_more: usize,
}

/// `POST /staff/roster`: what the file would change.
pub(crate) async fn preview(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let said = |name| ctx.query_value(name).filter(|said| !said.is_empty());
    let Some(file) = ctx.file.as_ref().filter(|file| !file.bytes.is_empty()) else {
        let issue = Issue::plain("", "missing_file", |t| t.roster_file_missing);
        return Err(Problem::invalid(vec![issue]).into());
    };
    let upload = RosterUpload {
        file_name: file.name.clone(),
        bytes: file.bytes.clone(),
        delta: said("delta").map_or(Ok(false), |word| delta(&word))?,
        dates: said("dates").map(|word| day_or_month(&word)).transpose()?,
        number_column: said("number_column"),
        organization: said("organization"),
    };
    match look(ctx, upload).await? {
        Ok(outcome) => Ok(answer(&outcome)),
        Err(reason) => {
            let text = Said::Filled(|t| t.roster_unreadable, vec![("reason", reason)]);
            let issue = Issue::new("", "roster_unreadable", text);
            Err(Problem::invalid(vec![issue]).into())
        }
    }
}

fn delta(word: &str) -> Result<bool, Problem> {
    word.parse().map_err(|_| unknown_word("delta"))
}

fn day_or_month(word: &str) -> Result<DayOrMonth, Problem> {
    dates(word).ok_or_else(|| unknown_word("dates"))
}

fn unknown_word(field: &str) -> Problem {
    Problem::invalid(vec![Issue::plain(field, "invalid_value", |t| t.malformed)])
}

/// `POST /staff/roster/confirm`
pub(crate) async fn confirm(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let upload = ctx.json.text("upload")?;
    let fresh = ctx.portal().fresh(&ctx.session()?.verified)?;
    match bring_in(ctx, &fresh, upload).await? {
        Some(outcome) => Ok(answer(&outcome)),
        None => {
            let issue = Issue::plain("upload", "upload_gone", |t| t.roster_gone);
            Err(Problem::invalid(vec![issue]).into())
        }
    }
}

fn answer(outcome: &Outcome) -> Reply {
    let stopped = outcome.is_stopped();
    let report = outcome.report.as_ref().filter(|_| !stopped);
    let organizations = report.into_iter().flat_map(|report| &report.organizations);
    let organizations = organizations.map(|(id, counts)| RosterCountsDocument {
        organization: id.to_string(),
        added: counts.added,
        changed: counts.changed,
        unchanged: counts.unchanged,
        ended: counts.deactivated,
        held: counts.held,
        left_out: counts.left_out,
    });
    let findings = outcome.findings.iter().take(FINDINGS_MAX);
    let document = RosterDocument {
        upload: outcome.upload.clone(),
        stopped,
        organizations: organizations.collect(),
        findings: findings.map(finding).collect(),
        findings_more: outcome.findings.len().saturating_sub(FINDINGS_MAX),
    };
    Reply::json(StatusCode::OK, &document)
}

fn finding(finding: &Finding) -> FindingDocument {
    FindingDocument {
        severity: match finding.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        code: finding.code,
        file: finding.place.file.clone(),
        line: finding.place.line,
        column: finding.place.column.clone(),
        value: finding.value.clone(),
        message: finding.message.clone(),
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct HoldDocument {
    source: String,
    organization: String,
    missing: u64,
    listed_before: u64,
    ms_ago: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct HoldsDocument {
    holds: Vec<HoldDocument>,
}

/// `GET /staff/roster/holds`
pub(crate) async fn holds(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let holds = ctx.portal().staff_holds(&ctx.session()?.verified).await?;
    let now = ctx.portal().now().latest;
    let holds = holds.into_iter().map(|hold| HoldDocument {
        source: hold.source,
        organization: hold.organization.to_string(),
        missing: hold.missing,
        listed_before: hold.listed,
        ms_ago: millis(now.since(hold.held_at)),
    });
    let document = HoldsDocument {
        holds: holds.collect(),
    };
    Ok(Reply::json(StatusCode::OK, &document))
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SettledDocument {
    /// People made inactive now.
    ended: usize,
    /// People who were held and stay.
    stayed: usize,
}

/// `POST /staff/roster/holds`
pub(crate) async fn settle(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let wrong = |field| Issue::plain(field, "invalid_value", |t| t.notice_hold_gone);
    let decision = decision(ctx.json.text("decision")?);
    let decision = decision.ok_or_else(|| Problem::invalid(vec![wrong("decision")]))?;
    let organization = OrganizationId::parse(ctx.json.text("organization")?);
    let organization = organization.map_err(|_| Problem::invalid(vec![wrong("organization")]))?;
    let source = ctx.json.text("source")?;
    let fresh = ctx.portal().fresh(&ctx.session()?.verified)?;
    let desk = ctx.portal().staff_desk(&fresh, &ctx.asker);
    let settled = desk
        .settle_hold(source, &organization, decision, &|_| ())
        .await?
        .ok_or_else(|| Problem::invalid(vec![wrong("organization")]))?;
    let document = SettledDocument {
        ended: settled.deactivated,
        stayed: settled.stayed,
    };
    Ok(Reply::json(StatusCode::OK, &document))
}
