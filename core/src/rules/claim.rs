//! The claim: evidence, ticket, finish (S2-S6, P2). An entry keeps digests, and all of them are always
//! compared.

use crate::host::{KeyError, KeyPurpose, KeyRing};
use crate::model::{
    Birthdate, ClaimCodeRecord, EntryKey, InvalidInput, LoginId, Now, RosterEntry, Ticket,
    TicketStep, Timestamp,
};
use crate::policy::ClaimPolicy;
use crate::rules::text::{canonical_name, tidy};
use crate::rules::time::is_from_the_future;
use crate::secret::{ClaimCode, same_digest};

/// The longest name taken, in characters.
pub const NAME_CHARACTERS_MAX: usize = 200;

/// A claim lives as long as so many steps, however often one of them is taken again.
const STEPS_MAX: u32 = 3;

/// What a person says of themselves to claim an account. Names and number are not secret; the birthdate
/// is, and hides itself.
#[derive(Clone, Debug)]
pub struct ClaimEvidence {
    given_name: String,
    family_name: String,
    birthdate: Option<Birthdate>,
    login_id: LoginId,
    code: Option<ClaimCode>,
}

/// Which field of a claim form cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimField {
    /// First Name.
    GivenName,
    /// Last Name.
    FamilyName,
    /// Birthdate.
    Birthdate,
    /// Student Number.
    LoginId,
    /// The code of a claim letter.
    ClaimCode,
}

impl ClaimField {
    /// The name of the field in JSON and in forms.
    pub fn code(self) -> &'static str {
        match self {
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::Birthdate => "birthdate",
            Self::LoginId => "login_id",
            Self::ClaimCode => "claim_code",
        }
    }
}

impl ClaimEvidence {
    /// Takes the four facts as typed.
    ///
    /// # Errors
    /// Every field that cannot be understood, with what to do. Says nothing about any roster.
    pub fn parse(
        given_name: &str,
        family_name: &str,
        birthdate: &str,
        login_id: &str,
    ) -> Result<Self, Vec<(ClaimField, InvalidInput)>> {
        Self::parse_with_code(given_name, family_name, birthdate, login_id, "")
    }

    /// Takes what somebody says of themselves, for [`crate::Portal::check_evidence`]: who does not say
    /// the birthdate has the names looked at alone. No claim is opened by it.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_names(
        given_name: &str,
        family_name: &str,
        login_id: &str,
    ) -> Result<Self, Vec<(ClaimField, InvalidInput)>> {
        // Any birthdate stands in for the one that is not looked at.
        let parsed = Self::parse(given_name, family_name, "2000-01-01", login_id)?;
        Ok(Self {
            birthdate: None,
            ..parsed
        })
    }

    /// Takes the facts and the code of a letter as typed; an empty code is none. Who has a code may
    /// leave the birthdate empty: the roster may not have it.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with_code(
        given_name: &str,
        family_name: &str,
        birthdate: &str,
        login_id: &str,
        code: &str,
    ) -> Result<Self, Vec<(ClaimField, InvalidInput)>> {
        let given = parse_name(given_name, InvalidInput("please type your first name"));
        let family = parse_name(family_name, InvalidInput("please type your last name"));
        let (birthdate, code) = (birthdate.trim(), code.trim());
        let birthdate = match (birthdate, code) {
            ("", code) if !code.is_empty() => Ok(None),
            (typed, _) => Birthdate::parse(typed).map(Some),
        };
        let code = match code {
            "" => Ok(None),
            typed => ClaimCode::parse(typed).map(Some),
        };
        let login_id = LoginId::parse(login_id);
        match (given, family, birthdate, login_id, code) {
            (Ok(given_name), Ok(family_name), Ok(birthdate), Ok(login_id), Ok(code)) => Ok(Self {
                given_name,
                family_name,
                birthdate,
                login_id,
                code,
            }),
            (given, family, birthdate, login_id, code) => Err([
                (ClaimField::GivenName, given.err()),
                (ClaimField::FamilyName, family.err()),
                (ClaimField::Birthdate, birthdate.err()),
                (ClaimField::LoginId, login_id.err()),
                (ClaimField::ClaimCode, code.err()),
            ]
            .into_iter()
            .filter_map(|(field, error)| Some((field, error?)))
            .collect()),
        }
    }

    /// The code of a letter, where one was typed.
    pub fn code(&self) -> Option<&ClaimCode> {
        self.code.as_ref()
    }

    /// The number claimed.
    pub fn login_id(&self) -> &LoginId {
        &self.login_id
    }
}

