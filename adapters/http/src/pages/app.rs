//! Reference screens of applications: deep enough to see that one comes back to the same place.

use http::StatusCode;
use narthex_core::Refusal;
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::{Fault, Problem};
use crate::reply::Reply;
use crate::texts::{Text, Texts, fill};

use super::landing::{AppView, app_view, entitled, member};
use super::view::{Shell, page};

/// The projects every reference application has.
const PROJECTS: u16 = 12;
const TABS: [(&str, Text); 3] = [
    ("overview", |t| t.tab_overview),
    ("runs", |t| t.tab_runs),
    ("settings", |t| t.tab_settings),
];

#[derive(Serialize)]
struct Item {
    id: String,
    name: String,
    href: String,
    current: bool,
}

#[derive(Serialize)]
struct AppScreen {
    shell: Shell,
    heading: String,
    app: AppView,
    projects_url: String,
    projects: Vec<Item>,
    tabs: Vec<Item>,
    /// A text field, to see that a draft outlives a log-out.
    note: bool,
    location: String,
}

/// `GET /o/{organization}/apps/{app}`, `.../projects`, `.../projects/{project}?tab=...`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let (profile, organization) = member(ctx).await?;
    let known = ctx.shared.settings.catalogue.application(ctx.param("app"));
    let app = known.ok_or_else(Problem::not_found)?;
    if !entitled(ctx, &profile, &organization).contains(&app) {
        return Err(Refusal::NotPermitted.into());
    }
    let app = app_view(ctx, &organization, app);
    let projects_url = format!("{}/projects", app.href);
    let (heading, projects, tabs) = match (ctx.param("project"), ctx.path.ends_with("/projects")) {
        ("", false) => (app.name.clone(), Vec::new(), Vec::new()),
        ("", true) => (
            ctx.t.projects_title.to_owned(),
            projects(ctx.t, &projects_url),
            Vec::new(),
        ),
        (project, _) => {
            let number = project_number(project).ok_or_else(Problem::not_found)?;
            let url = format!("{projects_url}/{number}");
            (project_name(ctx.t, number), Vec::new(), tabs(ctx, &url)?)
        }
    };
    let location = ctx.location().map(|location| location.as_str().to_owned());
    let note = tabs.iter().any(|tab| tab.current && tab.id == "settings");
    let view = AppScreen {
        shell: Shell::for_person(ctx, "app", &heading, &profile, Some(&organization)).await?,
        heading,
        app,
        projects_url,
        projects,
        tabs,
        note,
        location: location.unwrap_or_default(),
    };
    page(ctx, StatusCode::OK, "app.html", &view)
}

fn project_name(t: &Texts, number: u16) -> String {
    fill(t.project_title, &[("number", &number.to_string())])
}

fn projects(t: &Texts, url: &str) -> Vec<Item> {
    let item = |number: u16| Item {
        id: number.to_string(),
        name: project_name(t, number),
        href: format!("{url}/{number}"),
        current: false,
    };
    (1..=PROJECTS).map(item).collect()
}

/// One written form of a number: no signs, no leading zeros.
fn project_number(text: &str) -> Option<u16> {
    let number = text.parse().ok().filter(|n| (1..=PROJECTS).contains(n))?;
    (number.to_string() == text).then_some(number)
}

fn tabs(ctx: &Ctx<'_>, url: &str) -> Result<Vec<Item>, Fault> {
    let wanted = ctx
        .query_value("tab")
        .unwrap_or_else(|| "overview".to_owned());
    if !TABS.iter().any(|(id, _)| *id == wanted) {
        return Err(Problem::not_found().into());
    }
    let item = |(id, name): (&str, Text)| Item {
        id: id.to_owned(),
        name: name(ctx.t).to_owned(),
        href: format!("{url}?tab={id}"),
        current: id == wanted,
    };
    Ok(TABS.into_iter().map(item).collect())
}
