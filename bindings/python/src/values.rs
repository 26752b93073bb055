//! What the engine tells, as the frozen values of `narthex._values`.

pub(crate) mod desk;
pub(crate) mod people;

use narthex::core::model::OrganizationKind;

use narthex::core::event::AuditEvent;
use narthex::core::hook::StatisticLine;
use narthex::core::model::Profile;
use narthex::core::model::roster::Finding;
use narthex::core::model::roster::Severity;
use narthex::core::model::{Contact, GateStatus, Listing, Membership, Organization};
use narthex::core::policy::SeasonPolicy;
use narthex::core::portal;
use narthex::core::portal::{AuditLine, DeskReport, EvidenceReport, FamilySummary};
use narthex::core::portal::{Claimed, ImportReport, LoggedIn, PersonReport};
use narthex::core::portal::{IssueClaimCode, IssuedClaimCode, IssuedRecoveryCode, ResetClaim};
use narthex::core::portal::{Once, Recovered, RosterStatus, Statistics};
use narthex::core::rules::password::PasswordRequirement;
use narthex::core::rules::question::SecurityQuestion;
use narthex::core::rules::season::Season;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::cell::PythonModule;
use crate::handles::{Session, SessionToken, datetime};

pub(crate) static VALUES: PythonModule = PythonModule::named("narthex._values");

type Made<'py> = PyResult<Bound<'py, PyAny>>;

fn tuple<'py, T>(
    py: Python<'py>,
    items: &[T],
    make: impl Fn(Python<'py>, &T) -> Made<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    let made: PyResult<Vec<_>> = items.iter().map(|item| make(py, item)).collect();
    PyTuple::new(py, made?)
}

pub(crate) fn logged_in<'py>(py: Python<'py>, logged_in: LoggedIn) -> Made<'py> {
    let profile = profile(py, &logged_in.profile)?;
    let known = logged_in.known_browser.as_ref().map(|known| known.expose());
    let token = Bound::new(py, SessionToken(logged_in.token.clone()))?;
    let session = Session {
        verified: logged_in.session,
        token: Some(logged_in.token),
    };
    let told = (token, Bound::new(py, session)?, profile, known);
    VALUES.call(py, "LoggedIn", told)
}

pub(crate) fn claimed<'py>(py: Python<'py>, claimed: &Claimed) -> Made<'py> {
    let told = (
        claimed.account.to_hex(),
        &claimed.login_id,
        &claimed.given_name,
        claimed.default_organization.as_str(),
    );
    VALUES.call(py, "Claimed", told)
}

fn membership<'py>(py: Python<'py>, membership: &Membership) -> Made<'py> {
    let told = (membership.organization.as_str(), membership.role.code());
    VALUES.call(py, "Membership", told)
}

pub(crate) fn profile<'py>(py: Python<'py>, profile: &Profile) -> Made<'py> {
    let told = (
        profile.account.to_hex(),
        &profile.login_id,
        &profile.given_name,
        &profile.family_name,
        tuple(py, &profile.memberships, membership)?,
        profile.default_organization.as_ref().map(|id| id.as_str()),
        people::details(py, &profile.details)?,
    );
    VALUES.call(py, "Profile", told)
}

pub(crate) fn requirements<'py>(
    py: Python<'py>,
    requirements: &[PasswordRequirement],
) -> Made<'py> {
    let make =
        |py, one: &PasswordRequirement| VALUES.call(py, "Requirement", (one.code(), one.text()));
    Ok(tuple(py, requirements, make)?.into_any())
}

pub(crate) fn questions<'py>(
    py: Python<'py>,
    questions: &[&'static SecurityQuestion],
) -> Made<'py> {
    let make = |py, one: &&SecurityQuestion| VALUES.call(py, "Question", (one.id, one.text));
    Ok(tuple(py, questions, make)?.into_any())
}

pub(crate) fn recovered<'py>(py: Python<'py>, recovered: &Recovered) -> Made<'py> {
    let told = (
        recovered.account.to_hex(),
        &recovered.login_id,
        &recovered.given_name,
    );
    VALUES.call(py, "Recovered", told)
}

/// The value, or `None`.
pub(crate) fn or_none<'py, T>(
    py: Python<'py>,
    told: Option<T>,
    make: impl FnOnce(Python<'py>, T) -> Made<'py>,
) -> Made<'py> {
    told.map_or_else(|| Ok(py.None().into_bound(py)), |told| make(py, told))
}

pub(crate) fn issued_recovery_code<'py>(py: Python<'py>, issued: &IssuedRecoveryCode) -> Made<'py> {
    let told = match issued {
        IssuedRecoveryCode::Unknown => ("unknown", None, None),
        IssuedRecoveryCode::NothingToRecover => ("nothing_to_recover", None, None),
        IssuedRecoveryCode::Issued { code, expires_at } => {
            let code = code.expose().to_string();
            ("issued", Some(code), Some(datetime(*expires_at)))
        }
    };
    VALUES.call(py, "IssuedRecoveryCode", told)
}

