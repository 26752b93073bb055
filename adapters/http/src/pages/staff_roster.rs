//! `/staff/roster`: a file is looked at first, and brought in when it is confirmed; people whom an
//! import holds wait here for a human.

use std::collections::HashMap;

use http::StatusCode;
use narthex_core::model::roster::{Finding, Severity};
use narthex_core::model::{OrganizationId, Profile};
use narthex_core::portal::{HoldDecision, ImportOptions, ImportReport, OrganizationReport};
use narthex_core::store::records::RosterHold;
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::roster::{DayOrMonth, ROSTER_BYTES_MAX, ReadRoster, RosterUpload};
use crate::texts::{Texts, fill};
use crate::upload::FILE_FIELD;

use super::proof;
use super::staff::{organizations_served, staff_profile};
use super::view::{FormView, Shell, page};

/// Findings of one code that a page lists; the others are counted.
const FINDINGS_PER_CODE_SHOWN: usize = 5;

const FIELDS: [&str; 4] = ["delta", "dates", "number_column", "organization"];

#[derive(Serialize)]
struct RosterView {
    shell: Shell,
    form: FormView,
    /// A form that needs the password first, with its fields.
    locked: Option<LockedView>,
    /// Whether files are taken at all.
    takes_files: bool,
    intro: String,
    organizations: Vec<(String, String)>,
    preview: Option<OutcomeView>,
    done: Option<OutcomeView>,
    holds: Vec<HoldView>,
}

#[derive(Serialize)]
struct LockedView {
    action: String,
    fields: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct HoldView {
    source: String,
    organization: String,
    name: String,
    text: String,
    since: String,
}

/// What a file did, or would do.
#[derive(Serialize)]
struct OutcomeView {
    /// Names the roster that waits; absent: it cannot be brought in.
    upload: Option<String>,
    stopped: bool,
    rows: Vec<RowView>,
    findings: Vec<FindingsView>,
}

#[derive(Serialize)]
struct RowView {
    name: String,
    counts: [usize; 6],
}

/// Findings of one code.
#[derive(Serialize)]
struct FindingsView {
    severity: &'static str,
    /// Where, and what.
    shown: Vec<(String, String)>,
    more: Option<String>,
}

/// What a file did, or would do, in any form.
pub(crate) struct Outcome {
    pub(crate) upload: Option<String>,
    pub(crate) report: Option<ImportReport>,
    /// Rows that could not be read.
    pub(crate) unread: usize,
    pub(crate) findings: Vec<Finding>,
}

impl Outcome {
    /// Whether nothing is or would be brought in.
    pub(crate) fn is_stopped(&self) -> bool {
        self.report.as_ref().is_none_or(ImportReport::is_stopped)
    }
}

/// `GET /staff/roster`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = staff_profile(ctx).await?;
    let form = FormView::new(ctx, &[], &FIELDS);
    let locked = proof::asks(ctx)?.then(|| LockedView {
        action: ctx.link("/staff/roster/holds"),
        fields: Vec::new(),
    });
    render(ctx, StatusCode::OK, &profile, form, locked, None, None).await
}

