//! What real sockets see: raw bytes in, raw bytes out, no client library in between.

#[cfg(test)]
mod support;

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use narthex_hyper::Limits;
use support::{House, Probe, started, started_at};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

const GET: &str = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";

fn quick() -> Limits {
    let mut limits = Limits::default();
    limits.header_read_timeout = Duration::from_millis(300);
    limits.body_read_timeout = Duration::from_millis(300);
    limits.keep_alive = Duration::from_millis(900);
    limits.event_comment_interval = Duration::from_millis(100);
    limits
}

#[tokio::test]
async fn a_connection_is_kept_and_pipelined_requests_are_answered_in_order() {
    let house = started(Limits::default()).await;
    let mut client = house.client().await;
    client.say(GET).await;
    assert_eq!(client.answer().await.status, 200);
    client
        .say(&format!(
            "{GET}POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc{GET}"
        ))
        .await;
    let bodies = [
        client.answer().await,
        client.answer().await,
        client.answer().await,
    ];
    let bodies: Vec<_> = bodies.iter().map(|answer| answer.text()).collect();
    assert_eq!(bodies, ["hello", "abc", "hello"]);
}

#[tokio::test]
async fn en02_answers_to_wrong_secrets_leave_on_the_grid_and_others_at_once() {
    let mut limits = Limits::default();
    limits.failed_answer_grid = Duration::from_millis(200);
    let house = started(limits).await;
    let mut client = house.client().await;
    let mut took = Vec::new();
    for path in ["/hello", "/wrong", "/wrong-too"] {
        let mut fastest = Duration::MAX;
        // A busy machine delays some answers; it never makes one leave early.
        for _ in 0..5 {
            let begun = Instant::now();
            let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
            client.say(&request).await;
            client.answer().await;
            fastest = fastest.min(begun.elapsed());
        }
        took.push(fastest.as_millis());
    }
    assert!(took[0] < 150, "{took:?}");
    assert!((200..390).contains(&took[1]), "{took:?}");
    assert!((200..390).contains(&took[2]), "{took:?}");
}

#[tokio::test]
async fn head_tells_the_length_and_sends_no_body() {
    let house = started(Limits::default()).await;
    let mut client = house.client().await;
    client.say("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let head = client.head().await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("5"))
    );
    // Were there a body, the next answer would begin with it.
    client.say(GET).await;
    assert_eq!(client.answer().await.text(), "hello");
}

