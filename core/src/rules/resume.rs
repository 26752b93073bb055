//! Where a person comes back to after logging in again (S14, S15).

use crate::model::{InvalidInput, OrganizationId};

/// The longest location, in bytes.
pub const RESUME_BYTES_MAX: usize = 2048;
/// The longest prefix of an application, in bytes.
pub const APP_PREFIX_BYTES_MAX: usize = 256;

/// A screen of this portal, or of an application the host declared, that a person may be sent to. Only
/// [`ResumeLocation::parse`] makes one, so an open redirect cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeLocation {
    text: String,
    organization: Option<OrganizationId>,
    on_host: bool,
}

/// A prefix under which a host serves pages of its own: a path at the root of the origin, wherever the
/// portal itself is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPrefix {
    prefix: String,
    organization: AppOrganization,
}

/// Where the organization of a host's page comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AppOrganization {
    /// The person's default organization.
    #[default]
    Default,
    /// Every page under the prefix is of this one.
    Fixed(OrganizationId),
    /// The first segment after the prefix names it: `/timetable/{organization}/...`.
    FromPath,
}

/// First segments that the portal answers itself where it is mounted at the root.
const PORTAL_SEGMENTS: [&str; 15] = [
    ".well-known",
    "account",
    "api",
    "assets",
    "claim",
    "header",
    "healthz",
    "help",
    "login",
    "logout",
    "metrics",
    "o",
    "readyz",
    "recover",
    "staff",
];

impl AppPrefix {
    /// Takes `/name/` or `/several/names/`: plain letters, digits, `-`, `.`, `_`, `~`; not a path that the
    /// portal answers itself, and not `/`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(prefix: &str, organization: AppOrganization) -> Result<Self, InvalidInput> {
        let inner = prefix
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .filter(|inner| prefix.len() <= APP_PREFIX_BYTES_MAX && !inner.is_empty());
        let plain = |segment: &str| {
            let bytes = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            !matches!(segment, "" | "." | "..") && segment.bytes().all(bytes)
        };
        let Some(inner) = inner.filter(|inner| inner.split('/').all(plain)) else {
            return Err(InvalidInput(
                "a prefix of an application begins and ends with / and has a plain name between",
            ));
        };
        let first = inner.split('/').next().unwrap_or("");
        if PORTAL_SEGMENTS.contains(&first) {
            return Err(InvalidInput(
                "the prefix of an application is a path of the portal itself: take another name",
            ));
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            organization,
        })
    }

    /// Begins and ends with `/`.
    pub fn as_str(&self) -> &str {
        &self.prefix
    }

    /// Where the organization of its pages comes from.
    pub fn organization(&self) -> &AppOrganization {
        &self.organization
    }

    /// The longest of the declared prefixes that `path` lies under.
    pub fn of<'a>(path: &str, apps: &'a [Self]) -> Option<&'a Self> {
        let under = apps.iter().filter(|app| path.starts_with(&app.prefix));
        under.max_by_key(|app| app.prefix.len())
    }

    /// The organization that a request to `path` (from the root of the origin, as it was sent, without
    /// the query) is for: whoever comes must belong to it. Every request can be judged by it, also one to
    /// a path that nobody could come back to.
    ///
    /// # Errors
    /// Nobody may come: where [`AppOrganization::FromPath`] is to name the organization, it names none
    /// that there could be; or the path means another page once its escapes are read and its dots and
    /// slashes are merged, and a router further on might read it so.
    pub fn organization_at(
        path: &str,
        apps: &[Self],
    ) -> Result<Option<OrganizationId>, InvalidInput> {
        let sent = format!("{path}/");
        let meant = meant(path);
        let app = Self::of(&sent, apps);
        if app != Self::of(&meant, apps) {
            return Err(InvalidInput("the path is another application's once read"));
        }
        let Some(app) = app else { return Ok(None) };
        let organization = app.organization_of(&sent)?;
        if organization != app.organization_of(&meant)? {
            return Err(InvalidInput("the path is another organization's once read"));
        }
        Ok(organization)
    }

    /// The organization that `path`, which lies under the prefix, names.
    fn organization_of(&self, path: &str) -> Result<Option<OrganizationId>, InvalidInput> {
        match &self.organization {
            AppOrganization::Default => Ok(None),
            AppOrganization::Fixed(organization) => Ok(Some(organization.clone())),
            AppOrganization::FromPath => {
                let below = path.strip_prefix(&self.prefix).unwrap_or("");
                match below.split('/').next() {
                    None | Some("") => Ok(None),
                    Some(name) => OrganizationId::parse(name).map(Some),
                }
            }
        }
    }
}

