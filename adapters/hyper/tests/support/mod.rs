//! A small house to serve, and a client that speaks bytes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response, StatusCode};
use narthex_http::{Body, OnGrid, Peer};
use narthex_hyper::{Handler, Limits, Server, StopReport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// What has become of slow requests.
#[derive(Clone, Default)]
pub(crate) struct Probe(Arc<[AtomicUsize; 4]>);

impl Probe {
    fn count(&self, n: usize) {
        self.0[n].fetch_add(1, SeqCst);
    }
    pub(crate) fn begun(&self) -> usize {
        self.0[0].load(SeqCst)
    }
    pub(crate) fn ended(&self) -> usize {
        self.0[1].load(SeqCst)
    }
    pub(crate) fn dropped(&self) -> usize {
        self.0[2].load(SeqCst)
    }
    /// (ended, dropped), counted from zero again.
    pub(crate) fn take(&self) -> (usize, usize) {
        self.0[0].store(0, SeqCst);
        (self.0[1].swap(0, SeqCst), self.0[2].swap(0, SeqCst))
    }
}

struct Unfinished(Probe, bool);

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.count(if self.1 { 1 } else { 2 });
    }
}

#[derive(Clone)]
pub(crate) struct House {
    probe: Probe,
    events: broadcast::Sender<&'static str>,
}

impl Handler for House {
    async fn body_bytes_max(&self, head: &http::request::Parts) -> usize {
        if head.uri.path() == "/long" {
            64 * 1024
        } else {
            0
        }
    }

    async fn handle(&self, request: Request<Bytes>, _peer: Peer) -> Response<Body> {
        self.probe.count(3);
        let full = |bytes| Response::new(Body::Full(bytes));
        match request.uri().path() {
            "/" | "/hello" => full(Bytes::from_static(b"hello")),
            "/large" => full(Bytes::from(vec![b'x'; 64 << 20])),
            "/echo" | "/long" => full(request.into_body()),
            "/panic" => panic!("kaboom"),
            "/wrong" | "/wrong-too" => {
                let slower = request.uri().path() == "/wrong-too";
                tokio::time::sleep(Duration::from_millis(if slower { 30 } else { 0 })).await;
                let mut response = full(Bytes::from_static(b"no"));
                response.extensions_mut().insert(OnGrid);
                response
            }
            "/slow" | "/never" => {
                let mut unfinished = Unfinished(self.probe.clone(), false);
                self.probe.count(0);
                let never = request.uri().path() == "/never";
                let ms = if never { 60_000 } else { 300 };
                tokio::time::sleep(Duration::from_millis(ms)).await;
                unfinished.1 = true;
                full(Bytes::from_static(b"slow"))
            }
            "/events" => {
                let receiver = self.events.subscribe();
                let first = futures_util::stream::iter([Bytes::from_static(b"data: first\n\n")]);
                let more = futures_util::stream::unfold(receiver, |mut receiver| async {
                    let event = receiver.recv().await.ok()?;
                    Some((Bytes::from_static(event.as_bytes()), receiver))
                });
                Response::new(Body::Events(Box::pin(first.chain(more))))
            }
            _ => {
                let mut response = full(Bytes::new());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        }
    }
}

/// A server that runs, and what its handler saw.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) probe: Probe,
    events: broadcast::Sender<&'static str>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<StopReport>>,
}

pub(crate) async fn started(limits: Limits) -> Running {
    started_at(IpAddr::V4(Ipv4Addr::LOCALHOST), limits).await
}

pub(crate) async fn started_at(address: IpAddr, limits: Limits) -> Running {
    let (events, _) = broadcast::channel(8);
    let house = House {
        probe: Probe::default(),
        events,
    };
    let (probe, events) = (house.probe.clone(), house.events.clone());
    let server = Server::bind((address, 0), house, limits).await.unwrap();
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.serve(async { stopped.await.unwrap_or(()) }));
    Running {
        address,
        probe,
        events,
        stop: Some(stop),
        serving: Some(serving),
    }
}

impl Running {
    pub(crate) async fn client(&self) -> Client {
        Client {
            stream: TcpStream::connect(self.address).await.unwrap(),
            seen: Vec::new(),
        }
    }

    pub(crate) fn handled(&self) -> usize {
        self.probe.0[3].load(SeqCst)
    }

    pub(crate) fn say_event(&self, event: &'static str) {
        self.events.send(event).unwrap();
    }

    pub(crate) async fn until(&self, done: impl Fn(&Probe) -> bool) {
        let wait = async {
            while !done(&self.probe) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap();
    }

    pub(crate) async fn stop(&mut self) -> StopReport {
        drop(self.stop.take());
        timeout(PATIENCE, self.serving.take().unwrap())
            .await
            .unwrap()
            .unwrap()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Client {
    pub(crate) async fn say(&mut self, text: &str) {
        // The server may answer and stop listening before all is said.
        self.try_say(text).await;
    }

    pub(crate) async fn try_say(&mut self, text: &str) -> bool {
        matches!(
            timeout(PATIENCE, self.stream.write_all(text.as_bytes())).await,
            Ok(Ok(()))
        )
    }

    async fn more(&mut self) -> bool {
        let mut part = [0; 4096];
        match timeout(PATIENCE, self.stream.read(&mut part))
            .await
            .expect("an answer in time")
        {
            Ok(n) if n > 0 => {
                self.seen.extend_from_slice(&part[..n]);
                true
            }
            _ => false,
        }
    }

    pub(crate) async fn head(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = self.seen.windows(4).position(|part| part == b"\r\n\r\n") {
                break end;
            }
            assert!(self.more().await, "closed before an answer");
        };
        let head: Vec<u8> = self.seen.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap()[9..12].parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answer {
            status,
            headers,
            body: Vec::new(),
        }
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length = answer
            .header("content-length")
            .unwrap_or("0")
            .parse()
            .unwrap();
        while self.seen.len() < length {
            assert!(self.more().await, "closed within a body");
        }
        answer.body = self.seen.drain(..length).collect();
        answer
    }

    /// Reads until `text` has come; `false` if the server closed before.
    pub(crate) async fn until(&mut self, text: &str) -> bool {
        loop {
            let found = self
                .seen
                .windows(text.len())
                .position(|part| part == text.as_bytes());
            if let Some(at) = found {
                self.seen.drain(..at + text.len());
                return true;
            }
            if !self.more().await {
                return false;
            }
        }
    }

    /// Bytes until the end.
    pub(crate) async fn remaining(&mut self) -> usize {
        while self.more().await {}
        self.seen.len()
    }

    pub(crate) async fn is_closed(&mut self) -> bool {
        !self.more().await
    }

    pub(crate) async fn is_silent_for(&mut self, span: Duration) -> bool {
        timeout(span, self.stream.readable()).await.is_err()
    }
}

pub(crate) async fn read_until(stream: &mut TcpStream, done: impl Fn(&[u8]) -> bool) -> bool {
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    loop {
        match timeout(PATIENCE, stream.read(&mut part)).await {
            Ok(Ok(n)) if n > 0 => seen.extend_from_slice(&part[..n]),
            _ => return false,
        }
        if done(&seen) {
            return true;
        }
    }
}
