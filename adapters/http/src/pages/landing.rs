//! The landing page of an organization, and what can be installed (S16).

use http::StatusCode;
use narthex_core::Refusal;
use narthex_core::hook::StatisticLine;
use narthex_core::model::{OrganizationId, Profile, Role};
use narthex_core::portal::{Count, Statistics};
use serde::Serialize;

use crate::catalogue::{Application, Download, Link};
use crate::context::Ctx;
use crate::problem::Fault;
use crate::reply::Reply;
use crate::texts::{Texts, fill};

use super::view::{Shell, page};

#[derive(Serialize)]
pub(crate) struct AppView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) sentence: String,
    pub(crate) href: String,
}

#[derive(Serialize)]
struct FileView {
    platform: String,
    version: String,
    size: String,
    url: Option<String>,
}

#[derive(Serialize)]
struct DownloadView {
    id: String,
    name: String,
    sentence: String,
    files: Vec<FileView>,
}

#[derive(Serialize)]
struct LinkView {
    name: String,
    sentence: String,
    href: String,
}

#[derive(Serialize)]
struct StatisticsRow {
    role: &'static str,
    listed: String,
    claimed: String,
    /// Whole per cent, where both counts are told.
    share: Option<u64>,
}

#[derive(Serialize)]
struct StatisticsView {
    title: String,
    rows: Vec<StatisticsRow>,
    today: String,
    /// What hooks add.
    more: Vec<MoreView>,
}

#[derive(Serialize)]
struct MoreView {
    label: String,
    value: String,
}

#[derive(Serialize)]
struct LandingView {
    shell: Shell,
    heading: String,
    organization: String,
    /// What happened to the account.
    messages: Vec<String>,
    messages_url: String,
    organization_id: String,
    /// Where to save recovery codes, for who has none.
    codes_url: Option<String>,
    apps: Vec<AppView>,
    downloads: Vec<DownloadView>,
    downloads_url: String,
    statistics: StatisticsView,
    links: Vec<LinkView>,
}

#[derive(Serialize)]
struct DownloadsView {
    shell: Shell,
    downloads: Vec<DownloadView>,
}

/// Who is asking, if they belong to the organization of the path. Read afresh: a membership that
/// was taken away is gone at the next request (AZ-03). Unknown organizations and foreign ones look
/// alike.
pub(crate) async fn member(ctx: &Ctx<'_>) -> Result<(Profile, OrganizationId), Fault> {
    let organization = ctx.organization_id()?;
    let profile = ctx.portal().profile(&ctx.session()?.verified).await?;
    if !profile.is_member(&organization) {
        return Err(Refusal::NotPermitted.into());
    }
    Ok((profile, organization))
}

/// The roles of a person in one organization.
pub(crate) fn roles_in<'p>(profile: &'p Profile, organization: &OrganizationId) -> Vec<&'p Role> {
    let here = profile
        .memberships
        .iter()
        .filter(|m| &m.organization == organization);
    here.map(|m| &m.role).collect()
}

/// The applications a person has in an organization.
pub(crate) fn entitled<'c>(
    ctx: &'c Ctx<'_>,
    profile: &Profile,
    organization: &OrganizationId,
) -> Vec<&'c Application> {
    let roles = roles_in(profile, organization);
    let all = &ctx.shared.settings.catalogue.applications;
    all.iter().filter(|app| app.is_for(&roles)).collect()
}

