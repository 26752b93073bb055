//! Guests that mean harm, or are broken: never a yes, never a host that stalls, falls or swells (WA-01,
//! WA-02, AZ-04, A48).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use narthex_core::event::EventKind;
use narthex_wasm::{GuestOptions, Hook, Host, HostOptions, Limits};
use support::{Came, ask, host, load, load_on, options, tell};

/// Hooks that are asked and answer.
const ASKED: [Hook; 4] = [
    Hook::PasswordRule,
    Hook::ClaimOpinion,
    Hook::LogInOpinion,
    Hook::LandingStatistic,
];

/// A loaded machine schedules late; a guest that is not stopped at all runs for ever.
const LATE_MAX: Duration = Duration::from_secs(5);

fn fault(why: &str) -> Came {
    Came::Fault(why.to_owned())
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "times a test")]
    let began = std::time::Instant::now();
    let value = run();
    (value, began.elapsed())
}

#[test]
fn wa01_wa02_az04_a48_whatever_a_guest_does_it_is_not_a_yes_and_it_answers_the_next_call() {
    let on_demand = Host::start(HostOptions { pool: false }).unwrap();
    assert!(!on_demand.is_pooled());
    for host in [host(), &on_demand] {
        for hook in ASKED {
            let guest = load_on(host, hook, options(hook));
            assert_eq!(ask(&guest, "good"), Came::Good, "{hook}");
            for (text, expected) in misbehaviour(hook) {
                let (came, took) = timed(|| ask(&guest, text));
                assert_eq!(came, expected, "{hook} {text}");
                assert!(took < LATE_MAX, "{hook} {text}: {took:?}");
                assert_eq!(ask(&guest, "good"), Came::Good, "{hook} after {text}");
            }
        }
    }
}

fn misbehaviour(hook: Hook) -> Vec<(&'static str, Came)> {
    let adds = hook == Hook::LandingStatistic;
    let no = |came| if adds { fault("answer") } else { came };
    let mut list = vec![
        ("loop", fault("time")),
        ("trap", fault("trap")),
        ("recursion", fault("stack")),
        ("memory bomb", fault("memory")),
        ("bomb of tables", fault("memory")),
        ("denied", no(Came::No)),
        (
            "empty denial",
            if adds { fault("trap") } else { fault("answer") },
        ),
        ("x: an unstated code", fault("answer")),
        ("out of bounds", fault("answer")),
        ("utf8 that is none", fault("answer")),
        ("huge answer", fault("answer")),
    ];
    let flood = if hook == Hook::PasswordRule {
        "trap"
    } else {
        "host_calls"
    };
    list.push(("flood of host calls", fault(flood)));
    if adds {
        // The texts of organizations' ids have no spaces.
        for (text, _) in &mut list {
            *text = text.split([' ', ':']).next().unwrap();
        }
    }
    list
}

#[test]
fn wa02_nothing_is_left_between_calls() {
    for hook in ASKED {
        let guest = load(hook);
        for _ in 0..50 {
            assert_eq!(
                ask(&guest, "state"),
                Came::Good,
                "{hook}: a global was left"
            );
            assert_eq!(ask(&guest, "write"), Came::Good);
            assert_eq!(ask(&guest, "verify"), Came::Good, "{hook}: memory was left");
            assert_eq!(ask(&guest, "keep"), Came::Good);
            assert_eq!(
                ask(&guest, "judge"),
                Came::Good,
                "{hook}: data or grown memory was left"
            );
        }
    }
}

#[test]
fn wa01_an_endless_guest_is_stopped_in_time_while_others_answer() {
    let slow = load_on(
        host(),
        Hook::LogInOpinion,
        GuestOptions {
            limits: Limits {
                time_ms: 300,
                workers: 1,
                queue: 2,
                ..Limits::default()
            },
            ..options(Hook::LogInOpinion)
        },
    );
    let quick = load(Hook::PasswordRule);
    std::thread::scope(|scope| {
        let stuck: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| timed(|| ask(&slow, "loop"))))
            .collect();
        // Its threads are its own.
        let (came, took) = timed(|| ask(&quick, "good"));
        assert_eq!(came, Came::Good);
        assert!(took < LATE_MAX, "{took:?}");
        let came: Vec<_> = stuck
            .into_iter()
            .map(|stuck| stuck.join().unwrap())
            .collect();
        let busy = came
            .iter()
            .filter(|(came, _)| *came == fault("busy"))
            .count();
        assert!(
            (1..6).contains(&busy),
            "one runs, two wait, the others are told at once: {came:?}"
        );
        for (came, took) in came {
            assert!([fault("time"), fault("busy")].contains(&came), "{came:?}");
            assert!(took < LATE_MAX, "{took:?}");
        }
    });
    assert_eq!(ask(&slow, "good"), Came::Good);
    let read = slow.meters().read();
    assert_eq!(read.calls, 7);
    assert_eq!(read.faults.iter().map(|(_, n)| n).sum::<u64>(), 6);
    assert!(read.busy >= Duration::from_millis(300));
}

