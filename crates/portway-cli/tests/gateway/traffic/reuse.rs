//! Upstream connections that are used again, and what happens when the upstream closes one just
//! then (RFC 9110 section 9.2.2): nobody who may be asked twice notices, and a POST is never sent
//! twice.

use std::io;
use std::time::Duration;

use http::{Method, Request};
use http_body_util::Full;
use portway_testkit::raw::RawConnection;
use portway_testkit::raw::script::{always, answers_then_closes, answers_then_closes_on_reuse};
use portway_testkit::{Client, Echo, Load, RawClient, RawUpstream, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::fixture::{Gateway, service};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn gets_never_meet_a_connection_that_was_just_closed() -> io::Result<()> {
    let upstream = RawUpstream::start(answers_then_closes).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let load = Load::on(gateway.addr()).connections(8).start();
    load.wait_for(600).await?;
    let tally = load.stop().await?;
    assert_eq!((tally.failed(), tally.closed_connections), (0, 0), "{tally}");
    Ok(())
}

#[tokio::test]
async fn gets_never_meet_a_connection_that_is_being_closed() -> io::Result<()> {
    let upstream = RawUpstream::start(closes_a_moment_later).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let load = Load::on(gateway.addr()).connections(8).start();
    load.wait_for(600).await?;
    let tally = load.stop().await?;
    assert_eq!((tally.failed(), tally.closed_connections), (0, 0), "{tally}");
    Ok(())
}

#[tokio::test]
async fn posts_are_sent_once_whatever_the_upstream_does() -> io::Result<()> {
    for nasty in [0, 1] {
        let upstream = match nasty {
            0 => RawUpstream::start(closes_a_moment_later).await?,
            _ => RawUpstream::start(answers_then_closes_on_reuse).await?,
        };
        let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
        let post = |number: u64| {
            let request = Request::post(format!("/post/{number}/"));
            request.body(Full::from("body")).expect("a path and a body make a request")
        };
        let one_of_two = |answer: &portway_testkit::client::Response| match answer.status.as_u16() {
            200 => Ok(()),
            502 if answer.text().contains("upstream_closed") => Ok(()),
            status => Err(format!("status {status}")),
        };
        let load = Load::on(gateway.addr()).connections(8).request(post).check(one_of_two).start();
        load.wait_for(400).await?;
        let tally = load.stop().await?;
        assert_eq!((tally.failed(), tally.closed_connections), (0, 0), "{tally}");
        for number in 0..tally.ok {
            let seen = upstream.count_of(&format!("POST /post/{number}/ "));
            assert!(seen <= 1, "POST {number} was sent {seen} times");
        }
    }
    Ok(())
}

/// The upstream reads the second request on a connection and closes it: it may have acted on it.
#[tokio::test]
async fn what_may_be_repeated_is_repeated_and_nothing_else() -> io::Result<()> {
    let upstream = RawUpstream::start(answers_then_closes_on_reuse).await?;
    let config = service(&upstream.url(), "");
    let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
    for (method, body, status, seen) in [
        ("GET", "", 200, 2),
        ("HEAD", "", 200, 2),
        ("OPTIONS", "", 200, 2),
        ("DELETE", "", 200, 2),
        ("PUT", "", 200, 2),
        ("PUT", "body", 502, 1),
        ("POST", "", 502, 1),
        ("POST", "body", 502, 1),
        ("PATCH", "", 502, 1),
        ("FANCY", "", 502, 1),
    ] {
        // Gateways keep a connection that has served one request; this uses up one that is left.
        let client = gateway.client();
        client.get("/warm").await?;
        let path = format!("/{method}/{}", body.len());
        let method = Method::from_bytes(method.as_bytes()).map_err(io::Error::other)?;
        let request = Request::builder().method(method).uri(&path).body(Full::from(body));
        let answer = client.request(request.map_err(io::Error::other)?).await?;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(upstream.count_of(&format!(" {path} ")), seen, "{path}");
        let record = gateway.record(&path).await?;
        assert_eq!((&record["status"], &record["tries"]), (&status.into(), &seen.into()), "{path}");
        if status == 502 {
            assert_eq!(record["error"], "upstream_closed", "{path}");
        }
    }
    assert!(gateway.metric("portway_retries_total", &[]).await? >= 5.0);
    Ok(())
}

/// An upstream is likelier to be just closing a connection that was idle for long, and nobody can
/// send a POST again.
#[tokio::test]
async fn a_post_takes_no_connection_that_was_idle_for_a_second() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let listener = "{name: web, bind: \"127.0.0.1:0\", limits: {header_read: 1100ms}}";
    let config = format!("listeners: [{listener}]\n{}", service(&upstream.url(), ""));
    let gateway = Gateway::start_with(&config, &["--cores", "1"]).await?;
    let client = gateway.client();
    let ask = async |method: Method| {
        let request = Request::builder().method(method).uri("/").body(Full::from(""));
        let status = client.request(request.map_err(io::Error::other)?).await?.status;
        io::Result::Ok((status.as_u16(), upstream.connections()))
    };
    assert_eq!(ask(Method::GET).await?, (200, 1));
    assert_eq!(ask(Method::POST).await?, (200, 1), "it was idle for a moment");
    for connections in 2..4 {
        // A client that says nothing is sent away after 1.1 s: then the time has passed.
        gateway.raw().await?.read_to_end().await?;
        assert_eq!(ask(Method::GET).await?, (200, connections - 1), "a GET takes it");
        gateway.raw().await?.read_to_end().await?;
        assert_eq!(ask(Method::POST).await?, (200, connections));
        assert_eq!(ask(Method::POST).await?, (200, connections), "the new one is fresh");
    }
    Ok(())
}

