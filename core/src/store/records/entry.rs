//! A prepared person, and what is sealed of them.

use super::{Stored, VERSION, organization};
use crate::model::{EntryDetails, Listing, Membership, Role, RosterEntry};
use crate::store::Record;
use crate::store::codec::{DecodeError, Reader, Writer};

/// Who the office disabled has a field more.
const ENTRY_DISABLED: u8 = 2;

impl Stored for RosterEntry {
    fn encode(&self) -> Record {
        let version = match self.disabled_at {
            None => VERSION,
            Some(_) => ENTRY_DISABLED,
        };
        let mut w = Writer::new(version, self.evidence_key);
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
        if let Some(at) = self.disabled_at {
            w.time(at);
        }
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let is_disabled = record.0.first() == Some(&ENTRY_DISABLED);
        let version = match is_disabled {
            true => ENTRY_DISABLED,
            false => VERSION,
        };
        let mut r = Reader::new(&record.0, version)?;
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
            disabled_at: is_disabled.then(|| r.time()).transpose()?,
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