async fn render(
    ctx: &Ctx<'_>,
    status: StatusCode,
    profile: &Profile,
    mut form: FormView,
    locked: Option<LockedView>,
    preview: Option<OutcomeView>,
    done: Option<OutcomeView>,
) -> Result<Reply, Fault> {
    form.add(proof::FIELD);
    form.add(FILE_FIELD);
    let t = ctx.t;
    let names = ctx.organization_names().await?;
    let served = organizations_served(ctx, profile).await?.into_iter();
    let organizations = served.map(|id| (id.to_string(), name_of(&names, &id)));
    let holds = ctx.portal().staff_holds(&ctx.session()?.verified).await?;
    let now = ctx.portal().now().latest;
    let hold = |hold: &RosterHold| HoldView {
        source: hold.source.clone(),
        organization: hold.organization.to_string(),
        name: name_of(&names, &hold.organization),
        text: fill(
            t.roster_hold,
            &[
                ("missing", &hold.missing.to_string()),
                ("listed", &hold.listed.to_string()),
            ],
        ),
        since: fill(
            t.roster_hold_since,
            &[
                ("span", &t.span(now.since(hold.held_at))),
                ("source", &hold.source),
            ],
        ),
    };
    let mut shell = Shell::for_person(ctx, "staff-roster", t.roster_title, profile, None).await?;
    if !form.is_good() {
        shell.mark_error();
    }
    let most = (ROSTER_BYTES_MAX >> 20).to_string();
    let view = RosterView {
        shell,
        form,
        locked,
        takes_files: ctx.shared.settings.roster_reader.is_some(),
        intro: fill(t.roster_intro, &[("most", &most)]),
        organizations: organizations.collect(),
        preview,
        done,
        holds: holds.iter().map(hold).collect(),
    };
    page(ctx, status, "staff_roster.html", &view)
}

fn name_of(names: &HashMap<OrganizationId, String>, id: &OrganizationId) -> String {
    names.get(id).cloned().unwrap_or_else(|| id.to_string())
}

/// `POST /staff/roster`: looks at a file.
pub(crate) async fn preview(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = staff_profile(ctx).await?;
    let mut form = FormView::new(ctx, &FIELDS, &[]);
    if proof::asks(ctx)? {
        // A file is not kept without a fresh log-in: it is chosen again.
        form.refuse(ctx.t.roster_choose_again);
        let locked = Some(LockedView {
            action: ctx.link("/staff/roster/holds"),
            fields: Vec::new(),
        });
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return render(ctx, status, &profile, form, locked, None, None).await;
    }
    let Some(upload) = typed_upload(ctx) else {
        form.wrong(FILE_FIELD, ctx.t.roster_file_missing);
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return render(ctx, status, &profile, form, None, None, None).await;
    };
    match look(ctx, upload).await? {
        Ok(outcome) => {
            let names = ctx.organization_names().await?;
            let status = match outcome.is_stopped() {
                true => StatusCode::UNPROCESSABLE_ENTITY,
                false => StatusCode::OK,
            };
            let preview = Some(outcome_view(ctx.t, &names, outcome));
            render(ctx, status, &profile, form, None, preview, None).await
        }
        Err(reason) => {
            let text = fill(ctx.t.roster_unreadable, &[("reason", &reason)]);
            form.wrong(FILE_FIELD, text);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            render(ctx, status, &profile, form, None, None, None).await
        }
    }
}

/// The file of the form, and what was said of it.
fn typed_upload(ctx: &Ctx<'_>) -> Option<RosterUpload> {
    let file = ctx.file.as_ref()?;
    let said = |name| Some(ctx.form.get(name).trim().to_owned()).filter(|said| !said.is_empty());
    Some(RosterUpload {
        file_name: file.name.clone(),
        bytes: file.bytes.clone(),
        delta: ctx.form.is_ticked("delta"),
        dates: dates(ctx.form.get("dates")),
        number_column: said("number_column"),
        organization: said("organization"),
    })
}

/// The word of a form or a query.
pub(crate) fn dates(word: &str) -> Option<DayOrMonth> {
    match word {
        "dmy" => Some(DayOrMonth::DayFirst),
        "mdy" => Some(DayOrMonth::MonthFirst),
        _ => None,
    }
}

