//! A timetable of two schools with the portal beside it, on hyper: the README says what to expect.

use std::error::Error;

use http::{Request, Response, header::CONTENT_TYPE};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use narthex::http::{PortalService, Settings};
use narthex::tower::{Mount, ProtectLayer, Visit};
use narthex::{AppOrganization, AppPrefix, OpenOptions, Policy, Portal};
use tokio::net::TcpListener;
use tower::{Layer, service_fn};

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
    let pages = ProtectLayer::new(portal.clone()).layer(service_fn(page));
    let application = Mount::new(portal).layer(pages);
    loop {
        let (stream, address) = listener.accept().await?;
        let service = TowerToHyperService::new(application.for_peer(address.ip()));
        let http = Builder::new(TokioExecutor::new());
        tokio::spawn(async move { http.serve_connection(TokioIo::new(stream), service).await });
    }
}

async fn page(request: Request<Incoming>) -> Fallible<Response<String>> {
    let answer = |kind, body| Response::builder().header(CONTENT_TYPE, kind).body(body);
    let path = request.uri().path();
    if path == "/timetable.css" {
        return Ok(answer("text/css", STYLE.to_owned())?);
    }
    let visit: &Visit = request.extensions().get().ok_or("not protected")?;
    let school = visit.organization_or_default().await?;
    let known = DAYS.iter().find(|day| path.ends_with(**day));
    let page = PAGE.replace("{day}", known.unwrap_or(&"monday"));
    let page = page.replace("{organization}", school.ok_or("of no school")?.as_str());
    let page = page.replace("{header}", &visit.header().await?);
    Ok(answer("text/html; charset=utf-8", page)?)
}

#[tokio::main]
async fn main() -> Fallible<()> {
    let mut options = OpenOptions::new("memory:".parse()?);
    options.policy = policy()?;
    let portal = narthex::open(options).await?;
    tokio::spawn(narthex::tower::maintain(portal.clone()));
    narthex::import_roster(&portal, "examples/rosters/oneroster-v1p2-98-users").await?;
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8082")).await?;
    println!("http://{}/timetable/10001/friday", listener.local_addr()?);
    serve(portal, listener).await
}
