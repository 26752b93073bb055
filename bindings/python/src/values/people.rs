//! What the office does for one person, and everything that is stored about them.

use narthex::core::event::AuditEvent;
use narthex::core::model::{Message, PersonDetails, RecoveryCodeKind, Timestamp};
use narthex::core::portal::{
    CreatedPerson, ErasedPerson, ExportedAccount, ExportedEntry, ExportedRow, ExportedSession,
    PersonExport, PersonStatusChange,
};
use narthex::core::store::records::RowState;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Made, VALUES, issued_claim_code, listing, membership, or_none, status, tuple};
use crate::handles::datetime;

pub(crate) fn created_person<'py>(py: Python<'py>, created: &CreatedPerson) -> Made<'py> {
    let (word, issued, made, erased_at) = match created {
        CreatedPerson::Created {
            code,
            organization_made,
        } => ("created", Some(code), *organization_made, None),
        CreatedPerson::Taken => ("taken", None, false, None),
        CreatedPerson::Erased(at) => ("erased", None, false, Some(datetime(*at))),
        CreatedPerson::NoOrganization => ("no_organization", None, false, None),
    };
    let issued = or_none(py, issued, issued_claim_code)?;
    VALUES.call(py, "CreatedPerson", (word, issued, made, erased_at))
}

pub(crate) fn person_status_change(py: Python<'_>, change: PersonStatusChange) -> Made<'_> {
    let told = match change {
        PersonStatusChange::Unknown => ("unknown", 0, false),
        PersonStatusChange::AsBefore => ("as_before", 0, false),
        PersonStatusChange::Changed {
            sessions_ended,
            listed,
        } => ("changed", sessions_ended, listed),
    };
    VALUES.call(py, "PersonStatusChange", told)
}

pub(crate) fn erased_person(py: Python<'_>, erased: ErasedPerson) -> Made<'_> {
    let told = match erased {
        ErasedPerson::Unknown => ("unknown", 0, 0, None),
        ErasedPerson::Before(at) => ("before", 0, 0, Some(datetime(at))),
        ErasedPerson::Erased { records, events } => ("erased", records, events, None),
    };
    VALUES.call(py, "ErasedPerson", told)
}

pub(crate) fn export<'py>(py: Python<'py>, export: &PersonExport) -> Made<'py> {
    let tries = |py, (kind, failed, last_at): &(&'static str, u32, Timestamp)| {
        VALUES.call(py, "ExportedTries", (*kind, *failed, datetime(*last_at)))
    };
    let told = (
        tuple(py, &export.entries, entry)?,
        tuple(py, &export.accounts, account)?,
        tuple(py, &export.rows, row)?,
        tuple(py, &export.tries, tries)?,
        times(py, &export.known_browsers)?,
        times(py, &export.claim_codes)?,
        times(py, &export.claims)?,
        times(py, &export.recoveries)?,
        tuple(py, &export.messages, message)?,
        tuple(py, &export.events, event)?,
    );
    VALUES.call(py, "PersonExport", told)
}

fn times<'py>(py: Python<'py>, times: &[Timestamp]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, times.iter().map(|at| datetime(*at)))
}

fn entry<'py>(py: Python<'py>, entry: &ExportedEntry) -> Made<'py> {
    let details = &entry.details;
    let names = (
        &details.login_id,
        &details.given_name,
        &details.family_name,
        details.preferred_given_name.as_deref(),
        details.preferred_family_name.as_deref(),
        &details.source,
        &details.source_id,
    );
    let rest = (
        listing(entry.listing),
        entry.claimed,
        entry.disabled_at.map(datetime),
        entry.has_birthdate,
        tuple(py, &entry.memberships, membership)?,
        entry.default_organization.as_str(),
    );
    let (names, rest) = (names.into_pyobject(py)?, rest.into_pyobject(py)?);
    let told = names.as_sequence().concat(rest.as_sequence())?.to_tuple()?;
    VALUES.call(py, "ExportedEntry", told)
}

fn account<'py>(py: Python<'py>, account: &ExportedAccount) -> Made<'py> {
    let code = |py, (kind, issued_at): &(RecoveryCodeKind, Timestamp)| {
        let from = match kind {
            RecoveryCodeKind::Issued => "staff",
            RecoveryCodeKind::Saved => "person",
        };
        VALUES.call(py, "ExportedRecoveryCode", (from, datetime(*issued_at)))
    };
    let default = account.default_organization.as_ref();
    let told = (
        account.account.to_hex(),
        account.status.map(status),
        account.has_password,
        account.claimed_at.map(datetime),
        default.map(|id| id.as_str()),
        details(py, &account.details)?,
        PyTuple::new(py, &account.questions)?,
        tuple(py, &account.recovery_codes, code)?,
        tuple(py, &account.sessions, session)?,
    );
    VALUES.call(py, "ExportedAccount", told)
}

/// What a person says of themselves.
pub(super) fn details<'py>(py: Python<'py>, own: &PersonDetails) -> Made<'py> {
    let told = (
        own.preferred_name.as_deref(),
        own.email.as_deref(),
        own.phone.as_deref(),
        own.language.as_deref(),
    );
    VALUES.call(py, "Details", told)
}

fn session<'py>(py: Python<'py>, session: &ExportedSession) -> Made<'py> {
    let told = (
        &session.handle,
        &session.client_label,
        datetime(session.started_at),
        datetime(session.last_seen),
        session.ended.map(|ended| datetime(ended.at)),
        session.ended.map(|ended| ended.reason.code()),
    );
    VALUES.call(py, "ExportedSession", told)
}

fn row<'py>(py: Python<'py>, row: &ExportedRow) -> Made<'py> {
    let state = match row.state {
        RowState::Listed => "listed",
        RowState::Missing => "missing",
        RowState::Held => "held",
    };
    VALUES.call(py, "ExportedRow", (row.organization.as_str(), state))
}

fn message<'py>(py: Python<'py>, message: &Message) -> Made<'py> {
    let told = (message.kind.code(), datetime(message.at), &message.browser);
    VALUES.call(py, "Message", told)
}

/// One event of the audit.
pub(crate) fn event<'py>(py: Python<'py>, event: &AuditEvent) -> Made<'py> {
    let told = (
        datetime(event.at),
        event.kind.code(),
        event.account.map(|account| account.to_hex()),
        &event.source,
        &event.request_id,
        &event.detail,
    );
    VALUES.call(py, "AuditEvent", told)
}
