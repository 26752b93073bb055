//! What is loaded and what is not: one hook, granted imports, the right version, limits within their
//! caps.

mod support;

use narthex_wasm::{Capability, Fault, FaultKind, GuestOptions, Hook, Limits, LoadError, pack};
use support::{LOG, answers, code, host, load, module, options, packed, refused, wild};

fn plain(hook: Hook) -> String {
    module(hook, "", &format!("{} (unreachable)", answers(hook).good))
}

#[test]
fn every_hook_is_loaded_and_tells_what_it_is() {
    for hook in Hook::ALL {
        let guest = load(hook);
        assert_eq!(guest.hook(), hook);
        let told = guest.description();
        assert_eq!(
            (told.name.as_str(), told.version.as_str()),
            ("guest", "1.0.0")
        );
        assert_eq!(guest.name().as_str(), "wild", "the operator's name counts");
    }
    let stated = load(Hook::PasswordRule).requirements().to_vec();
    assert_eq!(stated.len(), 1);
    assert_eq!(stated[0].code(), "wild.no_mascot");
    assert_eq!(stated[0].text("en"), "Not our mascot");
    assert_eq!(stated[0].text("es"), "No nuestra mascota");
}

#[test]
fn a_limit_that_stops_a_guest_at_its_installation_is_named_with_what_to_do() {
    let stopped = |hook: Hook, limits: Limits| {
        let options = GuestOptions {
            limits,
            ..options(hook)
        };
        refused(hook, &wild(hook), options).to_string()
    };
    let little = Limits {
        memory_bytes: 64 << 10,
        ..Limits::default()
    };
    let error = stopped(Hook::PasswordRule, little);
    assert!(error.contains("memory_bytes=NUMBER"), "{error}");
    // What imports has an instance besides its own.
    let alone = Limits {
        instances: 1,
        ..Limits::default()
    };
    let error = stopped(Hook::EventSink, alone);
    assert!(error.contains("instances=NUMBER"), "{error}");
}

#[test]
fn a_grant_is_an_import_and_nothing_else_is() {
    for hook in Hook::ALL
        .into_iter()
        .filter(|hook| *hook != Hook::PasswordRule)
    {
        let none = GuestOptions::new(code("g"));
        let error = refused(hook, &wild(hook), none.clone());
        assert!(
            matches!(error, LoadError::NotGranted(Capability::Log)),
            "{error}"
        );
        assert!(error.to_string().contains("--grant log"), "{error}");
        let error = refused(hook, &plain(hook), options(hook));
        assert!(
            matches!(error, LoadError::NotAskedFor(Capability::Log)),
            "{error}"
        );
        host().load(&packed(hook, &plain(hook)), none).unwrap();
    }
}

