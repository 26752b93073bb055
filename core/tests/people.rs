//! Preparing a person by hand, disabling and enabling one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use futures_executor::block_on;
use narthex_core::model::Role;
use narthex_core::model::roster::RosterPerson;
use narthex_core::portal::{
    CreatedPerson, ImportOptions, ImportReport, IssueClaimCode, IssuedRecoveryCode, NewPerson,
    PersonStatusChange,
};
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::{Asker, Birthdate, EndReason, Error, LoginId, Portal, Refusal};
use support::*;

/// Who asks, wherever a future is kept for a while.
fn anybody() -> &'static Asker {
    static ANYBODY: std::sync::LazyLock<Asker> = std::sync::LazyLock::new(asker);
    &ANYBODY
}

fn listed() -> Vec<RosterPerson> {
    (0..4).map(|n| person(n, "north")).collect()
}

fn take(portal: &Portal, people: Vec<RosterPerson>) -> ImportReport {
    let (batch, options) = (batch(people), ImportOptions::default());
    block_on(portal.import_roster(batch, options, &|_| {})).unwrap()
}

fn school() -> (House, Portal) {
    let house = House::in_memory();
    let portal = block_on(house.open());
    take(&portal, listed());
    (house, portal)
}

fn disable(portal: &Portal, n: usize) -> PersonStatusChange {
    block_on(portal.disable_person(&number(n), &Asker::default())).unwrap()
}

fn enable(portal: &Portal, n: usize) -> PersonStatusChange {
    block_on(portal.enable_person(&number(n), &Asker::default())).unwrap()
}

fn refusal<T: std::fmt::Debug>(answer: narthex_core::Result<T>) -> Refusal {
    match answer.unwrap_err() {
        Error::Refused(refusal) => refusal,
        other => unreachable!("{other}"),
    }
}

fn is_open(portal: &Portal, n: usize) -> bool {
    block_on(log_in(portal, n, PASSWORD)).is_ok()
}

#[test]
fn se08_who_is_disabled_is_out_at_once_and_no_way_leads_back_in() {
    let (house, portal) = school();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let sessions = [0, 0].map(|n| block_on(log_in(&portal, n, PASSWORD)).unwrap());
    let issued = block_on(portal.issue_recovery_code(&number(0), anybody())).unwrap();
    let IssuedRecoveryCode::Issued { code, .. } = issued else {
        unreachable!("there is an account");
    };
    for session in &sessions {
        assert!(block_on(is_live(&portal, &session.token)));
        assert!(is_warm(&portal, &session.token));
    }
    let changed = disable(&portal, 0);
    let ended = PersonStatusChange::Changed {
        sessions_ended: 2,
        listed: true,
    };
    assert_eq!(changed, ended);
    for session in &sessions {
        assert!(!is_warm(&portal, &session.token), "at once");
        let told = refusal(block_on(portal.verify_session(&session.token)));
        let Refusal::SessionEnded { reason, .. } = told else {
            unreachable!("{told:?}");
        };
        assert_eq!(reason, EndReason::Disabled);
    }
    // The same words as for a wrong password, a wrong code, facts that are wrong.
    let wrong = refusal(block_on(log_in(&portal, 0, OTHER_PASSWORD)));
    assert_eq!(refusal(block_on(log_in(&portal, 0, PASSWORD))), wrong);
    let secret = browser(&portal);
    let who = number(0);
    let recover = portal.begin_recovery(&who, &code, &secret, anybody());
    assert_eq!(refusal(block_on(recover)), Refusal::RecoveryFailed);
    let again = block_on(portal.issue_recovery_code(&number(0), anybody())).unwrap();
    assert!(matches!(again, IssuedRecoveryCode::NothingToRecover));
    assert_eq!(disable(&portal, 0), PersonStatusChange::AsBefore);
    assert_eq!(disable(&portal, 99), PersonStatusChange::Unknown);

    // After a restart too; and with the old password, but in none of the old sessions, once enabled.
    let portal = block_on(house.open());
    assert!(!is_open(&portal, 0));
    assert!(matches!(
        enable(&portal, 0),
        PersonStatusChange::Changed { .. }
    ));
    assert!(is_open(&portal, 0));
    for session in &sessions {
        assert!(!block_on(is_live(&portal, &session.token)));
    }
}