pub(crate) fn recovery_codes<'py>(py: Python<'py>, codes: Bound<'py, PyTuple>) -> Made<'py> {
    VALUES.call(py, "RecoveryCodes", (codes,))
}

fn issued_claim_code<'py>(py: Python<'py>, issued: &IssuedClaimCode) -> Made<'py> {
    let told = (
        &issued.login_id,
        &issued.given_name,
        &issued.family_name,
        issued.organization.as_str(),
        issued.code.expose().to_string(),
        datetime(issued.expires_at),
        issued.needs_birthdate,
    );
    VALUES.call(py, "IssuedClaimCode", told)
}

pub(crate) fn issued_claim_codes<'py>(py: Python<'py>, issued: &[IssuedClaimCode]) -> Made<'py> {
    Ok(tuple(py, issued, issued_claim_code)?.into_any())
}

pub(crate) fn issue_claim_code<'py>(py: Python<'py>, outcome: &IssueClaimCode) -> Made<'py> {
    let (word, issued) = match outcome {
        IssueClaimCode::Unknown => ("unknown", None),
        IssueClaimCode::NotClaimable => ("not_claimable", None),
        IssueClaimCode::Issued(issued) => ("issued", Some(issued)),
    };
    let issued = or_none(py, issued, issued_claim_code)?;
    VALUES.call(py, "IssueClaimCode", (word, issued))
}

/// What an act at the desk led to: `Stale`, if another came first.
pub(crate) fn once_issue_claim_code<'py>(
    py: Python<'py>,
    outcome: &Once<IssueClaimCode>,
) -> Made<'py> {
    match outcome {
        Once::Done(outcome) => issue_claim_code(py, outcome),
        Once::Stale => VALUES.call(py, "IssueClaimCode", ("stale",)),
    }
}

pub(crate) fn once_issued_recovery_code<'py>(
    py: Python<'py>,
    outcome: &Once<IssuedRecoveryCode>,
) -> Made<'py> {
    match outcome {
        Once::Done(outcome) => issued_recovery_code(py, outcome),
        Once::Stale => VALUES.call(py, "IssuedRecoveryCode", ("stale",)),
    }
}

pub(crate) fn once_ended<'py>(py: Python<'py>, outcome: &Once<Option<usize>>) -> Made<'py> {
    let told = match outcome {
        Once::Done(Some(ended)) => ("ended", *ended),
        Once::Done(None) => ("unknown", 0),
        Once::Stale => ("stale", 0),
    };
    VALUES.call(py, "EndedSessions", told)
}

pub(crate) fn reset_claim<'py>(py: Python<'py>, outcome: &ResetClaim) -> Made<'py> {
    let (word, issued) = match outcome {
        ResetClaim::Unknown => ("unknown", None),
        ResetClaim::NotClaimed => ("not_claimed", None),
        ResetClaim::Reset(issued) => ("reset", Some(issued)),
    };
    let issued = or_none(py, issued, issued_claim_code)?;
    VALUES.call(py, "ResetClaim", (word, issued))
}

pub(crate) fn evidence<'py>(py: Python<'py>, report: &EvidenceReport) -> Made<'py> {
    let told = (
        report.listed,
        report.names_match,
        report.birthdate_matches,
        report.has_birthdate,
        report.claimable,
        report.disabled,
    );
    VALUES.call(py, "EvidenceReport", told)
}

pub(crate) fn desk_report<'py>(py: Python<'py>, found: &DeskReport) -> Made<'py> {
    let told = (
        person(py, &found.person)?,
        found.sessions,
        found.may_act,
        &found.mark,
    );
    VALUES.call(py, "DeskReport", told)
}

pub(crate) fn season<'py>(py: Python<'py>, season: &Season, policy: &SeasonPolicy) -> Made<'py> {
    let told = (
        season.near_misses,
        season.everywhere,
        season.unclaimed,
        season.told_at(policy),
        season.code_at(policy),
        season.needs_code(policy),
    );
    VALUES.call(py, "Season", told)
}

pub(crate) fn families<'py>(py: Python<'py>, families: &[FamilySummary]) -> Made<'py> {
    let make = |py, one: &FamilySummary| {
        let told = (
            &one.handle,
            one.current,
            &one.client_label,
            datetime(one.started_at),
            datetime(one.last_seen),
            datetime(one.expires_at),
        );
        VALUES.call(py, "Family", told)
    };
    Ok(tuple(py, families, make)?.into_any())
}

pub(crate) fn audit<'py>(py: Python<'py>, lines: &[AuditLine]) -> Made<'py> {
    let make = |py, line: &AuditLine| {
        let event = line.event.as_ref();
        let text = |part: fn(&AuditEvent) -> &str| event.map(|event| part(event).to_owned());
        let told = (
            &line.cursor,
            event.map(|event| event.kind.code()),
            event.map(|event| datetime(event.at)),
            event.and_then(|event| event.account.map(|account| account.to_hex())),
            text(|event| &event.source),
            text(|event| &event.request_id),
            text(|event| &event.detail),
        );
        VALUES.call(py, "AuditLine", told)
    };
    Ok(tuple(py, lines, make)?.into_any())
}

