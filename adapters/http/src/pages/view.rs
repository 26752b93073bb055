//! What every page shows: title, links, notice, form token, and for who is logged in the header.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use narthex_core::model::{Contact, Organization, OrganizationId, Profile};
use serde::Serialize;

use crate::context::{Ctx, Session, Shared};
use crate::cookies::CookieKind;
use crate::problem::{Fault, Issue};
use crate::reply::Reply;
use crate::texts::{self, EN, fill, span};

/// Links every page has.
#[derive(Serialize)]
pub(crate) struct Links {
    base: String,
    home: String,
    login: String,
    claim: String,
    help: String,
    css: String,
    js: String,
    icons: String,
    logo: String,
    favicon: String,
}

impl Links {
    fn new(shared: &Shared) -> Self {
        let link = |location: &str| shared.settings.base_url.link(location);
        let asset = |name: &str, extension: &str| link(&shared.assets.path(name, extension));
        Self {
            base: shared.settings.base_url.path().to_owned(),
            home: link("/"),
            login: link("/login"),
            claim: link("/claim"),
            help: link("/help"),
            css: asset("portal", "css"),
            js: asset("portal", "js"),
            icons: asset("icons", "svg"),
            logo: asset("logo", "svg"),
            favicon: asset("logo", "svg"),
        }
    }
}

/// A line at the top of a page.
#[derive(Serialize)]
pub(crate) struct Note {
    text: &'static str,
    good: bool,
}

/// An organization in the switcher.
#[derive(Serialize)]
pub(crate) struct OrganizationView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) current: bool,
    pub(crate) roles: Vec<&'static str>,
}

/// Who is logged in, as the header and the script need it.
#[derive(Serialize)]
pub(crate) struct Person {
    name: String,
    given_name: String,
    login_id: String,
    family: String,
    account_url: String,
    password_url: String,
    logout_url: String,
    login_url: String,
    landing_url: String,
    inactivity_ms: u64,
    expires_in_ms: u64,
    warn_first: String,
    warn_last: String,
    organization: Option<String>,
    pub(crate) organizations: Vec<OrganizationView>,
}

/// What every page shows.
#[derive(Serialize)]
pub(crate) struct Shell {
    pub(crate) page: &'static str,
    title: String,
    site_name: String,
    links: Links,
    notice: Option<Note>,
    form_token: String,
    pub(crate) person: Option<Person>,
}

impl Shell {
    /// A page before the log-in, or without regard to it.
    pub(crate) fn new(ctx: &Ctx<'_>, page: &'static str, title: &str) -> Result<Self, Fault> {
        let word = ctx.query_value("notice");
        let mut shell = Self::bare(ctx.shared, page, title);
        shell.form_token = ctx.form_token()?;
        if let Some(word) = word {
            shell.notice(&word);
        }
        Ok(shell)
    }

    /// A page for which there is no context.
    pub(crate) fn bare(shared: &Shared, page: &'static str, title: &str) -> Self {
        Self {
            page,
            title: title.to_owned(),
            site_name: shared.settings.site_name.clone(),
            links: Links::new(shared),
            notice: None,
            form_token: String::new(),
            person: None,
        }
    }

    /// A page behind the log-in, in an organization or not.
    pub(crate) async fn for_person(
        ctx: &Ctx<'_>,
        page: &'static str,
        title: &str,
        profile: &Profile,
        organization: Option<&OrganizationId>,
    ) -> Result<Self, Fault> {
        let mut shell = Self::new(ctx, page, title)?;
        let names = ctx.organization_names().await?;
        let organizations: Vec<OrganizationView> = memberships(profile)
            .into_iter()
            .map(|(id, roles)| OrganizationView {
                name: names.get(id).cloned().unwrap_or_else(|| id.to_string()),
                href: ctx.link(&format!("/o/{id}/")),
                current: Some(id) == organization,
                id: id.to_string(),
                roles,
            })
            .collect();
        let session = ctx.session()?;
        shell.person = Some(person(ctx, session, profile, organization, organizations)?);
        Ok(shell)
    }

    /// Says the text of a notice word, if it is one of ours.
    pub(crate) fn notice(&mut self, word: &str) {
        self.notice = texts::notice(word).map(|(text, good)| Note { text, good });
    }