#[test]
fn se08_who_has_not_claimed_is_kept_from_it_midway_too() {
    let (_house, portal) = school();
    let letter = block_on(portal.issue_claim_code(&number(1), anybody())).unwrap();
    let IssueClaimCode::Issued(letter) = letter else {
        unreachable!("not claimed yet");
    };
    let secret = browser(&portal);
    let ticket = block_on(portal.begin_claim(evidence(1), &secret, anybody())).unwrap();
    disable(&portal, 1);
    let midway = portal.set_claim_password(&ticket, &secret, password(PASSWORD));
    assert_eq!(refusal(block_on(midway)), Refusal::ClaimExpired);
    let facts = block_on(portal.begin_claim(evidence(1), &secret, anybody()));
    assert_eq!(refusal(facts), Refusal::ClaimNotMatched);
    let code = letter.code.expose();
    let by_code = block_on(claim_with(&portal, 1, PASSWORD, Some(&code)));
    assert_eq!(refusal(by_code), Refusal::ClaimNotMatched);
    let again = block_on(portal.issue_claim_code(&number(1), anybody())).unwrap();
    assert!(matches!(again, IssueClaimCode::NotClaimable));
    let report = block_on(portal.check_evidence(&evidence(1))).unwrap();
    assert!(report.names_match && report.disabled && !report.claimable);

    enable(&portal, 1);
    let old = block_on(claim_with(&portal, 1, PASSWORD, Some(&code)));
    assert_eq!(refusal(old), Refusal::ClaimNotMatched, "the letter is dead");
    block_on(claim(&portal, 1, PASSWORD)).unwrap();
}

#[test]
fn no_import_enables_whom_the_office_disabled() {
    let (_house, portal) = school();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    disable(&portal, 0);
    disable(&portal, 1);
    let shut = |portal: &Portal| {
        let unclaimed = block_on(portal.begin_claim(evidence(1), &browser(portal), anybody()));
        assert!(!is_open(portal, 0) && unclaimed.is_err());
    };
    // The same again, changed names, left out, listed again, a new number.
    let mut named = listed();
    for person in named.iter_mut().take(2) {
        person.preferred_given_name = Some("Another".into());
    }
    let gone = listed().split_off(2);
    let curtailed = listed().into_iter().map(|mut person| {
        person.enabled = person.login_id != number(0);
        person
    });
    for people in [
        listed(),
        named,
        gone,
        listed(),
        curtailed.collect(),
        listed(),
    ] {
        take(&portal, people);
        shut(&portal);
    }
    let mut renumbered = listed();
    for (n, person) in renumbered.iter_mut().enumerate().take(2) {
        person.login_id = number(50 + n);
    }
    take(&portal, renumbered);
    assert!(!is_open(&portal, 50));
    for n in [50, 51] {
        let report = block_on(portal.person(&number(n))).unwrap().unwrap();
        assert!(report.disabled_at.is_some(), "{n}");
        enable(&portal, n);
    }
    assert!(is_open(&portal, 50), "the account came along");
}

#[test]
fn enabling_lets_in_nobody_whom_the_roster_does_not_list() {
    let (_house, portal) = school();
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    disable(&portal, 0);
    take(&portal, listed().split_off(1));
    let told = enable(&portal, 0);
    assert!(matches!(
        told,
        PersonStatusChange::Changed { listed: false, .. }
    ));
    assert!(!is_open(&portal, 0));
    take(&portal, listed());
    assert!(
        is_open(&portal, 0),
        "listed again, and nobody's word against it"
    );
}