#[test]
fn a49_what_sees_a_password_has_no_way_out_for_it() {
    assert_eq!(Hook::PasswordRule.grantable(), []);
    let hook = Hook::PasswordRule;
    // Its world has no log: such a module does not even become a component of it.
    let body = format!(
        "(call $log (i32.const 0) (i32.const 0) (i32.const 0)) {} (unreachable)",
        answers(hook).good
    );
    let leaking = module(hook, LOG, &body);
    assert!(pack(leaking.as_bytes(), hook).is_err());
    // And one that was made with another tool is not loaded, whatever it is granted.
    let component = support::made_elsewhere(hook, &leaking, "0.1.0", "import log;");
    for grants in [vec![], vec![Capability::Log]] {
        let options = GuestOptions {
            grants,
            ..GuestOptions::new(code("g"))
        };
        let error = host().load(&component, options).unwrap_err();
        assert!(
            matches!(
                error,
                LoadError::Import {
                    hook: Hook::PasswordRule,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn a49_no_other_hook_has_a_type_that_could_hold_a_secret() {
    let wit: Vec<&str> = narthex_wasm::wit_files()
        .into_iter()
        // An application that embeds the portal: not a hook, and a separate grant.
        .filter(|(file, _)| *file != "application.wit")
        .map(|(_, text)| text)
        .collect();
    let wit = wit.join("\n");
    let declared: Vec<&str> = wit
        .lines()
        .map(|line| line.split("//").next().unwrap())
        .filter(|line| {
            [
                "password",
                "candidate",
                "answer",
                "token",
                "birthdate",
                "given",
                "family",
            ]
            .iter()
            .any(|secret| line.contains(secret))
        })
        .map(str::trim)
        .collect();
    assert_eq!(
        declared,
        [
            "interface password-rule {",
            "check: func(candidate: string) -> verdict;",
            "world password-policy {",
            "export password-rule;",
        ]
    );
}

#[test]
fn a_guest_of_another_version_or_of_nothing_is_told_what_it_is() {
    let hook = Hook::PasswordRule;
    let newer = plain(hook).replace("@0.1.0", "@0.9.0");
    let component = support::made_elsewhere(hook, &newer, "0.9.0", "");
    let error = host()
        .load(&component, GuestOptions::new(code("g")))
        .unwrap_err();
    assert!(matches!(error, LoadError::NoHook { .. }), "{error}");
    let told = error.to_string();
    assert!(told.contains("narthex:portal@0.1.0"), "{told}");
    assert!(
        told.contains("narthex:portal/password-rule@0.9.0"),
        "{told}"
    );
    for bytes in [
        &b""[..],
        b"\0asm\x01\0\0\0",
        b"not wasm at all",
        &[0xff; 64],
    ] {
        let error = host()
            .load(bytes, GuestOptions::new(code("g")))
            .unwrap_err();
        assert!(matches!(error, LoadError::NotAComponent(_)), "{error}");
    }
    let wrong = pack(b"(module)", hook).unwrap_err().to_string();
    assert!(wrong.contains("password-policy"), "{wrong}");
    assert!(
        pack(&component, hook)
            .unwrap_err()
            .to_string()
            .contains("already")
    );
}

#[test]
fn a_guest_that_does_not_tell_of_itself_is_not_loaded() {
    let hook = Hook::PasswordRule;
    let silent = |from: &str, to: &str| {
        let wat = plain(hook);
        assert!(wat.contains(from), "{from}");
        refused(hook, &wat.replace(from, to), GuestOptions::new(code("g")))
    };
    let trapped = silent("(i32.store (i32.const 8) (i32.const 64))", "(unreachable)");
    assert!(
        matches!(
            trapped,
            LoadError::Silent {
                asked: "describe",
                fault: Fault(FaultKind::Trap)
            }
        ),
        "{trapped}"
    );
    let endless = silent(
        "(i32.store (i32.const 8) (i32.const 64))",
        "(loop $l (br $l))",
    );
    assert!(
        matches!(
            endless,
            LoadError::Silent {
                asked: "describe",
                fault: Fault(FaultKind::Time)
            }
        ),
        "{endless}"
    );
    for (from, to) in [
        ("\"guest\"", "\"Guest\""),
        ("\"A fixture.\"", "\"A\\nfixture\""),
        (
            "\"no_mascot\")\n  (data (i32.const 272)",
            "\"No Mascot\")\n  (data (i32.const 272)",
        ),
        (
            "(i32.store (i32.const 164) (i32.const 1))",
            "(i32.store (i32.const 164) (i32.const 0))",
        ),
        ("\"Not our mascot\"", "\"Not our\\nmascot\""),
    ] {
        let error = silent(from, to);
        assert!(matches!(error, LoadError::Told(_)), "{from}: {error}");
    }
}

#[test]
fn settings_are_judged_by_the_guest_when_it_is_loaded() {
    let hook = Hook::LogInOpinion;
    let mut with = options(hook);
    with.settings.insert("curfew".into(), "22:00".into());
    let error = refused(hook, &wild(hook), with);
    assert!(
        matches!(&error, LoadError::Settings(why) if why == "no settings, please"),
        "{error}"
    );
}

#[test]
fn wa01_no_operator_can_allow_more_than_the_caps() {
    Limits::HARD.check().unwrap();
    Limits::default().check().unwrap();
    let hard = Limits::HARD;
    let default = Limits::default();
    for (name, limits) in [
        (
            "time_ms",
            Limits {
                time_ms: hard.time_ms + 1,
                ..default.clone()
            },
        ),
        (
            "time_ms",
            Limits {
                time_ms: 0,
                ..default.clone()
            },
        ),
        (
            "fuel",
            Limits {
                fuel: hard.fuel.map(|f| f + 1),
                ..default.clone()
            },
        ),
        (
            "memory_bytes",
            Limits {
                memory_bytes: hard.memory_bytes + 1,
                ..default.clone()
            },
        ),
        (
            "table_elements",
            Limits {
                table_elements: hard.table_elements + 1,
                ..default.clone()
            },
        ),
        (
            "instances",
            Limits {
                instances: hard.instances + 1,
                ..default.clone()
            },
        ),
        (
            "output_bytes",
            Limits {
                output_bytes: hard.output_bytes + 1,
                ..default.clone()
            },
        ),
        (
            "host_calls",
            Limits {
                host_calls: hard.host_calls + 1,
                ..default.clone()
            },
        ),
        (
            "workers",
            Limits {
                workers: hard.workers + 1,
                ..default.clone()
            },
        ),
        (
            "queue",
            Limits {
                queue: hard.queue + 1,
                ..default
            },
        ),
    ] {
        let options = GuestOptions {
            limits,
            ..GuestOptions::new(code("g"))
        };
        let error = refused(Hook::PasswordRule, &plain(Hook::PasswordRule), options);
        assert!(
            matches!(&error, LoadError::Limits(l) if l.name == name),
            "{name}: {error}"
        );
    }
}
