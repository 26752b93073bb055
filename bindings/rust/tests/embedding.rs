//! The portal inside an application: as a tower service, as a layer, with axum's extractors.
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use narthex::axum::{FreshSession, Header, MaybeSession, Organization, Session};
use narthex::core::BrowserSecret;
use narthex::core::portal::LogIn;
use narthex::core::rules::claim::ClaimEvidence;
use narthex::core::rules::question::SecurityAnswers;
use narthex::http::{PortalService, Settings};
use narthex::tower::{Mount, ProtectLayer, Visit};
use narthex::{
    AppOrganization, AppPrefix, Asker, Host, LoginId, OpenOptions, Password, Portal, SystemEntropy,
    VerifiedSession,
};
use narthex_conformance::TestHasher;
use tower::{Layer, ServiceExt, service_fn};

const ORIGIN: &str = "http://127.0.0.1:8080";
const PAGE: &str = "/timetable/10001/friday";

/// The sample school, its portal below `/portal`, and the cookie of a pupil of school 10001.
async fn school() -> (Portal, PortalService, String) {
    let mut options = OpenOptions::new("memory:".parse().unwrap());
    let app = AppPrefix::parse("/timetable/", AppOrganization::FromPath).unwrap();
    options.policy.apps.push(app);
    let host = Host::system(Arc::new(TestHasher::new(8)));
    let portal = narthex::open_with(options, host).await.unwrap();
    let roster = "../../examples/rosters/oneroster-v1p2-98-users";
    let report = narthex::import_roster(&portal, roster).await.unwrap();
    assert!(report.added > 90);
    let settings = Settings::new(&format!("{ORIGIN}/portal")).unwrap();
    let service = PortalService::new(portal.clone(), settings).unwrap();
    let cookie = format!("narthex={}", log_in(&portal).await);
    (portal, service, cookie)
}

async fn log_in(portal: &Portal) -> String {
    let asker = Asker::default();
    let browser = BrowserSecret::generate(&SystemEntropy).unwrap();
    let evidence = ClaimEvidence::parse("Ora", "Klein", "2000-04-02", "13001").unwrap();
    let ticket = portal
        .begin_claim(evidence, &browser, &asker)
        .await
        .unwrap();
    let password = Password::parse("seven leagues of lace").unwrap();
    let set = portal.set_claim_password(&ticket, &browser, password.clone());
    let ticket = set.await.unwrap();
    let answers = SecurityAnswers::new().with("first_toy", "Sir Knits");
    let answers = answers.with("first_song", "Frog Parade");
    let finish = portal.finish_claim(&ticket, &browser, answers, &asker);
    finish.await.unwrap();
    let request = LogIn {
        login_id: LoginId::parse("13001").unwrap(),
        password,
        shared_computer: false,
        presented: None,
    };
    portal
        .log_in(request, &asker)
        .await
        .unwrap()
        .token
        .expose()
        .to_string()
}

fn request(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 4321));
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8080")
        .extension(ConnectInfo(peer));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// A navigation with this cookie.
fn navigation(path: &str, cookie: &str) -> Request<Body> {
    let headers = [
        ("cookie", cookie),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-user", "?1"),
    ];
    request(Method::GET, path, &headers, "")
}

