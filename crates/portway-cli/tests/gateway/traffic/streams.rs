//! Streams: events that leave at once, and connections that change their protocol.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use portway_testkit::raw::RawConnection;
use portway_testkit::{
    Client, Echo, EventStream, Message, RawUpstream, RunningEcho, WebSocket, eventually,
};
use tokio::sync::Semaphore;

use crate::fixture::{Gateway, service};

const UPGRADE: &str = "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
const SWITCHED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn an_event_arrives_before_the_next_is_sent() -> io::Result<()> {
    let gate = Arc::new(Semaphore::new(0));
    let events = Arc::clone(&gate);
    let upstream = RawUpstream::start(move |mut connection| {
        let events = Arc::clone(&events);
        async move {
            connection.read_request().await?;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            connection.write(head).await?;
            for number in 0..10 {
                events.acquire().await.map_err(io::Error::other)?.forget();
                connection.write(format!("data: {number}\n\n")).await?;
            }
            connection.close()
        }
    })
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    for client in [gateway.client(), Client::h2c(gateway.addr())] {
        let mut stream = EventStream::open_with(&client, "/").await?;
        for number in 0..10 {
            gate.add_permits(1);
            let event = stream.next().await?;
            assert_eq!(event.map(|event| event.data), Some(number.to_string()));
        }
        assert!(stream.next().await?.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn events_are_on_their_way_for_less_than_50_ms() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let mut slowest = Duration::MAX;
    // A machine that is busy with other things may be late itself: one row in time is enough.
    for _ in 0..10 {
        let mut stream = EventStream::open(gateway.addr(), "/?sse=10&every=20ms").await?;
        slowest = Duration::ZERO;
        while let Some(event) = stream.next().await? {
            slowest = slowest.max(event.delay()?);
        }
        if slowest <= Duration::from_millis(50) {
            return Ok(());
        }
    }
    panic!("one event in each of ten rows was late, in the last by {slowest:?}");
}

#[tokio::test]
async fn limits_on_whole_exchanges_do_not_end_a_stream() -> io::Result<()> {
    let echo = Echo::start().await?;
    let listener = "{name: web, bind: \"127.0.0.1:0\", read_timeout: 300ms, write_timeout: 300ms}";
    let config = service(&echo.url(), "timeouts: {request: 300ms, response_header: 300ms},");
    let gateway = Gateway::start(&format!("listeners: [{listener}]\n{config}")).await?;
    let mut socket = WebSocket::connect(gateway.addr(), "/").await?;
    for client in [gateway.client(), Client::h2c(gateway.addr())] {
        let mut stream = EventStream::open_with(&client, "/?sse=40&every=20ms").await?;
        let mut events = 0;
        while stream.next().await?.is_some() {
            events += 1;
        }
        assert_eq!(events, 40);
    }
    assert_eq!(socket.exchange("still there").await?, "still there");
    Ok(())
}

/// The head has come in time; how long the rest takes is not asked unless there is something to.
#[tokio::test]
async fn what_goes_on_is_not_cut_over_http2() -> io::Result<()> {
    let slow = RawUpstream::start(async |mut connection: RawConnection| {
        connection.read_request().await?;
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n").await?;
        for _ in 0..40 {
            connection.write("x").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        connection.close()
    })
    .await?;
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&format!(
        "services:
  - {{name: slow, url: \"{}\", timeouts: {{response_header: 300ms, idle: 300ms}}, \
     routes: [{{name: slow, match: {{path: /slow}}}}]}}
  - {{name: events, url: \"{}\", timeouts: {{request: 300ms, response_header: 300ms}}, \
     routes: [{{name: events, match: {{path: /events}}}}]}}",
        slow.url(),
        echo.url().replace("http", "h2c")
    ))
    .await?;
    for client in [Client::h2c(gateway.addr()), gateway.client()] {
        assert_eq!(client.get("/slow").await?.text(), "x".repeat(40));
        let mut stream = EventStream::open_with(&client, "/events?sse=40&every=20ms").await?;
        let mut events = 0;
        while stream.next().await?.is_some() {
            events += 1;
        }
        assert_eq!(events, 40);
    }
    Ok(())
}

#[tokio::test]
async fn other_exchanges_end_when_their_time_is_over() -> io::Result<()> {
    let stalls = RawUpstream::start(portway_testkit::raw::script::stalls_after_head).await?;
    let url = stalls.url();
    let gateway = Gateway::start(&format!(
        "listeners:
  - {{name: web, bind: \"127.0.0.1:0\"}}
  - {{name: strict, bind: \"127.0.0.1:0\", read_timeout: 100ms, write_timeout: 100ms}}
{}",
        service(&url, "")
    ))
    .await?;
    let strict = gateway.listener("strict");
    let mut raw = portway_testkit::RawClient::connect(strict).await?;
    raw.send("GET /stalls HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    assert_eq!(raw.read_head().await?.status, 200);
    assert!(raw.read_to_end().await.is_ok_and(|rest| rest.is_empty()), "it is broken off");

    let client = Client::h2c(strict);
    let stalled = client.get("/stalls").await;
    assert!(stalled.is_err(), "{stalled:?}");

    let mut raw = portway_testkit::RawClient::connect(strict).await?;
    let answer = raw.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n").await?;
    assert_eq!((answer.status, answer.headers.get("connection")), (408, Some("close")));
    Ok(())
}

#[tokio::test]
async fn a_websocket_goes_through() -> io::Result<()> {
    let (echo, gateway) = through("").await?;
    let mut headers = HeaderMap::new();
    headers.insert("sec-websocket-protocol", http::HeaderValue::from_static("chat, other"));
    let mut socket = WebSocket::open(gateway.addr(), "a.example", "/ws", &headers).await?;
    assert_eq!(socket.headers()["sec-websocket-protocol"], "chat");
    assert_eq!(socket.headers()["via"], "1.1 portway");
    for text in ["hello", "", &"long ".repeat(50_000)] {
        assert_eq!(socket.exchange(text).await?, text);
    }
    let bytes = portway_testkit::echo::sample(1_000_000);
    socket.send_binary(bytes.clone()).await?;
    assert_eq!(socket.receive().await?, Some(Message::Binary(bytes)));
    socket.send_ping("p").await?;
    assert_eq!(socket.receive().await?, Some(Message::Pong("p".into())));
    socket.close().await?;
    let record = gateway.record("/ws").await?;
    assert_eq!((&record["status"], record.get("error")), (&101.into(), None), "{record}");
    assert!(record["bytes_in"].as_u64() > Some(1_250_000), "{record}");
    assert!(record["bytes_out"].as_u64() > Some(1_250_000), "{record}");
    eventually("the upstream connection is closed", || echo.open_connections() == 0).await
}

#[tokio::test]
async fn a_tunnel_ends_with_either_side() -> io::Result<()> {
    let (echo, gateway) = through("").await?;
    let mut socket = WebSocket::connect(gateway.addr(), "/client").await?;
    socket.exchange("x").await?;
    drop(socket);
    eventually("the upstream connection is closed", || echo.open_connections() == 0).await?;
    gateway.record("/client").await?;

    let mut socket = WebSocket::connect(gateway.addr(), "/upstream").await?;
    socket.exchange("x").await?;
    drop(echo);
    while let Ok(Some(_)) = socket.receive().await {}
    drop(socket);
    gateway.record("/upstream").await?;
    Ok(())
}

#[tokio::test]
async fn a_tunnel_that_is_idle_for_too_long_ends() -> io::Result<()> {
    let (_echo, gateway) = through("timeouts: {idle: 100ms},").await?;
    let mut socket = WebSocket::connect(gateway.addr(), "/idle").await?;
    socket.exchange("x").await?;
    assert!(socket.receive().await.is_err(), "it was broken off");
    assert_eq!(gateway.record("/idle").await?["error"], "idle_timeout");
    Ok(())
}

#[tokio::test]
async fn no_byte_is_tunnelled_before_the_101() -> io::Result<()> {
    let gate = Arc::new(Semaphore::new(0));
    let agree = Arc::clone(&gate);
    let upstream = RawUpstream::start(move |mut connection| {
        let agree = Arc::clone(&agree);
        async move {
            connection.read_head().await?;
            agree.acquire().await.map_err(io::Error::other)?.forget();
            // The first bytes come with the head.
            connection.write(format!("{SWITCHED}hello")).await?;
            let early = connection.read_exact(5).await?;
            connection.write(early).await?;
            connection.close()
        }
    })
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    raw.send(format!("{UPGRADE}early")).await?;
    eventually("the request has arrived", || upstream.count_of("\r\n\r\n") == 1).await?;
    assert_eq!(upstream.count_of("early"), 0);
    gate.add_permits(1);
    let head = raw.read_head().await?;
    assert_eq!((head.status, head.headers.get("upgrade")), (101, Some("websocket")));
    assert_eq!(head.headers.get("connection"), Some("upgrade"));
    assert_eq!(raw.read_exact(10).await?, "helloearly");
    assert!(raw.read_to_end().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_upgrade_that_is_declined_leaves_an_ordinary_connection() -> io::Result<()> {
    let upstream = RawUpstream::start(portway_testkit::raw::script::always(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    ))
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    raw.send(format!("{UPGRADE}GET /%2e%2e/admin HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
    assert_eq!(raw.read_response().await?.text(), "no");
    // What follows is a request like any other, and read as such.
    assert_eq!(raw.read_response().await?.status, 400);
    assert_eq!(upstream.count_of("admin"), 0);
    Ok(())
}

#[tokio::test]
async fn only_what_is_allowed_is_upgraded() -> io::Result<()> {
    let (echo, gateway) = through("").await?;
    for upgrade in ["h2c", "foo", "TLS/1.3", "websocket, h2c", "h2c, websocket", "HTTP/2.0"] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n\
             Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
        );
        let answer = gateway.raw().await?.exchange(request).await?;
        assert_eq!(answer.status, 200, "{upgrade}");
        let answer: portway_testkit::echo::Answer = serde_json::from_slice(&answer.body)?;
        for name in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(answer.header(name), None, "{upgrade}");
        }
    }
    drop(echo);

    let upstream = RawUpstream::start(switches_to_foo).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "upgrades: [foo],")).await?;
    let mut raw = gateway.raw().await?;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: FOO\r\n\r\n").await?;
    assert_eq!(raw.read_head().await?.status, 101);
    raw.send("ping").await?;
    assert_eq!(raw.read_exact(4).await?, "ping");
    let mut raw = gateway.raw().await?;
    let answer = raw.exchange(UPGRADE).await?;
    assert_eq!(answer.status, 502, "the upstream switches, and nobody asked it to");
    Ok(())
}

#[tokio::test]
async fn an_upstream_that_switches_unasked_is_not_believed() -> io::Result<()> {
    let upstream = RawUpstream::start(switches_to_foo).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    // One that asks for nothing, one for what is not allowed, one for something else.
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
        UPGRADE,
    ] {
        let mut raw = gateway.raw().await?;
        let answer = raw.exchange(request).await?;
        assert_eq!(answer.status, 502, "{request}");
        assert!(answer.text().contains("upstream_protocol"), "{}", answer.text());
        raw.send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert_eq!(raw.read_response().await?.status, 502, "no tunnel was left behind");
    }
    assert_eq!(upstream.connections(), 6, "none of its connections is used again");
    Ok(())
}

async fn switches_to_foo(mut connection: RawConnection) -> io::Result<()> {
    connection.read_head().await?;
    connection.write(SWITCHED.replace("websocket", "foo")).await?;
    loop {
        let bytes = connection.read_some().await?;
        if bytes.is_empty() {
            return connection.close();
        }
        connection.write(bytes).await?;
    }
}

/// A gateway with these keys of the service, before an echo upstream.
async fn through(keys: &str) -> io::Result<(RunningEcho, Gateway)> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), keys)).await?;
    Ok((echo, gateway))
}
