//! Where every record lives and how it is written (*format*).

use std::time::Duration;

use super::codec::{DecodeError, Reader, Writer};
use super::{Cell, Key, Record};
use crate::model::{
    AccountId, Contact, EndReason, Ended, EntryDetails, EntryKey, Family, Gate, GateStatus, Lane,
    Listing, Membership, Organization, OrganizationId, OrganizationKind, Person, Role, RosterEntry,
    SecurityAnswersRecord, Selector, Ticket, TicketStep, Timestamp,
};

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
    Key::record(format!(
        "account-families/{}/{}",
        account.to_hex(),
        selector.to_hex()
    ))
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

/// `time-floor`: the store was alive at this time.
pub fn time_floor_cell() -> Cell {
    Cell::new("time-floor")
}

/// `budget/<window start>/<scope>/<id>`: uncredited attempts of one window.
pub fn budget_cell(window: Timestamp, scope: &str, id: &str) -> Cell {
    Cell::new(format!("budget/{:016x}/{scope}/{id}", window.as_millis()))
}

/// `stat/<organization>/<what>/<which>`.
pub fn statistic_cell(organization: &OrganizationId, what: &str, which: &str) -> Cell {
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

impl Stored for RosterEntry {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, self.evidence_key);
        w.u64(self.claim_generation);
        w.u8(match self.listing {
            Listing::Active => 0,
            Listing::Inactive => 1,
            Listing::Held => 2,
        });
        w.u8(u8::from(self.claimed));
        w.option(self.account, |w, account| {
            w.fixed(account.as_bytes());
        });
        for pair in &self.name_pairs {
            w.fixed(pair);
        }
        w.option(self.birthdate, |w, digest| {
            w.fixed(&digest);
        });
        w.list(&self.memberships, |w, membership| {
            w.text(membership.organization.as_str())
                .text(membership.role.code());
        });
        w.text(self.default_organization.as_str())
            .bytes(&self.details);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::new(&record.0, VERSION)?;
        let entry = Self {
            claim_generation: r.u64()?,
            listing: match r.u8()? {
                0 => Listing::Active,
                1 => Listing::Inactive,
                2 => Listing::Held,
                _ => return Err(DecodeError::Damaged),
            },
            claimed: flag(&mut r)?,
            account: r.option(Reader::account)?,
            evidence_key: r.key_id(),
            name_pairs: [r.fixed()?, r.fixed()?, r.fixed()?, r.fixed()?],
            birthdate: r.option(Reader::fixed)?,
            memberships: r.list(|r| {
                Ok(Membership {
                    organization: organization(r)?,
                    role: Role::from_code(&r.text()?).ok_or(DecodeError::Damaged)?,
                })
            })?,
            default_organization: organization(&mut r)?,
            details: r.bytes()?,
        };
        r.finish()?;
        Ok(entry)
    }
}

fn flag(r: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Damaged),
    }
}

fn organization(r: &mut Reader<'_>) -> Result<OrganizationId, DecodeError> {
    OrganizationId::parse(&r.text()?).map_err(|_| DecodeError::Damaged)
}

impl Stored for EntryDetails {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.text(&self.login_id)
            .text(&self.given_name)
            .text(&self.family_name);
        for preferred in [&self.preferred_given_name, &self.preferred_family_name] {
            w.option(preferred.as_deref(), |w, name| {
                w.text(name);
            });
        }
        w.text(&self.source).text(&self.source_id);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let details = Self {
            login_id: r.text()?,
            given_name: r.text()?,
            family_name: r.text()?,
            preferred_given_name: r.option(Reader::text)?,
            preferred_family_name: r.option(Reader::text)?,
            source: r.text()?,
            source_id: r.text()?,
        };
        r.finish()?;
        Ok(details)
    }
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

impl Stored for Person {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.fixed(&self.entry.0).time(self.claimed_at);
        w.option(self.default_organization.as_ref(), |w, organization| {
            w.text(organization.as_str());
        });
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let person = Self {
            entry: EntryKey(r.fixed()?),
            claimed_at: r.time()?,
            default_organization: r.option(organization)?,
        };
        r.finish()?;
        Ok(person)
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
        w.u32(self.failures).time(self.last_failure_at);
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let lane = Self {
            failures: r.u32()?,
            last_failure_at: r.time()?,
        };
        r.finish()?;
        Ok(lane)
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
    /// Whether the last complete import did not list the person.
    pub missing: bool,
}

impl Stored for SourceRow {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        w.fixed(&self.entry.0)
            .fixed(&self.row_digest)
            .text(self.organization.as_str());
        w.u8(u8::from(self.missing));
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let row = Self {
            entry: EntryKey(r.fixed()?),
            row_digest: r.fixed()?,
            organization: organization(&mut r)?,
            missing: flag(&mut r)?,
        };
        r.finish()?;
        Ok(row)
    }
}
