//! The queue's bound, seen from outside.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use narthex_argon2::{Argon2Hasher, HashSettings, Params};
use narthex_core::host::PasswordHasher;
use zeroize::Zeroizing;

fn hasher(workers: usize, queue: usize, memory_kib: u32) -> Argon2Hasher {
    Argon2Hasher::below_the_floor_for_tests(HashSettings {
        params: Params {
            memory_kib,
            iterations: 1,
            parallelism: 1,
        },
        workers,
        queue,
        ..HashSettings::default()
    })
    .unwrap()
}

fn secret() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(b"secret".to_vec())
}

#[test]
fn of_many_who_come_at_once_exactly_workers_and_queue_are_let_in() {
    let hasher = Arc::new(hasher(2, 30, 64));
    let threads = (0..8).map(|_| {
        let hasher = Arc::clone(&hasher);
        std::thread::spawn(move || (0..200).map(|_| hasher.admit()).collect::<Vec<_>>())
    });
    let threads = threads.collect::<Vec<_>>();
    let asked = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect::<Vec<_>>();
    let (admitted, refused): (Vec<_>, Vec<_>) = asked.into_iter().partition(Result::is_ok);
    assert_eq!(admitted.len(), 32);
    assert!(
        refused
            .iter()
            .flat_map(|r| r.as_ref().err())
            .all(|full| full.retry_after > Duration::ZERO)
    );
    drop(admitted);
    assert_eq!(hasher.load().places_taken, 0);
}

#[test]
fn the_bound_holds_while_hashes_run() {
    let hasher = Arc::new(hasher(2, 3, 256));
    let (done, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for _ in 0..40 {
                    match hasher.admit() {
                        Ok(admitted) => {
                            assert!(hasher.load().places_taken <= 5);
                            block_on(admitted.decoy(secret())).unwrap();
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(_) => {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    assert_eq!(done.into_inner() + refused.into_inner(), 480);
    assert_eq!(hasher.load().places_taken, 0);
}

#[test]
fn who_leaves_while_waiting_frees_a_place_for_the_next() {
    let hasher = hasher(1, 50, 1_024);
    let admissions = (0..51).map(|_| hasher.admit().unwrap()).collect::<Vec<_>>();
    let mut futures = admissions
        .iter()
        .map(|a| a.decoy(secret()))
        .collect::<Vec<_>>();
    for future in &mut futures {
        let _ = future.now_or_never();
    }
    drop(futures);
    drop(admissions);
    // One may have been running when everybody left; the others are gone.
    assert!(hasher.load().places_taken <= 1);
    let next = (0..50).map(|_| hasher.admit().unwrap()).collect::<Vec<_>>();
    for admitted in next {
        block_on(admitted.decoy(secret())).unwrap();
    }
}

#[test]
fn who_has_the_answer_can_come_back_at_once() {
    let hasher = hasher(1, 0, 64);
    for _ in 0..500 {
        block_on(hasher.admit().unwrap().decoy(secret())).unwrap();
    }
}

#[test]
fn an_admission_that_outlives_the_hasher_gets_a_fault() {
    let hasher = hasher(1, 1, 64);
    let admitted = hasher.admit().unwrap();
    drop(hasher);
    assert!(block_on(admitted.decoy(secret())).is_err());
}

#[test]
fn the_wait_that_is_told_follows_what_was_measured() {
    let hasher = hasher(1, 0, 64);
    let guess = hasher.load().mean;
    let admitted = hasher.admit().unwrap();
    for _ in 0..100 {
        block_on(admitted.decoy(secret())).unwrap();
    }
    assert_ne!(hasher.load().mean, guess);
    assert_eq!(
        hasher.admit().err().unwrap().retry_after,
        hasher.load().mean
    );
}
