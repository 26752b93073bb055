//! Where every record lives and how it is written (*format*).

use std::time::Duration;

use super::codec::{DecodeError, Reader, Writer};
use super::{Cell, Key, Record};
use crate::model::{
    AccountId, ClaimCodeRecord, Contact, EndReason, Ended, EntryKey, Family, Gate, GateStatus,
    Lane, Message, MessageKind, Organization, OrganizationId, OrganizationKind, Recovery,
    RecoveryCode, RecoveryCodeKind, RecoveryStep, SecurityAnswersRecord, Selector, Ticket,
    TicketStep, Timestamp,
};

mod entry;
mod erased;
mod person;

pub use erased::{Erased, erased_key};

/// A value with one way to be written.
pub trait Stored: Sized {
    /// As written.
    fn encode(&self) -> Record;

    /// From what was written.
    ///
    /// # Errors
    /// Another version, or damaged.
    fn decode(record: &Record) -> Result<Self, DecodeError>;
}

const VERSION: u8 = 1;

/// `gate/<account>`.
pub fn gate_key(account: AccountId) -> Key {
    Key::record(format!("gate/{}", account.to_hex()))
}

/// `family/<selector>`.
pub fn family_key(selector: Selector) -> Key {
    Key::record(format!("family/{}", selector.to_hex()))
}

/// `account-families/<account>/<selector>`: empty; a prefix scan lists an account's families.
pub fn account_family_key(account: AccountId, selector: Selector) -> Key {
    Key::record(account_families(account) + &selector.to_hex())
}

/// `account-families/<account>/`: what to scan.
pub fn account_families(account: AccountId) -> String {
    format!("account-families/{}/", account.to_hex())
}

/// `seen/<selector>`: last activity, milliseconds.
pub fn seen_cell(selector: Selector) -> Cell {
    Cell::new(format!("seen/{}", selector.to_hex()))
}

/// `entry/<keyed digest of the login id>`.
pub fn entry_key(entry: &EntryKey) -> Key {
    Key::record(format!("entry/{}", entry.to_hex()))
}

/// `ticket/<keyed digest of the ticket id>`.
pub fn ticket_key(digest: &[u8; 32]) -> Key {
    Key::record(format!("ticket/{}", data_encoding::HEXLOWER.encode(digest)))
}

/// `recovery/<keyed digest of the ticket id>`.
pub fn recovery_key(digest: &[u8; 32]) -> Key {
    Key::record(format!(
        "recovery/{}",
        data_encoding::HEXLOWER.encode(digest)
    ))
}

/// `claim-code/<entry>`: the code that a claim of this entry may be proven with.
pub fn claim_code_key(entry: &EntryKey) -> Key {
    Key::record(format!("claim-code/{}", entry.to_hex()))
}

/// `known/<entry>/<mark>`: the lane of a browser in which the person was logged in.
pub fn known_lane_key(entry: &EntryKey, mark: &[u8; 16]) -> Key {
    let mark = data_encoding::HEXLOWER.encode(mark);
    Key::record(format!("{}{mark}", known_lanes_of(entry)))
}

/// What the keys of all lanes of known browsers of an entry begin with.
pub fn known_lanes_of(entry: &EntryKey) -> String {
    format!("known/{}/", entry.to_hex())
}

/// `person/<account>`.
pub fn person_key(account: AccountId) -> Key {
    Key::record(format!("person/{}", account.to_hex()))
}

/// `answers/<account>`.
pub fn answers_key(account: AccountId) -> Key {
    Key::record(format!("answers/{}", account.to_hex()))
}

/// `organization/<id>`.
pub fn organization_key(organization: &OrganizationId) -> Key {
    Key::record(format!("organization/{organization}"))
}

/// `outbox/<time>-<random>`: a message on its way out.
pub fn outbox_key(at: Timestamp, random: [u8; 8]) -> Key {
    Key::record(format!("outbox/{}", moment(at, random)))
}