/// The path with its escapes read once, backslashes taken for slashes, empty and dot segments merged, and
/// a slash at its end.
fn meant(path: &str) -> String {
    let mut parts = path.split('%');
    let mut read = parts.next().unwrap_or("").as_bytes().to_vec();
    for part in parts {
        let (escape, rest) = part.split_at_checked(2).unwrap_or(("", part));
        let escape = Some(escape).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                read.push(byte);
                read.extend_from_slice(rest.as_bytes());
            }
            None => {
                read.push(b'%');
                read.extend_from_slice(part.as_bytes());
            }
        }
    }
    let read = String::from_utf8_lossy(&read);
    let mut segments = Vec::new();
    for segment in read.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    segments
        .iter()
        .fold("/".to_owned(), |path, segment| path + segment + "/")
}

impl ResumeLocation {
    /// Takes `/o/{organization}/...` and `/account...`, relative to the portal's base path, and what lies
    /// under a declared prefix, from the root of the origin: path, query and fragment. Nothing else: no
    /// other origin, no `//`, no backslash, no control character, no dot segment, plain or
    /// percent-encoded, and not the log-in or log-out page.
    ///
    /// # Errors
    /// What is wrong, for a log line; people are simply led to their landing page.
    pub fn parse(text: &str, apps: &[AppPrefix]) -> Result<Self, InvalidInput> {
        if text.len() > RESUME_BYTES_MAX {
            return Err(InvalidInput("the location is too long"));
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b))
        {
            return Err(InvalidInput("the location has a character that no URL has"));
        }
        let path = text.split(['?', '#']).next().unwrap_or("");
        let Some(below_root) = path.strip_prefix('/') else {
            return Err(InvalidInput("the location is not a path"));
        };
        if !segments_are_plain(below_root) || !escapes_are_plain(path) {
            return Err(InvalidInput("the location is not in its plain form"));
        }
        let mut on_host = false;
        let organization = if let Some(rest) = below_root.strip_prefix("o/") {
            let name = rest.split('/').next().unwrap_or("");
            if !rest.contains('/') {
                return Err(InvalidInput(
                    "the location names no page of the organization",
                ));
            }
            Some(OrganizationId::parse(name)?)
        } else if path == "/account" || path.starts_with("/account/") {
            None
        } else if let Some(app) = AppPrefix::of(path, apps) {
            on_host = true;
            app.organization_of(path)?
        } else {
            return Err(InvalidInput(
                "the location is not a page one can come back to",
            ));
        };
        Ok(Self {
            text: text.to_owned(),
            organization,
            on_host,
        })
    }

    /// A page of the host at `text`, if it lies under a declared prefix. Not a page of the portal, even
    /// where the host has one of the same path beside a portal that is mounted elsewhere.
    pub fn on_host(text: &str, apps: &[AppPrefix]) -> Option<Self> {
        Self::parse(text, apps).ok().filter(Self::is_on_host)
    }

    /// The landing page of an organization.
    pub fn landing_page(organization: &OrganizationId) -> Self {
        Self {
            text: format!("/o/{organization}/"),
            organization: Some(organization.clone()),
            on_host: false,
        }
    }

    /// Whether it is a page of the host: its path is then one from the root of the origin, not one below
    /// the portal's base path.
    pub fn is_on_host(&self) -> bool {
        self.on_host
    }

    /// The first page of the same application in another organization, where the path names it.
    pub fn in_organization(
        &self,
        organization: &OrganizationId,
        apps: &[AppPrefix],
    ) -> Option<String> {
        let path = self.text.split(['?', '#']).next().unwrap_or("");
        let app = AppPrefix::of(path, apps).filter(|_| self.on_host)?;
        let named = app.organization == AppOrganization::FromPath;
        named.then(|| format!("{}{organization}/", app.prefix))
    }

    /// Path, query and fragment, beginning with one `/`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The organization the location lies in, where it names one.
    pub fn organization(&self) -> Option<&OrganizationId> {
        self.organization.as_ref()
    }
}

fn segments_are_plain(below_root: &str) -> bool {
    let mut segments = below_root.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if segment == "." || segment == ".." || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

/// Every `%` is followed by two hexadecimal digits that do not stand for a control character, a slash, a
/// backslash, a dot or another `%`.
fn escapes_are_plain(path: &str) -> bool {
    let mut parts = path.split('%');
    parts.next();
    parts.all(|part| {
        let byte = part
            .get(..2)
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => byte >= 0x20 && byte != 0x7f && !b"/\\.%".contains(&byte),
            None => false,
        }
    })
}

