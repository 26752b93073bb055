//! Guests written in WAT and packed by our own pack step: well-behaved ones, and one for each hook that
//! does whatever the first letter of its input says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "every test file uses its own part of this")]

pub(crate) mod border;

use std::sync::Arc;

use futures_executor::block_on;
use narthex_core::event::{AuditEvent, EventKind};
use narthex_core::hook::{
    Candidate, ClaimOpinion, Code, EventSink, HookFault, Hooks, LandingStatistic, LogInOpinion,
    Opinion, PasswordRule, PasswordVerdict, Question,
};
use narthex_core::portal::{Count, Statistics};
use narthex_core::{OrganizationId, Timestamp};
use narthex_wasm::{
    Capability, Guest, GuestOptions, Hook, Host, HostOptions, Limits, LoadError, pack,
};

/// One host for all tests of a binary, as a server has one.
pub(crate) fn host() -> &'static Host {
    static HOST: std::sync::OnceLock<Host> = std::sync::OnceLock::new();
    HOST.get_or_init(|| Host::start(HostOptions::default()).unwrap())
}

pub(crate) fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

/// How the parameters of a hook arrive, and which of them is the text that is looked at.
fn signature(hook: Hook) -> &'static str {
    match hook {
        Hook::PasswordRule => "(param $text i32) (param $length i32) (result i32)",
        Hook::ClaimOpinion | Hook::LogInOpinion => {
            "(param $text i32) (param $length i32) (param i32 i32 i32 i32 i64) (result i32)"
        }
        Hook::EventSink => {
            "(param i64) (param $text i32) (param $length i32) (param i32 i32 i32 i32 i32 i32 i32 i32 i32)"
        }
        Hook::LandingStatistic => {
            "(param $text i32) (param $length i32) (param i32 i32 i32 i64 i32 i32) (result i32)"
        }
    }
}

fn function(hook: Hook) -> &'static str {
    match hook {
        Hook::PasswordRule => "narthex:portal/password-rule@0.1.0#check",
        Hook::ClaimOpinion => "narthex:portal/claim-opinion@0.1.0#claim",
        Hook::LogInOpinion => "narthex:portal/log-in-opinion@0.1.0#log-in",
        Hook::EventSink => "narthex:portal/events@0.1.0#observe",
        Hook::LandingStatistic => "narthex:portal/landing-statistic@0.1.0#lines",
    }
}

/// A module for `hook`: `body` is its function, `imports` come first.
pub(crate) fn module(hook: Hook, imports: &str, body: &str) -> String {
    let (name, signature) = (function(hook), signature(hook));
    let stated = match hook {
        Hook::PasswordRule => REQUIREMENTS,
        _ => "",
    };
    format!(
        r#"(module
  {imports}
  (memory (export "memory") 3)
  (table $table 4 funcref)
  (global $next (mut i32) (i32.const 65536))
  (global $seen (mut i32) (i32.const 0))
  (func $deeper (param $n i32) (result i32)
    (i32.add (i32.const 1) (call $deeper (i32.add (local.get $n) (i32.const 1)))))
  (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (data (i32.const 64) "guest")
  (data (i32.const 80) "1.0.0")
  (data (i32.const 96) "A fixture.")
  (func (export "narthex:portal/lifecycle@0.1.0#describe") (result i32)
    (i32.store (i32.const 8) (i32.const 64)) (i32.store (i32.const 12) (i32.const 5))
    (i32.store (i32.const 16) (i32.const 80)) (i32.store (i32.const 20) (i32.const 5))
    (i32.store (i32.const 24) (i32.const 96)) (i32.store (i32.const 28) (i32.const 10))
    (i32.const 8))
  (data (i32.const 112) "no settings, please")
  (func (export "narthex:portal/lifecycle@0.1.0#configure") (param i32) (param $settings i32) (result i32)
    (i32.store8 (i32.const 40) (i32.ne (local.get $settings) (i32.const 0)))
    (i32.store (i32.const 44) (i32.const 112)) (i32.store (i32.const 48) (i32.const 19))
    (i32.const 40))
  {stated}
  (data (i32.const 512) "no_mascot") (data (i32.const 528) "not_stated") (data (i32.const 544) "\ff\fe")
  (func (export "{name}") {signature}
    {body}))"#
    )
}

