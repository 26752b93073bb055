//! What monitors ask, on a listener of its own: `/healthz`, `/readyz`, `/metrics`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use narthex::argon2::HashLoad;
use narthex::core::rules::time::FUTURE_TOLERANCE;
use narthex::core::store::records::time_floor_cell;
use narthex::http::{Body, Peer};
use narthex::hyper::Handler;
use serde::Serialize;
use tokio::time::timeout;

use crate::control::Desk;
use crate::meters::Meters;

/// A store that does not answer for so long is not ready.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers monitors.
#[derive(Clone)]
pub(crate) struct Management {
    desk: Desk,
    meters: Arc<Meters>,
}

/// Whether people can be served, and why not. What is not good but serves is a warning.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    store: &'static str,
    hash_queue: &'static str,
    hash_places_taken: usize,
    hash_places_max: usize,
    clock: &'static str,
    clock_difference_s: u64,
    keys: &'static str,
    warnings: Vec<String>,
}

impl Management {
    pub(crate) fn new(desk: Desk, meters: Arc<Meters>) -> Self {
        Self { desk, meters }
    }

    async fn readiness(&self) -> Readiness {
        let answer = timeout(STORE_TIMEOUT, self.desk.store.read_cell(&time_floor_cell())).await;
        let store = match answer {
            Ok(Ok(_)) => "ok",
            Ok(Err(_)) => "failed",
            Err(_) => "no answer",
        };
        let HashLoad {
            places_taken,
            places_max,
            ..
        } = self.desk.hasher.load();
        let hash_queue = if places_taken < places_max {
            "ok"
        } else {
            "full"
        };
        let mut warnings = Vec::new();
        let difference = clock_difference(&self.desk);
        if let Some(warning) = clock_warning(difference) {
            warnings.push(warning);
        }
        let keys = self.keys_on_disk();
        if let Some(path) = keys {
            warnings.push(format!(
                "the key file {} is gone: put it back from its backup before the next start, or \
                 nothing in the store can be read any more",
                path.display()
            ));
        }
        Readiness {
            ready: store == "ok" && hash_queue == "ok",
            store,
            hash_queue,
            hash_places_taken: places_taken,
            hash_places_max: places_max,
            clock: if difference > FUTURE_TOLERANCE {
                "behind"
            } else {
                "ok"
            },
            clock_difference_s: difference.as_secs(),
            keys: if keys.is_some() { "gone" } else { "ok" },
            warnings,
        }
    }

    /// The key file, where there should be one and is none.
    fn keys_on_disk(&self) -> Option<&PathBuf> {
        self.desk.keys.as_ref().filter(|path| !path.exists())
    }

    fn metrics(&self) -> Response<Body> {
        let difference = clock_difference(&self.desk);
        match self.meters.text(self.desk.hasher.load(), difference) {
            Ok(text) => answer(StatusCode::OK, METRICS, text),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "failed\n"),
        }
    }
}

impl Handler for Management {
    async fn body_bytes_max(&self, _: &Parts) -> usize {
        0
    }

    async fn handle(&self, request: Request<Bytes>, _: Peer) -> Response<Body> {
        let known = matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics");
        if known && !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        match request.uri().path() {
            "/healthz" => plain(StatusCode::OK, "ok\n"),
            "/readyz" => {
                let readiness = self.readiness().await;
                let status = if readiness.ready {
                    StatusCode::OK
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                };
                let body = serde_json::to_string(&readiness).unwrap_or_default();
                answer(status, "application/json", body)
            }
            "/metrics" => self.metrics(),
            _ => plain(StatusCode::NOT_FOUND, "/healthz, /readyz, /metrics\n"),
        }
    }
}

/// How far the wall clock is behind the portal's time.
pub(crate) fn clock_difference(desk: &Desk) -> Duration {
    let now = desk.portal.now();
    now.latest.since(now.earliest)
}

