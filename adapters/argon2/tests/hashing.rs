//! What is computed: reference vectors, the clamp, the floor.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Version};
use data_encoding::BASE64_NOPAD;
use futures_executor::block_on;
use narthex_argon2::{
    Argon2Hasher, HashSettings, HashSettingsError, Params, STORED_MEMORY_KIB_MAX,
};
use narthex_core::host::{AdmittedHash, PasswordHasher, Verification};
use proptest::prelude::*;
use zeroize::Zeroizing;

const SALT: [u8; 16] = *b"0123456789abcdef";

fn params(memory_kib: u32, iterations: u32, parallelism: u32) -> Params {
    Params {
        memory_kib,
        iterations,
        parallelism,
    }
}

fn hasher(params: Params) -> Argon2Hasher {
    Argon2Hasher::below_the_floor_for_tests(HashSettings {
        params,
        workers: 1,
        ..HashSettings::default()
    })
    .unwrap()
}

fn secret(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn hash(hasher: &Argon2Hasher, text: &str) -> String {
    block_on(hasher.admit().unwrap().hash(secret(text), SALT)).unwrap()
}

fn verify(hasher: &Argon2Hasher, text: &str, phc: &str) -> Result<Verification, String> {
    let phc = Zeroizing::new(phc.to_owned());
    block_on(hasher.admit().unwrap().verify(secret(text), phc)).map_err(|fault| fault.0)
}

/// The tag that crate `argon2` computes through its ordinary API, with a fresh matrix.
fn peer(params: Params, version: Version, text: &str, salt: &[u8], bytes: usize) -> String {
    let Params {
        memory_kib: m,
        iterations: t,
        parallelism: p,
    } = params;
    let cost = argon2::Params::new(m, t, p, Some(bytes)).unwrap();
    let mut tag = vec![0; bytes];
    Argon2::new(Algorithm::Argon2id, version, cost)
        .hash_password_into(text.as_bytes(), salt, &mut tag)
        .unwrap();
    let version = u32::from(version);
    let (salt, tag) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(&tag));
    format!("$argon2id$v={version}$m={m},t={t},p={p}${salt}${tag}")
}