#[test]
fn wa01_fuel_stops_the_same_call_at_the_same_place() {
    let with = |fuel| {
        let limits = Limits {
            fuel: Some(fuel),
            time_ms: 5_000,
            ..Limits::default()
        };
        let hook = Hook::PasswordRule;
        load_on(
            host(),
            hook,
            GuestOptions {
                limits,
                ..options(hook)
            },
        )
    };
    let plenty = with(100_000_000);
    assert_eq!(ask(&plenty, "good"), Came::Good);
    assert_eq!(ask(&plenty, "loop"), fault("fuel"));
    // `verify` reads 64 KiB: some hundred thousand instructions, the same in each run.
    let enough = (1..40)
        .map(|n| n * 20_000)
        .find(|fuel| ask(&with(*fuel), "verify") == Came::Good);
    let enough = enough.unwrap();
    for _ in 0..20 {
        assert_eq!(ask(&with(enough), "verify"), Came::Good);
        assert_eq!(ask(&with(enough - 20_000), "verify"), fault("fuel"));
    }
}

#[test]
fn wa01_events_are_taken_in_order_dropped_when_too_many_and_never_waited_for() {
    let hook = Hook::EventSink;
    let limits = Limits {
        queue: 4,
        time_ms: 50,
        ..Limits::default()
    };
    let guest = load_on(
        host(),
        hook,
        GuestOptions {
            limits,
            ..options(hook)
        },
    );
    // `logged_in` begins with the letter of the endless loop.
    let ((), took) = timed(|| {
        for _ in 0..40 {
            tell(&guest, EventKind::LoggedIn);
        }
    });
    assert!(
        took < Duration::from_millis(1_500),
        "told, not waited for: {took:?}"
    );
    let settled = || {
        let read = guest.meters().read();
        let faults: u64 = read.faults.iter().map(|(_, n)| n).sum();
        (read.calls, faults + read.dropped, read.dropped)
    };
    for _ in 0..100 {
        if settled().1 == 40 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let (calls, gone, dropped) = settled();
    assert_eq!((calls, gone), (40, 40));
    assert!(dropped >= 30, "{dropped}");
    tell(&guest, EventKind::Claimed);
}

/// Resident memory, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// In a process of its own: others would be in the count.
#[cfg(target_os = "linux")]
#[test]
fn wa01_a48_memory_is_back_where_it_was_after_many_bad_calls() {
    let calls = std::env::var("NARTHEX_BAD_CALLS").map_or(4_000, |n| n.parse::<usize>().unwrap());
    let guests: Vec<_> = ASKED.into_iter().map(load).collect();
    let bad = |n: usize| {
        let texts = [
            "trap",
            "memory",
            "bomb",
            "out",
            "huge",
            "recursion",
            "write",
            "utf8",
        ];
        let guest = &guests[n % guests.len()];
        let came = ask(guest, texts[n / guests.len() % texts.len()]);
        assert!(came != Came::No);
    };
    (0..400).for_each(bad);
    let before = resident();
    (0..calls).for_each(bad);
    let grown = resident().saturating_sub(before);
    assert!(
        grown < 16 << 20,
        "{grown} bytes more after {calls} bad calls"
    );
    for guest in &guests {
        assert_eq!(ask(guest, "good"), Came::Good);
    }
}

/// A system that gives little virtual memory gives no pool; guests run all the same.
#[cfg(target_os = "linux")]
#[test]
fn wa01_where_there_is_no_room_for_a_pool_instances_are_made_on_demand() {
    const INSIDE: &str = "NARTHEX_WITHOUT_ROOM";
    if std::env::var_os(INSIDE).is_some() {
        let host = Host::start(HostOptions::default()).unwrap();
        assert!(!host.is_pooled());
        let guest = load_on(&host, Hook::PasswordRule, options(Hook::PasswordRule));
        assert_eq!(ask(&guest, "good"), Came::Good);
        assert_eq!(ask(&guest, "memory"), fault("memory"));
        return;
    }
    let name = "wa01_where_there_is_no_room_for_a_pool_instances_are_made_on_demand";
    let test = std::env::current_exe().unwrap();
    let ran = std::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -v 6000000 && exec \"$0\" --exact \"$1\" --nocapture",
        ])
        .arg(test)
        .arg(name)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{ran:?}");
}
