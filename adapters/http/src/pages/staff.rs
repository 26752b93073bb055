//! The desk of the staff: one person at a time, found by number, in a fresh session. The number and
//! what is shown stand in no address.

use std::collections::BTreeSet;

use http::StatusCode;
use narthex_core::model::{GateStatus, Listing, LoginId, OrganizationId, Profile, Timestamp};
use narthex_core::portal::{
    DeskReport, EvidenceReport, IssueClaimCode, IssuedRecoveryCode, Once, PersonReport, StaffDesk,
};
use narthex_core::rules::staff::{is_staff, served};
use narthex_core::{Error, Refusal};
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::texts::fill;

use super::claim::typed_evidence;
use super::proof;
use super::view::{FormView, Shell, page};

const KEPT: [&str; 8] = [
    "login_id",
    "act",
    "mark",
    "given_name",
    "family_name",
    "birth_month",
    "birth_day",
    "birth_year",
];

#[derive(Serialize)]
struct StaffView {
    shell: Shell,
    form: FormView,
    /// Whether the form asks for the password.
    confirm: bool,
    person: Option<FoundView>,
    #[serde(flatten)]
    done: Done,
}

#[derive(Serialize)]
struct FoundView {
    name: String,
    number: String,
    /// What the forms say of the page that they stand on.
    mark: String,
    rows: Vec<(&'static str, String)>,
    may_act: bool,
    /// The word of the form, the button, and what it does.
    acts: Vec<(&'static str, &'static str, &'static str)>,
}

/// What was asked for led to this. A code stands on this one page only: the same form sent again
/// makes none (see [`Once`]).
#[derive(Default, Serialize)]
struct Done {
    said: Option<&'static str>,
    code: Option<CodeView>,
    checked: Vec<&'static str>,
}

/// Just made; on no other page and never again.
#[derive(Serialize)]
struct CodeView {
    title: String,
    text: String,
    once: String,
}

/// `GET /staff`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = staff_profile(ctx).await?;
    let form = FormView::new(ctx, &[], &KEPT);
    search(ctx, StatusCode::OK, &profile, form, proof::asks(ctx)?).await
}

/// Who asks, if they are staff: others are told so before they are asked for a password.
pub(super) async fn staff_profile(ctx: &Ctx<'_>) -> Result<Profile, Fault> {
    let profile = ctx.portal().profile(&ctx.session()?.verified).await?;
    if is_staff(&profile.memberships, &ctx.portal().policy().staff) {
        Ok(profile)
    } else {
        Err(Refusal::NotPermitted.into())
    }
}

/// The page with the one field.
async fn search(
    ctx: &Ctx<'_>,
    status: StatusCode,
    profile: &Profile,
    mut form: FormView,
    confirm: bool,
) -> Result<Reply, Fault> {
    form.add(proof::FIELD);
    render(ctx, status, profile, form, confirm, None, Done::default()).await
}

async fn render(
    ctx: &Ctx<'_>,
    status: StatusCode,
    profile: &Profile,
    form: FormView,
    confirm: bool,
    person: Option<FoundView>,
    done: Done,
) -> Result<Reply, Fault> {
    let mut shell = Shell::for_person(ctx, "staff", ctx.t.staff_title, profile, None).await?;
    if !form.is_good() {
        shell.mark_error();
    }
    let view = StaffView {
        shell,
        form,
        confirm,
        person,
        done,
    };
    page(ctx, status, "staff.html", &view)
}

/// `POST /staff`: finds a person, and does for them what the button says.
pub(crate) async fn act(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let profile = staff_profile(ctx).await?;
    let mut form = FormView::new(ctx, &KEPT, &[proof::FIELD]);
    let number = match LoginId::parse(ctx.form.get("login_id")) {
        Ok(number) => number,
        Err(problem) => {
            form.wrong("login_id", ctx.t.invalid(problem.0));
            let asks = proof::asks(ctx)?;
            return search(ctx, StatusCode::UNPROCESSABLE_ENTITY, &profile, form, asks).await;
        }
    };
    let proven = match proof::prove(ctx, &mut form).await? {
        Ok(proven) => proven,
        Err(refused) => {
            let reply = search(ctx, refused.status, &profile, form, true).await?;
            return Ok(refused.headers(reply));
        }
    };
    let fresh = proven.fresh(ctx)?;
    let desk = ctx.portal().staff_desk(&fresh, &ctx.asker);
    let done = perform(ctx, &desk, &number, &mut form).await?;
    let reply = match desk.find(&number).await? {
        Some(found) => {
            let status = match form.is_good() {
                true => StatusCode::OK,
                false => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let person = Some(found_view(ctx, &profile, found).await?);
            render(ctx, status, &profile, form, false, person, done).await?
        }
        None => {
            let mut form = FormView::new(ctx, &["login_id"], &KEPT[1..]);
            form.wrong("login_id", ctx.t.staff_unknown);
            search(ctx, StatusCode::UNPROCESSABLE_ENTITY, &profile, form, false).await?
        }
    };
    Ok(proven.hand_out(ctx, reply))
}

/// Does what the button says; looking is no word of its own. Where nothing may be done, the page of
/// the person says why.
async fn perform(
    ctx: &Ctx<'_>,
    desk: &StaffDesk<'_>,
    number: &LoginId,
    form: &mut FormView,
) -> Result<Done, Fault> {
    let mark = ctx.form.get("mark");
    let done = match ctx.form.get("act") {
        "clear" => desk.clear_tries(number).await.map(|found| Done {
            said: found.then_some(ctx.t.staff_cleared),
            ..Done::default()
        }),
        "end" => desk
            .end_sessions(number, mark)
            .await
            .map(|ended| match ended {
                Once::Stale => repeated(ctx),
                Once::Done(ended) => Done {
                    said: ended.map(|_| ctx.t.staff_ended),
                    ..Done::default()
                },
            }),
        "claim_code" => {
            let issued = desk.issue_claim_code(number, mark).await;
            issued.map(|issued| match issued {
                Once::Stale => repeated(ctx),
                Once::Done(issued) => claim_code(ctx, issued),
            })
        }
        "recovery_code" => {
            let issued = desk.issue_recovery_code(number, mark).await;
            issued.map(|issued| match issued {
                Once::Stale => repeated(ctx),
                Once::Done(issued) => recovery_code(ctx, number, issued),
            })
        }
        "check" => match typed_evidence(ctx, form) {
            None => return Ok(Done::default()),
            Some(evidence) => desk.check(&evidence).await.map(|report| Done {
                checked: report
                    .map(|report| checked(ctx, report))
                    .unwrap_or_default(),
                ..Done::default()
            }),
        },
        _ => return Ok(Done::default()),
    };
    match done {
        Err(Error::Refused(Refusal::NotPermitted)) => Ok(Done::default()),
        done => Ok(done?),
    }
}

/// The page was sent a second time, or somebody else was faster.
fn repeated(ctx: &Ctx<'_>) -> Done {
    Done {
        said: Some(ctx.t.staff_repeated),
        ..Done::default()
    }
}

fn claim_code(ctx: &Ctx<'_>, issued: IssueClaimCode) -> Done {
    match issued {
        IssueClaimCode::Unknown => Done::default(),
        IssueClaimCode::NotClaimable => Done {
            said: Some(ctx.t.staff_nothing_to_claim),
            ..Done::default()
        },
        IssueClaimCode::Issued(issued) => {
            let name = format!("{} {}", issued.given_name, issued.family_name);
            let text = issued.code.expose().to_string();
            code(ctx, ctx.t.staff_code_claim, &name, text, issued.expires_at)
        }
    }
}

fn recovery_code(ctx: &Ctx<'_>, number: &LoginId, issued: IssuedRecoveryCode) -> Done {
    match issued {
        IssuedRecoveryCode::Unknown => Done::default(),
        IssuedRecoveryCode::NothingToRecover => Done {
            said: Some(ctx.t.staff_nothing_to_recover),
            ..Done::default()
        },
        IssuedRecoveryCode::Issued {
            code: text,
            expires_at,
        } => {
            let text = text.expose().to_string();
            let title = ctx.t.staff_code_recovery;
            code(ctx, title, number.as_str(), text, expires_at)
        }
    }
}

fn code(ctx: &Ctx<'_>, title: &str, name: &str, text: String, expires_at: Timestamp) -> Done {
    let span = ctx.t.span(expires_at.since(ctx.portal().now().latest));
    Done {
        code: Some(CodeView {
            title: fill(title, &[("name", name)]),
            text,
            once: fill(ctx.t.staff_code_once, &[("span", &span)]),
        }),
        ..Done::default()
    }
}

fn checked(ctx: &Ctx<'_>, report: EvidenceReport) -> Vec<&'static str> {
    let t = ctx.t;
    let names = match report.names_match {
        true => t.staff_names_right,
        false => t.staff_names_wrong,
    };
    let birthdate = match (report.has_birthdate, report.birthdate_matches) {
        (false, _) => t.staff_birthdate_none,
        (true, true) => t.staff_birthdate_right,
        (true, false) => t.staff_birthdate_wrong,
    };
    let mut lines = vec![names, birthdate];
    if !report.claimable {
        lines.push(t.staff_not_claimable);
    }
    lines
}

async fn found_view(ctx: &Ctx<'_>, staff: &Profile, found: DeskReport) -> Result<FoundView, Fault> {
    let t = ctx.t;
    let person = &found.person;
    let mut acts = vec![("clear", t.staff_clear, t.staff_clear_hint)];
    if person.claimed {
        acts.push((
            "recovery_code",
            t.staff_recovery_code,
            t.staff_recovery_code_hint,
        ));
        acts.push(("end", t.staff_end, t.staff_end_hint));
    } else {
        acts.push(("claim_code", t.staff_claim_code, t.staff_claim_code_hint));
    }
    Ok(FoundView {
        name: format!("{} {}", person.given_name, person.family_name),
        number: person.login_id.clone(),
        mark: found.mark.clone(),
        rows: rows(ctx, staff, &found).await?,
        may_act: found.may_act,
        acts,
    })
}

async fn rows(
    ctx: &Ctx<'_>,
    staff: &Profile,
    found: &DeskReport,
) -> Result<Vec<(&'static str, String)>, Fault> {
    let (t, person) = (ctx.t, &found.person);
    let listed = match person.listing {
        Listing::Active if person.disabled_at.is_some() => t.staff_disabled,
        Listing::Active => t.staff_yes,
        Listing::Inactive => t.staff_listed_no,
        Listing::Held => t.staff_listed_held,
    };
    let claimed = match (person.claimed, person.status) {
        (true, Some(GateStatus::Disabled)) => t.staff_disabled,
        (true, _) => t.staff_yes,
        (false, Some(GateStatus::Reset)) => t.staff_reset,
        (false, _) => t.staff_claimed_no,
    };
    let birthdate = match person.has_birthdate {
        true => t.staff_yes,
        false => t.staff_listed_no,
    };
    let (source, row) = &person.source_row;
    let row = fill(t.staff_row_value, &[("row", row), ("source", source)]);
    let sessions = match found.sessions {
        0 => t.staff_sessions_none.to_owned(),
        n => fill(t.staff_sessions_value, &[("n", &n.to_string())]),
    };
    let mut rows = vec![
        (t.staff_roles, belongs_to(ctx, staff, person).await?),
        (t.staff_listed, listed.to_owned()),
        (t.staff_row, row),
        (t.staff_claimed, claimed.to_owned()),
        (t.staff_birthdate, birthdate.to_owned()),
        (
            t.staff_claim_tries,
            tries(ctx, person.claim_failures, person.claim_shut_until),
        ),
        (
            t.staff_log_in_tries,
            tries(ctx, person.log_in_failures, person.log_in_shut_until),
        ),
        (t.staff_sessions, sessions),
    ];
    if let Some(end) = person.claim_code_expires_at {
        let span = t.span(end.since(ctx.portal().now().latest));
        let value = fill(t.staff_code_live_value, &[("span", &span)]);
        rows.push((t.staff_code_live, value));
    }
    Ok(rows)
}

fn tries(ctx: &Ctx<'_>, count: u32, shut_until: Option<Timestamp>) -> String {
    let n = count.to_string();
    match shut_until {
        None => n,
        Some(until) => {
            let span = ctx.t.span(until.since(ctx.portal().now().latest));
            fill(ctx.t.staff_tries_shut, &[("n", &n), ("span", &span)])
        }
    }
}

/// Where who asks is staff.
pub(super) async fn organizations_served(
    ctx: &Ctx<'_>,
    staff: &Profile,
) -> Result<BTreeSet<OrganizationId>, Fault> {
    let policy = &ctx.portal().policy().staff;
    let all = ctx.organizations().await?;
    Ok(served(&staff.memberships, policy, &all))
}

/// The organizations that the person shares with who asks; of others only that there are some (P8).
async fn belongs_to(
    ctx: &Ctx<'_>,
    staff: &Profile,
    person: &PersonReport,
) -> Result<String, Fault> {
    let names = ctx.organization_names().await?;
    let served = organizations_served(ctx, staff).await?;
    let (ours, others): (Vec<_>, Vec<_>) = person
        .memberships
        .iter()
        .partition(|m| staff.is_member(&m.organization) || served.contains(&m.organization));
    let mut list: Vec<String> = ours
        .iter()
        .map(|m| {
            let id = m.organization.to_string();
            let name = names.get(&m.organization).cloned().unwrap_or(id);
            format!("{name} ({})", ctx.t.role(&m.role).1)
        })
        .collect();
    if !others.is_empty() {
        list.push(ctx.t.staff_elsewhere.to_owned());
    }
    Ok(list.join(", "))
}
