//! A small school over any store, with doors that a test can hold.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "every test file uses its own part of this")]

use std::sync::Arc;

use narthex_conformance::{ManualClock, TestEntropy, TestHasher};
use narthex_core::host::{KeyRing, PasswordHasher};
use narthex_core::model::roster::{Place, RosterBatch, RosterOrganization, RosterPerson};
use narthex_core::model::{Birthdate, Membership, OrganizationKind, Role};
use narthex_core::portal::{Claimed, ImportOptions, IssuedRecoveryCode, LogIn, LoggedIn};
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::store::{MemoryStore, Store};
use narthex_core::{
    Asker, BrowserSecret, Doors, LoginId, OrganizationId, Password, Policy, Portal, Result,
    SessionToken, Timestamp,
};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub(crate) const PASSWORD: &str = "seven leagues of lace";
pub(crate) const OTHER_PASSWORD: &str = "a tortoise under the lamp";

/// Everything outside the portal.
pub(crate) struct House {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: ManualClock,
    pub(crate) hasher: TestHasher,
    pub(crate) entropy: TestEntropy,
    pub(crate) keys: String,
    pub(crate) policy: Policy,
}

impl House {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let entropy = TestEntropy::seeded(7);
        let keys = KeyRing::generate(&entropy).unwrap().to_text().to_string();
        let (clock, hasher) = (ManualClock::at(START), TestHasher::new(4096));
        Self {
            store,
            clock,
            hasher,
            entropy,
            keys,
            policy: Policy::default(),
        }
    }

    pub(crate) fn in_memory() -> Self {
        Self::new(Arc::new(MemoryStore::new()))
    }

    /// The portal as after a (re)start.
    pub(crate) async fn open(&self) -> Portal {
        self.open_over(Arc::clone(&self.store)).await
    }

    pub(crate) async fn open_over(&self, store: Arc<dyn Store>) -> Portal {
        self.open_with(store, Arc::new(self.hasher.clone())).await
    }

    pub(crate) async fn open_with(
        &self,
        store: Arc<dyn Store>,
        hasher: Arc<dyn PasswordHasher>,
    ) -> Portal {
        let doors = Doors {
            store,
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(self.entropy.clone()),
            hasher,
            keys: KeyRing::from_text(&self.keys).unwrap(),
        };
        Portal::open(doors, self.policy.clone()).await.unwrap()
    }
}

pub(crate) fn organization(id: &str) -> OrganizationId {
    OrganizationId::parse(id).unwrap()
}

pub(crate) fn number(n: usize) -> LoginId {
    LoginId::parse(&format!("S-{n}")).unwrap()
}

pub(crate) fn asker() -> Asker {
    Asker {
        source: "192.0.2.1".into(),
        ..Asker::default()
    }
}

pub(crate) fn person(n: usize, school: &str) -> RosterPerson {
    RosterPerson {
        source_id: format!("row-{n}"),
        login_id: number(n),
        given_name: format!("Given{n}"),
        family_name: format!("Family{n}"),
        preferred_given_name: None,
        preferred_family_name: None,
        birthdate: Some(Birthdate::parse(&birthdate(n)).unwrap()),
        memberships: vec![Membership {
            organization: organization(school),
            role: Role::Student,
        }],
        default_organization: organization(school),
        enabled: true,
        place: Place {
            file: "people".into(),
            line: n as u64,
            column: None,
        },
    }
}

pub(crate) fn birthdate(n: usize) -> String {
    format!("2012-{:02}-{:02}", 1 + n % 12, 1 + n % 28)
}

pub(crate) fn batch(people: Vec<RosterPerson>) -> RosterBatch {
    let school = |id: &str, name: &str| RosterOrganization {
        id: organization(id),
        name: name.into(),
        kind: OrganizationKind::School,
        parent: None,
        contacts: Vec::new(),
    };
    RosterBatch {
        source: "test".into(),
        complete: true,
        organizations: vec![
            school("north", "Northern School"),
            school("south", "Southern School"),
        ],
        people,
        changes: Vec::new(),
    }
}

pub(crate) async fn import(portal: &Portal, people: usize) {
    let people = (0..people).map(|n| person(n, if n % 2 == 0 { "north" } else { "south" }));
    let batch = batch(people.collect());
    portal
        .import_roster(batch, ImportOptions::default(), &|_| {})
        .await
        .unwrap();
}

pub(crate) fn evidence(n: usize) -> ClaimEvidence {
    let (given, family) = (format!("given{n}"), format!("FAMILY {n}"));
    ClaimEvidence::parse(&given, &family, &birthdate(n), &format!("s-{n}")).unwrap()
}

pub(crate) fn answers() -> SecurityAnswers {
    SecurityAnswers::new()
        .with("first_toy", "Vellum")
        .with("story", "Zeno and the lane")
}

pub(crate) fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

pub(crate) fn browser(portal: &Portal) -> BrowserSecret {
    let bytes = portal.random::<32>().unwrap();
    BrowserSecret::parse(&data_encoding::BASE64URL_NOPAD.encode(&bytes)).unwrap()
}

pub(crate) async fn claim(portal: &Portal, n: usize, text: &str) -> Result<Claimed> {
    claim_with(portal, n, text, None).await
}

/// A claim by someone who types what the roster says: the birthdate too, whether or not it is kept.
pub(crate) async fn claim_with(
    portal: &Portal,
    n: usize,
    text: &str,
    code: Option<&str>,
) -> Result<Claimed> {
    let browser = browser(portal);
    let evidence = match code {
        None => evidence(n),
        Some(code) => {
            let (given, family) = (format!("given{n}"), format!("FAMILY {n}"));
            let number = format!("s-{n}");
            ClaimEvidence::parse_with_code(&given, &family, &birthdate(n), &number, code).unwrap()
        }
    };
    let ticket = portal.begin_claim(evidence, &browser, &asker()).await?;
    let ticket = portal
        .set_claim_password(&ticket, &browser, password(text))
        .await?;
    portal
        .finish_claim(&ticket, &browser, answers(), &asker())
        .await
}

pub(crate) async fn log_in(portal: &Portal, n: usize, text: &str) -> Result<LoggedIn> {
    let request = LogIn {
        login_id: number(n),
        password: password(text),
        shared_computer: false,
        presented: None,
    };
    portal.log_in(request, &asker()).await
}

/// By a code of the office and the answers, to a new password.
pub(crate) async fn recover(portal: &Portal, n: usize, new: &str) {
    let (browser, asker, login_id) = (browser(portal), asker(), number(n));
    let issued = portal.issue_recovery_code(&login_id, &asker);
    let IssuedRecoveryCode::Issued { code, .. } = issued.await.unwrap() else {
        unreachable!()
    };
    let begun = portal.begin_recovery(&login_id, &code, &browser, &asker);
    let ticket = begun.await.unwrap();
    let answers = answers();
    let answered = portal.answer_recovery_questions(&ticket, &browser, &answers, &asker);
    let ticket = answered.await.unwrap();
    let finished = portal.finish_recovery(&ticket, &browser, password(new), &asker);
    finished.await.unwrap();
}

/// Looked at twice: the second look may go by what the first left in the table.
pub(crate) fn is_warm(portal: &Portal, token: &SessionToken) -> bool {
    let look = || matches!(portal.check(token), narthex_core::Check::Live(_));
    look() | look()
}

pub(crate) async fn is_live(portal: &Portal, token: &SessionToken) -> bool {
    portal.verify_session(token).await.is_ok()
}
