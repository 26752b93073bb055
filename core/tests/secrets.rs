//! What secrets are made of, and what becomes of them without randomness, without the keys, in the
//! hands of staff.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_executor::block_on;
use narthex_conformance::{TestEntropy, TestHasher};
use narthex_core::host::{
    AdmittedHash, Entropy, EntropyError, HashFault, KeyError, KeyPurpose, KeyRing, PasswordHasher,
    QueueFull, Verification,
};
use narthex_core::model::Gate;
use narthex_core::store::records::Stored;
use narthex_core::store::{Key, Space};
use narthex_core::{Doors, Policy, Portal};
use support::*;
use zeroize::Zeroizing;

/// A hasher that notes the salts it is given.
#[derive(Clone, Debug)]
struct Salts(TestHasher, Arc<Mutex<Vec<[u8; 16]>>>);

impl PasswordHasher for Salts {
    fn admit(&self) -> Result<Box<dyn AdmittedHash>, QueueFull> {
        Ok(Box::new(Noting(self.0.admit()?, Arc::clone(&self.1))))
    }
}

struct Noting(Box<dyn AdmittedHash>, Arc<Mutex<Vec<[u8; 16]>>>);

#[async_trait]
impl AdmittedHash for Noting {
    async fn hash(&self, secret: Zeroizing<Vec<u8>>, salt: [u8; 16]) -> Result<String, HashFault> {
        self.1.lock().unwrap().push(salt);
        self.0.hash(secret, salt).await
    }

    async fn verify(
        &self,
        secret: Zeroizing<Vec<u8>>,
        phc: Zeroizing<String>,
    ) -> Result<Verification, HashFault> {
        self.0.verify(secret, phc).await
    }

    async fn decoy(&self, secret: Zeroizing<Vec<u8>>) -> Result<(), HashFault> {
        self.0.decoy(secret).await
    }
}

#[test]
fn pw16_every_hash_has_a_random_salt_of_its_own() {
    const PEOPLE: usize = 200;
    let house = House::in_memory();
    let salts = Salts(house.hasher.clone(), Arc::default());
    let portal = block_on(house.open_with(Arc::clone(&house.store), Arc::new(salts.clone())));
    block_on(import(&portal, PEOPLE));
    for n in 0..PEOPLE {
        block_on(claim(&portal, n, PASSWORD)).unwrap();
    }
    let used = salts.1.lock().unwrap();
    // A password and answers for each.
    assert_eq!(used.len(), 2 * PEOPLE);
    let different: BTreeSet<_> = used.iter().collect();
    assert_eq!(different.len(), used.len());
}

#[test]
fn pw18_a_stored_hash_is_worthless_without_the_pepper() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 1));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let gates = block_on(house.store.scan(Space::Records, "gate/", None, 10)).unwrap();
    let (record, _) = block_on(house.store.get(gates.first().unwrap()))
        .unwrap()
        .unwrap();
    let sealed = Gate::decode(&record).unwrap().sealed_credential;
    let text = String::from_utf8_lossy(&sealed).to_string();
    assert!(!text.contains("$test$"), "the hash lies open");

    let others = KeyRing::generate(&TestEntropy::seeded(8)).unwrap();
    let keyed_otherwise = House {
        keys: others.to_text().to_string(),
        ..House::new(Arc::clone(&house.store))
    };
    let opened = others.open(KeyPurpose::Pepper, &[], &sealed);
    assert!(matches!(
        opened,
        Err(KeyError::Unknown(..) | KeyError::Broken)
    ));
    // Nor does a portal with another key file let anybody in.
    let doors = Doors {
        store: Arc::clone(&keyed_otherwise.store),
        clock: Arc::new(keyed_otherwise.clock.clone()),
        entropy: Arc::new(keyed_otherwise.entropy.clone()),
        hasher: Arc::new(keyed_otherwise.hasher.clone()),
        keys: others,
    };
    if let Ok(portal) = block_on(Portal::open(doors, Policy::default())) {
        assert!(block_on(log_in(&portal, 0, PASSWORD)).is_err());
    }
}

#[test]
fn pw22_a_fresh_store_has_no_account_and_no_password_opens_it() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    for prefix in ["gate/", "person/", "entry/", "family/"] {
        let keys = block_on(house.store.scan(Space::Records, prefix, None, 10)).unwrap();
        assert!(keys.is_empty(), "{prefix}");
    }
    for text in ["admin", "password", "narthex", PASSWORD] {
        assert!(block_on(log_in(&portal, 0, text)).is_err());
    }
}

