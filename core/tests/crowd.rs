//! Many people at once behind one address, and one of them who means ill (TH-07, A37).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use futures_executor::block_on;
use narthex_core::event::AuditEvent;
use narthex_core::model::NamedNetwork;
use narthex_core::portal::IssueClaimCode;
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::store::Space;
use narthex_core::{Asker, Error, Portal, Refusal};
use support::*;

const CHILDREN: usize = 600;
/// 08:00 to 12:00.
const MORNING: Duration = Duration::from_secs(4 * 3600);
const SCHOOL: &str = "198.51.100.7";

fn named(people: u32) -> NamedNetwork {
    NamedNetwork {
        cidr: "198.51.100.0/24".parse().unwrap(),
        people,
    }
}

fn from(source: &str) -> Asker {
    Asker {
        source: source.to_owned(),
        ..Asker::default()
    }
}

/// The birthdate wrong by a day.
fn mistyped(n: usize) -> ClaimEvidence {
    let day = birthdate(n).replace("2012", "2011");
    let names = (format!("Given{n}"), format!("Family{n}"));
    ClaimEvidence::parse(&names.0, &names.1, &day, &format!("S-{n}")).unwrap()
}

/// Mistypes twice, then claims, as children do. The first refusal that is not about what was typed.
async fn claims_after_two_slips(portal: &Portal, n: usize, asker: &Asker) -> Option<Error> {
    let browser = browser(portal);
    for _ in 0..2 {
        match portal.begin_claim(mistyped(n), &browser, asker).await {
            Err(Error::Refused(Refusal::ClaimNotMatched)) => {}
            Err(error) => return Some(error),
            Ok(_) => unreachable!("a wrong birthdate was taken"),
        }
    }
    let ticket = match portal.begin_claim(evidence(n), &browser, asker).await {
        Ok(ticket) => ticket,
        Err(error) => return Some(error),
    };
    let text = format!("a password for number {n}");
    let ticket = portal.set_claim_password(&ticket, &browser, password(&text));
    let ticket = ticket.await.unwrap();
    let claimed = portal.finish_claim(&ticket, &browser, answers(), asker);
    claimed.await.unwrap();
    log_in(portal, n, &text).await.err()
}

/// How many of the children got through in one morning, and how many would have to wait or bring a code.
fn morning(house: &House) -> (usize, usize) {
    let portal = block_on(house.open());
    block_on(import(&portal, CHILDREN));
    let (mut claimed, mut throttled) = (0, 0);
    for n in 0..CHILDREN {
        match block_on(claims_after_two_slips(&portal, n, &from(SCHOOL))) {
            None => claimed += 1,
            // Slips that no success followed make the network need codes after a while.
            Some(Error::Refused(Refusal::Throttled { .. } | Refusal::ClaimNotMatched)) => {
                throttled += 1;
            }
            Some(error) => unreachable!("{n}: {error:?}"),
        }
        house
            .clock
            .advance(MORNING / u32::try_from(CHILDREN).unwrap());
    }
    (claimed, throttled)
}

#[test]
fn th08_six_hundred_children_behind_one_address_claim_in_one_morning() {
    let mut house = House::in_memory();
    house.policy.attempts.networks = vec![named(600)];
    assert_eq!(morning(&house), (CHILDREN, 0));
}

#[test]
fn th08_without_the_name_of_the_network_most_of_them_would_have_to_wait() {
    let (claimed, throttled) = morning(&House::in_memory());
    assert_eq!(claimed + throttled, CHILDREN);
    assert!(throttled > CHILDREN / 10, "only {throttled} were throttled");
}

#[test]
fn th08_a_named_network_has_a_budget_too_and_its_addresses_share_it() {
    let mut house = House::in_memory();
    house.policy.attempts.networks = vec![named(100)];
    let portal = block_on(house.open());
    let unknown = |n: usize| {
        let number = format!("X-{n}");
        ClaimEvidence::parse("No", "Body", "2012-01-01", &number).unwrap()
    };
    let browser = browser(&portal);
    let mut tries = 0;
    for n in 0..500 {
        let asker = from(&format!("198.51.100.{}", n % 250));
        match block_on(portal.begin_claim(unknown(n), &browser, &asker)) {
            Err(Error::Refused(Refusal::ClaimNotMatched)) => tries += 1,
            Err(Error::Refused(Refusal::Throttled { .. })) => break,
            other => unreachable!("{other:?}"),
        }
    }
    assert_eq!(tries, 400, "four for each of the hundred people");
}

/// What the audit says of guessing, sorted.
fn told_of_guesses(house: &House) -> Vec<String> {
    let keys = block_on(house.store.scan(Space::Events, "", None, 100_000)).unwrap();
    let mut told: Vec<String> = keys
        .iter()
        .map(|key| block_on(house.store.get(key)).unwrap().unwrap().0)
        .map(|record| AuditEvent::decode(&record).unwrap())
        .filter(|event| event.kind.code() == "claims_guessed")
        .map(|event| event.detail)
        .collect();
    told.sort_unstable();
    told
}