fn contact<'py>(py: Python<'py>, contact: &Contact) -> Made<'py> {
    let told = (&contact.name, &contact.role, contact.email.as_deref());
    VALUES.call(py, "Contact", told)
}

fn kind(kind: OrganizationKind) -> &'static str {
    match kind {
        OrganizationKind::School => "school",
        OrganizationKind::District => "district",
        OrganizationKind::Other => "other",
    }
}

pub(crate) fn organization<'py>(py: Python<'py>, one: &Organization) -> Made<'py> {
    let told = (
        one.id.as_str(),
        &one.name,
        kind(one.kind),
        one.parent.as_ref().map(|id| id.as_str()),
        tuple(py, &one.contacts, contact)?,
    );
    VALUES.call(py, "Organization", told)
}

pub(crate) fn organizations<'py>(py: Python<'py>, all: &[Organization]) -> Made<'py> {
    Ok(tuple(py, all, organization)?.into_any())
}

pub(crate) fn statistics<'py>(py: Python<'py>, statistics: &Statistics) -> Made<'py> {
    let make = |py, people: &portal::RoleCount| {
        let counts = (people.listed.to_string(), people.claimed.to_string());
        VALUES.call(py, "RoleCount", (people.role.code(), counts.0, counts.1))
    };
    let told = (
        statistics.organization.as_str(),
        tuple(py, &statistics.people, make)?,
        statistics.log_ins_today.to_string(),
    );
    VALUES.call(py, "Statistics", told)
}

pub(crate) fn statistic_lines<'py>(py: Python<'py>, lines: &[StatisticLine]) -> Made<'py> {
    let make =
        |py, line: &StatisticLine| VALUES.call(py, "StatisticLine", (&line.label, &line.value));
    Ok(tuple(py, lines, make)?.into_any())
}

pub(crate) fn finding<'py>(py: Python<'py>, finding: &Finding) -> Made<'py> {
    let severity = match finding.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let place = &finding.place;
    let told = (
        severity,
        finding.code,
        &finding.message,
        &place.file,
        place.line,
        place.column.as_deref(),
        finding.value.as_deref(),
    );
    VALUES.call(py, "Finding", told)
}

/// An import; `None`: the files could not be used, and nothing was changed, as when it is stopped.
pub(crate) fn import_report<'py>(
    py: Python<'py>,
    report: Option<&ImportReport>,
    findings: &[Finding],
    left_out: usize,
) -> Made<'py> {
    let nothing = ImportReport::default();
    let counts = report.unwrap_or(&nothing);
    let organizations: Vec<_> = counts.organizations.iter().collect();
    let told = (
        report.is_some_and(|report| !report.is_stopped()),
        counts.added,
        counts.changed,
        counts.unchanged,
        counts.deactivated,
        counts.held,
        counts.without_birthdate,
        left_out,
        tuple(py, findings, finding)?,
        tuple(py, &organizations, desk::organization_report)?,
    );
    VALUES.call(py, "ImportReport", told)
}

pub(crate) fn roster_status<'py>(py: Python<'py>, status: &RosterStatus) -> Made<'py> {
    let told = (
        status.active,
        status.claimed,
        status.inactive,
        status.shared,
        status.without_birthdate,
        status.organizations,
        status.holds.len(),
    );
    VALUES.call(py, "RosterStatus", told)
}

pub(crate) fn person<'py>(py: Python<'py>, person: &PersonReport) -> Made<'py> {
    let who = (
        &person.login_id,
        &person.given_name,
        &person.family_name,
        listing(person.listing),
        person.claimed,
        person.status.map(status),
        person.account.map(|account| account.to_hex()),
        person.has_birthdate,
        tuple(py, &person.memberships, membership)?,
        person.default_organization.as_str(),
    );
    let (source, source_id) = &person.source_row;
    let tries = (
        person.claim_failures,
        person.log_in_failures,
        person.claim_code_failures,
        person.claim_code_expires_at.map(datetime),
        person.claim_shut_until.map(datetime),
        person.log_in_shut_until.map(datetime),
        source,
        source_id,
        person.disabled_at.map(datetime),
    );
    let (who, tries) = (who.into_pyobject(py)?, tries.into_pyobject(py)?);
    let told = who.as_sequence().concat(tries.as_sequence())?.to_tuple()?;
    VALUES.call(py, "PersonReport", told)
}

fn listing(listing: Listing) -> &'static str {
    match listing {
        Listing::Active => "active",
        Listing::Inactive => "inactive",
        Listing::Held => "held",
    }
}

fn status(status: GateStatus) -> &'static str {
    match status {
        GateStatus::Active => "active",
        GateStatus::Disabled => "disabled",
        GateStatus::Reset => "reset",
    }
}