/// Gives every family the same selector; then nothing any more.
#[derive(Debug)]
struct Stuck {
    others: TestEntropy,
    dry: std::sync::atomic::AtomicBool,
}

impl Entropy for Stuck {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        if self.dry.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(EntropyError("there is none".into()));
        }
        if bytes.len() == 16 {
            bytes.fill(7);
            return Ok(());
        }
        self.others.fill(bytes)
    }
}

fn with_entropy(house: &House, entropy: Arc<dyn Entropy>) -> Portal {
    let doors = Doors {
        store: Arc::clone(&house.store),
        clock: Arc::new(house.clock.clone()),
        entropy,
        hasher: Arc::new(house.hasher.clone()),
        keys: KeyRing::from_text(&house.keys).unwrap(),
    };
    block_on(Portal::open(doors, Policy::default())).unwrap()
}

#[test]
fn se01_a27_without_randomness_there_is_no_session_and_none_is_overwritten() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 2));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    block_on(claim(&portal, 1, PASSWORD)).unwrap();
    let stuck = Arc::new(Stuck {
        others: TestEntropy::seeded(9),
        dry: false.into(),
    });
    let portal = with_entropy(&house, Arc::clone(&stuck) as Arc<dyn Entropy>);
    let first = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    // The same selector again would be the same family: an error, and the first goes on.
    assert!(block_on(log_in(&portal, 1, PASSWORD)).is_err());
    let session = block_on(portal.verify_session(&first.token)).unwrap();
    assert_eq!(session.account(), first.session.account());
    stuck.dry.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(block_on(log_in(&portal, 1, PASSWORD)).is_err());
}

#[test]
fn se03_a_record_of_a_family_never_holds_its_token() {
    let house = House::in_memory();
    let portal = block_on(house.open());
    block_on(import(&portal, 1));
    block_on(claim(&portal, 0, PASSWORD)).unwrap();
    let session = block_on(log_in(&portal, 0, PASSWORD)).unwrap();
    let token = session.token.expose();
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(token.as_bytes())
        .unwrap();
    let (selector, secret) = bytes.split_at(16);
    let key = Key::record(format!(
        "family/{}",
        data_encoding::HEXLOWER.encode(selector)
    ));
    let (record, _) = block_on(house.store.get(&key)).unwrap().unwrap();
    assert!(
        !record
            .0
            .windows(secret.len())
            .any(|window| window == secret)
    );
    assert!(!record.0.windows(8).any(|window| secret.starts_with(window)));
}

/// The item that begins with `start`, up to the next blank line.
fn items<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    let items = text
        .split("\n\n")
        .filter(|item| item.lines().any(|l| l.starts_with(start)));
    items.collect()
}

#[test]
fn pw19_secret_types_cannot_be_compared_or_shown_by_a_derived_trait() {
    let code = include_str!("../src/secret.rs");
    // Ids are public; what they stand for is proved by something else.
    let types = items(code, "pub struct ");
    let types: Vec<_> = types
        .into_iter()
        .filter(|item| !item.contains("Id("))
        .collect();
    assert!(types.len() >= 4, "{} types", types.len());
    for item in types {
        for line in item.lines().filter(|line| line.starts_with("#[derive(")) {
            for shown in ["PartialEq", "Debug", "Serialize", "Hash"] {
                assert!(!line.contains(shown), "{item}");
            }
        }
        let wiped = item.contains("Zeroizing") || item.contains("NewPassword(Password)");
        assert!(wiped, "not wiped: {item}");
    }
    assert!(code.contains("ct_eq"));
}

#[test]
fn pw20_no_function_of_staff_takes_or_gives_a_password() {
    for code in [
        include_str!("../src/portal/staff.rs"),
        include_str!("../src/portal/roster.rs"),
        include_str!("../src/portal/roster_row.rs"),
        include_str!("../src/model/roster.rs"),
    ] {
        assert!(
            !code.contains("Password"),
            "a password in the hands of staff"
        );
    }
}

#[test]
fn se02_no_uuid_is_taken_for_a_secret() {
    assert!(!include_str!("../Cargo.toml").contains("uuid"));
}
