//! What both doors share: requests with the cookies of a browser, and what comes back.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::Stream;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, Method, Request as HttpRequest, StatusCode};
use narthex_conformance::front_door::{Answer, Visitor};
use narthex_conformance::scenarios::{Cookies, Facts};
use narthex_core::Portal;
use narthex_http::{Body, Peer, PortalService, Settings};

use crate::html::Form;

const ORIGIN_URL: &str = "https://portal.school.example";
const HOST_NAME: &str = "portal.school.example";
const SESSION_COOKIE: &str = "__Host-narthex";
const CLAIM_COOKIE: &str = "__Host-narthex-claim";
const RECOVERY_COOKIE: &str = "__Host-narthex-recovery";
const KNOWN_COOKIE: &str = "__Host-narthex-known";

type Events = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The portal's service, and the browsers before it.
#[derive(Default)]
pub(crate) struct Client {
    service: Option<PortalService>,
    jars: Mutex<BTreeMap<String, Jar>>,
}

/// What one browser keeps.
#[derive(Default)]
pub(crate) struct Jar {
    cookies: BTreeMap<String, String>,
    /// By claim: its public id.
    pub(crate) tickets: BTreeMap<String, String>,
    /// By claim: the form of the page it is on.
    pub(crate) forms: BTreeMap<String, Form>,
    /// By location: the log-in URL of the tab there.
    pub(crate) login_urls: BTreeMap<String, String>,
    events: Option<Events>,
    /// By recovery: its public id.
    pub(crate) recoveries: BTreeMap<String, String>,
    /// By recovery: the form of the page it is on.
    pub(crate) recovery_forms: BTreeMap<String, Form>,
    /// By location: the tag that leads back there.
    pub(crate) tags: BTreeMap<String, String>,
    /// The public name of the session's family.
    pub(crate) family: String,
}

/// One request.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) target: String,
    /// Content type and body.
    pub(crate) body: Option<(&'a str, String)>,
    /// A navigation that a person began.
    pub(crate) by_a_person: bool,
    /// A page that had been loaded before the browser got its session.
    pub(crate) without_session: bool,
}

impl Ask<'_> {
    pub(crate) fn get(target: &str) -> Self {
        Self {
            method: Method::GET,
            target: target.to_owned(),
            body: None,
            by_a_person: false,
            without_session: false,
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn open(&mut self, portal: Portal) {
        self.service =
            Some(PortalService::new(portal, Settings::new(ORIGIN_URL).unwrap()).unwrap());
    }

    pub(crate) fn jar<T>(&self, browser: &str, with: impl FnOnce(&mut Jar) -> T) -> T {
        with(
            self.jars
                .lock()
                .unwrap()
                .entry(browser.to_owned())
                .or_default(),
        )
    }

    pub(crate) async fn send(&self, visitor: &Visitor, ask: Ask<'_>) -> Reply {
        let cookies = self.jar(&visitor.browser, |jar| jar.cookie_line(ask.without_session));
        let mut request = HttpRequest::builder()
            .method(&ask.method)
            .uri(&ask.target)
            .header(HOST, HOST_NAME)
            .header("sec-fetch-mode", "navigate");
        if ask.by_a_person {
            request = request.header("sec-fetch-user", "?1");
        }
        if ask.method != Method::GET {
            request = request
                .header("sec-fetch-site", "same-origin")
                .header(ORIGIN, ORIGIN_URL);
        }
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies);
        }
        if let Some((kind, _)) = &ask.body {
            request = request.header(CONTENT_TYPE, *kind);
        }
        let body = ask.body.map(|(_, body)| body).unwrap_or_default();
        let request = request.body(Bytes::from(body)).unwrap();
        let address: IpAddr = visitor.network.parse().unwrap();
        let response = self
            .service
            .as_ref()
            .unwrap()
            .handle(request, Peer { address })
            .await;
        let (parts, body) = response.into_parts();
        let (text, events) = match body {
            Body::Full(bytes) => (String::from_utf8(bytes.to_vec()).unwrap(), None),
            Body::Events(events) => (String::new(), Some(events)),
        };
        self.jar(&visitor.browser, |jar| {
            jar.keep(&parts.headers);
            jar.events = events.or(jar.events.take());
        });
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: text,
        }
    }

    /// What has been heard since the browser began to listen.
    pub(crate) fn hear(&self, browser: &str) -> Answer {
        let mut cx = Context::from_waker(Waker::noop());
        let mut heard = String::new();
        self.jar(browser, |jar| {
            let Some(events) = &mut jar.events else {
                return;
            };
            while let Poll::Ready(Some(chunk)) = events.as_mut().poll_next(&mut cx) {
                heard.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        });
        let notices = heard.split("\n\n").filter_map(notice).collect();
        ok(Facts {
            notices: Some(notices),
            ..Facts::default()
        })
    }

    pub(crate) fn copy_cookies(&self, browser: &str, from: &str, which: Cookies) -> Answer {
        let name = match which {
            Cookies::Session => SESSION_COOKIE,
            Cookies::Claim => CLAIM_COOKIE,
            Cookies::Recovery => RECOVERY_COOKIE,
            Cookies::Known => KNOWN_COOKIE,
        };
        let (value, tickets, recoveries) = self.jar(from, |jar| {
            let value = jar.cookies.get(name).cloned();
            (value, jar.tickets.clone(), jar.recoveries.clone())
        });
        self.jar(browser, |jar| {
            match value {
                Some(value) => jar.cookies.insert(name.to_owned(), value),
                None => jar.cookies.remove(name),
            };
            match which {
                Cookies::Session | Cookies::Known => {}
                Cookies::Claim => jar.tickets = tickets,
                Cookies::Recovery => jar.recoveries = recoveries,
            }
        });
        ok(Facts::default())
    }

    pub(crate) fn plant_session(&self, browser: &str) -> Answer {
        let made_up = "A".repeat(64);
        self.jar(browser, |jar| {
            jar.cookies.insert(SESSION_COOKIE.to_owned(), made_up)
        });
        ok(Facts::default())
    }
}