/// Where a log-in leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Back to the screen that was left.
    Location(ResumeLocation),
    /// To the landing page: no location was asked for, or it was another person's.
    LandingPage(Option<OrganizationId>),
    /// To the default landing page, and say so: the person no longer belongs to the organization.
    MembershipLost(Option<OrganizationId>),
}

/// Whose location a resume tag says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagOwner {
    /// There is no tag (a bookmark).
    Nobody,
    /// The tag was made for the person who logged in.
    ThisPerson,
    /// The tag was made for somebody else, or by nobody.
    AnotherPerson,
}

/// Where a person who has just logged in is led (S15).
pub fn resume(
    wanted: Option<ResumeLocation>,
    owner: TagOwner,
    is_member: impl Fn(&OrganizationId) -> bool,
    default_organization: Option<&OrganizationId>,
) -> Resume {
    match (wanted, owner) {
        (None, _) | (Some(_), TagOwner::AnotherPerson) => {
            Resume::LandingPage(default_organization.cloned())
        }
        (Some(location), _) if location.organization().is_none_or(is_member) => {
            Resume::Location(location)
        }
        (Some(_), _) => Resume::MembershipLost(default_organization.cloned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apps() -> Vec<AppPrefix> {
        let app = |prefix, organization| AppPrefix::parse(prefix, organization).unwrap();
        let fixed = AppOrganization::Fixed(OrganizationId::parse("10002").unwrap());
        vec![
            app("/gradebook/", AppOrganization::Default),
            app("/timetable/", AppOrganization::FromPath),
            app("/timetable/rooms/", fixed),
        ]
    }

    #[test]
    fn our_own_screens_and_declared_prefixes_are_taken_with_query_and_fragment() {
        for text in [
            "/o/10001/",
            "/o/10001/apps/cloud-studio/projects/7?tab=runs&x=%20y#row-3",
            "/account/password",
            "/account",
            "/gradebook/class/7",
        ] {
            assert_eq!(ResumeLocation::parse(text, &apps()).unwrap().as_str(), text);
        }
        let location = ResumeLocation::parse("/o/10001/apps/x", &[]).unwrap();
        assert_eq!(location.organization().unwrap().as_str(), "10001");
        assert!(!location.is_on_host());
    }

    #[test]
    fn s15_the_organization_of_a_hosts_page_is_fixed_or_from_the_path_or_the_default() {
        for (text, organization) in [
            ("/gradebook/class/7", None),
            ("/timetable/10001/week/3?day=mon#now", Some("10001")),
            ("/timetable/10001", Some("10001")),
            ("/timetable/", None),
            ("/timetable/rooms/7", Some("10002")),
        ] {
            let location = ResumeLocation::parse(text, &apps()).unwrap();
            let named = location.organization().map(OrganizationId::as_str);
            assert_eq!(named, organization, "{text}");
            assert!(location.is_on_host());
            assert_eq!(
                ResumeLocation::on_host(text, &apps()),
                Some(location),
                "{text}"
            );
        }
        assert!(ResumeLocation::parse("/timetable/a%20b/x", &apps()).is_err());
        assert_eq!(ResumeLocation::on_host("/account", &apps()), None);
    }

    #[test]
    fn a53_the_organization_of_a_request_is_judged_by_its_path_whatever_it_looks_like() {
        let long = format!("/timetable/10001/{}", "a".repeat(RESUME_BYTES_MAX));
        for (path, organization) in [
            ("/gradebook/class/7", None),
            ("/elsewhere/..", None),
            ("/timetable", None),
            ("/timetable/", None),
            ("/timetable/10001", Some("10001")),
            (long.as_str(), Some("10001")),
            ("/timetable/10001/<a>{b}\"|^`", Some("10001")),
            ("/timetable/10001/100%25/%zz/%2f/x//y/../z", Some("10001")),
            ("/timetable/rooms", Some("10002")),
            ("/timetable/rooms/", Some("10002")),
            ("/timetable/rooms/%20//%", Some("10002")),
        ] {
            let named = AppPrefix::organization_at(path, &apps()).unwrap();
            assert_eq!(
                named.as_ref().map(OrganizationId::as_str),
                organization,
                "{path}"
            );
        }
        for path in [
            "/timetable/a%20b/x",
            "/timetable/100%301/x",
            "/timetable/%/x",
            "/timetable//10001/",
            "/timetable/./10001/",
            "/timetable/10001/../10009/",
            "/timetable/10001%2f..%2f10009/",
            "/timetable/10001/%2e%2e/10009/",
            "/timetable/10001\\..\\10009/",
            "/timetable/10001\\x",
            "/timetable/rooms/../10009/",
            "/timetable/%72ooms/7",
            "/%74imetable/10001/",
            "/TIMETABLE/../timetable/10001/",
            "//timetable/10001/",
            "/gradebook/../timetable/10001/",
            "/gradebook%2f..%2ftimetable/rooms/",
            "/elsewhere/%2e%2e/timetable/",
        ] {
            let judged = AppPrefix::organization_at(path, &apps());
            assert!(judged.is_err(), "{path}: {judged:?}");
        }
    }

    #[test]
    fn s07_the_switcher_stays_in_the_application_where_its_path_names_the_organization() {
        let other = OrganizationId::parse("10009").unwrap();
        for (text, first_page) in [
            ("/timetable/10001/week/3?day=mon", Some("/timetable/10009/")),
            ("/timetable/rooms/7", None),
            ("/gradebook/class/7", None),
            ("/o/10001/apps/x", None),
        ] {
            let location = ResumeLocation::parse(text, &apps()).unwrap();
            let page = location.in_organization(&other, &apps());
            assert_eq!(page.as_deref(), first_page, "{text}");
        }
    }

    #[test]
    fn a23_a_prefix_is_a_plain_path_of_the_hosts_own() {
        let parse = |prefix: &str| AppPrefix::parse(prefix, AppOrganization::Default);
        for good in ["/timetable/", "/apps/grade.book/", "/~x/", "/openings/"] {
            assert_eq!(parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "/",
            "//",
            "timetable/",
            "/timetable",
            "/a//b/",
            "//e.example/",
            "/a/../b/",
            "/./",
            "/a b/",
            "/%2f/",
            "/a?b/",
            "/o/",
            "/o/x/",
            "/login/",
            "/account/",
            "/api/v2/",
            "/assets/",
            "https://e.example/",
            "/a\\b/",
        ] {
            assert!(parse(bad).is_err(), "{bad:?} was taken");
        }
        assert!(parse(&format!("/{}/", "a".repeat(APP_PREFIX_BYTES_MAX))).is_err());
    }

    #[test]
    fn a23_no_other_origin_and_no_disguise_is_taken() {
        for text in [
            "",
            "//e.example",
            "/\\e.example",
            "\\/\\/e.example",
            "https:e.example",
            "/%09/e.example",
            "https://good.example.evil",
            "/o/10001/\r\nSet-Cookie: a=b",
            "/o/../login",
            "/o/10001/..",
            "/o/10001/%2e%2e/x",
            "/o/10001//x",
            "/o/10001/%2f%2fe",
            "/o/10001/%",
            "/o/10001/%zz",
            "/login",
            "/logout",
            "/claim",
            "/",
            "/o/",
            "/o/10001",
            "/accountant",
            "/o/a b/",
            "javascript:x",
            "/gradebook",
            "/o/10001/\u{202e}",
            "@e.example",
            "/o/1%5c",
            "/o/10001/%00",
            "/o/10001/%250a",
        ] {
            assert!(
                ResumeLocation::parse(text, &apps()).is_err(),
                "{text:?} was taken"
            );
        }
        assert!(ResumeLocation::parse(&format!("/o/1/{}", "a".repeat(2048)), &[]).is_err());
    }

    #[test]
    fn another_persons_location_leads_to_the_landing_page_and_a_lost_membership_says_so() {
        let location = ResumeLocation::parse("/o/b/apps/x", &[]).unwrap();
        let home = OrganizationId::parse("a").unwrap();
        let decide =
            |owner, member: bool| resume(Some(location.clone()), owner, |_| member, Some(&home));
        assert_eq!(
            decide(TagOwner::ThisPerson, true),
            Resume::Location(location.clone())
        );
        assert_eq!(
            decide(TagOwner::Nobody, true),
            Resume::Location(location.clone())
        );
        assert_eq!(
            decide(TagOwner::AnotherPerson, true),
            Resume::LandingPage(Some(home.clone()))
        );
        assert_eq!(
            decide(TagOwner::ThisPerson, false),
            Resume::MembershipLost(Some(home.clone()))
        );
        assert_eq!(
            resume(None, TagOwner::Nobody, |_| true, None),
            Resume::LandingPage(None)
        );
    }
}