/// `message/<account>/<time>-<random>`: a message for the next log-in.
pub fn message_key(account: AccountId, at: Timestamp, random: [u8; 8]) -> Key {
    let prefix = message_prefix(account);
    Key::record(format!("{prefix}{}", moment(at, random)))
}

/// `message/<account>/`.
pub fn message_prefix(account: AccountId) -> String {
    format!("message/{}/", account.to_hex())
}

/// In order of time, and never twice the same.
fn moment(at: Timestamp, random: [u8; 8]) -> String {
    format!(
        "{:016x}-{:016x}",
        at.as_millis(),
        u64::from_le_bytes(random)
    )
}

/// `time-floor`: the store was alive at this time.
pub fn time_floor_cell() -> Cell {
    Cell::new("time-floor")
}

/// `budget/<window start>/<scope>/<id>`: uncredited attempts of one window.
pub fn budget_cell(window: Timestamp, scope: &str, id: &str) -> Cell {
    Cell::new(format!("budget/{:016x}/{scope}/{id}", window.as_millis()))
}

/// `season/<span start>/<what>/<organization>/<which>`: near misses at claims.
pub fn season_cell(span: Timestamp, what: &str, organization: &str, which: &str) -> Cell {
    let span = span.as_millis();
    Cell::new(format!("season/{span:016x}/{what}/{organization}/{which}"))
}

/// `stat/<organization>/<what>/<which>`.
pub fn statistic_cell(organization: impl std::fmt::Display, what: &str, which: &str) -> Cell {
    Cell::new(format!("stat/{organization}/{what}/{which}"))
}

impl Stored for Gate {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.u64(self.session_epoch);
        w.text(self.epoch_reason.code());
        w.u8(match self.status {
            GateStatus::Active => 0,
            GateStatus::Disabled => 1,
            GateStatus::Reset => 2,
        });
        w.u64(self.credential_generation)
            .bytes(&self.sealed_credential);
        w.list(&self.recovery_codes, |w, code| {
            w.bytes(code);
        });
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let gate = Self {
            session_epoch: r.u64()?,
            epoch_reason: reason(&mut r)?,
            status: match r.u8()? {
                0 => GateStatus::Active,
                1 => GateStatus::Disabled,
                2 => GateStatus::Reset,
                _ => return Err(DecodeError::Damaged),
            },
            credential_generation: r.u64()?,
            sealed_credential: r.bytes()?,
            recovery_codes: r.list(Reader::bytes)?,
        };
        r.finish()?;
        Ok(gate)
    }
}

impl Stored for Family {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, self.token_key);
        w.fixed(self.account.as_bytes())
            .u64(self.session_epoch)
            .fixed(&self.token_digest);
        w.time(self.started_at).time(self.authenticated_at);
        w.u64(u64::try_from(self.inactivity_timeout.as_millis()).unwrap_or(u64::MAX));
        w.option(self.ended, |w, ended| {
            w.text(ended.reason.code()).time(ended.at);
        });
        w.text(&self.client_label);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::new(&record.0, VERSION)?;
        let family = Self {
            account: r.account()?,
            session_epoch: r.u64()?,
            token_key: r.key_id(),
            token_digest: r.fixed()?,
            started_at: r.time()?,
            authenticated_at: r.time()?,
            inactivity_timeout: Duration::from_millis(r.u64()?),
            ended: r.option(|r| {
                Ok(Ended {
                    reason: reason(r)?,
                    at: r.time()?,
                })
            })?,
            client_label: r.text()?,
        };
        r.finish()?;
        Ok(family)
    }
}

fn reason(r: &mut Reader<'_>) -> Result<EndReason, DecodeError> {
    EndReason::from_code(&r.text()?).ok_or(DecodeError::Damaged)
}

fn organization(r: &mut Reader<'_>) -> Result<OrganizationId, DecodeError> {
    OrganizationId::parse(&r.text()?).map_err(|_| DecodeError::Damaged)
}

