//! What the corpus must hold: every file, every rule, every refusal.

use std::collections::BTreeSet;
use std::path::Path;

use narthex_conformance::scenarios::{FILES, What, corpus};
use narthex_core::{EndReason, Refusal};

#[test]
fn every_file_of_the_folder_is_in_the_corpus_and_named_after_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|file| Some(file.strip_suffix(".json")?.to_owned()))
        .collect();
    let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(on_disk, listed);
    assert_eq!(listed.len(), FILES.len(), "a name is listed twice");
    for ((file, _), scenario) in FILES.iter().zip(corpus().unwrap()) {
        assert_eq!(*file, scenario.name);
        assert!(
            !scenario.why.is_empty() && !scenario.rule.is_empty(),
            "{file}"
        );
    }
}

#[test]
fn every_rule_and_promise_has_a_scenario() {
    let told: BTreeSet<String> = corpus().unwrap().into_iter().flat_map(|s| s.rule).collect();
    // S18 counts pages and fields: `adapters/http` has them. P6 needs stores that fail, P10 needs
    // the bytes of a dump: `core/tests` has them.
    let rules = (1..=17).map(|n| format!("S{n}"));
    let promises = [1, 2, 3, 4, 5, 7, 8, 9]
        .into_iter()
        .map(|n| format!("P{n}"));
    let missing: Vec<_> = rules
        .chain(promises)
        .filter(|rule| !told.contains(rule))
        .collect();
    assert!(missing.is_empty(), "no scenario for {missing:?}");
}

#[test]
fn every_refusal_and_every_end_of_a_session_is_expected_somewhere() {
    let (mut outcomes, mut reasons) = (BTreeSet::new(), BTreeSet::new());
    for step in corpus()
        .unwrap()
        .into_iter()
        .flat_map(|scenario| scenario.steps)
    {
        match step.what {
            What::One(deed) => {
                outcomes.extend(deed.expect.outcome);
                reasons.extend(deed.expect.facts.reason);
            }
            What::Together { expect, .. } => outcomes.extend(expect.exactly.into_keys()),
        }
    }
    for code in Refusal::CODES {
        assert!(outcomes.contains(code), "{code}");
    }
    for reason in EndReason::ALL {
        assert!(reasons.contains(reason.code()), "{}", reason.code());
    }
    let known = |outcome: &String| {
        Refusal::CODES.contains(&outcome.as_str())
            || ["ok", "invalid", "busy"].contains(&outcome.as_str())
    };
    assert!(outcomes.iter().all(known), "{outcomes:?}");
}

#[test]
fn a_word_that_scenarios_do_not_have_is_refused() {
    let (_, good) = FILES[0];
    let read = |text: &str| serde_json::from_str::<narthex_conformance::scenarios::Scenario>(text);
    assert!(read(good).is_ok());
    for (from, to) in [
        ("\"do\": \"log_in\"", "\"do\": \"log_inn\""),
        ("\"do\": \"log_in\"", "\"whom\": \"x\", \"do\": \"log_in\""),
        ("\"login_id\": ", "\"log_in_id\": "),
        (
            "\"by\": \"victim\", \"do\": \"log_in\"",
            "\"do\": \"log_in\"",
        ),
        ("\"why\":", "\"because\":"),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(read(&good.replacen(from, to, 1)).is_err(), "{to}");
    }
}

#[test]
fn the_table_of_words_has_every_word_and_fact_in_use() {
    let table = include_str!("../scenarios/README.md");
    for (name, text) in FILES {
        let scenario: serde_json::Value = serde_json::from_str(text).unwrap();
        for step in scenario["steps"].as_array().unwrap() {
            for word in words(step) {
                assert!(
                    table.contains(&format!("`{word}`")),
                    "{word} of {name} is not in the table"
                );
            }
        }
    }
}

/// The fields and words of a step, those of its group's steps included.
fn words(step: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in step.as_object().into_iter().flatten() {
        found.push(key.clone());
        match key.as_str() {
            "do" => found.extend(value.as_str().map(str::to_owned)),
            "expect" => found.extend(
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(k, _)| k.clone()),
            ),
            "together" => found.extend(value.as_array().into_iter().flatten().flat_map(words)),
            _ => {}
        }
    }
    found
}