const REQUIREMENTS: &str = r#"
  (data (i32.const 256) "no_mascot")
  (data (i32.const 272) "Not our mascot")
  (data (i32.const 288) "No nuestra mascota")
  (func (export "narthex:portal/password-rule@0.1.0#requirements") (param $tag i32) (param i32) (result i32)
    (i32.store (i32.const 160) (i32.const 168)) (i32.store (i32.const 164) (i32.const 1))
    (i32.store (i32.const 168) (i32.const 256)) (i32.store (i32.const 172) (i32.const 9))
    (if (i32.eq (i32.load8_u offset=1 (local.get $tag)) (i32.const 115))
      (then (i32.store (i32.const 176) (i32.const 288)) (i32.store (i32.const 180) (i32.const 18)))
      (else (i32.store (i32.const 176) (i32.const 272)) (i32.store (i32.const 180) (i32.const 14))))
    (i32.const 160))"#;

/// The answers of a hook, each a piece that leaves the function.
pub(crate) struct Answers {
    /// Nothing against it; for a statistic: no line.
    pub(crate) good: &'static str,
    /// No, for a good reason; for those that add: an empty label.
    pub(crate) no: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) unstated: &'static str,
    pub(crate) out_of_bounds: &'static str,
    pub(crate) not_text: &'static str,
    pub(crate) huge: &'static str,
}

const VERDICTS: Answers = Answers {
    good: "(i32.store (i32.const 600) (i32.const 0)) (return (i32.const 600))",
    no: "(i32.store (i32.const 616) (i32.const 512)) (i32.store (i32.const 620) (i32.const 9))
         (i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 616))
         (i32.store (i32.const 608) (i32.const 1)) (return (i32.const 600))",
    empty: "(i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 616))
            (i32.store (i32.const 608) (i32.const 0)) (return (i32.const 600))",
    unstated: "(i32.store (i32.const 616) (i32.const 528)) (i32.store (i32.const 620) (i32.const 10))
               (i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 616))
               (i32.store (i32.const 608) (i32.const 1)) (return (i32.const 600))",
    out_of_bounds: "(i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 0x7fffff00))
                    (i32.store (i32.const 608) (i32.const 1)) (return (i32.const 600))",
    not_text: "(i32.store (i32.const 616) (i32.const 544)) (i32.store (i32.const 620) (i32.const 2))
               (i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 616))
               (i32.store (i32.const 608) (i32.const 1)) (return (i32.const 600))",
    huge: "(i32.store (i32.const 616) (i32.const 0)) (i32.store (i32.const 620) (i32.const 190000))
           (i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 616))
           (i32.store (i32.const 608) (i32.const 1)) (return (i32.const 600))",
};

const OPINIONS: Answers = Answers {
    good: VERDICTS.good,
    no: "(i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 512))
         (i32.store (i32.const 608) (i32.const 9)) (return (i32.const 600))",
    empty: "(i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 512))
            (i32.store (i32.const 608) (i32.const 0)) (return (i32.const 600))",
    unstated: "(i32.store (i32.const 600) (i32.const 7)) (return (i32.const 600))",
    out_of_bounds: VERDICTS.out_of_bounds,
    not_text:
        "(i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 544))
               (i32.store (i32.const 608) (i32.const 2)) (return (i32.const 600))",
    huge: "(i32.store (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 0))
           (i32.store (i32.const 608) (i32.const 190000)) (return (i32.const 600))",
};

const LINES: Answers = Answers {
    good: "(i32.store (i32.const 600) (i32.const 616)) (i32.store (i32.const 604) (i32.const 0))
           (return (i32.const 600))",
    no: "(i32.store (i32.const 616) (i32.const 0)) (i32.store (i32.const 620) (i32.const 0))
         (i32.store (i32.const 624) (i32.const 0)) (i32.store (i32.const 628) (i32.const 0))
         (i32.store (i32.const 600) (i32.const 616)) (i32.store (i32.const 604) (i32.const 1))
         (return (i32.const 600))",
    empty: "(unreachable)",
    unstated: "(i32.store (i32.const 600) (i32.const 616)) (i32.store (i32.const 604) (i32.const 9))
               (return (i32.const 600))",
    out_of_bounds: "(i32.store (i32.const 600) (i32.const 0x7fffff00)) (i32.store (i32.const 604) (i32.const 1))
                    (return (i32.const 600))",
    not_text: "(i32.store (i32.const 616) (i32.const 544)) (i32.store (i32.const 620) (i32.const 2))
               (i32.store (i32.const 624) (i32.const 0)) (i32.store (i32.const 628) (i32.const 0))
               (i32.store (i32.const 600) (i32.const 616)) (i32.store (i32.const 604) (i32.const 1))
               (return (i32.const 600))",
    huge: "(i32.store (i32.const 616) (i32.const 0)) (i32.store (i32.const 620) (i32.const 190000))
           (i32.store (i32.const 600) (i32.const 616)) (i32.store (i32.const 604) (i32.const 1))
           (return (i32.const 600))",
};

