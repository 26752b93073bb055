//! The format of records, pinned: a seed of the corpus per kind of record, and a test that the
//! encoder still writes exactly that. A store that exists must stay readable, so a difference here is
//! a new version of the format, never a mere update: then `UPDATE_EXPECT=1` writes the files anew.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{folder, seeds};
use narthex_core::event::{AuditEvent, EventKind};
use narthex_core::model::{
    AccountId, ClaimCodeRecord, Contact, EndReason, Ended, EntryDetails, EntryKey, Family, Gate,
    GateStatus, Lane, Listing, Membership, Message, MessageKind, Organization, OrganizationId,
    OrganizationKind, Person, PersonDetails, Recovery, RecoveryCode, RecoveryCodeKind,
    RecoveryStep, Role, RosterEntry, SecurityAnswersRecord, Ticket, TicketStep, Timestamp,
};
use narthex_core::store::Record;
use narthex_core::store::records::{
    Erased, OrganizationSource, RosterHold, RowState, SourceRow, Stored,
};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);
const LATER: Timestamp = Timestamp::from_millis(1_790_014_400_123);
const ACCOUNT: AccountId = AccountId::from_bytes(*b"account-id-16-by");
const ENTRY: EntryKey = EntryKey(*b"entry key made of 32 fixed bytes");

fn digest(fill: u8) -> [u8; 32] {
    [fill; 32]
}

fn organization_id(text: &str) -> OrganizationId {
    OrganizationId::parse(text).unwrap()
}

type Named = (String, Record);

/// The record, after a look that it is read back as it was written.
fn named<T: Stored + PartialEq + std::fmt::Debug>(name: impl Into<String>, value: &T) -> Named {
    let record = value.encode();
    assert_eq!(T::decode(&record).as_ref(), Ok(value));
    (name.into(), record)
}

fn gates() -> Vec<Named> {
    let gate = |status, recovery_codes| Gate {
        session_epoch: 7,
        epoch_reason: EndReason::PasswordChanged,
        status,
        credential_generation: 3,
        sealed_credential: b"a sealed credential".to_vec(),
        recovery_codes,
    };
    vec![
        named("gate_active", &gate(GateStatus::Active, Vec::new())),
        named("gate_disabled", &gate(GateStatus::Disabled, Vec::new())),
        named(
            "gate_reset_with_codes",
            &gate(GateStatus::Reset, vec![b"one".to_vec(), b"two".to_vec()]),
        ),
    ]
}

fn families() -> Vec<Named> {
    let family = |ended| Family {
        account: ACCOUNT,
        session_epoch: 7,
        token_key: 2,
        token_digest: digest(0xd1),
        started_at: NOW,
        authenticated_at: LATER,
        inactivity_timeout: Duration::from_secs(4 * 3600),
        ended,
        client_label: "Firefox, Linux".to_owned(),
    };
    let ended = EndReason::ALL.into_iter().map(|reason| {
        let ended = Ended { reason, at: LATER };
        named(
            format!("family_ended_{}", reason.code()),
            &family(Some(ended)),
        )
    });
    ended.chain([named("family_live", &family(None))]).collect()
}

fn entries() -> Vec<Named> {
    let memberships = [
        Role::Student,
        Role::Teacher,
        Role::Administrator,
        Role::Guardian,
        Role::Other,
    ];
    let entry = |listing, claimed: bool| RosterEntry {
        claim_generation: 5,
        listing,
        claimed,
        account: claimed.then_some(ACCOUNT),
        evidence_key: 4,
        name_pairs: [digest(1), digest(2), digest(3), digest(4)],
        birthdate: (!claimed).then_some(digest(5)),
        memberships: memberships
            .iter()
            .map(|role| Membership {
                organization: organization_id("10001"),
                role: role.clone(),
            })
            .collect(),
        default_organization: organization_id("10001"),
        details: b"sealed details".to_vec(),
        disabled_at: None,
    };
    let details = |preferred: Option<&str>| EntryDetails {
        login_id: "S-1024".to_owned(),
        given_name: "Zo\u{eb}".to_owned(),
        family_name: "O'Neil".to_owned(),
        preferred_given_name: preferred.map(str::to_owned),
        preferred_family_name: preferred.map(str::to_owned),
        source: "sample".to_owned(),
        source_id: "u-1".to_owned(),
    };
    let row = |state| SourceRow {
        entry: ENTRY,
        row_digest: digest(6),
        organization: organization_id("10001"),
        state,
    };
    vec![
        named("roster_entry_active", &entry(Listing::Active, false)),
        named("roster_entry_claimed", &entry(Listing::Inactive, true)),
        named(
            "roster_entry_disabled",
            &RosterEntry {
                disabled_at: Some(LATER),
                ..entry(Listing::Active, true)
            },
        ),
        named(
            "erased",
            &Erased {
                at: NOW,
                with: vec![digest(1), digest(2)],
            },
        ),
        named("roster_entry_held", &entry(Listing::Held, false)),
        named("entry_details", &details(None)),
        named("entry_details_preferred", &details(Some("Kit"))),
        named("source_row", &row(RowState::Missing)),
        named("source_row_held", &row(RowState::Held)),
        named("source_row_listed", &row(RowState::Listed)),
        named(
            "organization_source",
            &OrganizationSource {
                source: "sample".to_owned(),
                bound_at: NOW,
            },
        ),
        named(
            "roster_hold",
            &RosterHold {
                source: "sample".to_owned(),
                organization: organization_id("10001"),
                held_at: NOW,
                missing: 21,
                listed: 100,
            },
        ),
    ]
}

