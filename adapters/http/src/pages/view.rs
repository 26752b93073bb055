//! What every page shows: title, links, notice, form token, and for who is logged in the header.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use narthex_core::model::{Contact, Organization, OrganizationId, Profile};
use narthex_core::rules::staff::is_staff;
use serde::Serialize;

use crate::context::{Ctx, SAID_ONCE, Session, Shared};
use crate::cookies::CookieKind;
use crate::language;
use crate::looks::Look;
use crate::problem::{Fault, Issue};
use crate::query;
use crate::reply::Reply;
use crate::texts::{LANGUAGES, Texts, fill};

/// Links every page has.
#[derive(Serialize)]
pub(crate) struct Links {
    base: String,
    home: String,
    login: String,
    claim: String,
    recover: String,
    help: String,
    css: String,
    theme: Option<String>,
    forms_js: String,
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
            recover: link("/recover"),
            help: link("/help"),
            css: asset("portal", "css"),
            forms_js: asset("forms", "js"),
            js: asset("portal", "js"),
            icons: asset("icons", "svg"),
            logo: asset("logo", "svg"),
            favicon: asset("logo", "svg"),
            theme: None,
        }
        .in_look(shared, shared.looks.of(None))
    }

    /// The links of a place: its style sheet and logo.
    fn in_look(mut self, shared: &Shared, look: &Look) -> Self {
        let link = |path: &String| shared.settings.base_url.link(path);
        self.theme = look.css.as_ref().map(link);
        if let Some(logo) = look.logo.as_ref().map(link) {
            self.favicon.clone_from(&logo);
            self.logo = logo;
        }
        self
    }
}

/// A line at the top of a page.
#[derive(Serialize)]
pub(crate) struct Note {
    text: &'static str,
    good: bool,
}

/// One language of the switch at the foot of every page.
#[derive(Serialize)]
struct LanguageLink {
    lang: &'static str,
    name: &'static str,
    href: String,
    current: bool,
}

/// This page in every language. An answer to a form leads to the form's page.
fn languages(ctx: &Ctx<'_>) -> Vec<LanguageLink> {
    let kept = query::without(ctx.query, &SAID_ONCE);
    let kept = kept.map(|query| format!("{query}&")).unwrap_or_default();
    let link = |t: &'static Texts| LanguageLink {
        lang: t.lang,
        name: t.language_name,
        href: ctx.link(&format!("{}?{kept}lang={}", ctx.path, t.lang)),
        current: t.lang == ctx.t.lang,
    };
    LANGUAGES.into_iter().map(link).collect()
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
    /// For people of staff.
    staff_url: Option<String>,
    logout_url: String,
    login_url: String,
    landing_url: String,
    inactivity_ms: u64,
    expires_in_ms: u64,
    /// Until the session ends whatever anybody does.
    whole_ms: u64,
    /// Opens the drafts of this person, and of nobody else.
    draft_key: String,
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
    languages: Vec<LanguageLink>,
    footer: Vec<(String, String)>,
    form_token: String,
    pub(crate) person: Option<Person>,
    #[serde(skip)]
    t: &'static Texts,
}

impl Shell {
    /// A page before the log-in, or without regard to it.
    pub(crate) fn new(ctx: &Ctx<'_>, page: &'static str, title: &str) -> Result<Self, Fault> {
        let word = ctx.query_value("notice");
        let mut shell = Self::bare(ctx.shared, ctx.t, page, title);
        shell.form_token = ctx.form_token()?;
        shell.languages = languages(ctx);
        if let Some(word) = word {
            shell.notice(&word);
        }
        Ok(shell)
    }