/// A name as typed, its spaces tidied.
///
/// # Errors
/// `missing` where there is no letter in it, or it is too long.
pub fn parse_name(text: &str, missing: InvalidInput) -> Result<String, InvalidInput> {
    let tidied = tidy(text);
    if tidied.chars().count() > NAME_CHARACTERS_MAX {
        return Err(InvalidInput("the name is too long: at most 200 characters"));
    }
    if canonical_name(&tidied).is_empty() {
        Err(missing)
    } else {
        Ok(tidied)
    }
}

/// Keyed digests of what a person said, in the form the entry keeps them.
#[derive(Clone, PartialEq, Eq)]
pub struct EvidenceDigests {
    /// Digest of the canonical (given, family) pair.
    pub name_pair: [u8; 32],
    /// Digest of the birthdate; of nothing, where none was typed: it is nobody's.
    pub birthdate: [u8; 32],
}

/// Digests `evidence` for comparison with the entry under `entry_key`.
///
/// # Errors
/// The key `key_id` is not in the ring.
pub fn digest_evidence(
    evidence: &ClaimEvidence,
    entry_key: &EntryKey,
    keys: &KeyRing,
    key_id: u32,
) -> Result<EvidenceDigests, KeyError> {
    Ok(EvidenceDigests {
        name_pair: name_pair_digest(
            &evidence.given_name,
            &evidence.family_name,
            entry_key,
            keys,
            key_id,
        )?,
        birthdate: match &evidence.birthdate {
            Some(birthdate) => birthdate_digest(birthdate, entry_key, keys, key_id)?,
            None => keys.mac(
                KeyPurpose::Evidence,
                key_id,
                &[b"no-birthdate", &entry_key.0],
            )?,
        },
    })
}

/// The digest of a pair of names, bound to an entry (*format*).
///
/// # Errors
/// The key is not in the ring.
pub fn name_pair_digest(
    given: &str,
    family: &str,
    entry_key: &EntryKey,
    keys: &KeyRing,
    key_id: u32,
) -> Result<[u8; 32], KeyError> {
    let (given, family) = (canonical_name(given), canonical_name(family));
    let parts = [
        b"name-pair".as_slice(),
        &entry_key.0,
        given.as_bytes(),
        family.as_bytes(),
    ];
    keys.mac(KeyPurpose::Evidence, key_id, &parts)
}

/// The digest of a birthdate, bound to an entry (*format*).
///
/// # Errors
/// The key is not in the ring.
pub fn birthdate_digest(
    birthdate: &Birthdate,
    entry_key: &EntryKey,
    keys: &KeyRing,
    key_id: u32,
) -> Result<[u8; 32], KeyError> {
    let canonical = birthdate.canonical();
    let parts = [b"birthdate".as_slice(), &entry_key.0, canonical.as_bytes()];
    keys.mac(KeyPurpose::Evidence, key_id, &parts)
}

/// What a claim code is worth for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeProof {
    /// None was typed.
    NotGiven,
    /// One was typed that is not the entry's, or no longer.
    Wrong,
    /// The entry's own.
    Right,
}

/// What evidence is worth. Who asks is told one bit of it: whether it matches (CL-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceVerdict {
    /// Everything that is asked for is right, and the entry may be claimed.
    Matches,
    /// The number and exactly one more fact are right: somebody who knows the person, or the person.
    NearMiss,
    /// Anything else.
    WildMiss,
}

/// Judges evidence: one conjunction. Every slot is compared whatever the others say. Who has the right
/// code needs a birthdate only where one is on record.
pub fn judge_evidence(
    entry: &RosterEntry,
    digests: &EvidenceDigests,
    code: CodeProof,
) -> EvidenceVerdict {
    let mut names = subtle::Choice::from(0);
    for pair in &entry.name_pairs {
        names |= subtle::Choice::from(u8::from(same_digest(pair, &digests.name_pair)));
    }
    let names = bool::from(names);
    let on_record = entry.birthdate.is_some();
    let birthdate =
        same_digest(&entry.birthdate.unwrap_or([0; 32]), &digests.birthdate) & on_record;
    let claimable = may_be_claimed(entry);
    let proven = match code {
        CodeProof::NotGiven => names & birthdate,
        CodeProof::Wrong => false,
        CodeProof::Right => names & (birthdate | !on_record),
    };
    if proven & claimable {
        EvidenceVerdict::Matches
    } else if (names ^ birthdate) & claimable & (code == CodeProof::NotGiven) {
        EvidenceVerdict::NearMiss
    } else {
        EvidenceVerdict::WildMiss
    }
}

