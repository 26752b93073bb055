//! Does what the store holds fit together? A slow audit of a snapshot: every record is decoded, every
//! reference followed, the counts of the statistics counted again. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;

use super::Portal;
use crate::error::Result;
use crate::event::AuditEvent;
use crate::host::KeyPurpose;
use crate::model::{
    AccountId, ClaimCodeRecord, EntryKey, Family, Gate, Lane, Listing, Message, Organization,
    Person, Recovery, RosterEntry, SecurityAnswersRecord, Selector, Ticket,
};
use crate::store::backup::{self, BackupError, Counts};
use crate::store::codec::DecodeError;
use crate::store::records::{Erased, OrganizationSource, RosterHold, SourceRow, Stored};
use crate::store::snapshot::{Item, Kept, Snapshot};
use crate::store::{Record, StoreError};

/// The most findings that are kept; the others are counted.
pub const FINDINGS_MAX: usize = 1_000;

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFinding {
    /// Where, as a path in the store: it names nobody.
    pub path: String,
    /// What is wrong, in plain words.
    pub told: String,
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// What was looked at.
    pub counts: Counts,
    /// Records of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// Records of kinds that this check does not know, by kind: looked at by nobody.
    pub unknown: BTreeMap<String, u64>,
    /// What does not fit, the first of them.
    pub findings: Vec<CheckFinding>,
    /// How many findings there were in all.
    pub findings_in_all: u64,
}

impl Portal {
    /// Writes a backup of `snapshot`: see [`crate::store::backup`]. Blocks the thread.
    ///
    /// # Errors
    /// The store or the file failed; what was written then is not a backup.
    pub fn back_up(
        &self,
        snapshot: &mut dyn Snapshot,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Counts, BackupError> {
        backup::write(snapshot, self.keys(), self.now().latest, out, progress)
    }

    /// Checks whether everything in `snapshot` fits together. Blocks the thread.
    ///
    /// # Errors
    /// The store did not answer. What does not fit is a finding, not an error.
    pub fn check_records(
        &self,
        snapshot: &mut dyn Snapshot,
        progress: &mut dyn FnMut(u64),
    ) -> Result<CheckReport, StoreError> {
        let mut check = Check {
            portal: self,
            report: CheckReport::default(),
            seen: Seen::default(),
        };
        loop {
            let page = snapshot.next_page()?;
            if page.is_empty() {
                break;
            }
            for item in &page {
                check.report.counts.count(item);
                check.look_at(item);
            }
            progress(check.report.counts.all());
        }
        check.follow_references();
        Ok(check.report)
    }
}

struct Check<'a> {
    portal: &'a Portal,
    report: CheckReport,
    seen: Seen,
}

/// What references are followed by.
#[derive(Default)]
struct Seen {
    gates: BTreeSet<AccountId>,
    families: BTreeMap<Selector, AccountId>,
    listed_families: BTreeSet<(AccountId, Selector)>,
    persons: BTreeMap<AccountId, EntryKey>,
    answers: BTreeSet<AccountId>,
    entries: BTreeMap<EntryKey, (bool, Option<AccountId>)>,
    organizations: BTreeSet<String>,
    memberships: BTreeSet<String>,
    counted: BTreeMap<String, u64>,
    cells: BTreeMap<String, u64>,
    active: BTreeSet<Selector>,
}

/// What a path says, or that it is none of ours.
struct BadPath;

