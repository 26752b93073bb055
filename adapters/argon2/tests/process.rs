//! What the process keeps: threads and resident memory. One test, so that nothing else runs beside
//! it; Linux only, where the kernel tells.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use std::fs;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use narthex_argon2::{Argon2Hasher, HashSettings, Params};
use narthex_core::host::PasswordHasher;
use zeroize::Zeroizing;

const WORKERS: usize = 3;
const MEMORY_KIB: usize = 19_456;
/// Stacks, the test's own vectors, what the allocator rounds up.
const REST_KIB: usize = 8 * 1024;

/// A line of `/proc/self/status`, in KiB.
fn status_kib(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn hash_threads() -> usize {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
        .filter(|name| name.trim() == "narthex-argon2")
        .count()
}

fn storm(hasher: &Argon2Hasher) -> usize {
    let admissions = (0..1_000)
        .filter_map(|_| hasher.admit().ok())
        .collect::<Vec<_>>();
    let work = admissions
        .iter()
        .map(|admitted| admitted.decoy(Zeroizing::new(vec![b'x'; 64])));
    block_on(join_all(work))
        .into_iter()
        .for_each(Result::unwrap);
    admissions.len()
}

#[test]
fn a_storm_of_log_ins_costs_an_arena_per_worker_which_idle_and_drop_give_back() {
    let settings = HashSettings {
        params: Params {
            memory_kib: u32::try_from(MEMORY_KIB).unwrap(),
            iterations: 1,
            parallelism: 1,
        },
        workers: WORKERS,
        queue: 97,
        idle: Duration::from_millis(500),
    };
    let before = status_kib("VmRSS:");
    let hasher = Argon2Hasher::below_the_floor_for_tests(settings).unwrap();
    assert!(
        status_kib("VmRSS:") < before + REST_KIB,
        "nothing is allocated before the first hash"
    );

    // Twice: an allocator that learns from the first release must not keep the second.
    for round in ["first", "second"] {
        assert_eq!(storm(&hasher), 100);
        let peak = status_kib("VmHWM:") - before;
        assert!(peak > MEMORY_KIB, "the measurement is blind");
        assert!(
            peak < WORKERS * MEMORY_KIB + REST_KIB,
            "{peak} KiB in the {round} storm"
        );
        assert!(hasher.load().arena_bytes <= WORKERS * MEMORY_KIB * 1024);
        for _ in 0..200 {
            if hasher.load().arena_bytes == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(hasher.load().arena_bytes, 0, "idle gives the arenas up");
        let idle = status_kib("VmRSS:");
        assert!(
            idle < before + REST_KIB,
            "{idle} KiB resident after the {round} storm"
        );
    }

    storm(&hasher);
    assert_eq!(hash_threads(), WORKERS);
    drop(hasher);
    assert_eq!(hash_threads(), 0);
    let after = status_kib("VmRSS:");
    assert!(
        after < before + REST_KIB,
        "{after} KiB resident after the drop"
    );
}
