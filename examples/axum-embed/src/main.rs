//! A timetable of two schools with the portal beside it, on axum: the README says what to expect.

use std::{error::Error, net::SocketAddr};

use axum::response::{Html, Redirect};
use axum::{Router, extract, http::header::CONTENT_TYPE, routing::get};
use narthex::axum::{Header, Organization};
use narthex::http::{PortalService, Settings};
use narthex::tower::{Mount, ProtectLayer};
use narthex::{AppOrganization, AppPrefix, OpenOptions, Policy, Portal};
use tokio::net::TcpListener;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;
const DAYS: [&str; 2] = ["tuesday", "friday"];
const PAGE: &str = include_str!("../../timetable/day.html");
const STYLE: &str = include_str!("../../timetable/timetable.css");

/// Pages below `/timetable/` name their organization: `/timetable/10001/friday`.
pub(crate) fn policy() -> Fallible<Policy> {
    let mut policy = Policy::default();
    policy
        .apps
        .push(AppPrefix::parse("/timetable/", AppOrganization::FromPath)?);
    Ok(policy)
}

/// The timetable and, below `/portal/`, the portal.
pub(crate) async fn serve(portal: Portal, listener: TcpListener) -> Fallible<()> {
    let url = format!("http://{}/portal", listener.local_addr()?);
    let portal = PortalService::new(portal, Settings::new(&url)?)?;
    let style = || async { ([(CONTENT_TYPE, "text/css")], STYLE) };
    let application = Router::new()
        .route(
            "/timetable/{organization}/",
            get(|| async { Redirect::to("monday") }),
        )
        .route("/timetable/{organization}/{day}", get(day))
        .route_layer(ProtectLayer::new(portal.clone()))
        .route("/timetable.css", get(style))
        .fallback_service(Mount::new(portal));
    let service = application.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

type Segments = extract::Path<(String, String)>;

async fn day(header: Header, Organization(school): Organization, path: Segments) -> Html<String> {
    let known = DAYS.iter().find(|day| **day == path.1);
    let page = PAGE.replace("{organization}", school.as_str());
    let page = page.replace("{day}", known.unwrap_or(&"monday"));
    Html(page.replace("{header}", &header.0))
}

#[tokio::main]
async fn main() -> Fallible<()> {
    let mut options = OpenOptions::new("memory:".parse()?);
    options.policy = policy()?;
    let portal = narthex::open(options).await?;
    tokio::spawn(narthex::tower::maintain(portal.clone()));
    narthex::import_roster(&portal, "examples/rosters/oneroster-v1p2-98-users").await?;
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8081")).await?;
    println!("http://{}/timetable/10001/friday", listener.local_addr()?);
    serve(portal, listener).await
}