fn clerk(n: &str) -> NewPerson {
    let login_id = LoginId::parse(n).unwrap();
    let place = organization("north");
    NewPerson::new(
        login_id,
        " Ada  Maria ",
        "Byron",
        place,
        Role::Administrator,
    )
    .unwrap()
}

fn create(portal: &Portal, new: &NewPerson) -> CreatedPerson {
    block_on(portal.create_person(new, &Asker::default())).unwrap()
}

fn claim_by(portal: &Portal, birthdate: &str, code: &str) -> narthex_core::Result<()> {
    let facts = ClaimEvidence::parse_with_code("ada maria", "byron", birthdate, "C-1", code);
    let secret = browser(portal);
    block_on(async {
        let ticket = portal
            .begin_claim(facts.unwrap(), &secret, anybody())
            .await?;
        let ticket = portal.set_claim_password(&ticket, &secret, password(PASSWORD));
        let ticket = ticket.await?;
        let claimed = portal.finish_claim(&ticket, &secret, answers(), anybody());
        claimed.await.map(|_| ())
    })
}

#[test]
fn who_is_prepared_by_hand_claims_with_the_code_and_runs_the_desk() {
    let (_house, portal) = school();
    let mut new = clerk("c-1");
    new.birthdate = Some(Birthdate::parse("1980-02-29").unwrap());
    let CreatedPerson::Created {
        code,
        organization_made,
    } = create(&portal, &new)
    else {
        unreachable!("nobody has the number");
    };
    assert!(!organization_made);
    assert!(matches!(create(&portal, &new), CreatedPerson::Taken));
    let code = code.code.expose();
    assert!(claim_by(&portal, "1980-02-28", &code).is_err());
    claim_by(&portal, "1980-02-29", &code).unwrap();
    let request = narthex_core::portal::LogIn {
        login_id: LoginId::parse("C-1").unwrap(),
        password: password(PASSWORD),
        shared_computer: false,
        presented: None,
    };
    let session = block_on(portal.log_in(request, anybody())).unwrap().session;
    let proof = portal.fresh(&session).unwrap();
    let found = block_on(portal.staff_desk(&proof, anybody()).find(&number(0))).unwrap();
    assert!(found.is_some_and(|found| found.may_act));
    // The roster goes on without touching them, whoever it lists.
    let mut people = listed();
    take(&portal, people.clone());
    people.push(person(9, "north"));
    if let Some(last) = people.last_mut() {
        last.login_id = LoginId::parse("C-1").unwrap();
    }
    let report = take(&portal, people);
    assert_eq!(
        (report.added, report.deactivated, report.left_out),
        (0, 0, 1)
    );
    let shown = block_on(portal.person(&LoginId::parse("C-1").unwrap())).unwrap();
    assert_eq!(shown.unwrap().given_name, "Ada Maria");
    let cell = narthex_core::store::Cell::new("stat/north/claimed/administrator");
    assert_eq!(block_on(_house.store.read_cell(&cell)).unwrap(), 1);
}

#[test]
fn the_first_person_of_an_empty_store_brings_their_school_and_a_roster_takes_it_over() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    let mut new = clerk("C-1");
    assert!(matches!(
        create(&portal, &new),
        CreatedPerson::NoOrganization
    ));
    new.organization_name = Some("  Northern   School ".into());
    let created = create(&portal, &new);
    let CreatedPerson::Created {
        organization_made: true,
        code,
    } = created
    else {
        unreachable!("{created:?}");
    };
    let made = block_on(portal.organization(&organization("north"))).unwrap();
    assert_eq!(made.unwrap().name, "Northern School");
    // No birthdate: the code is needed, and enough.
    assert!(claim_by(&portal, "1980-02-29", "").is_err());
    claim_by(&portal, "", &code.code.expose()).unwrap();
    let report = take(&portal, listed());
    assert_eq!((report.added, report.left_out), (4, 0));
    for wrong in ["", "  ", "\u{202e}"] {
        let login_id = number(1);
        let place = organization("north");
        assert!(NewPerson::new(login_id, wrong, "Byron", place, Role::Other).is_err());
    }
}
