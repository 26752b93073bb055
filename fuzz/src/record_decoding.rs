//! What the store gives back: read exactly, or refused.

use std::fmt::Debug;

use narthex_core::event::AuditEvent;
use narthex_core::model::{
    ClaimCodeRecord, EntryDetails, Family, Gate, Lane, Message, Organization, Person,
    PersonDetails, Recovery, RecoveryCode, RosterEntry, SecurityAnswersRecord, Ticket,
};
use narthex_core::store::Record;
use narthex_core::store::records::{Erased, OrganizationSource, RosterHold, SourceRow, Stored};

/// Every kind of record is tried on every input: keys say what a record is, records do not.
pub fn record_decoding(data: &[u8]) {
    let record = Record(data.to_vec());
    exact::<ClaimCodeRecord>(&record);
    exact::<EntryDetails>(&record);
    exact::<Erased>(&record);
    exact::<Family>(&record);
    exact::<Gate>(&record);
    exact::<Lane>(&record);
    exact::<Message>(&record);
    exact::<Organization>(&record);
    exact::<OrganizationSource>(&record);
    exact::<Person>(&record);
    exact::<PersonDetails>(&record);
    exact::<Recovery>(&record);
    exact::<RecoveryCode>(&record);
    exact::<RosterEntry>(&record);
    exact::<RosterHold>(&record);
    exact::<SecurityAnswersRecord>(&record);
    exact::<SourceRow>(&record);
    exact::<Ticket>(&record);
    if let Ok(event) = AuditEvent::decode(&record) {
        let again = event.encode();
        same_bytes(data, &again);
        assert_eq!(AuditEvent::decode(&again), Ok(event));
    }
}

fn exact<T: Stored + PartialEq + Debug>(record: &Record) {
    let Ok(value) = T::decode(record) else {
        return;
    };
    let again = value.encode();
    same_bytes(&record.0, &again);
    assert_eq!(T::decode(&again), Ok(value));
}

/// Whatever is understood is written back as it was: nothing was guessed, nothing passed over.
fn same_bytes(read: &[u8], again: &Record) {
    assert!(
        read == again.0,
        "decoded, and encoded otherwise: {} and {}",
        read.escape_ascii(),
        again.0.escape_ascii()
    );
}