impl Check<'_> {
    fn find(&mut self, path: impl Into<String>, told: impl fmt::Display) {
        self.report.findings_in_all += 1;
        if self.report.findings.len() < FINDINGS_MAX {
            self.report.findings.push(CheckFinding {
                path: path.into(),
                told: told.to_string(),
            });
        }
    }

    fn look_at(&mut self, item: &Item) {
        let (kind, rest) = item.path.split_once('/').unwrap_or((&item.path, ""));
        match &item.kept {
            Kept::Record(record) => self.look_at_record(&item.path, kind, rest, record),
            Kept::Event(event) => {
                if let Err(error) = AuditEvent::decode(event) {
                    self.find(&item.path, error);
                }
            }
            Kept::Cell(value) => self.look_at_cell(&item.path, kind, rest, *value),
        }
    }

    fn look_at_record(&mut self, path: &str, kind: &str, rest: &str, record: &Record) {
        let known = match kind {
            "gate" => self.gate(rest, record),
            "family" => self.family(rest, record),
            "account-families" => self.account_family(rest),
            "entry" => self.entry(rest, record),
            "person" => self.person(rest, record),
            "answers" => self.answers(rest, record),
            "organization" => self.organization(rest, record),
            "ticket" => decodes::<Ticket>(record),
            "recovery" => decodes::<Recovery>(record),
            "lane" | "known" => decodes::<Lane>(record),
            "claim-code" => decodes::<ClaimCodeRecord>(record),
            "message" | "outbox" => decodes::<Message>(record),
            "organization-source" => decodes::<OrganizationSource>(record),
            "hold" => decodes::<RosterHold>(record),
            "source" => decodes::<SourceRow>(record),
            "erased" => decodes::<Erased>(record),
            other => {
                *self.report.unknown.entry(other.to_owned()).or_default() += 1;
                return;
            }
        };
        *self.report.kinds.entry(kind.to_owned()).or_default() += 1;
        if let Err(told) = known {
            self.find(path, told);
        }
    }

    fn gate(&mut self, rest: &str, record: &Record) -> Looked {
        decodes::<Gate>(record)?;
        self.seen.gates.insert(account(rest)?);
        Ok(())
    }

    fn family(&mut self, rest: &str, record: &Record) -> Looked {
        let family = Family::decode(record)?;
        let selector = selector(rest)?;
        self.seen.families.insert(selector, family.account);
        Ok(())
    }

    fn account_family(&mut self, rest: &str) -> Looked {
        let (of, which) = rest.split_once('/').ok_or(BadPath)?;
        let listed = (account(of)?, selector(which)?);
        self.seen.listed_families.insert(listed);
        Ok(())
    }

    fn person(&mut self, rest: &str, record: &Record) -> Looked {
        let person = Person::decode(record)?;
        self.seen.persons.insert(account(rest)?, person.entry);
        Ok(())
    }

    fn answers(&mut self, rest: &str, record: &Record) -> Looked {
        decodes::<SecurityAnswersRecord>(record)?;
        self.seen.answers.insert(account(rest)?);
        Ok(())
    }

    fn organization(&mut self, rest: &str, record: &Record) -> Looked {
        let organization = Organization::decode(record)?;
        if organization.id.as_str() != rest {
            return Err("it is kept under the name of another organization".to_owned());
        }
        self.seen.organizations.insert(rest.to_owned());
        Ok(())
    }

    fn entry(&mut self, rest: &str, record: &Record) -> Looked {
        let entry = RosterEntry::decode(record)?;
        let bytes = data_encoding::HEXLOWER.decode(rest.as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
        let key = EntryKey(bytes.ok_or(BadPath)?);
        for membership in &entry.memberships {
            let organization = membership.organization.as_str();
            self.seen.memberships.insert(organization.to_owned());
            let mut count = |what| {
                let cell = format!("stat/{organization}/{what}/{}", membership.role.code());
                *self.seen.counted.entry(cell).or_default() += 1;
            };
            if entry.listing == Listing::Active {
                count("listed");
                if entry.claimed {
                    count("claimed");
                }
            }
        }
        let kept = (entry.claimed, entry.account);
        self.seen.entries.insert(key, kept);
        let opened = self.portal.open_details(&key, &entry);
        opened.map_err(|error| format!("its names do not open: {error}"))?;
        let keys = self.portal.keys();
        if !keys.has(KeyPurpose::Evidence, entry.evidence_key) {
            return Err("the key of its claim facts is not in the key file".to_owned());
        }
        Ok(())
    }

    fn look_at_cell(&mut self, path: &str, kind: &str, rest: &str, value: u64) {
        match kind {
            "seen" => match selector(rest) {
                Ok(selector) => drop(self.seen.active.insert(selector)),
                Err(BadPath) => self.find(path, String::from(BadPath)),
            },
            "stat" if is_counted(rest) => drop(self.seen.cells.insert(path.to_owned(), value)),
            _ => {}
        }
    }

    /// What can only be told once everything has been seen.
    fn follow_references(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        self.families(&seen);
        self.accounts(&seen);
        for organization in seen.memberships.difference(&seen.organizations) {
            let path = format!("organization/{organization}");
            self.find(
                path,
                "people belong to this organization, and it is not there",
            );
        }
        let cells = seen.cells.keys().chain(seen.counted.keys());
        let cells: BTreeSet<_> = cells.collect();
        for cell in cells {
            let kept = seen.cells.get(cell).copied().unwrap_or(0);
            let counted = seen.counted.get(cell).copied().unwrap_or(0);
            if kept != counted {
                self.find(
                    cell,
                    format!("it says {kept}; counted again it is {counted}"),
                );
            }
        }
    }

    fn families(&mut self, seen: &Seen) {
        for (selector, account) in &seen.families {
            let path = format!("family/{}", selector.to_hex());
            if !seen.gates.contains(account) {
                self.find(&path, "the account of this session is not there");
            }
            if !seen.listed_families.contains(&(*account, *selector)) {
                self.find(path, "its account does not list this session");
            }
        }
        for (account, selector) in &seen.listed_families {
            if seen.families.get(selector) != Some(account) {
                let (account, selector) = (account.to_hex(), selector.to_hex());
                let path = format!("account-families/{account}/{selector}");
                self.find(path, "it lists a session that is not there");
            }
        }
        for selector in &seen.active {
            if !seen.families.contains_key(selector) {
                let path = format!("seen/{}", selector.to_hex());
                self.find(path, "it tells of a session that is not there");
            }
        }
    }

    fn accounts(&mut self, seen: &Seen) {
        for (account, entry) in &seen.persons {
            let path = format!("person/{}", account.to_hex());
            if !seen.gates.contains(account) {
                self.find(&path, "this person has no gate: nobody can log in as them");
            }
            if !seen.entries.contains_key(entry) {
                self.find(path, "the roster entry of this person is not there");
            }
        }
        for (key, (claimed, account)) in &seen.entries {
            let path = format!("entry/{}", key.to_hex());
            match account {
                None if *claimed => self.find(path, "it is claimed, and has no account"),
                Some(account) if !seen.persons.contains_key(account) => {
                    self.find(path, "its account has no person");
                }
                _ => {}
            }
        }
        for account in &seen.gates {
            if !seen.persons.contains_key(account) {
                let path = format!("gate/{}", account.to_hex());
                self.find(path, "this gate belongs to nobody");
            }
        }
        for account in &seen.answers {
            if !seen.gates.contains(account) {
                let path = format!("answers/{}", account.to_hex());
                self.find(path, "these answers belong to nobody");
            }
        }
    }
}

/// A finding in words, or none.
type Looked = std::result::Result<(), String>;

impl From<BadPath> for String {
    fn from(_: BadPath) -> Self {
        "its key is not as narthex writes it".to_owned()
    }
}

impl From<DecodeError> for String {
    fn from(error: DecodeError) -> Self {
        error.to_string()
    }
}

fn decodes<T: Stored>(record: &Record) -> Looked {
    T::decode(record)?;
    Ok(())
}

fn account(hex: &str) -> std::result::Result<AccountId, BadPath> {
    AccountId::from_hex(hex).ok_or(BadPath)
}

fn selector(hex: &str) -> std::result::Result<Selector, BadPath> {
    Selector::from_hex(hex).ok_or(BadPath)
}

/// Whether `stat/<rest>` counts people, and not what they did.
fn is_counted(rest: &str) -> bool {
    let mut parts = rest.rsplit('/').skip(1);
    matches!(parts.next(), Some("listed" | "claimed"))
}
