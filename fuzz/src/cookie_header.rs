//! What a `Cookie` header can do: name a session or a claim, nothing else (WB-01 to WB-03, A25).

use std::sync::LazyLock;

use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use narthex_http::HEADER_BYTES_MAX;

use crate::house::{Answer, House};

static HOUSE: LazyLock<Option<House>> = LazyLock::new(|| House::build().ok());

const SESSION: &[u8] = b"__Host-narthex=";
const CLAIM: &[u8] = b"__Host-narthex-claim=";
const PRE: &[u8] = b"__Host-narthex-pre=";
/// All that may follow the value of a cookie we set.
const ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Lax";

/// One `Cookie` line per line of `data`. `{session}` and `{claim}` stand for cookies the portal has
/// given out, `{forged}` for the session's selector under a secret of zeros.
pub fn cookie_header(data: &[u8]) {
    let house = HOUSE.as_ref();
    assert!(house.is_some(), "the house of the test does not stand");
    let Some(house) = house else { return };
    let text = filled(data, house);
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    let values = lines.iter().map(|line| HeaderValue::from_bytes(line));
    // A line with a control character never gets past the server's parser.
    let Ok(values) = values.collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let expected = Expected::of(&lines, house);
    for path in ["/api/v1/session", "/", "/login", "/claim/password"] {
        let (answer, header_bytes) = house.get(path, &values);
        sets_nothing_of_others(&answer, &text);
        shows_no_secret(&answer, house);
        let status = answer.status;
        if header_bytes > HEADER_BYTES_MAX {
            assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        } else if expected.twice {
            assert_eq!(status, StatusCode::BAD_REQUEST);
        } else {
            as_expected(path, &answer, &expected);
        }
    }
}

/// What the lines mean, read in another way than the portal reads them.
struct Expected {
    /// One of our names stands there more than once.
    twice: bool,
    logged_in: bool,
    /// The right family under the wrong secret.
    forged: bool,
    claiming: bool,
}

impl Expected {
    fn of(lines: &[&[u8]], house: &House) -> Self {
        let values = |name: &[u8]| -> Vec<Vec<u8>> {
            let pairs = lines.iter().flat_map(|line| line.split(|b| *b == b';'));
            pairs
                .map(trimmed)
                .filter_map(|pair| Some(pair.strip_prefix(name)?.to_vec()))
                .collect()
        };
        let (session, claim, pre) = (values(SESSION), values(CLAIM), values(PRE));
        let is = |values: &[Vec<u8>], text: &str| values.iter().any(|v| v == text.as_bytes());
        Self {
            twice: [&session, &claim, &pre].iter().any(|v| v.len() > 1),
            logged_in: is(&session, &house.session),
            forged: is(&session, &forged(house)),
            claiming: is(&claim, &house.claim),
        }
    }
}

fn trimmed(pair: &[u8]) -> &[u8] {
    let is_gap = |b: &u8| matches!(b, b' ' | b'\t');
    let begin = pair.iter().take_while(|b| is_gap(b)).count();
    let rest = pair.get(begin..).unwrap_or_default();
    let end = rest.iter().rev().take_while(|b| is_gap(b)).count();
    rest.get(..rest.len() - end).unwrap_or_default()
}

fn as_expected(path: &str, answer: &Answer, expected: &Expected) {
    let status = answer.status.as_u16();
    let location = answer.headers.get(LOCATION);
    let location = location.and_then(|l| l.to_str().ok()).unwrap_or_default();
    let at_home = status == 303 && location.starts_with("/o/north/");
    match path {
        "/api/v1/session" => {
            assert_eq!(status, if expected.logged_in { 200 } else { 401 });
        }
        "/" if expected.logged_in => assert!(at_home, "{status} {location}"),
        // A page that loads again: another tab may just have got the new token.
        "/" if expected.forged => assert_eq!(status, 409),
        "/" => assert_eq!((status, location), (303, "/login")),
        "/login" if expected.logged_in => assert!(at_home, "{status} {location}"),
        "/login" => assert_eq!(status, 200),
        _ if expected.claiming => assert_eq!(status, 200),
        _ => assert!(status == 303 && location.starts_with("/claim"), "{status}"),
    }
}

/// `Set-Cookie` only ever wipes a claim, or hands out a new value that was not in the request.
fn sets_nothing_of_others(answer: &Answer, text: &[u8]) {
    for line in answer.headers.get_all(SET_COOKIE) {
        let line = line.to_str().unwrap_or_default();
        let (name, rest) = line.split_at(line.find('=').map_or(0, |at| at + 1));
        let (value, attributes) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        if name.as_bytes() == PRE {
            assert_eq!(attributes, ATTRIBUTES);
            let is_nonce = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
            assert!(value.len() == 22 && value.bytes().all(is_nonce));
            let echoed = text.windows(22).any(|part| part == value.as_bytes());
            assert!(!echoed, "{line:?}");
        } else {
            assert_eq!(name.as_bytes(), CLAIM, "{line:?}");
            assert!(value.is_empty(), "{line:?}");
            assert_eq!(attributes, format!("{ATTRIBUTES}; Max-Age=0"));
        }
    }
}

fn shows_no_secret(answer: &Answer, house: &House) {
    let browser = house.claim.split('.').next().unwrap_or_default();
    for secret in [house.session.as_bytes(), browser.as_bytes()] {
        let is_in = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
        assert!(!is_in(&answer.body));
        assert!(!answer.headers.values().any(|v| is_in(v.as_bytes())));
    }
}

fn forged(house: &House) -> String {
    // 16 of 48 bytes are the selector: 21 of 64 characters and a bit.
    let (head, tail) = house.session.split_at(house.session.len() / 2);
    format!("{head}{}", "A".repeat(tail.len()))
}

fn filled(data: &[u8], house: &House) -> Vec<u8> {
    let places = [
        (&b"{session}"[..], house.session.clone()),
        (b"{claim}", house.claim.clone()),
        (b"{forged}", forged(house)),
    ];
    let mut text = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((first, tail)) = rest.split_first() {
        match places.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                text.extend_from_slice(value.as_bytes());
                rest = rest.get(name.len()..).unwrap_or_default();
            }
            None => {
                text.push(*first);
                rest = tail;
            }
        }
    }
    text
}