/// The digest of a claim code, bound to its entry (*format*).
///
/// # Errors
/// The key is not in the ring.
pub fn claim_code_digest(
    code: &ClaimCode,
    entry_key: &EntryKey,
    keys: &KeyRing,
    key_id: u32,
) -> Result<[u8; 32], KeyError> {
    let parts = [b"claim-code".as_slice(), &entry_key.0, code.as_bytes()];
    keys.mac(KeyPurpose::TokenDigest, key_id, &parts)
}

/// Whether a claim code that was issued can still be used: it dies by time, and with the entry's
/// generation.
pub fn claim_code_is_live(
    record: &ClaimCodeRecord,
    entry: &RosterEntry,
    policy: &ClaimPolicy,
    now: Now,
) -> bool {
    record.claim_generation == entry.claim_generation
        && now.latest < record.issued_at.plus(policy.code_lifetime)
        && !is_from_the_future(record.issued_at, now)
}

/// Listed, not disabled, and not claimed yet.
pub fn may_be_claimed(entry: &RosterEntry) -> bool {
    entry.is_open() & !entry.claimed
}

/// What becomes of a step that is asked for with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketVerdict {
    /// Go on.
    Valid,
    /// Too late, another browser, or what the ticket rests on has changed.
    Expired,
    /// The account has been claimed: the way on is the log-in page, with the password made first.
    AlreadyClaimed,
}

/// When the next step is too late: each step has its time, and all of them together have theirs.
pub fn expires_at(ticket: &Ticket, policy: &ClaimPolicy) -> Timestamp {
    let whole = ticket.opened_at.plus(policy.step_timeout * STEPS_MAX);
    ticket.step_at.plus(policy.step_timeout).min(whole)
}