#[tokio::test]
async fn a_client_that_sends_its_headers_drop_by_drop_is_cut_off() {
    let house = started(quick()).await;
    for beginning in [
        "",
        "P",
        "GET / HTTP/1.1\r\nHost: h\r\n",
        "PRI * HTTP/2.0\r\n\r\n",
    ] {
        let mut client = house.client().await;
        client.say(beginning).await;
        let begun = Instant::now();
        let mut drops = 0;
        while drops < 40 && client.try_say("x").await {
            drops += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(
            begun.elapsed() < Duration::from_millis(1500),
            "{beginning:?}: {drops}"
        );
    }
}

#[tokio::test]
async fn a_second_request_that_never_ends_is_cut_off_too() {
    let house = started(quick()).await;
    let mut client = house.client().await;
    client.say(GET).await;
    client.answer().await;
    client.say("GET /hel").await;
    let begun = Instant::now();
    assert!(client.is_closed().await);
    let waited = begun.elapsed();
    assert!(
        waited < Duration::from_millis(800),
        "{waited:?}: not the keep-alive's time"
    );
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_keep_alive_and_not_before() {
    let house = started(quick()).await;
    let mut client = house.client().await;
    client.say(GET).await;
    client.answer().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    client.say(GET).await;
    assert_eq!(client.answer().await.status, 200);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn headers_over_the_limit_are_431_and_just_under_it_are_read() {
    let house = started(Limits::default()).await;
    let with = |bytes: usize| {
        let cookie = "c".repeat(bytes);
        format!("GET /hello HTTP/1.1\r\nHost: h\r\nCookie: {cookie}\r\n\r\n")
    };
    let mut client = house.client().await;
    client.say(&with(8_000)).await;
    assert_eq!(client.answer().await.status, 200);
    client.say(&with(8_190)).await;
    assert_eq!(client.answer().await.status, 431);
    assert!(client.is_closed().await);
    let mut client = house.client().await;
    client.say(&with(200_000)).await;
    assert_eq!(client.answer().await.status, 431);
    let mut client = house.client().await;
    let many: String = (0..65).map(|n| format!("X-{n}: 1\r\n")).collect();
    client
        .say(&format!("GET /hello HTTP/1.1\r\nHost: h\r\n{many}\r\n"))
        .await;
    assert_eq!(client.answer().await.status, 431);
}

#[tokio::test]
async fn an_announced_body_over_the_limit_is_413_before_it_is_sent() {
    let house = started(Limits::default()).await;
    let mut client = house.client().await;
    client
        .say("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 16385\r\n\r\n")
        .await;
    let answer = client.answer().await;
    assert_eq!(
        (answer.status, answer.header("connection")),
        (413, Some("close"))
    );
    assert_eq!(house.handled(), 0);
}

#[tokio::test]
async fn a_longer_body_is_read_where_the_handler_says_so_and_no_longer_than_that() {
    let house = started(Limits::default()).await;
    let whole = "x".repeat(64 * 1024);
    let mut client = house.client().await;
    let head = "POST /long HTTP/1.1\r\nHost: h\r\nContent-Length";
    client.say(&format!("{head}: 65536\r\n\r\n{whole}")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text()), (200, whole.as_str()));
    let mut client = house.client().await;
    client.say(&format!("{head}: 65537\r\n\r\n")).await;
    assert_eq!(client.answer().await.status, 413);
    assert_eq!(house.handled(), 1);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_while_it_streams_and_the_client_hears_it() {
    let house = started(Limits::default()).await;
    let mut client = house.client().await;
    client
        .say("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for _ in 0..12 {
        if !client.try_say(&chunk).await {
            break;
        }
    }
    assert_eq!(client.answer().await.status, 413);
    assert_eq!(house.handled(), 0);
    let mut client = house.client().await;
    let whole = "x".repeat(16_384);
    client
        .say(&format!(
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 16384\r\n\r\n{whole}"
        ))
        .await;
    assert_eq!(client.answer().await.text(), whole);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_408() {
    let house = started(quick()).await;
    let mut client = house.client().await;
    client
        .say("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
        .await;
    let answer = client.answer().await;
    assert_eq!(
        (answer.status, answer.header("connection")),
        (408, Some("close"))
    );
    assert!(client.is_closed().await);
    assert_eq!(house.handled(), 0);
}

#[tokio::test]
async fn a_panic_is_one_500_and_the_house_stands() {
    let house = started(Limits::default()).await;
    let mut client = house.client().await;
    for method in ["GET", "POST"] {
        let request = format!("{method} /panic HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        client.say(&request).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 500, "{method}");
        assert!(!answer.text().contains("kaboom"), "{}", answer.text());
    }
    client.say(GET).await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn an_unsafe_request_runs_to_its_end_though_the_client_left_and_a_safe_one_is_dropped() {
    let house = started(Limits::default()).await;
    for method in ["POST", "GET"] {
        let mut client = house.client().await;
        let request = format!("{method} /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        client.say(&request).await;
        house.until(|probe| probe.begun() > 0).await;
        drop(client);
        house
            .until(|probe| probe.ended() + probe.dropped() > 0)
            .await;
        let (ended, dropped) = house.probe.take();
        assert_eq!(
            (ended, dropped),
            if method == "POST" { (1, 0) } else { (0, 1) },
            "{method}"
        );
    }
}

#[tokio::test]
async fn an_event_stream_flows_and_is_kept_alive_with_comments() {
    let house = started(quick()).await;
    let mut client = house.client().await;
    client.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let head = client.head().await;
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    assert!(client.until("data: first\n\n").await);
    assert!(
        client.until("\n:\n\n").await,
        "a comment comes when nothing else does"
    );
    house.say_event("data: second\n\n");
    assert!(client.until("data: second\n\n").await);
}

#[tokio::test]
async fn an_event_stream_over_the_limit_is_204_and_room_comes_back() {
    let mut limits = quick();
    limits.event_streams_max = 1;
    let house = started(limits).await;
    let ask = "GET /events HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut first = house.client().await;
    first.say(ask).await;
    assert_eq!(first.head().await.status, 200);
    let mut second = house.client().await;
    second.say(ask).await;
    assert_eq!(second.head().await.status, 204);
    drop(first);
    let mut status = 204;
    for _ in 0..50 {
        second.say(ask).await;
        status = second.head().await.status;
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(status, 200);
}

#[tokio::test]
async fn over_the_connections_one_waits_and_is_served_when_another_leaves() {
    let mut limits = Limits::default();
    limits.connections_max = 1;
    let house = started(limits).await;
    let mut first = house.client().await;
    first.say(GET).await;
    first.answer().await;
    let mut second = house.client().await;
    second.say(GET).await;
    assert!(second.is_silent_for(Duration::from_millis(200)).await);
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}

/// An address of this machine that is not loopback, if it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_one_more_is_closed_at_once() {
    let Some(address) = own_address() else { return };
    let mut limits = Limits::default();
    limits.connections_per_peer_max = 2;
    let house = started_at(address, limits).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut client = house.client().await;
        client.say(GET).await;
        assert_eq!(client.answer().await.status, 200);
        open.push(client);
    }
    let mut third = house.client().await;
    assert!(third.is_closed().await);
    drop(open.pop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut fourth = house.client().await;
    fourth.say(GET).await;
    assert_eq!(fourth.answer().await.status, 200);
}

#[tokio::test]
async fn idle_connections_make_room_soon_when_the_house_is_full() {
    let mut limits = Limits::default();
    limits.connections_max = 8;
    limits.keep_alive_when_crowded = Duration::from_millis(200);
    let house = started(limits).await;
    let mut idle = Vec::new();
    for _ in 0..8 {
        let mut client = house.client().await;
        client.say(GET).await;
        client.answer().await;
        idle.push(client);
    }
    let begun = Instant::now();
    let mut ninth = house.client().await;
    ninth.say(GET).await;
    assert_eq!(ninth.answer().await.status, 200);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "not after the keep-alive of 75 s"
    );
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let mut limits = Limits::default();
    limits.write_timeout = Duration::from_millis(300);
    let mut house = started(limits).await;
    let mut client = house.client().await;
    client.say("GET /large HTTP/1.1\r\nHost: h\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let begun = Instant::now();
    assert_eq!(
        house.stop().await.finished,
        0,
        "it was gone before the stop"
    );
    assert!(begun.elapsed() < Duration::from_millis(500));
    assert!(client.remaining().await < 64 << 20);
}

#[tokio::test]
async fn the_stop_ends_event_streams_and_idle_connections_at_once() {
    let mut house = started(Limits::default()).await;
    let mut stream = house.client().await;
    stream.say("GET /events HTTP/1.1\r\nHost: h\r\n\r\n").await;
    stream.head().await;
    let mut idle = house.client().await;
    idle.say(GET).await;
    idle.answer().await;
    let silent = house.client().await;
    let begun = Instant::now();
    let report = house.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(report.cut, 0, "{report:?}");
    assert!(
        stream.until("0\r\n\r\n").await,
        "the stream ends in good order"
    );
    assert!(idle.is_closed().await);
    drop(silent);
    assert!(
        TcpStream::connect(house.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn the_stop_lets_a_request_in_flight_finish_and_cuts_one_that_takes_too_long() {
    let mut house = started(Limits::default()).await;
    let mut client = house.client().await;
    client
        .say("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        .await;
    house.until(|probe| probe.begun() > 0).await;
    assert_eq!(house.stop().await.cut, 0);
    assert_eq!(client.answer().await.status, 200);

    let mut limits = Limits::default();
    limits.stop_grace = Duration::from_millis(100);
    let mut house = started(limits).await;
    let mut client = house.client().await;
    client.say("GET /never HTTP/1.1\r\nHost: h\r\n\r\n").await;
    house.until(|probe| probe.begun() > 0).await;
    let begun = Instant::now();
    assert_eq!(house.stop().await.cut, 1);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn http_2_is_spoken_to_who_knows() {
    let house = started(Limits::default()).await;
    let mut client = TcpStream::connect(house.address).await.unwrap();
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    hello.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]); // SETTINGS, empty
    // HEADERS on stream 1, ended: GET / http h (RFC 7541 static table, literal authority).
    let block = [0x82, 0x86, 0x84, 0x41, 0x01, b'h'];
    hello.extend([0, 0, 6, 1, 5, 0, 0, 0, 1]);
    hello.extend(block);
    client.write_all(&hello).await.unwrap();
    let seen = support::read_until(&mut client, |seen| {
        seen.windows(5).any(|part| part == b"hello")
    });
    assert!(seen.await, "the body of stream 1");
}

#[test]
fn every_future_of_the_server_can_be_spawned() {
    fn assert_send<T: Send>(_: T) {}
    let _ = |server: narthex_hyper::Server<House>| {
        assert_send(server.serve(std::future::ready(())));
    };
    let _: fn() -> Probe = Probe::default;
}