/// What to tell of it, if it is too far.
pub(crate) fn clock_warning(difference: Duration) -> Option<String> {
    (difference > FUTURE_TOLERANCE).then(|| {
        format!(
            "the wall clock is {} minutes behind the time that the store has seen: sessions end \
             by the later one, waits by the earlier. Set the clock right",
            difference.as_secs() / 60
        )
    })
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", text)
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Full(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use narthex::argon2::HashSettings;
    use narthex::core::host::PasswordHasher;
    use narthex::core::store::{Cell, ChangeSet};
    use narthex::{OpenOptions, StoreUrl};

    use super::*;

    fn options() -> OpenOptions {
        let mut options = OpenOptions::new(StoreUrl::Memory);
        options.hashing = HashSettings {
            workers: 1,
            queue: 1,
            ..HashSettings::default()
        };
        options
    }

    async fn management(options: OpenOptions) -> Management {
        let meters = Meters::new();
        let desk = Desk::metered(options, &meters).await.unwrap();
        Management::new(desk, meters)
    }

    #[tokio::test]
    async fn a_house_in_order_is_ready_without_a_warning() {
        let readiness = management(options()).await.readiness().await;
        assert!(
            readiness.ready && readiness.warnings.is_empty(),
            "{readiness:?}"
        );
    }

    #[tokio::test]
    async fn a_full_hash_queue_is_not_ready_until_there_is_a_place_again() {
        let management = management(options()).await;
        let places = [
            management.desk.hasher.admit().unwrap(),
            management.desk.hasher.admit().unwrap(),
        ];
        let full = management.readiness().await;
        assert!(!full.ready);
        assert_eq!((full.hash_queue, full.hash_places_taken), ("full", 2));
        drop(places);
        assert!(management.readiness().await.ready);
    }

    #[tokio::test]
    async fn a_key_file_that_is_gone_is_a_warning_before_the_next_start_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options();
        let keys = folder.path().join("portal.keys");
        options.keys = Some(keys.clone());
        let management = management(options).await;
        assert_eq!(management.readiness().await.keys, "ok");
        std::fs::remove_file(keys).unwrap();
        let readiness = management.readiness().await;
        assert_eq!((readiness.ready, readiness.keys), (true, "gone"));
        assert!(
            readiness.warnings[0].contains("put it back"),
            "{readiness:?}"
        );
    }

    #[tokio::test]
    async fn p09_a_wall_clock_more_than_five_minutes_behind_the_store_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        for (minutes, warnings) in [(4, 0), (6, 1)] {
            let mut options = options();
            options.url = StoreUrl::Redb(folder.path().join(format!("{minutes}.redb")));
            options.keys = Some(folder.path().join("portal.keys"));
            let desk = Desk::open(options.clone()).await.unwrap();
            let floor = desk
                .portal
                .now()
                .latest
                .plus(Duration::from_secs(minutes * 60));
            let mut changes = ChangeSet::new();
            changes.raise(time_floor_cell(), floor.as_millis());
            desk.store.commit(changes).await.unwrap();
            drop(desk);
            let readiness = management(options).await.readiness().await;
            assert_eq!(readiness.warnings.len(), warnings, "{readiness:?}");
            assert!(readiness.ready);
        }
    }

    #[tokio::test]
    async fn what_is_committed_is_counted_and_what_is_refused_is_told_apart() {
        let management = management(options()).await;
        let store = Arc::clone(&management.desk.store);
        let cell = Cell::new("budget/1/x/y");
        for _ in 0..3 {
            let mut changes = ChangeSet::new();
            changes.add(cell.clone(), 1, Some(2));
            store.commit(changes).await.unwrap();
        }
        let load = management.desk.hasher.load();
        let text = management.meters.text(load, Duration::ZERO).unwrap();
        for line in [
            "narthex_commits_total{outcome=\"committed\"} 2",
            "narthex_commits_total{outcome=\"cap_reached\"} 1",
            "narthex_events_total{event=\"logged_in\"} 0",
            "narthex_hash_places_max 2",
            "narthex_store_seconds_count{operation=\"commit\"} 3",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
