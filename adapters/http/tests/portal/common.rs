//! A school in memory, and a browser that keeps cookies as browsers do.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_executor::block_on;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use narthex_conformance::{ManualClock, TestEntropy, TestHasher};
use narthex_core::host::KeyRing;
use narthex_core::model::roster::{Place, RosterBatch, RosterOrganization, RosterPerson};
use narthex_core::model::{
    Birthdate, Contact, LoginId, Membership, OrganizationId, OrganizationKind, Role, Timestamp,
};
use narthex_core::portal::{Doors, ImportOptions};
use narthex_core::store::{MemoryStore, Store};
use narthex_core::{Policy, Portal};
use narthex_http::{Body, Peer, PortalService, Settings};

pub(crate) const ORIGIN_URL: &str = "https://portal.school.example";
pub(crate) const HOST_NAME: &str = "portal.school.example";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const NEW_PASSWORD: &str = "seven leagues of lace";

pub(crate) struct House {
    pub(crate) portal: Portal,
    pub(crate) service: PortalService,
    pub(crate) clock: ManualClock,
    pub(crate) hasher: TestHasher,
    pub(crate) store: Arc<MemoryStore>,
}

fn id(text: &str) -> OrganizationId {
    OrganizationId::parse(text).unwrap()
}

fn person(number: &str, given: &str, family: &str, memberships: &[(&str, Role)]) -> RosterPerson {
    RosterPerson {
        source_id: number.to_owned(),
        login_id: LoginId::parse(number).unwrap(),
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        preferred_given_name: None,
        preferred_family_name: None,
        birthdate: Some(Birthdate::parse("2012-12-10").unwrap()),
        memberships: memberships
            .iter()
            .map(|(organization, role)| Membership {
                organization: id(organization),
                role: role.clone(),
            })
            .collect(),
        default_organization: id(memberships[0].0),
        enabled: true,
        place: Place::default(),
    }
}

pub(crate) fn batch(ada_at_south: bool) -> RosterBatch {
    let school = |id_text: &str, name: &str, mail: &str| RosterOrganization {
        id: id(id_text),
        name: name.to_owned(),
        kind: OrganizationKind::School,
        parent: None,
        contacts: vec![Contact {
            name: "The office".to_owned(),
            role: "Office".to_owned(),
            email: Some(mail.to_owned()),
        }],
    };
    let mut ada = vec![("north", Role::Student)];
    if ada_at_south {
        ada.push(("south", Role::Student));
    }
    RosterBatch {
        source: "test".to_owned(),
        complete: true,
        organizations: vec![
            school("north", "North <School> & Co", "office@north.example"),
            school("south", "South School", "office@south.example"),
        ],
        people: vec![
            person("S-1024", "Ada", "O'Neil", &ada),
            person("S-2048", "Ben", "Okoro", &[("south", Role::Student)]),
            person("T-1", "Cleo", "Marsh", &[("north", Role::Administrator)]),
            person("S-4096", "Dan", "Ekholm", &[("north", Role::Student)]),
        ],
        changes: Vec::new(),
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Settings::new(ORIGIN_URL).unwrap(), Policy::default())
    }

    pub(crate) fn with(settings: Settings, policy: Policy) -> Self {
        let clock = ManualClock::at(Timestamp::from_millis(1_700_000_000_000));
        let entropy = TestEntropy::seeded(7);
        let hasher = TestHasher::new(64);
        let store = Arc::new(MemoryStore::new());
        let doors = Doors {
            store: Arc::clone(&store) as Arc<dyn Store>,
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(entropy.clone()),
            hasher: Arc::new(hasher.clone()),
            keys: KeyRing::generate(&entropy).unwrap(),
        };
        let portal = block_on(Portal::open(doors, policy)).unwrap();
        let house = Self {
            service: PortalService::new(portal.clone(), settings).unwrap(),
            portal,
            clock,
            hasher,
            store,
        };
        house.import(batch(true));
        house
    }

    pub(crate) fn import(&self, batch: RosterBatch) {
        let import = self
            .portal
            .import_roster(batch, ImportOptions::default(), &|_| ());
        block_on(import).unwrap();
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            house: self,
            cookies: BTreeMap::new(),
            address: "198.51.100.7".parse().unwrap(),
        }
    }

    /// Every record and cell: what "nothing changed" means.
    pub(crate) fn contents(&self) -> Vec<String> {
        let mut contents = Vec::new();
        for space in [
            narthex_core::store::Space::Records,
            narthex_core::store::Space::Cells,
            narthex_core::store::Space::Events,
        ] {
            let mut cursor: Option<String> = None;
            loop {
                let keys = block_on(self.store.scan(space, "", cursor.as_deref(), 1000)).unwrap();
                let Some(last) = keys.last() else { break };
                cursor = Some(last.path().to_owned());
                for key in keys {
                    contents.push(format!("{space:?} {}", key.path()));
                }
            }
        }
        contents
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) stream: Option<std::pin::Pin<Box<dyn futures_util::Stream<Item = Bytes> + Send>>>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}: {}", self.status, self.headers, self.body)
    }
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers
            .get(LOCATION)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .body
            .split_once(&mark)
            .unwrap_or_else(|| panic!("{name} in {}", self.body));
        unescape(rest.split('"').next().unwrap())
    }

    pub(crate) fn meta(&self, attribute: &str) -> String {
        let (_, rest) = self
            .body
            .split_once("<meta name=\"narthex-family\"")
            .unwrap();
        let (_, rest) = rest.split_once(&format!("{attribute}=\"")).unwrap();
        unescape(rest.split('"').next().unwrap())
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        unescape(&self.body).contains(text)
    }
}

