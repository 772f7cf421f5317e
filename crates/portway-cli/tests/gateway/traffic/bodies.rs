//! Bodies of any size, both ways: streamed, counted, never held back, never collected.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use portway_testkit::echo::{checksum, sample};
use portway_testkit::raw::RawRequest;
use portway_testkit::{Client, Echo, RawClient, RawUpstream, refused_addr};
use tokio::sync::{Semaphore, mpsc};

use crate::fixture::{Gateway, service};

const MEGABYTE: usize = 1_000_000;

/// What a gateway that collects a body of 20 MB would exceed. Most of what one that does not will
/// take is its own code, read in at the first request.
const STREAMING_KIB: u64 = 14 * 1024;

#[tokio::test]
async fn uploads_arrive_byte_for_byte() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    for client in [gateway.client(), Client::h2c(gateway.addr())] {
        for size in [0, 1, 100, 70_000, 3 * MEGABYTE] {
            let whole =
                Request::post("/").body(Full::new(sample(size)).map_err(impossible).boxed());
            let pieces = Request::post("/").body(Pieces(sample(size)).boxed());
            for request in [whole, pieces] {
                let answer = client.request(request.map_err(io::Error::other)?).await?.answer()?;
                let expected = (size as u64, checksum(&sample(size)));
                assert_eq!((answer.body.length, answer.body.checksum), expected);
            }
        }
    }
    let large = Request::post("/large").body(Pieces(sample(20 * MEGABYTE)));
    let answer = gateway.client().request(large.map_err(io::Error::other)?).await?.answer()?;
    assert_eq!(answer.body.length, 20 * MEGABYTE as u64);
    assert_eq!(gateway.record("/large").await?["bytes_in"], 20 * MEGABYTE);
    Ok(())
}

#[tokio::test]
async fn downloads_arrive_byte_for_byte() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    for client in [gateway.client(), Client::h2c(gateway.addr())] {
        for size in [0, 1, 70_000, 3 * MEGABYTE] {
            for form in ["", "&chunked"] {
                let answer = client.get(&format!("/?bytes={size}{form}")).await?;
                assert!(answer.body == sample(size), "{size}{form}: {}", answer.body.len());
            }
        }
    }
    let large = gateway.client().get("/large?bytes=20000000").await?;
    assert_eq!(large.body.len(), 20 * MEGABYTE);
    assert_eq!(gateway.record("/large").await?["bytes_out"], 20 * MEGABYTE);
    Ok(())
}

#[tokio::test]
async fn an_upload_waits_for_the_upstream_and_not_in_memory() -> io::Result<()> {
    let gate = Arc::new(Semaphore::new(0));
    let reads = Arc::clone(&gate);
    let upstream = RawUpstream::start(move |mut connection| {
        let reads = Arc::clone(&reads);
        async move {
            connection.read_head().await?;
            for _ in 0..20 {
                reads.acquire().await.map_err(io::Error::other)?.forget();
                connection.read_exact(MEGABYTE).await?;
            }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await
        }
    })
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let before = gateway.process.rss_kib()?;
    let client = gateway.client();
    let upload = tokio::spawn(async move {
        let request = Request::post("/").body(Full::new(sample(20 * MEGABYTE)));
        client.request(request.map_err(io::Error::other)?).await
    });
    for read in 1..=20 {
        gate.add_permits(1);
        let enough = || upstream.received().first().is_some_and(|got| got.len() >= read * MEGABYTE);
        portway_testkit::eventually("the upstream has read a megabyte more", enough).await?;
        let grown = gateway.process.rss_kib()?.saturating_sub(before);
        assert!(grown < STREAMING_KIB, "{grown} KiB more after {read} MB");
    }
    assert_eq!(upload.await.map_err(io::Error::other)??.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_download_waits_for_the_client_and_not_in_memory() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    for client in [gateway.client(), Client::h2c(gateway.addr())] {
        let before = gateway.process.rss_kib()?;
        let request = Request::get("/?bytes=40000000").body(String::new());
        let mut body = client.open(request.map_err(io::Error::other)?).await?.into_body();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            length += frame.map_err(io::Error::other)?.data_ref().map_or(0, Bytes::len);
            let grown = gateway.process.rss_kib()?.saturating_sub(before);
            assert!(grown < STREAMING_KIB, "{grown} KiB more after {length} bytes");
        }
        assert_eq!(length, 40 * MEGABYTE);
    }
    Ok(())
}