async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn location(response: &Response<Body>) -> &str {
    response
        .headers()
        .get("location")
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn an_axum_application_has_the_portal_beside_its_pages() {
    let (_, portal, cookie) = school().await;
    let page = |header: Header, Session(session): Session, at: Organization| async move {
        format!("{} {} {}", at.0, session.account().to_hex().len(), header.0)
    };
    let app = Router::new()
        .route(PAGE, get(page))
        .route_layer(ProtectLayer::new(portal.clone()))
        .fallback_service(Mount::new(portal));
    let ask = |request| app.clone().oneshot(request);

    let answer = ask(navigation(PAGE, &cookie)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body = text(answer).await;
    assert!(body.starts_with("10001 32 <narthex-header "), "{body}");
    assert!(body.contains("Ora Klein") && body.contains("action=\"/portal/logout\""));

    let answer = ask(navigation(PAGE, "")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(location(&answer), format!("/portal/login?return_to={PAGE}"));
    let answer = ask(navigation("/portal/login", "")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = ask(navigation("/.well-known/change-password", ""))
        .await
        .unwrap();
    assert_eq!(location(&answer), "/portal/account/password");
    let answer = ask(navigation("/no/such/page", "")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_axum_nests_is_judged_by_the_whole_location() {
    let (_, portal, cookie) = school().await;
    let page = |Extension(visit): Extension<Visit>| async move {
        visit.location().unwrap().as_str().to_owned()
    };
    let pages = Router::new()
        .route("/{organization}/{day}", get(page))
        .layer(ProtectLayer::new(portal.clone()));
    let app = Router::new()
        .nest("/timetable", pages)
        .nest_service("/portal", Mount::new(portal));
    let ask = |request| app.clone().oneshot(request);
    let answer = ask(navigation("/timetable/10001/friday?week=3", &cookie))
        .await
        .unwrap();
    assert_eq!(text(answer).await, "/timetable/10001/friday?week=3");
    let answer = ask(navigation("/timetable/10002/friday", &cookie))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let answer = ask(navigation("/portal/login", "")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn p06_what_is_refused_never_reaches_the_application() {
    let (portal, service, cookie) = school().await;
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let page = move || async move { counted.fetch_add(1, SeqCst).to_string() };
    let app = Router::new()
        .route(
            "/timetable/{organization}/{day}",
            get(page.clone()).post(page),
        )
        .layer(ProtectLayer::new(service));
    let ask = |request| app.clone().oneshot(request);
    let cross = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "cross-site"),
    ];
    let (rest, last) = cookie.split_at(cookie.len() - 1);
    let forged = format!("{rest}{}", if last == "x" { "y" } else { "x" });
    for (request, status) in [
        (navigation(PAGE, ""), StatusCode::SEE_OTHER),
        (navigation(PAGE, &forged), StatusCode::CONFLICT),
        (
            navigation("/timetable/10002/friday", &cookie),
            StatusCode::FORBIDDEN,
        ),
        (
            navigation(PAGE, &format!("{cookie}; {cookie}")),
            StatusCode::BAD_REQUEST,
        ),
        (
            request(Method::GET, PAGE, &[], ""),
            StatusCode::UNAUTHORIZED,
        ),
        (
            request(Method::POST, PAGE, &cross, ""),
            StatusCode::FORBIDDEN,
        ),
    ] {
        assert_eq!(ask(request).await.unwrap().status(), status);
    }
    assert_eq!(reached.load(SeqCst), 0);
    assert_eq!(
        ask(navigation(PAGE, &cookie)).await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(reached.load(SeqCst), 1);

    let token = narthex::SessionToken::parse(&cookie["narthex=".len()..]).unwrap();
    portal.log_out(&token, &Asker::default()).await.unwrap();
    let answer = ask(navigation(PAGE, &cookie)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(
        location(&answer).ends_with("&reason=log_out"),
        "{}",
        location(&answer)
    );
    assert_eq!(reached.load(SeqCst), 1);
}

#[tokio::test]
async fn pages_for_anybody_and_fresh_sessions_have_extractors_of_their_own() {
    let (_, portal, cookie) = school().await;
    let who = |MaybeSession(session): MaybeSession| async move { session.is_some().to_string() };
    let fresh = |_: FreshSession, extension: Option<Extension<VerifiedSession>>| async move {
        extension.is_some().to_string()
    };
    let app = Router::new()
        .route("/timetable/10001/door", get(who))
        .layer(ProtectLayer::for_anybody(portal.clone()))
        .route(
            "/timetable/10001/safe",
            get(fresh).layer(ProtectLayer::new(portal)),
        );
    let ask = |path, cookie: &str| app.clone().oneshot(navigation(path, cookie));
    let door = "/timetable/10001/door";
    assert_eq!(text(ask(door, "").await.unwrap()).await, "false");
    assert_eq!(text(ask(door, &cookie).await.unwrap()).await, "true");
    let safe = ask("/timetable/10001/safe", &cookie).await.unwrap();
    assert_eq!(text(safe).await, "true");
}

#[tokio::test]
async fn p06_an_extractor_outside_of_the_layer_admits_nobody() {
    let (_, _, cookie) = school().await;
    let app = Router::new()
        .route("/session", get(|_: Session| async { "in" }))
        .route("/maybe", get(|_: MaybeSession| async { "in" }))
        .route("/fresh", get(|_: FreshSession| async { "in" }))
        .route("/organization", get(|_: Organization| async { "in" }))
        .route("/header", get(|_: Header| async { "in" }));
    for path in ["/session", "/maybe", "/fresh", "/organization", "/header"] {
        let answer = app
            .clone()
            .oneshot(navigation(path, &cookie))
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
    }
}

#[tokio::test]
async fn a_portal_that_is_not_told_who_asks_says_so() {
    let (_, portal, _) = school().await;
    let mut request = navigation("/portal/login", "");
    request.extensions_mut().clear();
    let answer = Mount::new(portal).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn without_a_framework_the_portal_answers_its_paths_and_the_application_all_others() {
    let (_, portal, cookie) = school().await;
    let page = service_fn(|request: Request<Body>| async move {
        let visit: Option<&Visit> = request.extensions().get();
        let at = visit.and_then(Visit::organization).unwrap().to_string();
        Ok::<_, std::convert::Infallible>(Response::new(Body::from(at)))
    });
    let pages = ProtectLayer::new(portal.clone()).layer(page);
    let address = IpAddr::from(Ipv4Addr::LOCALHOST);
    let app = Mount::new(portal).layer(pages).for_peer(address);
    let ask = |mut request: Request<Body>| {
        request.extensions_mut().clear();
        app.clone().oneshot(request)
    };
    let answer = ask(navigation("/portal/login", "")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = ask(navigation(PAGE, &cookie)).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "10001");
    let answer = ask(navigation("/portal", "")).await.unwrap();
    assert_eq!(
        answer.status(),
        StatusCode::SEE_OTHER,
        "the application's, and protected"
    );
}

#[tokio::test]
async fn wb16_bodies_are_limited_for_the_portal_and_are_the_applications_own_elsewhere() {
    let (_, portal, cookie) = school().await;
    let app = Router::new()
        .route(
            PAGE,
            post(|body: axum::body::Bytes| async move { body.len().to_string() }),
        )
        .route_layer(ProtectLayer::new(portal.clone()))
        .fallback_service(Mount::new(portal));
    let large = vec![b'a'; 1 << 20];
    let headers = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let sent = request(Method::POST, PAGE, &headers, large.clone());
    let answer = app.clone().oneshot(sent).await.unwrap();
    assert_eq!(text(answer).await, "1048576");
    let sent = request(Method::POST, "/portal/login", &headers, large);
    let answer = app.oneshot(sent).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn stop_ends_the_event_streams_that_a_graceful_stop_would_wait_for() {
    let (_, portal, cookie) = school().await;
    let mount = Mount::new(portal);
    let events = navigation("/portal/api/v1/events", &cookie);
    let answer = mount.clone().oneshot(events).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    let hello = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(
        hello.starts_with(b"event: hello") || hello.starts_with(b"retry"),
        "{hello:?}"
    );
    let silence = tokio::time::timeout(Duration::from_millis(100), body.frame());
    assert!(silence.await.is_err(), "nothing has happened");
    mount.stop();
    let end = tokio::time::timeout(Duration::from_secs(5), body.frame()).await;
    assert!(end.unwrap().is_none());
}