/// Reads a file, and keeps what it says until it is confirmed. Within: why it cannot be read.
pub(crate) async fn look(
    ctx: &Ctx<'_>,
    upload: RosterUpload,
) -> Result<Result<Outcome, String>, Fault> {
    let Some(reader) = &ctx.shared.settings.roster_reader else {
        return Err(crate::problem::Problem::not_found().into());
    };
    // Before any of the file is read.
    staff_profile(ctx).await?;
    let session = ctx.session()?;
    let fresh = ctx.portal().fresh(&session.verified)?;
    let desk = ctx.portal().staff_desk(&fresh, &ctx.asker);
    let read = match reader.read(upload).await {
        Ok(read) => read,
        Err(unreadable) => return Ok(Err(unreadable.0)),
    };
    let ReadRoster {
        batch,
        mut findings,
        left_out,
    } = read;
    let options = ImportOptions::default();
    let report = match is_usable(&findings) {
        true => Some(desk.preview_roster(&batch, options, &|_| ()).await?),
        false => None,
    };
    findings.extend(report.iter().flat_map(|report| report.findings.clone()));
    let mut outcome = Outcome {
        upload: None,
        report,
        unread: left_out,
        findings,
    };
    if !outcome.is_stopped() {
        let (account, family) = (session.verified.account(), session.family.as_str());
        let previews = &ctx.shared.previews;
        outcome.upload = Some(previews.keep(ctx.portal(), account, family, batch)?);
    }
    Ok(Ok(outcome))
}

fn is_usable(findings: &[Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.severity != Severity::Error)
}

/// Brings in a roster that was looked at. `None`: it does not wait any more.
pub(crate) async fn bring_in(
    ctx: &Ctx<'_>,
    fresh: &narthex_core::portal::Reauthenticated<'_>,
    upload: &str,
) -> Result<Option<Outcome>, Fault> {
    let family = &ctx.session()?.family;
    let Some(batch) = ctx.shared.previews.take(ctx.portal(), family, upload) else {
        return Ok(None);
    };
    let desk = ctx.portal().staff_desk(fresh, &ctx.asker);
    let options = ImportOptions::default();
    let report = desk.import_roster(&batch, options, &|_| ()).await?;
    Ok(Some(Outcome {
        upload: None,
        unread: 0,
        findings: report.findings.clone(),
        report: Some(report),
    }))
}

/// `POST /staff/roster/confirm`
pub(crate) async fn confirm(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = staff_profile(ctx).await?;
    let mut form = FormView::new(ctx, &[], &FIELDS);
    let proven = match proof::prove(ctx, &mut form).await? {
        Ok(proven) => proven,
        Err(refused) => {
            let locked = Some(LockedView {
                action: ctx.link("/staff/roster/confirm"),
                fields: vec![("upload", ctx.form.get("upload").to_owned())],
            });
            let reply = render(ctx, refused.status, &profile, form, locked, None, None).await?;
            return Ok(refused.headers(reply));
        }
    };
    let fresh = proven.fresh(ctx)?;
    let reply = match bring_in(ctx, &fresh, ctx.form.get("upload")).await? {
        Some(outcome) => {
            let names = ctx.organization_names().await?;
            let done = Some(outcome_view(ctx.t, &names, outcome));
            render(ctx, StatusCode::OK, &profile, form, None, None, done).await?
        }
        None => {
            form.refuse(ctx.t.roster_gone);
            let status = StatusCode::CONFLICT;
            render(ctx, status, &profile, form, None, None, None).await?
        }
    };
    Ok(proven.hand_out(ctx, reply))
}

/// The word of a form or of JSON.
pub(crate) fn decision(word: &str) -> Option<HoldDecision> {
    match word {
        "confirm" => Some(HoldDecision::Confirm),
        "discard" => Some(HoldDecision::Discard),
        _ => None,
    }
}

