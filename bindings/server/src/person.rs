//! `narthex person`: what the office does for one person.

use std::io::{BufRead, IsTerminal, Write};

use narthex::core::model::{GateStatus, Listing, LoginId};
use narthex::core::portal::{Asker, EvidenceReport, PersonReport, ResetClaim};
use narthex::core::rules::claim::ClaimEvidence;
use serde_json::{Value, json};

use crate::cli::PersonCommand;
use crate::failure::{Failure, Outcome};
use crate::paint::Paint;
use crate::place::PlaceArgs;

/// Runs a `person` command.
pub(crate) async fn run(command: PersonCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        PersonCommand::Show { number, place } => show(&number, &place, json).await,
        PersonCommand::Check {
            number,
            given_name,
            family_name,
            birthdate,
            place,
        } => {
            let evidence = ClaimEvidence::parse(&given_name, &family_name, &birthdate, &number)
                .map_err(|fields| {
                    let told = fields.iter().map(|(f, why)| format!("{}: {why}", f.code()));
                    Failure::usage(told.collect::<Vec<_>>().join("; "))
                })?;
            check(&evidence, &place, json).await
        }
        PersonCommand::ResetClaim { number, yes, place } => reset(&number, yes, &place, json).await,
    }
}

fn login_id(number: &str) -> Result<LoginId, Failure> {
    LoginId::parse(number).map_err(Failure::usage)
}

fn nobody(number: &LoginId, json: bool) -> Outcome {
    if json {
        say!("{}", json!({ "number": number.as_str(), "listed": false }));
    } else {
        say!("The roster has no number {}.", number.as_str());
    }
    Outcome::Refused
}

async fn show(number: &str, place: &PlaceArgs, json: bool) -> Result<Outcome, Failure> {
    let number = login_id(number)?;
    let Some(person) = place.open().await?.person(&number).await? else {
        return Ok(nobody(&number, json));
    };
    if json {
        say!("{}", person_json(&person));
    } else {
        tell_person(&person);
    }
    Ok(Outcome::Done)
}

fn listing(listing: Listing) -> &'static str {
    match listing {
        Listing::Active => "active",
        Listing::Inactive => "inactive",
        Listing::Held => "held",
    }
}

fn status(status: GateStatus) -> &'static str {
    match status {
        GateStatus::Active => "active",
        GateStatus::Disabled => "disabled",
        GateStatus::Reset => "reset",
    }
}

fn person_json(person: &PersonReport) -> Value {
    let memberships: Vec<Value> = person
        .memberships
        .iter()
        .map(|m| json!({ "organization": m.organization.as_str(), "role": m.role.code() }))
        .collect();
    json!({
        "number": person.login_id,
        "listed": true,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "listing": listing(person.listing),
        "claimed": person.claimed,
        "account": person.account.map(|account| account.to_hex()),
        "status": person.status.map(status),
        "has_birthdate": person.has_birthdate,
        "memberships": memberships,
        "default_organization": person.default_organization.as_str(),
        "claim_failures": person.claim_failures,
        "log_in_failures": person.log_in_failures,
    })
}

fn tell_person(person: &PersonReport) {
    let paint = Paint::for_stdout();
    let name = format!("{} {}", person.given_name, person.family_name);
    say!("{} ({})", paint.strong(name), person.login_id);
    say!("  listed            {}", listing(person.listing));
    let claimed = match (person.claimed, person.status) {
        (true, Some(account)) => format!("yes, the account is {}", status(account)),
        (true, None) => "yes".to_owned(),
        (false, Some(GateStatus::Reset)) => "no: it was reset and can be claimed again".to_owned(),
        (false, _) => "not yet".to_owned(),
    };
    say!("  claimed           {claimed}");
    let birthdate = if person.has_birthdate {
        "on record"
    } else {
        "not on record: cannot claim by it"
    };
    say!("  birthdate         {birthdate}");
    for membership in &person.memberships {
        let (organization, role) = (&membership.organization, membership.role.code());
        say!("  {role:<17} {organization}");
    }
    say!("  lands at          {}", person.default_organization);
    say!(
        "  failed tries      {} at claiming, {} at logging in",
        person.claim_failures,
        person.log_in_failures
    );
}

async fn check(
    evidence: &ClaimEvidence,
    place: &PlaceArgs,
    json: bool,
) -> Result<Outcome, Failure> {
    let report = place.open().await?.check_evidence(evidence).await?;
    if json {
        let told = json!({
            "listed": report.listed,
            "names_match": report.names_match,
            "birthdate_matches": report.birthdate_matches,
            "has_birthdate": report.has_birthdate,
            "claimable": report.claimable,
        });
        say!("{told}");
    } else {
        tell_check(&report);
    }
    let good = report.listed && report.names_match && report.birthdate_matches && report.claimable;
    Ok(if good {
        Outcome::Done
    } else {
        Outcome::Refused
    })
}

fn tell_check(report: &EvidenceReport) {
    let paint = Paint::for_stdout();
    let line = |fact: &str, good: bool, why_not: &str| {
        let word = if good {
            paint.good("agrees")
        } else {
            paint.bad(why_not)
        };
        say!("  {fact:<16} {word}");
    };
    line("number", report.listed, "is not in the roster");
    if !report.listed {
        return;
    }
    line("names", report.names_match, "do not agree");
    let birthdate = if report.has_birthdate {
        "does not agree"
    } else {
        "is not on record: the person cannot claim by it"
    };
    line("birthdate", report.birthdate_matches, birthdate);
    let claimable = if report.claimable {
        paint.good("yes")
    } else {
        paint.bad("no: claimed already, or not listed as active")
    };
    say!("  {:<16} {claimable}", "can be claimed");
}

async fn reset(number: &str, yes: bool, place: &PlaceArgs, json: bool) -> Result<Outcome, Failure> {
    let number = login_id(number)?;
    let portal = place.open().await?;
    let Some(person) = portal.person(&number).await? else {
        return Ok(nobody(&number, json));
    };
    if person.claimed && !yes && !confirmed(&person)? {
        say!("Nothing was changed.");
        return Ok(Outcome::Refused);
    }
    let reset = portal.reset_claim(&number, &Asker::default()).await?;
    let (done, told) = match reset {
        ResetClaim::Unknown => return Ok(nobody(&number, json)),
        ResetClaim::NotClaimed => (
            false,
            "The account is not claimed: there is nothing to reset.",
        ),
        ResetClaim::Reset {
            has_birthdate: true,
        } => (true, "Reset. The account can be claimed again."),
        ResetClaim::Reset {
            has_birthdate: false,
        } => (
            true,
            "Reset. There is no birthdate on record: the account can be claimed again after an \
             import that has it.",
        ),
    };
    if json {
        say!("{}", json!({ "number": number.as_str(), "reset": done }));
    } else {
        say!("{told}");
    }
    Ok(if done {
        Outcome::Done
    } else {
        Outcome::Refused
    })
}

fn confirmed(person: &PersonReport) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("nobody is there to ask: say --yes"));
    }
    print!(
        "{} {} ({}) will be logged out everywhere and must claim the account again. Go on? [y/N] ",
        person.given_name, person.family_name, person.login_id
    );
    let asked = std::io::stdout().flush();
    let mut answer = String::new();
    asked
        .and_then(|()| std::io::stdin().lock().read_line(&mut answer))
        .map_err(|e| crate::failure::failed("the terminal could not be read", &e))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
