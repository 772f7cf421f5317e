//! Client connections: kept, pipelined, half closed, of either protocol, and not for ever.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portway_testkit::raw::script::always;
use portway_testkit::{Client, Echo, RawUpstream, RunningEcho, eventually};

use crate::fixture::{Gateway, service};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Nothing here waits for so long: it is over only if the right thing happens.
const NEVER: &str = "1h";

#[tokio::test]
async fn one_connection_serves_many_requests_over_one_to_the_upstream() -> io::Result<()> {
    let (echo, gateway) = through("").await?;
    let client = gateway.client();
    for number in 0..50 {
        let answer = client.get(&format!("/{number}")).await?.answer()?;
        assert_eq!(answer.path, format!("/{number}"));
    }
    assert_eq!((client.connections(), echo.connections()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let mut raw = gateway.raw().await?;
    let requests = ["/1?wait=50ms", "/2", "/3?bytes=100000", "/4?chunked", "/5"]
        .map(|path| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    raw.send(requests.concat()).await?;
    for path in ["/1", "/2"] {
        assert!(raw.read_response().await?.text().contains(&format!("\"path\": \"{path}\"")));
    }
    assert_eq!(raw.read_response().await?.body.len(), 100_000);
    for path in ["/4", "/5"] {
        assert!(raw.read_response().await?.text().contains(&format!("\"path\": \"{path}\"")));
    }
    Ok(())
}

#[tokio::test]
async fn a_request_may_come_in_single_bytes() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let mut raw = gateway.raw().await?;
    let request = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nhello\r\n0\r\n\r\n";
    raw.send_split(request, 1).await?;
    assert!(raw.read_response().await?.text().contains("\"hello\""));
    Ok(())
}

#[tokio::test]
async fn a_client_that_closes_its_half_is_still_answered() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let mut raw = gateway.raw().await?;
    raw.send("GET /?bytes=100000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
    let answer = raw.read_response().await?;
    assert_eq!((answer.status, answer.body.len()), (200, 100_000));
    assert_eq!(answer.headers.get("connection"), Some("close"));
    raw.expect_closed().await?;
    Ok(())
}

#[tokio::test]
async fn a_client_of_http_1_0() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let mut raw = gateway.raw().await?;
    let answer = raw.exchange("GET / HTTP/1.0\r\n\r\n").await?;
    assert_eq!(answer.status, 200, "it need not name a host");
    raw.expect_closed().await?;

    let mut raw = gateway.raw().await?;
    raw.send("GET /?chunked&bytes=1000 HTTP/1.0\r\nHost: a\r\n\r\n").await?;
    let answer = raw.read_response().await?;
    assert_eq!((answer.status, answer.body.len()), (200, 1000));
    assert!(!answer.headers.contains("transfer-encoding"), "it does not know chunks");

    let mut raw = gateway.raw().await?;
    let request = "GET /?bytes=10 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
    for _ in 0..2 {
        assert_eq!(raw.exchange(request).await?.body.len(), 10);
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_to_head_has_the_length_and_no_body() -> io::Result<()> {
    let (_echo, gateway) = through("").await?;
    let mut raw = gateway.raw().await?;
    for path in ["/?bytes=1000", "/?bytes=1000&chunked"] {
        raw.send(format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
        let answer = raw.read_response_to_head().await?;
        let length = (!path.ends_with("chunked")).then_some("1000");
        assert_eq!((answer.status, answer.headers.get("content-length")), (200, length));
        // What follows is read as the answer to the next request.
        assert_eq!(raw.exchange(GET).await?.status, 200);
    }
    let h2 = Client::h2c(gateway.addr());
    let request = http::Request::head("/?bytes=1000").body(String::new());
    let answer = h2.request(request.map_err(io::Error::other)?).await?;
    assert_eq!((answer.header("content-length"), answer.body.len()), (Some("1000"), 0));
    Ok(())
}

#[tokio::test]
async fn answers_without_a_body_keep_both_connections() -> io::Result<()> {
    for head in [
        "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: \"x\"\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let upstream = RawUpstream::start(always(head)).await?;
        let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
        let mut raw = gateway.raw().await?;
        for _ in 0..3 {
            let answer = raw.exchange(GET).await?;
            assert_eq!(answer.status.to_string(), head[9..12], "{head}");
            assert!(answer.body.is_empty(), "{head}");
        }
        assert_eq!(upstream.connections(), 1, "{head}");
    }
    Ok(())
}

#[tokio::test]
async fn http_2_streams_run_side_by_side() -> io::Result<()> {
    let (echo, gateway) = through("").await?;
    let client = Arc::new(Client::h2c(gateway.addr()));
    let started = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (client, path) = (Arc::clone(&client), format!("/{number}?wait=200ms"));
        all.spawn(async move { client.get(&path).await?.answer() });
    }
    let mut seen = Vec::new();
    while let Some(answer) = all.join_next().await {
        let answer = answer.map_err(io::Error::other)??;
        assert_eq!((answer.protocol.as_str(), answer.host.is_some()), ("HTTP/1.1", true));
        seen.push(answer.path);
    }
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), client.connections()), (20, 1));
    assert!(started.elapsed() < Duration::from_millis(20 * 200), "{:?}", started.elapsed());
    assert!(echo.connections() <= 20);
    Ok(())
}

#[tokio::test]
async fn http_2_needs_one_host() -> io::Result<()> {
    let (echo, gateway) = through("").await?;
    let client = Client::h2c(gateway.addr());
    let request = http::Request::get("http://a.example/").header("host", "b.example");
    let answer = client.request(request.body(String::new()).map_err(io::Error::other)?).await?;
    assert_eq!(answer.status, 400);
    assert_eq!(echo.requests(), 0);
    Ok(())
}

