//! A school in memory with one person logged in and another one claiming.

use std::sync::Arc;

use bytes::Bytes;
use futures_executor::block_on;
use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use narthex_conformance::{ManualClock, TestEntropy, TestHasher};
use narthex_core::host::KeyRing;
use narthex_core::model::roster::{Place, RosterBatch, RosterOrganization, RosterPerson};
use narthex_core::model::{
    Birthdate, LoginId, Membership, OrganizationId, OrganizationKind, Role, Timestamp,
};
use narthex_core::portal::{Doors, ImportOptions};
use narthex_core::store::MemoryStore;
use narthex_core::{Policy, Portal};
use narthex_http::{Body, Peer, PortalService, Settings};

const BASE: &str = "https://portal.school.example";
const HOST_NAME: &str = "portal.school.example";
const PASSWORD: &str = "correct horse battery";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The service, and what browsers hold of it. Nothing a GET does changes either.
pub(crate) struct House {
    service: PortalService,
    /// The session cookie of a person who is logged in.
    pub(crate) session: String,
    /// The claim cookie of a claim under way.
    pub(crate) claim: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl House {
    /// # Errors
    /// The house did not come to stand: nothing that an input could do.
    pub(crate) fn build() -> Result<Self, Failure> {
        let entropy = TestEntropy::seeded(7);
        let doors = Doors {
            store: Arc::new(MemoryStore::new()),
            clock: Arc::new(ManualClock::at(Timestamp::from_millis(1_700_000_000_000))),
            keys: KeyRing::generate(&entropy)?,
            entropy: Arc::new(entropy),
            hasher: Arc::new(TestHasher::new(64)),
        };
        let portal = block_on(Portal::open(doors, Policy::default()))?;
        let import = portal.import_roster(batch()?, ImportOptions::default(), &|_| ());
        block_on(import)?;
        let mut house = Self {
            service: PortalService::new(portal, Settings::new(BASE)?)?,
            session: String::new(),
            claim: String::new(),
        };
        let claim = house.begin_claim("S-1024", "Ada")?;
        house.finish_claim(&claim)?;
        let log_in = format!(r#"{{"login_id":"S-1024","password":"{PASSWORD}"}}"#);
        house.session = cookie_set(&house.post("session", "", log_in)?, "__Host-narthex=")?;
        house.claim = house.begin_claim("S-2048", "Ben")?;
        Ok(house)
    }

    fn begin_claim(&self, number: &str, given_name: &str) -> Result<String, Failure> {
        let evidence = format!(
            r#"{{"given_name":"{given_name}","family_name":"Okoro","birthdate":"2012-12-10",
                "login_id":"{number}"}}"#
        );
        cookie_set(&self.post("claim", "", evidence)?, "__Host-narthex-claim=")
    }

    fn finish_claim(&self, claim: &str) -> Result<(), Failure> {
        let cookie = format!("__Host-narthex-claim={claim}");
        let password = format!(r#"{{"password":"{PASSWORD}"}}"#);
        self.post("claim/password", &cookie, password)?;
        let answers = r#"{"answers":[
            {"question":"first_toy","answer":"Vellum the hedgehog"},
            {"question":"hiding_place","answer":"behind the piano"}]}"#;
        self.post("claim/questions", &cookie, answers.to_owned())?;
        Ok(())
    }

    fn post(&self, path: &str, cookie: &str, body: String) -> Result<Answer, Failure> {
        let mut request = Request::post(format!("/api/v1/{path}"))
            .header(HOST, HOST_NAME)
            .header(ORIGIN, BASE)
            .header(CONTENT_TYPE, "application/json");
        if !cookie.is_empty() {
            request = request.header(COOKIE, cookie);
        }
        let answer = self.send(request.body(body.into())?);
        if !answer.status.is_success() {
            return Err(format!("{path}: {} {:?}", answer.status, answer.body).into());
        }
        Ok(answer)
    }

    /// `GET path` with these `Cookie` lines, and how many bytes of headers that is.
    pub(crate) fn get(&self, path: &'static str, cookies: &[HeaderValue]) -> (Answer, usize) {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = http::Uri::from_static(path);
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_static(HOST_NAME));
        for line in cookies {
            headers.append(COOKIE, line.clone());
        }
        let sizes = headers.iter().map(|(n, v)| n.as_str().len() + v.len());
        let header_bytes = sizes.sum();
        (self.send(request), header_bytes)
    }

    fn send(&self, request: Request<Bytes>) -> Answer {
        let peer = Peer {
            address: [198, 51, 100, 7].into(),
        };
        let (parts, body) = block_on(self.service.handle(request, peer)).into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: match body {
                Body::Full(bytes) => bytes,
                Body::Events(_) => Bytes::new(),
            },
        }
    }
}

/// The value of the cookie that `answer` sets under `name`, which ends with `=`.
fn cookie_set(answer: &Answer, name: &str) -> Result<String, Failure> {
    let lines = answer.headers.get_all(SET_COOKIE).iter();
    let value = lines
        .filter_map(|line| line.to_str().ok()?.strip_prefix(name))
        .find_map(|rest| rest.split(';').next());
    Ok(value.ok_or("no such cookie was set")?.to_owned())
}

fn batch() -> Result<RosterBatch, Failure> {
    let north = OrganizationId::parse("north")?;
    let person = |number: &str, given_name: &str| -> Result<RosterPerson, Failure> {
        Ok(RosterPerson {
            source_id: number.to_owned(),
            login_id: LoginId::parse(number)?,
            given_name: given_name.to_owned(),
            family_name: "Okoro".to_owned(),
            preferred_given_name: None,
            preferred_family_name: None,
            birthdate: Some(Birthdate::parse("2012-12-10")?),
            memberships: vec![Membership {
                organization: north.clone(),
                role: Role::Student,
            }],
            default_organization: north.clone(),
            enabled: true,
            place: Place::default(),
        })
    };
    Ok(RosterBatch {
        source: "sample".to_owned(),
        complete: true,
        people: vec![person("S-1024", "Ada")?, person("S-2048", "Ben")?],
        organizations: vec![RosterOrganization {
            id: north,
            name: "North School".to_owned(),
            kind: OrganizationKind::School,
            parent: None,
            contacts: Vec::new(),
        }],
        changes: Vec::new(),
    })
}