/// Whether a ticket still carries its claim (CL-02, CL-03, A29).
pub fn judge_ticket(
    ticket: &Ticket,
    entry: Option<&RosterEntry>,
    browser_digest: &[u8; 32],
    policy: &ClaimPolicy,
    now: Now,
) -> TicketVerdict {
    if !same_digest(&ticket.browser_digest, browser_digest) {
        return TicketVerdict::Expired;
    }
    let Some(entry) = entry else {
        return TicketVerdict::Expired;
    };
    // Told only to the browser that had the right evidence for this entry.
    if ticket.step == TicketStep::Spent
        || (entry.claimed && entry.claim_generation == ticket.claim_generation)
    {
        return TicketVerdict::AlreadyClaimed;
    }
    let too_late =
        now.latest >= expires_at(ticket, policy) || is_from_the_future(ticket.step_at, now);
    if too_late || entry.claim_generation != ticket.claim_generation || !may_be_claimed(entry) {
        return TicketVerdict::Expired;
    }
    TicketVerdict::Valid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Entropy, EntropyError};
    use crate::model::{Listing, OrganizationId, Timestamp};
    use std::time::Duration;

    #[derive(Debug)]
    struct Sevens;
    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(7);
            Ok(())
        }
    }

    const KEY: EntryKey = EntryKey([9; 32]);

    fn entry(keys: &KeyRing) -> RosterEntry {
        let id = keys.current(KeyPurpose::Evidence);
        let pair = |given, family| name_pair_digest(given, family, &KEY, keys, id).unwrap();
        let birthdate = Birthdate::parse("2012-12-10").unwrap();
        RosterEntry {
            claim_generation: 1,
            listing: Listing::Active,
            claimed: false,
            account: None,
            evidence_key: id,
            name_pairs: [
                pair("Zoë", "De la Cruz"),
                pair("Zo", "De la Cruz"),
                [1; 32],
                [2; 32],
            ],
            birthdate: Some(birthdate_digest(&birthdate, &KEY, keys, id).unwrap()),
            memberships: Vec::new(),
            default_organization: OrganizationId::parse("a").unwrap(),
            disabled_at: None,
            details: Vec::new(),
        }
    }

    fn matches(keys: &KeyRing, entry: &RosterEntry, given: &str, family: &str, day: &str) -> bool {
        let evidence = ClaimEvidence::parse(given, family, day, "S-1").unwrap();
        let digests = digest_evidence(&evidence, &KEY, keys, entry.evidence_key).unwrap();
        judge_evidence(entry, &digests, CodeProof::NotGiven) == EvidenceVerdict::Matches
    }

    #[test]
    fn cl04_a_near_miss_has_the_number_and_exactly_one_more_fact_right() {
        use EvidenceVerdict::{Matches, NearMiss, WildMiss};
        let keys = KeyRing::generate(&Sevens).unwrap();
        let entry = entry(&keys);
        let without = RosterEntry {
            birthdate: None,
            ..entry.clone()
        };
        let claimed = RosterEntry {
            claimed: true,
            ..entry.clone()
        };
        let judge = |entry: &RosterEntry, family: &str, day: &str, code| {
            let evidence =
                ClaimEvidence::parse_with_code("Zoë", family, day, "S-1", "CDFGH-JKMNP").unwrap();
            let digests = digest_evidence(&evidence, &KEY, &keys, entry.evidence_key).unwrap();
            judge_evidence(entry, &digests, code)
        };
        let (right, wrong) = ("De la Cruz", "Cruz");
        let (day, other) = ("2012-12-10", "2012-12-11");
        use CodeProof::{NotGiven, Right, Wrong};
        for (entry, family, birthdate, code, verdict) in [
            (&entry, right, day, NotGiven, Matches),
            (&entry, right, other, NotGiven, NearMiss),
            (&entry, wrong, day, NotGiven, NearMiss),
            (&entry, wrong, other, NotGiven, WildMiss),
            (&claimed, right, other, NotGiven, WildMiss),
            (&claimed, right, day, NotGiven, WildMiss),
            (&entry, right, day, Wrong, WildMiss),
            (&entry, right, day, Right, Matches),
            (&entry, right, "", Right, WildMiss),
            (&entry, right, other, Right, WildMiss),
            (&entry, wrong, day, Right, WildMiss),
            (&without, right, "", Right, Matches),
            (&without, right, day, Right, Matches),
            (&without, wrong, "", Right, WildMiss),
            (&without, right, "", NotGiven, NearMiss),
            (&without, right, day, Wrong, WildMiss),
            (&claimed, right, day, Right, WildMiss),
        ] {
            let judged = judge(entry, family, birthdate, code);
            assert_eq!(judged, verdict, "{family} {birthdate} {code:?}");
        }
    }

    #[test]
    fn cl06_a_code_dies_by_time_and_with_its_generation() {
        let keys = KeyRing::generate(&Sevens).unwrap();
        let entry = entry(&keys);
        let issued_at = Timestamp::from_millis(1_700_000_000_000);
        let record = ClaimCodeRecord {
            claim_generation: 1,
            code_key: 1,
            code_digest: [0; 32],
            issued_at,
        };
        let policy = ClaimPolicy::default();
        let live = |entry: &RosterEntry, now| claim_code_is_live(&record, entry, &policy, now);
        let after = |ms| Now::exactly(issued_at.plus(Duration::from_millis(ms)));
        let days_21 = 21 * 24 * 3_600_000;
        assert!(live(&entry, after(days_21 - 1)));
        assert!(!live(&entry, after(days_21)));
        let before = Now::exactly(issued_at.minus(Duration::from_secs(301)));
        assert!(!live(&entry, before), "issued in the future");
        let next = RosterEntry {
            claim_generation: 2,
            ..entry.clone()
        };
        assert!(!live(&next, after(0)));
    }

    #[test]
    fn only_who_has_a_code_may_leave_the_birthdate_out() {
        let parse = |day, code| ClaimEvidence::parse_with_code("A", "B", day, "S-1", code);
        assert!(parse("", "cdfgh jkmnp").is_ok());
        assert!(parse(" ", "").is_err());
        assert!(parse("2012-12-10", " ").unwrap().code().is_none());
        let fields = parse("", "CDFGH").unwrap_err();
        assert_eq!(fields.len(), 1);
        assert_eq!(fields[0].0.code(), "claim_code");
    }

    #[test]
    fn every_spelling_of_the_right_facts_matches_and_no_wrong_fact_does() {
        let keys = KeyRing::generate(&Sevens).unwrap();
        let entry = entry(&keys);
        assert!(matches(&keys, &entry, "ZOE", "de-la cruz", "2012-12-10"));
        assert!(matches(&keys, &entry, "Zo", "DelaCruz", "2012-12-10"));
        assert!(!matches(&keys, &entry, "Zoë", "De la Cruz", "2012-12-11"));
        assert!(!matches(&keys, &entry, "Zoë", "Cruz", "2012-12-10"));
        assert!(!matches(&keys, &entry, "De la Cruz", "Zoë", "2012-12-10"));
    }

    #[test]
    fn an_entry_that_is_claimed_held_inactive_or_without_birthdate_matches_nobody() {
        let keys = KeyRing::generate(&Sevens).unwrap();
        let right = |entry: &RosterEntry| matches(&keys, entry, "Zoë", "De la Cruz", "2012-12-10");
        assert!(right(&entry(&keys)));
        assert!(!right(&RosterEntry {
            claimed: true,
            ..entry(&keys)
        }));
        assert!(!right(&RosterEntry {
            listing: Listing::Held,
            ..entry(&keys)
        }));
        assert!(!right(&RosterEntry {
            listing: Listing::Inactive,
            ..entry(&keys)
        }));
        assert!(!right(&RosterEntry {
            birthdate: None,
            ..entry(&keys)
        }));
    }

    #[test]
    fn evidence_of_one_entry_is_worthless_for_another() {
        let keys = KeyRing::generate(&Sevens).unwrap();
        let id = keys.current(KeyPurpose::Evidence);
        let other = EntryKey([8; 32]);
        assert_ne!(
            name_pair_digest("A", "B", &KEY, &keys, id),
            name_pair_digest("A", "B", &other, &keys, id)
        );
    }

    #[test]
    fn all_unreadable_fields_are_named_at_once() {
        let fields: Vec<_> = ClaimEvidence::parse(" - ", "", "2009-02-30", "12 34")
            .unwrap_err()
            .into_iter()
            .map(|(field, _)| field.code())
            .collect();
        assert_eq!(
            fields,
            ["given_name", "family_name", "birthdate", "login_id"]
        );
    }

    #[test]
    fn a_ticket_dies_by_time_by_browser_and_by_generation() {
        let keys = KeyRing::generate(&Sevens).unwrap();
        let entry = entry(&keys);
        let opened = Timestamp::from_millis(1_700_000_000_000);
        let ticket = Ticket {
            entry: KEY,
            claim_generation: 1,
            browser_digest: [5; 32],
            step: TicketStep::Identified,
            sealed_hash: Vec::new(),
            opened_at: opened,
            step_at: opened,
        };
        let judge = |entry: Option<&RosterEntry>, browser, after_ms| {
            let now = Now::exactly(opened.plus(Duration::from_millis(after_ms)));
            judge_ticket(&ticket, entry, &browser, &ClaimPolicy::default(), now)
        };
        assert_eq!(judge(Some(&entry), [5; 32], 599_999), TicketVerdict::Valid);
        assert_eq!(
            judge(Some(&entry), [5; 32], 600_000),
            TicketVerdict::Expired
        );
        assert_eq!(judge(Some(&entry), [6; 32], 0), TicketVerdict::Expired);
        assert_eq!(judge(None, [5; 32], 0), TicketVerdict::Expired);
        // However often a step is taken again, all of them together end after thirty minutes.
        let renewed = |minutes: u64| Ticket {
            step_at: opened.plus(Duration::from_secs(60 * minutes)),
            ..ticket.clone()
        };
        let at_29 = Now::exactly(opened.plus(Duration::from_millis(1_799_999)));
        let at_30 = Now::exactly(opened.plus(Duration::from_millis(1_800_000)));
        let judge_renewed = |now| {
            judge_ticket(
                &renewed(25),
                Some(&entry),
                &[5; 32],
                &ClaimPolicy::default(),
                now,
            )
        };
        assert_eq!(judge_renewed(at_29), TicketVerdict::Valid);
        assert_eq!(judge_renewed(at_30), TicketVerdict::Expired);
        let changed = RosterEntry {
            claim_generation: 2,
            ..entry.clone()
        };
        assert_eq!(judge(Some(&changed), [5; 32], 0), TicketVerdict::Expired);
        let claimed = RosterEntry {
            claimed: true,
            ..entry.clone()
        };
        assert_eq!(
            judge(Some(&claimed), [5; 32], 0),
            TicketVerdict::AlreadyClaimed
        );
        assert_eq!(judge(Some(&claimed), [6; 32], 0), TicketVerdict::Expired);
    }
}