/// Whether the facts of child `n`, from `source`, open the claim.
fn facts_open(portal: &Portal, n: usize, source: &str) -> bool {
    block_on(portal.begin_claim(evidence(n), &browser(portal), &from(source))).is_ok()
}

fn misses(portal: &Portal, n: usize, source: &str) {
    let missed = block_on(portal.begin_claim(mistyped(n), &browser(portal), &from(source)));
    assert!(matches!(
        missed.unwrap_err(),
        Error::Refused(Refusal::ClaimNotMatched)
    ));
}

#[test]
fn a34_a_network_that_guesses_at_many_children_needs_codes_and_nobody_else_does() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 400));
    for n in 0..7 {
        misses(&portal, n, "203.0.113.9");
    }
    assert!(facts_open(&portal, 300, "203.0.113.9"), "seven are borne");
    misses(&portal, 7, "203.0.113.9");
    assert!(!facts_open(&portal, 301, "203.0.113.9"));
    assert!(facts_open(&portal, 302, "203.0.113.10"), "its neighbour");
    house.clock.advance(Duration::from_secs(41 * 24 * 3600));
    assert!(facts_open(&portal, 303, "203.0.113.9"), "a season later");
}

#[test]
fn a37_a_family_that_mistypes_one_birthdate_many_times_does_not_need_a_code() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 40));
    for child in [4, 6, 8] {
        for _ in 0..9 {
            misses(&portal, child, "203.0.113.9");
        }
    }
    assert!(facts_open(&portal, 10, "203.0.113.9"), "six in the count");
    // What a success of the person takes back is taken back here too.
    for child in [20, 22] {
        let browser = browser(&portal);
        let asker = from("203.0.113.9");
        block_on(portal.begin_claim(mistyped(child), &browser, &asker)).unwrap_err();
        block_on(portal.begin_claim(evidence(child), &browser, &asker)).unwrap();
    }
    assert!(facts_open(&portal, 12, "203.0.113.9"));
}

#[test]
fn a34_guesses_from_within_the_school_are_told_and_ask_nobody_for_a_code() {
    let mut house = House::in_memory();
    house.policy.attempts.networks = vec![named(600)];
    let portal = block_on(house.open());
    block_on(import(&portal, 200));
    for n in (0..200).step_by(2) {
        misses(&portal, n, SCHOOL);
    }
    assert_eq!(told_of_guesses(&house), ["many north"]);
    assert!(facts_open(&portal, 0, SCHOOL));
    assert!(facts_open(&portal, 2, "192.0.2.44"));
}

#[test]
fn a37_a_classmate_shuts_nobody_out_of_a_claim_that_the_school_helps_with() {
    let mut house = House::in_memory();
    house.policy.attempts.networks = vec![named(600)];
    let portal = block_on(house.open());
    block_on(import(&portal, 30));
    // At home in the evening: ten near misses at everybody of the class, from networks of all kinds.
    for n in 0..30 {
        for address in 0..10 {
            let asker = from(&format!("203.0.113.{}", 10 * (n % 20) + address));
            let missed = block_on(portal.begin_claim(mistyped(n), &browser(&portal), &asker));
            assert!(missed.is_err());
        }
    }
    let claimed_by = |n: usize, asker: &Asker, code: Option<&str>| {
        let (given, family, number) = (format!("Given{n}"), format!("Family{n}"), format!("S-{n}"));
        let code = code.unwrap_or_default();
        let evidence =
            ClaimEvidence::parse_with_code(&given, &family, &birthdate(n), &number, code).unwrap();
        block_on(portal.begin_claim(evidence, &browser(&portal), asker)).is_ok()
    };
    for n in 0..30 {
        assert!(
            !claimed_by(n, &from("192.0.2.44"), None),
            "{n}: at home, shut"
        );
        assert!(claimed_by(n, &from(SCHOOL), None), "{n}: at school");
        let issued = block_on(portal.issue_claim_code(&number(n), &asker())).unwrap();
        let IssueClaimCode::Issued(issued) = issued else {
            unreachable!("{n} could not be given a code")
        };
        let code = issued.code.expose();
        assert!(
            claimed_by(n, &from("192.0.2.44"), Some(&code)),
            "{n}: a code"
        );
    }
    // Staff were told, once for each of the two schools and each of the two steps.
    let all = [
        "code_needed north",
        "code_needed south",
        "many north",
        "many south",
    ];
    assert_eq!(told_of_guesses(&house), all);
    for school in ["north", "south"] {
        let season = block_on(portal.claim_season(&organization(school))).unwrap();
        assert!(
            season.needs_code(&house.policy.attempts.season),
            "{season:?}"
        );
        assert_eq!(season.unclaimed, 15);
    }
}