const SILENCE: Answers = Answers {
    good: "(return)",
    no: "(unreachable)",
    empty: "(unreachable)",
    unstated: "(unreachable)",
    out_of_bounds: "(unreachable)",
    not_text: "(unreachable)",
    huge: "(unreachable)",
};

pub(crate) fn answers(hook: Hook) -> &'static Answers {
    match hook {
        Hook::PasswordRule => &VERDICTS,
        Hook::ClaimOpinion | Hook::LogInOpinion => &OPINIONS,
        Hook::EventSink => &SILENCE,
        Hook::LandingStatistic => &LINES,
    }
}

/// The import of the log, for hooks that can be granted it.
pub(crate) const LOG: &str =
    r#"(import "narthex:portal/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;

/// Does what the first letter of its text says.
pub(crate) fn wild(hook: Hook) -> String {
    let answers = answers(hook);
    let flood = match hook {
        Hook::PasswordRule => "(unreachable)",
        _ => "(loop $again (call $log (i32.const 0) (i32.const 64) (i32.const 5)) (br $again))",
    };
    let cases = [
        ('l', "(loop $again (br $again))"),
        ('t', "(unreachable)"),
        ('r', "(drop (call $deeper (i32.const 0)))"),
        (
            'm',
            "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)",
        ),
        (
            'b',
            "(loop $again (br_if $again
               (i32.ne (table.grow $table (ref.null func) (i32.const 5000)) (i32.const -1)))) (unreachable)",
        ),
        ('f', flood),
        ('d', answers.no),
        ('e', answers.empty),
        ('x', answers.unstated),
        ('o', answers.out_of_bounds),
        ('u', answers.not_text),
        ('h', answers.huge),
        // What an earlier call left: a global, and a page of memory.
        ('s', "(if (global.get $seen) (then (unreachable))) (global.set $seen (i32.const 1))"),
        ('w', "(memory.fill (i32.const 131072) (i32.const 170) (i32.const 65536))"),
        (
            'v',
            "(local.set $at (i32.const 131072))
             (loop $again
               (if (i32.load8_u (local.get $at)) (then (unreachable)))
               (local.set $at (i32.add (local.get $at) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $at) (i32.const 196608))))",
        ),
        // The same of what is kept between calls and written over: the guest's own data, and pages that
        // the memory grew by, beyond those that are kept.
        (
            'k',
            "(i32.store8 (i32.const 64) (i32.const 170))
             (local.set $at (i32.shl (memory.grow (i32.const 8)) (i32.const 16)))
             (memory.fill (local.get $at) (i32.const 170) (i32.const 524288))",
        ),
        (
            'j',
            "(if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 103)) (then (unreachable)))
             (if (i32.ne (memory.size) (i32.const 3)) (then (unreachable)))
             (local.set $at (i32.shl (memory.grow (i32.const 8)) (i32.const 16)))
             (loop $again
               (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
               (local.set $at (i32.add (local.get $at) (i32.const 8)))
               (br_if $again (i32.lt_u (local.get $at) (i32.const 720896))))",
        ),
    ];
    let mut body = String::from("(local $letter i32) (local $at i32)\n");
    body.push_str(
        "(if (local.get $length) (then (local.set $letter (i32.load8_u (local.get $text)))))\n",
    );
    // Capitals as small letters: numbers arrive in capitals.
    body.push_str("(local.set $letter (i32.or (local.get $letter) (i32.const 32)))\n");
    for (letter, what) in cases {
        body.push_str(&format!(
            "(if (i32.eq (local.get $letter) (i32.const {})) (then {what}))\n",
            u32::from(letter)
        ));
    }
    body.push_str(answers.good);
    body.push_str(" (unreachable)");
    let imports = if hook == Hook::PasswordRule { "" } else { LOG };
    module(hook, imports, &body)
}

pub(crate) fn packed(hook: Hook, wat: &str) -> Vec<u8> {
    pack(wat.as_bytes(), hook).unwrap()
}