impl Stored for Ticket {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.fixed(&self.entry.0)
            .u64(self.claim_generation)
            .fixed(&self.browser_digest);
        w.u8(match self.step {
            TicketStep::Identified => 0,
            TicketStep::PasswordSet => 1,
            TicketStep::Spent => 2,
        });
        w.bytes(&self.sealed_hash)
            .time(self.opened_at)
            .time(self.step_at);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let ticket = Self {
            entry: EntryKey(r.fixed()?),
            claim_generation: r.u64()?,
            browser_digest: r.fixed()?,
            step: match r.u8()? {
                0 => TicketStep::Identified,
                1 => TicketStep::PasswordSet,
                2 => TicketStep::Spent,
                _ => return Err(DecodeError::Damaged),
            },
            sealed_hash: r.bytes()?,
            opened_at: r.time()?,
            step_at: r.time()?,
        };
        r.finish()?;
        Ok(ticket)
    }
}

impl Stored for RecoveryCode {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, self.key);
        w.u8(match self.kind {
            RecoveryCodeKind::Issued => 0,
            RecoveryCodeKind::Saved => 1,
        });
        w.fixed(&self.digest).time(self.issued_at);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::new(&record.0, VERSION)?;
        let code = Self {
            kind: match r.u8()? {
                0 => RecoveryCodeKind::Issued,
                1 => RecoveryCodeKind::Saved,
                _ => return Err(DecodeError::Damaged),
            },
            key: r.key_id(),
            digest: r.fixed()?,
            issued_at: r.time()?,
        };
        r.finish()?;
        Ok(code)
    }
}

impl Stored for Recovery {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.fixed(self.account.as_bytes()).fixed(&self.entry.0);
        w.u64(self.credential_generation)
            .u64(self.session_epoch)
            .u64(self.answers_generation);
        w.fixed(&self.code_digest).fixed(&self.browser_digest);
        w.u8(match self.step {
            RecoveryStep::CodeProven => 0,
            RecoveryStep::AnswersProven => 1,
            RecoveryStep::Spent => 2,
        });
        w.time(self.opened_at).time(self.step_at);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let recovery = Self {
            account: r.account()?,
            entry: EntryKey(r.fixed()?),
            credential_generation: r.u64()?,
            session_epoch: r.u64()?,
            answers_generation: r.u64()?,
            code_digest: r.fixed()?,
            browser_digest: r.fixed()?,
            step: match r.u8()? {
                0 => RecoveryStep::CodeProven,
                1 => RecoveryStep::AnswersProven,
                2 => RecoveryStep::Spent,
                _ => return Err(DecodeError::Damaged),
            },
            opened_at: r.time()?,
            step_at: r.time()?,
        };
        r.finish()?;
        Ok(recovery)
    }
}

impl Stored for ClaimCodeRecord {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, self.code_key);
        w.u64(self.claim_generation)
            .fixed(&self.code_digest)
            .time(self.issued_at);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::new(&record.0, VERSION)?;
        let code = Self {
            claim_generation: r.u64()?,
            code_key: r.key_id(),
            code_digest: r.fixed()?,
            issued_at: r.time()?,
        };
        r.finish()?;
        Ok(code)
    }
}

impl Stored for SecurityAnswersRecord {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.list(&self.questions, |w, id| {
            w.text(id);
        });
        w.u64(self.generation).bytes(&self.sealed_hash);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let answers = Self {
            questions: r.list(Reader::text)?,
            generation: r.u64()?,
            sealed_hash: r.bytes()?,
        };
        r.finish()?;
        Ok(answers)
    }
}

impl Stored for Organization {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.text(self.id.as_str()).text(&self.name);
        w.u8(match self.kind {
            OrganizationKind::School => 0,
            OrganizationKind::District => 1,
            OrganizationKind::Other => 2,
        });
        w.option(self.parent.as_ref(), |w, parent| {
            w.text(parent.as_str());
        });
        w.list(&self.contacts, |w, contact| {
            w.text(&contact.name).text(&contact.role);
            w.option(contact.email.as_deref(), |w, email| {
                w.text(email);
            });
        });
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let organization = Self {
            id: organization(&mut r)?,
            name: r.text()?,
            kind: match r.u8()? {
                0 => OrganizationKind::School,
                1 => OrganizationKind::District,
                2 => OrganizationKind::Other,
                _ => return Err(DecodeError::Damaged),
            },
            parent: r.option(organization)?,
            contacts: r.list(|r| {
                Ok(Contact {
                    name: r.text()?,
                    role: r.text()?,
                    email: r.option(Reader::text)?,
                })
            })?,
        };
        r.finish()?;
        Ok(organization)
    }
}