/// From the test file of the reference implementation (phc-winner-argon2).
#[test]
fn the_vectors_of_the_reference_implementation_verify() {
    let hasher = hasher(params(256, 2, 1));
    let vectors = [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ];
    for phc in vectors {
        assert!(verify(&hasher, "password", phc).unwrap().matches, "{phc}");
        assert!(!verify(&hasher, "Password", phc).unwrap().matches, "{phc}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// One arena for all jobs of a case, so that each finds what the others left.
    #[test]
    fn differently_sized_jobs_in_one_arena_give_the_tags_of_a_fresh_matrix(
        today in (8_u32..200, 1_u32..4),
        jobs in proptest::collection::vec(
            (32_u32..600, 1_u32..5, 1_u32..5, 16_usize..65, ".{0,40}", any::<bool>()),
            1..8,
        ),
    ) {
        let today = params(today.0, today.1, 1);
        let hasher = hasher(today);
        for (m, t, p, bytes, text, old) in jobs {
            let version = if old { Version::V0x10 } else { Version::V0x13 };
            let phc = peer(params(m, t, p), version, &text, b"salt salt", bytes);
            prop_assert!(verify(&hasher, &text, &phc).unwrap().matches, "{}", phc);
            prop_assert_eq!(hash(&hasher, &text), peer(today, Version::V0x13, &text, &SALT, 32));
        }
    }

    #[test]
    fn no_text_makes_the_reader_of_hashes_fall_over(text in "\\PC{0,300}", tail in "[$=,a-z0-9]{0,99}") {
        let hasher = hasher(params(8, 1, 1));
        prop_assert!(verify(&hasher, "x", &text).is_err());
        let _ = verify(&hasher, "x", &format!("$argon2id$v=19$m=8,t=1,p=1${tail}"));
    }
}

#[test]
fn a_hash_verifies_its_secret_and_no_other() {
    let hasher = hasher(params(64, 2, 1));
    let phc = hash(&hasher, "correct horse");
    assert!(phc.starts_with("$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"));
    let same = Verification {
        matches: true,
        rehash: false,
    };
    assert_eq!(verify(&hasher, "correct horse", &phc), Ok(same));
    for other in ["correct horse ", "correct hors", "", "correct horse\0"] {
        assert!(!verify(&hasher, other, &phc).unwrap().matches);
    }
}

#[test]
fn whatever_differs_from_today_is_to_be_hashed_again() {
    let today = params(64, 2, 1);
    let hasher = hasher(today);
    let same = peer(today, Version::V0x13, "x", &SALT, 32);
    assert!(!verify(&hasher, "x", &same).unwrap().rehash);
    let others = [
        peer(params(65, 2, 1), Version::V0x13, "x", &SALT, 32),
        peer(params(64, 3, 1), Version::V0x13, "x", &SALT, 32),
        peer(params(64, 2, 2), Version::V0x13, "x", &SALT, 32),
        peer(today, Version::V0x10, "x", &SALT, 32),
        peer(today, Version::V0x13, "x", &SALT, 24),
        peer(today, Version::V0x13, "x", &SALT[..8], 32),
    ];
    for phc in others {
        let found = verify(&hasher, "x", &phc).unwrap();
        assert!(found.matches && found.rehash, "{phc}");
    }
}

#[test]
fn a_hash_without_a_version_is_read_as_the_reference_does_as_version_16() {
    let hasher = hasher(params(64, 2, 1));
    let phc = peer(params(64, 2, 1), Version::V0x10, "x", &SALT, 32).replace("v=16$", "");
    assert!(verify(&hasher, "x", &phc).unwrap().matches);
}

/// The clamp (requirement A22): refused in less than a millisecond, whatever is asked for.
#[test]
fn hostile_hashes_are_refused_at_once_and_cost_no_memory() {
    let hasher = hasher(params(64, 1, 1));
    let good = hash(&hasher, "x");
    let cut = |from: &str, to: &str| good.replace(from, to);
    let tag = good.rsplit('$').next().unwrap();
    let salt = "MDEyMzQ1Njc4OWFiY2RlZg";
    let hostile = [
        cut("m=64", "m=4194304"),
        cut("m=64", "m=4294967295"),
        cut("m=64", &format!("m={}", STORED_MEMORY_KIB_MAX + 1)),
        cut("m=64", "m=7"),
        cut("m=64", "m=99999999999999999999"),
        cut("m=64", "m=-64"),
        cut("m=64", "m=+64"),
        cut("m=64", "m=064"),
        cut("m=64", "m= 64"),
        cut("m=64", "m="),
        cut("m=64", "m=\u{0666}\u{0664}"),
        cut("m=64,t=1,p=1", "t=1,m=64,p=1"),
        cut("m=64,t=1,p=1", "m=64,t=1"),
        cut("m=64,t=1,p=1", "m=64,t=1,p=1,keyid=AAAA"),
        cut("m=64,t=1,p=1", ""),
        cut("t=1", "t=0"),
        cut("t=1", "t=17"),
        cut("t=1", "t=4294967296"),
        cut("p=1", "p=0"),
        cut("p=1", "p=9"),
        cut("p=1", "p=17"),
        cut("p=1", "p=16777215"),
        cut("v=19", "v=18"),
        cut("v=19", "v="),
        cut("argon2id", "argon2i"),
        cut("argon2id", "argon2d"),
        cut("argon2id", "bcrypt"),
        cut("$argon2id", "argon2id"),
        cut(salt, "c2FsdA"),
        cut(salt, &"A".repeat(88)),
        cut(salt, "MDEyMzQ1Njc4OWFiY2RlZh"),
        cut(salt, "!!!!"),
        cut(tag, ""),
        cut(tag, "AAAA"),
        cut(tag, &"A".repeat(88)),
        cut(tag, &format!("{tag}=")),
        format!("{good}$"),
        format!("{good}\n"),
        format!("{good}{}", "A".repeat(1 << 14)),
        "$".repeat(200),
        String::new(),
    ];
    let before = hasher.load().arena_bytes;
    for phc in hostile {
        let took = fastest(|| assert!(verify(&hasher, "x", &phc).is_err(), "taken: {phc:.99}"));
        assert!(took < Duration::from_millis(1), "{took:?} for {phc:.99}");
    }
    assert_eq!(hasher.load().arena_bytes, before);
    assert!(verify(&hasher, "x", &good).unwrap().matches);
}

#[test]
fn what_the_clamp_still_allows_is_computed() {
    let hasher = hasher(params(64, 1, 1));
    for allowed in [params(64, 16, 1), params(128, 1, 16), params(8, 1, 1)] {
        let phc = peer(allowed, Version::V0x13, "x", &SALT, 64);
        assert!(verify(&hasher, "x", &phc).unwrap().matches);
    }
}

#[test]
fn another_argon2_is_refused_by_its_name() {
    let hasher = hasher(params(64, 1, 1));
    let phc = hash(&hasher, "x").replace("argon2id", "argon2d");
    let fault = verify(&hasher, "x", &phc).unwrap_err();
    assert!(
        fault.contains("argon2d") && fault.contains("only argon2id"),
        "{fault}"
    );
}

#[test]
fn a_refusal_never_repeats_what_was_stored() {
    let hasher = hasher(params(64, 1, 1));
    let fault = verify(
        &hasher,
        "x",
        "$argon2id$v=19$m=64,t=1,p=1$canary-1$canary-2",
    )
    .unwrap_err();
    assert!(!fault.contains("canary"), "{fault}");
}

#[test]
fn below_the_floor_no_hasher_is_made_and_the_error_says_what_to_set() {
    let settings = |params| HashSettings {
        params,
        workers: 1,
        ..HashSettings::default()
    };
    for low in [
        params(19_455, 2, 1),
        params(19_456, 1, 1),
        params(47_103, 1, 1),
        params(47_104, 0, 1),
    ] {
        let error = Argon2Hasher::new(settings(low)).unwrap_err();
        assert_eq!(error, HashSettingsError::BelowFloor(low));
        assert!(
            error
                .to_string()
                .contains("19456 KiB with 2 passes, or 47104 KiB with 1 pass")
        );
    }
    for at in [
        params(19_456, 2, 1),
        params(47_104, 1, 1),
        params(65_536, 3, 4),
    ] {
        assert!(Argon2Hasher::new(settings(at)).is_ok());
    }
    assert!(Argon2Hasher::new(HashSettings::default()).is_ok());
}

#[test]
fn settings_that_could_not_be_taken_back_from_a_store_are_refused() {
    let try_with = |params, workers| {
        Argon2Hasher::below_the_floor_for_tests(HashSettings {
            params,
            workers,
            ..HashSettings::default()
        })
        .map(|_| ())
    };
    for odd in [
        params(7, 1, 1),
        params(64, 17, 1),
        params(256, 1, 17),
        params(8, 1, 2),
        params(u32::MAX, 1, 1),
    ] {
        assert_eq!(try_with(odd, 1), Err(HashSettingsError::OutOfRange(odd)));
    }
    assert_eq!(
        try_with(params(8, 1, 1), 0),
        Err(HashSettingsError::Workers(0))
    );
    assert_eq!(
        try_with(params(8, 1, 1), 1_025),
        Err(HashSettingsError::Workers(1_025))
    );
}

#[test]
fn an_admission_serves_one_operation_after_the_other() {
    let hasher = hasher(params(64, 2, 1));
    let admitted = hasher.admit().unwrap();
    let (first, second) = block_on(futures_util::future::join(
        admitted.hash(secret("a"), SALT),
        admitted.hash(secret("b"), SALT),
    ));
    assert_eq!(first.unwrap(), hash(&hasher, "a"));
    assert_eq!(second.unwrap(), hash(&hasher, "b"));
    block_on(admitted.decoy(secret("c"))).unwrap();
    assert_eq!(hasher.load().places_taken, 1);
}

#[test]
fn the_futures_can_be_spawned() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let hasher = hasher(params(64, 1, 1));
    let admitted: Box<dyn AdmittedHash> = hasher.admit().unwrap();
    block_on(is_send(admitted.decoy(secret("x")))).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test measures")]
fn elapsed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Of three: the machine may look away once.
fn fastest(mut work: impl FnMut()) -> Duration {
    (0..3).map(|_| elapsed(&mut work)).min().unwrap()
}
