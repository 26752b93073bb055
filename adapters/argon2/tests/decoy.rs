//! Equal work for who has a hash and for who has none (P7, A19). Alone in its process: what is counted is
//! the processor time of all its threads, which other tests and a loaded machine do not touch.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures_executor::block_on;
use narthex_argon2::{Argon2Hasher, HashSettings, Params};
use narthex_core::host::PasswordHasher;
use rustix::time::{ClockId, clock_gettime};
use zeroize::Zeroizing;

fn secret(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn processor_time(work: impl FnOnce()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    let begun = now();
    work();
    now() - begun
}

fn median(mut values: Vec<Duration>) -> f64 {
    values.sort_unstable();
    values.get(values.len() / 2).unwrap().as_secs_f64()
}

/// Medians over interleaved rounds, and a bound far from noise: half the work would be a ratio of 2.
#[test]
fn a_decoy_takes_as_long_as_a_verification() {
    let params = Params {
        memory_kib: 4_096,
        iterations: 2,
        parallelism: 1,
    };
    let settings = HashSettings {
        params,
        workers: 1,
        ..HashSettings::default()
    };
    let hasher = Argon2Hasher::below_the_floor_for_tests(settings).unwrap();
    let phc = block_on(hasher.admit().unwrap().hash(secret("right"), [7; 16])).unwrap();
    let (mut verify, mut decoy) = (Vec::new(), Vec::new());
    for _ in 0..41 {
        verify.push(processor_time(|| {
            let phc = Zeroizing::new(phc.clone());
            let admitted = hasher.admit().unwrap();
            assert!(
                !block_on(admitted.verify(secret("wrong"), phc))
                    .unwrap()
                    .matches
            );
        }));
        decoy.push(processor_time(|| {
            block_on(hasher.admit().unwrap().decoy(secret("wrong"))).unwrap();
        }));
    }
    let ratio = median(verify) / median(decoy);
    assert!(
        (0.8..1.25).contains(&ratio),
        "verification / decoy = {ratio:.3}"
    );
}
