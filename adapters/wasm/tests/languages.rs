//! The authors' templates, built from source: one rule in four languages, and one that throws.
//! `cargo xtask test wasm` builds them and says where they are.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::PathBuf;
use std::sync::Arc;

use narthex_core::OrganizationId;
use narthex_core::event::EventKind;
use narthex_core::hook::LandingStatistic as _;
use narthex_core::model::Role;
use narthex_core::portal::{Count, RoleCount, Statistics};
use narthex_wasm::{Guest, GuestOptions, Hook, Limits, LoadError, PluginFolder, pack};
use support::{Came, ask, code, host, tell};

/// Where the guests are: `rust.wasm` and `c.wasm` as their compilers leave them, the others components.
fn built(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("NARTHEX_GUESTS").map(PathBuf::from);
    let path = folder.unwrap().join(format!("{name}.wasm"));
    let bytes = PluginFolder::read_component(&path).unwrap();
    match name {
        "rust" | "c" => pack(&bytes, Hook::PasswordRule).unwrap(),
        _ => bytes,
    }
}

fn options(words: Option<&str>) -> GuestOptions {
    let mut options = GuestOptions {
        limits: Limits {
            time_ms: 3_000,
            memory_bytes: 64 << 20,
            instances: 64,
            ..Limits::default()
        },
        ..GuestOptions::new(code("no_mascot"))
    };
    options
        .settings
        .extend(words.map(|words| ("words".to_owned(), words.to_owned())));
    options
}

fn is_a_good_rule(language: &str) {
    let compiled = host()
        .compile(&built(language), &options(None).limits)
        .unwrap();
    let report = compiled.examine().unwrap();
    assert_eq!(report.asks, [], "{language} imports nothing");
    assert_eq!(report.description.name.as_str(), "no_mascot");
    let error = compiled.load(options(None)).unwrap_err();
    assert!(
        matches!(&error, LoadError::Settings(why) if why.contains("--set words=tiger,tigers")),
        "{language}: {error}"
    );
    let guest: Arc<Guest> = Arc::new(compiled.load(options(Some("Tiger, lion"))).unwrap());
    let stated = guest.requirements().first().unwrap();
    assert_eq!(stated.code(), "no_mascot.no_mascot");
    assert_eq!(stated.text("en"), "Not our school's mascot");
    assert_eq!(stated.text("es"), "Sin la mascota de la escuela");
    for (candidate, came) in [
        ("seven leagues of lace", Came::Good),
        ("seven TIGERS of lace", Came::No),
        ("a lion", Came::No),
        ("t-i-g-e-r", Came::Good),
        ("ñandú 🐯 sin tigre", Came::Good),
    ] {
        assert_eq!(ask(&guest, candidate), came, "{language}: {candidate}");
    }
    assert_eq!(ask(&guest, &"x".repeat(1024)), Came::Good);
    assert_eq!(guest.meters().read().faults, [], "{language}");
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn the_template_in_rust_is_a_good_rule() {
    is_a_good_rule("rust");
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn the_template_in_c_is_a_good_rule() {
    is_a_good_rule("c");
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn the_template_in_javascript_is_a_good_rule() {
    is_a_good_rule("javascript");
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn the_template_in_python_is_a_good_rule() {
    is_a_good_rule("python");
}

/// A guest of `tests/guests/sdk`, with the log granted if it asks for it.
fn of_the_sdk(name: &str, hook: Hook, settings: &[(&str, &str)]) -> Arc<Guest> {
    let component = pack(&built(&format!("sdk-{name}")), hook).unwrap();
    let compiled = host().compile(&component, &Limits::default()).unwrap();
    let report = compiled.examine().unwrap();
    assert_eq!(report.hook, hook);
    let set = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let options = GuestOptions {
        grants: report.asks,
        settings: settings.iter().map(set).collect(),
        ..GuestOptions::new(report.description.name)
    };
    Arc::new(compiled.load(options).unwrap())
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn opinions_of_the_sdk_refuse_abstain_and_log() {
    for (name, hook) in [
        ("claim-opinion", Hook::ClaimOpinion),
        ("log-in-opinion", Hook::LogInOpinion),
    ] {
        let guest = of_the_sdk(name, hook, &[("begins", "N")]);
        assert_eq!(ask(&guest, "S-1024"), Came::Good);
        assert_eq!(ask(&guest, "N-1"), Came::No);
        assert_eq!(guest.meters().read().faults, [], "{name}");
    }
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn a_sink_of_the_sdk_is_told_what_happened() {
    let guest = of_the_sdk("event-sink", Hook::EventSink, &[]);
    for _ in 0..3 {
        tell(&guest, EventKind::LoggedIn);
    }
    let told = || guest.meters().read();
    for _ in 0..500 {
        if told().calls == 3 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!((told().calls, told().faults), (3, Vec::new()));
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn a_statistic_of_the_sdk_counts_in_the_readers_language() {
    let guest = of_the_sdk("landing-statistic", Hook::LandingStatistic, &[]);
    let people = |role, listed, claimed| RoleCount {
        role,
        listed,
        claimed,
    };
    let told = Statistics {
        organization: OrganizationId::parse("north").unwrap(),
        people: vec![
            people(Role::Student, Count::Exactly(90), Count::Exactly(60)),
            people(Role::Teacher, Count::Exactly(20), Count::FewerThan(10)),
        ],
        log_ins_today: Count::FewerThan(10),
    };
    let lines = |language| {
        let lines = futures_executor::block_on(guest.lines(&told, language)).unwrap();
        let shown = lines
            .iter()
            .map(|line| format!("{} {}", line.label, line.value));
        shown.collect::<Vec<_>>()
    };
    assert_eq!(
        lines("en"),
        [
            "student: claimed 60 of 90 at north",
            "teacher: claimed < 10"
        ]
    );
    assert_eq!(lines("es")[0], "student: con cuenta 60 of 90 at north");
}

#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn az04_an_exception_in_javascript_is_never_a_yes() {
    let component = built("throws");
    let guest = Arc::new(host().load(&component, options(None)).unwrap());
    assert_eq!(ask(&guest, "good"), Came::Good);
    for thrown in ["error", "string", "nothing", "empty", "shape", "endless"] {
        let came = ask(&guest, thrown);
        assert!(matches!(came, Came::Fault(_)), "{thrown}: {came:?}");
        assert_eq!(ask(&guest, "good"), Came::Good, "after {thrown}");
    }
}