impl Jar {
    fn cookie_line(&self, without_session: bool) -> String {
        let pairs = self
            .cookies
            .iter()
            .filter(|(name, _)| !without_session || *name != SESSION_COOKIE)
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// One event of the stream, as the corpus writes it.
fn notice(event: &str) -> Option<String> {
    let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    match line("event: ")? {
        "hello" => None,
        "ended" => {
            let data: serde_json::Value = serde_json::from_str(line("data: ")?).unwrap();
            Some(format!("ended: {}", data["reason"].as_str().unwrap()))
        }
        other => Some(other.to_owned()),
    }
}

impl Reply {
    /// Where a 303 leads.
    pub(crate) fn location(&self) -> Option<&str> {
        if self.status != StatusCode::SEE_OTHER {
            return None;
        }
        Some(self.headers.get(LOCATION)?.to_str().unwrap())
    }

    pub(crate) fn retry_after_s(&self) -> Option<u64> {
        self.headers
            .get(RETRY_AFTER)?
            .to_str()
            .unwrap()
            .parse()
            .ok()
    }

    /// All that who asks can see, without the request's own id, what was typed into it, and the random
    /// value of the browser's own claim cookie.
    pub(crate) fn shown(&self) -> String {
        let mut shown = format!("{}\n", self.status);
        let mut body = self.body.clone();
        for (name, value) in &self.headers {
            let value = value.to_str().unwrap();
            if name == "x-request-id" {
                body = body.replace(value, "(request)");
            } else if let Some(cookie) = value.strip_prefix(CLAIM_COOKIE) {
                let (_, attributes) = cookie.split_once(';').unwrap();
                shown.push_str(&format!("{name}: {CLAIM_COOKIE}=(random);{attributes}\n"));
            } else {
                shown.push_str(&format!("{name}: {value}\n"));
            }
        }
        let mut rest = body.as_str();
        while let Some((before, after)) = rest.split_once(" value=\"") {
            shown.push_str(before);
            rest = after.split_once('"').map_or("", |(_, rest)| rest);
        }
        shown + rest
    }
}

pub(crate) fn ok(facts: Facts) -> Answer {
    answer("ok", facts)
}

pub(crate) fn answer(outcome: &str, facts: Facts) -> Answer {
    Answer {
        outcome: outcome.to_owned(),
        facts,
        shown: String::new(),
        untold: &[],
    }
}

/// `/o/{organization}/...`
pub(crate) fn organization_of(location: &str) -> Option<String> {
    let (organization, _) = location.strip_prefix("/o/")?.split_once('/')?;
    Some(organization.to_owned())
}

/// Percent-encodes a value of a query or a form.
pub(crate) fn encode(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    value
        .bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// The value of `name` in the query of a URL.
pub(crate) fn query_value(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(decode(value))
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}