fn tickets() -> Vec<Named> {
    let ticket = |step, hash: &[u8]| Ticket {
        entry: ENTRY,
        claim_generation: 5,
        browser_digest: digest(7),
        step,
        sealed_hash: hash.to_vec(),
        opened_at: NOW,
        step_at: LATER,
    };
    vec![
        named("ticket_identified", &ticket(TicketStep::Identified, b"")),
        named(
            "ticket_password_set",
            &ticket(TicketStep::PasswordSet, b"a sealed hash"),
        ),
        named("ticket_spent", &ticket(TicketStep::Spent, b"")),
        named(
            "claim_code",
            &ClaimCodeRecord {
                claim_generation: 5,
                code_key: 2,
                code_digest: digest(8),
                issued_at: NOW,
            },
        ),
    ]
}

fn recoveries() -> Vec<Named> {
    let recovery = |step| Recovery {
        account: ACCOUNT,
        entry: ENTRY,
        credential_generation: 3,
        session_epoch: 7,
        answers_generation: 2,
        code_digest: digest(8),
        browser_digest: digest(9),
        step,
        opened_at: NOW,
        step_at: LATER,
    };
    let code = |kind| RecoveryCode {
        kind,
        key: 2,
        digest: digest(8),
        issued_at: NOW,
    };
    vec![
        named("recovery_code_proven", &recovery(RecoveryStep::CodeProven)),
        named(
            "recovery_answers_proven",
            &recovery(RecoveryStep::AnswersProven),
        ),
        named("recovery_spent", &recovery(RecoveryStep::Spent)),
        named("recovery_code_issued", &code(RecoveryCodeKind::Issued)),
        named("recovery_code_saved", &code(RecoveryCodeKind::Saved)),
    ]
}

fn people_and_organizations() -> Vec<Named> {
    let person = |organization: Option<&str>| Person {
        entry: ENTRY,
        claimed_at: NOW,
        default_organization: organization.map(organization_id),
        details: Vec::new(),
    };
    let with_details = Person {
        details: b"sealed details".to_vec(),
        ..person(Some("10001"))
    };
    let organization = |kind, parent: Option<&str>, email: Option<&str>| Organization {
        id: organization_id("10001"),
        name: "North School".to_owned(),
        kind,
        parent: parent.map(organization_id),
        contacts: vec![Contact {
            name: "The office".to_owned(),
            role: "Office".to_owned(),
            email: email.map(str::to_owned),
        }],
    };
    vec![
        named("person", &person(None)),
        named("person_with_organization", &person(Some("10001"))),
        named("person_with_details", &with_details),
        named(
            "person_details",
            &PersonDetails {
                preferred_name: Some("Zo".to_owned()),
                email: Some("zo@north.example".to_owned()),
                phone: None,
                language: Some("es".to_owned()),
            },
        ),
        named(
            "organization_school",
            &organization(
                OrganizationKind::School,
                Some("d-1"),
                Some("office@north.example"),
            ),
        ),
        named(
            "organization_district",
            &organization(OrganizationKind::District, None, None),
        ),
        named(
            "organization_other",
            &organization(OrganizationKind::Other, None, None),
        ),
        named(
            "security_answers",
            &SecurityAnswersRecord {
                questions: vec!["first_toy".to_owned(), "hiding_place".to_owned()],
                generation: 2,
                sealed_hash: b"a sealed hash".to_vec(),
            },
        ),
        named(
            "message",
            &Message {
                account: ACCOUNT,
                kind: MessageKind::PasswordChanged,
                at: NOW,
                browser: "Firefox, Linux".to_owned(),
            },
        ),
        named(
            "lane",
            &Lane {
                reserved: 130,
                cleared: 49,
                last_failure_at: NOW,
            },
        ),
    ]
}