pub(crate) fn unescape(html: &str) -> String {
    html.replace("&#x2f;", "/")
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[derive(Clone)]
pub(crate) struct Browser<'h> {
    pub(crate) house: &'h House,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) address: IpAddr,
}

pub(crate) fn form_body(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(n, v)| format!("{}={}", encode(n), encode(v)))
        .collect();
    pairs.join("&")
}

impl Browser<'_> {
    /// Sends exactly this, with the cookies of the jar.
    pub(crate) fn send(
        &mut self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(target);
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            request = request.header(HOST, HOST_NAME);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let line: Vec<String> = self
                .cookies
                .iter()
                .map(|(n, v)| format!("{n}={v}"))
                .collect();
            request = request.header(COOKIE, line.join("; "));
        }
        let request = request.body(Bytes::copy_from_slice(body)).unwrap();
        let peer = Peer {
            address: self.address,
        };
        let response = block_on(self.house.service.handle(request, peer));
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let (body, stream) = match body {
            Body::Full(bytes) => (String::from_utf8(bytes.to_vec()).unwrap(), None),
            Body::Events(stream) => (String::new(), Some(stream)),
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            stream,
        }
    }

    /// A navigation a person began.
    pub(crate) fn get(&mut self, target: &str) -> Answer {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-user", "?1"),
        ];
        self.send(Method::GET, target, &headers, b"")
    }

    /// A read in the background.
    pub(crate) fn fetch(&mut self, target: &str) -> Answer {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "cors"),
        ];
        self.send(Method::GET, target, &headers, b"")
    }

    /// Follows redirects to the page at the end.
    pub(crate) fn open(&mut self, target: &str) -> Answer {
        let mut answer = self.get(target);
        for _ in 0..5 {
            if answer.status != StatusCode::SEE_OTHER {
                break;
            }
            let location = answer.location().to_owned();
            answer = self.get(&location);
        }
        answer
    }

    pub(crate) fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            (ORIGIN.as_str(), ORIGIN_URL),
            (CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded"),
        ];
        self.send(Method::POST, target, &headers, form_body(fields).as_bytes())
    }

    /// Fills in the form of a page: its token comes from there.
    pub(crate) fn submit(
        &mut self,
        page: &Answer,
        target: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let token = page.hidden("form_token");
        let mut all = vec![("form_token", token.as_str())];
        let hidden: Vec<(&str, String)> = ["family", "claim"]
            .into_iter()
            .filter(|name| page.body.contains(&format!("name=\"{name}\" value=\"")))
            .map(|name| (name, page.hidden(name)))
            .collect();
        all.extend(hidden.iter().map(|(n, v)| (*n, v.as_str())));
        all.extend(fields);
        self.post(target, &all)
    }

    pub(crate) fn json(&mut self, method: Method, target: &str, body: &str) -> Answer {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            (CONTENT_TYPE.as_str(), "application/json"),
        ];
        self.send(method, target, &headers, body.as_bytes())
    }

    pub(crate) fn claim_form(
        &mut self,
        number: &str,
        given: &str,
        family: &str,
        birthdate: [&str; 3],
    ) -> Answer {
        let page = self.get("/claim");
        let [month, day, year] = birthdate;
        let fields = [
            ("given_name", given),
            ("family_name", family),
            ("birth_month", month),
            ("birth_day", day),
            ("birth_year", year),
            ("login_id", number),
        ];
        self.submit(&page, "/claim", &fields)
    }

    /// The whole claim, by pages.
    pub(crate) fn claim(&mut self, number: &str, given: &str, family: &str) -> Answer {
        let answer = self.claim_form(number, given, family, ["12", "10", "2012"]);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let page = self.get(answer.location());
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let answer = self.submit(&page, "/claim/password", &[("password", PASSWORD)]);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let page = self.get(answer.location());
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let fields = [
            ("question_1", "first_toy"),
            ("answer_1", "Vellum the hedgehog"),
            ("question_2", "hiding_place"),
            ("answer_2", "behind the piano"),
        ];
        let answer = self.submit(&page, "/claim/questions", &fields);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.get(answer.location())
    }

    pub(crate) fn log_in_at(&mut self, target: &str, number: &str, password: &str) -> Answer {
        let page = self.get(target);
        let mut fields = vec![("login_id", number), ("password", password)];
        let hidden: Vec<(&str, String)> = ["return_to", "for"]
            .into_iter()
            .filter(|name| page.body.contains(&format!("name=\"{name}\" value=\"")))
            .map(|name| (name, page.hidden(name)))
            .collect();
        fields.extend(hidden.iter().map(|(n, v)| (*n, v.as_str())));
        self.submit(&page, "/login", &fields)
    }

    pub(crate) fn log_in(&mut self, number: &str) -> Answer {
        let answer = self.log_in_at("/login", number, PASSWORD);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer
    }
}

/// A school where Ada has claimed her account, and her browser, logged in.
pub(crate) fn ada(house: &House) -> Browser<'_> {
    let mut browser = house.browser();
    browser.claim("S-1024", "Ada", "O'Neil");
    browser.log_in("S-1024");
    browser
}

/// The four facts as a JSON body.
pub(crate) fn claim_json(given: &str, family: &str, birthdate: &str, number: &str) -> String {
    serde_json::json!({
        "given_name": given, "family_name": family, "birthdate": birthdate, "login_id": number,
    })
    .to_string()
}
