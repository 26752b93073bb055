//! Where a person comes back to after logging in again (S14, S15).

use crate::model::{InvalidInput, OrganizationId};

/// The longest location, in bytes.
pub const RESUME_BYTES_MAX: usize = 2048;

/// A screen of this portal, or of an application the host declared, that a person may be sent to. Only
/// [`ResumeLocation::parse`] makes one, so an open redirect cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeLocation {
    text: String,
    organization: Option<OrganizationId>,
}

/// A prefix under which a host serves its own pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPrefix {
    /// Begins and ends with `/`.
    pub prefix: String,
    /// The organization of every page there; absent: the person's default.
    pub organization: Option<OrganizationId>,
}

impl ResumeLocation {
    /// Takes `/o/{organization}/...`, `/account...` and what lies under a declared prefix: path, query and
    /// fragment, relative to the portal's base path. Nothing else: no other origin, no `//`, no backslash,
    /// no control character, no dot segment, plain or percent-encoded, and not the log-in or log-out page.
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
        } else if let Some(app) = apps.iter().find(|app| path.starts_with(&app.prefix)) {
            app.organization.clone()
        } else {
            return Err(InvalidInput(
                "the location is not a page one can come back to",
            ));
        };
        Ok(Self {
            text: text.to_owned(),
            organization,
        })
    }

    /// The landing page of an organization.
    pub fn landing_page(organization: &OrganizationId) -> Self {
        Self {
            text: format!("/o/{organization}/"),
            organization: Some(organization.clone()),
        }
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
        vec![AppPrefix {
            prefix: "/gradebook/".into(),
            organization: None,
        }]
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