/// All kinds: the match names a new one that is forgotten here.
fn event_kinds() -> Vec<EventKind> {
    use EventKind as K;
    let mut kinds = vec![K::AttemptReserved];
    while let Some(last) = kinds.last() {
        kinds.push(match last {
            K::AttemptReserved => K::HookRefused,
            K::HookRefused => K::ClaimMissed,
            K::ClaimMissed => K::ClaimsGuessed,
            K::ClaimsGuessed => K::ClaimCodeIssued,
            K::ClaimCodeIssued => K::ClaimBegun,
            K::ClaimBegun => K::Claimed,
            K::Claimed => K::LoggedIn,
            K::LoggedIn => K::SessionEnded,
            K::SessionEnded => K::PasswordChanged,
            K::PasswordChanged => K::ClaimReset,
            K::ClaimReset => K::RosterImported,
            K::RosterImported => K::RosterHoldSettled,
            K::RosterHoldSettled => K::AccountStatusChanged,
            K::AccountStatusChanged => K::DetailsChanged,
            K::DetailsChanged => K::SessionsEnded,
            K::SessionsEnded => K::Reauthenticated,
            K::Reauthenticated => K::RecoveryCodesIssued,
            K::RecoveryCodesIssued => K::RecoveryBegun,
            K::RecoveryBegun => K::RecoveryAnswered,
            K::RecoveryAnswered => K::Recovered,
            K::Recovered => K::StaffLooked,
            K::StaffLooked => K::TriesCleared,
            K::TriesCleared => K::PersonCreated,
            K::PersonCreated => K::PersonExported,
            K::PersonExported => K::PersonErased,
            K::PersonErased => K::NumberReadmitted,
            K::NumberReadmitted => K::KeysChanged,
            K::KeysChanged => break,
        });
    }
    kinds
}

fn events() -> Vec<Named> {
    let event = |kind: EventKind| {
        let event = AuditEvent {
            at: NOW,
            kind,
            account: (kind != EventKind::RosterImported).then_some(ACCOUNT),
            source: "198.51.100.0/24".to_owned(),
            request_id: "0123456789abcdef".to_owned(),
            detail: "log_out".to_owned(),
        };
        let record = event.encode();
        assert_eq!(AuditEvent::decode(&record).as_ref(), Ok(&event));
        (format!("audit_event_{}", kind.code()), record)
    };
    event_kinds().into_iter().map(event).collect()
}

fn samples() -> Vec<Named> {
    [
        gates(),
        families(),
        entries(),
        tickets(),
        recoveries(),
        people_and_organizations(),
        events(),
    ]
    .concat()
}

#[test]
fn what_the_encoder_writes_is_what_the_corpus_pins() {
    let samples = samples();
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        for (name, record) in &samples {
            let path = folder("record_decoding").join(format!("{name}.bin"));
            std::fs::write(path, &record.0).unwrap();
        }
    }
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let mut pinned: BTreeMap<String, String> = seeds("record_decoding")
        .iter()
        .filter_map(|seed| {
            Some((
                seed.name.strip_suffix(".bin")?.to_owned(),
                shown(&seed.bytes),
            ))
        })
        .collect();
    for (name, record) in &samples {
        let pinned = pinned.remove(name).unwrap_or_default();
        assert_eq!(
            shown(&record.0),
            pinned,
            "{name}: the format changed; stores that exist cannot be read any more"
        );
    }
    assert!(pinned.is_empty(), "nobody writes {:?}", pinned.keys());
}

#[test]
fn every_kind_of_record_is_pinned() {
    let store = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/store");
    let parts = std::fs::read_dir(store.join("records")).unwrap();
    let files = parts.map(|part| part.unwrap().path());
    let files = files.chain([store.join("records.rs")]);
    let source: String = files
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let kinds = source
        .lines()
        .filter_map(|line| line.strip_prefix("impl Stored for ")?.split(' ').next());
    let mut kinds: Vec<&str> = kinds.collect();
    kinds.sort_unstable();
    let pinned = [
        "ClaimCodeRecord",
        "EntryDetails",
        "Erased",
        "Family",
        "Gate",
        "Lane",
        "Message",
        "Organization",
        "OrganizationSource",
        "Person",
        "PersonDetails",
        "Recovery",
        "RecoveryCode",
        "RosterEntry",
        "RosterHold",
        "SecurityAnswersRecord",
        "SourceRow",
        "Ticket",
    ];
    assert_eq!(kinds, pinned, "add it here, to `samples` and to the target");
}
