//! Reference screens of applications: deep enough to see that one comes back to the same place.

use http::StatusCode;
use narthex_core::Refusal;
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::{Fault, Problem};
use crate::reply::Reply;
use crate::texts::{EN, fill};

use super::landing::{AppView, app_view, entitled, member};
use super::view::{Shell, page};

/// The projects every reference application has.
const PROJECTS: u16 = 12;
const TABS: [(&str, &str); 3] = [
    ("overview", EN.tab_overview),
    ("runs", EN.tab_runs),
    ("settings", EN.tab_settings),
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
            EN.projects_title.to_owned(),
            projects(&projects_url),
            Vec::new(),
        ),
        (project, _) => {
            let number = project_number(project).ok_or_else(Problem::not_found)?;
            let url = format!("{projects_url}/{number}");
            (project_name(number), Vec::new(), tabs(ctx, &url)?)
        }
    };
    let location = ctx.location().map(|location| location.as_str().to_owned());
    let view = AppScreen {
        shell: Shell::for_person(ctx, "app", &heading, &profile, Some(&organization)).await?,
        heading,
        app,
        projects_url,
        projects,
        tabs,
        location: location.unwrap_or_default(),
    };
    page(ctx, StatusCode::OK, "app.html", &view)
}

fn project_name(number: u16) -> String {
    fill(EN.project_title, &[("number", &number.to_string())])
}

fn projects(url: &str) -> Vec<Item> {
    let item = |number: u16| Item {
        id: number.to_string(),
        name: project_name(number),
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
    let item = |(id, name): (&str, &str)| Item {
        id: id.to_owned(),
        name: name.to_owned(),
        href: format!("{url}?tab={id}"),
        current: id == wanted,
    };
    Ok(TABS.into_iter().map(item).collect())
}