#[tokio::test]
async fn a_body_starts_its_way_before_it_is_whole() -> io::Result<()> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let upstream = RawUpstream::start(move |mut connection| {
        let tell = tell.clone();
        async move {
            connection.read_head().await?;
            for _ in 0..3 {
                // A chunk of one byte.
                tell.send(connection.read_exact(6).await?).map_err(io::Error::other)?;
            }
            connection.read_exact(5).await?;
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await
        }
    })
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
    for letter in ["a", "b", "c"] {
        raw.send(format!("1\r\n{letter}\r\n")).await?;
        let chunk = told.recv().await.expect("the upstream runs");
        assert_eq!(chunk, format!("1\r\n{letter}\r\n"));
    }
    assert_eq!(raw.exchange("0\r\n\r\n").await?.status, 200);
    Ok(())
}

const EXPECTING: &str =
    "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

#[tokio::test]
async fn one_100_continue_before_the_body() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    for _ in 0..2 {
        raw.send(EXPECTING).await?;
        assert_eq!(raw.read_head().await?.status, 100);
        let answer = raw.exchange("hello").await?;
        assert_eq!((answer.status, answer.interim.len()), (200, 0));
        let answer: portway_testkit::echo::Answer = serde_json::from_slice(&answer.body)?;
        assert_eq!((answer.body.text.as_deref(), answer.header("expect")), (Some("hello"), None));
    }
    // The body may come without waiting.
    let answer = raw.exchange(format!("{EXPECTING}hello")).await?;
    assert_eq!(answer.status, 200);
    assert!(answer.interim.len() <= 1, "{:?}", answer.interim);
    // HTTP/1.0 knows no interim answers (RFC 9110 section 10.1.1).
    let mut raw = gateway.raw().await?;
    let answer = raw.exchange(EXPECTING.replace("HTTP/1.1", "HTTP/1.0") + "hello").await?;
    assert_eq!((answer.status, answer.interim.len()), (200, 0));
    Ok(())
}

#[tokio::test]
async fn no_100_continue_for_a_request_that_goes_nowhere() -> io::Result<()> {
    let refused = refused_addr()?;
    let gateway = Gateway::start(&format!(
        "services: [{{name: up, url: \"{}\", routes: [{{name: x, match: {{path: /x}}}}]}}]",
        refused.url()
    ))
    .await?;
    for (path, status) in [("/x", 502), ("/nowhere", 404)] {
        let mut raw = gateway.raw().await?;
        let answer = raw.exchange(EXPECTING.replace("/x", path)).await?;
        assert_eq!((answer.status, answer.interim.len()), (status, 0), "{path}");
        // Nobody can tell whether a body follows.
        raw.expect_closed().await?;
    }
    Ok(())
}

/// Whether they were announced or not; and the connection goes on with the next request.
#[tokio::test]
async fn trailers_of_a_request_reach_the_upstream() -> io::Result<()> {
    let (tell, mut told) = mpsc::unbounded_channel::<RawRequest>();
    let upstream = RawUpstream::start(move |mut connection| {
        let tell = tell.clone();
        async move {
            loop {
                tell.send(connection.read_request().await?).map_err(io::Error::other)?;
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await?;
            }
        }
    })
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    for announced in ["Trailer: X-Sum\r\n", "", "Trailer: X-Other\r\n"] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{announced}\r\n\
             5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n"
        );
        let answer = raw.exchange(request).await?;
        assert_eq!((answer.status, answer.headers.get("connection")), (200, None));
        let seen = told.recv().await.expect("the upstream runs");
        assert_eq!((seen.body.as_ref(), seen.trailers.get("x-sum")), (&b"hello"[..], Some("42")));
        assert_eq!(raw.exchange("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").await?.status, 200);
        let seen = told.recv().await.expect("the upstream runs");
        assert_eq!(seen.line, "GET /next HTTP/1.1");
    }
    assert_eq!(upstream.connections(), 1);
    Ok(())
}