impl Stored for Lane {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.u64(self.reserved)
            .u64(self.cleared)
            .time(self.last_failure_at);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let lane = Self {
            reserved: r.u64()?,
            cleared: r.u64()?,
            last_failure_at: r.time()?,
        };
        r.finish()?;
        Ok(lane)
    }
}

impl Stored for Message {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.fixed(self.account.as_bytes());
        w.text(self.kind.code()).time(self.at).text(&self.browser);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let account = r.account()?;
        let kind = r.text()?;
        let kind = MessageKind::ALL
            .into_iter()
            .find(|known| known.code() == kind)
            .ok_or(DecodeError::Damaged)?;
        let message = Self {
            account,
            kind,
            at: r.time()?,
            browser: r.text()?,
        };
        r.finish()?;
        Ok(message)
    }
}

/// What an import remembers of a person it has listed: `source/<source>/<keyed digest of source id>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// The entry the row became.
    pub entry: EntryKey,
    /// Keyed digest of everything the row said: the same again touches nothing.
    pub row_digest: [u8; 32],
    /// The organization the person counts in, for holds.
    pub organization: OrganizationId,
    /// Whether the source lists the person.
    pub state: RowState,
}

/// Whether a source lists a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// It does.
    Listed,
    /// It does not: the person is inactive.
    Missing,
    /// The last complete import did not, together with too many others: the person stays as they were
    /// until a human confirms.
    Held,
}

impl Stored for SourceRow {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.fixed(&self.entry.0)
            .fixed(&self.row_digest)
            .text(self.organization.as_str());
        w.u8(match self.state {
            RowState::Listed => 0,
            RowState::Missing => 1,
            RowState::Held => 2,
        });
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let row = Self {
            entry: EntryKey(r.fixed()?),
            row_digest: r.fixed()?,
            organization: organization(&mut r)?,
            state: match r.u8()? {
                0 => RowState::Listed,
                1 => RowState::Missing,
                2 => RowState::Held,
                _ => return Err(DecodeError::Damaged),
            },
        };
        r.finish()?;
        Ok(row)
    }
}

/// `organization-source/<id>`.
pub fn organization_source_key(organization: &OrganizationId) -> Key {
    Key::record(format!("organization-source/{organization}"))
}

/// The source an organization belongs to: no other one touches it, or the people in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationSource {
    /// The name of the source.
    pub source: String,
    /// When it listed the organization first.
    pub bound_at: Timestamp,
}

impl Stored for OrganizationSource {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.text(&self.source).time(self.bound_at);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let bound = Self {
            source: r.text()?,
            bound_at: r.time()?,
        };
        r.finish()?;
        Ok(bound)
    }
}

/// `hold/<source>/<organization>`: an import that would have made too many people of an organization
/// inactive. The people are those whose [`SourceRow`] is [`RowState::Held`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterHold {
    /// The name of the source.
    pub source: String,
    /// Whose people were missing.
    pub organization: OrganizationId,
    /// When the import was.
    pub held_at: Timestamp,
    /// People who were missing.
    pub missing: u64,
    /// People the source had listed there before.
    pub listed: u64,
}

impl Stored for RosterHold {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.text(&self.source)
            .text(self.organization.as_str())
            .time(self.held_at)
            .u64(self.missing)
            .u64(self.listed);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let hold = Self {
            source: r.text()?,
            organization: organization(&mut r)?,
            held_at: r.time()?,
            missing: r.u64()?,
            listed: r.u64()?,
        };
        r.finish()?;
        Ok(hold)
    }
}
