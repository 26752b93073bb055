//! `narthex person export`: what is stored about a person, in words a program and a person can read.

use narthex::core::event::AuditEvent;
use narthex::core::model::{Membership, Message, PersonDetails, RecoveryCodeKind, Timestamp};
use narthex::core::portal::{
    ExportedAccount, ExportedEntry, ExportedRow, ExportedSession, PersonExport,
};
use narthex::core::store::records::RowState;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::login_id;
use super::show::{listing, status};
use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};
use crate::moment::utc;

/// Everything that is stored about a person.
#[derive(Deserialize, Serialize)]
pub(crate) struct Export {
    pub(super) number: String,
}

/// All of it, or that there is no such number.
#[derive(Deserialize, Serialize)]
pub(crate) struct Exported {
    number: String,
    listed: bool,
    stored: Option<Value>,
}

impl Operation for Export {
    type Reply = Exported;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Exported, Failure> {
        let number = login_id(&self.number)?;
        let export = desk.portal.export_person(&number, &call.asker).await?;
        Ok(Exported {
            number: number.as_str().to_owned(),
            listed: export.is_some(),
            stored: export.as_ref().map(stored),
        })
    }
}

impl Reply for Exported {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.listed)
    }

    fn tell(&self) {
        match &self.stored {
            None => say!("The roster has no number {}.", self.number),
            Some(stored) => say!("{stored:#}"),
        }
    }
}

fn stored(export: &PersonExport) -> Value {
    let times = |times: &[Timestamp]| -> Vec<String> { times.iter().map(|at| utc(*at)).collect() };
    let tries = export.tries.iter().map(
        |(kind, failed, last_at)| json!({ "at": kind, "failed": failed, "last_at": utc(*last_at) }),
    );
    json!({
        "entries": all(&export.entries, entry),
        "accounts": all(&export.accounts, account),
        "roster_rows": all(&export.rows, row),
        "tries": tries.collect::<Vec<_>>(),
        "known_browsers_last_tried_at": times(&export.known_browsers),
        "claim_codes_issued_at": times(&export.claim_codes),
        "claims_begun_at": times(&export.claims),
        "recoveries_begun_at": times(&export.recoveries),
        "messages": all(&export.messages, message),
        "audit": all(&export.events, event),
    })
}

fn all<T>(items: &[T], told: impl Fn(&T) -> Value) -> Vec<Value> {
    items.iter().map(told).collect()
}

fn entry(entry: &ExportedEntry) -> Value {
    let details = &entry.details;
    json!({
        "number": details.login_id,
        "given_name": details.given_name,
        "family_name": details.family_name,
        "preferred_given_name": details.preferred_given_name,
        "preferred_family_name": details.preferred_family_name,
        "source": details.source,
        "source_id": details.source_id,
        "listing": listing(entry.listing),
        "claimed": entry.claimed,
        "disabled_at": entry.disabled_at.map(utc),
        "birthdate_on_record": entry.has_birthdate,
        "memberships": all(&entry.memberships, member),
        "default_organization": entry.default_organization.as_str(),
    })
}

fn member(member: &Membership) -> Value {
    json!({ "organization": member.organization.as_str(), "role": member.role.code() })
}

fn account(account: &ExportedAccount) -> Value {
    let codes = account.recovery_codes.iter().map(|(kind, issued_at)| {
        let from = match kind {
            RecoveryCodeKind::Issued => "staff",
            RecoveryCodeKind::Saved => "person",
        };
        json!({ "from": from, "issued_at": utc(*issued_at) })
    });
    json!({
        "account": account.account.to_hex(),
        "status": account.status.map(status),
        "has_password": account.has_password,
        "claimed_at": account.claimed_at.map(utc),
        "default_organization": account.default_organization.as_ref().map(|o| o.as_str()),
        "details": details(&account.details),
        "questions": account.questions,
        "recovery_codes": codes.collect::<Vec<_>>(),
        "sessions": all(&account.sessions, session),
    })
}

fn details(details: &PersonDetails) -> Value {
    json!({
        "preferred_name": details.preferred_name,
        "email": details.email,
        "phone": details.phone,
        "language": details.language,
    })
}

fn session(session: &ExportedSession) -> Value {
    json!({
        "handle": session.handle,
        "browser": session.client_label,
        "started_at": utc(session.started_at),
        "last_seen": utc(session.last_seen),
        "ended_at": session.ended.map(|ended| utc(ended.at)),
        "ended_by": session.ended.map(|ended| ended.reason.code()),
    })
}

fn row(row: &ExportedRow) -> Value {
    let state = match row.state {
        RowState::Listed => "listed",
        RowState::Missing => "missing",
        RowState::Held => "held",
    };
    json!({ "organization": row.organization.as_str(), "state": state })
}

fn message(message: &Message) -> Value {
    json!({
        "kind": message.kind.code(),
        "at": utc(message.at),
        "browser": message.browser,
    })
}

fn event(event: &AuditEvent) -> Value {
    json!({
        "at": utc(event.at),
        "event": event.kind.code(),
        "source": event.source,
        "request_id": event.request_id,
        "detail": event.detail,
    })
}