#[tokio::test]
async fn a_fresh_connection_that_closes_is_not_tried_again() -> io::Result<()> {
    let upstream = RawUpstream::start(portway_testkit::raw::script::closes_without_answer).await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let answer = gateway.client().get("/x").await?;
    assert_eq!((answer.status.as_u16(), upstream.count_of("GET /x ")), (502, 1));
    Ok(())
}

#[tokio::test]
async fn a_fresh_connection_that_closes_before_the_request_was_written() -> io::Result<()> {
    let server = TcpListener::bind("127.0.0.1:0").await?;
    let gateway = Gateway::start(&service(&format!("http://{}", server.local_addr()?), "")).await?;
    let accepting = tokio::spawn(async move {
        loop {
            drop(server.accept().await);
        }
    });
    let mut raw = gateway.raw().await?;
    // Whether the close is seen before the request is written, or behind it, is chance.
    for _ in 0..100 {
        assert_eq!(ask(&mut raw).await?, 502);
    }
    accepting.abort();
    let mut records = gateway.records(100).await?;
    records.retain(|record| record["error"] != "upstream_closed");
    assert!(records.is_empty(), "{records:?}");
    Ok(())
}

#[tokio::test]
async fn an_idle_connection_that_the_upstream_closes_is_closed() -> io::Result<()> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut connection| {
        let tell = tell.clone();
        async move {
            connection.read_request().await?;
            connection.write(OK).await?;
            connection.half_close().await?;
            connection.read_to_end().await?;
            tell.send(()).map_err(io::Error::other)
        }
    })
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    assert_eq!(gateway.client().get("/").await?.status, 200);
    let closed = tokio::time::timeout(Duration::from_secs(10), told.recv()).await;
    assert!(closed.is_ok_and(|closed| closed.is_some()), "the sweeper closes it");
    Ok(())
}

#[tokio::test]
async fn idle_connections_are_kept_as_long_and_as_many_as_the_pool_says() -> io::Result<()> {
    let echo = Echo::start().await?;
    let url = echo.url();
    let config = |pool: &str| service(&url, &format!("pool: {{{pool}}},"));
    let gateway = Gateway::start_with(&config("idle: 100ms"), &["--cores", "1"]).await?;
    assert_eq!(gateway.client().get("/").await?.status, 200);
    eventually("the connection is closed", || echo.open_connections() == 0).await?;

    gateway.reload(&config("max_idle: 0")).await?;
    let before = echo.connections();
    for _ in 0..5 {
        assert_eq!(gateway.client().get("/").await?.status, 200);
    }
    assert_eq!(echo.connections() - before, 5);

    gateway.reload(&config("max_idle: 2")).await?;
    let client = Client::h2c(gateway.addr());
    let asked = || client.get("/?wait=100ms");
    let (a, b, c, d) = tokio::join!(asked(), asked(), asked(), asked());
    for answer in [a, b, c, d] {
        assert_eq!(answer?.status, 200);
    }
    eventually("two are kept", || echo.open_connections() == 2).await
}

#[tokio::test]
async fn an_upstream_that_comes_back_is_used_at_once() -> io::Result<()> {
    let addr = portway_testkit::free_addr()?;
    let gateway = Gateway::start(&service(&format!("http://{addr}"), "")).await?;
    let mut raw = gateway.raw().await?;
    for _ in 0..3 {
        assert_eq!(ask(&mut raw).await?, 502);
        let server = TcpListener::bind(addr).await?;
        let answering = tokio::spawn(async move {
            let (mut socket, _) = server.accept().await?;
            let _ = socket.read(&mut [0; 1024]).await?;
            socket.write_all(OK).await
        });
        assert_eq!(ask(&mut raw).await?, 200);
        answering.await.map_err(io::Error::other)??;
    }
    Ok(())
}

async fn ask(raw: &mut RawClient) -> io::Result<u16> {
    Ok(raw.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?.status)
}

/// Answers one request, then closes after some turns of the runtime: now before the connection is
/// used again, now in the middle of that.
async fn closes_a_moment_later(mut connection: RawConnection) -> io::Result<()> {
    connection.read_request().await?;
    connection.write(OK).await?;
    for _ in 0..connection.index() % 40 {
        tokio::task::yield_now().await;
    }
    connection.close()
}