pub(crate) fn options(hook: Hook) -> GuestOptions {
    let grants = match hook {
        Hook::PasswordRule => Vec::new(),
        _ => vec![Capability::Log],
    };
    GuestOptions {
        grants,
        // More than by default: the machines of tests are busy.
        limits: Limits {
            time_ms: 400,
            ..Limits::default()
        },
        ..GuestOptions::new(code("wild"))
    }
}

pub(crate) fn load_on(host: &Host, hook: Hook, options: GuestOptions) -> Arc<Guest> {
    let component = packed(hook, &wild(hook));
    Arc::new(host.load(&component, options).unwrap())
}

pub(crate) fn load(hook: Hook) -> Arc<Guest> {
    load_on(host(), hook, options(hook))
}

pub(crate) fn refused(hook: Hook, wat: &str, options: GuestOptions) -> LoadError {
    host().load(&packed(hook, wat), options).unwrap_err()
}

/// What came of a call, as the portal takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// Nothing against it.
    Good,
    No,
    Fault(String),
}

fn came<T: PartialEq>(answer: Result<T, HookFault>, good: &T) -> Came {
    match answer {
        Err(fault) => Came::Fault(fault.why),
        Ok(answer) if answer == *good => Came::Good,
        Ok(_) => Came::No,
    }
}

/// Asks a guest about a text.
pub(crate) fn ask(guest: &Arc<Guest>, text: &str) -> Came {
    let question = Question {
        login_id: text.to_owned(),
        source: "192.0.2.1".into(),
        browser: "Firefox".into(),
        at: Timestamp::from_millis(1),
    };
    match guest.hook() {
        Hook::PasswordRule => {
            let verdict = PasswordRule::check(&**guest, Candidate::new(text));
            came(block_on(verdict), &PasswordVerdict::Meets)
        }
        Hook::ClaimOpinion => came(
            block_on(ClaimOpinion::claim(&**guest, &question)),
            &Opinion::Abstain,
        ),
        Hook::LogInOpinion => came(
            block_on(LogInOpinion::log_in(&**guest, &question)),
            &Opinion::Abstain,
        ),
        Hook::EventSink => unreachable!("a sink is told, not asked"),
        Hook::LandingStatistic => {
            let told = Statistics {
                organization: OrganizationId::parse(text).unwrap(),
                people: Vec::new(),
                log_ins_today: Count::FewerThan(10),
            };
            came(
                block_on(LandingStatistic::lines(&**guest, &told, "en")),
                &Vec::new(),
            )
        }
    }
}

/// An event whose kind begins with the letter that is wanted, where there is one.
pub(crate) fn event(kind: EventKind) -> AuditEvent {
    AuditEvent {
        at: Timestamp::from_millis(5),
        kind,
        account: None,
        source: "192.0.2.1".into(),
        request_id: "r-1".into(),
        detail: "password".into(),
    }
}

pub(crate) fn tell(guest: &Arc<Guest>, kind: EventKind) {
    EventSink::observe(&**guest, &event(kind));
}

pub(crate) fn hooks_of(guests: &[&Arc<Guest>]) -> Hooks {
    let mut hooks = Hooks::default();
    for guest in guests {
        guest.join(&mut hooks);
    }
    hooks
}

/// A component that another tool than ours made, of a WIT package of another version or with other
/// imports.
pub(crate) fn made_elsewhere(hook: Hook, wat: &str, version: &str, more: &str) -> Vec<u8> {
    let wit: String = narthex_wasm::wit_files().map(|(_, text)| text).join("\n");
    let world = format!("world {} {{", hook.world());
    let wit = wit
        .replace("@0.1.0;", &format!("@{version};"))
        .replace(&world, &format!("{world} {more}"));
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_source("other.wit", &wit).unwrap();
    let world = resolve
        .select_world(&[package], Some(hook.world()))
        .unwrap();
    let mut module = wat::parse_str(wat).unwrap();
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
    wit_component::ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// An empty portal.
pub(crate) fn portal() -> narthex_core::Portal {
    use narthex_conformance::{ManualClock, TestEntropy, TestHasher};
    let entropy = TestEntropy::seeded(7);
    let doors = narthex_core::Doors {
        store: Arc::new(narthex_core::store::MemoryStore::new()),
        clock: Arc::new(ManualClock::at(Timestamp::from_millis(1_767_225_600_000))),
        hasher: Arc::new(TestHasher::new(64)),
        keys: narthex_core::host::KeyRing::generate(&entropy).unwrap(),
        entropy: Arc::new(entropy),
    };
    let opened = narthex_core::Portal::open(doors, narthex_core::Policy::default());
    block_on(opened).unwrap()
}