    /// A page for which there is no context.
    pub(crate) fn bare(
        shared: &Shared,
        t: &'static Texts,
        page: &'static str,
        title: &str,
    ) -> Self {
        Self {
            page,
            title: title.to_owned(),
            site_name: shared.settings.site_name.clone(),
            links: Links::new(shared),
            notice: None,
            languages: Vec::new(),
            footer: shared.looks.of(None).links(t),
            form_token: String::new(),
            person: None,
            t,
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
        let organizations: Vec<OrganizationView> = memberships(ctx.t, profile)
            .into_iter()
            .map(|(id, roles)| OrganizationView {
                name: names.get(id).cloned().unwrap_or_else(|| id.to_string()),
                href: ctx.switch_url(id),
                current: Some(id) == organization,
                id: id.to_string(),
                roles,
            })
            .collect();
        shell.at(ctx, organization);
        let session = ctx.session()?;
        shell.person = Some(person(ctx, session, profile, organization, organizations)?);
        Ok(shell)
    }

    /// Gives the page the look of an organization.
    pub(crate) fn at(&mut self, ctx: &Ctx<'_>, organization: Option<&OrganizationId>) {
        let look = ctx.shared.looks.of(organization);
        self.links = Links::new(ctx.shared).in_look(ctx.shared, look);
        self.footer = look.links(ctx.t);
    }

    /// Says the text of a notice word, if it is one of ours.
    pub(crate) fn notice(&mut self, word: &str) {
        self.notice = self.t.notice(word).map(|(text, good)| Note { text, good });
    }

    /// Says why the person is here again.
    pub(crate) fn say(&mut self, text: &'static str) {
        self.notice = Some(Note { text, good: false });
    }

    /// Puts "Error:" before the title, for who hears the page.
    pub(crate) fn mark_error(&mut self) {
        self.title = fill(self.t.error_title, &[("title", &self.title)]);
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
        name: format!("{} {}", profile.called(), profile.family_name),
        given_name: profile.given_name.clone(),
        login_id: profile.login_id.clone(),
        family: session.family.clone(),
        account_url: ctx.link("/account"),
        password_url: ctx.link("/account/password"),
        staff_url: is_staff(&profile.memberships, &ctx.portal().policy().staff)
            .then(|| ctx.link("/staff")),
        logout_url: ctx.link("/logout"),
        login_url: ctx.login_url(Some(profile.account), location.as_ref(), None)?,
        landing_url: landing_url(ctx, landing),
        inactivity_ms: millis(session.verified.inactivity_timeout()),
        expires_in_ms: millis(session.expires_in),
        whole_ms: millis(whole_left(ctx, session)),
        draft_key: draft_key(ctx, profile)?,
        warn_first: ctx.t.span(WARN_FIRST.min(limit / 4)),
        warn_last: ctx.t.span(WARN_LAST.min(limit / 20)),
        organization: organizations
            .iter()
            .find(|o| o.current)
            .map(|o| o.name.clone()),
        organizations,
    })
}

/// How long the session lasts if somebody is always active.
fn whole_left(ctx: &Ctx<'_>, session: &Session) -> Duration {
    let absolute = ctx.portal().policy().session.absolute_timeout;
    let end = session.verified.started_at().plus(absolute);
    end.since(ctx.portal().now().latest)
}

/// The same for every session of a person, so that the next log-in opens what this one kept.
fn draft_key(ctx: &Ctx<'_>, profile: &Profile) -> Result<String, Fault> {
    let key = ctx.portal().tag(&[b"drafts", profile.account.as_bytes()])?;
    Ok(data_encoding::BASE64URL_NOPAD.encode(&key))
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
pub(crate) fn memberships<'p>(
    t: &Texts,
    profile: &'p Profile,
) -> Vec<(&'p OrganizationId, Vec<&'static str>)> {
    let mut list: Vec<(&OrganizationId, Vec<&'static str>)> = Vec::new();
    for membership in &profile.memberships {
        let role = t.role(&membership.role).1;
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

    /// One more field, empty if it is not there yet.
    pub(crate) fn add(&mut self, name: &'static str) {
        self.fields.entry(name).or_default();
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
    pub(crate) fn wrong_all(&mut self, t: &Texts, name: &'static str, issues: &[Issue]) {
        let said = issues.iter().map(|issue| issue.text.in_language(t));
        let texts: Vec<String> = said.collect();
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
    let html = ctx.shared.renderer.render(ctx.t, template, view)?;
    let mut reply = Reply::page(status, ctx.t, html);
    if let Some(chosen) = ctx.query_value("lang").as_deref().and_then(language::known) {
        reply = reply.cookie(ctx.shared.cookies.set(CookieKind::Language, chosen.lang));
    }
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
            normal: ctx.t.span(session.inactivity_timeout),
            shared: ctx.t.span(session.shared_computer_timeout),
        }
    }
}
