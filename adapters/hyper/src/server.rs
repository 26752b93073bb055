//! The sockets: accept, guard, stop.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout_at};

use crate::Handler;
use crate::answer::stopped;
use crate::limits::{HEADER_BYTES_LEAST, Limits};
use crate::seats::{Seat, Seats};
use crate::service::{House, serve};
use crate::watch::{Verdict, Watch, WatchedStream};

/// After an error of `accept` that is not about one connection (no more file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Listens for one handler.
#[derive(Debug)]
pub struct Server<H> {
    listener: TcpListener,
    handler: H,
    limits: Limits,
}

/// How the connections that were open at the stop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopReport {
    /// Connections that ended by themselves, their requests answered.
    pub finished: usize,
    /// Connections that were cut after [`Limits::stop_grace`].
    pub cut: usize,
}

impl<H: Handler> Server<H> {
    /// Begins to listen on `address`; port 0 lets the operating system choose.
    ///
    /// # Errors
    /// The address is taken, or not this machine's.
    pub async fn bind(address: impl ToSocketAddrs, handler: H, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self::on(listener, handler, limits))
    }

    /// Takes a listener that the host opened (socket activation, a privileged port).
    pub fn on(listener: TcpListener, handler: H, limits: Limits) -> Self {
        Self {
            listener,
            handler,
            limits,
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is ready. Then: no new connections, event streams end at once,
    /// requests in flight have [`Limits::stop_grace`] to finish; what is left is cut.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) -> StopReport {
        let (stop, stopping) = watch::channel(false);
        let (alive, finished) = mpsc::channel(1);
        let room = Arc::new(Semaphore::new(self.limits.connections_max));
        let connected = Seats::default();
        let (whole, per_peer) = (
            self.limits.connections_max,
            self.limits.connections_per_peer_max,
        );
        let house = Arc::new(House {
            handler: self.handler,
            limits: self.limits,
            seats: Seats::default(),
            stop: stopping,
            alive,
        });
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            while connections.try_join_next().is_some() {}
            tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&self.listener, &room) => {
                    // One that is too many of its peer is dropped, and so closed, right here.
                    if let Some((stream, peer, permit)) = accepted
                        && let peer = peer.ip().to_canonical()
                        && let Some(seat) = connected.take(peer, whole, per_peer)
                    {
                        let room = Arc::clone(&room);
                        let connection = Connection { stream, peer, permit, seat, room };
                        connections.spawn(connection.run(Arc::clone(&house)));
                    }
                }
            }
        }
        drop(self.listener);
        let grace = house.limits.stop_grace;
        let _ = stop.send(true);
        drop(house);
        drain(connections, finished, grace).await
    }
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
            let of_one = [ConnectionAborted, ConnectionRefused, ConnectionReset];
            if !of_one.contains(&error.kind()) {
                tracing::error!(%error, "no connection could be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
            None
        }
    }
}

async fn drain(
    mut connections: JoinSet<()>,
    mut finished: mpsc::Receiver<Infallible>,
    grace: Duration,
) -> StopReport {
    let end = tokio::time::Instant::now() + grace;
    while connections.try_join_next().is_some() {}
    let open = connections.len();
    while let Ok(Some(_)) = timeout_at(end, connections.join_next()).await {}
    let cut = connections.len();
    connections.shutdown().await;
    // Handlers that outlive their connections (`service::handled`).
    let _ = timeout_at(end, finished.recv()).await;
    StopReport {
        finished: open - cut,
        cut,
    }
}

struct Connection {
    stream: TcpStream,
    peer: IpAddr,
    permit: OwnedSemaphorePermit,
    seat: Seat,
    room: Arc<Semaphore>,
}

impl Connection {
    async fn run<H: Handler>(self, house: Arc<House<H>>) {
        let peer = self.peer;
        // Answers are small and written whole: waiting to fill a segment only delays them.
        let _ = self.stream.set_nodelay(true);
        let watch = Watch::new();
        let io = TokioIo::new(WatchedStream::new(self.stream, Arc::clone(&watch)));
        let builder = builder(&house.limits);
        let service = service_fn(|request| {
            let answer = serve(Arc::clone(&house), Arc::clone(&watch), peer, request);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let mut connection = pin!(builder.serve_connection(io, service));
        let mut stop = pin!(stopped(house.stop.clone()));
        let (mut stopping, mut goodbye) = (false, false);
        loop {
            let crowded = self.room.available_permits() < house.limits.connections_max / 8;
            let next = match watch.judge(&house.limits, crowded) {
                Verdict::TooSlow => break,
                Verdict::Idle if goodbye => break,
                Verdict::Idle => {
                    goodbye = true;
                    connection.as_mut().graceful_shutdown();
                    tokio::time::Instant::now() + house.limits.shortest_wait()
                }
                Verdict::Until(next) => next,
            };
            tokio::select! {
                // What a client does wrong is its own affair: nothing is logged.
                _ = &mut connection => break,
                () = &mut stop, if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = sleep_until(next) => {}
            }
        }
        drop((self.seat, self.permit));
    }
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The guard of the connection keeps the time: hyper's own also ends idle connections.
        .header_read_timeout(None)
        .max_headers(limits.headers_max)
        .max_buf_size(limits.header_bytes_max.max(HEADER_BYTES_LEAST));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.http2_streams_max)
        .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.write_timeout)
        .keep_alive_timeout(limits.write_timeout);
    builder
}