/// `GET /o/{organization}/`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (profile, organization) = member(ctx).await?;
    let names = ctx.organization_names().await?;
    let name = names
        .get(&organization)
        .cloned()
        .unwrap_or_else(|| organization.to_string());
    let statistics = ctx
        .portal()
        .statistics(&ctx.session()?.verified, &organization)
        .await?;
    let more = ctx
        .portal()
        .more_statistics(&ctx.session()?.verified, &organization, ctx.t.lang)
        .await?;
    let catalogue = &ctx.shared.settings.catalogue;
    let heading = fill(ctx.t.greeting, &[("name", profile.called())]);
    let account = ctx.session()?.verified.account();
    let codes_left = ctx.portal().recovery_codes_left(account).await?;
    let view = LandingView {
        messages: super::messages::lines(ctx).await?,
        messages_url: ctx.link("/account/messages"),
        organization_id: organization.to_string(),
        codes_url: (codes_left == 0).then(|| ctx.link("/account/recovery-codes")),
        shell: Shell::for_person(ctx, "landing", &name, &profile, Some(&organization)).await?,
        heading,
        apps: entitled(ctx, &profile, &organization)
            .into_iter()
            .map(|app| app_view(ctx, &organization, app))
            .collect(),
        downloads: catalogue.downloads.iter().map(download_view).collect(),
        downloads_url: ctx.link(&format!("/o/{organization}/downloads")),
        statistics: statistics_view(ctx.t, &name, &statistics, more),
        links: catalogue
            .links
            .iter()
            .map(|link| link_view(ctx, link))
            .collect(),
        organization: name,
    };
    page(ctx, StatusCode::OK, "landing.html", &view)
}

/// `GET /o/{organization}/downloads`
pub(crate) async fn downloads(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (profile, organization) = member(ctx).await?;
    let title = ctx.t.downloads_title;
    let view = DownloadsView {
        shell: Shell::for_person(ctx, "downloads", title, &profile, Some(&organization)).await?,
        downloads: ctx
            .shared
            .settings
            .catalogue
            .downloads
            .iter()
            .map(download_view)
            .collect(),
    };
    page(ctx, StatusCode::OK, "downloads.html", &view)
}

pub(crate) fn app_view(ctx: &Ctx<'_>, organization: &OrganizationId, app: &Application) -> AppView {
    AppView {
        id: app.id.clone(),
        name: app.name.clone(),
        sentence: app.sentence.clone(),
        href: ctx.link(&format!("/o/{organization}/apps/{}", app.id)),
    }
}

fn download_view(download: &Download) -> DownloadView {
    let files = download.files.iter().map(|file| FileView {
        platform: file.platform.clone(),
        version: file.version.clone(),
        size: size(file.bytes),
        url: file.url.clone(),
    });
    DownloadView {
        id: download.id.clone(),
        name: download.name.clone(),
        sentence: download.sentence.clone(),
        files: files.collect(),
    }
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes < MIB {
        format!("{} KB", bytes.div_ceil(1024))
    } else {
        format!("{} MB", bytes.div_ceil(MIB))
    }
}

fn link_view(ctx: &Ctx<'_>, link: &Link) -> LinkView {
    LinkView {
        name: link.name.clone(),
        sentence: link.sentence.clone(),
        href: link.url.clone().unwrap_or_else(|| ctx.link("/help")),
    }
}

fn count(t: &Texts, count: Count) -> String {
    match count {
        Count::Exactly(n) => n.to_string(),
        Count::FewerThan(n) => fill(t.statistics_fewer_than, &[("n", &n.to_string())]),
    }
}

fn statistics_view(
    t: &Texts,
    name: &str,
    statistics: &Statistics,
    more: Vec<StatisticLine>,
) -> StatisticsView {
    let rows = statistics.people.iter().map(|people| StatisticsRow {
        role: t.role(&people.role).0,
        listed: count(t, people.listed),
        claimed: count(t, people.claimed),
        share: match (people.listed, people.claimed) {
            (Count::Exactly(listed), Count::Exactly(claimed)) => {
                (100 * claimed.min(listed)).checked_div(listed)
            }
            _ => None,
        },
    });
    let today = count(t, statistics.log_ins_today);
    StatisticsView {
        title: fill(t.statistics_title, &[("organization", name)]),
        rows: rows.collect(),
        today: fill(t.statistics_today, &[("count", &today)]),
        more: more
            .into_iter()
            .map(|StatisticLine { label, value }| MoreView { label, value })
            .collect(),
    }
}
