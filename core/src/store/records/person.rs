//! Who is behind an account, and what they say of themselves.

use super::{Stored, VERSION, organization};
use crate::model::{EntryKey, Person, PersonDetails};
use crate::store::Record;
use crate::store::codec::{DecodeError, Reader, Writer};

/// A person who gave details has a field more.
const PERSON_WITH_DETAILS: u8 = 2;

impl Stored for Person {
    fn encode(&self) -> Record {
        let version = match self.details.is_empty() {
            true => VERSION,
            false => PERSON_WITH_DETAILS,
        };
        let mut w = Writer::new(version, 0);
        w.fixed(&self.entry.0).time(self.claimed_at);
        w.option(self.default_organization.as_ref(), |w, organization| {
            w.text(organization.as_str());
        });
        if version == PERSON_WITH_DETAILS {
            w.bytes(&self.details);
        }
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let has_details = record.0.first() == Some(&PERSON_WITH_DETAILS);
        let version = if has_details {
            PERSON_WITH_DETAILS
        } else {
            VERSION
        };
        let mut r = Reader::without_key(&record.0, version)?;
        let person = Self {
            entry: EntryKey(r.fixed()?),
            claimed_at: r.time()?,
            default_organization: r.option(organization)?,
            details: if has_details { r.bytes()? } else { Vec::new() },
        };
        r.finish()?;
        if has_details && person.details.is_empty() {
            return Err(DecodeError::Damaged);
        }
        Ok(person)
    }
}

impl Stored for PersonDetails {
    fn encode(&self) -> Record {
        let mut w = Writer::new(VERSION, 0);
        for field in [
            &self.preferred_name,
            &self.email,
            &self.phone,
            &self.language,
        ] {
            w.option(field.as_deref(), |w, text| {
                w.text(text);
            });
        }
        Record(w.finish())
    }

    fn decode(record: &Record) -> Result<Self, DecodeError> {
        let mut r = Reader::without_key(&record.0, VERSION)?;
        let details = Self {
            preferred_name: r.option(Reader::text)?,
            email: r.option(Reader::text)?,
            phone: r.option(Reader::text)?,
            language: r.option(Reader::text)?,
        };
        r.finish()?;
        Ok(details)
    }
}