/// `POST /staff/roster/holds`; without a decision it asks for the password alone.
pub(crate) async fn settle(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = staff_profile(ctx).await?;
    let mut form = FormView::new(ctx, &[], &FIELDS);
    let proven = match proof::prove(ctx, &mut form).await? {
        Ok(proven) => proven,
        Err(refused) => {
            let kept = ["source", "organization", "decision"];
            let locked = Some(LockedView {
                action: ctx.link("/staff/roster/holds"),
                fields: kept
                    .map(|name| (name, ctx.form.get(name).to_owned()))
                    .into(),
            });
            let reply = render(ctx, refused.status, &profile, form, locked, None, None).await?;
            return Ok(refused.headers(reply));
        }
    };
    let organization = OrganizationId::parse(ctx.form.get("organization"));
    let notice = match (decision(ctx.form.get("decision")), organization) {
        (Some(decision), Ok(organization)) => {
            let fresh = proven.fresh(ctx)?;
            let desk = ctx.portal().staff_desk(&fresh, &ctx.asker);
            let source = ctx.form.get("source");
            let settled = desk.settle_hold(source, &organization, decision, &|_| ());
            match (settled.await?, decision) {
                (None, _) => "?notice=hold_gone",
                (Some(_), HoldDecision::Confirm) => "?notice=hold_confirmed",
                (Some(_), HoldDecision::Discard) => "?notice=hold_discarded",
            }
        }
        _ => "",
    };
    let reply = Reply::see_other(&ctx.link(&format!("/staff/roster{notice}")));
    Ok(proven.hand_out(ctx, reply))
}

fn outcome_view(
    t: &Texts,
    names: &HashMap<OrganizationId, String>,
    outcome: Outcome,
) -> OutcomeView {
    let stopped = outcome.is_stopped();
    let mut rows = Vec::new();
    if let Some(report) = outcome.report.as_ref().filter(|_| !stopped) {
        let of = |name: String, counts: &OrganizationReport| RowView {
            name,
            counts: [
                counts.added,
                counts.changed,
                counts.unchanged,
                counts.deactivated,
                counts.held,
                counts.left_out,
            ],
        };
        let touched = report.organizations.iter();
        rows.extend(touched.map(|(id, counts)| of(name_of(names, id), counts)));
        let all = OrganizationReport {
            added: report.added,
            changed: report.changed,
            unchanged: report.unchanged,
            left_out: report.left_out.saturating_add(outcome.unread),
            deactivated: report.deactivated,
            held: report.held,
        };
        rows.push(of(t.roster_all.to_owned(), &all));
    }
    OutcomeView {
        upload: outcome.upload,
        stopped,
        rows,
        findings: findings_view(t, outcome.findings),
    }
}

/// By code, the worst first.
fn findings_view(t: &Texts, mut findings: Vec<Finding>) -> Vec<FindingsView> {
    findings.sort_by(|a, b| (b.severity, a.code).cmp(&(a.severity, b.code)));
    let of_code = findings.chunk_by(|a, b| (a.severity, a.code) == (b.severity, b.code));
    let view = |of_code: &[Finding]| {
        let more = of_code.len().saturating_sub(FINDINGS_PER_CODE_SHOWN);
        let shown = of_code.iter().take(FINDINGS_PER_CODE_SHOWN);
        FindingsView {
            severity: match of_code.first().map(|finding| finding.severity) {
                Some(Severity::Error) => t.roster_severity_error,
                Some(Severity::Warning) => t.roster_severity_warning,
                _ => t.roster_severity_note,
            },
            shown: shown
                .map(|finding| (place_view(t, finding), finding.message.clone()))
                .collect(),
            more: (more > 0).then(|| fill(t.roster_findings_more, &[("n", &more.to_string())])),
        }
    };
    of_code.map(view).collect()
}

fn place_view(t: &Texts, finding: &Finding) -> String {
    let place = &finding.place;
    let line = place.line.to_string();
    let column = place.column.as_deref().unwrap_or("");
    match (place.file.as_str(), place.line, column) {
        ("", ..) => String::new(),
        (file, 0, _) => file.to_owned(),
        (file, _, "") => fill(t.roster_place, &[("file", file), ("line", &line)]),
        (file, ..) => fill(
            t.roster_place_column,
            &[("file", file), ("line", &line), ("column", column)],
        ),
    }
}