#[tokio::test]
async fn a_head_has_a_deadline_from_its_first_byte() -> io::Result<()> {
    let limits = format!("header_read: 200ms, idle: {NEVER}");
    let (echo, gateway) = through(&limits).await?;
    let mut silent = gateway.raw().await?;
    assert!(silent.read_to_end().await?.is_empty(), "nothing to answer");

    let mut half = gateway.raw().await?;
    half.send("GET / HTTP/1.1\r\nHost").await?;
    assert_eq!(half.read_response().await?.status, 408);
    half.expect_closed().await?;

    let mut second = gateway.raw().await?;
    assert_eq!(second.exchange(GET).await?.status, 200);
    second.send("GET / HTTP/1.1\r\n").await?;
    assert_eq!(second.read_response().await?.status, 408);
    second.expect_closed().await?;

    // A byte now and then is no new beginning.
    let mut slow = gateway.raw().await?;
    let started = Instant::now();
    let mut often = tokio::time::interval(Duration::from_millis(20));
    let mut bytes = std::iter::once(&b"GET / HTTP/1.1\r\nHost: a\r\nX: "[..])
        .chain(std::iter::repeat(&b"v"[..]));
    while slow.send(bytes.next().unwrap_or_default()).await.is_ok() {
        often.tick().await;
        assert!(started.elapsed() < Duration::from_secs(5), "still open");
    }
    assert_eq!(echo.requests(), 1, "no half head was forwarded");
    Ok(())
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() -> io::Result<()> {
    let (_echo, gateway) = through("header_read: 150ms, idle: 150ms").await?;
    let mut idle = gateway.raw().await?;
    assert_eq!(idle.exchange(GET).await?.status, 200);
    assert!(idle.read_to_end().await?.is_empty());

    let mut waiting = gateway.raw().await?;
    let answer = waiting.exchange("GET /?wait=500ms HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    assert_eq!(answer.status, 200);

    let mut uploading = gateway.raw().await?;
    uploading.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na").await?;
    // One that says nothing has a deadline as well: when it is closed, the time has passed.
    for _ in 0..2 {
        gateway.raw().await?.read_to_end().await?;
    }
    let answer = uploading.exchange("b").await?;
    assert!(answer.text().contains("\"ab\""), "{}", answer.text());
    Ok(())
}

#[tokio::test]
async fn an_upload_that_only_drips_is_answered_408() -> io::Result<()> {
    let (_echo, gateway) = through("body_rate: 1KiB").await?;
    let mut drips = gateway.raw().await?;
    drips.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n").await?;
    let mut often = tokio::time::interval(Duration::from_millis(100));
    let started = Instant::now();
    while drips.send("x").await.is_ok() && started.elapsed() < Duration::from_secs(6) {
        often.tick().await;
    }
    assert_eq!(drips.read_response().await?.status, 408);
    drips.expect_closed().await?;
    Ok(())
}

#[tokio::test]
async fn a_connection_serves_as_many_requests_as_the_limit_says() -> io::Result<()> {
    let (_echo, gateway) = through("requests_per_connection: 3").await?;
    let mut raw = gateway.raw().await?;
    for last in [false, false, true] {
        let answer = raw.exchange(GET).await?;
        assert_eq!(
            (answer.status, answer.headers.get("connection")),
            (200, last.then_some("close"))
        );
    }
    raw.expect_closed().await?;

    let h2 = Client::h2c(gateway.addr());
    for _ in 0..9 {
        assert_eq!(h2.get("/").await?.status, 200);
    }
    assert_eq!(h2.connections(), 3);
    Ok(())
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() -> io::Result<()> {
    let (echo, gateway) = through("connections: 2").await?;
    let mut first = gateway.raw().await?;
    let mut second = gateway.raw().await?;
    for raw in [&mut first, &mut second] {
        assert_eq!(raw.exchange(GET).await?.status, 200);
    }
    let mut third = gateway.raw().await?;
    third.send(GET).await?;
    // A connection that is open goes on being served while the third one waits.
    for _ in 0..50 {
        assert_eq!(first.exchange(GET).await?.status, 200);
    }
    assert_eq!(echo.requests(), 52, "the third one was not served");
    second.close();
    assert_eq!(third.read_response().await?.status, 200);
    eventually("the third request was served", || echo.requests() == 53).await
}

/// A gateway whose listener has these limits, before an echo upstream.
async fn through(limits: &str) -> io::Result<(RunningEcho, Gateway)> {
    let echo = Echo::start().await?;
    let listeners =
        format!("listeners: [{{name: web, bind: \"127.0.0.1:0\", limits: {{{limits}}}}}]");
    let gateway = Gateway::start(&format!("{listeners}\n{}", service(&echo.url(), ""))).await?;
    Ok((echo, gateway))
}

#[tokio::test]
async fn the_deadline_of_heads_does_not_concern_http_2() -> io::Result<()> {
    let (_echo, gateway) = through(&format!("header_read: 100ms, idle: {NEVER}")).await?;
    let client = Client::h2c(gateway.addr());
    for _ in 0..3 {
        // Behind the answer the client says what it has read: bytes, but no head.
        assert_eq!(client.get("/?bytes=1000000").await?.body.len(), 1_000_000);
        // One that says nothing has the deadline: when it is closed, the time has passed.
        gateway.raw().await?.read_to_end().await?;
    }
    assert_eq!(client.connections(), 1);
    Ok(())
}
