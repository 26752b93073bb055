//! Where a person is sent after logging in: the browser's own reading of a location is the oracle
//! (WB-12, A23).

use std::sync::LazyLock;

use narthex_core::model::{OrganizationId, ResumeLocation};
use narthex_core::rules::resume::{AppOrganization, AppPrefix, RESUME_BYTES_MAX};
use url::{Position, Url};

/// Origin and base path, as settings give them.
const BASES: [(&str, &str); 4] = [
    ("https://portal.example", ""),
    ("https://portal.example", "/base"),
    ("https://portal.example:8443", "/a/b-c"),
    ("http://127.0.0.1:8080", ""),
];

static APPS: LazyLock<Vec<AppPrefix>> = LazyLock::new(|| {
    let fixed = OrganizationId::parse("north").map(AppOrganization::Fixed);
    [
        ("/gradebook/", AppOrganization::Default),
        ("/library/", fixed.unwrap_or_default()),
        ("/timetable/", AppOrganization::FromPath),
    ]
    .into_iter()
    .filter_map(|(prefix, organization)| AppPrefix::parse(prefix, organization).ok())
    .collect()
});

/// What is accepted as a location stays on this origin in a browser's eyes, whatever the base URL,
/// and reads the same there and back.
pub fn return_to(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(organization) = OrganizationId::parse(&text) {
        let landing = ResumeLocation::landing_page(&organization);
        let parsed = ResumeLocation::parse(landing.as_str(), &[]);
        assert_eq!(
            parsed.as_ref(),
            Ok(&landing),
            "a landing page is a location"
        );
        stays_here(&landing);
    }
    let Ok(location) = ResumeLocation::parse(&text, &APPS) else {
        return;
    };
    assert_eq!(location.as_str(), text, "what is accepted is kept as it is");
    assert!(text.len() <= RESUME_BYTES_MAX);
    assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{text:?}");
    let again = ResumeLocation::parse(location.as_str(), &APPS);
    assert_eq!(again.as_ref(), Ok(&location));
    if let Some(organization) = location.organization() {
        let own = format!("/o/{organization}/");
        let named = format!("/timetable/{organization}");
        let ours = text.starts_with(&own) || text.starts_with(&named);
        assert!(ours || text.starts_with("/library/"));
    }
    let path = text.split(['?', '#']).next().unwrap_or_default();
    for way_out in ["/login", "/logout", "/claim"] {
        assert_ne!(path, way_out, "no page to come back to");
    }
    stays_here(&location);
}

fn stays_here(location: &ResumeLocation) {
    for (origin, base) in BASES {
        // The portal writes base path and location into a `Location` header; a browser reads that
        // against the page it was on.
        for page in ["/login?return_to=x", "/o/10001/apps/x"] {
            let written = format!("{base}{}", location.as_str());
            let url = browsed(&format!("{origin}{base}{page}"), &written);
            same_place(url, origin, &written, location);
        }
        // A host may forget its base path: another page then, never another origin.
        let url = browsed(&format!("{origin}{base}/"), location.as_str());
        same_place(url, origin, location.as_str(), location);
    }
}

fn browsed(page: &str, written: &str) -> Option<Url> {
    Url::parse(page).ok()?.join(written).ok()
}

fn same_place(url: Option<Url>, origin: &str, written: &str, location: &ResumeLocation) {
    assert!(url.is_some(), "no browser can read {written:?}");
    let Some(url) = url else { return };
    assert_eq!(url.origin().ascii_serialization(), origin, "{written:?}");
    assert!(url.username().is_empty() && url.password().is_none());
    // Not normalized: the path is the one that was judged. In a query a browser escapes `'`.
    let (written, fragment) = match written.split_once('#') {
        Some((before, fragment)) => (before, Some(fragment)),
        None => (written, None),
    };
    let (path, query) = match written.split_once('?') {
        Some((path, query)) => (path, Some(query.replace('\'', "%27"))),
        None => (written, None),
    };
    assert_eq!(url.path(), path);
    assert_eq!(url.query(), query.as_deref());
    assert_eq!(url.fragment(), fragment);
    // When the browser comes back from there, the portal names the same organization.
    if url.path() == location.as_str().split(['?', '#']).next().unwrap_or("") {
        let sent = &url[Position::BeforePath..];
        let again = ResumeLocation::parse(sent, &APPS);
        // An escaped `'` is two bytes longer, so that a location at the limit may be over it.
        if sent.len() <= RESUME_BYTES_MAX {
            assert_eq!(
                again.as_ref().map(ResumeLocation::organization),
                Ok(location.organization())
            );
        }
    }
}