/// Fields that frame, route or authorise a message mean nothing behind it (RFC 9110 section 6.5.1).
#[tokio::test]
async fn trailers_that_only_a_head_may_have_are_dropped() -> io::Result<()> {
    let upstream = RawUpstream::start(portway_testkit::raw::script::always(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ))
    .await?;
    let gateway = Gateway::start(&service(&upstream.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n\
                   0\r\nContent-Length: 777777777\r\nTransfer-Encoding: evil\r\nHost: evil\r\n\
                   Authorization: evil\r\nX-Forwarded-For: 7.7.7.7\r\nConnection: evil\r\n\
                   X-Sum: 42\r\n\r\n";
    assert_eq!(raw.exchange(request).await?.status, 200);
    for (text, times) in [("777777777", 0), ("evil", 0), ("7.7.7.7", 0), ("x-sum: 42", 1)] {
        assert_eq!(upstream.count_of(text), times, "{text} in {:?}", upstream.received());
    }
    Ok(())
}

#[tokio::test]
async fn trailers_of_an_answer_reach_the_client() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let path = "/?bytes=10&chunked&trailer=x-sum:42";
    let request = Request::get(path).header("te", "trailers").body(String::new());
    let client = Client::h2c(gateway.addr());
    let h2 = client.request(request.map_err(io::Error::other)?).await?;
    assert_eq!(h2.trailers.get("x-sum").map(http::HeaderValue::as_bytes), Some(&b"42"[..]));
    let mut raw = gateway.raw().await?;
    let with = format!("GET {path} HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
    let answer = raw.exchange(with).await?;
    assert_eq!((answer.body.len(), answer.trailers.get("x-sum")), (10, Some("42")));
    let without = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(raw.exchange(without).await?.body.len(), 10);
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_not_read_is_never_taken_for_a_request() -> io::Result<()> {
    let gateway = Gateway::start(
        "routes: [{name: stop, match: {path: /stop}, target: {reply: {status: 403, body: no}}}]",
    )
    .await?;
    let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for size in [inner.len(), 200_000] {
        let mut raw = gateway.raw().await?;
        let body = inner.repeat(size / inner.len());
        let head =
            format!("POST /stop HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        // The rest may be refused, and the connection closed, before its last byte.
        let _ = raw.send(format!("{head}{body}")).await;
        assert_eq!(raw.read_response().await?.status, 403);
        let next = ask_again(&mut raw).await;
        assert!(matches!(next, None | Some(403)), "{next:?}");
    }
    let smuggled = |records: Vec<serde_json::Value>| {
        records.iter().any(|record| record["path"] == "/smuggled")
    };
    assert!(!smuggled(gateway.records(2).await?));
    Ok(())
}

/// The status of one more answer, if the connection was kept.
async fn ask_again(raw: &mut RawClient) -> Option<u16> {
    Some(raw.exchange("GET /stop HTTP/1.1\r\nHost: a\r\n\r\n").await.ok()?.status)
}

fn impossible(never: std::convert::Infallible) -> io::Error {
    match never {}
}

/// A body in pieces, of a length that is not told before.
struct Pieces(Bytes);

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let length = self.0.len().min(50_000);
        let piece = self.0.split_to(length);
        Poll::Ready((length > 0).then_some(Ok(Frame::data(piece))))
    }
}