    /// Says why the person is here again.
    pub(crate) fn say(&mut self, text: &'static str) {
        self.notice = Some(Note { text, good: false });
    }

    /// Puts "Error:" before the title, for who hears the page.
    pub(crate) fn mark_error(&mut self) {
        self.title = fill(EN.error_title, &[("title", &self.title)]);
    }
}

/// So long before the end the warnings come; sooner where the whole limit is short (WCAG 2.2.1).
const WARN_FIRST: Duration = Duration::from_secs(300);
const WARN_LAST: Duration = Duration::from_secs(60);

fn person(
    ctx: &Ctx<'_>,
    session: &Session,
    profile: &Profile,
    organization: Option<&OrganizationId>,
    organizations: Vec<OrganizationView>,
) -> Result<Person, Fault> {
    let landing = organization.or(profile.default_organization.as_ref());
    let location = ctx.location();
    let limit = session.verified.inactivity_timeout();
    Ok(Person {
        name: format!("{} {}", profile.given_name, profile.family_name),
        given_name: profile.given_name.clone(),
        login_id: profile.login_id.clone(),
        family: session.family.clone(),
        account_url: ctx.link("/account"),
        password_url: ctx.link("/account/password"),
        logout_url: ctx.link("/logout"),
        login_url: ctx.login_url(Some(profile.account), location.as_ref(), None)?,
        landing_url: landing_url(ctx, landing),
        inactivity_ms: millis(session.verified.inactivity_timeout()),
        expires_in_ms: millis(session.expires_in),
        warn_first: span(WARN_FIRST.min(limit / 4)),
        warn_last: span(WARN_LAST.min(limit / 20)),
        organization: organizations
            .iter()
            .find(|o| o.current)
            .map(|o| o.name.clone()),
        organizations,
    })
}

pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The landing page of an organization; for who belongs to none, the account page.
pub(crate) fn landing_url(ctx: &Ctx<'_>, organization: Option<&OrganizationId>) -> String {
    match organization {
        Some(id) => ctx.link(&format!("/o/{id}/")),
        None => ctx.link("/account"),
    }
}

/// The organizations of a person, once each, with all roles there.
pub(crate) fn memberships(profile: &Profile) -> Vec<(&OrganizationId, Vec<&'static str>)> {
    let mut list: Vec<(&OrganizationId, Vec<&'static str>)> = Vec::new();
    for membership in &profile.memberships {
        let role = texts::role(&membership.role).1;
        match list
            .iter_mut()
            .find(|(id, _)| *id == &membership.organization)
        {
            Some((_, roles)) if roles.contains(&role) => {}
            Some((_, roles)) => roles.push(role),
            None => list.push((&membership.organization, vec![role])),
        }
    }
    list
}

/// One field of a form, as shown again.
#[derive(Default, Serialize)]
pub(crate) struct Field {
    value: String,
    error: Option<String>,
}

/// One line of the list above a form that has something wrong.
#[derive(Serialize)]
struct SummaryLine {
    href: String,
    text: String,
}

/// The fields of a form, and what is wrong with them.
#[derive(Serialize)]
pub(crate) struct FormView {
    fields: BTreeMap<&'static str, Field>,
    summary: Vec<SummaryLine>,
    /// What is wrong with all of it together.
    refusal: Option<&'static str>,
}

impl FormView {
    /// `kept` fields with what was typed (secrets are never among them), `others` empty.
    pub(crate) fn new(ctx: &Ctx<'_>, kept: &[&'static str], others: &[&'static str]) -> Self {
        let mut fields = BTreeMap::new();
        for name in kept {
            let value = ctx.form.get(name).to_owned();
            fields.insert(*name, Field { value, error: None });
        }
        for name in others {
            fields.insert(*name, Field::default());
        }
        Self {
            fields,
            summary: Vec::new(),
            refusal: None,
        }
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        let field = self.fields.entry(name).or_default();
        field.value = value.to_owned();
    }

    /// Notes what is wrong with a field; the summary leads there.
    pub(crate) fn wrong(&mut self, name: &'static str, text: impl Into<String>) {
        let text = text.into();
        let field = self.fields.entry(name).or_default();
        if field.error.is_none() {
            field.error = Some(text.clone());
        }
        let href = format!("#{name}");
        self.summary.push(SummaryLine { href, text });
    }

    /// Several things about one field: all of them beside it, in one line each above.
    pub(crate) fn wrong_all(&mut self, name: &'static str, issues: &[Issue]) {
        let texts: Vec<&str> = issues.iter().map(|issue| issue.text.as_str()).collect();
        self.wrong(name, texts.join(". "));
    }

    pub(crate) fn refuse(&mut self, text: &'static str) {
        self.refusal = Some(text);
    }

    pub(crate) fn is_good(&self) -> bool {
        self.summary.is_empty() && self.refusal.is_none()
    }
}

/// A human to write to.
#[derive(Serialize)]
pub(crate) struct ContactView {
    name: String,
    role: String,
    email: Option<String>,
}

/// The humans of one organization.
#[derive(Serialize)]
pub(crate) struct ContactsView {
    organization: Option<String>,
    contacts: Vec<ContactView>,
}

fn contacts(organization: Option<String>, contacts: &[Contact]) -> ContactsView {
    let view = |contact: &Contact| ContactView {
        name: contact.name.clone(),
        role: contact.role.clone(),
        email: contact.email.clone().filter(|email| is_mail(email)),
    };
    ContactsView {
        organization,
        contacts: contacts.iter().map(view).collect(),
    }
}

/// Plain enough to stand in a `mailto:` link.
fn is_mail(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".@_+-".contains(&b);
    text.bytes().all(plain) && text.split('@').count() == 2
}

/// The humans of the organizations that `wanted` takes, then those of the operator.
pub(crate) fn humans(
    shared: &Shared,
    all: &[Organization],
    wanted: impl Fn(&OrganizationId) -> bool,
) -> Vec<ContactsView> {
    let mut list: Vec<ContactsView> = all
        .iter()
        .filter(|o| !o.contacts.is_empty() && wanted(&o.id))
        .map(|o| contacts(Some(o.name.clone()), &o.contacts))
        .collect();
    if !shared.settings.help.is_empty() {
        list.push(contacts(None, &shared.settings.help));
    }
    list
}

/// More schools than this do not stand on the claim page, but on the help page.
const SCHOOLS_SHOWN_MAX: usize = 6;

/// The humans to show to somebody we do not know: those of `organization` where the way here names
/// one, else all where they are few.
pub(crate) async fn humans_for_anybody(
    ctx: &Ctx<'_>,
    organization: Option<&OrganizationId>,
) -> Result<Vec<ContactsView>, Fault> {
    let all = ctx.organizations().await?;
    if let Some(organization) = organization {
        let own = humans(ctx.shared, &all, |id| id == organization);
        if !own.is_empty() {
            return Ok(own);
        }
    }
    let list = humans(ctx.shared, &all, |_| true);
    Ok(if list.len() > SCHOOLS_SHOWN_MAX {
        humans(ctx.shared, &all, |_| false)
    } else {
        list
    })
}

/// The humans of a person's own organizations.
pub(crate) async fn humans_for_person(
    ctx: &Ctx<'_>,
    profile: &Profile,
) -> Result<Vec<ContactsView>, Fault> {
    let all = ctx.organizations().await?;
    Ok(humans(ctx.shared, &all, |id| profile.is_member(id)))
}

/// Renders a page; a browser that has no `-pre` cookie yet gets one with a page that has a form.
pub(crate) fn page(
    ctx: &Ctx<'_>,
    status: StatusCode,
    template: &str,
    view: &impl Serialize,
) -> Result<Reply, Fault> {
    let html = ctx.shared.renderer.render(template, view)?;
    let reply = Reply::page(status, html);
    if ctx.session.is_none() && ctx.pre.is_new {
        let line = ctx.shared.cookies.set(CookieKind::Pre, &ctx.pre.nonce);
        return Ok(reply.cookie(line));
    }
    Ok(reply)
}

/// The inactivity limits in words: the usual one, and that of a shared computer.
#[derive(Serialize)]
pub(crate) struct Limits {
    normal: String,
    shared: String,
}

impl Limits {
    pub(crate) fn new(ctx: &Ctx<'_>) -> Self {
        let session = &ctx.portal().policy().session;
        Self {
            normal: span(session.inactivity_timeout),
            shared: span(session.shared_computer_timeout),
        }
    }
}
